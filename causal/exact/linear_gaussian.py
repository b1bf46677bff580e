"""Linear-Gaussian models: exact means, covariances, effects and counterfactuals, by linear algebra.

The variables v solve v = intercept + weights @ v + std * e, where e is the standard normal noise
that sampling uses too. A name is that of a variable, or a pair (variable, step) in a model of
several steps, which is unrolled.

Source: Pearl, Causality (2009), section 5.3, and section 7.1.3 for the counterfactuals.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import networkx as nx
import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError, did_you_mean
from ..graphs.step_graph import LAG
from ..model.distributions import Exactly, Normal
from ..model.elimination import check_size
from ..model.mechanisms import Mechanism
from ..model.scm import SCM
from ..tolerances import ROUNDING, ZERO_SINGULAR_VALUE

Name = str | tuple[str, int]
Values = Mapping[str, float] | Mapping[tuple[str, int], float] | Mapping[Name, float]

PROBES = 56  # points, near and far, at which a mechanism must be linear
LARGEST_MISFIT = 1e-7  # of an observed value, relative, from what the other values imply


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A multivariate normal distribution, in the variables' units; possibly degenerate."""

    names: tuple[Name, ...]
    mean: Floats  # (k,)
    covariance: Floats  # (k, k)

    def __getitem__(self, name: Name) -> tuple[float, float]:
        """The mean and the standard deviation of one variable."""
        at = _position(self.names, name)
        variance = self.covariance[at, at].clip(0.0)
        return float(self.mean[at]), float(np.sqrt(variance))

    def regression(self, effect: Name, *on: Name) -> Floats:
        """The coefficients of the linear regression of one variable on others: associations, not
        effects.
        """
        rows = [_position(self.names, name) for name in on]
        # Divide by the standard deviations, so that the variables' units do not matter.
        std = np.sqrt(self.covariance[rows, rows])
        std = np.where(std > 0, std, 1.0)
        scaled = self.covariance[np.ix_(rows, rows)] / np.outer(std, std)
        target = self.covariance[rows, _position(self.names, effect)] / std
        coefficients = np.linalg.lstsq(scaled, target)[0]
        return np.asarray(coefficients / std)


@dataclass(frozen=True, eq=False)
class LinearGaussian:
    """A linear model with normal noise, whose variables come in causal order: `weights` is lower
    triangular.
    """

    names: tuple[Name, ...]
    intercept: Floats  # (k,)
    weights: Floats  # (k, k): weights[i, j] is the direct effect of j on i
    std: Floats  # (k,)
    noise: tuple[Name, ...]  # the name of each variable's noise; models share equal names

    @cached_property
    def effects(self) -> Floats:
        """Total effects (k, k), the inverse of 1 - weights: how much `names[i]` rises if `names[j]`
        is raised by 1 from outside.
        """
        from scipy.linalg import solve_triangular

        one = np.eye(len(self.names))
        return np.asarray(solve_triangular(one - self.weights, one, lower=True, unit_diagonal=True))

    def total_effect(self, cause: Name, effect: Name) -> float:
        """How much E[effect | do(cause)] rises if the cause rises by 1."""
        return float(self.effects[_position(self.names, effect), _position(self.names, cause)])

    def do(self, values: Values) -> "LinearGaussian":
        """The model under the intervention that sets some variables.

        Raises InputError if a name is not a variable.
        """
        intercept, weights, std = self.intercept.copy(), self.weights.copy(), self.std.copy()
        for name, value in values.items():
            at = _position(self.names, name)
            intercept[at], weights[at], std[at] = value, 0.0, 0.0
        return replace(self, intercept=intercept, weights=weights, std=std)

    def law(self, given: Values | None = None) -> Gaussian:
        """The distribution of all variables, given the values of some.

        Raises InputError if these values are impossible.
        """
        return self.counterfactual(self, given)

    def counterfactual(self, world: "LinearGaussian", given: Values | None = None) -> Gaussian:
        """The distribution of all variables in `world`, such as `self.do({"x": 1})`, for the units
        that have the values `given` in this model.

        Raises InputError if these values are impossible.
        """
        # Abduction: the noise given the evidence.
        mean, covariance = self._abduction(given or {})

        # Action: the equations of `world`, which has some noises of this model and some fresh ones.
        columns = {name: column for column, name in enumerate(self.noise)}
        shared = np.zeros((len(world.noise), len(self.noise)))
        for row, name in enumerate(world.noise):
            if name in columns:
                shared[row, columns[name]] = 1.0
        fresh = np.diag(1.0 - shared.sum(1))

        # Prediction: v = effects @ (intercept + std * e).
        loading = world.effects * world.std
        predicted = world.effects @ world.intercept + loading @ (shared @ mean)
        noise_covariance = shared @ covariance @ shared.T + fresh
        return Gaussian(world.names, predicted, loading @ noise_covariance @ loading.T)

    def _abduction(self, given: Values) -> tuple[Floats, Floats]:
        """Mean and covariance of the noise, given the values of some variables.

        The evidence says that loading @ e = surprise: given it, e is standard normal on an affine
        space, whose point nearest to 0 is the mean.
        """
        rows = [_position(self.names, name) for name in given]
        loading = (self.effects * self.std)[rows]
        expected = (self.effects @ self.intercept)[rows]
        surprise = np.array(list(given.values()), dtype=float) - expected

        # Divide by the standard deviations, so that the variables' units do not matter.
        std = np.linalg.norm(loading, axis=1)
        std = np.where(std > 0, std, 1.0)
        loading, surprise, expected = loading / std[:, None], surprise / std, expected / std

        inverse = np.linalg.pinv(loading, rcond=ZERO_SINGULAR_VALUE)
        mean = inverse @ surprise
        allowed = LARGEST_MISFIT * np.maximum(1.0, abs(surprise) + abs(expected))
        if (abs(loading @ mean - surprise) > allowed).any():
            evidence = ", ".join(f"{name}={value:g}" for name, value in given.items())
            raise InputError(f"{evidence} cannot all be: one follows from others")
        return mean, np.eye(len(self.std)) - inverse @ loading


