"""Imitation with a causal graph:

the environment tells which parts of the observation the expert answers to.
"""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from learning import data_of, table
from places import THROWAWAY_FILE
from refusals import refused
from scipy.special import logit

from dosuite.agents import Policy, Practice, make_agent
from dosuite.agents.offline.targeted import GraphPosterior, counted_clones, factors
from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    World,
    action,
    context,
    reward,
    value,
)
from dosuite.envs import CausalVectorEnv, make_model

torch.set_num_threads(1)

BRAKE, TRAFFIC, CAR = (
    make_model(f"{name}-v0") for name in ("BrakeLight", "TrafficLight", "CopycatCar")
)
GAUGE = make_model(f"{THROWAWAY_FILE}:Gauge")


class TwoDials(World):
    """Set what both dials show; the expert seldom errs."""

    @context
    def upper(self) -> Bernoulli:
        return Bernoulli(0.5)

    @context
    def lower(self) -> Categorical:
        return Categorical(np.full(3, 1 / 3))

    @action
    def setting(self, upper: Array, lower: Array) -> Categorical:
        return Categorical(0.9 * np.eye(6)[3 * upper.astype(int) + lower.astype(int)] + 0.1 / 6)

    @reward
    def right(self, upper: Array, lower: Array, setting: Array) -> Exactly:
        return Exactly(setting == 3 * upper + lower)


class Counted(CausalVectorEnv):
    """An environment that knows how many steps were taken in it."""

    taken = 0

    def step(self, actions: Array) -> Any:
        self.taken += self.num_envs
        return super().step(actions)


def practised(model: World, budget: int, seed: int = 0, **settings: Any) -> tuple[Policy, Counted]:
    made: list[Counted] = []

    def make(count: int) -> CausalVectorEnv:
        made.append(Counted(model.deployed(), count))
        made[0].reset(seed=seed)
        return made[0]

    source = Practice(make, budget, model.discount, data_of(model, budget, seed=seed))
    return make_agent("targeted", **settings).learn(source, np.random.default_rng(seed)), made[0]


# What it finds.


