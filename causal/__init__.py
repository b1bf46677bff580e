"""Structural causal models, and exact answers about them.

The rooms, each of which imports only from those before it:

- `graphs`: causal graphs, d-separation, latent projection, adjustment sets;
- `model`: variables, mechanisms, distributions, noise, sampling, conditional probability tables;
- `exact`: distributions, values, policies and counterfactuals, without sampling;
- `identification`: whether the graph and the data determine an effect, the formula, the estimate;
- `partial_identification`: sharp bounds where they do not;
- `world`: models that are tasks of the benchmark, their counterparts, certificates and floors.

The names below are the ones that most programs need; the rooms export the others."""

from importlib.metadata import version

from .arrays import Array
from .errors import InputError, NotDiscreteError, TooLargeError
from .exact import (
    behaviour_policy,
    counterfactual,
    distribution,
    effect,
    expectation,
    uniform_policy,
    value,
    values,
)
from .graphs import ADMG, LAG, adjustment_sets, latent_projection, parse_graph
from .identification import Estimand, Hedge, identify
from .model import (
    INTENT,
    SCM,
    Bernoulli,
    Categorical,
    Columns,
    Distribution,
    Exactly,
    Factor,
    Normal,
    Uniform,
    action,
    context,
    latent,
    logged,
    lookup,
    noise,
    reward,
    selection,
    shift,
    terminal,
)
from .partial_identification import ResponseTypes, bounds, response_types
from .world import Ranges, World, certificate, floor, frontier

__all__ = [
    "ADMG",
    "INTENT",
    "LAG",
    "SCM",
    "Array",
    "Bernoulli",
    "Categorical",
    "Columns",
    "Distribution",
    "Estimand",
    "Exactly",
    "Factor",
    "Hedge",
    "InputError",
    "Normal",
    "NotDiscreteError",
    "Ranges",
    "ResponseTypes",
    "TooLargeError",
    "Uniform",
    "World",
    "action",
    "adjustment_sets",
    "behaviour_policy",
    "bounds",
    "certificate",
    "context",
    "counterfactual",
    "distribution",
    "effect",
    "expectation",
    "floor",
    "frontier",
    "identify",
    "latent",
    "latent_projection",
    "logged",
    "lookup",
    "noise",
    "parse_graph",
    "response_types",
    "reward",
    "selection",
    "shift",
    "terminal",
    "uniform_policy",
    "value",
    "values",
]

__version__ = version("dosuite")  # `dosuite` itself is a namespace, and cannot have one
