"""Linear-Gaussian models: exact means, covariances, effects and counterfactuals, by linear algebra.

Variables v solve v = intercept + weights @ v + std * e, where e is the standard normal noise that
sampling uses. A name is that of a variable, or (variable, step) where a model of several steps is
unrolled.

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

# Evidence may differ by this much, relatively, from what the rest of the evidence implies.
RELATIVE_EVIDENCE_GAP = 1e-7

Name = str | tuple[str, int]
Values = Mapping[str, float] | Mapping[tuple[str, int], float] | Mapping[Name, float]

PROBES = 56  # points, near and far, at which a mechanism must be linear


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A normal law of several variables, in their own units. The covariance may be singular."""

    names: tuple[Name, ...]
    mean: Floats  # (k,)
    covariance: Floats  # (k, k)

    def __getitem__(self, name: Name) -> tuple[float, float]:
        """The mean and the standard deviation of one variable."""
        at = _position(self.names, name)
        return float(self.mean[at]), float(np.sqrt(self.covariance[at, at].clip(0.0)))

    def regression(self, effect: Name, *on: Name) -> Floats:
        """The coefficients of the best linear prediction of one variable from others:

        what seeing, not doing, tells.
        """
        rows = [_position(self.names, name) for name in on]
        size = np.sqrt(self.covariance[rows, rows])  # units must not matter
        size = np.where(size > 0, size, 1.0)
        scaled = self.covariance[np.ix_(rows, rows)] / np.outer(size, size)
        return np.asarray(
            np.linalg.lstsq(scaled, self.covariance[rows, _position(self.names, effect)] / size)[0]
            / size
        )


@dataclass(frozen=True, eq=False)
class LinearGaussian:
    """A linear model with normal noise.

    The variables stand causes first, so that `weights` is lower triangular.
    """

    names: tuple[Name, ...]
    intercept: Floats  # (k,)
    weights: Floats  # (k, k): weights[i, j] is the direct effect of j on i
    std: Floats  # (k,)
    noise: tuple[
        Name, ...
    ]  # the name of each variable's noise: models share the noises that both name

    @cached_property
    def effects(self) -> Floats:
        """Total effects (k, k):

        how much `names[i]` rises if `names[j]` is raised by 1 from outside.
        """
        one = np.eye(len(self.names))
        from scipy.linalg import solve_triangular  # slow to import

        return np.asarray(solve_triangular(one - self.weights, one, lower=True, unit_diagonal=True))

    def total_effect(self, cause: Name, effect: Name) -> float:
        """How much E[effect | do(cause)] rises if the cause rises by 1."""
        return float(self.effects[_position(self.names, effect), _position(self.names, cause)])

    def do(self, values: Values) -> "LinearGaussian":
        """The model in which some variables are set.

        Raises InputError if a name is not a variable.
        """
        intercept, weights, std = self.intercept.copy(), self.weights.copy(), self.std.copy()
        for name, value in values.items():
            at = _position(self.names, name)
            intercept[at], weights[at], std[at] = value, 0.0, 0.0
        return replace(self, intercept=intercept, weights=weights, std=std)

    def law(self, given: Values | None = None) -> Gaussian:
        """The law of all variables, given the values of some.

        Raises InputError if these are impossible.
        """
        return self.counterfactual(self, given)

    def counterfactual(self, world: "LinearGaussian", given: Values | None = None) -> Gaussian:
        """The law of all variables in `world`, such as `self.do({"x": 1})`, of the units with these
        values in this model.

        Abduction: the noise given the evidence is the standard normal law on a linear space. Action
        and prediction: the equations of `world` under that noise. Raises InputError if the evidence
        is impossible."""
        mean, covariance = self._abduction(given or {})
        columns = {name: column for column, name in enumerate(self.noise)}
        shared = np.zeros((len(world.noise), len(self.noise)))
        for row, name in enumerate(world.noise):
            if name in columns:
                shared[row, columns[name]] = 1.0
        fresh = np.diag(1.0 - shared.sum(1))
        spread = world.effects * world.std
        moved = world.effects @ world.intercept + spread @ (shared @ mean)
        return Gaussian(
            world.names, moved, spread @ (shared @ covariance @ shared.T + fresh) @ spread.T
        )

    def _abduction(self, given: Values) -> tuple[Floats, Floats]:
        """Mean and covariance of the noise, given the values of some variables."""
        rows = [_position(self.names, name) for name in given]
        spread, usual = (self.effects * self.std)[rows], (self.effects @ self.intercept)[rows]
        wanted = np.array(list(given.values()), dtype=float) - usual
        size = np.linalg.norm(spread, axis=1)  # units must not matter
        size = np.where(size > 0, size, 1.0)
        spread, wanted, usual = spread / size[:, None], wanted / size, usual / size
        inverse = np.linalg.pinv(spread, rcond=ZERO_SINGULAR_VALUE)
        mean = inverse @ wanted
        if (
            abs(spread @ mean - wanted)
            > RELATIVE_EVIDENCE_GAP * np.maximum(1.0, abs(wanted) + abs(usual))
        ).any():
            raise InputError(
                f"{', '.join(f'{name}={value:g}' for name, value in given.items())} cannot all "
                "be: one follows from others"
            )
        return mean, np.eye(len(self.std)) - inverse @ spread


