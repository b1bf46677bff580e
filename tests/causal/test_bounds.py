"""The laws of bounds:

they contain the truth, witnesses attain them, and what cannot be is refused.
"""

from collections.abc import Sequence
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
    VITAMIN_A,
    Memory,
    Parents,
    effect_of,
    ends,
    mean_of,
    random_truth,
    typed,
)
from countable import COUNTABLE
from printed import printed
from refusals import refused

from dosuite.causal import (
    ADMG,
    Array,
    Bernoulli,
    Categorical,
    Factor,
    Hedge,
    ResponseTypes,
    TooLargeError,
    World,
    action,
    bounds,
    context,
    distribution,
    expectation,
    identify,
    latent,
    logged,
    parse_graph,
    response_types,
    reward,
    value,
)
from dosuite.causal.exact import log_process
from dosuite.causal.partial_identification import (
    Bounds,
    Payoffs,
    UnitQuantity,
    balke_pearl,
    contrast,
    interval_values,
    manski,
    necessity,
    sufficiency,
)
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.river import ConfoundedRiver
from dosuite.envs.worlds.simpson import Sighted, SimpsonClinic

# The laws.

QUANTITIES: list[tuple[Parents, Sequence[tuple[str, ...]], tuple[int, ...], UnitQuantity]] = [
    (BOW, [("x", "y")], (2, 2), effect_of("x", "y")),
    (BOW, [("x", "y")], (3, 3), mean_of("y", x=2)),
    (
        BOW,
        [("x", "y")],
        (3, 2),
        lambda do: (do(x=0)["y"] < do(x=1)["y"]) & (do(x=1)["y"] > do(x=2)["y"]),
    ),
    (BOW, [("x", "y")], (2, 3), lambda do: (do()["x"] == 1) * (do(x=1)["y"] - do(x=0)["y"])),
    (INSTRUMENT, [("d", "y")], (2, 2, 2), effect_of("d", "y")),
    (INSTRUMENT, [("d", "y")], (3, 2, 2), effect_of("d", "y")),
    (INSTRUMENT, [("d", "y")], (2, 3, 2), lambda do: do(d=2)["y"] - do(d=0)["y"]),
    (INSTRUMENT, [("d", "y")], (2, 2, 3), lambda do: do(z=1)["d"] > do(z=0)["d"]),
    (CLINIC, [("drug", "cure")], (2, 2, 2), lambda do: do(drug=1 - do()["age"])["cure"]),
    (CLINIC, [("age", "drug", "cure")], (2, 2, 2), effect_of("drug", "cure")),
    (FRONT_DOOR, [("x", "y")], (2, 2, 2), effect_of("x", "y")),
    (FRONT_DOOR, [("m", "y")], (2, 2, 2), effect_of("x", "y")),
    (TRIO, [("a", "c")], (2, 3, 2), lambda do: do(b=do(a=1)["b"])["c"]),
    (TRIO, [("a", "b"), ("b", "c")], (2, 2, 2), effect_of("b", "c")),
    (TRIO, [("a", "b", "c")], (2, 2, 2), effect_of("a", "c")),
]


@pytest.mark.parametrize("case", range(len(QUANTITIES)))
def test_bounds_contain_the_truth_and_witnesses_with_the_same_table_attain_them(case: int) -> None:
    parents, latents, sizes, quantity = QUANTITIES[case]
    for seed in range(6):
        truth = random_truth(parents, latents, sizes, seed)
        types = ResponseTypes(parents, latents, truth.table())
        found = bounds(types, quantity)
        assert found.low - ATTAINED <= truth.mean(quantity) <= found.high + ATTAINED
        for witness, end in zip(found.witnesses, (found.low, found.high), strict=True):
            assert witness.mean(quantity) == pytest.approx(end, abs=ATTAINED)
            assert abs(witness.table().table - truth.table().table).max() < ATTAINED


