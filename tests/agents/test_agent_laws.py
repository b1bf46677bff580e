"""The laws of agents:

equal seeds, equal policies; who is confused is confused as predicted, and who adjusts is right
where it can be.
"""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import pytest
import torch
from countable import TABULAR
from gymnasium import spaces
from learning import OFFLINE, ONLINE, data_of, few, learn, regret, table
from places import THROWAWAY_FILE
from refusals import refused

from dosuite.agents import (
    Agent,
    ContinuousPolicy,
    Exact,
    Policy,
    TabularPolicy,
    agent_classes,
    make_agent,
)
from dosuite.agents.tabular.counting import Strata, process_of
from dosuite.causal import (
    Array,
    Bernoulli,
    NotDiscreteError,
    World,
    behaviour_policy,
    distribution,
    logged,
    uniform_policy,
    value,
)
from dosuite.causal.exact import Process, do_process, greedy, log_process, worst_policy
from dosuite.causal.graphs import is_markov
from dosuite.causal.identification import back_door_set
from dosuite.envs import Data, all_observations, make_model
from dosuite.envs.worlds.airline import season
from dosuite.envs.worlds.river import ConfoundedRiver
from dosuite.envs.worlds.simpson import STUDIES, BloodPressure, SimpsonClinic
from dosuite.eval.runs.reference_values import evaluate, references

torch.set_num_threads(1)

EXACT = 1e-12
THROWAWAY = {
    name: make_model(f"{THROWAWAY_FILE}:{name}") for name in ("Relay", "Survivors", "Gauge")
}
RELAY, GAUGE = THROWAWAY["Relay"], THROWAWAY["Gauge"]
THERMO = make_model("IceCreamShorts-Thermo-v0")
ICE = make_model("IceCreamShorts-v0")
AIRLINE = make_model("AirlinePricing-v0")
MODELS: dict[str, World] = TABULAR

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
COUNTING = {name: kind for name, kind in agent_classes().items() if kind.counts_actions}


# The protocol.


@pytest.mark.parametrize("name", agent_classes())
def test_an_agent_is_a_frozen_record_that_says_what_it_needs(name: str) -> None:
    agent = make_agent(name)
    assert agent == make_agent(name)
    assert agent.name == name
    assert set(agent.learns) <= {*OFFLINE, *ONLINE, "exact"}
    assert agent.learns
    assert agent.needs <= {"graph", "labels", "log"}
    for field in fields(agent):  # type: ignore[arg-type]
        with pytest.raises(FrozenInstanceError):
            setattr(agent, field.name, 1)


@pytest.mark.parametrize(
    ("name", "regime"),
    [(name, regime) for name, kind in COUNTING.items() for regime in kind.learns],
)
def test_equal_sources_and_generators_give_equal_policies_whose_rows_are_probabilities(
    name: str, regime: str
) -> None:
    for model in (THERMO, RELAY):
        seen = model.with_intent() if regime == "counterfactual" else model
        one, other = (table(learn(name, model, regime, 600, **few(name)), seen) for _ in range(2))
        assert np.array_equal(one, other)
        assert one.shape == uniform_policy(seen).shape
        assert (one >= 0).all()
        assert one.sum(1) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", ["bc", "naive", "dqn", "ppo"])
def test_agents_with_networks_learn_from_a_box_alike_with_equal_generators(name: str) -> None:
    quick = few(name)
    regime = "intervene" if name == "ppo" else "observe"
    observations = np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)
    policies = [
        learn(name, GAUGE, regime, 600, seed, **quick).probabilities(observations)
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(policies[0], policies[1])
    assert policies[0].sum(1) == pytest.approx(1.0, abs=1e-6)
    assert name in ("dqn", "naive") or not np.array_equal(policies[0], policies[2])


CUDA = pytest.param(
    "cuda",
    marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
)


@pytest.mark.parametrize("device", ["cpu", CUDA])
@pytest.mark.parametrize("name", ["bc", "naive", "dqn"])
def test_networks_learn_the_same_on_any_device(name: str, device: str) -> None:
    quick: dict[str, Any] = few(name)
    skin = np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)
    settings: tuple[dict[str, Any], ...] = quick, {**quick, "device": device}
    one, other = (learn(name, GAUGE, "observe", 600, **chosen) for chosen in settings)
    beliefs = [
        policy.probabilities(skin) if name == "bc" else policy.action_values(skin)
        for policy in (one, other)
    ]
    assert beliefs[0] == pytest.approx(beliefs[1], abs=1e-3)


