"""Agents that fuse logs with experiments, and agents that practise with a table."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from causal_agents import GREEDY, ICE, SEEN, believed, mixed
from gymnasium import spaces
from learning import data_of, learn, source_of, table
from refusals import refused

from dosuite.agents import Policy, Practice, make_agent
from dosuite.causal import (
    Array,
    Bernoulli,
    Normal,
    World,
    action,
    reward,
    uniform_policy,
    value,
)
from dosuite.causal.exact import do_process, log_process
from dosuite.causal.partial_identification import manski
from dosuite.envs import collect, make_model
from dosuite.eval.runs.run import Run

RIVER = make_model("ConfoundedRiver-v0")


def test_what_a_few_experiments_say_is_moved_into_the_bounds_of_the_log() -> None:
    for share in (0.0, 0.002):
        data = mixed(ICE, share, 2000)
        values = believed(make_agent("fused").learn(data, np.random.default_rng(0)), ICE)[0]
        seen = data["regime"] == 0
        cells = data["action"][seen], np.unique(data["reward"], return_inverse=True)[1][seen]
        law = np.zeros((2, 4))
        np.add.at(law, cells, 1)
        low, high = manski(law, np.unique(data["reward"])).T
        assert (values >= low - 1e-12).all()
        assert (values <= high + 1e-12).all()
        if share == 0:
            assert values == pytest.approx((low + high) / 2)


def test_an_experiment_alone_has_no_bounds_but_the_range() -> None:
    values = believed(
        make_agent("fused").learn(mixed(ICE, 1.0, 20_000), np.random.default_rng(0)), ICE
    )
    assert values == pytest.approx(do_process(ICE).reward, abs=SEEN)


def test_fusion_abstains_where_nothing_was_tried() -> None:
    log = collect(RIVER, 20, 0, "observe").view(0, labels=True)
    policy = make_agent("fused").learn(log, 0)
    assert policy.note == "the log has no experimental rows: plays uniformly"
    assert np.ptp(policy.probabilities(log["observation"])) == 0


# Practice.


def practised(
    agent: str, world: str, regime: str, steps: int, **settings: Any
) -> tuple[Policy, World]:
    model = make_model(world)
    seen = model.with_intent() if regime == "counterfactual" else model
    return learn(agent, model, regime, steps, **settings), seen


@pytest.mark.parametrize(
    ("agent", "regime", "world", "steps"),
    [
        ("thompson", "intervene", "IceCreamShorts-v0", 2000),
        ("thompson", "intervene", "GreedyCasino-v0:casino=Rigged", 5000),
        ("thompson", "counterfactual", "GreedyCasino-v0", 2000),
        ("thompson", "counterfactual", "GreedyCasino-FourArms-v0", 5000),
        ("causal-thompson", "counterfactual", "GreedyCasino-v0", 2000),
        ("causal-thompson", "counterfactual", "GreedyCasino-FourArms-v0", 5000),
        ("causal-thompson", "counterfactual", "IceCreamShorts-Thermo-v0", 5000),
        ("q-learning", "intervene", "IceCreamShorts-v0", 2000),
        ("q-learning", "counterfactual", "GreedyCasino-v0", 5000),
        ("q-learning", "intervene", "ConfoundedRiver-v0", 50_000),
        ("q-learning", "counterfactual", "ConfoundedRiver-v0", 200_000),
    ],
)
def test_who_practises_finds_the_best_policy_for_what_he_sees(
    agent: str, regime: str, world: str, steps: int
) -> None:
    policy, seen = practised(agent, world, regime, steps)
    assert value(seen, table(policy, seen)) == pytest.approx(
        value(seen, seen.causal_policy()), abs=0.02
    )


def test_who_forgets_the_intent_earns_what_a_trial_does() -> None:
    policy, seen = practised("thompson", "GreedyCasino-v0", "intervene", 2000)
    assert value(seen, table(policy, seen)) == pytest.approx(0.3)
    policy, seen = practised("thompson", "GreedyCasino-v0", "counterfactual", 2000)
    assert value(seen, table(policy, seen)) == pytest.approx(0.45)


@pytest.mark.parametrize("world", ["GreedyCasino-v0", "IceCreamShorts-Thermo-v0"])
def test_the_log_tells_what_comes_of_the_intended_action(world: str) -> None:
    policy, seen = practised("causal-thompson", world, "counterfactual", 20_000)
    naive, actions = log_process(make_model(world)).reward, 2
    kept = np.array(
        [believed(policy, seen).reshape(-1, actions, actions)[:, a, a] for a in range(actions)]
    ).T
    assert kept == pytest.approx(naive, abs=0.03)


@pytest.mark.parametrize("agent", ["thompson", "q-learning"])
def test_equal_seeds_practise_alike(agent: str) -> None:
    one, other, third = (
        believed(learn(agent, ICE, "intervene", 300, seed), ICE) for seed in (0, 0, 1)
    )
    assert np.array_equal(one, other)
    assert not np.array_equal(one, third)


def test_thompson_sampling_is_for_one_step() -> None:
    policy = learn("thompson", RIVER, "intervene", 100)
    assert policy.note == "samples in one step only: plays uniformly"
    assert np.array_equal(table(policy, RIVER), uniform_policy(RIVER))


def test_a_run_hands_the_log_of_other_units_to_who_needs_one() -> None:
    run = Run("GreedyCasino-v0", "causal-thompson", "counterfactual", 600, 0)
    practice = run._source(run_model := make_model("GreedyCasino-v0").with_intent())
    assert isinstance(practice, Practice)
    assert practice.log is not None
    assert len(practice.log) == practice.steps == 600
    assert practice.log.observation_space == spaces.Discrete(1)
    assert not {"regime", "propensity", "intent"} & set(practice.log.columns)
    assert run_model.observe_intent
    rows = run.rows()
    assert rows[0]["status"] == "ok"
    assert rows[0]["needs"] == "log"
    without = Run("GreedyCasino-v0", "thompson", "counterfactual", 600, 0)._source(run_model)
    assert isinstance(without, Practice)
    assert without.log is None


# Refusals.


class Sensor(World):
    """A continuous reward."""

    @action
    def turn(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def pay(self, turn: Array) -> Normal:
        return Normal(turn, 1.0)


BOX = replace(
    data_of(ICE, 50, frozenset({"graph", "labels"})), observation_space=spaces.Box(0, 1, (1,))
)


PRACTICE = source_of(GREEDY, frozenset(), "counterfactual")


COUNTERS = (
    "adjust-all",
    "identify",
    "maximin",
    "minimax-regret",
    "iv",
    "proximal",
    "invariant",
    "latent",
    "fused",
)


@pytest.mark.parametrize("agent", COUNTERS)
def test_observations_that_cannot_be_counted_are_refused(agent: str) -> None:
    text = refused(lambda: make_agent(agent).learn(BOX, np.random.default_rng(0)))
    assert (
        text
        == f"{agent} counts: it needs a discrete observation space of at most 10000 observations"
    )


@pytest.mark.parametrize("agent", ["identify", "minimax-regret", "iv", "proximal"])
def test_who_needs_the_graph_says_so(agent: str) -> None:
    text = refused(
        lambda: make_agent(agent).learn(
            replace(BOX, observation_space=spaces.Discrete(1), graph=None), np.random.default_rng(0)
        )
    )
    assert text == f"{agent} needs the graph, and got a log without one"


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (lambda: make_agent("latent:classes=0"), "latent: classes must be at least 1, and is 0"),
        (lambda: make_agent("latent:starts=0"), "latent: starts must be at least 1"),
        (lambda: make_agent("latent:iterations=0"), "latent: iterations must be at least 1"),
        (lambda: make_agent("invariant:level=1.0"), "invariant: level must be between 0 and 1"),
        (lambda: make_agent("minimax-regret:types=0"), "minimax-regret: types must be at least 1"),
        (lambda: make_agent("thompson:envs=0"), "thompson: envs must be at least 1"),
        (
            lambda: make_agent("causal-thompson:prior=0.0"),
            "causal-thompson: prior must be positive",
        ),
        (
            lambda: make_agent("q-learning:power=0.5"),
            "q-learning: power must be in (0.5, 1]",
        ),
        (
            lambda: make_agent("q-learning:epsilon=2.0"),
            "q-learning: explored must be in (0, 1] and epsilon in [0, 1]",
        ),
        (
            lambda: learn("thompson", Sensor(), "intervene", 5000),
            "met more than 1000 different ones",
        ),
        (
            lambda: make_agent("causal-thompson").learn(PRACTICE, np.random.default_rng(0)),
            "needs a log as well as an environment",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(request_: Callable[[], object], text: str) -> None:
    assert text in refused(request_)
