"""Imitation with a causal graph:

the environment is asked which parts of the observation the expert's action answers to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.spaces import flatdim
from scipy.special import expit
from torch import Tensor, nn

from dosuite.causal import Array, InputError
from dosuite.causal.exact import greedy
from dosuite.envs import CausalVectorEnv, Data, Space, choices

from ..agent import Agent, Policy, Practice, TabularPolicy
from ..networks.features import features
from ..networks.network_policy import Mode
from ..networks.perceptrons import Perceptrons
from ..networks.rescaling import of_raw_inputs
from ..networks.training import fit
from ..settings import at_least_one
from ..tabular.counting import counts, is_tabular

Clones = Callable[
    [Array], Policy
]  # from a graph, (factors,), to the clone that sees its causes alone


@dataclass(frozen=True)
class Targeted(Agent):
    """Clones a log with a policy for each causal graph, and finds by executing them which graph
    earns most.

    A graph says which factors of the observation, its components or numbers, are causes of the
    action; its policy does what was mostly done given these. Where observations are few that is
    counted, else one network is trained on random graphs: it sees the factors of a graph, and the
    graph. Then episodes are played with graphs drawn from a posterior, P(graph) ~ exp(w . graph /
    temperature), where w is the regression of the returns on the graphs so far.

    Source: de Haan, Jayaraman and Levine (2019), Causal confusion in imitation learning, algorithm
    2."""

    name: ClassVar[str] = "targeted"
    learns: ClassVar[tuple[str, ...]] = ("intervene",)
    needs: ClassVar[frozenset[str]] = frozenset({"log"})

    envs: int = 8  # in which it acts at once, before it learns
    temperature: float = 0.5  # in standard deviations of the returns
    steps: int = 2000  # of the optimiser, if a network learns
    rate: float = 1e-3
    hidden: int = 64  # units in each of two layers

    def __post_init__(self) -> None:
        at_least_one(self, "envs", "steps", "hidden")
        if not (self.temperature > 0 and self.rate > 0):
            raise InputError(
                f"targeted: temperature and rate must be positive, and are {self.temperature} "
                f"and {self.rate}"
            )

    def learn(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Clone the log, and practise for as many whole episodes as there are steps for;

        an episode that is longer is cut short.
        """
        log = source.log_for(self.name)
        clones = counted_clones(log) if is_tabular(log) else self._network_clones(log, rng)
        length = min(log.horizon, source.steps)
        env = source.make(max(1, min(self.envs, source.steps // length)))
        belief = Belief(len(factors(log.observation_space)), self.temperature)
        for _ in range(source.steps // (length * env.num_envs)):
            graphs = rng.random((env.num_envs, belief.factors)) < belief.causes()
            belief.see(graphs, _returns(env, graphs, clones, length, source.discount, rng))
        best = belief.causes() > 0.5
        policy = clones(best)
        policy.note = "acts on " + (
            ", ".join(f"context {i}" for i in np.flatnonzero(best)) or "no context"
        )
        return policy

    def _network_clones(self, data: Data, rng: np.random.Generator) -> Clones:
        """A network of the standardised factors of a graph and of the graph, trained on graphs that
        are drawn for each row.
        """
        space, owner = data.observation_space, np.repeat(*_owners(data.observation_space))
        mean, spread = _units(data)
        inputs, known = flatdim(space), len(factors(space))
        net = Perceptrons.drawn(
            [inputs + known, self.hidden, self.hidden, choices(data.action_space)], [rng]
        )

        def loss(rows: Array) -> Tensor:
            graph = torch.as_tensor(rng.integers(2, size=(len(rows), known))).float()
            shown = (features(space, data["observation"][rows]) - mean) / spread * graph[:, owner]
            logits = net(torch.cat([shown, graph], 1)[None])[0]
            return nn.functional.cross_entropy(logits, torch.as_tensor(data["action"][rows]))

        fit(net, loss, len(data), self.steps, self.rate, rng)
        return lambda graph: Mode(
            space, None, _of_graph(net, torch.as_tensor(graph).float(), owner, mean, spread)
        )


def factors(space: Space) -> list[int]:
    """How many features each factor of an observation has:

    each component of a MultiDiscrete and each number of a Box is one.
    """
    if isinstance(space, spaces.Box):
        return [1] * flatdim(space)
    return space.nvec.tolist() if isinstance(space, spaces.MultiDiscrete) else [flatdim(space)]


def counted_clones(data: Data) -> Clones:
    """By counting:

    what was mostly done given the factors of a graph. Where nothing was done, all actions are
    alike.
    """
    count, space = counts(data).sum(2), data.observation_space
    table = count.reshape(*factors(space), -1)

    def clone(graph: Array) -> Policy:
        summed = table.sum(tuple(np.flatnonzero(~graph)), keepdims=True)
        return TabularPolicy(
            greedy(np.broadcast_to(summed, table.shape).reshape(count.shape).astype(float)), space
        )

    return clone


def _of_graph(
    net: Perceptrons, graph: Tensor, owner: Array, mean: Tensor, spread: Tensor
) -> Perceptrons:
    """The network of one graph, (factors,), as one of the observation's own features."""
    first, bias, *others = (layer.detach() for layer in net.layers)
    by_feature, by_graph = first.split([len(owner), len(graph)], 1)
    return of_raw_inputs(
        Perceptrons([by_feature, bias + graph @ by_graph, *others]), mean, graph[owner] / spread
    )


def _owners(space: Space) -> tuple[Array, list[int]]:
    sizes = factors(space)
    return np.arange(len(sizes)), sizes


def _units(data: Data) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each feature, where they are numbers; else 0 and 1."""
    space = data.observation_space
    if not isinstance(space, spaces.Box):
        return torch.zeros(flatdim(space)), torch.ones(flatdim(space))
    seen = data["observation"].reshape(len(data), -1)
    return torch.as_tensor(seen.mean(0)).float(), torch.as_tensor(
        np.where(seen.std(0) > 0, seen.std(0), 1.0)
    ).float()


class Belief:
    """A posterior over graphs:

    each factor is a cause by itself, with log-odds that a ridge regression of returns on graphs
    tells.
    """

    def __init__(self, factors: int, temperature: float):
        self.factors, self.temperature = factors, temperature
        self.moments = np.diag(
            np.append(np.ones(factors), 0.0)
        )  # of graphs and 1; as if each weight had been seen to be 0 once
        self.products = np.zeros(factors + 1)  # of these with the returns
        self.squares = 0.0  # of the returns

    def see(self, graphs: Array, returns: Array) -> None:
        """Learn from the returns (n,) of some graphs (n, factors)."""
        rows = np.column_stack([graphs, np.ones(len(graphs))])
        self.moments += rows.T @ rows
        self.products += rows.T @ returns
        self.squares += float(returns @ returns)

    def causes(self) -> Array:
        """The probability that each factor is a cause: (factors,)."""
        seen = self.moments[-1, -1]
        variance = self.squares / max(seen, 1.0) - (self.products[-1] / max(seen, 1.0)) ** 2
        if variance <= 0:
            return np.full(self.factors, 0.5)
        weights = np.linalg.solve(self.moments, self.products)[:-1]
        return np.asarray(expit(weights / (self.temperature * np.sqrt(variance))))


def _returns(
    env: CausalVectorEnv,
    graphs: Array,
    clones: Clones,
    length: int,
    discount: float,
    rng: np.random.Generator,
) -> Array:
    """The return of one episode of each environment, with the clone of its own graph: (n,)."""
    unique, which = np.unique(graphs, axis=0, return_inverse=True)
    policies = [clones(graph) for graph in unique]
    observations, _ = env.reset()
    total, going_on = np.zeros(len(graphs)), np.ones(len(graphs), dtype=bool)
    for step in range(length):
        actions = np.zeros(len(graphs), dtype=np.int64)
        for number, policy in enumerate(policies):
            actions[which == number] = policy.act(observations[which == number], rng)
        observations, reward, terminated, truncated, _ = env.step(actions)
        total += discount**step * reward * going_on
        going_on &= ~(terminated | truncated)
        if not going_on.any():
            break
    return total