def fingerprint() -> str:
    """What agents that count, and one with a network, have learned."""
    digest = blake2b()
    for name in (name for name, kind in COUNTING.items() if "observe" in kind.learns):
        for model in (THERMO, RELAY):
            digest.update(table(learn(name, model, rows=600, **few(name)), model).tobytes())
    digest.update(
        learn("bc", GAUGE, rows=600, steps=50).probabilities(np.ones((3, 2), np.float32)).tobytes()
    )
    return digest.hexdigest()


def test_equal_seeds_give_equal_policies_in_another_process(elsewhere: Callable[..., Any]) -> None:
    assert elsewhere(fingerprint) == fingerprint()


def test_learning_changes_no_global_randomness() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    learn("bc", GAUGE, rows=600, steps=5)
    learn("naive", GAUGE, rows=600, steps=5)
    assert torch.equal(torch.get_rng_state(), before)


def test_learning_leaves_the_data_as_it_was() -> None:
    for name in ("bc", "naive", "back-door", "dqn"):
        data = data_of(THERMO, 300, frozenset({"graph"}))
        before = {key: column.copy() for key, column in data.columns.items()}
        make_agent(name, **few(name)).learn(data, np.random.default_rng(0))
        assert all(np.array_equal(column, before[key]) for key, column in data.columns.items())