class Doses(World):
    """Two ages, three doses and three outcomes, and a latent behind dose and outcome."""

    @latent
    def constitution(self) -> Bernoulli:
        return Bernoulli(0.4)

    @context
    def age(self) -> Bernoulli:
        return Bernoulli(0.3)

    @action
    def dose(self, constitution: Array, age: Array) -> Categorical:
        rows = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
        return Categorical(rows[constitution ^ age])

    @reward
    def health(self, age: Array, dose: Array, constitution: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.3 * (dose == 1) + 0.2 * (dose == 2) * age + 0.4 * constitution)


RECORDED = {
    text: model
    for text, model in COUNTABLE.items()
    if model.horizon == 1 and not model.names("selection")
}
SMALL: dict[str, World] = {
    text: model for text, model in RECORDED.items() if "CovidCFR" not in text
}
SMALL["Doses"] = Doses()


@pytest.mark.parametrize("model", SMALL.values(), ids=SMALL)
def test_bounds_contain_the_truth_of_every_world_of_the_catalogue(model: World) -> None:
    types = response_types(model)
    for act in model.tables.support(model.action):
        found = bounds(types, mean_of(model.reward, **{model.action: act}))
        assert found.sharp or not all(district.one_latent for district in types.districts)
        assert (
            found.low - ATTAINED
            <= expectation(model.do(**{model.action: act}), model.reward)
            <= found.high + ATTAINED
        )


def test_with_a_context_the_bounds_are_those_of_each_context() -> None:
    model = Doses()
    natural = manski(distribution(model, "age", "dose", "health"))
    mean = np.einsum("c,cae->ae", distribution(model, "age"), natural)
    assert np.allclose(
        mean,
        [ends(response_types(model), mean_of("health", dose=x)) for x in range(3)],
        rtol=0,
        atol=1e-9,
    )


def test_what_is_identified_is_a_point() -> None:
    for parents, latents, quantity in (
        (CLINIC, [], effect_of("drug", "cure")),
        (FRONT_DOOR, [("x", "y")], effect_of("x", "y")),
        (INSTRUMENT, [("d", "y")], effect_of("z", "y")),
    ):
        truth = random_truth(parents, latents, (2, 2, 2), seed=2)
        found = bounds(ResponseTypes(parents, latents, truth.table()), quantity)
        assert found.low == pytest.approx(truth.mean(quantity), abs=1e-9)
        assert found.high == pytest.approx(found.low, abs=1e-9)
        assert found.sharp


def random_graph(seed: int) -> ADMG:
    """Of two to four variables, each of which shares a hidden cause with at most one other."""
    rng = np.random.default_rng(seed)
    names = list("abcd"[: rng.integers(2, 5)])
    arrows = [
        f"{cause} -> {effect}" for cause, effect in combinations(names, 2) if rng.random() < 0.6
    ]
    shuffled = rng.permutation(names).tolist()
    arcs = [
        f"{one} <-> {other}"
        for one, other in zip(shuffled[::2], shuffled[1::2], strict=False)
        if rng.random() < 0.7
    ]
    return parse_graph("; ".join([*names, *arrows, *arcs]))


def test_bounds_are_a_point_if_the_effect_is_identified_and_an_interval_if_not() -> None:
    widths: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(60):
        graph = random_graph(seed)
        x, y = np.random.default_rng(seed).permutation(graph.nodes)[:2].tolist()
        uniform = ResponseTypes.of(graph, Factor(graph.nodes, np.ones((2,) * len(graph.nodes))))
        truth = random_truth(
            uniform.parents,
            [tuple(latent) for latent in uniform.latents],
            (2,) * len(graph.nodes),
            2 * seed,
        )
        found = bounds(ResponseTypes.of(graph, truth.table()), mean_of(y, **{x: 1}))
        answer = identify(graph, y, x)
        widths[isinstance(answer, Hedge)].append(found.high - found.low)
        if not isinstance(answer, Hedge):
            assert answer.evaluate(truth.table()).table[1, 1] == pytest.approx(
                found.low, abs=ATTAINED
            )
        assert found.sharp
        assert found.low - ATTAINED <= truth.mean(mean_of(y, **{x: 1})) <= found.high + ATTAINED
    assert max(widths[False]) < ATTAINED
    assert min(widths[True]) > 0.01
    assert min(map(len, widths.values())) > 4