def linear_gaussian(model: SCM, *names: str) -> LinearGaussian:
    """The linear-Gaussian form of a model whose mechanisms are `Normal` or `Exactly` and linear in
    their causes.

    It contains `names` and their causes only, or all variables if no name is given; a horizon of
    several steps is unrolled. Raises InputError if a mechanism returns another distribution, is not
    linear, or has a standard deviation that depends on its causes.
    """
    order = _needed(model, names)
    steps = model.horizon
    size = len(order) * steps
    check_size([size, size], f"the covariance of {type(model).__name__}")

    intercept, weights, std = np.zeros(size), np.zeros((size, size)), np.zeros(size)
    for position, name in enumerate(order):
        variable = model.variables[name]
        # The variable's rows, one for each step: the first, and those of all later steps.
        rows = np.arange(steps) * len(order) + position
        for mechanism, at in ((variable.first, rows[:1]), (variable.later, rows[1:])):
            if len(at) == 0:
                continue
            intercept[at], slopes, std[at] = _linearised(model, name, mechanism)
            for cause, slope in zip(mechanism.causes, slopes, strict=True):
                offset = order.index(cause.removesuffix(LAG)) - position
                if cause.endswith(LAG):
                    offset -= len(order)
                weights[at, at + offset] += slope

    streams = [model.variables[name].stream for name in order]
    return LinearGaussian(
        _unrolled(order, steps), intercept, weights, std, _unrolled(streams, steps)
    )


def _unrolled(names: list[str], steps: int) -> tuple[Name, ...]:
    """The names, or for several steps the pairs (name, step)."""
    if steps == 1:
        return tuple(names)
    return tuple((name, step) for step in range(steps) for name in names)


def _needed(model: SCM, names: tuple[str, ...]) -> list[str]:
    """The variables and all their causes, at any step, causes first."""
    known: tuple[str, ...] = tuple(model.variables)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(known)
    graph.add_edges_from((cause.removesuffix(LAG), effect) for cause, effect in model.graph.edges)
    needed = set[str]()
    for name in names or known:
        _position(known, name)  # raises for an unknown name
        needed |= {name} | nx.ancestors(graph, name)
    return [name for name in model.order if name in needed]


def _linearised(model: SCM, name: str, mechanism: Mechanism) -> tuple[float, Floats, float]:
    """Intercept, slopes and standard deviation of a mechanism.

    They are read off at 0 and at the unit vectors, and checked at random points of all magnitudes.
    """
    where, count = f"{type(model).__name__}.{name}", len(mechanism.causes)
    rng = np.random.default_rng(0)
    probes = rng.normal(size=(PROBES, count)) * np.logspace(-4, 10, PROBES)[:, None]
    points = np.vstack([np.zeros(count), np.eye(count), probes])
    means, stds = _moments(where, mechanism, points)
    slopes = means[1 : count + 1] - means[0]
    error = abs(points @ slopes + means[0] - means)
    magnitude = abs(points) @ abs(slopes) + abs(means[0]) + 1.0
    if (error > ROUNDING * magnitude).any():
        raise InputError(
            f"{where} is not linear in {', '.join(mechanism.causes)}; ask for variables that it "
            "does not cause"
        )
    if np.ptp(stds) > ROUNDING * stds.max():
        raise InputError(
            f"the standard deviation of {where} depends on {', '.join(mechanism.causes)}, and "
            "must be one number"
        )
    return float(means[0]), slopes, float(stds[0])


def _moments(where: str, mechanism: Mechanism, points: Floats) -> tuple[Floats, Floats]:
    """The means and standard deviations of a mechanism at some points (n, causes)."""
    try:
        with np.errstate(all="ignore"):
            law = mechanism.law(*points.T)
    except (ArithmeticError, IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"{where} has no law at numbers such as {points[-1].round(2).tolist()}: {error}"
        ) from error
    if not isinstance(law, Normal | Exactly):
        raise InputError(
            f"{where} is {type(law).__name__}, and a linear-Gaussian model has only Normal and "
            "Exactly"
        )
    std: Array | float = law.std if isinstance(law, Normal) else 0.0
    stds = np.asarray(std, dtype=float)
    return np.broadcast_to(law.mean(), len(points)), np.broadcast_to(stds, len(points))


def _position(names: tuple[Name, ...], name: Name) -> int:
    if name not in names:
        raise InputError(
            f"{name!r} is not a variable of the model; {did_you_mean(str(name), map(str, names))}"
        )
    return names.index(name)