@pytest.mark.parametrize(
    ("model", "clone", "best"),
    [(BRAKE, -120.0, 52.0), (TRAFFIC, -17.857, 19.643)],
    ids=["BrakeLight", "TrafficLight"],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_looks_at_the_camera_where_who_looks_at_everything_is_misled(
    model: World, clone: float, best: float, seed: int
) -> None:
    world = model.deployed()
    policy, _ = practised(model, 10_000, seed)
    assert policy.note == "acts on context 0"
    assert value(world, table(policy, world)) == pytest.approx(best, abs=1e-3)
    whole = counted_clones(data_of(model, 10_000))(np.ones(2, dtype=bool))
    assert value(world, table(whole, world)) == pytest.approx(clone, abs=1e-3)


def test_it_keeps_every_factor_that_the_expert_needs() -> None:
    policy, _ = practised(TwoDials(), 4_000)
    assert policy.note == "acts on context 0, context 1"
    assert np.array_equal(table(policy, TwoDials()), TwoDials().causal_policy())


def test_it_finds_that_the_car_is_driven_by_its_velocity() -> None:
    policy, _ = practised(CAR, 12_000, updates=400)
    assert "context 1" in policy.note
    env = CausalVectorEnv(CAR.deployed(), 200)
    (observations, _), rng, arrived = (
        env.reset(seed=0),
        np.random.default_rng(0),
        np.zeros(200, dtype=bool),
    )
    for _ in range(160):
        observations, _, terminated, _, _ = env.step(policy.act(observations, rng))
        arrived |= terminated
    assert arrived.mean() > 0.5  # who does not look at it never arrives


# How it finds it.


def test_each_clone_does_what_was_mostly_done_given_its_causes() -> None:
    clones = counted_clones(data_of(BRAKE, 20_000))
    found = {
        graph: table(clones(np.array(graph)), BRAKE)[:, 1].tolist()
        for graph in product((False, True), repeat=2)
    }
    assert found == {
        (False, False): [0] * 4,
        (True, False): [0, 0, 1, 1],
        (False, True): [0, 1, 0, 1],
        (True, True): [0, 0, 0, 1],
    }


def test_a_network_of_all_graphs_learns_what_counting_learns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, agent = data_of(BRAKE, 20_000), make_agent("targeted", updates=300)
    clones, counted = agent._network_clones(data, np.random.default_rng(0)), counted_clones(data)  # type: ignore[attr-defined]
    for graph in map(np.array, product((False, True), repeat=2)):
        assert np.array_equal(table(clones(graph), BRAKE), table(counted(graph), BRAKE))
    monkeypatch.setattr("dosuite.agents.tabular.counting.MOST_CELLS", 0)
    policy, _ = practised(BRAKE, 10_000, updates=300)
    assert policy.note == "acts on context 0"


def test_a_clone_in_a_box_is_blind_to_what_is_no_cause() -> None:
    clones = make_agent("targeted", updates=100)._network_clones(  # type: ignore[attr-defined]
        data_of(GAUGE, 2_000), np.random.default_rng(0)
    )
    shown = np.random.default_rng(1).normal(0.0, 2.0, size=(200, 2)).astype(np.float32)
    for cause, other in ((0, 1), (1, 0)):
        policy, moved = clones(np.arange(2) == cause), shown.copy()
        moved[:, other] += 3.0
        assert np.array_equal(policy.probabilities(shown), policy.probabilities(moved))
        assert not np.array_equal(
            policy.probabilities(shown), clones(np.arange(2) == other).probabilities(shown)
        )


def test_the_posterior_is_that_of_the_regression_on_what_was_seen() -> None:
    rng = np.random.default_rng(0)
    graphs = rng.integers(2, size=(50_000, 3))
    returns = graphs @ [2.0, -1.0, 0.0] + 7.0 + rng.normal(size=50_000)
    belief = GraphPosterior(3, temperature=0.8)
    assert belief.probabilities().tolist() == [0.5] * 3
    for part in range(0, 50_000, 10_000):
        belief.update(graphs[part : part + 10_000], returns[part : part + 10_000])
    expected = np.array([2.0, -1.0, 0.0]) / (0.8 * np.sqrt(1.0 + 5.0 / 4.0))
    assert logit(belief.probabilities()) == pytest.approx(expected, abs=0.03)


def test_factors_are_components_and_numbers() -> None:
    for model, expected in (
        (BRAKE, [2, 2]),
        (TwoDials(), [2, 3]),
        (CAR, [1, 1, 1]),
        (make_model("IceCreamShorts-Thermo-v0"), [2]),
    ):
        assert factors(CausalVectorEnv(model).single_observation_space) == expected


@pytest.mark.parametrize("steps", [1, 60, 100, 750, 5_000])
def test_it_practises_no_longer_than_it_may(steps: int) -> None:
    policy, env = practised(BRAKE, steps)
    assert steps / 2 <= env.taken <= steps
    assert policy.note.startswith("acts on ")


# What is refused.


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("targeted:envs=0", "targeted: envs must be at least 1, and is 0"),
        ("targeted:updates=0", "targeted: updates must be at least 1, and is 0"),
        ("targeted:temperature=0", "targeted: temperature must be positive, and is 0.0"),
    ],
)
def test_settings_out_of_range_are_refused(text: str, line: str) -> None:
    assert refused(lambda: make_agent(text)) == line


def test_practice_without_a_log_is_refused() -> None:
    source = Practice(lambda count: CausalVectorEnv(BRAKE, count), 100, 1.0)
    line = refused(lambda: make_agent("targeted").learn(source, np.random.default_rng(0)))
    assert line == "targeted needs a log as well as an environment (Practice.log), and got none"