def test_the_types_of_a_graph_have_a_latent_for_each_bidirected_edge() -> None:
    graph = parse_graph("ice cream -> knees; a <-> b; b <-> c; a <-> c; c <-> ice cream")
    types = ResponseTypes.of(graph, Factor(graph.nodes, np.ones((2,) * 5)))
    assert sorted(map(sorted, types.latents)) == [
        ["a", "b"],
        ["a", "c"],
        ["b", "c"],
        ["c", "ice cream"],
    ]
    assert types.parents["knees"] == ("ice cream",)


class OneSecret(World):
    """A single latent behind all three that are seen."""

    @latent
    def u(self) -> Bernoulli:
        return Bernoulli(0.4)

    @logged
    def hint(self, u: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.5 * u)

    @action
    def act(self, hint: Array, u: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.3 * hint + 0.5 * u)

    @reward
    def win(self, act: Array, u: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.3 * act + 0.5 * u)


class ThreeSecrets(OneSecret):
    """The same three, of which any two share a latent."""

    @latent
    def v(self) -> Bernoulli:
        return Bernoulli(0.5)

    @latent
    def w(self) -> Bernoulli:
        return Bernoulli(0.3)

    @logged
    def hint(self, u: Array, v: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.5 * u * v)

    @action
    def act(self, hint: Array, v: Array, w: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.3 * hint + 0.5 * v * w)

    @reward
    def win(self, act: Array, u: Array, w: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.3 * act + 0.5 * u * w)


def test_bounds_are_sharp_if_one_latent_reaches_a_district_and_outer_if_three_do_in_pairs() -> None:
    one, three = response_types(OneSecret()), response_types(ThreeSecrets())
    assert one.graph == three.graph
    assert bounds(one, effect_of("act", "win")).sharp
    assert not bounds(three, effect_of("act", "win")).sharp
    assert bounds(three, mean_of("hint")).sharp  # which is a point
    text = "a -> b -> c; a <-> b; b <-> c"
    for graph in (text, f"{text}; a <-> c"):
        table = random_truth(TRIO, [("a", "b", "c")], (2, 2, 2), seed=0).table()
        assert not bounds(ResponseTypes.of(parse_graph(graph), table), effect_of("b", "c")).sharp
    even = Factor(("x", "y"), np.full((2, 2), 0.25))
    bow = ResponseTypes.of(parse_graph("x -> y; x <-> y"), even)
    assert bounds(bow, effect_of("x", "y")).sharp


def test_bounds_are_outer_where_a_district_has_more_latents_than_one() -> None:
    table = random_truth(TRIO, [("a", "b"), ("b", "c")], (2, 2, 2), seed=0).table()

    def found(*latents: tuple[str, ...]) -> Bounds:
        return bounds(ResponseTypes(TRIO, latents, table), effect_of("b", "c"))

    assert not found(("a", "b"), ("b", "c")).sharp
    assert not found(("a", "b"), ("b", "c"), ("a", "c")).sharp  # three that are shared by two each
    assert found(("a", "b", "c")).sharp  # one that is shared by all three
    assert str(found(("a", "b", "c"))).endswith("sharp")
    assert str(found(("a", "b"), ("b", "c"))).endswith("outer")


def test_a_point_is_sharp_whatever_the_latents() -> None:
    latents = [("a", "b"), ("b", "c")]
    types = ResponseTypes(TRIO, latents, random_truth(TRIO, latents, (2, 2, 2), seed=0).table())
    found = bounds(types, mean_of("a"))
    assert found.sharp
    assert found.low == pytest.approx(types.margins[0].table[1].sum(), abs=1e-9)


def test_a_second_district_does_not_make_the_bounds_of_the_first_outer() -> None:
    parents = {**TRIO, "x": ("c",), "y": ("x",)}
    latents = [("a", "b"), ("b", "c"), ("x", "y")]
    truth = random_truth(parents, latents, (2, 2, 2, 2, 2), seed=0)
    assert bounds(ResponseTypes(parents, latents, truth.table()), effect_of("x", "y")).sharp


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
    said = refused(lambda: bounds(typed(INSTRUMENT, [("d", "y")], table), effect_of("d", "y")))
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
    assert "known beside it" in refused(
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
