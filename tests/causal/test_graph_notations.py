"""`parse_graph` reads DOT and DAGitty, keeps hidden what is hidden there, and refuses the rest."""

import numpy as np
import pytest

from dosuite.causal import ADMG, Hedge, InputError, identify, parse_graph
from dosuite.causal.graphs.admg import checked

GML = """graph [
  directed 1
  node [ id 0 label "x" ]
  node [ id 1 label "y" ]
  node [ id 2 label "u" observed "no" ]
  edge [ source 0 target 1 ]
  edge [ source 2 target 0 ]
  edge [ source 2 target 1 ]
]"""


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("digraph { U -> x; U -> y; x -> y }", "U -> x, y; x -> y"),
        ("digraph { U [latent]; U -> x; U -> y; x -> y }", "x <-> y; x -> y"),
        ('digraph G {\nU [observed="no", label="a, b"]\nU -> x -> y\nU -> y\n}', "x <-> y; x -> y"),
        ("digraph { U [latent=true] V [latent=false] U -> {x y} V -> x }", "V -> x; x <-> y"),
        ("strict digraph { a, b -> c; // why\n/* {-- */\n# no\n c -> d }", "a, b -> c -> d"),
        ('digraph { rankdir=LR; node [shape=box]; "ice cream" -> y }', "ice cream -> y"),
        ("digraph { x -> y [dir=both, style=dashed]; a -> b [dir=back] }", "x <-> y; b -> a"),
        ("dag { x [exposure]\n y [outcome]\n x <-> y\n x -> y <- z }", "x -> y; x <-> y; z -> y"),
        (
            'dag {\nbb="0,0,1,1"\nU [latent,pos="0.3,-0.1"]\nx [exposure,pos="1,2"]\nU -> x\n'
            "U -> y\nx -> y [beta=0.5]\n}",
            "x <-> y; x -> y",
        ),
        ('digraph "my graph" { x -> y }', "x -> y"),
        ("digraph { graph [rankdir=LR]; subgraph c { rank=same; x; y }; x:n -> y }", "x -> y"),
        ("digraph { a -> subgraph { b -> c } }", "a -> b, c; b -> c"),
        ("digraph { U [latent, style=dashed]; U -> {x y} }", "x <-> y"),
        ('digraph { "x\\\n1" -> y }', "x1 -> y"),
        ("\ufeffx -> y", "x -> y"),
        ('o -> x; x, "o 2"', 'x, "o 2"; o -> x'),
        ("dag{x[8]->y[9]}", "x[8] -> y[9]"),
        ("# a comment\nx -> y", "x -> y"),
        ("u -> x, y; u [latent]; x -> y", "x <-> y; x -> y"),
        ('"ice cream"; ice cream -> y', "ice cream -> y"),
        (GML, "x -> y; x <-> y"),
        ('Creator "me"\n' + GML.replace("\n", " "), "x -> y; x <-> y"),
    ],
)
def test_other_notations_are_read(text: str, same: str) -> None:
    assert parse_graph(text) == parse_graph(same)


def test_a_graph_in_dot_is_confounded_as_it_says() -> None:
    dot = "digraph { U -> x; U -> y; x -> y }"
    assert identify(parse_graph(dot), "y", "x") == identify(
        parse_graph("U -> x; U -> y; x -> y"), "y", "x"
    )
    hidden = parse_graph("digraph { U [latent]; U -> x; U -> y; x -> y }")
    assert "not identified" in str(identify(hidden, "y", "x"))


