"""Imitation with a causal graph, chosen by interventions in the environment."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.spaces import flatdim
from gymnasium.vector import SyncVectorEnv
from scipy.special import expit
from torch import Tensor, nn

from dosuite.causal import Array, InputError
from dosuite.causal.exact import greedy
from dosuite.envs import CausalVectorEnv, Data, Space, choices

from ..agent import OnlineAgent
from ..networks.features import features, image_size
from ..networks.network_agent import NetworkAgent
from ..networks.network_policy import Mode
from ..networks.perceptrons import Perceptrons
from ..networks.rescaling import of_raw_inputs
from ..networks.training import fit
from ..policy import Policy, TabularPolicy
from ..settings import at_least_one, positive
from ..sources import Practice
from ..tabular.counting import counts, is_tabular

# from a graph, a boolean array (factors,), to the clone that sees only the causes in it
Clones = Callable[[Array], Policy]


@dataclass(frozen=True)
class Targeted(NetworkAgent, OnlineAgent):
    """Clones a log once for each causal graph, and finds by executing the clones which earns most.

    A graph says which factors of the observation (components of a MultiDiscrete, numbers of a Box)
    are causes of the expert's action; its clone takes the most frequent action given these factors.
    If observations are few the clones are counted, otherwise one network is trained on random
    graphs, with the masked factors and the graph as inputs. Then episodes are played with graphs
    drawn from P(graph) ~ exp(w . graph / temperature), where w are the weights of a regression of
    the returns so far on the graphs.

    Source: de Haan, Jayaraman and Levine (2019), Causal confusion in imitation learning,
    algorithm 2.
    """

    name: ClassVar[str] = "targeted"
    learns: ClassVar[tuple[str, ...]] = ("intervene",)
    needs: ClassVar[frozenset[str]] = frozenset({"log"})

    envs: int = 8  # parallel episodes between updates of the posterior
    temperature: float = 0.5  # in standard deviations of the returns
    batch: int = 1024  # rows of a minibatch, at most as many as the log has
    hidden: int = 64
    updates: int = 2000  # if a network learns

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "envs")
        positive(self, "temperature")

    def learn_from(self, source: Practice, rng: np.random.Generator) -> Policy:
        """Clone the log, and practise for as many whole episodes as the steps allow.

        An episode that is longer than the practice is cut off. Raises InputError if the log is
        empty.
        """
        log = source.log_for(self.name)
        if image_size(log.observation_space) is not None:
            raise InputError(
                f"{self.name} tells the factors of an observation apart, and an image has none; "
                "leave the observation out"
            )
        if not len(log):
            raise InputError(f"{self.name} clones a log, and got an empty one; give it rows")
        clones = counted_clones(log) if is_tabular(log) else self._network_clones(log, rng)
        length = min(log.horizon, source.steps)
        env = source.make(max(1, min(self.envs, source.steps // length)))
        posterior = GraphPosterior(len(factors(log.observation_space)), self.temperature)
        for _ in range(source.steps // (length * env.num_envs)):
            # sample graphs, execute their clones, and update the posterior by the returns
            graphs = rng.random((env.num_envs, posterior.factors)) < posterior.probabilities()
            returns = _returns(env, graphs, clones, length, source.discount, rng)
            posterior.update(graphs, returns)
        best = posterior.probabilities() > 0.5
        policy = clones(best)
        causes = ", ".join(f"context {i}" for i in np.flatnonzero(best))
        policy.note = f"acts on {causes or 'no context'}"
        return policy

    def _network_clones(self, data: Data, rng: np.random.Generator) -> Clones:
        """Train one network for all graphs, on a random graph for each row of a minibatch."""
        space = data.observation_space
        sizes = factors(space)
        factor_of_feature = np.repeat(np.arange(len(sizes)), sizes)
        mean, spread = _moments(data)
        inputs = flatdim(space) + len(sizes)
        layers = [inputs, *self.layers, choices(data.action_space)]
        net = Perceptrons.drawn(layers, [rng])

        def loss(rows: Array) -> Tensor:
            is_cause = rng.integers(2, size=(len(rows), len(sizes)))
            graphs = torch.as_tensor(is_cause).float()
            standard = (features(space, data["observation"][rows]) - mean) / spread
            masked = standard * graphs[:, factor_of_feature]
            logits = net(torch.cat([masked, graphs], 1)[None])[0]
            return nn.functional.cross_entropy(logits, torch.as_tensor(data["action"][rows]))

        optimiser = self.optimiser_of(net.parameters(), fused=False)
        fit(optimiser, loss, len(data), self.updates_on(len(data)), rng, self.batch)

        def clone(graph: Array) -> Policy:
            causes = torch.as_tensor(graph).float()
            actor = _network_of_graph(net, causes, factor_of_feature, mean, spread)
            return Mode(space, None, actor)

        return clone


def factors(space: Space) -> list[int]:
    """The number of features of each factor of an observation.

    Each component of a MultiDiscrete and each number of a Box is a factor.
    """
    if isinstance(space, spaces.Box):
        return [1] * flatdim(space)
    return space.nvec.tolist() if isinstance(space, spaces.MultiDiscrete) else [flatdim(space)]


def counted_clones(data: Data) -> Clones:
    """Clones that take the most frequent action given the causes; without data, all actions."""
    count, space = counts(data).sum(2), data.observation_space
    table = count.reshape(*factors(space), -1)

    def clone(graph: Array) -> Policy:
        # sum the factors out that are no causes, and repeat the result along them
        not_causes = tuple(np.flatnonzero(~graph))
        summed = table.sum(not_causes, keepdims=True)
        frequencies = np.broadcast_to(summed, table.shape).reshape(count.shape)
        return TabularPolicy(greedy(frequencies.astype(float)), space)

    return clone


def _network_of_graph(
    net: Perceptrons, graph: Tensor, factor_of_feature: Array, mean: Tensor, spread: Tensor
) -> Perceptrons:
    """The network with its graph inputs fixed, as a network of the raw features."""
    first, bias, *others = (layer.detach() for layer in net.layers)
    # the graph's inputs are constants, which become a part of the bias
    by_feature, by_graph = first.split([len(factor_of_feature), len(graph)], 1)
    fixed = Perceptrons([by_feature, bias + graph @ by_graph, *others])
    # masking and standardising become a part of the weights
    return of_raw_inputs(fixed, mean, graph[factor_of_feature] / spread)


def _moments(data: Data) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each feature of a Box; 0 and 1 for other spaces."""
    space = data.observation_space
    if not isinstance(space, spaces.Box):
        return torch.zeros(flatdim(space)), torch.ones(flatdim(space))
    numbers = data["observation"].reshape(len(data), -1)
    deviation = numbers.std(0)
    spread = np.where(deviation > 0, deviation, 1.0)
    return torch.as_tensor(numbers.mean(0)).float(), torch.as_tensor(spread).float()


