"""The Decision Transformer: a sequence model of actions, conditioned on a desired return."""

from collections.abc import Iterator, Sequence
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

from ..networks.encoder import Encoder
from ..networks.features import features, image_size
from ..networks.perceptrons import Perceptrons
from ..networks.training import Learner
from ..networks.transformer import Transformer
from ..networks.windows import Episodes, Windows, WindowScales, windows_of
from ..policy import ContinuousPolicy, MemoryPolicy, Player, Policy, sample_actions
from ..settings import at_least_one, check_actions, check_labels
from .base import BatchedAgent, Task, taken

MODES = ("evidence", "masked")


@dataclass(frozen=True)
class DecisionTransformer(BatchedAgent):
    """Predicts actions from the recent history and the return to go, and asks for a high return.

    It minimises the cross-entropy (of real-valued actions, the squared error) of the logged action
    given the last `context` steps. It then acts by its own predictions: at the first step for a
    quantile of the returns in the log, later for the remainder (R - r) / discount, within the range
    of the returns to go in the log. A step is one token: its observation, return to go and number,
    and the action and reward of the step before. (The paper has three tokens a step.) There is no
    dropout.

    With `actions="evidence"` past actions are treated as those of the behaviour policy, which all
    actions in the log are. They are evidence of what that policy knew, so a model that acts by its
    own predictions takes its own choices for evidence ("delusion"). Asking for a return is a choice
    by evidence too: by what goes with that return in the log.

    With `returns=False` it is told no returns: it clones the behaviour policy given the history.

    With `actions="masked"` actions are interventions: it learns from the episodes of a labelled
    mixed log in which an experimenter drew the actions. There an action is no evidence of hidden
    causes, while its consequences are, which cures delusion and confounding. It does not separate
    skill from luck, and it needs many episodes to credit single actions of a long one. Dropping the
    actions from the history of a log without experiments would cure neither, since nothing would
    say what they led to.

    Source: Chen et al. (2021), Decision Transformer: reinforcement learning via sequence modeling,
    algorithm 1; actions as interventions: Ortega et al. (2021), Shaking the foundations.
    """

    name: ClassVar[str] = "decision-transformer"
    acts_in_a_box: ClassVar[bool] = True

    actions: str = "evidence"  # or masked, which needs labels and a mixed log
    # whether it is told returns; without them it imitates the log, and has nothing to ask for
    returns: bool = True
    aim: float = 0.8  # quantile of the returns in the log that it asks for
    # of the logits of discrete actions: 0 takes the most likely, 1 samples as the behaviour policy
    temperature: float = 0.0
    context: int = 20  # steps of history
    depth: int = 1  # blocks of attention
    heads: int = 2  # of attention, which share the hidden units
    batch: int = 512  # steps of a minibatch, in windows of `context`
    rate: float = 3e-4
    hidden: int = 64
    decay: float = 1e-3
    updates: int = 2000

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "context", "heads")
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
        """Learn from logs of one task; returns for each seed its policy, or its error.

        Raises InputError if actions are masked and a log has no episodes of an experimenter.
        """
        check_actions(self, sources[0].action_space)
        if self.actions == "masked":
            sources = [self._experiment(source) for source in sources]
        return super().learn_all(sources, rngs)

    def _minibatches(self, task: Task, learner: Any) -> Iterator[Windows]:
        return learner.batches()  # type: ignore[no-any-return]

    def _experiment(self, data: Data) -> Data:
        """The rows of the episodes in which an experimenter acted."""
        check_labels(self, data)
        rows = data["regime"] == 1
        if not rows.any():
            raise InputError(
                f"{self.name}: masked actions need episodes in which an experimenter acted; "
                "take a mixed log"
            )
        return data.at(rows)

    def _learner(self, task: Task) -> "SequenceLearner":
        return SequenceLearner(task, self)


class Sequencer(nn.Module):
    """The networks of a model.

    The token of a step is the sum of the embeddings of its observation (`see`), its number
    (`count`) and its past (`recall`); `body` maps tokens to predictions.
    """

    def __init__(
        self, see: Perceptrons, count: Perceptrons, recall: Perceptrons, body: Transformer
    ):
        super().__init__()
        self.see = see
        self.count = count
        self.recall = recall
        self.body = body

    def only(self, members: Sequence[int]) -> "Sequencer":
        """A copy of some members, on the CPU."""
        see, count, recall = (net.only(members) for net in (self.see, self.count, self.recall))
        return Sequencer(see, count, recall, self.body.only(members))


