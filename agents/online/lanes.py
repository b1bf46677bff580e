"""Practice of all seeds at once: the environments of each seed are a lane beside the others'."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from gymnasium.spaces import Box, flatdim
from torch import Tensor

from dosuite.causal import Array
from dosuite.envs import Data, Space

from ..agent import OnlineAgent
from ..networks.encoder import Encoder
from ..networks.features import device_named, features, image_size
from ..networks.network_agent import NetworkAgent
from ..networks.perceptrons import Perceptrons
from ..networks.rescaling import of_raw_inputs
from ..networks.training import DIVERGED, Learner
from ..offline.base import Task, in_groups
from ..points import PointsAhead, check_points, points_of
from ..policy import Policy
from ..settings import at_least_one, check_actions, check_discount, one_of
from ..sources import Practice

STARTS = ("fresh", "log")
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


@dataclass(frozen=True)
class LanesAgent(NetworkAgent, OnlineAgent):
    """An agent that practises with all seeds at once, from nothing or, with `start="log"`, a log.

    Each seed learns exactly what it learns alone. Raises InputError if a setting is out of range.
    """

    rounds_up: ClassVar[bool] = True

    envs: int = 64
    discount: float = 0.99  # upper limit of the discount in practice
    start: str = "fresh"  # or log
    # of the practice: the value is read before it, and after 1/2, 1/4, ... 1/2^points of its steps
    points: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "envs")
        check_points(self)
        check_discount(self)
        one_of(self, "start", STARTS)
        if self.start == "log":
            object.__setattr__(self, "needs", frozenset({"log"}))
            object.__setattr__(self, "learns", ("intervene",))

    def learn_from(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Learn for the steps of the practice, rounded up to whole steps of all environments.

        Raises FloatingPointError if the loss becomes infinite or NaN.
        """
        (policy,) = self.learn_all([source], [rng])
        if isinstance(policy, Exception):
            raise policy
        return policy

    def learn_all(
        self, sources: Sequence[Practice], rngs: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        """Learn from practices of one task; returns for each seed its policy, or its error."""
        logs = [self._log_of(source) for source in sources]
        pairs = zip(sources, logs, strict=True)
        keys = [(source.steps, self.updates_on(len(log))) for source, log in pairs]

        def learn(key: tuple[int, int], seeds: Sequence[int]) -> list[Policy | Exception]:
            lanes = Lanes([sources[seed] for seed in seeds], self.envs)
            check_actions(self, lanes.actions)
            own_rngs, own_logs = [rngs[seed] for seed in seeds], [logs[seed] for seed in seeds]
            practised = self._practised()(self, lanes, own_rngs, own_logs, sources[0].discount)
            practised.ahead = PointsAhead(points_of(key[0], self.points))
            return practised.learned(*key)

        return in_groups(keys, learn)

    def _log_of(self, source: Practice) -> Any:
        """The log of a source; nothing if the agent starts fresh."""
        return source.log_for(self.name) if self.start == "log" else ()

    @abstractmethod
    def _practised(self) -> Callable[..., "Practised"]:
        """The class of what learns in the lanes, which takes an agent and the rest of the arguments
        of `Practised` but the space.
        """


class Practised(ABC):
    """The networks of all seeds, and the lanes in which they practise.

    `logs` is empty if one of the logs is; `space` is that of what the networks see.
    """

    learner: Learner

    def __init__(
        self,
        agent: LanesAgent,
        lanes: Lanes,
        rngs: Sequence[np.random.Generator],
        logs: Sequence[Data],
        discount: float,
        space: Space,
    ):
        self.lanes = lanes
        self.rngs = rngs
        self.logs = logs if all(len(log) for log in logs) else []
        spaces = replace(lanes.spaces(discount), observation_space=space)
        encoder = Encoder(space, agent.batch, device_named(agent.device))
        self.task = Task([spaces] * len(rngs), rngs, encoder, agent.layers)
        self.scales = Scales.of(self.task, self.logs)
        self.ahead = PointsAhead()  # steps after which the policies are kept
        self.kept: dict[int, list[Policy]] = {}

    @abstractmethod
    def learned(self, steps: int, updates: int) -> list[Policy | Exception]:
        """Learn from the logs, if there are any, by so many updates, and from so many steps of each
        practice.
        """

    @abstractmethod
    def policy(self, seed: int) -> Policy:
        """The policy of a seed."""

    def reached(self, steps: int) -> None:
        """Keep the policies that so many steps led to, if that is at a point or beyond it."""
        if self.ahead.reached(steps):
            self.kept[steps] = [self.policy(seed) for seed in range(len(self.rngs))]

    def policies(self, finite: Array) -> list[Policy | Exception]:
        """The policy of each seed, or its error where the loss did not stay finite."""
        return [
            self._with_earlier(seed) if stayed else FloatingPointError(DIVERGED)
            for seed, stayed in enumerate(finite)
        ]

    def _with_earlier(self, seed: int) -> Policy:
        policy = self.policy(seed)
        if self.kept:
            policy.earlier = {steps: kept[seed] for steps, kept in self.kept.items()}
        return policy
