"""Malformed texts: graphs, agents and worlds with settings, and classes of users' worlds."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from malformed_mutations import Case, Maker, Rng, mutated_text

from dosuite.agents import make_agent
from dosuite.causal import ADMG, expectation, parse_graph
from dosuite.envs import make_model, members, world_text

GRAPHS = (
    "heat -> ice cream, shorts; ice cream <-> shorts",
    "x -> y; y -> z\nx <-> z\n# a comment\nw",
    '"a -> b" -> c; "say ""no" <-> d'.replace('""', '\\"'),
    "a, b -> c, d <-> e; f <- g; x[0] -> x[1] -> x[2]",
    "digraph { U -> x; U -> y; x -> y; U [latent] }",
    'strict digraph "my graph" {\n rankdir=LR;\n node [shape=circle];\n'
    ' x [label="the x"]; x -> {y z} [color=red];\n y -> z [dir=both]; u [observed=no]; u -> x }',
    'dag {\nbb="0,0,1,1"\nx [exposure,pos="0.1,-2"]\ny [outcome]\nx -> y\nx <-> z\nu [latent]\n'
    "u -> {x y}\n}",
)
AGENTS = (
    "dqn:hidden=16,updates=200",
    "bc",
    "naive",
    "iql:tau=0.9",
    "fqi:iterations=3,rate=0.01",
    "back-door",
    "decision-transformer:updates=10,context=3",
    "ppo:rollout=64,entropy=0.01",
)
CLASS = """
import numpy as np
from dosuite.causal import *

class Mine(World):
    '''A world.'''
    strength: float = 0.5
    version = 0

    @latent
    def u(self):
        return {u}

    @context
    def z(self, u):
        return {z}

    @action
    def x(self, z, u):
        return {x}

    @reward
    def y(self, x, z, u):
        return {y}
