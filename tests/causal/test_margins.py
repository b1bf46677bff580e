"""Bounds from tables that were measured apart."""

from itertools import combinations

import numpy as np
import pytest
from bounded import (
    ATTAINED,
    BOW,
    CLINIC,
    FRONT_DOOR,
    INSTRUMENT,
    TRIO,
    Parents,
    effect_of,
    ends,
    mean_of,
    random_truth,
)
from refusals import refused

from dosuite.causal import Factor, ResponseTypes, bounds, parse_graph
from dosuite.causal.model.elimination import eliminate
from dosuite.causal.partial_identification import Payoffs, UnitQuantity

CASES: list[tuple[Parents, list[tuple[str, ...]], UnitQuantity]] = [
    (BOW, [("x", "y")], effect_of("x", "y")),
    (INSTRUMENT, [("d", "y")], effect_of("d", "y")),
    (FRONT_DOOR, [("x", "y")], effect_of("x", "y")),
    (FRONT_DOOR, [("m", "y")], effect_of("x", "y")),
    (CLINIC, [("drug", "cure")], effect_of("drug", "cure")),
    (CLINIC, [("age", "drug", "cure")], effect_of("drug", "cure")),
    (TRIO, [("a", "c")], lambda do: do(b=do(a=1)["b"])["c"]),
]


def margin(joint: Factor, *names: str) -> Factor:
    return Factor(names, eliminate([joint], names))


@pytest.mark.parametrize("case", range(len(CASES)))
def test_a_margin_that_is_the_joint_gives_the_bounds_of_the_joint(case: int) -> None:
    parents, latents, quantity = CASES[case]
    for seed in range(3):
        joint = random_truth(parents, latents, (2,) * len(parents), seed).table()
        expected = ends(ResponseTypes(parents, latents, joint), quantity)
        coarse = margin(joint, list(parents)[-1])
        both = ResponseTypes(parents, latents, [coarse, joint])
        assert ends(both, quantity) == pytest.approx(expected, abs=ATTAINED)


def test_the_equations_of_cells_say_what_the_c_factor_says() -> None:
    """The joint among other tables, but with a variable that no table has, so that it is taken
    cell by cell."""
    for parents, latents, quantity in CASES:
        joint = random_truth(parents, latents, (2,) * len(parents), seed=0).table()
        expected = ends(ResponseTypes(parents, latents, joint), quantity)
        more = {**parents, "lamp": ()}
        apart = ResponseTypes(more, latents, [joint], {"lamp": np.array([0, 1])})
        assert apart.joint is None
        assert ends(apart, quantity) == pytest.approx(expected, abs=ATTAINED)


COARSER = [
    CASES[0],
    CASES[1],
    (CLINIC, [("drug", "cure")], lambda do: (do()["age"] == 1) * do(drug=1)["cure"]),
]


@pytest.mark.parametrize(("parents", "latents", "quantity"), COARSER)
def test_coarser_margins_give_bounds_that_contain_those_of_the_joint(
    parents: Parents, latents: list[tuple[str, ...]], quantity: UnitQuantity
) -> None:
    names = list(parents)
    wider = []
    for seed in range(6):
        truth = random_truth(parents, latents, (2,) * len(parents), seed)
        joint = truth.table()
        low, high = ends(ResponseTypes(parents, latents, joint), quantity)
        parts = [margin(joint, *pair) for pair in combinations(names, max(1, len(names) - 1))]
        types = ResponseTypes(parents, latents, parts)
        found = bounds(types, quantity)
        assert found.sharp
        assert found.low <= low + ATTAINED
        assert found.high >= high - ATTAINED
        assert found.low - ATTAINED <= truth.mean(quantity) <= found.high + ATTAINED
        for witness, end in zip(found.witnesses, (found.low, found.high), strict=True):
            assert witness.mean(quantity) == pytest.approx(end, abs=ATTAINED)
            for part in parts:
                attained = margin(witness.table(), *part.names).table
                assert attained == pytest.approx(part.table, abs=ATTAINED)
        wider.append(found.high - found.low - (high - low))
    assert max(wider) > 0.01


def test_frechet_bounds_of_two_variables_that_were_never_measured_together() -> None:
    """P(x=1) = .7 and P(y=1) = .6: P(x=1, y=1) is from .7 + .6 - 1 to .6."""
    graph = parse_graph("x <-> y")
    apart = [Factor(("x",), np.array([0.3, 0.7])), Factor(("y",), np.array([0.4, 0.6]))]
    types = ResponseTypes.of(graph, apart)
    assert ends(types, lambda do: (do()["x"] == 1) & (do()["y"] == 1)) == pytest.approx([0.3, 0.6])


def test_conditional_frechet_bounds_of_two_outcomes_with_a_common_margin() -> None:
    """P(x, y) and P(x, z): within each x the bounds are those of Frechet.

    P(x=0) = .4 with P(y=1 | x=0) = .5 and P(z=1 | x=0) = .75; P(x=1) = .6 with 1/3 and 1/2. So
    P(y=1, z=1) is at least .4 * .25 + .6 * 0 = .1 and at most .4 * .5 + .6 / 3 = .4.
    """
    graph = parse_graph("x -> y, z; y <-> z")
    x_y = Factor(("x", "y"), np.array([[0.2, 0.2], [0.4, 0.2]]))
    x_z = Factor(("z", "x"), np.array([[0.1, 0.3], [0.3, 0.3]]))
    types = ResponseTypes.of(graph, [x_y, x_z])
    together = ends(types, lambda do: (do()["y"] == 1) & (do()["z"] == 1))
    assert together == pytest.approx([0.1, 0.4])
    assert ends(types, effect_of("x", "y")) == pytest.approx([1 / 3 - 0.5] * 2)


