"""Deep Q-learning of all seeds at once, by practice, from nothing or from a log."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, ClassVar

import numpy as np
import torch

from dosuite.causal import Array, InputError
from dosuite.envs import Data

from ..networks.network_policy import NetworkPolicy
from ..networks.training import BLOCK, Minibatch, minibatches, train
from ..offline.fitted_q import QLearner, dqn_loss
from ..policy import Policy
from ..settings import at_least_one, one_of
from .lanes import Flagged, Lanes, LanesAgent, Practised, Step, encoded_rows

REPLAYS = ("practice", "both")
HEADS = ("kept", "fresh")
LEAST_EPSILON = 0.05


@dataclass(frozen=True)
class DQNLanes(LanesAgent):
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
    envs: int = 32
    sync: int = 50  # gradient steps between copies to the target network
    epsilon: float = 1.0  # initial fraction of random actions
    starts: int = 256  # steps of practice before the first gradient step, at most a quarter of all
    gradients: int = 1  # gradient steps for each `envs` steps of practice
    replay: str = "practice"  # or both
    labels: bool = False  # whether the network is told which rows are of the practice
    head: str = "kept"  # or fresh: the last layer, after the log

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "sync", "starts", "gradients")
        one_of(self, "replay", REPLAYS)
        one_of(self, "head", HEADS)
        if not LEAST_EPSILON <= self.epsilon <= 1:
            raise InputError(f"{self.name}: epsilon must be in [0.05, 1], and is {self.epsilon}")
        if self.start == "fresh" and (self.replay == "both" or self.labels or self.head == "fresh"):
            raise InputError(f"{self.name}: replay, labels and head are of a log; set start=log")

    def _practised(self) -> Callable[..., "Replayed"]:
        return Replayed


class Replayed(Practised):
    """The networks of all seeds, and the lanes in which they practise."""

    def __init__(
        self,
        agent: DQNLanes,
        lanes: Lanes,
        rngs: Sequence[np.random.Generator],
        logs: Sequence[Data],
        discount: float,
    ):
        self.space = lanes.observations
        if agent.labels:
            self.space = flagged = Flagged(lanes.observations)
            logs = [flagged.log(log) for log in logs] if all(map(len, logs)) else []
        super().__init__(agent, lanes, rngs, logs, discount, self.space)
        self.agent = agent
        self.learner: QLearner = QLearner(self.task, dqn_loss, agent.sync)

    def learned(self, steps: int, updates: int) -> list[Policy | Exception]:
        finite = np.ones(len(self.rngs), dtype=bool)
        if self.logs:
            finite &= self._learned_from_logs(updates)
        data = self.task.data
        online = replace(data, discount=min(data.discount, self.agent.discount))
        self.learner.task = replace(self.task, sources=[online])
        self.learner.steps = 0
        with np.errstate(all="ignore"):  # a seed may diverge
            finite &= train(self.learner, len(self.rngs), self._batches(steps), self.agent).finite
        return self.policies(finite)

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
            self.reached(done * lanes.envs)
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

    def policy(self, seed: int) -> Policy:
        """The greedy policy of a seed."""
        values = self.scales.of_raw(self.learner.values.only([seed]), seed, self.space)
        return NetworkPolicy(self.lanes.observations, values)


class Replay:
    """Replay buffers of all seeds, which keep the whole practice, after the rows of a log.

    Arrays are (seeds, rows, ...).
    """

    def __init__(self, practised: Replayed, rounds: int):
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
