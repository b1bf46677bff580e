"""Identification:

every estimand is the truth, every hedge has two models that show it, and the known traps.
"""

from collections import Counter

import numpy as np
import pytest
from countable import COUNTABLE
from graph_worlds import (
    EXACT,
    binary_world,
    conditional,
    distance,
    random_question,
    random_world,
    unknown,
    without_shortcut,
)
from identification_laws import check_hedge

from dosuite.causal import (
    Estimand,
    Hedge,
    InputError,
    World,
    distribution,
    identify,
    latent_projection,
    parse_graph,
)
from dosuite.causal.graphs import is_adjustment_set
from dosuite.causal.identification.formula import Probability, Set, product, shorten, total

GRAPHS, CHUNKS = 2000, 4


SPARSE = 400


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_estimand_is_the_truth_and_every_hedge_has_two_models_that_show_it(
    chunk: int,
) -> None:
    seen: Counter[str] = Counter()
    for seed in range(chunk, GRAPHS, CHUNKS):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng)
        y, x, z = random_question(rng, graph)
        joint = world.law(graph.nodes)
        for given in ([], z) if z else ([],):
            found = identify(graph, y, x, given)
            if isinstance(found, Hedge):
                check_hedge(found)
            else:
                truth = conditional(world, found.y, found.x, found.z)
                assert distance(found.evaluate(joint), truth) < EXACT, (seed, str(found))
                assert distance(without_shortcut(found).evaluate(joint), truth) < EXACT, (
                    seed,
                    str(found),
                )
            seen[f"{type(found).__name__} {bool(given)}"] += 1
    assert min(seen.values()) > 20
    assert len(seen) == 4


def test_where_cells_are_empty_there_is_the_truth_or_an_error() -> None:
    answered = refused = 0
    for seed in range(SPARSE):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng, holes=rng.choice([0.1, 0.4]))
        found = identify(graph, *random_question(rng, graph))
        if isinstance(found, Hedge):
            continue
        joint, truth = world.law(graph.nodes), conditional(world, found.y, found.x, found.z)
        for index in np.ndindex(truth.shape[len(found.y) :]):
            expected = truth[(..., *index)]
            try:
                answer = found.evaluate(joint, dict(zip((*found.x, *found.z), index, strict=True)))
            except InputError:
                refused += 1
                continue
            assert np.isnan(expected).all() or distance(answer, expected) < EXACT, (
                seed,
                str(found),
                index,
            )
            answered += 1
    assert answered > refused > 0


def test_line_7_within_line_7() -> None:
    """Chains with many hidden common causes, of which the random graphs above have few."""
    names, depths = [f"v{i}" for i in range(9)], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        arcs = [
            f"{a} <-> {b}"
            for i, a in enumerate(names)
            for b in names[i + 2 :]
            if rng.random() < 0.3
        ]
        graph = parse_graph("; ".join([" -> ".join(names), *arcs]))
        found = identify(graph, names[-1], names[-2])
        if (
            isinstance(found, Estimand)
            and (depth := str(without_shortcut(found)).count("] / [")) > 1
        ):
            world = binary_world(rng, graph)
            truth, joint = conditional(world, found.y, found.x, found.z), world.law(names)
            assert distance(found.evaluate(joint), truth) < EXACT, (seed, str(found))
            assert distance(without_shortcut(found).evaluate(joint), truth) < EXACT, (
                seed,
                str(found),
            )
            depths.append(depth)
    assert len(depths) > 20
    assert max(depths) > 4


def test_a_witness_is_carried_around_the_treatment() -> None:
    hedge = unknown("x1 -> r -> x2 -> y; r -> a -> b -> y; x1 <-> r", "y", ["x1", "x2"])
    check_hedge(hedge)


def test_a_sum_is_only_carried_out_where_the_graph_allows_it() -> None:
    through = total(
        "a", product([Probability(Set("a"), Set("b")), Probability(Set("c"), Set("a"))])
    )
    for text, shorter in (("b -> a -> c", True), ("b -> a -> c; b -> c", False)):
        graph = parse_graph(text)
        found = shorten(
            through,
            lambda a, b, given, graph=graph: not b or graph.separated(a, b, given),  # type: ignore[misc]
        )
        assert (found == Probability(Set("c"), Set("b"))) == shorter


def test_the_three_rules_of_do_calculus_hold() -> None:
    used: Counter[int] = Counter()
    for seed in range(300):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng)
        names = rng.permutation(graph.nodes).tolist()
        y, z, rest = (names[0],), (names[1],), names[2:]
        x, w = tuple(rest[: rng.integers(0, 2)]), tuple(rest[2 : rng.integers(2, 4)])
        cut, (far,) = graph.cut(into=x), (set(z) - graph.cut(into=x).ancestors(w),)
        done, seen, less = (
            conditional(world, y, x + z, w),
            conditional(world, y, x, z + w),
            conditional(world, y, x, w),
        )
        spread = less[(slice(None), *[slice(None)] * len(x), None)]  # an axis for z, after y and x
        if cut.separated(y, z, x + w):
            assert abs(seen - spread).max() < EXACT
            used[1] += 1
        else:
            assert abs(seen - spread).max() > 1e-12  # a random law is faithful
        if graph.cut(into=x, out_of=z).separated(y, z, x + w):
            assert abs(done - seen).max() < EXACT
            used[2] += 1
        if graph.cut(into=far.union(x)).separated(y, z, x + w):
            assert abs(done - spread).max() < EXACT
            used[3] += 1
    assert min(used.values()) > 50


def test_adjusting_gives_the_effect_exactly_where_the_criterion_says_so() -> None:
    verdicts: Counter[bool] = Counter()
    for seed in range(300):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng)
        y, *rest = rng.permutation(graph.nodes).tolist()
        x, rest = rest[: 1 + seed % 2], rest[1 + seed % 2 :]
        z = rest[: rng.integers(0, len(rest) + 1)]
        seen, prior = conditional(world, (y,), (), (*x, *z)), world.law(z).table if z else 1.0
        adjusted = (seen * prior).sum(tuple(range(1 + len(x), 1 + len(x) + len(z)))) if z else seen
        right = is_adjustment_set(graph, x, y, z)
        assert (abs(adjusted - conditional(world, (y,), tuple(x), ())).max() < EXACT) == right, (
            seed,
            x,
            y,
            z,
        )
        verdicts[right] += 1
    assert min(verdicts.values()) > 40


@pytest.mark.parametrize(
    ("text", "model"),
    [(t, m) for t, m in COUNTABLE.items() if m.horizon == 1 and not m.names("selection")],
)
def test_the_estimand_of_a_world_is_the_truth_by_its_own_engine(text: str, model: World) -> None:
    graph = latent_projection(model.graph)
    found = identify(graph, model.reward, model.action)
    if isinstance(found, Hedge):
        check_hedge(found)
        return
    law = [model.tables.factor(name, first=True) for name in model.order]
    if "NoOverlap" in text:
        with pytest.raises(InputError, match="empty cell"):
            found.evaluate(law)
        return
    answer = found.evaluate(law).table
    for index, act in enumerate(model.tables.support(model.action)):
        assert answer[:, index] == pytest.approx(
            distribution(model.do(**{model.action: act}), model.reward), abs=1e-12
        )
