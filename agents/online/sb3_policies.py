"""Policies that act by a network of Stable-Baselines3."""

from inspect import signature
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box
from sb3_contrib.ars.policies import ARSPolicy
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from torch import Tensor

from dosuite.causal import Array, InputError
from dosuite.causal.exact import greedy
from dosuite.envs import Space
from dosuite.envs.gym.sb3 import stretched

from ..policy import ContinuousPolicy, MemoryPolicy, Player, Policy, sample_actions


def policy_of(algorithm: Any, actions: Space) -> Policy:
    """The policy of an algorithm of Stable-Baselines3.

    `actions` is its own action space, or the Box to whose bounds its actions in [-1, 1] are
    stretched. Raises InputError if the algorithm is recurrent and its actions are real-valued.
    """
    policy: Any = acting_by(algorithm.policy, actions)
    policy.algorithm = algorithm
    return policy  # type: ignore[no-any-return]


def acting_by(network: Any, actions: Space) -> Policy:
    """The policy that acts by a network; as `policy_of`, but without the algorithm."""
    is_recurrent = isinstance(network, RecurrentActorCriticPolicy)
    if isinstance(actions, Box):
        if is_recurrent:
            raise InputError(
                "recurrent actors are supported here for actions that can be counted only"
            )
        has_law = hasattr(network, "get_distribution")
        return (NormalActorPolicy if has_law else ActorOfNumbers)(network, actions)
    if is_recurrent:
        return RecurrentPolicy(network)
    if hasattr(network, "get_distribution"):
        return ActorPolicy(network)
    return (ChosenPolicy if isinstance(network, ARSPolicy) else ValuePolicy)(network)


def copy_of(network: Any) -> Any:
    """A network with the same weights, on the CPU. No global generator is left changed."""
    with torch.random.fork_rng():
        copy = type(network)(**arguments_of(network))
    copy.load_state_dict(network.state_dict())
    return copy


def arguments_of(network: Any) -> dict[str, Any]:
    """The constructor's arguments of a network, with those that it does not itself list."""
    arguments = {**network._get_constructor_parameters()}
    accepted = signature(type(network)).parameters
    if "share_features_extractor" in accepted:
        arguments["share_features_extractor"] = network.share_features_extractor
    if isinstance(network, RecurrentActorCriticPolicy):
        arguments |= {
            "lstm_hidden_size": network.lstm_actor.hidden_size,
            "n_lstm_layers": network.lstm_actor.num_layers,
            "shared_lstm": network.shared_lstm,
            "enable_critic_lstm": network.enable_critic_lstm,
            "lstm_kwargs": network.lstm_kwargs,
        }
    if isinstance(network, ARSPolicy):
        arguments["with_bias"] = network.action_net[0].bias is not None
        arguments["squash_output"] = network.squash_output
    return {name: value for name, value in arguments.items() if name in accepted}


class SB3Policy(Policy):
    """A policy that acts by a network (a `BasePolicy`) of Stable-Baselines3.

    `scales` are the mean, the standard deviation and the bound with which `VecNormalize` rescales
    observations before the network sees them.
    """

    algorithm: Any = None  # what trained the network, in this process; it is not saved

    def __init__(self, network: Any, scales: list[Any] | None = None):
        self.network = network
        self.scales = scales

    def rescaled(self, observations: Array) -> Array:
        """The observations as the network has seen them in training."""
        if self.scales is None:
            return observations
        mean, std, bound = self.scales
        return np.asarray(np.clip((observations - mean) / std, -bound, bound).astype(np.float32))

    def _inputs(self, observations: Array) -> Tensor:
        self.network.set_training_mode(False)  # so that acting changes no running averages
        tensor: Tensor = self.network.obs_to_tensor(self.rescaled(observations))[0]
        return tensor


