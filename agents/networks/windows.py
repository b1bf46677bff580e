"""Windows of episodes, drawn from the logs of some seeds side by side:

what a sequence model learns from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Discrete
from torch import Tensor
from torch.nn.functional import one_hot

from dosuite.causal import Array
from dosuite.envs import Data, Space

from .encoder import Encoder
from .training import BLOCK


@dataclass(frozen=True)
class Scale:
    """Numbers as standard deviations from a mean."""

    mean: float
    spread: float

    @staticmethod
    def of(numbers: Array) -> "Scale":
        """That of some numbers;

        the spread is not 0, nor so small that it is an error of rounding.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            mean, spread = float(np.mean(numbers)), float(np.std(numbers))
        return Scale(mean, max(spread, 1e-6 * abs(mean), 1e-9))

    def standard(self, numbers: Array) -> Tensor:
        """Numbers in standard deviations from the mean."""
        with np.errstate(invalid="ignore", over="ignore"):
            return torch.as_tensor((numbers - self.mean) / self.spread).float()


@dataclass(frozen=True)
class Scales:
    """Those of a log's returns to go, of its rewards, and of its actions if they are numbers."""

    to_go: Scale
    reward: Scale
    action: Scale | None

    def wanted(self, actions: Array) -> Tensor:
        """Actions, (n,), as a network is to predict them: whole numbers, or standardised ones."""
        return (
            torch.as_tensor(actions).long()
            if self.action is None
            else self.action.standard(actions)
        )

    def past(
        self, to_go: Array, reward: Array, action: Array, begun: Array, actions: Space
    ) -> Tensor:
        """What a step knows beside its observation, (n, numbers): the return to go, and the reward
        and the action before.

        All are (n,), and `begun` says where there is a step before; elsewhere there are zeros. Few
        actions are one-hot."""
        did = self.wanted(action)
        did = (
            one_hot(did, int(actions.n)).float() if isinstance(actions, Discrete) else did[:, None]
        )
        before = torch.cat([self.reward.standard(reward)[:, None], did], 1)
        return torch.cat(
            [
                self.to_go.standard(to_go)[:, None],
                torch.where(torch.as_tensor(begun)[:, None], before, 0.0),
            ],
            1,
        )


class Episodes:
    """The episodes of a log, whose rows are sorted by episode and step."""

    def __init__(self, data: Data):
        self.data = data
        new = np.diff(data["episode"], prepend=data["episode"][0] - 1) != 0
        self.first = np.flatnonzero(new)  # the row of each that begins it, (episodes,)
        self.length = np.diff(self.first, append=len(data))  # in steps, (episodes,)
        self.number = np.cumsum(new) - 1  # the episode of each row, (rows,)
        self.to_go = self._returns_to_go()
        action = None if isinstance(data.action_space, Discrete) else Scale.of(data["action"])
        self.scales = Scales(Scale.of(self.to_go), Scale.of(data["reward"]), action)

    def _returns_to_go(self) -> Array:
        """The discounted sum of the rewards from each step to the end of its episode: (rows,)."""
        found = np.array(self.data["reward"], dtype=np.float64)
        for place in range(int(self.length.max()) - 2, -1, -1):
            rows = self.first[self.length > place + 1] + place
            found[rows] += self.data.discount * found[rows + 1]
        return found

    @property
    def returns(self) -> Array:
        """The discounted sum of the rewards of each episode: (episodes,)."""
        return np.asarray(self.to_go[self.first])

    def draw(self, rng: np.random.Generator, windows: int, steps: int) -> tuple[Array, Array]:
        """Rows of some windows, (windows, steps), and where they are in their episodes: as many,
        from 0.

        A window ends with a row that is drawn from all; if that is too early in its episode, it
        begins with the episode. What is past the end of the episode is the last row once more."""
        drawn = rng.integers(len(self.data), size=windows)
        first, length = (each[self.number[drawn], None] for each in (self.first, self.length))
        place = np.maximum(drawn[:, None] - first - steps + 1, 0) + np.arange(steps)
        return first + np.minimum(place, length - 1), place


@dataclass(frozen=True)
class Windows:
    """So many consecutive steps of some episodes of each seed:

    (seeds, windows * steps), window by window.
    """

    observation: Tensor  # as its encoder has it
    step: Tensor  # as its encoder has it
    past: Tensor  # see `Scales.past`: (seeds, windows * steps, numbers)
    wanted: Tensor  # the action of the log: see `Scales.wanted`
    weight: Tensor  # 0.0 where the episode is over, else 1.0


def windows_of(
    logs: Sequence[Episodes],
    rngs: Sequence[np.random.Generator],
    updates: int,
    shape: tuple[int, int],
    encoders: Sequence[Encoder],
) -> Iterator[Windows]:
    """So many minibatches of (windows, steps) of each log, drawn by its own generator;

    the encoders are of observations and steps.
    """
    see, count = encoders
    for begin in range(0, updates, BLOCK):
        batches = min(BLOCK, updates - begin)
        drawn = [
            _drawn(log, rng, (batches * shape[0], shape[1]), encoders)
            for log, rng in zip(logs, rngs, strict=True)
        ]
        rows = shape[0] * shape[1]
        for i in range(batches):
            observation, step, *others = zip(
                *([part[i * rows : (i + 1) * rows] for part in parts] for parts in drawn),
                strict=True,
            )
            tensors = (torch.stack(parts).to(see.device) for parts in others)
            yield Windows(see.tensor(np.stack(observation)), count.tensor(np.stack(step)), *tensors)


def _drawn(
    log: Episodes, rng: np.random.Generator, shape: tuple[int, int], encoders: Sequence[Encoder]
) -> tuple[Any, ...]:
    """The parts of windows of one log, row by row:

    columns of observations and steps, and tensors.
    """
    data, (see, count) = log.data, encoders
    row, place = (each.reshape(-1) for each in log.draw(rng, *shape))
    before, begun = row - 1, row > log.first[log.number[row]]
    past = log.scales.past(
        log.to_go[row], data["reward"][before], data["action"][before], begun, data.action_space
    )
    weight = torch.as_tensor(place < log.length[log.number[row]]).float()
    return (
        see.columns(data["observation"][row]),
        count.columns(data["step"][row]),
        past,
        log.scales.wanted(data["action"][row]),
        weight,
    )
