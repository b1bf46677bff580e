"""Graphs with hidden common causes:

text, projection, separation, districts, adjustment sets, pictures; and what libraries say.
"""

from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np
import pytest
from graph_worlds import random_dag
from libraries import library
from matplotlib.patches import FancyArrowPatch

from dosuite.causal import ADMG, InputError, adjustment_sets, latent_projection, parse_graph
from dosuite.causal.graphs import as_text, is_adjustment_set, unroll
from dosuite.causal.graphs.d_separation import MOST_SETS, back_doors
from dosuite.envs import make_model
from dosuite.envs.pictures.graph_drawing import draw_graph

pyagrum, pgmpy = library("pyagrum"), library("pgmpy.base")

M_BIAS = "x -> y; x <-> m; m <-> y"


GRAPHS = [latent_projection(random_dag(seed)) for seed in range(60)]


def questions(names: tuple[str, ...]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Two variables, and a set of others."""
    for a, b in combinations(names, 2):
        rest = [name for name in names if name not in (a, b)]
        for size in range(len(rest) + 1):
            yield from ((a, b, given) for given in combinations(rest, size))


# Text and networkx.


def test_a_graph_is_the_text_it_writes_and_the_networkx_graph_it_becomes() -> None:
    for graph in GRAPHS:
        assert parse_graph(str(graph)) == graph
        assert latent_projection(graph.dag) == graph


def test_names_may_contain_spaces_and_statements_may_be_short() -> None:
    graph = parse_graph(
        "heat of the day -> ice cream, shorts; pay <- shorts <- ice cream\nice cream <-> shorts; "
        "lonely"
    )
    assert graph.nodes == ("heat of the day", "ice cream", "shorts", "pay", "lonely")
    assert graph.directed == {
        ("heat of the day", "ice cream"),
        ("heat of the day", "shorts"),
        ("ice cream", "shorts"),
        ("shorts", "pay"),
    }
    assert graph.bidirected == {("ice cream", "shorts")}
    assert parse_graph("a -> b -> c <-> a") == parse_graph("a -> b; b -> c; c <-> a")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x --> y", "'x --> y' cannot be read"),
        ("x -> ", "'x ->' cannot be read"),
        ("x, , y", "cannot be read"),
        ("x > y", "cannot be read"),
        ("x -> y -> z -> x", "has a cycle, so remove an arrow of it: "),
        ("x <-> x", "joins a variable to itself"),
    ],
)
def test_a_text_that_is_no_graph_is_refused_in_one_line(text: str, what: str) -> None:
    with pytest.raises(InputError, match=what) as error:
        parse_graph(text)
    assert "\n" not in str(error.value)


# Latent projection.


def test_what_separates_in_the_projection_separates_in_the_causal_graph() -> None:
    for seed, graph in enumerate(GRAPHS):
        dag = random_dag(seed)
        for a, b, given in questions(graph.nodes):
            assert graph.separated(a, b, given) == nx.is_d_separator(dag, {a}, {b}, set(given)), (
                seed,
                a,
                b,
                given,
            )


def test_a_latent_of_three_variables_becomes_three_bidirected_edges() -> None:
    dag = nx.DiGraph([("u", "x"), ("u", "y"), ("u", "z")])
    assert latent_projection(dag, hidden="u") == parse_graph("x <-> y; x <-> z; y <-> z")


def test_a_hidden_mediator_passes_its_causes_on() -> None:
    dag = nx.DiGraph([("x", "h"), ("h", "y"), ("h", "k"), ("k", "z")])
    assert latent_projection(dag, hidden=["h", "k"]) == parse_graph("x -> y, z; y <-> z")


def test_the_graph_of_a_model_loses_its_latents_and_keeps_its_roles() -> None:
    graph = latent_projection(make_model("IceCreamShorts-v0").graph)
    assert graph == parse_graph("ice_cream -> shorts, pay; shorts -> pay; ice_cream <-> shorts")
    assert graph.roles == {"ice_cream": "action", "shorts": "logged", "pay": "reward"}
    assert latent_projection(make_model("IceCreamShorts-v0").graph, hidden="shorts") == parse_graph(
        "ice_cream -> pay; ice_cream <-> pay"
    )


def test_an_unrolled_graph_has_a_node_for_every_step() -> None:
    graph = latent_projection(unroll(make_model("ConfoundedRiver-v0").graph, 2))
    assert graph.bidirected == {("cell[1]", "paddle[0]")}
    assert graph.roles["paddle[1]"] == "action"
    trait = latent_projection(unroll(make_model("ConfoundedRiver-MarkovRiver-v0").graph, 3))
    assert ("paddle[0]", "paddle[2]") in trait.bidirected


def test_a_graph_that_cannot_be_projected_is_refused() -> None:
    with pytest.raises(InputError, match=r"cell_tm1 is one step earlier; unroll\(graph, steps\)"):
        latent_projection(make_model("ConfoundedRiver-v0").graph)
    with pytest.raises(
        InputError, match="'haet' is hidden and not a variable of the graph; did you mean 'heat'"
    ):
        latent_projection(make_model("IceCreamShorts-v0").graph, hidden="haet")


# What a graph says.


def test_ancestors_districts_and_pillows_of_a_small_graph() -> None:
    graph = parse_graph("w -> r -> x -> y; w <-> x; w <-> y; lonely")
    assert graph.ancestors(["x"]) == {"w", "r", "x"}
    assert graph.descendants(["r"]) == {"r", "x", "y"}
    assert graph.districts == (frozenset("wxy"), frozenset("r"), frozenset(["lonely"]))
    assert graph.pillow("y") == {"w", "r", "x"}
    assert graph.pillow("r") == {"w"}
    assert graph.cut(into="x", out_of="x") == parse_graph("w -> r; x; y; w <-> y; lonely")


def test_a_variable_is_separated_by_its_pillow_from_the_others_before_it() -> None:
    for graph in GRAPHS:
        for index, name in enumerate(graph.nodes):
            others = set(graph.nodes[:index]) - graph.pillow(name)
            assert not others or graph.separated(name, others, graph.pillow(name))


def test_m_bias_is_opened_by_conditioning_on_the_collider() -> None:
    graph = parse_graph(M_BIAS).cut(out_of="x")
    assert graph.separated("x", "y")
    assert not graph.separated("x", "y", "m")


def test_sets_that_overlap_or_are_not_in_the_graph_are_refused() -> None:
    graph = parse_graph("ice cream -> shorts")
    with pytest.raises(
        InputError, match="'ice craem' is not a variable of the graph; did you mean 'ice cream'"
    ):
        graph.separated("ice craem", "shorts")
    with pytest.raises(InputError, match="'shorts' is named twice"):
        graph.separated("ice cream", "shorts", ["shorts"])


# Adjustment sets.


def test_the_minimal_adjustment_sets_are_those_that_trying_all_sets_finds() -> None:
    for seed in range(60):
        graph = latent_projection(random_dag(seed, most=6))
        *others, x1, x2, y = np.random.default_rng(seed).permutation(graph.nodes).tolist()
        for x in ([x1], [x1, x2]):
            rest = [name for name in (*others, x1, x2) if name not in x]
            valid = [
                set(z)
                for k in range(len(rest) + 1)
                for z in combinations(rest, k)
                if is_adjustment_set(graph, x, y, z)
            ]
            minimal = {frozenset(z) for z in valid if not any(other < z for other in valid)}
            found = list(adjustment_sets(graph, x, y))
            assert len(found) == len(set(found))
            assert set(found) == minimal, (seed, x, y)


def test_two_back_doors_of_two_variables_are_closed_in_four_ways() -> None:
    found = list(
        adjustment_sets(parse_graph("x <- a -> b -> y; x <- c -> d -> y; x -> y"), "x", "y")
    )
    assert found[0] == {"b", "d"}, "the set closest to the outcome comes first"
    assert set(found) == {frozenset(pair) for pair in ("ac", "ad", "bc", "bd")}


def test_what_one_treatment_causes_may_be_adjusted_for_if_only_another_passes_it_on() -> None:
    graph = parse_graph("x1 -> m -> x2 -> y; x1 -> y; a -> m, y")
    assert is_adjustment_set(graph, ["x1", "x2"], "y", ["m", "a"])
    assert not is_adjustment_set(graph, "x1", "y", ["m", "a"])


def test_m_bias_needs_no_adjustment_and_its_collider_is_a_wrong_one() -> None:
    graph = parse_graph(M_BIAS)
    assert list(adjustment_sets(graph, "x", "y")) == [frozenset()]
    assert not is_adjustment_set(graph, "x", "y", "m")


def test_adjustment_sets_are_found_among_the_variables_that_may_be_used() -> None:
    graph = parse_graph("a -> x; a -> b -> y; x -> y; x <-> c; c -> a, b")
    assert list(adjustment_sets(graph, "x", "y")) == [frozenset("b"), frozenset("ac")]
    assert list(adjustment_sets(graph, "x", "y", among=["a", "c"])) == [frozenset("ac")]
    assert not list(adjustment_sets(graph, "x", "y", among="a"))
    assert not list(adjustment_sets(parse_graph("x -> y; x <-> y"), "x", "y"))


def test_back_door_sets_are_those_that_trying_all_sets_finds() -> None:
    sizes: Counter[int] = Counter()
    for seed in range(240):
        dag = random_dag(seed, most=6)
        names = [name for name in dag if name.startswith("v")]
        x, y, *rest = np.random.default_rng(seed).permutation(names).tolist()
        given, among = rest[: seed % 2], rest[seed % 2 :]
        blocked, caused = dag.copy(), nx.descendants(dag, x)
        blocked.remove_edges_from(list(dag.out_edges(x)))
        valid: list[tuple[str, ...]] = []
        for z in (z for size in range(len(among) + 1) for z in combinations(among, size)):
            if caused.isdisjoint([*given, *z]) and not any(set(other) <= set(z) for other in valid):
                valid += [z] if nx.is_d_separator(blocked, {x}, {y}, {*given, *z}) else []
        assert back_doors(dag, x, [y], given, among) == valid, (seed, x, y)
        sizes.update(map(len, valid))
    assert min(sizes[size] for size in range(3)) > 2


def test_back_door_sets_that_are_too_many_are_cut_off() -> None:
    names = [(f"a{i}", f"b{i}") for i in range(12)]
    dag = nx.DiGraph(
        [edge for a, b in names for edge in ((a, "x"), (a, b), (b, "y"))] + [("x", "y")]
    )
    assert (
        len(back_doors(dag, "x", ["y"], (), [name for pair in names for name in pair])) == MOST_SETS
    )


# Independent libraries.


def bayes_net(dag: "nx.DiGraph[str]") -> Any:
    net = pyagrum.BayesNet()
    for name in dag:
        net.add(pyagrum.LabelizedVariable(name, name, 2))
    for cause, effect in dag.edges:
        net.addArc(cause, effect)
    return net


def test_separation_agrees_with_pyagrum() -> None:
    for seed, graph in enumerate(GRAPHS):
        net = bayes_net(random_dag(seed))
        for a, b, given in questions(graph.nodes):
            assert graph.separated(a, b, given) == net.isIndependent(a, b, given), (
                seed,
                a,
                b,
                given,
            )


def test_separation_agrees_with_pgmpy() -> None:
    for seed, graph in enumerate(GRAPHS[:20]):
        dag = pgmpy.DAG(random_dag(seed).edges)
        dag.add_nodes_from(graph.nodes)
        for a, b, given in questions(graph.nodes):
            assert graph.separated(a, b, given) != dag.is_dconnected(a, b, list(given)), (
                seed,
                a,
                b,
                given,
            )


def test_adjustment_agrees_with_pgmpy_but_for_what_the_treatment_causes() -> None:
    inference = library("pgmpy.inference").CausalInference
    for graph in GRAPHS[:20]:
        dag = pgmpy.DAG(graph.dag.edges, latents=set(graph.dag) - set(graph.nodes))
        dag.add_nodes_from(graph.nodes)
        for x, y, z in questions(graph.nodes):
            if not graph.descendants([x]).intersection(z):
                assert is_adjustment_set(graph, x, y, z) == inference(dag).is_valid_adjustment_set(
                    [x], [y], list(z)
                ), (str(graph), x, y, z)
    chain = pgmpy.DAG(
        [("x", "m"), ("m", "y")]
    )  # adjusting for the mediator of a chain gives an effect of zero
    assert inference(chain).is_valid_adjustment_set(["x"], ["y"], ["m"])
    assert not is_adjustment_set(parse_graph("x -> m -> y"), "x", "y", "m")


# Pictures.


@pytest.mark.parametrize("form", ["png", "svg"])
def test_a_graph_is_drawn_with_an_arc_for_each_hidden_common_cause(form: str) -> None:
    graph = latent_projection(make_model("IceCreamShorts-v0").graph)
    figure = draw_graph(graph)
    texts = figure.axes[0].texts
    assert {"ice_cream", "shorts", "pay", "action", "reward"} <= {text.get_text() for text in texts}
    arrows = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == len(graph.directed) + len(graph.bidirected)
    assert [arrow.get_linestyle() for arrow in arrows].count("--") == len(graph.bidirected)
    figure.savefig(BytesIO(), format=form)


def test_a_graph_is_text_with_a_line_for_each_hidden_common_cause() -> None:
    graph = latent_projection(make_model("IceCreamShorts-v0").graph)
    assert as_text(graph.dag).splitlines() == [
        "   latent  ice_cream <-> shorts",
        "   action  ice_cream -> shorts, pay",
        "   logged  shorts -> pay",
        "   reward  pay",
    ]


def test_a_graph_without_variables_is_still_drawn() -> None:
    draw_graph(ADMG((), frozenset(), frozenset())).savefig(BytesIO())
