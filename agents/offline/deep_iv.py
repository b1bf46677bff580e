"""Instrumental variables with networks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from gymnasium.spaces import Box, flatdim, unflatten
from torch import Tensor, nn

from dosuite.causal import Array, InputError
from dosuite.envs import Data, Space

from ..networks.convergence import add_note
from ..networks.features import features
from ..networks.network_policy import NetworkPolicy
from ..networks.perceptrons import Perceptrons, target_of
from ..networks.rescaling import of_raw_inputs, of_raw_outputs
from ..networks.training import Learner, Minibatch
from ..policy import ContinuousPolicy, Policy
from ..settings import at_least_one, check_tau
from ..tabular.counting import abstain, graph_of, is_tabular
from ..tabular.instrument import instruments
from .base import BatchedAgent, Task
from .behaviour_cloning import likelihood_loss

NARROWEST = 1e-3  # standard deviation of a component, in standard deviations of the action
GRID = 101  # actions among which a policy chooses, if actions are real-valued
MOST_ROWS = 2**11  # observations that are evaluated at once, with all actions of the grid


def mixture_loss(outputs: Tensor, actions: Tensor) -> Tensor:
    """-E[log sum_k w_k N(a; m_k, s_k)], up to a constant: (seeds,).

    The outputs (seeds, rows, 3 * components) are the logits of w, the means m and the raw
    deviations of the mixture; actions are (seeds, rows).

    Source: Hartford et al. (2017), section 3, with the mixture density network of Bishop (1994).
    """
    logits, mean, deviation = _mixture(outputs)
    errors = (actions[..., None] - mean) / deviation
    log_densities = logits.log_softmax(-1) - errors.square() / 2 - deviation.log()
    return -log_densities.logsumexp(-1).mean(-1)


def drawn(outputs: Tensor, uniform: Tensor, normal: Tensor) -> Tensor:
    """Samples of such mixtures, from uniform and normal numbers: (seeds, rows, draws) each."""
    logits, mean, deviation = _mixture(outputs)
    bounds = logits.softmax(-1).cumsum(-1)[..., None, :-1]
    component = (uniform[..., None] >= bounds).sum(-1)
    return mean.gather(-1, component) + deviation.gather(-1, component) * normal


def _mixture(outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, means and standard deviations of the components: (..., components) each."""
    logits, mean, raw = outputs.tensor_split(3, -1)
    return logits, mean, nn.functional.softplus(raw) + NARROWEST


class WithInstrument(Box):
    """The features of the contexts, followed by the value of an instrument."""

    def __init__(self, contexts: Space):
        super().__init__(-np.inf, np.inf, (flatdim(contexts) + 1,), np.float32)
        self.contexts = contexts

    def log(self, data: Data, instrument: str) -> Data:
        """A log of one-step episodes, with observations of this space."""
        contexts = features(self.contexts, data["observation"])
        observations = np.column_stack([contexts, data[instrument]]).astype(np.float32)
        columns = {**data.columns, "observation": observations, "next_observation": observations}
        return replace(data, columns=columns, observation_space=self)

    def contexts_of(self, observations: Array) -> Array:
        """The contexts in some observations of this space: (n, ...)."""
        rows = [unflatten(self.contexts, row) for row in observations[:, :-1]]
        return np.array(rows)


class TwoStages(Learner):
    """For each seed the two networks of Deep IV, and running averages of both.

    The first stage is the law F(a | x, z) of the action given contexts x and instrument z: a
    softmax over discrete actions, or a mixture of normals. The second is the response h(x, a). All
    numbers are standardised.
    """

    def __init__(self, task: Task, contexts: Space, components: int, tau: float):
        super().__init__()
        self.task = task
        self.contexts = contexts
        self.tau = tau
        self.boxed = isinstance(task.data.action_space, Box)
        self.law = task.networks(3 * components if self.boxed else task.actions)
        if self.boxed:
            # the action takes the place of the instrument among the inputs
            self.response = task.networks(1)
        else:
            # an output for each action, and no instrument among the inputs
            self.response = task.networks(task.actions, extra_inputs=-1)
        self.mean_law = target_of(self.law)
        self.mean_response = target_of(self.response)
        self.inputs = task.standard("observation")
        self.action = task.standard("action")
        self.reward = task.standard("reward")

    def forward(self, batch: Minibatch) -> Tensor:
        """The losses of both stages; each trains networks of its own."""
        self.mean_law.follow(self.law, self.tau)
        self.mean_response.follow(self.response, self.tau)
        mean, spread = (part[:, None] for part in self.inputs)
        inputs = (batch.observation - mean) / spread
        reward = (batch.reward - self.reward[0]) / self.reward[1]
        if not self.boxed:
            first_stage = likelihood_loss(self.law(inputs), batch.action)
            return first_stage + self._sum_loss(inputs, reward)
        actions = (batch.action - self.action[0]) / self.action[1]
        return mixture_loss(self.law(inputs), actions) + self._draw_loss(inputs, reward)

    def _sum_loss(self, inputs: Tensor, reward: Tensor) -> Tensor:
        """E[(r - sum_a F(a | x, z) h(x, a))^2], for discrete actions.

        Source: Hartford et al. (2017), section 3.
        """
        with torch.no_grad():
            law = self.mean_law(inputs).softmax(-1)
        response = self.response(inputs[..., :-1])
        mean: Tensor = (law * response).sum(-1)
        return (reward - mean).square().mean(-1)

    def _draw_loss(self, inputs: Tensor, reward: Tensor) -> Tensor:
        """E[(r - h(x, a)) (r - h(x, a'))] for two independent draws a, a' from F(. | x, z).

        Its gradient is an unbiased estimate of that of E[(r - E_F[h(x, a)])^2].

        Source: Hartford et al. (2017), section 3.
        """
        shape = inputs.shape[1], 2
        numbers = [(rng.random(shape), rng.standard_normal(shape)) for rng in self.task.rngs]
        uniform, normal = torch.as_tensor(np.stack(numbers, 1)).to(inputs)
        with torch.no_grad():
            actions = drawn(self.mean_law(inputs), uniform, normal)
        contexts = inputs[..., None, :-1].expand(-1, -1, 2, -1)
        pairs = torch.cat([contexts, actions[..., None]], -1)
        responses = self.response(pairs.flatten(1, 2))
        responses = responses.reshape(actions.shape)
        errors: Tensor = reward[..., None] - responses
        return (errors[..., 0] * errors[..., 1]).mean(-1)

    def policy(self, seed: int) -> Policy:
        """The greedy policy of a seed, by the running average of the response."""
        mean, spread = (part[seed, :-1].cpu() for part in self.inputs)
        actions = self.task.data.action_space
        if isinstance(actions, Box):
            mean = torch.cat([mean, self.action[0][seed].cpu()])
            spread = torch.cat([spread, self.action[1][seed].cpu()])
        response = of_raw_inputs(self.mean_response.only([seed]), mean, 1 / spread)
        reward_mean, reward_spread = (float(part[seed]) for part in self.reward)
        response = of_raw_outputs(response, reward_mean, reward_spread)
        if isinstance(actions, Box):
            return Priced(self.contexts, actions, response)
        return NetworkPolicy(self.contexts, response)


