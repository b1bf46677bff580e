"""Instruments with networks:

how the instrument moves the action, and a response that explains the reward through that alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from gymnasium.spaces import Box, flatdim
from torch import Tensor, nn

from dosuite.causal import Array, InputError
from dosuite.envs import Data, Space

from ..agent import ContinuousPolicy, Policy
from ..networks.features import features
from ..networks.network_policy import NetworkPolicy
from ..networks.perceptrons import Perceptrons, target_of
from ..networks.rescaling import of_raw_inputs, of_raw_outputs
from ..networks.training import Batch, Learner
from ..settings import at_least_one, check_tau
from ..tabular.counting import abstain, graph_of, is_tabular
from ..tabular.instrument import instruments
from .base import OfflineAgent, Task
from .behaviour_cloning import likelihood_loss

NARROWEST = 1e-3  # standard deviation of a normal, in those of the action
GRID = 101  # actions among which a policy chooses, if actions are numbers
MOST_ROWS = 2**11  # observations that enter a network at once, with each of these actions


def mixture_loss(outputs: Tensor, actions: Tensor) -> Tensor:
    """How unlikely actions, (seeds, rows), are under mixtures of normals, (seeds, rows, 3 *
    components): (seeds,).

    What the same factor makes of all is left out.
    """
    logits, mean, spread = _mixture(outputs)
    density = (
        logits.log_softmax(-1) - ((actions[..., None] - mean) / spread).square() / 2 - spread.log()
    )
    return -density.logsumexp(-1).mean(-1)


def drawn(outputs: Tensor, uniform: Tensor, normal: Tensor) -> Tensor:
    """Actions of such mixtures, from uniform and normal numbers:

    (seeds, rows, draws) each to the same.
    """
    logits, mean, spread = _mixture(outputs)
    bounds = logits.softmax(-1).cumsum(-1)[..., None, :-1]
    which = (uniform[..., None] >= bounds).sum(-1)
    return mean.gather(-1, which) + spread.gather(-1, which) * normal


def _mixture(outputs: Tensor) -> Sequence[Tensor]:
    """Logits, means and standard deviations of the normals, (..., components) each."""
    logits, mean, spread = outputs.tensor_split(3, -1)
    return logits, mean, nn.functional.softplus(spread) + NARROWEST


class Beside(Box):
    """The features of contexts, and an instrument as one number more."""

    def __init__(self, contexts: Space):
        super().__init__(-np.inf, np.inf, (flatdim(contexts) + 1,), np.float32)
        self.contexts = contexts

    def log(self, data: Data, instrument: str) -> Data:
        """A log that shows the instrument beside its contexts."""
        seen = np.column_stack(
            [features(self.contexts, data["observation"]), data[instrument]]
        ).astype(np.float32)
        return replace(
            data,
            columns={**data.columns, "observation": seen, "next_observation": seen},
            observation_space=self,
        )


class TwoStages(Learner):
    """For each seed a law of the action given contexts and instrument, a response to contexts and
    action, and averages of both.

    The law is a softmax over few actions; of a number, a mixture of normals. Networks see and say
    all numbers in standard deviations from their means."""

    def __init__(self, task: Task, contexts: Space, components: int, tau: float):
        super().__init__()
        self.task, self.contexts, self.tau, self.boxed = (
            task,
            contexts,
            tau,
            isinstance(task.data.action_space, Box),
        )
        self.law = task.networks(3 * components if self.boxed else task.actions)
        self.response = (
            task.networks(1) if self.boxed else task.networks(task.actions, beside=-1)
        )  # without the instrument
        self.mean_law, self.mean_response = target_of(self.law), target_of(self.response)
        self.seen, self.action, self.reward = (
            task.standard(name) for name in ("observation", "action", "reward")
        )

    def forward(self, batch: Batch) -> Tensor:
        """The losses of law and response;

        their networks are not the same, so their gradients do not mix.
        """
        self.mean_law.follow(self.law, self.tau)
        self.mean_response.follow(self.response, self.tau)
        mean, spread = (part[:, None] for part in self.seen)
        seen, reward = (
            (batch.observation - mean) / spread,
            (batch.reward - self.reward[0]) / self.reward[1],
        )
        if not self.boxed:
            return likelihood_loss(self.law(seen), batch.action) + self._sum_loss(seen, reward)
        return mixture_loss(
            self.law(seen), (batch.action - self.action[0]) / self.action[1]
        ) + self._draw_loss(seen, reward)

    def _sum_loss(self, seen: Tensor, reward: Tensor) -> Tensor:
        """The squared error of the response summed over few actions:

        Hartford et al. (2017), section 3.
        """
        with torch.no_grad():
            law = self.mean_law(seen).softmax(-1)
        mean: Tensor = (law * self.response(seen[..., :-1])).sum(-1)
        return (reward - mean).square().mean(-1)

    def _draw_loss(self, seen: Tensor, reward: Tensor) -> Tensor:
        """The product of the errors of the response to two draws of the action.

        Its gradient is on average that of the squared error of the mean response: Hartford et al.
        (2017), section 3."""
        shape = seen.shape[1], 2
        numbers = np.stack(
            [(rng.random(shape), rng.standard_normal(shape)) for rng in self.task.rngs], 1
        )
        with torch.no_grad():
            actions = drawn(self.mean_law(seen), *torch.as_tensor(numbers).to(seen))
        pairs = torch.cat([seen[:, :, None, :-1].expand(-1, -1, 2, -1), actions[..., None]], -1)
        errors: Tensor = reward[..., None] - self.response(pairs.flatten(1, 2)).reshape(
            actions.shape
        )
        return (errors[..., 0] * errors[..., 1]).mean(-1)

    def policy(self, seed: int) -> Policy:
        """The greedy policy of a seed, by the average of the response."""
        mean, spread = (part[seed, :-1].cpu() for part in self.seen)
        actions = self.task.data.action_space
        if isinstance(actions, Box):
            mean, spread = (
                torch.cat([part, action[seed].cpu()])
                for part, action in zip((mean, spread), self.action, strict=True)
            )
        response = of_raw_inputs(self.mean_response.only([seed]), mean, 1 / spread)
        response = of_raw_outputs(response, *(float(part[seed]) for part in self.reward))
        return (
            Priced(self.contexts, actions, response)
            if isinstance(actions, Box)
            else NetworkPolicy(self.contexts, response)
        )


class Priced(ContinuousPolicy):
    """Takes, of the actions on a grid from bound to bound, the one to which a network of
    observation and action responds best.
    """

    def __init__(self, space: Space, actions: Box, response: Perceptrons):
        self.space, self.actions, self.response = space, actions, response

    @torch.no_grad()
    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The best action on the grid: (n,)."""
        grid = torch.linspace(float(self.actions.low[0]), float(self.actions.high[0]), GRID)
        best = [
            self._values(part, grid).argmax(1)
            for part in torch.split(features(self.space, observations), MOST_ROWS)
        ]
        return np.asarray(grid[torch.cat(best)].double().numpy())

    def _values(self, seen: Tensor, grid: Tensor) -> Tensor:
        """What is believed of each action on the grid: features (n, in) to (n, grid)."""
        pairs = torch.cat([seen.repeat_interleave(GRID, 0), grid.repeat(len(seen))[:, None]], 1)
        return self.response(pairs[None]).reshape(len(seen), GRID)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class DeepIV(OfflineAgent):
    """Instrumental variables with networks, by the first instrument of the graph; uniform where
    there is none.

    One network learns the law of the action given contexts and instrument, and another a response
    to contexts and action, whose mean over that law is to be the mean reward; they learn side by
    side, and what counts is their average along the training. The agent takes the best action of
    the response, if actions are numbers on a grid. It is the effect if what is hidden adds to the
    reward, and the response is the same for all units.

    Source: Hartford, Lewis, Leyton-Brown and Taddy (2017), Deep IV, section 3.
    """

    name: ClassVar[str] = "deep-iv"
    learns: ClassVar[tuple[str, ...]] = ("observe",)
    needs: ClassVar[frozenset[str]] = frozenset({"graph"})
    acts_in_a_box: ClassVar[bool] = True

    batch: int = 512  # rows of a minibatch
    rate: float = 2e-3
    hidden: int = 64  # units in each of two layers
    updates: int = 5000
    components: int = 10  # normals in the law of an action that is a number
    tau: float = 0.002  # share of the way that averages go at each update

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "updates", "components")
        check_tau(self)

    def learn_all(
        self, sources: Sequence[Data], rngs: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        """Learn from logs of one task.

        Raises InputError where there is no instrument, and no table of the uniform policy either.
        """
        found = instruments(graph_of(sources[0], self.name))
        if not found or sources[0].horizon > 1:
            return [_without(source) for source in sources]
        beside = Beside(sources[0].observation_space)
        policies = super().learn_all([beside.log(source, found[0]) for source in sources], rngs)
        for policy in policies:
            if isinstance(policy, Policy):
                policy.note = f"instrument {found[0]}"
        return policies

    def _updates(self, horizon: int) -> int:
        return self.updates

    def _learner(self, task: Task) -> TwoStages:
        assert isinstance(task.data.observation_space, Beside)
        return TwoStages(task, task.data.observation_space.contexts, self.components, self.tau)


def _without(data: Data) -> Policy:
    why = "instruments are used in one step only" if data.horizon > 1 else "no instrument"
    if is_tabular(data) and not isinstance(data.action_space, Box):
        return abstain(data, why)
    raise InputError(f"deep-iv: {why}, and the uniform policy has no table here")
