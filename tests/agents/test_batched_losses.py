"""The losses of batched agents, written again from the papers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from batched_agents import RELAY, data_of, quick, rngs

from dosuite.agents.networks.encoder import Encoder
from dosuite.agents.networks.perceptrons import Perceptrons
from dosuite.agents.networks.training import Minibatch, minibatches
from dosuite.agents.offline.base import Task
from dosuite.agents.offline.fitted_q import CQL, conservatism, dqn_loss, fqi_loss
from dosuite.agents.offline.iql import policy_loss, q_loss, value_loss
from dosuite.causal import Array

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
    excess, expectile = np.minimum(*target) - state, learner.agent.expectile
    logits = outputs_of(learner.actor, seed, now)
    surprise = np.log(np.exp(logits).sum(1)) - logits[range(ROWS), action]
    wanted = reward.numpy() + RELAY.discount * going_on.numpy() * following
    squares = sum((value - wanted) ** 2 for value in values)
    return float(
        (
            np.where(excess > 0, expectile, 1 - expectile) * excess**2
            + squares
            + np.minimum(np.exp(learner.agent.temperature * excess), 100) * surprise
        ).mean()
    )


@pytest.mark.parametrize("name", ["dqn", "fqi", "cql", "iql"])
def test_each_loss_is_that_of_its_networks(name: str) -> None:
    data, agent = data_of(RELAY, 0), quick(name)
    encoder = Encoder(data.observation_space, 5, torch.device("cpu"))
    learner = agent._learner(
        Task([data, data], rngs((0, 1)), encoder, [8, 8], agent._updates(data))
    )
    batch = next(minibatches([data] * 2, rngs((2, 3)), 1, ROWS, encoder))
    learner(batch)  # copies the networks to the targets
    draw = torch.Generator().manual_seed(2)
    for part in learner.parameters():
        part.data += part.requires_grad * torch.randn(
            part.shape, generator=draw
        )  # so that targets are others, and so are their best actions
    learner.steps = 8
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
        expected = {
            "dqn": huber,
            "cql": huber + getattr(agent, "alpha", 0.0) * conservative,
            "fqi": error**2,
        }[name]
        assert losses[seed] == pytest.approx(expected.mean(), rel=1e-5)
