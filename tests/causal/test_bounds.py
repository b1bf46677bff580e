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
    Parents,
    effect_of,
    ends,
    mean_of,
    random_truth,
)
from countable import COUNTABLE

from dosuite.causal import (
    ADMG,
    Array,
    Bernoulli,
    Categorical,
    Factor,
    Hedge,
    ResponseTypes,
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
)
from dosuite.causal.partial_identification import (
    Bounds,
    UnitQuantity,
    manski,
)

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
