"""Q-learning with a table."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal import Array, InputError
from dosuite.envs import as_integer, choices

from ..agent import Agent, Policy, Practice
from .counting import ValuedPolicy, size_of


@dataclass(frozen=True)
class QLearning(Agent):
    """Tabular Q-learning, online, in many environments at once; where the observation shows the
    intent, it learns from that too.

    A pair that was visited n times learns at the rate n^-power. An episode that is cut off at its
    horizon goes on in the mind of the learner, unless nothing is discounted: then it ends, for its
    values would have no limit.

    Source: Watkins and Dayan (1992); the rate, Even-Dar and Mansour (2003).
    """

    name: ClassVar[str] = "q-learning"
    learns: ClassVar[tuple[str, ...]] = ("intervene", "counterfactual")

    envs: int = 32
    power: float = 0.6  # of the visits, in the rate
    explored: float = 0.5  # share of the practice in which exploration fades from 1 to `epsilon`
    epsilon: float = 0.1  # share of random actions thereafter

    def __post_init__(self) -> None:
        if self.envs < 1 or not 0.5 < self.power <= 1:
            raise InputError(
                f"q-learning: envs must be at least 1 and power in (0.5, 1], and are {self.envs} "
                f"and {self.power}"
            )
        if not (0 < self.explored <= 1 and 0 <= self.epsilon <= 1):
            raise InputError(
                "q-learning: explored must be in (0, 1] and epsilon in [0, 1], and are "
                f"{self.explored} and {self.epsilon}"
            )

    def learn(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Practise for the steps, rounded up to all environments.

        Raises InputError if the observations cannot be counted.
        """
        env = source.make(self.envs)
        space = env.single_observation_space
        actions = choices(env.single_action_space)
        table = Table(size_of(space, self.name), actions, self.power)
        seen, _ = env.reset()
        context = as_integer(space, seen)
        for step in range(0, source.steps, self.envs):
            random = rng.random(self.envs) < 1.0 - (1.0 - self.epsilon) * min(
                1.0, step / (self.explored * source.steps)
            )
            action = np.where(
                random, rng.integers(actions, size=self.envs), table.best(context, rng)
            )
            seen, reward, terminated, truncated, infos = env.step(action)
            ended = terminated | truncated
            following = as_integer(
                space,
                np.where(_column(ended, seen), infos["final_obs"], seen) if ended.any() else seen,
            )
            over = ended if source.discount == 1 else terminated
            later = np.where(over, 0.0, source.discount * table.values[following].max(1))
            table.learn(context, action, reward + later)
            context = as_integer(space, seen)
        return ValuedPolicy(np.where(table.visits > 0, table.values, -np.inf), space)


def _column(ended: Array, observations: Array) -> Array:
    """Whether each episode has ended, in the shape of the observations."""
    return ended.reshape(-1, *[1] * (observations.ndim - 1))


class Table:
    """Action values (C, A), and how often each was learned."""

    def __init__(self, contexts: int, actions: int, power: float):
        self.values, self.visits, self.power = (
            np.zeros((contexts, actions)),
            np.zeros((contexts, actions)),
            power,
        )

    def best(self, context: Array, rng: np.random.Generator) -> Array:
        """The best action in each context, ties broken at random: (n,)."""
        values = self.values[context]
        return np.asarray(
            np.where(values >= values.max(1, keepdims=True), rng.random(values.shape), -1.0).argmax(
                1
            )
        )

    def learn(self, context: Array, action: Array, target: Array) -> None:
        """Move the values of some pairs towards their targets;

        those of one pair are averaged, and count as often as there are.
        """
        count, total = np.zeros((2, *self.values.shape))
        np.add.at(count, (context, action), 1)
        np.add.at(total, (context, action), target)
        pairs = count > 0
        self.visits += count
        share = 1.0 - (1.0 - self.visits[pairs] ** -self.power) ** count[pairs]
        self.values[pairs] += share * (total[pairs] / count[pairs] - self.values[pairs])
