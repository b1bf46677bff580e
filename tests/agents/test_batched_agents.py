"""Agents that learn with all seeds at once:

each seed as if it were alone, each loss as published, and policies that files keep.
"""

from typing import Any

import numpy as np
import pytest
import torch
from batched_agents import (
    AIRLINE,
    COUNTING,
    DIGITS,
    GAUGE,
    ICE,
    NAMES,
    RELAY,
    SEEDS,
    THERMO,
    data_of,
    every_agent,
    quick,
    rngs,
)
from gymnasium.spaces import Discrete, MultiDiscrete, flatdim

from dosuite.agents import NetworkPolicy, Policy, agent_classes, make_agent
from dosuite.agents.networks.encoder import Encoder
from dosuite.agents.networks.perceptrons import (
    CHANNELS,
    PATCH,
    STRIDE,
    Perceptrons,
    inputs_of_image,
)
from dosuite.agents.networks.training import Learner, Minibatch, train
from dosuite.agents.online.dqn import DQN
from dosuite.agents.saving import _packed
from dosuite.causal import Array, World, behaviour_policy
from dosuite.causal.exact import log_process
from dosuite.envs import Space, all_observations
from dosuite.eval.bench.agents import sb3_dqn
from dosuite.eval.runs.run import Run

torch.set_num_threads(1)


IN_NETWORKS = {
    name: GAUGE if name in COUNTING else AIRLINE for name in NAMES
}  # where each learns by networks


who_counts_actions = pytest.mark.parametrize("name", COUNTING)


in_every_world = pytest.mark.parametrize(
    ("name", "model"),
    [(name, model) for name in COUNTING for model in (THERMO, RELAY, GAUGE, DIGITS)]
    + [(name, AIRLINE) for name in NAMES if agent_classes()[name].acts_in_a_box],
)


def shown(model: World) -> Array:
    return (
        np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
        if model == GAUGE
        else all_observations(model)
    )


def values_of(policy: Policy, model: World) -> Array:
    values = policy.action_values(shown(model))
    assert values is not None
    return values


def kept(value: Any) -> list[Any]:
    """All that a file keeps of a policy, part by part."""
    if isinstance(value, Policy):
        return kept(_packed(value))
    if isinstance(value, dict | list):
        return [
            found
            for part in (value.values() if isinstance(value, dict) else value)
            for found in kept(part)
        ]
    return [value.numpy() if isinstance(value, torch.Tensor) else value]


def are_equal(one: Policy, other: Policy) -> bool:
    return all(
        np.array_equal(mine, theirs) for mine, theirs in zip(kept(one), kept(other), strict=True)
    )


# Each seed as if it were alone.


@in_every_world
def test_a_seed_learns_the_same_alone_as_among_others(name: str, model: World) -> None:
    large = (
        {"batch": 64, "hidden": 32} if model in (GAUGE, AIRLINE, DIGITS) else {}
    )  # enough for a product with a vector to be rounded otherwise
    logs, agent = [data_of(model, seed, 200 + seed) for seed in range(SEEDS)], quick(name, **large)
    together = agent.learn_all(logs, rngs(range(SEEDS)))
    for seed in range(SEEDS):
        assert are_equal(together[seed], agent.learn(logs[seed], np.random.default_rng(seed)))
    assert not are_equal(*together[:2])


@who_counts_actions
def test_a_cell_that_enters_once_is_learned_like_its_rows(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def learned() -> list[Any]:
        policies, seen = (
            quick(name, batch=40).learn_all([data_of(RELAY, 0)] * 2, rngs((0, 1))),
            shown(RELAY),
        )
        return [
            said
            for policy in policies
            for said in (policy.probabilities(seen), policy.action_values(seen))
        ]

    once = learned()
    monkeypatch.setattr("dosuite.agents.networks.encoder.cells", lambda space: None)
    for mine, theirs in zip(learned(), once, strict=True):
        assert mine is theirs is None or np.allclose(mine, theirs, atol=1e-5)


def test_adam_on_stacked_parameters_is_an_adam_for_each_seed() -> None:
    draw = torch.Generator().manual_seed(0)
    stacked = torch.randn(4, 3, 5, generator=draw)
    alone = [part.clone().requires_grad_() for part in stacked]
    stacked.requires_grad_()
    optimisers = [torch.optim.Adam([part], lr=0.01, fused=True) for part in (stacked, *alone)]
    for _ in range(6):
        stacked.grad = torch.randn(4, 3, 5, generator=draw)
        for part, gradient in zip(alone, stacked.grad, strict=True):
            part.grad = gradient.clone()
        for optimiser in optimisers:
            optimiser.step()
    assert torch.equal(stacked.detach(), torch.stack(alone).detach())


def test_networks_are_those_of_torch() -> None:
    networks = Perceptrons.drawn([3, 4, 1], rngs(range(2)))
    rows = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(0))
    for seed in range(2):
        layers = torch.nn.Linear(3, 4), torch.nn.Linear(4, 1)
        for i, layer in enumerate(layers):
            layer.weight.data, layer.bias.data = (
                networks.layers[2 * i][seed].mT,
                networks.layers[2 * i + 1][seed, 0],
            )
        single = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1])
        assert torch.allclose(networks(rows)[seed], single(rows[seed]), atol=1e-6)
        assert torch.equal(networks.only([seed])(rows[seed : seed + 1])[0], networks(rows)[seed])
        assert layers[0].weight.abs().max() <= 1 / np.sqrt(3)
        assert layers[1].bias.abs().max() <= 1 / np.sqrt(4)


