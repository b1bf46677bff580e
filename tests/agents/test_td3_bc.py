"""Twin delayed policy gradients that clone too: the published losses, and what they lead to."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Discrete
from learning import data_of
from refusals import refused

from dosuite.agents import make_agent
from dosuite.agents.networks.encoder import Encoder
from dosuite.agents.networks.training import minibatches, train
from dosuite.agents.offline.base import Task
from dosuite.agents.offline.td3_bc import TD3BC, actor_loss, smoothed
from dosuite.causal import Array
from dosuite.envs import Data, make_model

torch.set_num_threads(1)

AIRLINE = make_model("AirlinePricing-v0")
LOW, HIGH = 10.0, 30.0


def learner_of(data: Data, **settings: Any) -> tuple[Any, Encoder]:
    """The networks of two seeds, before they have learned, and their encoder."""
    encoder = Encoder(data.observation_space, 8, torch.device("cpu"))
    agent: Any = make_agent("td3-bc", hidden=8, **settings)
    rngs = [np.random.default_rng(seed) for seed in range(2)]
    task = Task([data] * 2, rngs, encoder, agent.layers, agent.updates)
    return agent._learner(task), encoder


def rows_of(data: Data, encoder: Encoder, updates: int = 1) -> Any:
    return minibatches(
        [data] * 2, [np.random.default_rng(seed) for seed in (2, 3)], updates, 8, encoder
    )


def test_the_losses_are_the_published_ones() -> None:
    values, chosen, actions = np.random.default_rng(0).normal(size=(3, 2, 20))
    expected = [
        -2.5 / abs(q).mean() * q.mean() + ((pi - a) ** 2).mean()
        for q, pi, a in zip(values, chosen, actions, strict=True)
    ]
    found = actor_loss(
        torch.as_tensor(values), torch.as_tensor(chosen), torch.as_tensor(actions), 2.5
    )
    assert found.numpy() == pytest.approx(expected)
    noisy = np.clip(chosen + np.clip(values, -0.5, 0.5), -1, 1)
    assert smoothed(torch.as_tensor(chosen), torch.as_tensor(values), 0.5).numpy() == pytest.approx(
        noisy
    )


def test_no_gradient_of_the_actor_reaches_the_critics_and_none_of_theirs_the_actor() -> None:
    data = data_of(AIRLINE, 200)
    learner, encoder = learner_of(data, updates=1)
    (batch,) = rows_of(data, encoder)
    alone = torch.autograd.grad(
        learner(batch).sum(), [*learner.critics.parameters()]
    )  # a step without the actor
    parts = [*learner.critics.parameters(), *learner.actor.parameters()]
    both = torch.autograd.grad(learner(batch).sum(), parts)
    assert all(
        torch.allclose(mine, theirs, atol=1e-6) for mine, theirs in zip(alone, both, strict=False)
    )
    assert all(slope.abs().max() > 0 for slope in both[len(alone) :: 2])


def test_the_actor_and_the_targets_move_at_each_second_step() -> None:
    data = data_of(AIRLINE, 200)
    learner, encoder = learner_of(data)

    def numbers() -> list[Array]:
        nets = learner.critics, learner.actor, learner.target_critics, learner.target_actor
        return [
            np.concatenate([layer.detach().numpy().ravel() for layer in net.layers]) for net in nets
        ]

    seen = []

    def watched() -> Any:
        for batch in rows_of(data, encoder, 4):
            seen.append(numbers())
            yield batch
        seen.append(numbers())

    train(learner, 2, watched(), TD3BC())
    moved = [
        [not np.array_equal(*pair) for pair in zip(before, after, strict=True)]
        for before, after in pairwise(seen)
    ]
    late = [True, True, True, True]
    assert moved == [
        [True, False, False, False],
        [True, True, True, False],
        [True, False, False, False],
        late,
    ]


def test_the_policy_is_the_actor_on_observations_as_they_are() -> None:
    data = data_of(AIRLINE, 200)
    learner, encoder = learner_of(data)
    (batch,) = rows_of(data, encoder)
    standard = (batch.observation.numpy() - data["observation"].mean(0)) / data["observation"].std(
        0
    )
    wanted = (
        LOW
        + (HIGH - LOW)
        * (learner.actor(torch.as_tensor(standard))[1, :, 0].tanh().detach().numpy() + 1)
        / 2
    )
    acted = learner.policy(1).act(batch.observation[1].numpy(), np.random.default_rng(0))
    assert acted == pytest.approx(wanted, rel=1e-4)


def test_observations_that_can_be_counted_are_seen_as_they_are() -> None:
    data = data_of(AIRLINE, 200)
    kind = np.random.default_rng(0).integers(3, size=200)
    columns = {
        **data.columns,
        "observation": kind,
        "next_observation": kind,
        "action": 15.0 + 5.0 * kind,
    }
    data = replace(data, columns=columns, observation_space=Discrete(3))
    for batch in (2, 256):
        policy = make_agent(
            "td3-bc", alpha=0, updates=200, rate=1e-2, batch=batch, hidden=16
        ).learn(data, np.random.default_rng(0))
        assert policy.act(np.arange(3), np.random.default_rng(0)) == pytest.approx(
            [15.0, 20.0, 25.0], abs=1.0
        )


def peak(sign: float) -> Data:
    """Actions at random, of which 24 earns most at every time; or with a sign of -1, least."""
    data = data_of(AIRLINE, 2_000)
    action = np.random.default_rng(0).uniform(LOW, HIGH, len(data))
    return replace(
        data,
        columns={
            **data.columns,
            "action": action,
            "reward": 2.0 - sign * ((action - 24.0) / 10.0) ** 2,
        },
    )


def acted(data: Data, **settings: Any) -> Array:
    agent = make_agent(
        "td3-bc", **{"updates": 600, "rate": 3e-3, "hidden": 32, "batch": 256, **settings}
    )
    return agent.learn(data, np.random.default_rng(0)).act(
        data["observation"], np.random.default_rng(0)
    )


def test_with_a_large_alpha_it_does_what_earns_most_and_with_none_it_clones() -> None:
    assert acted(peak(1.0), alpha=20.0) == pytest.approx(24.0, abs=1.5)
    assert acted(peak(-1.0), alpha=20.0) == pytest.approx(LOW, abs=1.5)
    assert acted(peak(1.0), alpha=0.0, updates=200) == pytest.approx(20.0, abs=2.5)


def test_an_action_beyond_the_bounds_is_cloned_as_the_bound() -> None:
    data = data_of(AIRLINE, 500)
    data = replace(data, columns={**data.columns, "action": np.full(len(data), 55.0)})
    prices = acted(data, alpha=0.0, updates=200)
    assert ((prices > 28.0) & (prices <= HIGH)).all()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("td3-bc:updates=0", "td3-bc: updates must be at least 1, and is 0"),
        ("td3-bc:alpha=-1", "td3-bc: alpha must be at least 0, and is -1.0"),
        ("td3-bc:noise=-1", "td3-bc: noise must be at least 0, and is -1.0"),
        ("td3-bc:tau=0", "td3-bc: tau must be above 0 and at most 1, and is 0.0"),
    ],
)
def test_settings_out_of_range_are_refused(text: str, line: str) -> None:
    assert refused(lambda: make_agent(text)) == line


def test_actions_that_can_be_counted_are_refused() -> None:
    data = data_of(make_model("IceCreamShorts-v0"), 50)
    line = refused(lambda: make_agent("td3-bc").learn(data, np.random.default_rng(0)))
    assert line == "td3-bc needs actions that are numbers, and these are Discrete(2)"
