"""The Decision Transformer:

a model of the sequence of returns, observations and actions, that acts by asking for a return.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium.spaces import Discrete, flatdim
from torch import Tensor, nn

from dosuite.causal import Array, InputError
from dosuite.causal.errors import did_you_mean
from dosuite.causal.exact import greedy
from dosuite.envs import Data, Space, choices

from ..agent import ContinuousPolicy, MemoryPolicy, Player, Policy
from ..networks.encoder import Encoder
from ..networks.features import device_named, features
from ..networks.perceptrons import Perceptrons
from ..networks.training import Learner, train
from ..networks.transformer import Transformer
from ..networks.windows import Episodes, Scales, Windows, windows_of
from ..settings import at_least_one
from .base import DIVERGED, OfflineAgent, Task, taken

MODES = ("evidence", "masked")


@dataclass(frozen=True)
class DecisionTransformer(OfflineAgent):
    """Predicts the action from the last steps and the return that is still to come, and acts by
    asking for a high one.

    At first that is a quantile of the log's returns, with the task's discount, and then what is
    left of it, within the returns to go that the log has. A step is one token, where the paper has
    three: its observation and return to go, and the action and reward of the step before, so that
    nothing is lost. There is no dropout.

    With `actions="evidence"` the past actions in the history are taken to be the behaviour
    policy's, as all in the log are. So they tell of what it knew, and the model, which acts by its
    own predictions, is convinced by its own choices. To ask for a return is a choice by evidence
    too: of what it goes with in the log.

    With `actions="masked"` they are interventions: of a labelled mixed log it learns from the
    episodes alone in which an experimenter drew the actions, and masks the behaviour policy's.
    There an action tells nothing of what is hidden, and what came of it does. That cures delusion
    and confounding. It does not cure what the model takes for skill and is luck, nor is one action
    of a long episode told from chance by the return without many episodes. To leave the actions out
    of the history of a log without experiments would cure neither, for then nothing says what they
    led to.

    Source: Chen et al. (2021), Decision Transformer: reinforcement learning via sequence modeling,
    algorithm 1; actions as interventions: Ortega et al. (2021), Shaking the foundations."""

    name: ClassVar[str] = "decision-transformer"
    acts_in_a_box: ClassVar[bool] = True

    actions: str = "evidence"  # or masked, which needs labels and a mixed log
    aim: float = 0.9  # the quantile of the log's returns that is asked for
    # of the logits of few actions: 0 takes the likeliest, 1 draws as the behaviour policy did
    temperature: float = 0.0
    context: int = 20  # steps that are remembered
    layers: int = 1
    heads: int = 2  # of attention, which share the hidden units
    batch: int = 512  # steps of a minibatch, in windows of `context`
    updates: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "context", "layers", "heads", "updates")
        if self.actions not in MODES:
            raise InputError(
                f"{self.name}: actions must be evidence or masked; "
                f"{did_you_mean(self.actions, MODES)}"
            )
        if not 0 <= self.aim <= 1:
            raise InputError(f"{self.name}: aim must be between 0 and 1, and is {self.aim}")
        if not 0 <= self.temperature < np.inf:
            raise InputError(
                f"{self.name}: temperature must be at least 0, and is {self.temperature}"
            )
        if self.hidden % self.heads:
            raise InputError(
                f"{self.name}: hidden must be a multiple of heads, and is {self.hidden} for "
                f"{self.heads}"
            )
        if self.actions == "masked":
            object.__setattr__(self, "needs", frozenset({"labels"}))

    def learn_all(
        self, sources: Sequence[Data], rngs: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        """Learn from logs of one task: what each seed has learned, or the error that stopped it.

        Raises InputError if actions are masked and a log has none of an experimenter.
        """
        used = [_experiment(source) for source in sources] if self.actions == "masked" else sources
        encoder = Encoder(used[0].observation_space, self.batch, device_named(self.device))
        learner = self._learner(Task(used, rngs, encoder, self.hidden))
        finite = train(learner, len(rngs), learner.batches(), self.rate)
        return [
            learner.policy(seed) if ok else FloatingPointError(DIVERGED)
            for seed, ok in enumerate(finite)
        ]

    def _updates(self, horizon: int) -> int:
        return self.updates

    def _learner(self, task: Task) -> "SequenceLearner":
        return SequenceLearner(task, self)


def _experiment(data: Data) -> Data:
    """The rows of the episodes in which an experimenter acted."""
    rows = data["regime"] == 1
    if not rows.any():
        raise InputError(
            "decision-transformer: masked actions need episodes in which an experimenter acted; "
            "take a mixed log"
        )
    return data.at(rows)


class Sequencer(nn.Module):
    """The networks.

    The token of a step is the sum of what they make of its observation, its number and its past.
    """

    def __init__(
        self, see: Perceptrons, count: Perceptrons, recall: Perceptrons, body: Transformer
    ):
        super().__init__()
        self.see, self.count, self.recall, self.body = see, count, recall, body

    def only(self, members: Sequence[int]) -> "Sequencer":
        """A copy of some members, on the CPU."""
        return Sequencer(
            self.see.only(members),
            self.count.only(members),
            self.recall.only(members),
            self.body.only(members),
        )


class SequenceLearner(Learner):
    """The networks of each seed.

    Their loss is the cross-entropy of the actions, or the squared error if they are numbers.
    """

    def __init__(self, task: Task, agent: DecisionTransformer):
        super().__init__()
        data, seen = task.data, task.encoder
        self.task, self.agent = task, agent
        self.logs = [Episodes(source) for source in task.sources]
        self.steps = min(agent.context, data.horizon)
        self.encoders = seen, Encoder(Discrete(data.horizon), agent.batch, seen.device)
        outputs = choices(data.action_space) if isinstance(data.action_space, Discrete) else 1
        inputs = flatdim(data.observation_space), data.horizon, 2 + outputs
        see, count, recall = (Perceptrons.drawn([size, task.hidden], task.rngs) for size in inputs)
        body = Transformer.drawn(task.hidden, outputs, agent.layers, agent.heads, task.rngs)
        self.net = Sequencer(see, count, recall, body).to(seen.device)

    def batches(self) -> Any:
        """All minibatches of windows."""
        shape = ceil(self.agent.batch / self.steps), self.steps
        return windows_of(self.logs, self.task.rngs, self.agent.updates, shape, self.encoders)

    def forward(self, batch: Windows) -> Tensor:  # type: ignore[override]
        """The mean loss of each seed over the steps that weigh."""
        see, count = self.encoders
        token = (
            see.outputs(self.net.see, batch.observation)
            + count.outputs(self.net.count, batch.step)
            + self.net.recall(batch.past)
        )
        outputs = self.net.body(token.unflatten(1, (-1, self.steps))).flatten(1, 2)
        if batch.wanted.is_floating_point():
            loss = (outputs[..., 0] - batch.wanted).square()
        else:
            loss = -taken(outputs.log_softmax(-1), batch.wanted)
        mean: Tensor = (loss * batch.weight).sum(1) / batch.weight.sum(1)
        return mean

    def policy(self, seed: int) -> Policy:
        """The networks of a seed, and what they are to ask for."""
        log, agent = self.logs[seed], self.agent
        aim = Aim(
            float(np.quantile(log.returns, agent.aim)),
            float(log.to_go.min()),
            float(log.to_go.max()),
            log.data.discount,
        )
        spaces = log.data.observation_space, log.data.action_space
        kind = SequencePolicy if log.scales.action is None else SequenceMean
        return kind(
            self.net.only([seed]),
            *spaces,
            log.data.horizon,
            log.scales,
            aim,
            self.steps,
            agent.temperature,
        )


@dataclass(frozen=True)
class Aim:
    """The return that is asked for:

    at first this much, and then what is left of it, within what the log has.
    """

    first: float
    least: float  # return to go of any step in the log
    most: float
    discount: float

    def after(self, aim: Array, rewards: Array) -> Array:
        """What is left of an aim after a step with these rewards: (n,)."""
        return np.clip((aim - rewards) / self.discount, self.least, self.most)


class SequencePolicy(MemoryPolicy):
    """Acts by the action that is predicted for the return that is asked for.

    It remembers the last `context` steps.
    """

    def __init__(
        self,
        net: Sequencer,
        space: Space,
        actions: Space,
        horizon: int,
        scales: Scales,
        aim: Aim,
        context: int,
        temperature: float,
    ):
        self.net, self.space, self.actions, self.horizon, self.scales = (
            net,
            space,
            actions,
            horizon,
            scales,
        )
        self.aim, self.context, self.temperature = aim, context, temperature

    def play(self, episodes: int, rng: np.random.Generator) -> Player:
        """Begin so many episodes. Their own actions enter the history as those of the log do."""
        return _Playing(self, episodes, rng)

    def probabilities(self, observations: Array) -> Array:
        """Those of the first step."""
        nothing = np.zeros(len(observations))
        return self._weigh(
            _Playing(self, len(observations), np.random.default_rng(0)).outputs(
                observations, nothing
            )
        )

    def choose(self, outputs: Tensor, rng: np.random.Generator) -> Array:
        """An action for each of the outputs, (n, actions) to (n,)."""
        bounds = self._weigh(outputs).cumsum(axis=1)
        return np.asarray((rng.random((len(bounds), 1)) * bounds[:, -1:] >= bounds).sum(axis=1))

    def _weigh(self, logits: Tensor) -> Array:
        """Softmax of the logits at the temperature;

        at 0 the likeliest has it all, and ties are shared.
        """
        if self.temperature == 0:
            return greedy(np.asarray(logits.numpy()))
        return np.asarray((logits.double() / self.temperature).softmax(1).numpy())


class SequenceMean(ContinuousPolicy, SequencePolicy):
    """The same where the action is a number: the mean is predicted, and done."""

    def choose(self, outputs: Tensor, rng: np.random.Generator) -> Array:
        """The mean action, or the bound that it passes: (n, 1) to (n,)."""
        space: Any = self.actions
        scale: Any = self.scales.action
        return np.asarray(
            np.clip(
                scale.mean + scale.spread * outputs[:, 0].double().numpy(),
                space.low[0],
                space.high[0],
            )
        )

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """What is done at the first step."""
        return self.play(len(observations), rng)(observations, np.zeros(len(observations)))


class _Playing:
    """Some episodes side by side:

    the tokens of their last steps, what they have done last, and what is left to ask for.
    """

    def __init__(self, policy: SequencePolicy, episodes: int, rng: np.random.Generator):
        self.policy, self.rng, self.step = policy, rng, 0
        self.left, self.did = np.full(episodes, policy.aim.first), np.zeros(episodes)
        self.tokens: list[Tensor] = []

    def __call__(self, observations: Array, rewards: Array) -> Array:
        """What to do:

        observations (n, ...) and the rewards of the step before (n,) to actions (n,).
        """
        self.did = self.policy.choose(self.outputs(observations, rewards), self.rng)
        return self.did

    @torch.no_grad()
    def outputs(self, observations: Array, rewards: Array) -> Tensor:
        """What the network makes of the step that begins: (n, outputs)."""
        policy, net = self.policy, self.policy.net
        self.left = policy.aim.after(self.left, rewards) if self.step else self.left
        past = policy.scales.past(
            self.left, rewards, self.did, np.full(len(rewards), self.step > 0), policy.actions
        )
        number = features(Discrete(policy.horizon), np.array([min(self.step, policy.horizon - 1)]))
        token = (
            net.see(features(policy.space, observations)[None])
            + net.count(number[None])
            + net.recall(past[None])
        )
        self.tokens, self.step = [*self.tokens, token][-policy.context :], self.step + 1
        return net.body(torch.stack(self.tokens, 2), last=True)[0, :, 0]  # type: ignore[no-any-return]
