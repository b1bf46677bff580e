"""Which agents are right, and which are confused."""

from dataclasses import replace

import numpy as np
import pytest
from agent_laws import GAUGE, ICE, MODELS, RELAY, THERMO, every_model
from gymnasium import spaces
from learning import data_of, learn, regret, table

from dosuite.agents import (
    Agent,
    Exact,
    Policy,
    TabularPolicy,
    make_agent,
)
from dosuite.agents.tabular.counting import process_of
from dosuite.causal import (
    World,
    behaviour_policy,
    distribution,
    uniform_policy,
    value,
)
from dosuite.causal.exact import Process, do_process, greedy, log_process, worst_policy
from dosuite.causal.graphs import is_markov
from dosuite.causal.identification import back_door_set
from dosuite.envs import all_observations, make_model

# Who is right, and who is not.


def margin(process: Process, rows: int) -> float:
    """By how many standard errors the best action leads, in the context of a log of so many rows
    where it leads least.

    A reward is taken to deviate by at most one half, and what follows a step to be worth at most
    the largest action value."""
    values, share = process.plan(), process.visits / process.visits.sum()
    known = share.sum(1) > 0
    if not np.isfinite(values[known]).all():
        return 0.0
    second, best = np.sort(values[known], axis=1)[:, -2:].T
    scale = 0.5 if process.horizon == 1 else max(1.0, abs(values[known]).max()) / 2
    error = scale * np.sqrt((1 / (rows * share[known])).sum(1))
    return float(((best - second) / error).min())


CLEAR = {text: model for text, model in MODELS.items() if margin(log_process(model), 20_000) > 6}


def test_most_traps_are_clear_in_a_log_of_20_000_rows() -> None:
    assert len(CLEAR) >= len(MODELS) / 3
    assert {
        "IceCreamShorts-v0",
        "SimpsonClinic-v0:study=Berkeley",
        "GreedyCasino-v0:casino=Rigged",
    } <= CLEAR.keys()


@pytest.mark.parametrize("model", CLEAR.values(), ids=CLEAR)
def test_naive_learns_the_policy_that_the_log_praises(model: World) -> None:
    """It is the confused policy, unless a world says who else is confused."""
    assert np.array_equal(table(learn("naive", model), model), greedy(log_process(model).plan()))


def test_naive_learns_the_confused_policy_of_the_river() -> None:
    model = MODELS["ConfoundedRiver-v0"]
    policy = learn("naive", model, rows=120_000)
    assert np.array_equal(table(policy, model), model.confused_policy())
    assert policy.process is not None
    assert policy.process.value(table(policy, model)) == pytest.approx(5.184, abs=0.2)


@pytest.mark.long
@every_model
def test_cloning_ends_at_the_propensity(model: World) -> None:
    data = data_of(model, 20_000)
    cloned = table(make_agent("bc").learn(data, np.random.default_rng(0)), model)
    rows = process_of(data).visits.sum(1, keepdims=True)
    assert (
        abs(cloned - behaviour_policy(model))
        <= np.where(rows > 0, 3 / np.sqrt(np.maximum(rows, 1)), 1.0)
    ).all()


def can_adjust(model: World) -> bool:
    """Whether there is a back-door set in whose every stratum the log takes every action."""
    chosen = back_door_set(model.graph)
    if chosen is None:
        return False
    joint = distribution(model, *model.contexts, *chosen, model.action)
    return bool((joint[joint.sum(-1) > 0] > 0).all())


@every_model
def test_back_door_is_causal_where_it_can_adjust_and_plays_uniformly_elsewhere(
    model: World,
) -> None:
    policy = learn("back-door", model)
    if not can_adjust(model) and back_door_set(model.graph) == ():
        assert (
            policy.note == "nothing to adjust for"
        )  # and nothing to learn of the actions that the log does not show
        return
    if not can_adjust(model):
        assert np.array_equal(table(policy, model), uniform_policy(model))
        assert policy.note.endswith("plays uniformly")
        assert policy.action_values(all_observations(model)) is None
        return
    chosen = back_door_set(model.graph)
    assert policy.note == (
        f"adjusts for {', '.join(chosen)}" if chosen else "nothing to adjust for"
    )
    if (
        margin(do_process(model), 20_000) > 12
    ):  # the log has fewer rows of some actions than an experiment would
        assert np.array_equal(table(policy, model), model.causal_policy())
    assert value(model, table(policy, model)) >= value(model, model.causal_policy()) - 0.02


