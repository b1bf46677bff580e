"""Random graphs with a model of each, questions about them, and what is known of some."""

from itertools import combinations

import networkx as nx
import numpy as np

from dosuite.causal import (
    ADMG,
    Array,
    Estimand,
    Factor,
    Hedge,
    identify,
    latent_projection,
    parse_graph,
)
from dosuite.causal.identification import TabularModel

EXACT = 1e-9

FRONT_DOOR = "x -> z -> y; x <-> y"
NAPKIN = "w -> r -> x -> y; w <-> x; w <-> y"
M_BIAS = "x -> y; x <-> m; m <-> y"


def random_world(rng: np.random.Generator, holes: float = 0.0) -> tuple[ADMG, TabularModel]:
    """A model of 3 to 6 variables of 2 or 3 values, with latents of 2 to 4 values that confound two
    or three of them.

    A share `holes` of the probabilities in its mechanisms is zero.
    """
    names = [f"v{i}" for i in range(rng.integers(3, 7))]
    density = rng.uniform(0.2, 0.7)
    dag: nx.DiGraph[str] = nx.DiGraph()
    dag.add_nodes_from(names, role="logged")
    dag.add_edges_from(
        (a, b) for i, a in enumerate(names) for b in names[i + 1 :] if rng.random() < density
    )
    for i in range(rng.integers(0, len(names) + 1)):
        dag.add_node(f"u{i}", role="latent")
        dag.add_edges_from(
            (f"u{i}", name)
            for name in rng.choice(names, size=rng.choice([2, 2, 2, 3]), replace=False).tolist()
        )
    sizes = {
        name: int(rng.choice([2, 2, 2, 3]) if name in names else rng.integers(2, 5)) for name in dag
    }
    mechanisms = {}
    for name in dag:
        causes = tuple(dag.predecessors(name))
        law = rng.dirichlet(np.ones(sizes[name]), tuple(sizes[cause] for cause in causes))
        possible = rng.random(law.shape) >= holes
        possible[..., 0] |= ~possible.any(-1)
        mechanisms[name] = Factor(
            (*causes, name), law * possible / (law * possible).sum(-1, keepdims=True)
        )
    return latent_projection(dag), TabularModel(mechanisms)


def random_question(
    rng: np.random.Generator, graph: ADMG
) -> tuple[list[str], list[str], list[str]]:
    """One or two outcomes, one or two treatments, and up to two conditions."""
    names = rng.permutation(graph.nodes).tolist()
    outcomes, treatments = (int(rng.choice([1, 1, 2])) if len(names) > 3 else 1 for _ in range(2))
    both = outcomes + treatments
    return names[:outcomes], names[outcomes:both], names[both : both + rng.choice([0, 1, 1, 2])]


def conditional(
    world: TabularModel, y: tuple[str, ...], x: tuple[str, ...], z: tuple[str, ...]
) -> Array:
    """The truth P(y | do(x), z), axes y, x, z; NaN where z cannot be seen."""
    joint = world.law((*y, *z), x).table
    joint = np.moveaxis(joint, range(len(y), len(y) + len(z)), range(-len(z), 0)) if z else joint
    whole = joint.sum(tuple(range(len(y))), keepdims=True)
    return np.where(whole > 0, joint / np.where(whole > 0, whole, 1.0), np.nan)


def distance(one: Factor, other: Array) -> float:
    assert one.table.shape == other.shape
    return float(abs(one.table - other).max())


def without_shortcut(estimand: Estimand) -> Estimand:
    """What the algorithm alone gives."""
    return Estimand(
        estimand.y, estimand.x, estimand.z, estimand.longer, estimand.longer, estimand.order
    )


def known(graph: str, y: str | list[str], x: str | list[str], z: str | list[str] = ()) -> Estimand:  # type: ignore[assignment]
    found = identify(parse_graph(graph), y, x, z)
    assert isinstance(found, Estimand), found
    return found


def unknown(graph: str, y: str | list[str], x: str | list[str], z: str | list[str] = ()) -> Hedge:  # type: ignore[assignment]
    found = identify(parse_graph(graph), y, x, z)
    assert isinstance(found, Hedge), found
    return found


def binary_world(rng: np.random.Generator, graph: ADMG) -> TabularModel:
    """A random model of a graph, everything in it 0 or 1."""
    causes = {name: (*graph.dag.predecessors(name), name) for name in graph.dag}
    return TabularModel(
        {
            name: Factor(axes, rng.dirichlet(np.ones(2), (2,) * (len(axes) - 1)))
            for name, axes in causes.items()
        }
    )


def napkin(rng: np.random.Generator | None = None) -> TabularModel:
    """The napkin clinic: nothing that is compared, adjusted or not, is the effect."""
    coin, lean = np.full(2, 0.5), np.array([[0.9, 0.1], [0.1, 0.9]])
    xor = np.stack([lean, lean[::-1]])  # P(bit | a, b), mostly a xor b
    effect = np.array([[0.75, 0.10], [0.95, 0.35]])
    return TabularModel(
        {
            "u": Factor(("u",), coin),
            "v": Factor(("v",), coin),
            "w": Factor(("u", "v", "w"), xor),
            "r": Factor(("w", "r"), np.array([[0.95, 0.05], [0.05, 0.95]])),
            "x": Factor(
                ("r", "u", "x"),
                np.array([[[0.95, 0.05], [0.05, 0.95]], [[0.05, 0.95], [0.95, 0.05]]]),
            ),
            "y": Factor(("x", "v", "y"), np.stack([1 - effect, effect], -1)),
        }
    )


def random_dag(seed: int, most: int = 5) -> "nx.DiGraph[str]":
    """3 to `most` logged variables, and latents with two or three effects each, some of them caused
    by others.
    """
    rng = np.random.default_rng(seed)
    names = [f"v{i}" for i in range(rng.integers(3, most + 1))]
    dag: nx.DiGraph[str] = nx.DiGraph()
    dag.add_nodes_from(names, role="logged")
    dag.add_edges_from(pair for pair in combinations(names, 2) if rng.random() < 0.4)
    for i in range(rng.integers(0, 4)):
        effects = rng.choice(names, size=rng.integers(2, 4), replace=False).tolist()
        dag.add_node(f"u{i}", role="latent")
        dag.add_edges_from((f"u{i}", name) for name in effects)
        dag.add_edges_from([(f"u{i - 1}", f"u{i}")] if i and rng.random() < 0.3 else [])
    return dag
