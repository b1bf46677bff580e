"""Agents that learn with all seeds at once:

each seed as if it were alone, each loss as published, and policies that files keep.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from gymnasium.spaces import Discrete, MultiDiscrete, flatdim
from learning import few
from places import THROWAWAY_FILE
from refusals import refused

from dosuite.agents import Agent, NetworkPolicy, Policy, TabularPolicy, agent_classes, make_agent
from dosuite.agents.networks.encoder import Encoder
from dosuite.agents.networks.perceptrons import Perceptrons
from dosuite.agents.networks.training import Learner, Minibatch, minibatches, train
from dosuite.agents.offline.base import Task
from dosuite.agents.offline.fitted_q import CQL, conservatism, dqn_loss, fqi_loss
from dosuite.agents.offline.iql import policy_loss, q_loss, value_loss
from dosuite.agents.online.dqn import DQN
from dosuite.agents.saving import _packed
from dosuite.causal import Array, InputError, World, behaviour_policy
from dosuite.causal.exact import log_process
from dosuite.envs import Data, Space, all_observations, collect, make_model
from dosuite.eval import Run, execute
from dosuite.eval.bench.agents import sb3_dqn
from dosuite.eval.runs.failure import without_file

torch.set_num_threads(1)

RELAY, GAUGE = (make_model(f"{THROWAWAY_FILE}:{name}") for name in ("Relay", "Gauge"))
ICE, THERMO, AIRLINE = (
    make_model(name)
    for name in ("IceCreamShorts-v0", "IceCreamShorts-Thermo-v0", "AirlinePricing-v0")
)
NAMES = [
    name
    for name, kind in agent_classes().items()
    if kind.trains_seeds_together() and "graph" not in kind.needs
]
SEEDS = 3

COUNTING = [name for name in NAMES if agent_classes()[name].counts_actions]
IN_NETWORKS = {
    name: GAUGE if name in COUNTING else AIRLINE for name in NAMES
}  # where each learns by networks

every_agent = pytest.mark.parametrize("name", NAMES)
who_counts_actions = pytest.mark.parametrize("name", COUNTING)
in_every_world = pytest.mark.parametrize(
    ("name", "model"),
    [(name, model) for name in COUNTING for model in (THERMO, RELAY, GAUGE)]
    + [(name, AIRLINE) for name in NAMES if agent_classes()[name].acts_in_a_box],
)


def quick(name: str, **settings: Any) -> Any:
    """With a batch of so few rows that cells of Relay enter as rows, and of Thermo once."""
    return make_agent(name, **{**few(name), "batch": 5, "hidden": 8, **settings})


def data_of(model: World, seed: int, rows: int = 200) -> Data:
    return collect(model, -(-rows // model.horizon), seed).view(np.random.default_rng(seed))


def rngs(seeds: Sequence[int]) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


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
        {"batch": 64, "hidden": 32} if model in (GAUGE, AIRLINE) else {}
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
    assert train(learner, 2, [Minibatch(*[nothing] * 5)] * 6, rate=0.1) == [True, False]
    assert learner.steps == 6
    assert learner.numbers[0].item() == pytest.approx(0.4, abs=1e-5)


def test_learning_ends_when_every_seed_has_diverged() -> None:
    learner = Once()
    learner.numbers.data[:] = torch.nan
    assert train(learner, 2, [Minibatch(*[torch.zeros(2, 1)] * 5)] * 6, rate=0.1) == [False, False]
    assert learner.steps == 1


# Losses, written again from the papers.

ROWS, ACTIONS, DISCOUNT = 20, 3, 0.9


@pytest.fixture
def given() -> dict[str, Any]:
    """A minibatch of two seeds, with outputs of networks."""
    rng = np.random.default_rng(4)
    shape = 2, ROWS
    columns = {
        "action": rng.integers(ACTIONS, size=shape),
        "reward": 3 * rng.normal(size=shape),
        "going_on": rng.integers(2, size=shape),
    }
    outputs = {name: 2 * rng.normal(size=(*shape, ACTIONS)) for name in ("values", "logits")}
    states = {name: rng.normal(size=shape) for name in ("afterwards", "state", "advantage")}
    return {**columns, **outputs, **states}


def batch_of(given: dict[str, Any]) -> Minibatch:
    nothing = torch.zeros(2, ROWS)
    return Minibatch(
        nothing,
        torch.as_tensor(given["action"]),
        torch.as_tensor(given["reward"]),
        nothing,
        torch.as_tensor(given["going_on"]),
    )


def each(given: dict[str, Any], term: Callable[[int, int], float]) -> Array:
    """The mean over rows of a term of seed and row, (seeds,)."""
    return np.array([np.mean([term(s, i) for i in range(ROWS)]) for s in range(2)])


def errors(given: dict[str, Any]) -> Array:
    taken = np.take_along_axis(given["values"], given["action"][..., None], 2)[..., 0]
    return np.asarray(taken - given["reward"] - DISCOUNT * given["going_on"] * given["afterwards"])


def same(loss: torch.Tensor, expected: Array) -> None:
    assert loss.shape == (2,)
    assert loss.double().numpy() == pytest.approx(expected, rel=1e-6)


def test_the_losses_of_q_learning_are_the_published_ones(given: dict[str, Any]) -> None:
    error, values, action = errors(given), given["values"], given["action"]
    tensors = torch.as_tensor(values), torch.as_tensor(given["afterwards"]), batch_of(given)
    huber = each(
        given, lambda s, i: error[s, i] ** 2 / 2 if abs(error[s, i]) < 1 else abs(error[s, i]) - 0.5
    )
    assert (abs(error) < 1).any()
    assert (abs(error) > 1).any()
    conservative = each(
        given, lambda s, i: np.log(np.exp(values[s, i]).sum()) - values[s, i, action[s, i]]
    )
    same(dqn_loss(*tensors, DISCOUNT), huber)
    same(fqi_loss(*tensors, DISCOUNT), each(given, lambda s, i: error[s, i] ** 2))
    same(conservatism(tensors[0], torch.as_tensor(action)), conservative)
    same(CQL(alpha=0.7).loss(*tensors, DISCOUNT), huber + 0.7 * conservative)


def test_the_losses_of_iql_are_the_published_ones(given: dict[str, Any]) -> None:
    state, least = given["state"], given["afterwards"]
    asymmetric = each(
        given,
        lambda s, i: abs(0.7 - (least[s, i] < state[s, i])) * (least[s, i] - state[s, i]) ** 2,
    )
    same(value_loss(torch.as_tensor(state), torch.as_tensor(least), 0.7), asymmetric)
    two = torch.as_tensor(np.stack([given["values"][..., 0], given["values"][..., 1]]))
    wanted = given["reward"] + DISCOUNT * given["going_on"] * state
    squares = each(
        given, lambda s, i: sum((given["values"][s, i, k] - wanted[s, i]) ** 2 for k in (0, 1))
    )
    same(q_loss(two, torch.as_tensor(state), batch_of(given), DISCOUNT), squares)
    logits, advantage = given["logits"], 2 * given["advantage"]
    assert (3 * advantage > np.log(100)).any()
    law = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    weight = np.minimum(np.exp(3 * advantage), 100)
    cloned = each(given, lambda s, i: -weight[s, i] * np.log(law[s, i, given["action"][s, i]]))
    same(
        policy_loss(
            torch.as_tensor(logits),
            torch.as_tensor(advantage),
            torch.as_tensor(given["action"]),
            3.0,
        ),
        cloned,
    )


def outputs_of(networks: Perceptrons, member: int, rows: torch.Tensor) -> Array:
    """A network computed in NumPy: rows (n, in) to (n, out)."""
    layers = [layer.detach()[member].double().numpy() for layer in networks.layers]
    hidden = np.maximum(rows.double().numpy() @ layers[0] + layers[1], 0)
    hidden = np.maximum(hidden @ layers[2] + layers[3], 0)
    return np.asarray(hidden @ layers[4] + layers[5])


def seed_of(batch: Minibatch, seed: int) -> tuple[Any, ...]:
    columns = batch.observation, batch.next_observation, batch.action, batch.reward, batch.going_on
    return tuple(column[seed] for column in columns)


def expected_q_learning(learner: Any, batch: Minibatch, seed: int, double_q: bool) -> Array:
    """Differences of the values of the actions taken to what is wanted of them, and to the
    log-sum-exp of all: (2, rows).
    """
    now, later, action, reward, going_on = seed_of(batch, seed)
    values, target = outputs_of(learner.values, seed, now), outputs_of(learner.target, seed, later)
    own, best = outputs_of(learner.values, seed, later).argmax(1), target.argmax(1)
    assert (own != best).any()
    chosen = own if double_q else best
    wanted = reward.numpy() + RELAY.discount * going_on.numpy() * target[range(ROWS), chosen]
    return np.stack(
        [
            values[range(ROWS), action] - wanted,
            np.log(np.exp(values).sum(1)) - values[range(ROWS), action],
        ]
    )


def expected_iql(learner: Any, batch: Minibatch, seed: int) -> float:
    now, later, action, reward, going_on = seed_of(batch, seed)
    state, following = (outputs_of(learner.state, seed, rows)[:, 0] for rows in (now, later))
    values, target = (
        [outputs_of(part, seed + copy, now)[range(ROWS), action] for copy in (0, 2)]
        for part in (learner.values, learner.target)
    )
    excess = np.minimum(*target) - state
    logits = outputs_of(learner.actor, seed, now)
    surprise = np.log(np.exp(logits).sum(1)) - logits[range(ROWS), action]
    wanted = reward.numpy() + RELAY.discount * going_on.numpy() * following
    squares = sum((value - wanted) ** 2 for value in values)
    return float(
        (
            np.where(excess > 0, 0.7, 0.3) * excess**2
            + squares
            + np.minimum(np.exp(3 * excess), 100) * surprise
        ).mean()
    )


@pytest.mark.parametrize("name", ["dqn", "fqi", "cql", "iql"])
def test_each_loss_is_that_of_its_networks(name: str) -> None:
    data, agent = data_of(RELAY, 0), quick(name)
    encoder = Encoder(data.observation_space, 5, torch.device("cpu"))
    learner = agent._learner(Task([data, data], rngs((0, 1)), encoder, 8))
    batch = next(minibatches([data] * 2, rngs((2, 3)), 1, ROWS, encoder))
    learner(batch)  # copies the networks to the targets
    draw = torch.Generator().manual_seed(2)
    for part in learner.parameters():
        part.data += part.requires_grad * torch.randn(
            part.shape, generator=draw
        )  # so that targets are others, and so are their best actions
    learner.steps = 5
    losses = learner(batch).detach().numpy()
    seen, following = (
        encoder.features(part) for part in (batch.observation, batch.next_observation)
    )
    batch = replace(batch, observation=seen, next_observation=following)
    for seed in (0, 1):
        if name == "iql":
            assert losses[seed] == pytest.approx(expected_iql(learner, batch, seed), rel=1e-5)
            continue
        error, conservative = expected_q_learning(learner, batch, seed, double_q=name == "cql")
        huber = np.where(abs(error) < 1, error**2 / 2, abs(error) - 0.5)
        expected = {"dqn": huber, "cql": huber + conservative, "fqi": error**2}[name]
        assert losses[seed] == pytest.approx(expected.mean(), rel=1e-5)


# What they learn.


def learned(name: str, model: World, seeds: int = 1, **settings: Any) -> list[Policy]:
    agent: Any = make_agent(name, **settings)
    return list(agent.learn_all([data_of(model, 1, 4_000)] * seeds, rngs(range(seeds))))


@pytest.mark.parametrize("name", ["dqn", "fqi"])
@pytest.mark.parametrize("world", [ICE, ICE.control()], ids=["world", "control"])
def test_q_learning_takes_seeing_for_doing_and_is_right_where_they_are_the_same(
    name: str, world: World
) -> None:
    (policy,) = learned(name, world, **({"steps": 400} if name == "fqi" else {"updates": 400}))
    seen = log_process(world).reward
    assert policy.action_values(shown(world)) == pytest.approx(seen, abs=0.06)
    assert np.array_equal(policy.probabilities(shown(world)), world.confused_policy())
    assert np.array_equal(world.confused_policy(), world.causal_policy()) == (world != ICE)


def test_cql_ends_where_the_gradient_of_its_loss_vanishes() -> None:
    alpha = 0.5
    (policy,) = learned("cql", THERMO, updates=800, alpha=alpha)
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
    (policy,) = learned("iql", ICE, updates=800, tau=0.05)
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


# Runs that are done together.


@dataclass(frozen=True)
class Fickle(Agent):
    """Learns with all seeds at once, and fails in a way that a setting names."""

    name: ClassVar[str] = "fickle"
    learns: ClassVar[tuple[str, ...]] = ("observe",)

    way: str = ""

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        if self.way == "alone" and rng.random() < 2:
            raise ZeroDivisionError("alone")
        return TabularPolicy(np.array([[0.5, 0.5]]), source.observation_space, note="alone")

    def learn_all(
        self, sources: Sequence[Data], generators: Sequence[np.random.Generator]
    ) -> list[Policy | Exception]:
        if self.way == "raise":
            raise ZeroDivisionError("together")
        policies: list[Policy | Exception] = [
            TabularPolicy(np.array([[0.5, 0.5]]), source.observation_space, note="together")
            for source in sources
        ]
        if self.way == "one":
            policies[1] = FloatingPointError("diverged")
        return policies[1:] if self.way == "few" else policies


def fickle_rows(folder: Path, way: str, seeds: int = SEEDS) -> list[list[str]]:
    runs = [
        Run("IceCreamShorts-v0", f"{__file__}:Fickle:way={way}", "observe", 50, seed)
        for seed in range(seeds)
    ]
    rows = execute(runs, folder, 1, quiet=True)
    rows["note"] = rows["note"].map(without_file)
    return rows[rows["world"] == ""].sort_values("seed")[["status", "note"]].to_numpy().tolist()


def test_seeds_are_learned_together_and_one_that_fails_costs_no_other(tmp_path: Path) -> None:
    fine = ["ok", "together"]
    assert fickle_rows(tmp_path / "fine", "fine") == [fine] * SEEDS
    assert fickle_rows(tmp_path / "one", "one") == [
        fine,
        ["failed", "FloatingPointError: diverged"],
        fine,
    ]
    assert fickle_rows(tmp_path / "single", "one", seeds=1) == [["ok", "alone"]]
    assert fickle_rows(tmp_path / "raise", "raise") == [["ok", "alone"]] * SEEDS
    few = "fickle.learn_all must return a policy for each of 3 seeds, and returned 2"
    assert fickle_rows(tmp_path / "few", "few") == [["failed", few]] * SEEDS


@every_agent
def test_runs_that_are_done_together_have_the_rows_that_they_have_alone(
    name: str, tmp_path: Path
) -> None:
    settings = ",".join(f"{setting}={number}" for setting, number in few(name).items())
    world = "IceCreamShorts-Thermo-v0" if name in COUNTING else "AirlinePricing-v0"
    runs = [Run(world, f"{name}:{settings}", "observe", 100, seed) for seed in range(SEEDS)]
    runs += [replace(run, variant="twin") for run in runs[:2]]
    together = execute(runs, tmp_path, 1, quiet=True)
    alone = pd.DataFrame([row for run in runs for row in run.rows()])
    one, other = (
        rows.sort_values(["variant", "seed", "world"], ignore_index=True)
        for rows in (together, alone)
    )
    pd.testing.assert_frame_equal(one, other)
    assert together["value"].notna().all()


def test_a_run_that_diverges_has_a_clear_row(tmp_path: Path) -> None:
    runs = [
        Run("IceCreamShorts-Thermo-v0", "fqi:rate=1e30,steps=9", "observe", 100, seed)
        for seed in range(2)
    ]
    rows = execute(runs, tmp_path, 1, quiet=True)
    assert rows["status"].tolist() == ["failed"] * 2
    assert (
        rows["note"].map(without_file).tolist()
        == ["FloatingPointError: the loss is not finite any more; try a smaller learning rate"] * 2
    )


# What is refused.


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("dqn:updates=0", "dqn: updates must be at least 1, and is 0"),
        ("dqn:batch=0", "dqn: batch must be at least 1, and is 0"),
        ("fqi:steps=0", "fqi: steps must be at least 1, and is 0"),
        ("cql:rate=0", "cql: rate must be positive, and is 0.0"),
        ("cql:rate=nan", "cql: rate must be positive, and is nan"),
        ("cql:alpha=-1", "cql: alpha must be at least 0, and is -1.0"),
        ("iql:expectile=1", "iql: expectile must be between 0 and 1, and is 1.0"),
        ("iql:temperature=-1", "iql: temperature must be at least 0, and is -1.0"),
        ("iql:tau=0", "iql: tau must be above 0 and at most 1, and is 0.0"),
        ("bc:steps=0", "bc: steps must be at least 1, and is 0"),
        ("naive:iterations=0", "naive: iterations must be at least 1, and is 0"),
    ],
)
def test_settings_out_of_range_are_refused(text: str, line: str) -> None:
    assert refused(lambda: make_agent(text)) == line


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="there is no device 'abacus' here"):
        quick("iql", device="abacus").learn(data_of(THERMO, 0), np.random.default_rng(0))


def test_numbers_as_actions_are_refused() -> None:
    data = data_of(GAUGE, 0)
    data = replace(data, action_space=data.observation_space)
    assert "needs actions that can be counted" in refused(
        lambda: quick("cql").learn(data, np.random.default_rng(0))
    )


def test_an_encoder_knows_every_cell() -> None:
    for model in (RELAY, THERMO):
        data = data_of(model, 0)
        encoder = Encoder(data.observation_space, 1000, torch.device("cpu"))
        assert encoder.grid is not None
        assert np.unique(encoder.grid.numpy(), axis=0).shape == encoder.grid.shape
        assert encoder.columns(all_observations(model)).tolist() == list(range(len(encoder.grid)))