class ActorPolicy(SB3Policy):
    """Acts by the action probabilities of an actor. It has no action values."""

    @torch.no_grad()
    def probabilities(self, observations: Array) -> Array:
        """The probabilities of the actor."""
        law = self.network.get_distribution(self._inputs(observations))
        return _as_array(law.distribution.probs)


class ValuePolicy(SB3Policy):
    """Takes the action of the largest value, by a network of values or of their quantiles."""

    def probabilities(self, observations: Array) -> Array:
        """1 for the best action; ties are split evenly."""
        return greedy(np.asarray(self.action_values(observations)))

    @torch.no_grad()
    def action_values(self, observations: Array) -> Array | None:
        """The outputs of the network, or the means of its quantiles."""
        inputs = self._inputs(observations)
        if hasattr(self.network, "q_net"):
            return _as_array(self.network.q_net(inputs))
        return _as_array(self.network.quantile_net(inputs).mean(1))


class ChosenPolicy(SB3Policy):
    """Takes the action that a network chooses, without probabilities or values."""

    def probabilities(self, observations: Array) -> Array:
        """1 for the chosen action."""
        chosen, _ = self.network.predict(self.rescaled(observations), deterministic=True)
        return np.asarray(np.eye(int(self.network.action_space.n))[chosen])


class RecurrentPolicy(MemoryPolicy, SB3Policy):
    """A recurrent actor, which keeps the history of an episode in the state of its LSTM."""

    def probabilities(self, observations: Array) -> Array:
        """The probabilities of the actor at the first step of an episode."""
        return self._step(observations, self._start(len(observations)))[0]

    def play(self, episodes: int, rng: np.random.Generator) -> Player:
        """Start `episodes` parallel episodes."""
        state = self._start(episodes)

        def act(observations: Array, rewards: Array) -> Array:
            nonlocal state
            probabilities, state = self._step(observations, state)
            return sample_actions(probabilities, rng)

        return act

    def _start(self, episodes: int) -> tuple[Tensor, ...]:
        """The state of the LSTM before the first step: (layers, episodes, units) twice."""
        lstm = self.network.lstm_actor
        shape = lstm.num_layers, episodes, lstm.hidden_size
        zeros = torch.zeros(shape, device=self.network.device)
        return zeros, zeros.clone()

    @torch.no_grad()
    def _step(
        self, observations: Array, state: tuple[Tensor, ...]
    ) -> tuple[Array, tuple[Tensor, ...]]:
        # "episode starts" are 0: the caller, not the network, resets the state
        starts = torch.zeros(len(observations), device=self.network.device)
        inputs = self._inputs(observations)
        law, state = self.network.get_distribution(inputs, state, starts)
        return _as_array(law.distribution.probs), state


class NormalActorPolicy(ContinuousPolicy, SB3Policy):
    """An actor with normally distributed actions, clipped to the bounds."""

    def __init__(self, network: Any, bounds: Box, scales: list[Any] | None = None):
        super().__init__(network, scales)
        self.bounds = bounds

    @torch.no_grad()
    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """Sample from the distribution of the actor: (n,)."""
        law = self.network.get_distribution(self._inputs(observations)).distribution
        mean, std = _as_array(law.mean)[:, 0], _as_array(law.stddev)[:, 0]
        actions = mean + std * rng.standard_normal(len(mean))
        return stretched(actions, self.bounds, self.network.action_space)


class ActorOfNumbers(ContinuousPolicy, SB3Policy):
    """A deterministic actor with real-valued actions, without its exploration noise."""

    def __init__(self, network: Any, bounds: Box, scales: list[Any] | None = None):
        super().__init__(network, scales)
        self.bounds = bounds

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The actions of the actor: (n,)."""
        chosen, _ = self.network.predict(self.rescaled(observations), deterministic=True)
        actions = chosen[:, 0].astype(np.float64)
        return stretched(actions, self.bounds, self.network.action_space)


def _as_array(values: Tensor) -> Array:
    return np.asarray(values.double().cpu().numpy())