def linear_gaussian(model: SCM, *names: str) -> LinearGaussian:
    """A model whose mechanisms are `Normal` or `Exactly`, linear in their causes, as a
    linear-Gaussian one.

    Only `names` and their causes are read, or all variables if none is given; a horizon of several
    steps is unrolled. Raises InputError if a mechanism has another law, is not linear, or has a
    standard deviation that depends on its causes."""
    order = _needed(model, names)
    steps = model.horizon
    check_size(
        [len(order) * steps, len(order) * steps], f"the covariance of {type(model).__name__}"
    )
    labels: list[Name] = [
        name if steps == 1 else (name, step) for step in range(steps) for name in order
    ]
    size = len(labels)
    intercept, weights, std = np.zeros(size), np.zeros((size, size)), np.zeros(size)
    for position, name in enumerate(order):
        for mechanism, where in (
            (model.variables[name].first, slice(0, 1)),
            (model.variables[name].later, slice(1, steps)),
        ):
            if where.start >= steps:
                continue
            at = np.arange(steps)[where] * len(order) + position
            intercept[at], slopes, std[at] = _linearised(model, name, mechanism)
            for cause, slope in zip(mechanism.causes, slopes, strict=True):
                before = (
                    order.index(cause.removesuffix(LAG))
                    - position
                    - len(order) * cause.endswith(LAG)
                )
                weights[at, at + before] += slope
    noise = [model.variables[name].stream for name in order]
    streams: list[Name] = [
        stream if steps == 1 else (stream, step) for step in range(steps) for stream in noise
    ]
    return LinearGaussian(tuple(labels), intercept, weights, std, tuple(streams))


def _needed(model: SCM, names: tuple[str, ...]) -> list[str]:
    """The variables and all their causes, at any step, causes first."""
    known: tuple[str, ...] = tuple(model.variables)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(known)
    graph.add_edges_from((cause.removesuffix(LAG), effect) for cause, effect in model.graph.edges)
    wanted = {known[_position(known, name)] for name in names or known}
    wanted = wanted.union(*(nx.ancestors(graph, name) for name in wanted))
    return [name for name in model.order if name in wanted]


def _linearised(model: SCM, name: str, mechanism: Mechanism) -> tuple[float, Floats, float]:
    """Intercept, slopes and standard deviation of a mechanism:

    read at 0 and at unit vectors, and checked elsewhere.
    """
    where, count = f"{type(model).__name__}.{name}", len(mechanism.causes)
    rng = np.random.default_rng(0)
    points = np.vstack(
        [
            np.zeros(count),
            np.eye(count),
            rng.normal(size=(PROBES, count)) * np.logspace(-4, 10, PROBES)[:, None],
        ]
    )
    means, stds = _moments(where, mechanism, points)
    slopes = means[1 : count + 1] - means[0]
    if (
        abs(points @ slopes + means[0] - means)
        > ROUNDING * (abs(points) @ abs(slopes) + abs(means[0]) + 1.0)
    ).any():
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
        ) from None
    if not isinstance(law, Normal | Exactly):
        raise InputError(
            f"{where} is {type(law).__name__}, and a linear-Gaussian model has only Normal and "
            "Exactly"
        )
    std: Array | float = law.std if isinstance(law, Normal) else 0.0
    return np.broadcast_to(law.mean(), len(points)), np.broadcast_to(
        np.asarray(std, dtype=float), len(points)
    )


def _position(names: tuple[Name, ...], name: Name) -> int:
    if name not in names:
        raise InputError(
            f"{name!r} is not a variable of the model; {did_you_mean(str(name), map(str, names))}"
        )
    return names.index(name)
