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
from agent_laws import GAUGE, ICE, MODELS, RELAY, THERMO, THROWAWAY, every_model
from gymnasium import spaces
from learning import OFFLINE, ONLINE, data_of, few, learn, regret, table
from places import THROWAWAY_FILE
from refusals import refused

from dosuite.agents import (
    TabularPolicy,
    agent_classes,
    make_agent,
)
from dosuite.agents.tabular.counting import Strata, process_of
from dosuite.causal import (
    Array,
    Bernoulli,
    World,
    behaviour_policy,
    logged,
    uniform_policy,
)
from dosuite.causal.exact import Process, do_process, log_process
from dosuite.causal.identification import back_door_set
from dosuite.envs import Data
from dosuite.envs.worlds.river import ConfoundedRiver
from dosuite.envs.worlds.simpson import STUDIES, BloodPressure, SimpsonClinic

torch.set_num_threads(1)


EXACT = 1e-12


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


@pytest.mark.long
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
        learn("bc", GAUGE, rows=600, updates=50)
        .probabilities(np.ones((3, 2), np.float32))
        .tobytes()
    )
    return digest.hexdigest()


def test_equal_seeds_give_equal_policies_in_another_process(elsewhere: Callable[..., Any]) -> None:
    assert elsewhere(fingerprint) == fingerprint()


def test_learning_changes_no_global_randomness() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state(), str(np.random.get_state())  # noqa: NPY002
    learn("bc", GAUGE, rows=600, updates=5)
    learn("naive", GAUGE, rows=600, updates=5)
    learn("dqn", THERMO, rows=600, updates=5)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert str(np.random.get_state()) == before[1]  # noqa: NPY002


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
            lambda: make_agent("bc:update=5"),
            "BehaviourCloning has no setting 'update'; did you mean 'updates'?",
        ),
        (
            lambda: make_agent("bc:updates=few"),
            "BehaviourCloning: updates must be of type int, and got 'few'",
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
