"""Latent classes: a hidden cause is guessed from the log alone, and adjusted for."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from dosuite.causal import Array, InputError
from dosuite.envs import Data

from ..agent import Agent, Policy
from .counting import ValuedPolicy, abstain, counted, table_of

FLOOR = 1e-300  # of a weight, so that it has a logarithm
CONVERGED = 1e-9  # gain of the log-likelihood of a row in one step
FEWEST = 1e-3  # rows of a class with an action; fewer tell nothing


@dataclass(frozen=True)
class Latent(Agent):
    """Fits latent classes to a log without interventions, and adjusts for the class; uniform in
    worlds of several steps.

    Given its class, a row's context and logged variables are independent, its action depends on the
    context alone, and its reward on context and action. Classes are fitted by expectation
    maximisation from several random starts, and counted by the Bayesian information criterion. With
    one class it is `naive`. The class is the hidden cause where the model is true and at least
    three of the columns tell its values apart. Where fewer do, or where a column is caused by the
    action, the class is whatever fits the table, for the likelihood knows nothing of causes.

    Source: Goodman (1974); Dempster, Laird and Rubin (1977); Schwarz (1978); for what is identified
    Allman, Matias and Rhodes (2009)."""

    name: ClassVar[str] = "latent"
    learns: ClassVar[tuple[str, ...]] = ("observe", "mixed")

    classes: int = 4  # at most
    starts: int = 8  # of expectation maximisation
    iterations: int = 500  # of each start, at most

    def __post_init__(self) -> None:
        for name in ("classes", "starts", "iterations"):
            if getattr(self, name) < 1:
                raise InputError(f"latent: {name} must be at least 1, and is {getattr(self, name)}")

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Fit, count classes and adjust.

        Raises InputError if columns or rewards cannot be counted.
        """
        counted(source, self.name)
        if source.horizon > 1:
            return abstain(source, "classes are fitted to one step only")
        table, values = table_of(source, [*source.logged, "reward"])
        design = Design.of(table)
        models = [self._fit(design, classes, rng) for classes in range(1, self.classes + 1)]
        share = min(models, key=lambda model: model.criterion).share
        note = f"latent classes: {share.shape[1]}"
        return ValuedPolicy(
            _adjusted(design, share, table.shape[:2], values[-1]), source.observation_space, note
        )

    def _fit(self, design: "Design", classes: int, rng: np.random.Generator) -> "Classes":
        """The best of all starts, which are improved side by side."""
        share = rng.dirichlet(np.ones(classes), (len(design.rows), self.starts))
        before = np.full(self.starts, -np.inf)
        for _ in range(self.iterations):
            share, likelihood = design.improved(share)
            if (likelihood - before <= CONVERGED * design.rows.sum()).all():
                break
            before = likelihood
        best = int(np.argmax(likelihood))
        parameters = classes - 1 + classes * design.freedom
        return Classes(
            share[:, best], parameters * np.log(design.rows.sum()) - 2 * float(likelihood[best])
        )


class Classes(NamedTuple):
    """Latent classes."""

    share: Array  # P(class | row) of each different row: (N, K)
    criterion: float  # the Bayesian information criterion; the less, the better


@dataclass(frozen=True, eq=False)
class Design:
    """The different rows of a log, and the values that each has of its columns; those of a group
    have probabilities that sum to 1.

    The context and each logged variable are a group, the actions in each context are one, and so
    are the rewards of each action there."""

    rows: Array  # (N,): how often each occurs
    places: Array  # (N, columns): context, action, what is logged, reward, as positions
    has: Any  # sparse (V, N): whether a row has a value
    within: Any  # sparse (G, V): whether a group has a value

    @staticmethod
    def of(table: Array) -> "Design":
        """The design of a table with the axes context, action, logged variables, reward."""
        places = np.argwhere(table > 0)
        pair = np.ravel_multi_index(tuple(places[:, :2].T), table.shape[:2])
        nothing = np.zeros_like(pair)
        given = [nothing, places[:, 0], *[nothing] * (table.ndim - 3), pair]
        keys = [
            np.stack([np.full(len(places), column), group, places[:, column]])
            for column, group in enumerate(given)
        ]
        values, value = np.unique(np.concatenate(keys, axis=1), axis=1, return_inverse=True)
        row, one = np.tile(np.arange(len(places)), table.ndim), np.ones(value.size)
        group = np.unique(values[:2], axis=1, return_inverse=True)[1].reshape(-1)
        within = csr_array((np.ones(len(group)), (group, np.arange(len(group)))))
        return Design(
            table[tuple(places.T)], places, csr_array((one, (value.reshape(-1), row))), within
        )

    @property
    def freedom(self) -> int:
        """Free probabilities of each class."""
        groups, values = self.within.shape
        return int(values - groups)

    def improved(self, share: Array) -> tuple[Array, Array]:
        """One step of expectation maximisation:

        P(class | row) for each start, (N, S, K), again, and the log-likelihood, (S,).
        """
        weight = share * self.rows[:, None, None]
        values = self.has @ weight.reshape(len(weight), -1)
        whole = self.within.T @ (self.within @ values)
        law = np.log(np.maximum(values, FLOOR) / np.maximum(whole, FLOOR))
        prior = np.log(np.maximum(weight.sum(0), FLOOR) / self.rows.sum())
        logs = (self.has.T @ law).reshape(share.shape) + prior
        most = logs.max(2, keepdims=True)
        shares = np.exp(logs - most)
        total = shares.sum(2, keepdims=True)
        return shares / total, self.rows @ (most + np.log(total))[:, :, 0]


def _adjusted(design: Design, share: Array, shape: tuple[int, int], rewards: Array) -> Array:
    """The sum over classes of P(class | context) E[reward | context, action, class]: (C, A), -inf for what was never seen.

    A class that hardly takes an action in a context is left out.
    """
    weight = share * design.rows[:, None]
    count, total = np.zeros((2, *shape, share.shape[1]))
    cell = tuple(design.places[:, :2].T)
    np.add.at(count, cell, weight)
    np.add.at(total, cell, weight * rewards[design.places[:, -1]][:, None])
    shown = count > FEWEST
    weights = count.sum(1, keepdims=True) * shown
    sums = weights.sum(2)
    means = (weights * total / np.where(shown, count, 1.0)).sum(2) / np.where(sums > 0, sums, 1.0)
    return np.where(sums > 0, means, -np.inf)