def test_an_instrument_in_two_samples() -> None:
    """P(z, d) and P(z, y), with perfect compliance at z=1 and nobody treated at z=0.

    Then do(d=z) is z, so that the effect is P(y=1 | z=1) - P(y=1 | z=0) = .7 - .2, a point.
    """
    graph = parse_graph("z -> d -> y; d <-> y")
    z_d = Factor(("z", "d"), np.array([[0.5, 0.0], [0.0, 0.5]]))
    z_y = Factor(("z", "y"), np.array([[0.4, 0.1], [0.15, 0.35]]))
    types = ResponseTypes.of(graph, [z_d, z_y])
    assert ends(types, effect_of("d", "y")) == pytest.approx([0.5, 0.5])


def test_columns_of_two_studies_without_a_shared_variable() -> None:
    graph = parse_graph("x -> y; x <-> y")
    studies = [{"x": np.array([0, 1, 1, 1])}, {"y": np.array([0, 0, 1, 1])}]
    types = ResponseTypes.of(graph, studies)
    assert ends(types, lambda do: do()["x"] * do()["y"]) == pytest.approx([0.25, 0.5])
    # P(x=1, y=1) is at least .25, and so is P(x=1, y=0).
    assert ends(types, mean_of("y", x=1)) == pytest.approx([0.25, 0.75])


def test_policies_can_be_chosen_from_margins() -> None:
    graph = parse_graph("z -> d -> y; d <-> y")
    z_d = Factor(("z", "d"), np.array([[0.5, 0.0], [0.0, 0.5]]))
    z_y = Factor(("z", "y"), np.array([[0.4, 0.1], [0.15, 0.35]]))
    types = ResponseTypes.of(graph, [z_d, z_y])
    payoffs = Payoffs.of(types, [[mean_of("y", d=0), mean_of("y", d=1)]])
    assert payoffs.maximin().value == pytest.approx(0.7)


def test_cells_of_probability_zero_leave_open_what_was_never_seen() -> None:
    z_d = Factor(("z", "d"), np.array([[0.5, 0.5], [0.0, 0.0]]))
    z_y = Factor(("z", "y"), np.array([[0.4, 0.6], [0.0, 0.0]]))
    types = ResponseTypes(INSTRUMENT, [("d", "y")], [z_d, z_y])
    assert ends(types, mean_of("d", z=1)) == pytest.approx([0.0, 1.0])
    assert ends(types, mean_of("d", z=0)) == pytest.approx([0.5, 0.5])


def test_margins_that_contradict_each_other_are_refused_with_the_shared_variable() -> None:
    graph = parse_graph("x -> y, z; y <-> z")
    x_y = Factor(("x", "y"), np.full((2, 2), 0.25))
    x_z = Factor(("x", "z"), np.array([[0.2, 0.2], [0.3, 0.3]]))
    said = refused(lambda: ResponseTypes.of(graph, [x_y, x_z]))
    assert "contradict each other about x: P(x=0) is 0.5 in one and 0.4 in the other" in said


def test_margins_that_no_model_has_are_refused() -> None:
    """Three variables of which no two are ever equal."""
    graph = parse_graph("a <-> b; b <-> c; a <-> c")
    unequal = np.array([[0.0, 0.5], [0.5, 0.0]])
    pairs = [Factor(names, unequal) for names in (("a", "b"), ("b", "c"), ("a", "c"))]
    types = ResponseTypes.of(graph, pairs)
    assert "no model with this graph" in refused(lambda: bounds(types, mean_of("a")))


def test_margins_that_break_an_independence_are_refused() -> None:
    graph = parse_graph("x; y; z -> y")
    dependent = Factor(("x", "y"), np.array([[0.5, 0.0], [0.0, 0.5]]))
    types = ResponseTypes.of(graph, [dependent, Factor(("z",), np.array([0.5, 0.5]))])
    said = refused(lambda: bounds(types, mean_of("y")))
    assert "P(x=0, y=0) is 0.5" in said
    assert "imply 0.25" in said


def test_what_is_not_linear_is_refused() -> None:
    graph = parse_graph("z -> d -> y; d <-> y")
    d_y = Factor(("d", "y"), np.full((2, 2), 0.25))
    types = ResponseTypes.of(graph, [d_y], {"z": np.array([0, 1])})
    said = refused(lambda: bounds(types, effect_of("d", "y")))
    assert "the table of (d, y) multiplies the unknown laws of z and of d, y" in said
    assert "no table has the variable z" in refused(lambda: ResponseTypes.of(graph, [d_y]))
    sizes = [d_y, Factor(("z", "y"), np.full((2, 3), 1 / 6))]
    assert "y has 2 values in one table and 3 in another" in refused(
        lambda: ResponseTypes.of(graph, sizes)
    )