class Priced(ContinuousPolicy):
    """Takes the best action of a grid, by a network of observation and action."""

    def __init__(self, space: Space, actions: Box, response: Perceptrons):
        self.space = space
        self.actions = actions
        self.response = response

    @torch.no_grad()
    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The best action of the grid: (n,)."""
        low, high = float(self.actions.low[0]), float(self.actions.high[0])
        grid = torch.linspace(low, high, GRID)
        best = [
            self._values(part, grid).argmax(1)
            for part in torch.split(features(self.space, observations), MOST_ROWS)
        ]
        return np.asarray(grid[torch.cat(best)].double().numpy())

    def _values(self, contexts: Tensor, grid: Tensor) -> Tensor:
        """The response to each action of the grid: features (n, in) to (n, grid)."""
        repeated_contexts = contexts.repeat_interleave(GRID, 0)
        repeated_actions = grid.repeat(len(contexts))[:, None]
        pairs = torch.cat([repeated_contexts, repeated_actions], 1)
        return self.response(pairs[None]).reshape(len(contexts), GRID)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class DeepIV(BatchedAgent):
    """Instrumental variables with networks, by the first instrument of the graph, else uniform.

    A first network learns the law F(a | x, z) of the action given contexts x and instrument z, and
    a second a response h that minimises E[(r - E_F[h(x, a)])^2]. They are trained side by side, and
    the running averages of both are used. The agent takes the action with the best response, on a
    grid if actions are real-valued. The response is the effect if the hidden causes add to the
    reward and the response is the same for all units.

    Source: Hartford, Lewis, Leyton-Brown and Taddy (2017), Deep IV, section 3.
    """

    name: ClassVar[str] = "deep-iv"
    learns: ClassVar[tuple[str, ...]] = ("observe",)
    needs: ClassVar[frozenset[str]] = frozenset({"graph"})
    acts_in_a_box: ClassVar[bool] = True

    batch: int = 512
    rate: float = 2e-3
    hidden: int = 64
    updates: int = 5000
    components: int = 10  # normals in the law of a real-valued action
    tau: float = 0.002  # fraction by which averages move at each update

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "components")
        check_tau(self)

    def learn_all(
        self, sources: Sequence[Data], rngs: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        """Learn from logs of one task.

        Raises InputError if there is no instrument and the uniform policy has no table.
        """
        candidates = instruments(graph_of(sources[0], self.name))
        if not candidates or sources[0].horizon > 1:
            return [_without(source) for source in sources]
        instrument = candidates[0]
        space = WithInstrument(sources[0].observation_space)
        logs = [space.log(source, instrument) for source in sources]
        policies = super().learn_all(logs, rngs)
        for policy in policies:
            if isinstance(policy, Policy):
                add_note(policy, f"instrument {instrument}")
        return policies

    def _some_observations(self, data: Data) -> Array:
        """The contexts of the first observations, which the policy gets without the instrument."""
        space = data.observation_space
        assert isinstance(space, WithInstrument)
        return space.contexts_of(super()._some_observations(data))

    def _learner(self, task: Task) -> TwoStages:
        space = task.data.observation_space
        assert isinstance(space, WithInstrument)
        return TwoStages(task, space.contexts, self.components, self.tau)


def _without(data: Data) -> Policy:
    """The uniform policy, or InputError if it has no table."""
    why = "instruments are used in one step only" if data.horizon > 1 else "no instrument"
    if is_tabular(data) and not isinstance(data.action_space, Box):
        return abstain(data, why)
    raise InputError(f"deep-iv: {why}, and the uniform policy has no table here")
