"""The Decision Transformer:

attention looks back, windows are of one episode, and its own actions convince it unless masked.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from learning import data_of
from places import THROWAWAY_FILE
from refusals import refused

from dosuite.agents import Policy, make_agent
from dosuite.agents.networks.transformer import Transformer
from dosuite.agents.networks.windows import Episodes
from dosuite.agents.offline.decision_transformer import DecisionTransformer, SequencePolicy
from dosuite.causal import Array, World, uniform_policy, value
from dosuite.envs import CausalVectorEnv, Data, all_observations, make_model
from dosuite.envs.worlds.delusion import DelusionBox
from dosuite.eval.runs.policy_value import policy_value

torch.set_num_threads(1)

RELAY = make_model(f"{THROWAWAY_FILE}:Relay")
ICE, LQ = make_model("IceCreamShorts-v0"), make_model("CorrelatedNoiseLQ-v0")
BOXES = DelusionBox(horizon=8)


def rngs(seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(seeds)]


def learned(data: Data, seeds: int = 1, **settings: Any) -> list[Policy]:
    return list(DecisionTransformer(**settings).learn_all([data] * seeds, rngs(seeds)))  # type: ignore[arg-type]


# Attention.


def transformer(layers: int = 2) -> Transformer:
    return Transformer.drawn(8, 3, layers, 2, rngs(2))


@torch.no_grad()
def test_the_future_does_not_change_what_is_made_of_the_past() -> None:
    net, tokens = transformer(), torch.randn(2, 4, 6, 8, generator=torch.Generator().manual_seed(0))
    made = net(tokens)
    for step in range(5):
        other = tokens.clone()
        other[:, :, step + 1 :] += torch.arange(8)
        assert torch.allclose(net(other)[:, :, : step + 1], made[:, :, : step + 1], atol=1e-6)
        assert not torch.allclose(net(other)[:, :, step + 1 :], made[:, :, step + 1 :], atol=1e-3)
        other[:, :, 0] += torch.arange(8)
        assert not torch.allclose(net(other)[:, :, step], made[:, :, step], atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("layers", [1, 2])
def test_the_last_step_alone_is_the_last_of_all(layers: int) -> None:
    net, tokens = (
        transformer(layers),
        torch.randn(2, 4, 6, 8, generator=torch.Generator().manual_seed(0)),
    )
    assert torch.allclose(net(tokens, last=True), net(tokens)[:, :, -1:], atol=1e-6)
    assert torch.allclose(net.only([1])(tokens[1:]), net(tokens)[1:], atol=1e-6)


@torch.no_grad()
def test_attention_is_that_of_the_formula() -> None:
    net, tokens = (
        transformer(1),
        torch.randn(2, 1, 5, 8, generator=torch.Generator().manual_seed(0)),
    )
    block: Any = net.blocks[0]
    rows = tokens[1, 0].double()
    weights = [
        [part.double()[1] for part in each.layers]
        for each in (block.ask, block.answer, block.think, net.head)
    ]

    def normal(x: torch.Tensor) -> torch.Tensor:
        return (x - x.mean(1, keepdim=True)) / (
            x.var(1, unbiased=False, keepdim=True) + 1e-5
        ).sqrt()

    asked = normal(rows) @ weights[0][0] + weights[0][1]
    found = []
    for head in range(2):
        query, key, answer = (
            asked[:, 8 * kind + 4 * head : 8 * kind + 4 * head + 4] for kind in range(3)
        )
        scores = (query @ key.mT / 2).masked_fill(torch.ones(5, 5).triu(1).bool(), -torch.inf)
        found.append(scores.softmax(1) @ answer)
    rows = rows + torch.cat(found, 1) @ weights[1][0] + weights[1][1]
    rows = (
        rows + (normal(rows) @ weights[2][0] + weights[2][1]).relu() @ weights[2][2] + weights[2][3]
    )
    assert torch.allclose(
        net(tokens)[1, 0].double(), normal(rows) @ weights[3][0] + weights[3][1], atol=1e-5
    )


# Windows.


def test_a_window_is_consecutive_steps_of_one_episode_and_any_step_is_drawn() -> None:
    data = data_of(replace(RELAY, horizon=6), 300)
    log = Episodes(data)
    row, place = log.draw(np.random.default_rng(0), 2000, 4)
    inside = place < log.length[log.number[row]]
    assert 0.5 < inside.mean() < 1
    assert (data["episode"][row] == data["episode"][row[:, :1]]).all()
    assert np.array_equal(data["step"][row][inside], place[inside])
    assert (np.diff(row, axis=1)[inside[:, 1:]] == 1).all()
    assert set(row[inside]) == set(range(len(data)))


def test_a_return_to_go_is_the_discounted_sum_of_the_rewards_from_there_on() -> None:
    data = data_of(RELAY, 100)
    log = Episodes(data)
    for row in range(len(data)):
        rest = (data["episode"] == data["episode"][row]) & (data["step"] >= data["step"][row])
        assert log.to_go[row] == pytest.approx(data["reward"][rest] @ 0.9 ** np.arange(rest.sum()))
    assert np.array_equal(log.returns, log.to_go[data["step"] == 0])


# Playing is what was learned from.


def test_in_play_the_network_sees_the_windows_of_the_log() -> None:
    data = replace(data_of(replace(RELAY, horizon=6, edits=()).do(burnt=0), 60), horizon=6)
    agent = DecisionTransformer(hidden=8, context=4, updates=5, batch=40, temperature=1.0)
    (policy,) = agent.learn_all([data], rngs(1))
    assert isinstance(policy, SequencePolicy)
    log, episodes = Episodes(data), len(data) // 6
    columns = {
        name: data[name].reshape(episodes, 6, *data[name].shape[1:])
        for name in ("observation", "reward", "action")
    }
    player: Any = policy.play(episodes, np.random.default_rng(0))
    player.to_go = log.returns
    played = []
    for step in range(6):
        before = columns["reward"][:, step - 1] if step else np.zeros(episodes)
        played.append(player.outputs(columns["observation"][:, step], before))
        player.last_actions = columns["action"][:, step]
    for step in range(6):
        start = max(step - 3, 0)
        rows = np.arange(episodes)[:, None] * 6 + np.arange(start, step + 1)
        assert torch.allclose(
            outputs_in_training(agent, policy, data, rows.ravel(), step + 1 - start)[:, -1],
            played[step],
            atol=1e-5,
        )


@torch.no_grad()
def outputs_in_training(
    agent: DecisionTransformer, policy: SequencePolicy, data: Data, rows: Array, steps: int
) -> torch.Tensor:
    """What a policy's networks make of rows of a log, as its learner does it:

    (windows, steps, outputs).
    """
    log, net = Episodes(data), policy.net
    past = log.scales.past(
        log.to_go[rows],
        data["reward"][rows - 1],
        data["action"][rows - 1],
        data["step"][rows] > 0,
        data.action_space,
    )
    one_hot = torch.eye(data.horizon)[data["step"][rows]]
    charge, lamp = (torch.eye(size)[data["observation"][rows, i]] for i, size in enumerate((3, 2)))
    token = (
        net.see(torch.cat([charge, lamp], 1)[None])
        + net.count(one_hot[None])
        + net.recall(past[None])
    )
    made: torch.Tensor = net.body(token.unflatten(1, (-1, steps)))[0]
    return made


# Seeds.


@pytest.mark.parametrize("context", [1, 4, 20])
@pytest.mark.parametrize("model", [RELAY, LQ, BOXES], ids=["Relay", "LQ", "Delusion"])
def test_a_seed_learns_bit_by_bit_what_it_learns_alone(model: World, context: int) -> None:
    agent = DecisionTransformer(context=context, updates=6, batch=64, depth=2)
    logs = [data_of(model, 200 + 30 * seed, seed=seed) for seed in range(3)]
    together = agent.learn_all(logs, rngs(3))
    for seed, found in enumerate(together):
        alone = agent.learn(logs[seed], np.random.default_rng(seed))
        assert isinstance(found, SequencePolicy)
        assert isinstance(alone, SequencePolicy)
        for mine, other in zip(found.net.parameters(), alone.net.parameters(), strict=True):
            assert torch.equal(mine, other)
        assert (found.aim, found.scales) == (alone.aim, alone.scales)


# What it does.


def corridor(rng: np.random.Generator, episodes: int, box: bool = False) -> Data:
    """Walks in which half the walkers step to the right nine times in ten, and half to the left:

    what one gets is how far right he is.
    """
    skill = rng.choice([0.1, 0.9], size=(episodes, 1))
    right = rng.random((episodes, 5)) < skill
    at = np.concatenate([np.zeros((episodes, 1)), np.cumsum(2 * right - 1, axis=1)], axis=1)
    observation = np.stack([at[:, :-1], rng.normal(size=(episodes, 5))], axis=2).astype(np.float32)
    following = np.stack([at[:, 1:], rng.normal(size=(episodes, 5))], axis=2).astype(np.float32)
    columns: dict[str, Array] = {
        "episode": np.repeat(np.arange(episodes), 5),
        "step": np.tile(np.arange(5), episodes),
        "observation": observation.reshape(-1, 2),
        "action": (
            2.0 * right - 1 + 0.1 * rng.normal(size=right.shape) if box else right.astype(int)
        ).ravel(),
        "reward": at[:, 1:].ravel(),
        "next_observation": following.reshape(-1, 2),
        "terminated": np.zeros(5 * episodes, dtype=bool),
        "truncated": np.tile(np.arange(5) == 4, episodes),
    }
    space = Box(-np.inf, np.inf, (2,), np.float32)
    return Data(
        columns, (), space, Box(-1.0, 1.0, (1,), np.float32) if box else Discrete(2), 5, 1.0
    )


def walk(policy: Policy) -> float:
    """The mean return of fifty walks."""
    rng, at, got = np.random.default_rng(1), np.zeros(50), np.zeros(50)
    player, reward = policy.play(50, np.random.default_rng(2)), np.zeros(50)
    for _ in range(5):
        action = player(np.stack([at, rng.normal(size=50)], axis=1).astype(np.float32), reward)
        at = at + np.where(action > 0.5, 1, -1)
        reward, got = at, got + at
    return float(got.mean())


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_who_asks_for_a_high_return_does_better_than_a_clone_of_good_and_bad(
    temperature: float,
) -> None:
    data = corridor(np.random.default_rng(0), 200)
    high, low = (
        walk(learned(data, updates=150, aim=aim, temperature=temperature, batch=128)[0])
        for aim in (1.0, 0.0)
    )
    clone = walk(make_agent("bc:updates=150").learn(data, np.random.default_rng(0)))
    assert low < -10 < clone < 10 < high


def test_in_a_box_it_asks_too_and_stays_within_the_bounds() -> None:
    data = corridor(np.random.default_rng(0), 200, box=True)
    policies = [learned(data, updates=150, aim=aim, batch=128)[0] for aim in (1.0, 0.0)]
    assert walk(policies[1]) < -10 < 10 < walk(policies[0])
    for policy in policies:
        player, rng = policy.play(100, np.random.default_rng(0)), np.random.default_rng(0)
        acted = np.stack(
            [
                player(9 * rng.normal(size=(100, 2)).astype(np.float32), 9 * rng.normal(size=100))
                for _ in range(8)
            ]
        )
        assert (abs(acted) <= 1).all()
        assert (abs(acted) == 1).any()


def test_to_ask_for_a_return_is_a_choice_by_evidence() -> None:
    (policy,) = learned(data_of(ICE, 10_000), updates=150)
    assert np.array_equal(policy.probabilities(all_observations(ICE)), ICE.confused_policy())


# Its own actions.


def stays(policy: Policy, model: World) -> Array:
    """How often a player stays with a box that had no prize, and with one that had: (2,)."""
    env = CausalVectorEnv(model, 1000, paired=True)
    observations, _ = env.reset(seed=0)
    player, count, rewards = (
        policy.play(1000, np.random.default_rng(0)),
        np.zeros((2, 2)),
        np.zeros(1000),
    )
    before = player(observations, rewards)
    for _ in range(model.horizon - 1):
        observations, rewards, *_ = env.step(before)
        now = player(observations, rewards)
        np.add.at(count, (rewards.astype(int), (now == before).astype(int)), 1)
        before = now
    return np.asarray(count[:, 1] / count.sum(1))


def test_its_own_actions_convince_it_unless_they_are_masked() -> None:
    settings: dict[str, Any] = {"updates": 200, "temperature": 1.0, "rate": 1e-3, "hidden": 32}
    (deluded,) = learned(data_of(BOXES, 16_000), **settings)
    labelled = data_of(BOXES, 32_000, frozenset({"labels"}), "mixed")
    (masked,) = learned(labelled, actions="masked", **settings)
    assert stays(deluded, BOXES) == pytest.approx([0.875, 0.935], abs=0.03)
    lost, won = stays(masked, BOXES)
    assert lost < min(won - 0.02, 0.5)
    earned = policy_value(BOXES, deluded)
    exact = BOXES.values_in(BOXES)["j_confused"]
    assert earned.value == pytest.approx(exact, abs=4 * earned.std_error + 0.1)
    assert exact < BOXES.values_in(BOXES)["j_causal"] - 0.4


def test_without_returns_it_has_nothing_to_ask_for() -> None:
    data = data_of(BOXES, 400)
    (low,), (high,) = (learned(data, updates=3, returns=False, aim=aim) for aim in (0.0, 1.0))
    assert isinstance(low, SequencePolicy)
    assert isinstance(high, SequencePolicy)
    assert low.aim == high.aim
    assert low.aim.after(np.zeros(1), np.ones(1)) == [0.0]
    told = learned(data, updates=3)[0]
    assert isinstance(told, SequencePolicy)
    assert told.aim.first > 0


def test_masked_actions_need_labels_and_an_experimenter() -> None:
    assert DecisionTransformer().needs == frozenset()
    agent = make_agent("decision-transformer:actions=masked")
    assert agent.needs == {"labels"}
    line = refused(lambda: agent.learn(data_of(ICE, 50, agent.needs), np.random.default_rng(0)))
    assert (
        line
        == "decision-transformer: masked actions need episodes in which an experimenter acted; "
        "take a mixed log"
    )


def test_masked_actions_are_not_confounded() -> None:
    data = data_of(ICE, 10_000, frozenset({"labels"}), "mixed")
    (policy,) = learned(data, actions="masked", updates=150)
    assert (
        value(ICE, policy.probabilities(all_observations(ICE)))
        > value(ICE, uniform_policy(ICE)) + 0.05
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "actions=mask",
            "decision-transformer: actions must be evidence or masked; did you mean 'masked'?",
        ),
        ("aim=2", "decision-transformer: aim must be between 0 and 1, and is 2.0"),
        ("temperature=-1", "decision-transformer: temperature must be at least 0, and is -1.0"),
        ("heads=3", "decision-transformer: hidden must be a multiple of heads, and is 64 for 3"),
        ("context=0", "decision-transformer: context must be at least 1, and is 0"),
    ],
)
def test_settings_out_of_range_are_refused(text: str, line: str) -> None:
    assert refused(lambda: make_agent(f"decision-transformer:{text}")) == line
