"""Latent class analysis: a hidden cause is estimated from the log and adjusted for."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from dosuite.causal import Array
from dosuite.envs import Data

from ..agent import OfflineAgent
from ..policy import Policy
from ..settings import at_least_one
from .counting import ValuedPolicy, abstain, check_countable, table_of

FLOOR = 1e-300  # of a weight, so that it has a logarithm
CONVERGED = 1e-9  # gain of the mean log-likelihood of a row in one step
FEWEST = 1e-3  # expected rows of a class with an action; with fewer, the class is left out


@dataclass(frozen=True)
class Latent(OfflineAgent):
    """Fits latent classes u to a log without interventions, and adjusts for the class.

    The model is P(u) P(c | u) P(a | c, u) P(r | a, c, u) prod_j P(x_j | u) for the context c, the
    action a, the reward r and the logged variables x_j. It is fitted by expectation maximisation
    from several random starts, with the number of classes chosen by the Bayesian information
    criterion. With one class the agent is `naive`. The class is the hidden cause if the model is
    true and at least three columns separate its values. With fewer, or with a logged effect of the
    action, the class is whatever fits the table, since the likelihood knows nothing of causes. At
    horizons above 1 the agent plays uniformly.

    Source: Goodman (1974); Dempster, Laird and Rubin (1977); Schwarz (1978); for what is identified
    Allman, Matias and Rhodes (2009).
    """

    name: ClassVar[str] = "latent"

    classes: int = 4  # at most
    starts: int = 8  # of expectation maximisation
    iterations: int = 500  # of each start, at most

    def __post_init__(self) -> None:
        at_least_one(self, "classes", "starts", "iterations")

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        """The policy after fitting, choosing the number of classes, and adjusting.

        Raises InputError if columns or rewards cannot be counted.
        """
        check_countable(source, self.name)
        if source.horizon > 1:
            return abstain(source, "classes are fitted to one step only")
        table, values = table_of(source, [*source.logged, "reward"])
        design = Design.of(table)
        fits = [self._fit(design, classes, rng) for classes in range(1, self.classes + 1)]
        share = min(fits, key=lambda fit: fit.criterion).share
        means = _adjusted(design, share, table.shape[:2], values[-1])
        note = f"latent classes: {share.shape[1]}"
        return ValuedPolicy(means, source.observation_space, note)

    def _fit(self, design: "Design", classes: int, rng: np.random.Generator) -> "ClassFit":
        """The best of all starts, which are improved in parallel."""
        rows = design.rows.sum()
        share = rng.dirichlet(np.ones(classes), (len(design.rows), self.starts))
        before = np.full(self.starts, -np.inf)
        for _ in range(self.iterations):
            share, likelihood = design.improved(share)
            if (likelihood - before <= CONVERGED * rows).all():
                break
            before = likelihood
        best = int(np.argmax(likelihood))
        parameters = classes - 1 + classes * design.freedom
        criterion = parameters * np.log(rows) - 2 * float(likelihood[best])
        return ClassFit(share[:, best], criterion)


class ClassFit(NamedTuple):
    """Fitted latent classes."""

    share: Array  # P(class | row) of each distinct row: (N, K)
    criterion: float  # the Bayesian information criterion; smaller is better


@dataclass(frozen=True, eq=False)
class Design:
    """The distinct rows of a log, as sparse indicators of the parameters in their likelihood.

    A "value" is an entry of one of the model's conditional laws, given the class: of P(c), of
    P(x_j), of P(a | c), or of P(r | a, c). A "group" is one such law, whose values sum to 1.
    """

    rows: Array  # (N,): how often each distinct row occurs
    positions: Array  # (N, columns): context, action, logged variables and reward, as positions
    has: Any  # sparse (V, N): 1 if a row has a value
    within: Any  # sparse (G, V): 1 if a value is in a group

    @staticmethod
    def of(table: Array) -> "Design":
        """The design of a table with the axes context, action, logged variables, reward."""
        positions = np.argwhere(table > 0)
        count, columns = positions.shape
        pair = np.ravel_multi_index(tuple(positions[:, :2].T), table.shape[:2])
        # what each column's law is conditioned on: nothing, the context, or context and action
        nothing = np.zeros_like(pair)
        conditions = [nothing, positions[:, 0], *[nothing] * (columns - 3), pair]
        # a value is a (column, condition, position); a group is a (column, condition)
        keys = []
        for column, condition in enumerate(conditions):
            number = np.full(count, column)
            keys.append(np.stack([number, condition, positions[:, column]]))
        all_keys = np.concatenate(keys, axis=1)
        values, value = np.unique(all_keys, axis=1, return_inverse=True)
        _, group = np.unique(values[:2], axis=1, return_inverse=True)
        row = np.tile(np.arange(count), columns)
        has = _indicator(value.reshape(-1), row)
        within = _indicator(group.reshape(-1), np.arange(group.size))
        return Design(table[tuple(positions.T)], positions, has, within)

    @property
    def freedom(self) -> int:
        """The number of free probabilities of each class."""
        groups, values = self.within.shape
        return int(values - groups)

    def improved(self, share: Array) -> tuple[Array, Array]:
        """One step of expectation maximisation, for all starts in parallel.

        Returns P(class | row), (N, S, K), and the log-likelihood of each start, (S,).
        """
        # M step: expected counts of each value and of its group, by start and class
        weight = share * self.rows[:, None, None]
        value_counts = self.has @ weight.reshape(len(weight), -1)
        group_counts = self.within.T @ (self.within @ value_counts)
        class_counts = weight.sum(0)
        law = np.maximum(value_counts, FLOOR) / np.maximum(group_counts, FLOOR)
        prior = np.maximum(class_counts, FLOOR) / self.rows.sum()
        # E step: log P(class, row), normalised over classes
        logs = self.has.T @ np.log(law)
        logs = logs.reshape(share.shape) + np.log(prior)
        largest = logs.max(2, keepdims=True)
        shares = np.exp(logs - largest)
        total = shares.sum(2, keepdims=True)
        row_likelihoods = (largest + np.log(total))[:, :, 0]
        return shares / total, self.rows @ row_likelihoods


def _indicator(rows: Array, columns: Array) -> Any:
    """The sparse matrix that is 1 at some rows and columns."""
    return csr_array((np.ones(len(rows)), (rows, columns)))


def _adjusted(design: Design, share: Array, shape: tuple[int, int], rewards: Array) -> Array:
    """sum_u P(u | c) E[r | c, a, u]: (C, A), -inf for actions without rows.

    Classes with almost no rows of an action in a context are left out of its sum, and the weights
    of the others are normalised.
    """
    # expected rows and sums of rewards of each context, action and class
    weight = share * design.rows[:, None]
    count, total = np.zeros((2, *shape, share.shape[1]))
    cell = tuple(design.positions[:, :2].T)
    reward = rewards[design.positions[:, -1]]
    np.add.at(count, cell, weight)
    np.add.at(total, cell, weight * reward[:, None])
    has_rows = count > FEWEST
    weights = count.sum(1, keepdims=True) * has_rows
    sums = weights.sum(2)
    class_means = weights * total / np.where(has_rows, count, 1.0)
    means = class_means.sum(2) / np.where(sums > 0, sums, 1.0)
    return np.where(sums > 0, means, -np.inf)
