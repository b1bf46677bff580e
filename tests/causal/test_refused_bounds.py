"""Tables and questions that bounds refuse, and corner cases."""

import numpy as np
import pytest
from bounded import (
    BOW,
    CLINIC,
    FRONT_DOOR,
    INSTRUMENT,
    VITAMIN_A,
    Memory,
    effect_of,
    ends,
    mean_of,
    random_truth,
    typed,
)
from printed import printed
from refusals import refused

from dosuite.causal import (
    ResponseTypes,
    TooLargeError,
    bounds,
    distribution,
    response_types,
    value,
)
from dosuite.causal.exact import log_process
from dosuite.causal.partial_identification import (
    Payoffs,
    balke_pearl,
    contrast,
    interval_values,
    necessity,
    sufficiency,
)
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.river import ConfoundedRiver
from dosuite.envs.worlds.simpson import Sighted, SimpsonClinic

# Refusals, and corners.


def test_a_table_that_violates_the_instrumental_inequality_is_refused_with_the_inequality() -> None:
    table = np.array([[[0.3, 0.0], [0.1, 0.1]], [[0.0, 0.3], [0.1, 0.1]]])
    violated = "P(d=0, y=0 | z=0) + P(d=0, y=1 | z=1) = 1.2"
    assert violated in refused(lambda: balke_pearl(table))
    assert violated in refused(
        lambda: bounds(typed(INSTRUMENT, [("d", "y")], table), effect_of("d", "y"))
    )
    assert violated in refused(
        lambda: bounds(typed(INSTRUMENT, [("d", "y")], table), mean_of("d", z=0))
    )


def test_a_violated_inequality_with_more_than_one_term_for_a_value_of_the_instrument_is_found() -> (
    None
):
    """Three values of z, and every one of Pearl's inequalities holds; Bonet (2001) has another."""
    table = np.zeros((3, 2, 2))
    table[0, 0, 0], table[0, 1, 1] = 1, 1  # counts
    table[1, 0, 1], table[1, 1, 0] = 1, 1
    table[2, 0, 0], table[2, 1, 0] = 1, 1
    assert all(table[:, d].max(0).sum() <= 2 for d in (0, 1))
    law = table / 6  # the table itself could be P(y | z, d)
    said = refused(lambda: bounds(typed(INSTRUMENT, [("d", "y")], law), effect_of("d", "y")))
    assert "and it is at most 1" in said
    assert refused(lambda: balke_pearl(table)) == said


def test_a_district_that_is_not_asked_about_is_checked_too() -> None:
    parents = {**INSTRUMENT, "lamp": ()}
    table = np.multiply.outer(
        np.array([[[0.3, 0.0], [0.1, 0.1]], [[0.0, 0.3], [0.1, 0.1]]]), [0.5, 0.5]
    )
    assert "= 1.2" in refused(lambda: bounds(typed(parents, [("d", "y")], table), mean_of("lamp")))


def test_a_table_that_breaks_an_independence_of_the_graph_is_refused() -> None:
    table = np.random.default_rng(0).dirichlet(np.ones(8)).reshape(2, 2, 2)
    assert "given m, y depends on x" in refused(lambda: typed(FRONT_DOOR, [], table))
    assert "given nothing, age depends on drug" in refused(
        lambda: typed({"drug": (), "age": ()}, [], table.sum(2))
    )


def test_what_no_experiment_can_have_found_is_refused() -> None:
    seen = np.array([[0.2, 0.3], [0.4, 0.1]])
    assert "P(y=1 | do(x=0)) must lie between" in refused(
        lambda: necessity(seen, np.array([0.1, 0.5]))
    )
    types = typed(BOW, [("x", "y")], seen)
    assert "fits both the table" in refused(
        lambda: bounds(types, mean_of("y", x=1), [(mean_of("y", x=0), 0.1)])
    )
    assert "there are none" in refused(
        lambda: necessity(np.array([[0.5, 0.0], [0.5, 0.0]]), np.array([0.0, 0.0]))
    )
    assert "there are none" in refused(
        lambda: sufficiency(np.array([[0.0, 0.5], [0.0, 0.5]]), np.array([1.0, 1.0]))
    )


def test_what_multiplies_unknown_laws_is_refused() -> None:
    parents = {"a": (), "b": ("a",), "x": ("b",), "y": ("x",)}
    latents = [("a", "b"), ("x", "y")]
    types = ResponseTypes(parents, latents, random_truth(parents, latents, (2, 2, 2, 2), 0).table())
    assert "a, b and of x, y" in refused(
        lambda: bounds(types, lambda do: do(a=1)["b"] * do(x=1)["y"])
    )