@pytest.mark.parametrize("width", [12, 24])
def test_the_convolution_is_that_of_torch(width: int) -> None:
    networks = Perceptrons.drawn([8 * width + 1, 3], rngs(range(2)), (8, width))
    rows = torch.randn(2, 6, 8 * width + 1, generator=torch.Generator().manual_seed(0))
    inputs = inputs_of_image((8, width)) + 1
    for seed in range(2):
        convolution, linear = (
            torch.nn.Conv2d(1, CHANNELS, PATCH, STRIDE),
            torch.nn.Linear(inputs, 3),
        )
        weight, bias, *others = (layer[seed] for layer in networks.layers)
        convolution.weight.data = weight.mT.reshape(CHANNELS, 1, PATCH, PATCH)
        assert convolution.bias is not None
        convolution.bias.data = bias[0]
        linear.weight.data, linear.bias.data = others[0].mT, others[1][0]
        convolved = convolution(rows[seed, :, :-1].reshape(6, 1, 8, width)).relu()
        flat = torch.cat([convolved.permute(0, 2, 3, 1).flatten(1), rows[seed, :, -1:]], 1)
        assert torch.allclose(networks(rows)[seed], linear(flat), atol=1e-5)


@pytest.mark.parametrize("agent", ["invariant", "latent"])
def test_agents_that_count_refuse_images_in_one_line(agent: str) -> None:
    run = Run("ConfoundedRiver-v0:observation=digits", agent, "observe", 50, 0)
    (row,) = run.rows()
    assert "needs a discrete observation space" in row["note"]
    assert "\n" not in row["note"]


@pytest.mark.parametrize("outputs", [1, 3, 20])
def test_the_ways_to_compute_a_layer_agree_in_outputs_and_gradients(outputs: int) -> None:
    networks = Perceptrons.drawn([7, outputs], rngs(range(2)))
    ones = torch.as_tensor(np.random.default_rng(0).integers([0, 4], [4, 7], size=(2, 30, 2)))
    dense = torch.zeros(2, 30, 7).scatter_(2, ones, 1.0)
    weight, bias = networks.layers
    slope = torch.randn(2, 30, outputs, generator=torch.Generator().manual_seed(0))
    found = [
        (made, *torch.autograd.grad(made, [weight, bias], slope))
        for made in (dense @ weight + bias, networks(dense), networks(ones))
    ]
    for others in found[1:]:
        assert all(
            torch.allclose(mine, theirs, atol=1e-5)
            for mine, theirs in zip(others, found[0], strict=True)
        )


@pytest.mark.parametrize("space", [Discrete(12), MultiDiscrete([3, 2, 2])])
@pytest.mark.parametrize(
    "rows", [5, 12]
)  # a row finds its cell by the places of its ones, or has it
def test_outputs_that_are_looked_up_are_those_of_the_rows(space: Space, rows: int) -> None:
    encoder = Encoder(space, rows, torch.device("cpu"))
    networks = Perceptrons.drawn([flatdim(space), 4, 3], rngs(range(2)))
    space.seed(0)
    seen = torch.stack(
        [
            encoder.tensor(encoder.columns(np.array([space.sample() for _ in range(rows)])))
            for _ in range(2)
        ]
    )
    looked_up = encoder.table(networks, 40)(seen)
    assert torch.allclose(looked_up, encoder.outputs(networks, seen), atol=1e-6)


def test_a_space_of_too_many_cells_to_list_is_seen_by_its_ones() -> None:
    encoder = Encoder(MultiDiscrete([50] * 8), 5, torch.device("cpu"))
    assert encoder.columns(np.zeros((1, 8), int)).tolist() == [
        [0, 50, 100, 150, 200, 250, 300, 350]
    ]


# A loss that diverges.


