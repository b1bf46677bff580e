"""Deep Q-learning of all seeds at once, by practice, from nothing or from a log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, ClassVar

import numpy as np
import torch

from dosuite.causal import Array, InputError
from dosuite.envs import Data

from ..agent import OnlineAgent
from ..networks.encoder import Encoder
from ..networks.features import device_named
from ..networks.network_agent import NetworkAgent
from ..networks.network_policy import NetworkPolicy
from ..networks.training import BLOCK, DIVERGED, Minibatch, minibatches, train
from ..offline.base import Task, in_groups
from ..offline.fitted_q import QLearner, dqn_loss
from ..policy import Policy
from ..settings import at_least_one, check_actions, check_discount, one_of
from ..sources import Practice
from .lanes import Flagged, Lanes, Scales, Step, encoded_rows

STARTS = ("fresh", "log")
REPLAYS = ("practice", "both")
HEADS = ("kept", "fresh")
LEAST_EPSILON = 0.05


@dataclass(frozen=True)
class DQNLanes(NetworkAgent, OnlineAgent):
    """Deep Q-learning by practice, which trains all seeds at once.

    It is the algorithm of `dqn` online, with networks of this package: the Huber loss between
    Q(o, a) and r + discount max_b Q'(o', b), one gradient step per `envs` environment steps, and
    random actions with a probability that falls to 0.05 during the first half. Each environment
    draws its own random actions.

    With `start="log"` it learns from a log first, as `dqn` does, and continues from there. Online
    it replays the practice alone, or with `replay="both"` the log too, whose rows confound the
    values for good unless `labels` tell the network which rows are of the practice. With
    `head="fresh"` only the representation of the log is kept. With an empty log it starts fresh.

    Source: Mnih et al. (2015), Human-level control through deep reinforcement learning,
    algorithm 1; the setting of a log is that of Nair et al. (2020), AWAC.
    """

    name: ClassVar[str] = "dqn-lanes"
    rounds_up: ClassVar[bool] = True

    envs: int = 32
    sync: int = 50  # gradient steps between copies to the target network
    discount: float = 0.99  # upper limit of the discount online
    epsilon: float = 1.0  # initial fraction of random actions
    starts: int = 256  # steps of practice before the first gradient step, at most a quarter of all
    gradients: int = 1  # gradient steps for each `envs` steps of practice
    start: str = "fresh"  # or log
    replay: str = "practice"  # or both
    labels: bool = False  # whether the network is told which rows are of the practice
    head: str = "kept"  # or fresh: the last layer, after the log

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "envs", "sync", "starts", "gradients")
        check_discount(self)
        one_of(self, "start", STARTS)
        one_of(self, "replay", REPLAYS)
        one_of(self, "head", HEADS)
        if not LEAST_EPSILON <= self.epsilon <= 1:
            raise InputError(f"{self.name}: epsilon must be in [0.05, 1], and is {self.epsilon}")
        if self.start == "log":
            object.__setattr__(self, "needs", frozenset({"log"}))
            object.__setattr__(self, "learns", ("intervene",))
        elif self.replay == "both" or self.labels or self.head == "fresh":
            raise InputError(f"{self.name}: replay, labels and head are of a log; set start=log")

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
        pairs = list(zip(sources, logs, strict=True))
        keys = [(source.steps, self.updates_on(len(log))) for source, log in pairs]

        def learn(key: tuple[int, int], seeds: Sequence[int]) -> list[Policy | Exception]:
            lanes = Lanes([sources[seed] for seed in seeds], self.envs)
            check_actions(self, lanes.actions)
            own_rngs, own_logs = [rngs[seed] for seed in seeds], [logs[seed] for seed in seeds]
            practice = Practised(self, lanes, own_rngs, own_logs, sources[0].discount)
            return practice.learned(*key)

        return in_groups(keys, learn)

    def _log_of(self, source: Practice) -> Any:
        """The log of a source; nothing if the agent starts fresh."""
        return source.log_for(self.name) if self.start == "log" else ()


class Practised:
    """The networks of all seeds, and the lanes in which they practise."""

    def __init__(
        self,
        agent: DQNLanes,
        lanes: Lanes,
        rngs: Sequence[np.random.Generator],
        logs: Sequence[Data],
        discount: float,
    ):
        self.agent = agent
        self.lanes = lanes
        self.rngs = rngs
        self.space = lanes.observations
        self.logs: Sequence[Data] = logs if all(len(log) for log in logs) else []
        if agent.labels:
            self.space = flagged = Flagged(lanes.observations)
            self.logs = [flagged.log(log) for log in self.logs]
        spaces = replace(lanes.spaces(discount), observation_space=self.space)
        encoder = Encoder(self.space, agent.batch, device_named(agent.device))
        self.task = Task([spaces] * len(rngs), rngs, encoder, agent.layers)
        self.learner = QLearner(self.task, dqn_loss, agent.sync)
        self.scales = Scales.of(self.task, self.logs)

    def learned(self, steps: int, updates: int) -> list[Policy | Exception]:
        """Learn from the logs, if there are any, and from so many steps of each practice."""
        finite = np.ones(len(self.rngs), dtype=bool)
        if self.logs:
            finite &= self._learned_from_logs(updates)
        data = self.task.data
        online = replace(data, discount=min(data.discount, self.agent.discount))
        self.learner.task = replace(self.task, sources=[online])
        self.learner.steps = 0
        with np.errstate(all="ignore"):  # a seed may diverge
            finite &= train(self.learner, len(self.rngs), self._batches(steps), self.agent).finite
        return [
            self._policy(seed) if finite[seed] else FloatingPointError(DIVERGED)
            for seed in range(len(self.rngs))
        ]

    def _learned_from_logs(self, updates: int) -> Any:
        """Train on the logs; whether each seed's loss stayed finite."""
        task = self.task
        drawn = minibatches(self.logs, self.rngs, updates, self.agent.batch, task.encoder)
        scaled = (
            replace(
                batch,
                observation=self.scales.standard(batch.observation),
                next_observation=self.scales.standard(batch.next_observation),
            )
            for batch in drawn
        )
        finite = train(self.learner, len(self.rngs), scaled, self.agent).finite
        if self.agent.head == "fresh":
            fresh = task.networks(task.actions)
            for mine, new in zip(self.learner.values.layers[-2:], fresh.layers[-2:], strict=True):
                mine.data.copy_(new.data)
        return finite

    def _batches(self, steps: int) -> Iterator[Minibatch]:
        """Minibatches of what was practised so far, each after a step of all environments."""
        agent, lanes = self.agent, self.lanes
        rounds = ceil(steps / lanes.envs)
        starts = min(agent.starts, steps // 4)
        replay = Replay(self, rounds)
        seen = self._shown(lanes.reset())
        for done in range(rounds):
            part = min(1.0, 2 * done / rounds)  # of the fall of epsilon
            epsilon = agent.epsilon + part * (LEAST_EPSILON - agent.epsilon)
            self.scales.update(self.task.encoder.tensor(seen))
            actions = self._actions(seen, epsilon)
            step = lanes.step(actions)
            following = self._shown(step.following)
            replay.add(seen, actions, step, following)
            # of episodes that go on, what the step led to is what is seen next
            seen = self._shown(step.observation) if self._any_ended(step) else following
            if (done + 1) * lanes.envs > starts:
                for _ in range(agent.gradients):
                    yield replay.draw()

    @staticmethod
    def _any_ended(step: Step) -> bool:
        return bool(step.terminated.any() or step.truncated.any())

    def _shown(self, observations: Array) -> Array:
        """Observations (seeds, envs, ...) as they are encoded."""
        if isinstance(self.space, Flagged):
            flat = observations.reshape(-1, *observations.shape[2:])
            rows = self.space.rows(flat, practised=True)
            return rows.reshape(*observations.shape[:2], -1)
        return encoded_rows(self.task.encoder, observations)

    @torch.no_grad()
    def _actions(self, seen: Array, epsilon: float) -> Array:
        """Actions (seeds, envs): the best by the networks, or with probability epsilon any."""
        encoder = self.task.encoder
        shown = self.scales.standard(encoder.tensor(seen))
        best = encoder.outputs(self.learner.values, shown).argmax(-1).cpu().numpy()
        envs, actions = self.lanes.envs, self.task.actions
        for seed, rng in enumerate(self.rngs):
            drawn = rng.random((2, envs))
            explores = drawn[0] < epsilon
            best[seed, explores] = (drawn[1, explores] * actions).astype(np.int64)
        return best

    def _policy(self, seed: int) -> Policy:
        """The greedy policy of a seed."""
        values = self.scales.of_raw(self.learner.values.only([seed]), seed, self.space)
        return NetworkPolicy(self.lanes.observations, values)


class Replay:
    """Replay buffers of all seeds, which keep the whole practice, after the rows of a log.

    Arrays are (seeds, rows, ...).
    """

    def __init__(self, practised: Practised, rounds: int):
        self.practised = practised
        self.encoder = practised.task.encoder
        self.envs = practised.lanes.envs
        logs = practised.logs if practised.agent.replay == "both" else []
        seeds = len(practised.rngs)
        self.first = np.array([len(log) for log in logs] or [0] * seeds)
        self.added = 0
        self.capacity = int(self.first.max()) + rounds * self.envs
        self.columns: list[Array] = []
        for seed, log in enumerate(logs):
            self._write(np.array([seed]), np.arange(len(log))[None], self._of_log(log))
        self.draws: Iterator[Array] = iter(())

    def _of_log(self, log: Data) -> list[Array]:
        return [
            self.encoder.columns(log["observation"])[None],
            log["action"][None].astype(np.int64),
            log["reward"][None].astype(np.float32),
            self.encoder.columns(log["next_observation"])[None],
            (~log["terminated"])[None].astype(np.float32),
        ]

    def add(self, seen: Array, actions: Array, step: Step, following: Array) -> None:
        """Add a step of all environments."""
        rows = self.first[:, None] + self.added + np.arange(self.envs)
        going_on = (~step.terminated).astype(np.float32)
        columns = [seen, actions, step.reward.astype(np.float32), following, going_on]
        self._write(np.arange(len(rows)), rows, columns)
        self.added += self.envs

    def _write(self, seeds: Array, rows: Array, columns: list[Array]) -> None:
        if not self.columns:
            shape = len(self.first), self.capacity
            self.columns = [np.zeros((*shape, *each.shape[2:]), each.dtype) for each in columns]
        for mine, new in zip(self.columns, columns, strict=True):
            mine[seeds[:, None], rows] = new

    def draw(self) -> Minibatch:
        """A minibatch of each seed, drawn with replacement by its own generator."""
        uniform = next(self.draws, None)
        if uniform is None:
            self.draws = iter(self._drawn())
            uniform = next(self.draws)
        rows = (uniform * (self.first + self.added)[:, None]).astype(np.int64)
        rows += np.arange(0, len(rows) * self.capacity, self.capacity)[:, None]
        observation, action, reward, following, going_on = (
            self.encoder.tensor(column.reshape(-1, *column.shape[2:]).take(rows, 0))
            for column in self.columns
        )
        standard = self.practised.scales.standard
        return Minibatch(standard(observation), action, reward, standard(following), going_on)

    def _drawn(self) -> Array:
        """Uniform numbers for several minibatches: (BLOCK, seeds, batch)."""
        batch = self.practised.agent.batch
        return np.stack([rng.random((BLOCK, batch)) for rng in self.practised.rngs], 1)
