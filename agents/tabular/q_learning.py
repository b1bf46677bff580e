"""Tabular Q-learning."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal import Array, InputError
from dosuite.envs import as_integer, choices

from ..agent import OnlineAgent
from ..policy import Policy
from ..settings import at_least_one
from ..sources import Practice
from .counting import ValuedPolicy, size_of


@dataclass(frozen=True)
class QLearning(OnlineAgent):
    """Tabular Q-learning, online, in many environments at once.

    Q(o, a) <- Q(o, a) + n^-power (r + discount max_b Q(o', b) - Q(o, a)) at the n-th visit of
    (o, a). At the horizon, which cuts an episode off, it bootstraps too, except with discount 1:
    then the episode ends, since its values would have no limit. If the observation includes the
    intent, the agent conditions on it.

    Source: Watkins and Dayan (1992), Q-learning; for the rate Even-Dar and Mansour (2003), Learning
    rates for Q-learning.
    """

    name: ClassVar[str] = "q-learning"

    envs: int = 32
    power: float = 0.6  # of the visits, in the rate
    explored: float = 0.5  # fraction of the practice in which exploration falls from 1 to `epsilon`
    epsilon: float = 0.1  # fraction of random actions thereafter

    def __post_init__(self) -> None:
        at_least_one(self, "envs")
        if not 0.5 < self.power <= 1:
            raise InputError(f"q-learning: power must be in (0.5, 1], and is {self.power}")
        if not (0 < self.explored <= 1 and 0 <= self.epsilon <= 1):
            raise InputError(
                "q-learning: explored must be in (0, 1] and epsilon in [0, 1], and are "
                f"{self.explored} and {self.epsilon}"
            )

    def learn_from(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Practise for the steps, rounded up to all environments.

        Raises InputError if the observations cannot be counted.
        """
        env = source.make(self.envs)
        space = env.single_observation_space
        actions = choices(env.single_action_space)
        table = QTable(size_of(space, self.name), actions, self.power)
        observations, _ = env.reset()
        context = as_integer(space, observations)
        for step in range(0, source.steps, self.envs):
            # epsilon-greedy actions
            progress = step / (self.explored * source.steps)
            epsilon = 1.0 - (1.0 - self.epsilon) * min(1.0, progress)
            is_random = rng.random(self.envs) < epsilon
            random = rng.integers(actions, size=self.envs)
            action = np.where(is_random, random, table.best(context, rng))
            observations, reward, terminated, truncated, infos = env.step(action)
            # the observation that followed the action, not the first one of a new episode
            ended = terminated | truncated
            following = observations
            if ended.any():
                is_last = _as_column(ended, observations)
                following = np.where(is_last, infos["final_obs"], observations)
            # bootstrap, except where nothing follows
            is_over = ended if source.discount == 1 else terminated
            next_value = table.values[as_integer(space, following)].max(1)
            later = np.where(is_over, 0.0, source.discount * next_value)
            table.learn(context, action, reward + later)
            context = as_integer(space, observations)
        return ValuedPolicy(np.where(table.visits > 0, table.values, -np.inf), space)


def _as_column(flags: Array, observations: Array) -> Array:
    """Flags (n,) in a shape that broadcasts against observations (n, ...)."""
    return flags.reshape(-1, *[1] * (observations.ndim - 1))


class QTable:
    """Action values (C, A), and the number of visits of each pair."""

    def __init__(self, contexts: int, actions: int, power: float):
        self.values = np.zeros((contexts, actions))
        self.visits = np.zeros((contexts, actions))
        self.power = power

    def best(self, context: Array, rng: np.random.Generator) -> Array:
        """The best action in each context, ties broken at random: (n,)."""
        values = self.values[context]
        is_best = values >= values.max(1, keepdims=True)
        priority = np.where(is_best, rng.random(values.shape), -1.0)
        return np.asarray(priority.argmax(1))

    def learn(self, context: Array, action: Array, target: Array) -> None:
        """Move the values of some pairs towards their targets, (n,) each.

        k targets of one pair are averaged, and move the value as far as k updates at this rate.
        """
        count, total = np.zeros((2, *self.values.shape))
        np.add.at(count, (context, action), 1)
        np.add.at(total, (context, action), target)
        pairs = count > 0
        self.visits += count
        rate = self.visits[pairs] ** -self.power
        share = 1.0 - (1.0 - rate) ** count[pairs]
        mean_target = total[pairs] / count[pairs]
        self.values[pairs] += share * (mean_target - self.values[pairs])
