"""Discrete models as Bayesian networks of pgmpy and of pyAgrum, and pgmpy's ALARM as a model.

Only the first step of a model is translated.
"""

import gzip
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any, cast

import numpy as np

from dosuite.causal import Array, World
from dosuite.causal.model.lookups import Lookup


def in_pgmpy(model: World, cut: str = "") -> Any:
    """The network in pgmpy, in which the variable `cut` has no causes and is uniform.

    Raises ImportError without pgmpy.
    """
    pgmpy = import_pgmpy()
    network = pgmpy.models.DiscreteBayesianNetwork()
    network.add_nodes_from(model.order)
    for name in model.order:
        causes, table = _law(model, name, cut)
        network.add_edges_from((cause, name) for cause in causes)
        size = table.shape[-1]
        network.add_cpds(
            pgmpy.factors.discrete.TabularCPD(
                name, size, table.reshape(-1, size).T, causes, table.shape[:-1]
            )
        )
    return network


def in_pyagrum(model: World, cut: str = "") -> Any:
    """The network in pyAgrum, in which the variable `cut` has no causes and is uniform.

    Raises ImportError without pyAgrum.
    """
    pyagrum = import_pyagrum()
    network = pyagrum.BayesNet()
    laws = {name: _law(model, name, cut) for name in model.order}
    for name, (_, table) in laws.items():
        network.add(pyagrum.LabelizedVariable(name, name, table.shape[-1]))
    for name, (causes, table) in laws.items():
        for cause in causes:
            network.addArc(cause, name)
        # pyAgrum's arrays have their axes in reverse order
        axes = (*causes, name)
        order = [axes.index(other) for other in reversed(network.cpt(name).names)]
        network.cpt(name)[:] = np.ascontiguousarray(np.transpose(table, order))
    return network


def import_pgmpy() -> Any:
    """pgmpy with its submodules. Its own warnings on import are silenced."""
    with _quiet():
        import pgmpy.inference
        import pgmpy.readwrite
    return pgmpy


def import_pyagrum() -> Any:
    """pyAgrum with its causality submodule, whose import fails where warnings are errors."""
    with _quiet():
        import pyagrum.causal
    return pyagrum


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _law(model: World, name: str, cut: str) -> tuple[tuple[str, ...], Array]:
    """The causes of a variable, and its distribution with axes (causes, name)."""
    names, table = model.tables.factor(name, first=True)
    if name == cut:
        size = table.shape[-1]
        return (), np.full(size, 1.0 / size)
    return names[:-1], table


@dataclass(frozen=True)
class Node(Lookup):
    """A variable whose mechanism is a table."""

    role: str


def alarm(action: str, reward: str) -> World:
    """ALARM (Beinlich et al., 1989), 37 variables, as pgmpy ships it, with numbered states.

    Raises ImportError without pgmpy.
    """
    reader = import_pgmpy().readwrite.BIFReader
    file = resources.files("pgmpy") / "utils" / "example_models" / "alarm.bif.gz"
    network = reader(string=gzip.decompress(file.read_bytes()).decode()).get_model()
    sizes = {name: network.get_cardinality(name) for name in network.nodes()}
    roles = {action: "action", reward: "reward"}
    nodes = {
        cpd.variable: _node(cpd, sizes, roles.get(cpd.variable, "latent"))
        for cpd in network.get_cpds()
    }
    return cast(World, type("Alarm", (World,), {"__module__": __name__, **nodes})())


def _node(cpd: Any, sizes: dict[str, int], role: str) -> Node:
    """A conditional distribution of pgmpy as a variable; its rounded numbers are normalised."""
    causes = tuple(cpd.variables[1:])
    table = cpd.get_values().T
    table = table / table.sum(1, keepdims=True)
    supports = tuple(tuple(range(sizes[cause])) for cause in causes)
    rows = tuple(tuple(row) for row in table.tolist())
    return Node(causes, supports, rows, tuple(range(table.shape[1])), role)