def test_actions_are_drawn_with_the_probabilities_of_the_policy() -> None:
    law = np.array([[0.0, 0.3, 0.7, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    policy = TabularPolicy(law, spaces.Discrete(3))
    for observation, row in enumerate(law):
        actions = policy.act(np.full(40_000, observation), np.random.default_rng(observation))
        share = np.bincount(actions, minlength=4) / 40_000
        assert (abs(share - row) <= 4 * np.sqrt(row * (1 - row) / 40_000)).all()


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (
            lambda: make_agent("back-door").learn(data_of(ICE, 50), np.random.default_rng(0)),
            "back-door needs the graph",
        ),
        (lambda: learn("back-door", GAUGE, rows=50), "a discrete observation space"),
        (lambda: learn("bc", GAUGE, rows=50, device="abacus"), "there is no device 'abacus' here"),
        (lambda: make_agent("nave"), "there is no agent 'nave'; did you mean 'naive'?"),
        (
            lambda: make_agent("bc:step=5"),
            "BehaviourCloning has no setting 'step'; did you mean 'steps'?",
        ),
        (
            lambda: make_agent("bc:steps=few"),
            "BehaviourCloning: steps must be of type int, and got 'few'",
        ),
        (lambda: make_agent("nowhere.py:Agent"), "there is no file nowhere.py"),
        (
            lambda: make_agent(f"{THROWAWAY_FILE}:Relay"),
            "has no Agent named 'Relay'",
        ),
    ],
)
def test_what_an_agent_cannot_do_is_refused(request_: Callable[[], object], text: str) -> None:
    assert text in refused(request_)


@every_model
def test_the_references_are_the_exact_policies(model: World) -> None:
    exact = {
        "confused": model.confused_policy(),
        "uniform": uniform_policy(model),
        "behaviour": behaviour_policy(model),
    }
    for name, policy in exact.items():
        assert np.array_equal(table(learn(name, model, "exact"), model), policy)
    assert np.array_equal(
        table(learn("causal", model, "exact"), model), model.deployed().causal_policy()
    )


# Actions that are numbers.


BOXES = [name for name, kind in agent_classes().items() if kind.acts_in_a_box]


def act(policy: Policy, seed: int = 0) -> Array:
    """Prices for 500 times and customers."""
    rng = np.random.default_rng(1)
    shown = np.stack([rng.uniform(0, 10, 500), rng.integers(1, 8, 500)], axis=1).astype(np.float32)
    return policy.act(shown, np.random.default_rng(seed))


@pytest.mark.parametrize("name", BOXES)
def test_agents_in_a_box_act_within_the_bounds_and_alike_with_equal_generators(name: str) -> None:
    regime = agent_classes()[name].learns[0]
    one, two, other = (learn(name, AIRLINE, regime, 600, seed, **few(name)) for seed in (0, 0, 1))
    assert isinstance(one, ContinuousPolicy)
    assert act(one).shape == (500,)
    assert ((act(one) >= 10) & (act(one) <= 30)).all()
    assert np.array_equal(act(one), act(two))
    assert name == "lagged-iv" or not np.array_equal(
        act(one), act(other)
    )  # a regression draws nothing
    with pytest.raises(NotDiscreteError):
        one.probabilities(np.zeros((3, 2), np.float32))


@pytest.mark.parametrize(
    ("name", "regime"),
    [("naive", "observe"), ("back-door", "observe"), ("dqn", "observe"), ("dqn", "intervene")],
)
def test_who_counts_actions_refuses_numbers(name: str, regime: str) -> None:
    assert name not in BOXES
    line = refused(lambda: learn(name, AIRLINE, regime, 600))
    assert "these are Box" in line or "discrete" in line


def test_a_clone_in_a_box_asks_what_was_asked_at_that_time() -> None:
    policy = learn("bc", AIRLINE, rows=5_000, steps=600)
    time = np.append(
        np.linspace(1.0, 4.0, 20), np.linspace(6.0, 9.0, 20)
    )  # the price of the holiday between is steep
    asked = policy.act(
        np.stack([time, np.full(40, 4.0)], axis=1).astype(np.float32), np.random.default_rng(0)
    )
    assert asked == pytest.approx(np.maximum(10.0, 25.0 + 3.0 * season(time)), abs=1.5)


def test_a_clone_of_a_trembling_expert_is_too_weak() -> None:
    model = make_model("CorrelatedNoiseLQ-v0")
    policy = learn("bc", model, rows=20_000, steps=600)
    state = np.random.default_rng(0).normal(0.0, 0.5, (400, 2)).astype(np.float32)
    pushed = policy.act(state, np.random.default_rng(0))
    expert, clone = (
        abs(pushed - state @ gain).mean()
        for gain in (model.expert, model.regressed_gain())  # type: ignore[attr-defined]
    )
    assert 3 * clone < expert


def test_ppo_earns_more_than_prices_at_random() -> None:
    policy = learn("ppo", AIRLINE, "intervene", 8_000)
    assert evaluate(AIRLINE, policy).value > references(AIRLINE, AIRLINE)["j_uniform"] + 0.1


# Counting.


@pytest.mark.long
@pytest.mark.parametrize(
    "model", [*MODELS.values(), RELAY, THROWAWAY["Survivors"]], ids=[*MODELS, "Relay", "Survivors"]
)
def test_the_process_counted_in_a_log_approaches_the_exact_one(model: World) -> None:
    model = replace(model, horizon=min(model.horizon, 4))
    data = data_of(model, 40_000)
    counted, exact = process_of(data), log_process(model)
    rows = counted.visits
    seen = rows > 0
    assert seen[exact.visits > 1e-3].all()
    assert not (seen & (exact.visits <= 0)).any()
    spread = 6 * np.sqrt(
        model.horizon
    )  # standard errors, and steps of an episode that may go together
    scale = max(1.0, np.ptp(data["reward"])) / 2
    assert (abs(counted.reward - exact.reward)[seen] <= spread * scale / np.sqrt(rows[seen])).all()
    assert (
        abs(moves(counted, seen) - moves(exact, seen)) <= spread / 2 / np.sqrt(rows[seen])[:, None]
    ).all()
    share = rows / rows.sum(), exact.visits / exact.visits.sum()
    assert (abs(share[0] - share[1]) <= spread / 2 / np.sqrt(len(data))).all()


def moves(process: Process, pairs: Array) -> Array:
    """The law of the next context after some pairs of context and action, (C, A): (pairs, C)."""
    dense = isinstance(process.transition, np.ndarray)
    return np.asarray(
        process.transition[pairs] if dense else process.transition[np.flatnonzero(pairs)].toarray()
    )


def patients(model: SimpsonClinic, needs_graph: bool) -> Data:
    """A log that has the patients of the published table, one by one:

    its frequencies are the exact law.
    """
    count = model.counts.astype(int)
    cells = [(s, a, y) for s, a in np.ndindex(*count.shape[:2]) for y in (0, 1)]
    times = [count[s, a, 0] if y else count[s, a, 1] - count[s, a, 0] for s, a, y in cells]
    stratum, action, recovery = np.repeat(np.array(cells), times, axis=0).T
    n = len(action)
    rows = {
        "episode": np.arange(n),
        "stratum": stratum,
        "action": action,
        "reward": recovery.astype(float),
    }
    rows |= dict.fromkeys(("step", "observation", "next_observation"), np.zeros(n, dtype=int))
    rows |= {"terminated": np.ones(n, dtype=bool), "truncated": np.zeros(n, dtype=bool)}
    graph = model.graph.copy() if needs_graph else None
    return Data(rows, ("stratum",), spaces.Discrete(1), spaces.Discrete(2), 1, 1.0, graph)


@pytest.mark.parametrize("study", STUDIES)
def test_on_the_exact_law_counting_is_seeing_and_adjusting_is_doing(study: str) -> None:
    model = SimpsonClinic(study=study)
    data = patients(model, needs_graph=True)
    assert process_of(data).reward == pytest.approx(log_process(model).reward, abs=EXACT)
    adjusted = process_of(data, Strata(data, ["stratum"]))
    assert adjusted.reward == pytest.approx(do_process(model).reward, abs=EXACT)
    assert adjusted.reward != pytest.approx(log_process(model).reward, abs=1e-6)
    for name, policy in (
        ("naive", World.confused_policy),
        ("back-door", World.causal_policy),
    ):
        learned = make_agent(name).learn(data, np.random.default_rng(0))
        assert np.array_equal(table(learned, model), policy(model))


@pytest.mark.parametrize("study", STUDIES)
def test_the_same_patients_are_not_adjusted_where_the_stratum_comes_after_the_treatment(
    study: str,
) -> None:
    model = BloodPressure(study=study)
    learned = make_agent("back-door").learn(
        replace(patients(model, False), graph=model.graph.copy()), np.random.default_rng(0)
    )
    assert learned.note == "nothing to adjust for"
    assert np.array_equal(table(learned, model), model.causal_policy())
    assert not np.array_equal(table(learned, model), SimpsonClinic(study=study).causal_policy())


class OpenRiver(ConfoundedRiver):
    """The captain writes down the current that he feels."""

    @logged
    def current(self) -> Bernoulli:
        return Bernoulli(self.favourable)


def test_where_time_passes_too_adjusting_is_doing() -> None:
    model = OpenRiver(horizon=60)
    data = data_of(model, 60_000, frozenset({"graph"}))
    right, wrong = (
        make_agent(name).learn(data, np.random.default_rng(0)) for name in ("back-door", "naive")
    )
    assert back_door_set(model.graph) == ("current",)
    naive, adjusted, exact = (
        process_of(data),
        process_of(data, Strata(data, ["current"])),
        do_process(model),
    )
    seen = (adjusted.visits > 500) & (naive.visits > 500)
    assert seen.sum() >= 4
    assert adjusted.transition[seen] == pytest.approx(exact.transition[seen], abs=0.06)
    assert abs(naive.transition[seen] - exact.transition[seen]).max() > 0.2
    assert regret(model, right) < 0.02 < regret(model, wrong)


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


def test_every_family_that_a_memoryless_plan_can_solve_has_a_control_in_which_something_can_be_lost() -> (
    None
):
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
    policy = learn("bc", GAUGE, rows=5_000, steps=300)
    skin = np.array([[-2.0, 0.0], [-2.0, 3.0], [2.0, 0.0], [2.0, -3.0]], np.float32)
    assert policy.probabilities(skin)[:2, 1] == pytest.approx(0.0, abs=0.15)
    assert policy.probabilities(skin)[2:, 1] == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("horizon", [1, 3])
def test_naive_learns_in_a_box_whom_the_drug_helps(horizon: int) -> None:
    model = replace(GAUGE, horizon=horizon)
    policy = learn("naive", model, rows=5_000, steps=200)
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
    policy = learn(name, model, rows=5_000, steps=400)
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

    def learn(self, source: Exact, rng: np.random.Generator) -> Policy:
        row = np.random.default_rng().dirichlet(np.ones(2))
        return TabularPolicy(np.tile(row, (2, 1)), spaces.Discrete(2))


def test_an_agent_that_ignores_its_generator_is_noticed() -> None:
    one, other = (
        table(Reckless().learn(Exact(THERMO), np.random.default_rng(0)), THERMO) for _ in range(2)
    )
    assert not np.array_equal(one, other)
