"""Practice of all seeds at once: the environments of each seed are a lane beside the others'."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium.spaces import Box, flatdim
from torch import Tensor

from dosuite.causal import Array
from dosuite.envs import Data, Space

from ..networks.encoder import Encoder
from ..networks.features import features, image_size
from ..networks.perceptrons import Perceptrons
from ..networks.rescaling import of_raw_inputs
from ..offline.base import Task
from ..sources import Practice

EPSILON = 1e-5  # added to a variance


class Step(NamedTuple):
    """A step of all environments: arrays (seeds, envs, ...)."""

    observation: Array  # to act on next: of a new episode, where the last one ended
    following: Array  # what the step led to, also where it ended the episode
    reward: Array
    terminated: Array
    truncated: Array


class Lanes:
    """`envs` environments of each seed, which take their steps side by side."""

    def __init__(self, sources: Sequence[Practice], envs: int):
        self.batches = [source.make(envs) for source in sources]
        self.envs = envs
        self.observations = self.batches[0].single_observation_space
        self.actions = self.batches[0].single_action_space

    def reset(self) -> Array:
        """The first observations: (seeds, envs, ...)."""
        return np.stack([batch.reset()[0] for batch in self.batches])

    def step(self, actions: Array) -> Step:
        """Take actions (seeds, envs)."""
        steps = []
        for batch, chosen in zip(self.batches, actions, strict=True):
            observation, *outcome, about = batch.step(chosen)
            steps.append((observation, about.get("final_obs", observation), *outcome))
        return Step(*(np.stack(column) for column in zip(*steps, strict=True)))

    def spaces(self, discount: float) -> Data:
        """A log without columns, for what networks ask of one: the spaces and the discount."""
        return Data({}, (), self.observations, self.actions, 1, discount)


class Flagged(Box):
    """The features of an observation, followed by 1 if it was met in practice, and 0 in a log."""

    def __init__(self, contexts: Space):
        super().__init__(-np.inf, np.inf, (flatdim(contexts) + 1,), np.float32)
        self.contexts = contexts

    def rows(self, observations: Array, practised: bool) -> Array:
        """Observations (n, ...) as those of this space: (n, size)."""
        numbers = features(self.contexts, observations).numpy()
        flags = np.full((len(numbers), 1), practised, np.float32)
        return np.concatenate([numbers, flags], 1)

    def log(self, data: Data) -> Data:
        """A log with observations of this space."""
        columns = {
            name: self.rows(data[name], practised=False)
            for name in ("observation", "next_observation")
        }
        return replace(data, columns={**data.columns, **columns}, observation_space=self)


def flag_set(net: Perceptrons) -> Perceptrons:
    """A network of flagged observations as one of observations that are met in practice."""
    first, bias, *others = (layer.detach() for layer in net.layers)
    return Perceptrons([first[:, :-1], bias + first[:, -1:], *others])


@dataclass
class Scales:
    """Numbers in observations as standard deviations from their mean, for each seed.

    They are those of the log, if there is one, else of all observations of the practice so far.
    Everything that is not a number of a Box is left as it is, and so are images.
    """

    mean: Tensor  # (seeds, numbers)
    variance: Tensor  # (seeds, numbers)
    rows: float = 0.0  # that both are of; -1 if they are fixed, or if nothing is rescaled
    rescales: bool = True

    @staticmethod
    def of(task: Task, logs: Sequence[Data]) -> "Scales":
        """The scales for the observations of a task, fixed if there are logs."""
        space: Any = task.data.observation_space
        shape = len(task.rngs), flatdim(space)
        scales = Scales(torch.zeros(shape), torch.ones(shape), -1.0)
        contexts = space.contexts if isinstance(space, Flagged) else space
        if not isinstance(contexts, Box) or image_size(contexts) is not None:
            scales.rescales = image_size(space) is None
            return scales
        if not logs:
            scales.rows = 0.0
            return scales
        numbers = flatdim(contexts)  # all but the flag
        for seed, log in enumerate(logs):
            seen = torch.as_tensor(log["observation"]).double().reshape(len(log), -1)[:, :numbers]
            scales.mean[seed, :numbers] = seen.mean(0)
            scales.variance[seed, :numbers] = seen.var(0, correction=0)
        return scales

    def update(self, seen: Tensor) -> None:
        """Take observations (seeds, rows, numbers) in, unless the scales are fixed."""
        if self.rows < 0:
            return
        count = seen.shape[1]
        total = self.rows + count
        shift = seen.mean(1) - self.mean
        # the parallel update of Chan, Golub and LeVeque (1983)
        squares = seen.var(1, correction=0) * count + self.variance * self.rows
        self.variance = (squares + shift.square() * (self.rows * count / total)) / total
        self.mean = self.mean + shift * (count / total)
        self.rows = total

    def standard(self, encoded: Tensor) -> Tensor:
        """Encoded observations (seeds, rows, ...), with numbers rescaled."""
        if not encoded.is_floating_point():
            return encoded
        return (encoded - self.mean[:, None]) / self.spread[:, None]

    @property
    def spread(self) -> Tensor:
        """Standard deviations: (seeds, numbers)."""
        return (self.variance + EPSILON).sqrt()

    def of_raw(self, net: Perceptrons, seed: int, space: Space) -> Perceptrons:
        """A seed's network of rescaled observations as one of what its policy sees."""
        if self.rescales and isinstance(space, Box):
            net = of_raw_inputs(net, self.mean[seed], 1 / self.spread[seed])
        return flag_set(net) if isinstance(space, Flagged) else net


def encoded_rows(encoder: Encoder, observations: Array) -> Array:
    """Observations (seeds, rows, ...) encoded: (seeds, rows, ...)."""
    seeds, rows, *shape = observations.shape
    columns = encoder.columns(observations.reshape(seeds * rows, *shape))
    return columns.reshape(seeds, rows, *columns.shape[1:])