"""
GOOD = {
    "u": "Bernoulli(self.strength)",
    "z": "Bernoulli(0.2 + 0.5 * u)",
    "x": "Bernoulli(np.where(u == 1, 0.8, 0.3))",
    "y": "Bernoulli(0.1 + 0.3 * x + 0.4 * u)",
}
BAD = (
    "Bernoulli(1.5)",
    "Bernoulli(np.nan)",
    "Bernoulli(-0.1 * {a})",
    "Bernoulli(0.5 if {a} > 0 else 0.1)",
    "Bernoulli(np.full(7, 0.5))",
    "Bernoulli(np.full((2, 2), 0.5))",
    "Bernoulli('0.5')",
    "Bernoulli(0.5 + 0j)",
    "Bernoulli(None)",
    "Bernoulli([0.5, [0.5]])",
    "Categorical([0.5, 0.6])",
    "Categorical([0.5, np.nan, 0.5])",
    "Categorical([])",
    "Categorical([[0.5, 0.5]] * 3)",
    "Categorical([1.2, -0.2])",
    "Categorical(0.5)",
    "Categorical([0.2, 0.8])",
    "Normal(0, -1)",
    "Normal(np.inf, 1)",
    "Normal(0, np.nan)",
    "Normal({a}, 1)",
    "Uniform(1, 0)",
    "Uniform(0, np.inf)",
    "Uniform(0, 1)",
    "Exactly(np.nan)",
    "Exactly(np.inf * {a})",
    "Exactly('a')",
    "Exactly({a} / 0)",
    "Exactly({a} ** 400.5)",
    "Exactly({a} * 10 ** 400)",
    "Exactly(2 ** 62 * {a} * 8)",
    "Exactly({a}.astype(str))",
    "Exactly({a} + 0.5)",
    "Exactly([1, 2, 3])",
    "Exactly(np.zeros((0,)))",
    "Exactly(object())",
    "Exactly({a} * 1j)",
    "0.5",
    "None",
    "{a}",
    "'Bernoulli'",
    "Bernoulli",
    "1 / 0",
    "(lambda: (yield))()",
    "{a}.undefined",
    "[][1]",
    "undefined",
    "Exactly({a}.__iadd__(1))",
    "Bernoulli(np.random.random())",
    "Bernoulli(np.random.random(np.shape({a})))",
    "Bernoulli(np.mean({a}))",
    "Bernoulli(np.sort({a}) * 0.5)",
    "Bernoulli({a}[0] * 0.5)",
    "Bernoulli(len({a}) / 100)",
    "exec('raise SystemExit(1)')",
    "exec('raise KeyError(chr(10))')",
    "exec('raise RecursionError')",
    "exec('import missing_module')",
    "super().z()",
    "self.u(1, 2)",
    "Categorical(np.full(100_000, 1e-5))",
    "Bernoulli(np.float16(0.3))",
    "Bernoulli(np.array([True]))",
    "Bernoulli(np.ma.masked)",
)


VALUES = (
    *("0", "1", "-1", "0.5", "-0.5", "1.0", "2", "7", "nan", "inf", "-inf", "1e999", "1e-320", ""),
    *(
        "1e3",
        "100",
        "1" + "0" * 30,
        "9" * 5000,
        "0x10",
        "1_0",
        "٣",
        " 1 ",
        "1,",
        "1=1",
        "true",
        "True",
    ),
    *(
        "None",
        "[1]",
        "1+1",
        "1j",
        "é",
        "\0",
        "\ud800",
        "1;2",
        "a=b,c=d",
        "0.1.2",
        "--1",
        "+1",
        "1e",
        ".",
    ),
)


def graphs(folder: Path) -> Maker:
    """Graphs in the package's notation, in DOT and in DAGitty's."""

    def make(rng: Rng) -> Case:
        chosen, other = (GRAPHS[number] for number in rng.integers(len(GRAPHS), size=2))
        text = mutated_text(rng, chosen, other)

        def run() -> str:
            graph = parse_graph(text)
            if graph == parse_graph(chosen):
                return "equal"
            return fault_of_graph(text, graph) or "other"

        return Case(text.encode(errors="surrogatepass"), run)

    return make


def fault_of_graph(text: str, graph: ADMG) -> str:
    """Why a graph is not what a text says, as far as that can be told without its reader.

    What it prints is read as the same graph, its names are in the text, and in a text of the
    package's own notation without quotes each statement is one split at its arrows."""
    if parse_graph(str(graph)) != graph:
        return "the printed graph is read as another"
    plain = text.replace('\\"', '"').replace("\\\\", "\\").replace("\\n", "\n")
    unescaped = text.replace("\\", "")
    for name in graph.nodes:
        bare = name.replace("\\", "")
        stem = re.sub(r"\[\d+\]$", "", name)
        if name not in plain and bare not in unescaped and stem not in text:
            return f"{name!r} is not in the text"
    if (graph.directed or graph.bidirected) and not re.search("<-|->", text):
        return "an edge is not in the text"
    if '"' in text or "{" in text or "[" in text:
        return ""
    directed, bidirected = _edges(text)
    if directed != set(graph.directed) or bidirected != set(graph.bidirected):
        return "the edges are not those of the text"
    return ""


def _edges(text: str) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The edges of a text in the package's own notation without quotes."""
    directed, bidirected = set(), set()
    lines = [line for line in text.split("\n") if not line.strip(" \t").startswith(("#", "//"))]
    for statement in ";".join(lines).split(";"):
        spaced = statement.replace("<->", "\0B\0").replace("->", "\0R\0").replace("<-", "\0L\0")
        groups = spaced.split("\0")
        for place in range(1, len(groups), 2):
            for left in groups[place - 1].split(","):
                for right in groups[place + 1].split(","):
                    one, two = left.strip(), right.strip()
                    if groups[place] == "B":
                        bidirected.add((min(one, two), max(one, two)))
                    else:
                        directed.add((one, two) if groups[place] == "R" else (two, one))
    return directed, bidirected


