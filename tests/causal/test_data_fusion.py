"""Effects from several laws: surrogate experiments, other domains, recorded rows."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from graph_worlds import EXACT, conditional, distance, known, random_question, random_world, unknown

from dosuite.causal import ADMG, Array, Estimand, Factor, InputError, identify, parse_graph
from dosuite.causal.graphs import is_adjustment_set
from dosuite.causal.identification import Source, TabularModel, fuse, recover, reweighted


def test_an_effect_from_several_laws_is_the_truth() -> None:
    answered: Counter[str] = Counter()
    for seed in range(400):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng)
        y, x, z = random_question(rng, graph)
        sources, laws = [], {}
        for name in ("P", "Q", "R")[: rng.integers(1, 4)]:
            done = [other for other in graph.nodes if other not in y and rng.random() < 0.5]
            differs = [other for other in graph.nodes if rng.random() < 0.2]
            sources.append(Source(name, done, differs))
            there = TabularModel(
                {
                    **world.tables,
                    **{other: elsewhere(rng, world.tables[other]) for other in differs},
                }
            )
            laws[name] = there.law([other for other in graph.nodes if other not in done], done)
        found = fuse(graph, y, x, sources, z)
        if found is not None:
            assert (
                distance(found.evaluate(laws), conditional(world, found.y, found.x, found.z))
                < EXACT
            ), (seed, str(found))
            answered[
                "told"
                if isinstance(identify(graph, y, x, z), Estimand)
                else "told by several laws alone"
            ] += 1
    assert min(answered.values()) > 15
    assert len(answered) == 2


def elsewhere(rng: np.random.Generator, mechanism: Factor) -> Factor:
    """The mechanism of the same variable in another domain."""
    return Factor(
        mechanism.names,
        rng.dirichlet(np.ones(mechanism.table.shape[-1]), mechanism.table.shape[:-1]),
    )


def test_one_law_of_the_target_tells_what_identification_tells() -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        graph, _ = random_world(rng)
        y, x, z = random_question(rng, graph)
        assert (fuse(graph, y, x, [Source()], z) is not None) == isinstance(
            identify(graph, y, x, z), Estimand
        )
        assert fuse(graph, y, x, [Source("E", x)], z) is not None
        assert fuse(graph, y, x, [Source("E", x, differs=y)]) is None


@pytest.mark.parametrize(
    ("graph", "text"),
    [
        ("z -> x -> y; z <-> x; z <-> y", "E(y | do(z), x), for any z"),
        (
            "w -> z -> x -> y; w -> y; w <-> y; z <-> y; z <-> x",
            "Σ_w E(w | do(z)) E(y | do(z), x, w), for any z",
        ),
        ("z -> x -> y; x <-> y", None),
        ("x -> z -> y; x <-> y; z <-> y", None),
        ("x -> z -> y; x <-> z; x <-> y", None),
    ],
)
def test_surrogate_experiments(graph: str, text: str | None) -> None:
    """Bareinboim and Pearl (2012): what an experiment on z tells of the effect of x."""
    unknown(graph, "y", "x")
    found = fuse(parse_graph(graph), "y", "x", [Source(), Source("E", "z")])
    assert found is None if text is None else str(found) == f"P(y | do(x)) = {text}"


def transport_clinic(shift: dict[str, Array]) -> TabularModel:
    """A treatment that helps where z = 0 and harms where z = 1, and the severity u that decides who
    is treated.
    """
    mean = np.array([[0.50, 0.40], [0.70, 0.15]])[..., None] + np.array([-0.15, 0.15])  # x, z, u
    laws = {
        "u": np.full(2, 0.5),
        "z": np.array([0.8, 0.2]),
        "x": np.array([[0.95, 0.05], [0.05, 0.95]]),
        "y": np.stack([1 - mean, mean], -1),
    }
    axes = {"u": ("u",), "z": ("z",), "x": ("u", "x"), "y": ("x", "z", "u", "y")}
    return TabularModel({name: Factor(axes[name], law) for name, law in (laws | shift).items()})


def test_an_experiment_is_transported_to_another_clinic() -> None:
    source, target = transport_clinic({}), transport_clinic({"z": np.array([0.25, 0.75])})
    graph, laws = (
        parse_graph("z -> y; x -> y; x <-> y"),
        {"P": source.law("zy", "x"), "P*": target.law("zxy")},
    )
    found = fuse(graph, "y", "x", [Source("P", done="x", differs="z"), Source("P*")])
    assert found is not None
    assert str(found) == "P(y | do(x)) = Σ_z P*(z) P(y | do(x), z)"
    assert found.evaluate(laws).table[1] == pytest.approx([0.425, 0.2875], abs=1e-12)
    assert conditional(source, ("y",), ("x",), ())[1] == pytest.approx([0.48, 0.59], abs=1e-12)
    seen = target.law("xy").table
    assert seen[:, 1] / seen.sum(1) == pytest.approx([0.29, 0.4225], abs=1e-12)
    assert fuse(graph, "y", "x", [Source("P", done="x", differs=["z", "y"]), Source("P*")]) is None


def test_a_mediator_that_differs_is_transported_and_an_outcome_is_not() -> None:
    graph = parse_graph("x -> w -> y; x -> y; x <-> y")
    found = fuse(graph, "y", "x", [Source("P", done="x", differs="w"), Source("P*")])
    assert str(found) == "P(y | do(x)) = Σ_w P*(w | x) P(y | do(x), w)"
    effect, w_source, w_target = (
        np.array([[0.20, 0.60], [0.15, 0.65]]),
        np.array([0.2, 0.8]),
        np.array([0.3, 0.15]),
    )
    y, laws = np.stack([1 - effect, effect], -1), []
    for p in (w_source, w_target):
        laws.append(np.einsum("xw,xwy->xwy", np.stack([1 - p, p], -1), y) / 2)
    assert found is not None
    answer = found.evaluate(
        {"P": Factor(tuple("xwy"), laws[0]), "P*": Factor(tuple("xwy"), laws[1])}
    ).table[1]
    assert answer == pytest.approx([0.32, 0.225], abs=1e-12)
    assert fuse(graph, "y", "x", [Source("P", done="x", differs="y"), Source("P*")]) is None


def test_what_selection_hides_is_recovered_only_with_what_is_known_of_it() -> None:
    """The selection gate: who takes the risky arm is recorded if it pays."""
    graph, y = parse_graph("x -> y; x, y -> recorded"), np.array([[0.5, 0.5], [0.7, 0.3]])
    kept = np.array([[0.5, 0.5], [0.05, 0.90]])
    everyone = Factor(("x", "y"), y / 2)
    recorded = everyone.table * kept
    log = Factor(("x", "y"), recorded / recorded.sum())
    found = known("x -> y", "y", "x")
    assert found.evaluate(log).table[1] == pytest.approx([0.5, 0.8852], abs=1e-4)
    assert recover(graph, "y", "x", "recorded") is None
    assert found.evaluate(reweighted(log, Factor(("x", "y"), kept))).table[1] == pytest.approx(
        [0.5, 0.3], abs=1e-12
    )
    twin = (
        log.table / log.table.sum()
    )  # a world in which everyone is recorded has the same log, and another effect
    assert twin[1, 1] / twin[1].sum() == pytest.approx(0.8852, abs=1e-4)
    for wrong, what in (
        (Factor(("x",), np.array([0.0, 1.0])), "never recorded"),
        (Factor(("s",), np.ones(2)), "no 's'"),
    ):
        with pytest.raises(InputError, match=what):
            reweighted(log, wrong)


def test_berkson() -> None:
    prior, kept = np.array([0.9, 0.1]), np.array([[0.01, 0.6], [0.6, 0.8]])
    log = Factor(("a", "b"), np.outer(prior, prior) * kept)
    assert log.table[:, 1] / log.table.sum(1) == pytest.approx([0.8696, 0.1290], abs=1e-4)
    assert reweighted(log, Factor(("a", "b"), kept)).table == pytest.approx(
        np.outer(prior, prior), abs=1e-12
    )


@pytest.mark.parametrize(
    ("graph", "population", "text"),
    [
        ("x -> y; x -> s", (), "P(y | x)"),
        ("x -> y; z -> x, y, s", (), None),
        ("x -> y; z -> x, y, s", "z", "Σ_z P*(z) P(y | x, z)"),
        ("z -> y, s; x -> y, s", "z", "Σ_z P*(z) P(y | x, z)"),
        ("x -> y; x, y -> s", ("x", "y"), "P*(y | x)"),
        ("x -> y; x <-> y; x -> s", (), None),
    ],
)
def test_selection_bias_is_recovered_from_where_it_can_be(
    graph: str, population: str | tuple[str, ...], text: str | None
) -> None:
    found = recover(parse_graph(graph), "y", "x", "s", known=population)
    assert found is None if text is None else str(found) == f"P(y | do(x)) = {text}"


def by_trying_all_sets(graph: ADMG, y: str, x: str, s: str, population: set[str]) -> bool:
    """Whether an adjustment set is known, and separates the outcome from the selection or is known
    together with it.
    """
    others = [name for name in graph.nodes if name not in (x, y, s)]
    rest = graph.sub({*others, x, y})
    for z in (set(z) for size in range(len(others) + 1) for z in combinations(others, size)):
        if is_adjustment_set(rest, x, y, z):
            known_law = z <= population or not z or graph.separated(z, s)
            if known_law and ({x, y, *z} <= population or graph.separated(y, s, {x, *z})):
                return True
    return False


def test_an_effect_is_recovered_by_adjustment_wherever_any_set_will_do() -> None:
    verdicts: Counter[bool] = Counter()
    for seed in range(400):
        rng = np.random.default_rng(seed)
        graph, _ = random_world(rng)
        x, y, *_ = rng.permutation(graph.nodes[:-1]).tolist()
        population = {name for name in graph.nodes[:-1] if rng.random() < 0.5}
        will_do = by_trying_all_sets(graph, y, x, graph.nodes[-1], population)
        assert not will_do or recover(graph, y, x, graph.nodes[-1], known=population) is not None, (
            seed,
            str(graph),
        )
        verdicts[will_do] += 1
    assert min(verdicts.values()) > 50


def test_a_set_is_found_among_more_than_could_be_tried() -> None:
    """Of 60 variables one of each pair must be in the set, and only the nearer ones are known in
    the population.
    """
    pairs = [(f"a{i}", f"b{i}") for i in range(30)]
    graph = parse_graph(
        "; ".join(["x -> y", "x, b0, b1 -> s", *(f"x <- {a} -> {b} -> y" for a, b in pairs)])
    )
    assert recover(graph, "y", "x", "s") is None
    found = recover(graph, "y", "x", "s", known=[b for _, b in pairs])
    assert found is not None
    assert set(found.names) == {"x", "y", *(b for _, b in pairs)}


def test_what_is_recovered_from_the_recorded_rows_is_the_truth() -> None:
    recovered = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        graph, world = random_world(rng)
        names = rng.permutation(graph.nodes).tolist()
        x, y, s = (
            names[0],
            names[1],
            graph.nodes[-1],
        )  # what nothing causes any more can be a selection
        if s in (x, y):
            continue
        population = names[2 : rng.integers(2, 4)]
        population = [name for name in population if name != s]
        found = recover(graph, y, x, s, known=population)
        if found is not None:
            everyone = world.law(graph.nodes).table
            laws = {
                "P": Factor(graph.nodes[:-1], everyone[..., 1] / everyone[..., 1].sum()),
                "P*": Factor(graph.nodes[:-1], everyone.sum(-1)),
            }
            assert distance(found.evaluate(laws), conditional(world, (y,), (x,), ())) < EXACT, (
                seed,
                str(found),
            )
            recovered += 1
    assert recovered > 20


def test_a_selection_that_has_effects_is_not_recovered_from() -> None:
    for text in ("x -> s -> y", "x -> s -> m; m -> y", "x -> s -> y; x <-> y"):
        assert recover(parse_graph(text), "y", "x", "s", known=("x", "y")) is None