class GraphPosterior:
    """A distribution over graphs in which each factor is a cause independently of the others.

    The log-odds of factor i are w_i / (temperature * s), where w are the weights of a ridge
    regression of returns on graphs and s is the standard deviation of the returns.
    """

    def __init__(self, factors: int, temperature: float):
        self.factors = factors
        self.temperature = temperature
        # X'X of the rows x = (graph, 1); the prior counts as one observation of weight 0 each
        self.moments = np.diag(np.append(np.ones(factors), 0.0))
        self.products = np.zeros(factors + 1)  # X'y of these rows with the returns
        self.squares = 0.0  # y'y of the returns

    def update(self, graphs: Array, returns: Array) -> None:
        """Learn from the returns (n,) of some graphs (n, factors)."""
        rows = np.column_stack([graphs, np.ones(len(graphs))])
        self.moments += rows.T @ rows
        self.products += rows.T @ returns
        self.squares += float(returns @ returns)

    def probabilities(self) -> Array:
        """The probability that each factor is a cause: (factors,)."""
        count = max(self.moments[-1, -1], 1.0)
        variance = self.squares / count - (self.products[-1] / count) ** 2
        if variance <= 0:
            return np.full(self.factors, 0.5)
        weights = np.linalg.solve(self.moments, self.products)[:-1]
        return np.asarray(expit(weights / (self.temperature * np.sqrt(variance))))


def _returns(
    env: CausalVectorEnv | SyncVectorEnv,
    graphs: Array,
    clones: Clones,
    length: int,
    discount: float,
    rng: np.random.Generator,
) -> Array:
    """The return of one episode in each environment, with the clone of its own graph: (n,)."""
    unique, index = np.unique(graphs, axis=0, return_inverse=True)
    policies = [clones(graph) for graph in unique]
    observations, _ = env.reset()
    total = np.zeros(len(graphs))
    going_on = np.ones(len(graphs), dtype=bool)
    for step in range(length):
        actions = np.zeros(len(graphs), dtype=np.int64)
        for number, policy in enumerate(policies):
            rows = index == number
            actions[rows] = policy.act(observations[rows], rng)
        observations, reward, terminated, truncated, _ = env.step(actions)
        total += discount**step * reward * going_on
        going_on &= ~(terminated | truncated)
        if not going_on.any():
            break
    return total