def test_a_selected_node_is_a_selection() -> None:
    with pytest.raises(InputError, match="only rows with s = 1 are in the log"):
        identify(parse_graph("dag { x -> y -> s\n s [selected] }"), "y", "x")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("digraph {\nx -> y\nx -- z\n}", "line 3, 'x -- z'"),
        ("graph { x -- y }", "line 1, "),
        ("pag { x @-> y }", "line 1, "),
        ("digraph { x -> y", "lacks a closing brace"),
        ("digraph { x -> y } z", "after the end"),
        ("digraph { x [wobbly] }", "'wobbly' is an attribute"),
        ("digraph { x [style=dashed] }", "x is dashed; write latent=true"),
        ('digraph { x [style="filled,dashed"] }', "x is dashed; write latent=true"),
        ('digraph {\nx [label="U (unobserved)"] }', r"line 2, .*has the label 'U \(unobserved\)'"),
        ('digraph { x -> y [style="bold,dashed"] }', "write <->"),
        ("digraph { x -> y [style=invis] }", "is invis"),
        ("digraph { edge [style=dashed]; x -> y }", "default with a meaning"),
        ("digraph { subgraph x }", "lacks|was expected|needs its nodes"),
        ("digraph { a -> " + "{" * 60 + "}" * 60 + " }", "deeper than 50"),
        ("x\u200b -> y", "cannot be read"),
        ("cafe\u0301 -> y; caf\u00e9 -> z", "look the same"),
        ("digraph { x -> y [style=dashed] }", "write <->"),
        ("digraph { x -> y [dir=none] }", "dir=none"),
        ("digraph { node [latent]; x -> y }", "default with a meaning"),
        ("dag { x:n -> y }", "':' is not understood"),
        ("digraph { ice-cream -> y }", "'-' is not understood"),
        ("digraph { x -> }", "'}' is not understood"),
        ("x -> {y z}", "cannot be read"),
        ("x [wobbly]; x -> y", r"'x \[wobbly\]' cannot be read"),
        ("x -- y", "'x -- y' cannot be read"),
        ("x o-> y", "cannot be read"),
        ("x o-o y", "cannot be read"),
        ("x <-o y", "cannot be read"),
        ("y ~ x", "cannot be read"),
        ("x => y", "cannot be read"),
        ("x → y", "cannot be read"),
        ("x -> y # why", "cannot be read"),
        ('x -> "y', "cannot be read"),
        ("graph [ directed 1\nnode [ id 0 label { ] ]", r"GML cannot be read.*\(2, "),
        ('graph [\nnode [ id 0 label "x" ] ]', "undirected"),
        ("a b", "double quotes"),
        ("a, b c", "double quotes"),
        ("u -> a b; b -> c", "'u -> a b' may mean"),
        ("a -> b | c", "cannot be read"),
        ("(a, b) -> c", "cannot be read"),
        ("(a b) -> c", "cannot be read"),
        ("a - b", "cannot be read"),
        ("a -> b.", "cannot be read"),
        ("a ⇒ b", "cannot be read"),
        ("  action  x -> y", "double quotes|cannot be read"),
        ("a: -> b", "cannot be read"),
        ("dag { u [latent=maybe] u -> x }", "line 1, .*latent='maybe' is neither yes nor no"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(text: str, line: str) -> None:
    with pytest.raises(InputError, match=line):
        parse_graph(text)


def test_what_a_graph_prints_is_read_back() -> None:
    rng = np.random.default_rng(0)
    signs = [*"xyo ->(.:,;<[]{}\"\\\n=#/'8-|~é", "digraph {", " <-> ", "[1]", "//", "\\n"]
    for _ in range(500):
        names = []
        for _ in range(rng.integers(1, 7)):
            name = "".join(rng.choice(signs, rng.integers(0, 5)))
            names += [name] if name not in names else []
        graph = random_graph(names, rng)
        assert parse_graph(str(graph)) == graph, str(graph)


def random_graph(names: list[str], rng: np.random.Generator) -> ADMG:
    directed, bidirected = set(), set()
    for i, cause in enumerate(names):
        for effect in names[i + 1 :]:
            if rng.random() < 0.4:
                directed.add((cause, effect))
            if rng.random() < 0.2:
                bidirected.add((cause, effect))
    return checked(tuple(names), directed, bidirected, {})


def test_what_a_selected_graph_prints_is_still_selected() -> None:
    graph = parse_graph('x -> y -> in hospital; "in hospital" [selected]')
    assert parse_graph(str(graph)) == graph
    with pytest.raises(InputError, match="only rows with in hospital = 1"):
        identify(parse_graph(str(graph)), "y", "x")


def test_the_forests_of_a_hedge_are_read_back() -> None:
    rng = np.random.default_rng(1)
    hedges = 0
    for _ in range(200):
        graph = random_graph(["x", "ice cream", "a;b", "cream", 'y"'], rng)
        answer = identify(graph, 'y"', "x")
        if isinstance(answer, Hedge):
            hedges += 1
            _, outer, inner, *_ = str(answer).splitlines()
            assert parse_graph(outer.removeprefix("  F  = {")[:-1]) == answer.outer
            assert parse_graph(inner.removeprefix("  F' = {")[:-1]) == answer.inner
    assert hedges > 20