class SequenceLearner(Learner):
    """The networks of each seed, and their cross-entropy or squared error."""

    def __init__(self, task: Task, agent: DecisionTransformer):
        super().__init__()
        data, encoder = task.data, task.encoder
        self.task = task
        self.agent = agent
        self.logs = [Episodes(source, agent.returns) for source in task.sources]
        self.steps = min(agent.context, data.horizon)
        self.encoders = encoder, Encoder(Discrete(data.horizon), agent.batch, encoder.device)
        is_discrete = isinstance(data.action_space, Discrete)
        outputs = choices(data.action_space) if is_discrete else 1
        width, rngs = agent.hidden, task.rngs
        space = data.observation_space
        see = Perceptrons.drawn([flatdim(space), width], rngs, image_size(space))
        count = Perceptrons.drawn([data.horizon, width], rngs)
        recall = Perceptrons.drawn([2 + outputs, width], rngs)
        body = Transformer.drawn(width, outputs, agent.depth, agent.heads, rngs)
        self.net = Sequencer(see, count, recall, body).to(encoder.device)

    def batches(self) -> Iterator[Windows]:
        """All minibatches of windows."""
        shape = ceil(self.agent.batch / self.steps), self.steps
        return windows_of(self.logs, self.task.rngs, self.task.updates, shape, self.encoders)

    def forward(self, batch: Windows) -> Tensor:  # type: ignore[override]
        """The mean loss of each seed over the steps of its windows."""
        encoder, step_encoder = self.encoders
        tokens = (
            encoder.outputs(self.net.see, batch.observation)
            + step_encoder.outputs(self.net.count, batch.step)
            + self.net.recall(batch.past)
        )
        outputs = self.net.body(tokens.unflatten(1, (-1, self.steps))).flatten(1, 2)
        if batch.target.is_floating_point():
            loss = (outputs[..., 0] - batch.target).square()
        else:
            loss = -taken(outputs.log_softmax(-1), batch.target)
        mean: Tensor = (loss * batch.weight).sum(1) / batch.weight.sum(1)
        return mean

    def policy(self, seed: int) -> Policy:
        """The networks of a seed, and the return that it asks for."""
        log, agent = self.logs[seed], self.agent
        aim = Aim(
            float(np.quantile(log.returns, agent.aim)),
            float(log.to_go.min()),
            float(log.to_go.max()),
            log.data.discount,
        )
        kind = SequencePolicy if log.scales.action is None else SequenceMean
        return kind(
            self.net.only([seed]),
            log.data.observation_space,
            log.data.action_space,
            log.data.horizon,
            log.scales,
            aim,
            self.steps,
            agent.temperature,
        )


@dataclass(frozen=True)
class Aim:
    """The return to ask for: `first`, and then the remainder, clipped to [least, most]."""

    first: float
    least: float  # least and greatest return to go of any step in the log
    most: float
    discount: float

    def after(self, aim: Array, rewards: Array) -> Array:
        """The aim after a step with these rewards: (n,)."""
        return np.clip((aim - rewards) / self.discount, self.least, self.most)


class SequencePolicy(MemoryPolicy):
    """Acts by the prediction for the return it asks for, given the last `context` steps."""

    def __init__(
        self,
        net: Sequencer,
        space: Space,
        actions: Space,
        horizon: int,
        scales: WindowScales,
        aim: Aim,
        context: int,
        temperature: float,
    ):
        self.net = net
        self.space = space
        self.actions = actions
        self.horizon = horizon
        self.scales = scales
        self.aim = aim
        self.context = context
        self.temperature = temperature

    def play(self, episodes: int, rng: np.random.Generator) -> Player:
        """Start `episodes` parallel episodes, with its own actions in the history."""
        return _Playing(self, episodes, rng)

    def probabilities(self, observations: Array) -> Array:
        """The action probabilities at the first step."""
        playing = _Playing(self, len(observations), np.random.default_rng(0))
        return self._weigh(playing.outputs(observations, np.zeros(len(observations))))

    def choose(self, outputs: Tensor, rng: np.random.Generator) -> Array:
        """Sample an action from each row of outputs: (n, actions) to (n,)."""
        return sample_actions(self._weigh(outputs), rng)

    def _weigh(self, logits: Tensor) -> Array:
        """Softmax of the logits at the temperature; at 0 the mode, and ties are split evenly."""
        if self.temperature == 0:
            return greedy(np.asarray(logits.numpy()))
        return np.asarray((logits.double() / self.temperature).softmax(1).numpy())


class SequenceMean(ContinuousPolicy, SequencePolicy):
    """The same for real-valued actions: it takes the predicted mean."""

    def choose(self, outputs: Tensor, rng: np.random.Generator) -> Array:
        """The mean action, clipped to the bounds: (n, 1) to (n,)."""
        space: Any = self.actions
        scale: Any = self.scales.action
        mean = scale.mean + scale.spread * outputs[:, 0].double().numpy()
        return np.asarray(np.clip(mean, space.low[0], space.high[0]))

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The actions at the first step."""
        return self.play(len(observations), rng)(observations, np.zeros(len(observations)))


class _Playing:
    """Parallel episodes: their last tokens, their last actions, and the returns still asked for."""

    def __init__(self, policy: SequencePolicy, episodes: int, rng: np.random.Generator):
        self.policy = policy
        self.rng = rng
        self.step = 0
        self.to_go = np.full(episodes, policy.aim.first)
        self.last_actions = np.zeros(episodes)
        self.tokens: list[Tensor] = []

    def __call__(self, observations: Array, rewards: Array) -> Array:
        """Act: observations (n, ...) and rewards of the step before (n,) to actions (n,)."""
        self.last_actions = self.policy.choose(self.outputs(observations, rewards), self.rng)
        return self.last_actions

    @torch.no_grad()
    def outputs(self, observations: Array, rewards: Array) -> Tensor:
        """The predictions of the network for the step that begins: (n, outputs)."""
        policy, net = self.policy, self.policy.net
        if self.step:
            self.to_go = policy.aim.after(self.to_go, rewards)
        begun = np.full(len(rewards), self.step > 0)
        past = policy.scales.past(self.to_go, rewards, self.last_actions, begun, policy.actions)
        step = np.array([min(self.step, policy.horizon - 1)])
        token = (
            net.see(features(policy.space, observations)[None])
            + net.count(features(Discrete(policy.horizon), step)[None])
            + net.recall(past[None])
        )
        self.tokens = [*self.tokens, token][-policy.context :]
        self.step += 1
        return net.body(torch.stack(self.tokens, 2), last=True)[0, :, 0]  # type: ignore[no-any-return]