def mutated_settings(rng: Rng, text: str, other: str) -> str:
    """A text with settings, mutated anywhere, or in one value only."""
    start = text.rfind("=") + 1
    if not start or rng.random() < 0.4:
        return mutated_text(rng, text, other)
    if rng.random() < 0.3:
        return text[:start] + mutated_text(rng, text[start:], other)
    return text[:start] + VALUES[rng.integers(len(VALUES))]


def agents(folder: Path) -> Maker:
    """Names of agents with settings."""

    def make(rng: Rng) -> Case:
        chosen, other = (AGENTS[number] for number in rng.integers(len(AGENTS), size=2))
        text = mutated_settings(rng, chosen, other)

        def run() -> str:
            agent = make_agent(text)
            if agent == make_agent(chosen):
                return "equal"
            return fault_of_settings(text, agent, agent.name) or "other"

        return Case(text.encode(errors="surrogatepass"), run)

    return make


def worlds(folder: Path) -> Maker:
    """Ids of worlds with knobs."""
    known = [text for text, _ in members()]

    def make(rng: Rng) -> Case:
        chosen, other = (known[number] for number in rng.integers(len(known), size=2))
        knobs = ("confounding=0.5", "horizon=3", "discount=0.9", "burn_in=1", "observe_intent=true")
        if ":" not in chosen:
            chosen += ":" + knobs[rng.integers(len(knobs))]
        text = mutated_settings(rng, chosen, other)

        def run() -> str:
            model = make_model(text)
            if make_model(world_text(model)) != model:
                return "the text of the world makes another"
            fault = fault_of_settings(text, model, "")
            return fault or ("equal" if text == chosen else "other")

        return Case(text.encode(errors="surrogatepass"), run)

    return make


def fault_of_settings(text: str, made: Any, name: str) -> str:
    """Why an object has not the settings of its text: each is its field, and a number finite."""
    written, _, tail = text.partition(":")
    if name and written != name:
        return f"{name} was made"
    pairs = [part.partition("=")[::2] for part in tail.split(",")] if tail else []
    settings = {key.strip(): value.strip() for key, value in pairs}
    if len(settings) < len(pairs):
        return "a setting is written twice"
    for field in fields(made):
        value = getattr(made, field.name)
        if isinstance(value, float) and not np.isfinite(value):
            return f"{field.name} is {value}"
        if field.name in settings:
            wanted = settings.pop(field.name)
            if isinstance(value, bool | str):
                is_same = str(value).lower() == wanted.lower()
            else:
                is_same = float(wanted) == value
            if not is_same:
                return f"{field.name} is {value!r}"
    return f"{sorted(settings)} have no effect" if settings else ""


def classes(folder: Path) -> Maker:
    """Files with a class of a world, one or two of whose mechanisms are wrong."""
    file = folder / "mine.py"

    def make(rng: Rng) -> Case:
        bodies = dict(GOOD)
        for name in rng.choice(list(GOOD), size=1 if rng.random() < 0.8 else 2, replace=False):
            cause = {"u": "self.strength", "z": "u", "x": "z", "y": "x"}[name]
            bodies[name] = BAD[rng.integers(len(BAD))].replace("{a}", cause)
        source = CLASS.format(**bodies)
        if rng.random() < 0.2:
            source = mutated_text(rng, source, CLASS)

        def run() -> str:
            file.write_text(source, encoding="utf-8", errors="surrogatepass")
            model = make_model(f"{file}:Mine")
            return fault_of_model(model) or "other"

        return Case(source.encode(errors="surrogatepass"), run, ".py")

    return make


def fault_of_model(model: Any) -> str:
    """Why the exact mean of a model's reward is not that of its samples, within 6 errors."""
    exact = float(expectation(model, model.reward))
    sample = np.asarray(model.sample(20_000, 0)[model.reward], float)
    if not (np.isfinite(exact) and np.isfinite(sample).all()):
        return f"the mean is {exact}"
    error = sample.std() / np.sqrt(len(sample)) + 1e-9
    if abs(exact - sample.mean()) > 6 * error:
        return f"the mean is {exact}, and {sample.mean()} in samples"
    return ""