@every_agent
@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e38])
def test_a_seed_that_diverges_is_reported_and_costs_no_other(name: str, wrong: float) -> None:
    logs, agent = [data_of(IN_NETWORKS[name], seed) for seed in range(SEEDS)], quick(name)
    logs[1]["observation" if name == "bc" else "reward"][:] = wrong
    together = agent.learn_all(logs, rngs(range(SEEDS)))
    for seed in (0, 2):
        assert are_equal(together[seed], agent.learn(logs[seed], np.random.default_rng(seed)))
    if name in ("dqn", "cql", "irm", "group-dro", "decision-transformer", "bc") and wrong == 1e38:
        return  # an error that counts linearly, or in standard deviations, is still finite
    assert isinstance(together[1], FloatingPointError)
    with pytest.raises(
        FloatingPointError, match="the loss is not finite any more; try a smaller learning rate"
    ):
        agent.learn(logs[1], np.random.default_rng(1))


class Once(Learner):
    """Two seeds with one number each;

    the loss of the second is infinite at its third step alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.numbers, self.steps = torch.nn.Parameter(torch.ones(2)), 0

    def forward(self, batch: Minibatch) -> torch.Tensor:
        self.steps += 1
        return self.numbers + torch.tensor([0.0, torch.inf if self.steps == 3 else 0.0])

    def policy(self, seed: int) -> Policy:
        raise NotImplementedError


def test_a_loss_that_was_not_finite_once_is_not_forgotten() -> None:
    learner, nothing = Once(), torch.zeros(2, 1)
    assert train(learner, 2, [Minibatch(*[nothing] * 5)] * 6, DQN(rate=0.1)).finite == [True, False]
    assert learner.steps == 6
    assert learner.numbers[0].item() == pytest.approx(0.4, abs=1e-5)


def test_learning_ends_when_every_seed_has_diverged() -> None:
    learner = Once()
    learner.numbers.data[:] = torch.nan
    batches = [Minibatch(*[torch.zeros(2, 1)] * 5)] * 6
    assert train(learner, 2, batches, DQN(rate=0.1)).finite == [False, False]
    assert learner.steps == 1


# What they learn.


def learned(name: str, model: World, seeds: int = 1, **settings: Any) -> list[Policy]:
    agent: Any = make_agent(name, **settings)
    return list(agent.learn_all([data_of(model, 1, 4_000)] * seeds, rngs(range(seeds))))


@pytest.mark.parametrize("name", ["dqn", "fqi"])
@pytest.mark.parametrize("world", [ICE, ICE.control()], ids=["world", "control"])
def test_q_learning_takes_seeing_for_doing_and_is_right_where_they_are_the_same(
    name: str, world: World
) -> None:
    (policy,) = learned(name, world, updates=400)
    seen = log_process(world).reward
    assert policy.action_values(shown(world)) == pytest.approx(seen, abs=0.06)
    assert np.array_equal(policy.probabilities(shown(world)), world.confused_policy())
    assert np.array_equal(world.confused_policy(), world.causal_policy()) == (world != ICE)


def test_cql_ends_where_the_gradient_of_its_loss_vanishes() -> None:
    alpha = 0.5
    (policy,) = learned("cql", THERMO, updates=800, alpha=alpha, batch=256, rate=1e-3)
    values, taken, seen = (
        values_of(policy, THERMO),
        behaviour_policy(THERMO),
        log_process(THERMO).reward,
    )
    softmax = np.exp(values) / np.exp(values).sum(1, keepdims=True)
    gradient = taken * (values - seen) + alpha * (softmax - taken)
    assert gradient == pytest.approx(0.0, abs=0.03)
    assert values != pytest.approx(seen, abs=0.05)


def test_iql_ends_at_the_behaviour_weighted_by_the_advantage() -> None:
    (policy,) = learned("iql", ICE, updates=800, batch=256, rate=1e-3, temperature=3.0, tau=0.05)
    (taken,), (seen,) = behaviour_policy(ICE), log_process(ICE).reward
    weighted = taken * np.exp(3.0 * seen)
    assert isinstance(policy, NetworkPolicy)
    assert NetworkPolicy.probabilities(policy, shown(ICE))[0] == pytest.approx(
        weighted / weighted.sum(), abs=0.04
    )
    assert np.array_equal(policy.probabilities(shown(ICE))[0], weighted == weighted.max())
    assert policy.action_values(shown(ICE)) == pytest.approx(seen[None], abs=0.06)


def test_the_learning_curve_of_dqn_is_that_of_stable_baselines3() -> None:
    data, seeds = data_of(RELAY, 5, 2_000), 6
    for updates in (20, 80):
        agent = DQN(updates=updates, sync=20, batch=64)
        policies: list[Any] = agent.learn_all([data] * seeds, rngs(range(seeds)))
        ours, theirs = np.array([values_of(policy, RELAY) for policy in policies]), []
        for seed in range(seeds):
            net = sb3_dqn(data, agent, seed).policy
            with torch.no_grad():
                theirs.append(net.q_net(net.obs_to_tensor(shown(RELAY))[0]).double().numpy())
        spread = np.sqrt((ours.var(0, ddof=1) + np.var(theirs, axis=0, ddof=1)) / seeds)
        assert (abs(ours.mean(0) - np.mean(theirs, axis=0)) <= 4 * spread).all()
