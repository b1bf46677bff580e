"""Thompson sampling:

actions are tried as often as they may be best. With a log, what people do of themselves is known
already.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from dosuite.causal import Array, InputError
from dosuite.envs import as_integer, choices

from ..agent import Agent, Policy, Practice, TabularPolicy
from .counting import ValuedPolicy, counted, size_of, table_of

MOST_REWARDS = 1000  # different ones


@dataclass(frozen=True)
class Thompson(Agent):
    """Thompson sampling of the rewards of each action in each observation, online, in one step; it
    ends with the best posterior mean.

    The law of the reward has a Dirichlet prior over the rewards that were met so far, which is a
    beta prior if there are two. Where the observation shows the intent, this is the learner with
    the regret decision criterion of Bareinboim, Forney and Pearl (2015). In worlds of several steps
    it plays uniformly.

    Source: Thompson (1933); Chapelle and Li (2011), algorithm 2.
    """

    name: ClassVar[str] = "thompson"
    learns: ClassVar[tuple[str, ...]] = ("intervene", "counterfactual")

    envs: int = 32  # in which it acts at once, before it learns
    prior: float = 1.0  # imagined rows of each reward, for each action

    def __post_init__(self) -> None:
        if self.envs < 1 or not self.prior > 0:
            raise InputError(
                f"{self.name}: envs must be at least 1 and prior above 0, and are {self.envs} "
                f"and {self.prior}"
            )

    def learn(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Practise for the steps, rounded up to all environments.

        Raises InputError if observations or rewards cannot be counted.
        """
        env = source.make(self.envs)
        space = env.single_observation_space
        beliefs = self._beliefs(source, size_of(space, self.name), choices(env.single_action_space))
        observations, _ = env.reset()
        for _ in range(0, source.steps, self.envs):
            context = as_integer(space, observations)
            action = beliefs.sample(context, rng).argmax(1)
            observations, reward, terminated, truncated, _ = env.step(action)
            if not (terminated | truncated).all():
                uniform = np.full(beliefs.count.shape[:2], 1.0 / beliefs.count.shape[1])
                return TabularPolicy(
                    uniform, space, note="samples in one step only: plays uniformly"
                )
            beliefs.see(context, action, reward)
        return ValuedPolicy(beliefs.means, space)

    def _beliefs(self, source: Practice, contexts: int, actions: int) -> "Beliefs":
        return Beliefs(self.prior, np.zeros((contexts, actions, 0)))


@dataclass(frozen=True)
class CausalThompson(Thompson):
    """Thompson sampling that sees the intent, and starts with what the log tells of those who did
    what they intended.

    Of who acts as intended the log shows as much as a trial would: its rows of an action are rows
    of the intent and the action alike. The rest is learned. The weights by which Bareinboim, Forney
    and Pearl hasten their algorithm are left out.

    Source: TS^C of Bareinboim, Forney and Pearl (2015), algorithm 1.
    """

    name: ClassVar[str] = "causal-thompson"
    learns: ClassVar[tuple[str, ...]] = ("counterfactual",)
    needs: ClassVar[frozenset[str]] = frozenset({"log"})

    def _beliefs(self, source: Practice, contexts: int, actions: int) -> "Beliefs":
        """The counts of the log where action and intent, the last part of the observation, are the
        same.
        """
        log = source.log_for(self.name)
        counted(log, self.name)
        table, (rewards,) = table_of(log, ["reward"])
        beliefs = super()._beliefs(source, contexts, actions)
        for value in rewards:
            beliefs.place(value)
        same = np.arange(actions)
        beliefs.count.reshape(-1, actions, actions, len(rewards))[:, same, same] = table
        return beliefs


@dataclass
class Beliefs:
    """How often each reward came of each action in each context, and what follows from that."""

    prior: float
    count: Array  # (C, A, R)
    place_of: dict[float, int] = field(default_factory=dict)  # of a reward along the last axis

    @property
    def rewards(self) -> Array:
        """The rewards that were met: (R,)."""
        return np.array(list(self.place_of))

    @property
    def means(self) -> Array:
        """The posterior means: (C, A)."""
        weights = self.count + self.prior
        return np.asarray(weights @ self.rewards / weights.sum(2))

    def place(self, reward: float) -> int:
        """Where a reward is counted. Raises InputError if there are too many."""
        if reward not in self.place_of:
            if len(self.place_of) == MOST_REWARDS:
                raise InputError(
                    f"thompson counts rewards, and met more than {MOST_REWARDS} different ones; "
                    "use another agent here"
                )
            self.place_of[reward] = len(self.place_of)
            self.count = np.concatenate([self.count, np.zeros((*self.count.shape[:2], 1))], axis=2)
        return self.place_of[reward]

    def sample(self, context: Array, rng: np.random.Generator) -> Array:
        """A mean of each action, drawn from the posterior of each row's context: (n, A)."""
        if not self.place_of:
            return rng.random((len(context), self.count.shape[1]))
        law = rng.standard_gamma(self.count[context] + self.prior)
        return np.asarray(law @ self.rewards / law.sum(2))

    def see(self, context: Array, action: Array, reward: Array) -> None:
        """Count what came of some actions."""
        values, index = np.unique(reward, return_inverse=True)
        places = np.array([self.place(float(value)) for value in values])
        np.add.at(self.count, (context, action, places[index]), 1)