def test_wrong_names_values_and_tables_are_refused() -> None:
    table = np.full((2, 2), 0.25)
    types = typed(BOW, [("x", "y")], table)
    assert "did you mean" in refused(lambda: bounds(types, mean_of("yy", x=1)))
    assert "not a variable" in refused(lambda: bounds(types, mean_of("y", age=1)))
    assert "x is never 2" in refused(lambda: bounds(types, mean_of("y", x=2)))
    assert "entry by entry" in refused(lambda: bounds(types, lambda do: do(x=1)["y"][:3]))
    assert "no entry in `parents`" in refused(lambda: typed(BOW, [("x", "heat")], table))
    assert "cycle" in refused(lambda: typed({"x": ("y",), "y": ("x",)}, [], table))
    assert "2 axes" in refused(lambda: typed(INSTRUMENT, [], table))
    assert "negative" in refused(lambda: typed(BOW, [], -table))
    assert "ascending" in refused(lambda: typed(BOW, [], table, {"x": np.array([1, 0])}))
    assert "low and a high" in refused(lambda: Payoffs.box(np.ones(1), np.zeros(1)))
    assert "one step" in refused(lambda: response_types(ConfoundedRiver()))
    assert "axes z, d, y" in refused(lambda: balke_pearl(table))
    assert "never occurs in context" in refused(lambda: interval_values(log_process(Memory())))


def test_too_many_response_types_are_refused_before_any_memory_is_taken() -> None:
    with pytest.raises(TooLargeError, match=r"1\.07e\+14 response types"):
        typed(BOW, [("x", "y")], np.ones((12, 12)) / 144)
    with pytest.raises(TooLargeError, match="response types"):
        response_types(SimpsonClinic(study="CovidCFR"))


def test_zero_cells_leave_open_what_was_never_seen() -> None:
    """In the log nobody young takes the drug;

    what it would do to them is free, and what it does to the old is known.
    """
    table = np.array([[[0.3, 0.2], [0.0, 0.0]], [[0.1, 0.1], [0.1, 0.2]]])
    types = typed(CLINIC, [], table)
    assert np.allclose(
        ends(types, mean_of("cure", drug=1)), [0.5 * 0 + 0.5 * 2 / 3, 0.5 * 1 + 0.5 * 2 / 3]
    )
    assert np.allclose(ends(types, mean_of("cure", drug=0)), 0.5 * 0.4 + 0.5 * 0.5)
    assert np.allclose(ends(types, lambda do: (do()["age"] == 1) * do(drug=1)["cure"]), 1 / 3)


def test_a_value_of_the_instrument_without_any_weight_tells_nothing() -> None:
    table = np.concatenate([VITAMIN_A, np.zeros((1, 2, 2))])
    types = typed(INSTRUMENT, [("d", "y")], table)
    assert np.allclose(
        ends(types, effect_of("d", "y")), contrast(balke_pearl(VITAMIN_A)), rtol=0, atol=1e-9
    )
    assert np.allclose(ends(types, mean_of("d", z=2)), [0.0, 1.0])


def test_names_may_contain_spaces_and_values_may_be_any_numbers() -> None:
    parents = {"ice cream": (), "bare knees": ("ice cream",)}
    table = distribution(IceCreamShorts(), "ice_cream", "shorts")
    types = typed(
        parents, [("ice cream", "bare knees")], table, {"ice cream": np.array([-0.5, 2.5])}
    )
    assert printed(ends(types, lambda do: do(**{"ice cream": 2.5})["bare knees"]), ".4075 .9075")


def test_ties_are_shared() -> None:
    payoffs = Payoffs.box(
        np.array([[0.2, 0.2, 0.1], [0.0, 0.3, 0.3]]), np.array([[0.5, 0.5, 0.1], [0.0, 0.4, 0.4]])
    )
    assert np.allclose(payoffs.maximin().policy, [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]], atol=1e-6)
    assert np.allclose(
        payoffs.minimax_regret().policy, [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]], atol=1e-6
    )


def test_a_policy_that_sees_a_context_is_an_intervention_too() -> None:
    model = Sighted()
    types = response_types(model)
    found = bounds(types, lambda do: do(treatment=do()["stratum"])["recovery"])
    assert found.low == pytest.approx(value(model, np.eye(2)), abs=1e-9)


def test_a_printed_figure_that_is_wrong_is_noticed() -> None:
    assert not printed([0.275, 0.725], ".36 .64")