def test_back_door_says_why_it_plays_uniformly() -> None:
    assert (
        learn("back-door", make_model("IceCreamShorts-NoOverlap-v0")).note
        == "adjusting for heat has no overlap: plays uniformly"
    )
    assert learn("back-door", ICE).note == "no back-door set: plays uniformly"
    graph = make_model("SimpsonClinic-v0").graph.copy()
    data = replace(data_of(make_model("SimpsonClinic-v0"), 500), graph=graph, logged=())
    assert (
        make_agent("back-door").learn(data, np.random.default_rng(0)).note
        == "no back-door set: plays uniformly"
    )


def at_stake(model: World) -> float:
    return value(model, model.causal_policy()) - value(model, worst_policy(model))


MARKOV = {
    text: model.control()
    for text, model in MODELS.items()
    if model.horizon == 1 or is_markov(model.control().graph)
}


CONTROLS = {text: control for text, control in MARKOV.items() if at_stake(control) > 0.02}


@pytest.mark.parametrize("control", CONTROLS.values(), ids=CONTROLS)
def test_in_a_control_offline_agents_find_the_best_policy(control: World) -> None:
    data = data_of(control, 100_000, frozenset({"graph"}))
    for name in ("naive", "back-door"):
        assert regret(control, make_agent(name).learn(data, np.random.default_rng(0))) < 0.02


def test_every_family_that_a_memoryless_plan_can_solve_has_a_control_with_regret() -> None:
    assert {text.split("-")[0] for text in CONTROLS} == {text.split("-")[0] for text in MARKOV}


def test_the_same_agents_fail_in_the_world_itself() -> None:
    assert regret(ICE, learn("naive", ICE)) == pytest.approx(1.0)


@pytest.mark.parametrize(("regime", "world"), [("observe", ICE.control()), ("intervene", ICE)])
def test_dqn_finds_the_best_policy_where_nothing_is_confounded(regime: str, world: World) -> None:
    assert regret(world, learn("dqn", world, regime, rows=4_000, updates=300)) < 0.02


def test_dqn_is_confused_by_the_log() -> None:
    assert regret(ICE, learn("dqn", ICE, rows=4_000, updates=300)) == pytest.approx(1.0)


def test_ppo_finds_the_best_policy_by_acting() -> None:
    assert regret(ICE, learn("ppo", ICE, "intervene", rows=6_000)) < 0.1


# Networks.


def test_a_cloned_box_follows_the_behaviour() -> None:
    policy = learn("bc", GAUGE, rows=5_000, updates=300)
    skin = np.array([[-2.0, 0.0], [-2.0, 3.0], [2.0, 0.0], [2.0, -3.0]], np.float32)
    assert policy.probabilities(skin)[:2, 1] == pytest.approx(0.0, abs=0.15)
    assert policy.probabilities(skin)[2:, 1] == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("horizon", [1, 3])
def test_naive_learns_in_a_box_whom_the_drug_helps(horizon: int) -> None:
    model = replace(GAUGE, horizon=horizon)
    policy = learn("naive", model, rows=5_000, updates=200)
    skin = np.random.default_rng(0).normal(0.0, 1.5, (500, 2)).astype(np.float32)
    clear = abs(skin[:, 0]) > 0.5
    right = policy.probabilities(skin)[np.arange(500), (skin[:, 0] > 0).astype(int)]
    assert right[clear].mean() > 0.95


@pytest.mark.parametrize("name", ["bc", "naive"])
@pytest.mark.parametrize("model", [THERMO, RELAY], ids=["Thermo", "Relay"])
def test_networks_learn_what_counting_learns(
    name: str, model: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, observations = learn(name, model, rows=5_000), all_observations(model)
    monkeypatch.setattr("dosuite.agents.tabular.counting.MOST_CELLS", 0)
    policy = learn(name, model, rows=5_000, updates=400)
    assert not isinstance(policy, TabularPolicy)
    if name == "bc":
        assert table(policy, model) == pytest.approx(table(counted, model), abs=0.08)
    else:
        assert policy.action_values(observations) == pytest.approx(
            counted.action_values(observations), abs=0.1
        )


class Reckless(Agent):
    """An agent that ignores its generator."""

    name = "reckless"
    learns = ("exact",)

    def learn_from(self, source: Exact, rng: np.random.Generator) -> Policy:
        row = np.random.default_rng().dirichlet(np.ones(2))
        return TabularPolicy(np.tile(row, (2, 1)), spaces.Discrete(2))


def test_an_agent_that_ignores_its_generator_is_noticed() -> None:
    one, other = (
        table(Reckless().learn(Exact(THERMO), np.random.default_rng(0)), THERMO) for _ in range(2)
    )
    assert not np.array_equal(one, other)
