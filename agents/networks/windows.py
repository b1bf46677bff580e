"""Windows of consecutive steps, drawn from the logs of several seeds: data of sequence models."""

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
from .rescaling import Standardisation
from .training import BLOCK


@dataclass(frozen=True)
class WindowScales:
    """Standardisation of the returns to go, the rewards and the actions of a log."""

    to_go: Standardisation
    reward: Standardisation
    action: Standardisation | None  # None if actions are discrete

    def targets(self, actions: Array) -> Tensor:
        """Actions (n,) as a network predicts them: integers, or standardised numbers."""
        if self.action is None:
            return torch.as_tensor(actions).long()
        return self.action.standard(actions)

    def past(
        self, to_go: Array, reward: Array, action: Array, begun: Array, actions: Space
    ) -> Tensor:
        """What a token knows apart from the observation: (n, numbers).

        These are the return to go, and the reward and action of the step before; discrete actions
        are one-hot. All arguments are (n,). Where `begun` is false there is no step before, and its
        reward and action are zeros.
        """
        previous_action = self.targets(action)
        if isinstance(actions, Discrete):
            previous_action = one_hot(previous_action, int(actions.n)).float()
        else:
            previous_action = previous_action[:, None]
        before = torch.cat([self.reward.standard(reward)[:, None], previous_action], 1)
        before = torch.where(torch.as_tensor(begun)[:, None], before, 0.0)
        return torch.cat([self.to_go.standard(to_go)[:, None], before], 1)


class Episodes:
    """The episodes of a log, whose rows are sorted by episode and step.

    Without `returns` all returns to go are 0, so that nothing is told by them.
    """

    def __init__(self, data: Data, returns: bool = True):
        self.data = data
        is_first = np.diff(data["episode"], prepend=data["episode"][0] - 1) != 0
        self.first = np.flatnonzero(is_first)  # first row of each episode, (episodes,)
        self.length = np.diff(self.first, append=len(data))  # in steps, (episodes,)
        self.number = np.cumsum(is_first) - 1  # episode of each row, (rows,)
        self.to_go = self._returns_to_go() if returns else np.zeros(len(data))
        is_discrete = isinstance(data.action_space, Discrete)
        self.scales = WindowScales(
            Standardisation.of(self.to_go),
            Standardisation.of(data["reward"]),
            None if is_discrete else Standardisation.of(data["action"]),
        )

    def _returns_to_go(self) -> Array:
        """The discounted sum of rewards from each step to the end of its episode: (rows,)."""
        to_go = np.array(self.data["reward"], dtype=np.float64)
        # backwards over step numbers, in all episodes that have the next step
        for step in range(int(self.length.max()) - 2, -1, -1):
            rows = self.first[self.length > step + 1] + step
            to_go[rows] += self.data.discount * to_go[rows + 1]
        return to_go

    @property
    def returns(self) -> Array:
        """The discounted return of each episode: (episodes,)."""
        return np.asarray(self.to_go[self.first])

    def draw(self, rng: np.random.Generator, windows: int, steps: int) -> tuple[Array, Array]:
        """Draw windows; return their rows and their step numbers, (windows, steps) each.

        A window ends with a row drawn from all rows, or starts with the first row of the episode if
        that row is too early. Past the end of the episode the last row is repeated.
        """
        last_rows = rng.integers(len(self.data), size=windows)
        episodes = self.number[last_rows]
        first = self.first[episodes, None]
        length = self.length[episodes, None]
        start = np.maximum(last_rows[:, None] - first - steps + 1, 0)
        step = start + np.arange(steps)
        return first + np.minimum(step, length - 1), step


@dataclass(frozen=True)
class Windows:
    """A minibatch of windows for each seed: (seeds, windows * steps, ...), window by window."""

    observation: Tensor  # encoded
    step: Tensor  # encoded
    past: Tensor  # see `WindowScales.past`
    target: Tensor  # logged actions: see `WindowScales.targets`
    weight: Tensor  # 0.0 past the end of the episode, else 1.0


def windows_of(
    logs: Sequence[Episodes],
    rngs: Sequence[np.random.Generator],
    updates: int,
    shape: tuple[int, int],
    encoders: tuple[Encoder, Encoder],
) -> Iterator[Windows]:
    """Draw `updates` minibatches of (windows, steps) of each log, each with its own generator.

    The encoders are those of observations and of step numbers.
    """
    encoder, step_encoder = encoders
    windows, steps = shape
    rows = windows * steps
    for first in range(0, updates, BLOCK):
        # the windows of `count` minibatches of each seed, drawn at once
        count = min(BLOCK, updates - first)
        block_by_seed = [
            _drawn(log, rng, (count * windows, steps), encoders)
            for log, rng in zip(logs, rngs, strict=True)
        ]
        for i in range(count):
            part = slice(i * rows, (i + 1) * rows)
            columns_by_seed = [[column[part] for column in columns] for columns in block_by_seed]
            observation, step, *others = zip(*columns_by_seed, strict=True)
            yield Windows(
                encoder.tensor(np.stack(observation)),
                step_encoder.tensor(np.stack(step)),
                *(torch.stack(tensors).to(encoder.device) for tensors in others),
            )


def _drawn(
    log: Episodes,
    rng: np.random.Generator,
    shape: tuple[int, int],
    encoders: tuple[Encoder, Encoder],
) -> tuple[Any, ...]:
    """The columns of `Windows` for one log: encoded observations and steps, and tensors."""
    data, (encoder, step_encoder) = log.data, encoders
    row, step = (array.reshape(-1) for array in log.draw(rng, *shape))
    episode = log.number[row]
    previous, begun = row - 1, row > log.first[episode]
    past = log.scales.past(
        log.to_go[row],
        data["reward"][previous],
        data["action"][previous],
        begun,
        data.action_space,
    )
    return (
        encoder.columns(data["observation"][row]),
        step_encoder.columns(data["step"][row]),
        past,
        log.scales.targets(data["action"][row]),
        torch.as_tensor(step < log.length[episode]).float(),
    )
