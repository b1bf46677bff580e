"""Thompson sampling, with and without the counterfactual knowledge in a log."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from dosuite.causal import Array, InputError
from dosuite.envs import as_integer, choices

from ..agent import OnlineAgent
from ..policy import Policy, TabularPolicy
from ..settings import at_least_one, positive
from ..sources import Practice
from .counting import ValuedPolicy, check_countable, size_of, table_of

MOST_REWARDS = 1000  # distinct values


@dataclass(frozen=True)
class Thompson(OnlineAgent):
    """Thompson sampling of the mean reward of each action and observation, online, at horizon 1.

    The law of the reward has a symmetric Dirichlet prior over the distinct rewards observed so far
    (with two, a beta prior). Each step samples a law for each action, and takes the action of the
    largest sampled mean; the result takes that of the largest posterior mean. If the observation
    includes the intent, this is the regret decision criterion of Bareinboim, Forney and Pearl
    (2015). At horizons above 1 it plays uniformly.

    Source: Thompson (1933); Chapelle and Li (2011), An empirical evaluation of Thompson sampling,
    algorithm 2.
    """

    name: ClassVar[str] = "thompson"

    envs: int = 32  # parallel environments between updates of the posterior
    prior: float = 1.0  # Dirichlet parameter: imagined rows of each reward, for each action

    def __post_init__(self) -> None:
        at_least_one(self, "envs")
        positive(self, "prior")

    def learn_from(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Practise for the steps, rounded up to all environments.

        Raises InputError if observations or rewards cannot be counted.
        """
        env = source.make(self.envs)
        space = env.single_observation_space
        contexts, actions = size_of(space, self.name), choices(env.single_action_space)
        posterior = self._posterior(source, contexts, actions)
        observations, _ = env.reset()
        for _ in range(0, source.steps, self.envs):
            context = as_integer(space, observations)
            action = posterior.sample(context, rng).argmax(1)
            observations, reward, terminated, truncated, _ = env.step(action)
            if not (terminated | truncated).all():
                uniform = np.full((contexts, actions), 1.0 / actions)
                note = "samples in one step only: plays uniformly"
                return TabularPolicy(uniform, space, note=note)
            posterior.update(context, action, reward)
        return ValuedPolicy(posterior.means, space)

    def _posterior(self, source: Practice, contexts: int, actions: int) -> "DirichletRewards":
        """The posterior before the first step."""
        return DirichletRewards(self.prior, np.zeros((contexts, actions, 0)))


@dataclass(frozen=True)
class CausalThompson(Thompson):
    """Thompson sampling that conditions on the intent, and starts from the rows of a log.

    For units that act as they intend, the log shows what a trial would: E[r | do(a), intent a] =
    E[r | a], the consistency axiom. So its rows of an action count as rows of that intent and
    action; the rest is learned online. The weights by which Bareinboim, Forney and Pearl speed up
    their algorithm are left out.

    Source: TS^C of Bareinboim, Forney and Pearl (2015), Bandits with unobserved confounders: a
    causal approach, algorithm 1.
    """

    name: ClassVar[str] = "causal-thompson"
    learns: ClassVar[tuple[str, ...]] = ("counterfactual",)
    needs: ClassVar[frozenset[str]] = frozenset({"log"})

    def _posterior(self, source: Practice, contexts: int, actions: int) -> "DirichletRewards":
        """The counts of the log, where the action equals the intent."""
        log = source.log_for(self.name)
        check_countable(log, self.name)
        table, (rewards,) = table_of(log, ["reward"])
        posterior = super()._posterior(source, contexts, actions)
        for value in rewards:
            posterior.position(value)
        # the intent is the last component of the observation: (contexts of the log, intent, A, R)
        by_intent = posterior.count.reshape(-1, actions, actions, len(rewards))
        same = np.arange(actions)
        by_intent[:, same, same] = table
        return posterior


@dataclass
class DirichletRewards:
    """The posterior of the law of the reward of each action in each context."""

    prior: float  # Dirichlet parameter of each reward
    count: Array  # (C, A, R): how often each distinct reward was observed
    position_of: dict[float, int] = field(default_factory=dict)  # of a reward, on the last axis

    @property
    def rewards(self) -> Array:
        """The distinct rewards observed so far: (R,)."""
        return np.array(list(self.position_of))

    @property
    def means(self) -> Array:
        """The posterior means: (C, A)."""
        weights = self.count + self.prior
        return np.asarray(weights @ self.rewards / weights.sum(2))

    def position(self, reward: float) -> int:
        """The position of a reward on the last axis. Raises InputError if there are too many."""
        if reward not in self.position_of:
            if len(self.position_of) == MOST_REWARDS:
                raise InputError(
                    f"thompson counts rewards, and met more than {MOST_REWARDS} different ones; "
                    "use another agent here"
                )
            self.position_of[reward] = len(self.position_of)
            zeros = np.zeros((*self.count.shape[:2], 1))
            self.count = np.concatenate([self.count, zeros], axis=2)
        return self.position_of[reward]

    def sample(self, context: Array, rng: np.random.Generator) -> Array:
        """The mean of each action under a law drawn from the posterior of each context: (n, A).

        A Dirichlet law is a vector of gamma variables divided by its sum. Before any reward is
        observed, the means are uniform.
        """
        if not self.position_of:
            return rng.random((len(context), self.count.shape[1]))
        law = rng.standard_gamma(self.count[context] + self.prior)
        return np.asarray(law @ self.rewards / law.sum(2))

    def update(self, context: Array, action: Array, reward: Array) -> None:
        """Count the rewards of some actions: (n,) each."""
        values, index = np.unique(reward, return_inverse=True)
        positions = np.array([self.position(float(value)) for value in values])
        np.add.at(self.count, (context, action, positions[index]), 1)
