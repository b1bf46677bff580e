"""Agents that reason about causes:

each reaches, on a large log, the policy that theory predicts, and fails where theory says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from coloured_shapes import ColouredShapes
from gymnasium import spaces
from learning import data_of, learn, source_of, table
from refusals import refused

from dosuite.agents import Policy, Practice, make_agent
from dosuite.agents.tabular.instrument import instruments
from dosuite.agents.tabular.minimax_regret import projected
from dosuite.agents.tabular.proximal import proxies
from dosuite.causal import (
    Array,
    Bernoulli,
    Factor,
    Normal,
    World,
    action,
    distribution,
    latent_projection,
    reward,
    uniform_policy,
    value,
)
from dosuite.causal.exact import do_process, log_process
from dosuite.causal.partial_identification import manski
from dosuite.envs import Data, all_observations, collect, make_model
from dosuite.envs.worlds.proxy import ProxyClinic
from dosuite.eval.runs.run import Run

ROWS = 100_000  # of a log that stands for an endless one
SEEN = 0.015  # by which an estimate from it may be wrong

ICE = make_model("IceCreamShorts-v0")
RIVER = make_model("ConfoundedRiver-v0")
NAPKIN = make_model("NapkinClinic-v0")
MBIAS = make_model("MBiasClinic-v0")
TRIAL = make_model("EncourageIV-v0")
KIDNEY = make_model("SimpsonClinic-v0")
GREEDY = make_model("GreedyCasino-v0")


logs = cache(data_of)


def learned(name: str, model: World, regime: str = "observe", **settings: Any) -> Policy:
    agent = make_agent(name, **settings)
    return agent.learn(logs(model, ROWS, agent.needs, regime), np.random.default_rng(0))


def believed(policy: Policy, model: World) -> Array:
    values = policy.action_values(all_observations(model))
    assert values is not None
    return values


# Who is right, who is confused, and who knows that nothing can be known.


def right(world: World) -> Array:
    return world.causal_policy()


def confused(world: World) -> Array:
    return world.confused_policy()


RIGHT, CONFUSED, UNIFORM = right, confused, uniform_policy

STUDIES = [
    f"SimpsonClinic-v0:study={study}"
    for study in ("KidneyStones", "Berkeley", "Whickham", "CovidCFR", "NealCovid27")
]
PRESSURES = [text.replace("-v0", "-BloodPressure-v0") for text in STUDIES]
TARS = [f"TarFrontdoor-v0:table={name}" for name in ("Causality", "Amplified", "Primer")]

BOWS = ["Door-v0", "SlateExposure-v0"]

PREDICTED: dict[str, Mapping[Callable[[World], Array], list[str]]] = {
    "adjust-all": {
        RIGHT: [*STUDIES, "SimpsonClinic-Sighted-v0"],
        CONFUSED: [
            *TARS,
            "NapkinClinic-v0",
            "MBiasClinic-v0",
            "SelectionGate-v0",
            "EncourageIV-v0",
            "ConfoundedRiver-v0",
            *BOWS,
        ],
    },
    "identify": {
        RIGHT: [
            *STUDIES,
            *PRESSURES,
            *TARS,
            "NapkinClinic-v0",
            "MBiasClinic-v0",
            "IceCreamShorts-Twin-v0",
        ],
        UNIFORM: [
            "IceCreamShorts-v0",
            "IceCreamShorts-NoOverlap-v0",
            "EncourageIV-v0",
            "SelectionGate-v0",
            "ConfoundedRiver-v0",
            "Door-v0",
        ],
    },
    "maximin": {
        RIGHT: [
            "ConfoundedRiver-v0",
            "ConfoundedRiver-MarkovRiver-v0",
            "EncourageIV-VitaminA-v0:hardy=0.0",
            "Door-v0",
            "SlateExposure-v0",
        ],
        CONFUSED: [
            "IceCreamShorts-v0",
            "GreedyCasino-v0:casino=Rigged",
            "TarFrontdoor-v0",
            "NapkinClinic-v0",
            "EncourageIV-v0",
        ],
    },
    "minimax-regret": {
        RIGHT: [
            *STUDIES,
            *PRESSURES,
            *TARS,
            "NapkinClinic-v0",
            "EncourageIV-v0",
            "EncourageIV-Lipid-v0",
        ],
        UNIFORM: ["SelectionGate-v0", "ConfoundedRiver-v0"],
    },
    "iv": {
        RIGHT: ["EncourageIV-v0", "EncourageIV-Lipid-v0", "IceCreamShorts-DiscountDay-v0"],
        CONFUSED: ["EncourageIV-VitaminA-v0:hardy=0.0"],
        UNIFORM: [
            "IceCreamShorts-v0",
            "TarFrontdoor-v0",
            "NapkinClinic-v0",
            "SimpsonClinic-v0",
            "ConfoundedRiver-v0",
        ],
    },
    "proximal": {
        RIGHT: ["ProxyClinic-v0"],
        UNIFORM: [
            "IceCreamShorts-v0",
            "TarFrontdoor-v0",
            "EncourageIV-v0",
            "SimpsonClinic-v0",
            "ConfoundedRiver-v0",
        ],
    },
    "invariant": {
        CONFUSED: ["IceCreamShorts-Domains-v0", "SimpsonClinic-v0"],
        UNIFORM: ["ConfoundedRiver-v0"],
    },
    "latent": {
        RIGHT: ["SimpsonClinic-Sighted-v0"],
        CONFUSED: [
            *TARS,
            "NapkinClinic-v0",
            "MBiasClinic-v0",
            "SelectionGate-v0",
            "EncourageIV-v0",
        ],
        UNIFORM: ["ConfoundedRiver-v0"],
    },
    "fused": {
        RIGHT: [
            "IceCreamShorts-v0",
            "NapkinClinic-v0",
            "MBiasClinic-v0",
            "EncourageIV-v0",
            "ConfoundedRiver-v0",
            *STUDIES[:2],
            *TARS,
            "Door-v0",
        ],
        CONFUSED: ["SelectionGate-v0"],  # the experimenter's rows are selected too
    },
}

CASES = [
    (agent, policy, world)
    for agent, predicted in PREDICTED.items()
    for policy, some in predicted.items()
    for world in some
]


@pytest.mark.parametrize(
    ("agent", "policy", "world"),
    CASES,
    ids=[f"{agent}-{policy.__name__}-{world}" for agent, policy, world in CASES],
)
def test_every_agent_is_right_or_wrong_where_theory_says_so(
    agent: str, policy: Callable[[World], Array], world: str
) -> None:
    model = make_model(world)
    found = learned(agent, model, "mixed" if agent == "fused" else "observe")
    assert value(model, table(found, model)) == pytest.approx(
        value(model, policy(model)), abs=1e-12
    )
    assert found.note.endswith("plays uniformly") == (policy is UNIFORM)


@pytest.mark.parametrize("world", PRESSURES)
def test_adjusting_for_what_the_treatment_changes_is_wrong(world: str) -> None:
    model = make_model(world)
    assert np.array_equal(table(learned("adjust-all", model), model), 1.0 - model.causal_policy())


@pytest.mark.parametrize("agent", ["adjust-all", "latent"])
def test_who_adjusts_for_the_shorts_is_right_by_accident_and_wrong_in_the_twin(agent: str) -> None:
    twin = make_model("IceCreamShorts-Twin-v0")
    one, other = (table(learned(agent, model), model) for model in (ICE, twin))
    assert np.array_equal(one, other)
    assert np.array_equal(one, ICE.causal_policy())
    assert not np.array_equal(other, twin.causal_policy())


IDENTIFIED = [*STUDIES, *PRESSURES, *TARS, "NapkinClinic-v0"]


@pytest.mark.parametrize("world", IDENTIFIED)
def test_what_is_identified_is_the_effect(world: str) -> None:
    model = make_model(world)
    assert believed(learned("identify", model), model) == pytest.approx(
        do_process(model).reward, abs=SEEN
    )


def test_identification_says_by_what_formula_and_what_it_ignores() -> None:
    assert (
        learned("identify", make_model("TarFrontdoor-v0")).note
        == "identified by the front-door formula"
    )
    assert learned("identify", NAPKIN).note == "identified by the general formula"
    assert learned("identify", MBIAS).note == "identified by the seeing formula, ignoring checkup"
    assert learned("identify", make_model("IceCreamShorts-NoOverlap-v0")).note.startswith(
        "identified by the back-door formula, and the log lacks"
    )


def test_what_the_log_lacks_is_latent_to_an_agent_with_the_graph() -> None:
    data = replace(data_of(KIDNEY, 500, frozenset({"graph"})), logged=())
    assert (
        make_agent("identify").learn(data, np.random.default_rng(0)).note
        == "the effect is not identified: plays uniformly"
    )


# Bounds.


def test_maximin_believes_in_manskis_lower_bounds() -> None:
    assert believed(
        learned("maximin", make_model("GreedyCasino-v0:casino=Rigged")), GREEDY
    ) == pytest.approx(np.array([[0.275, 0.175]]), abs=SEEN)


REGRETS = {
    "IceCreamShorts-v0": (0.36, 0.64),
    "IceCreamShorts-NoOverlap-v0": (0.275, 0.725),
    "GreedyCasino-v0:casino=Rigged": (0.6, 0.4),
    "EncourageIV-VitaminA-v0:hardy=0.0": (0.973, 0.027),
    "EncourageIV-VitaminA-v0:hardy=1.0": (0.973, 0.027),
}


@pytest.mark.parametrize("world", REGRETS)
def test_the_policy_of_least_regret_is_the_mixture_of_the_exact_bounds(world: str) -> None:
    model = make_model(world)
    assert table(learned("minimax-regret", model), model)[0] == pytest.approx(
        REGRETS[world], abs=SEEN
    )


def test_with_few_types_allowed_the_bounds_are_manskis() -> None:
    model = make_model("GreedyCasino-v0:casino=Rigged")  # where they are sharp
    policy = learned("minimax-regret", model, types=1)
    assert policy.note == "Manski's bounds"
    assert table(policy, model) == pytest.approx(
        table(learned("minimax-regret", model), model), abs=1e-6
    )
    assert learned("minimax-regret", TRIAL, types=1).note == "Manski's bounds"


def rows_of(model: World, columns: Mapping[str, Array]) -> Data:
    """A log of one step with these columns."""
    n = len(columns["action"])
    zeros = dict.fromkeys(("step", "observation", "next_observation"), np.zeros(n, dtype=int))
    ends = {
        "terminated": np.ones(n, dtype=bool),
        "truncated": np.zeros(n, dtype=bool),
        "episode": np.arange(n),
    }
    space = spaces.Discrete(1)
    return Data(
        {**zeros, **ends, **columns},
        model.names("logged"),
        space,
        spaces.Discrete(2),
        1,
        1.0,
        model.graph.copy(),
    )


def test_a_table_that_no_model_has_is_replaced_by_the_nearest() -> None:
    asked = np.repeat(
        [0, 1], 50
    )  # nobody is treated, and all who were asked are well: the asking itself must have done it
    data = rows_of(
        TRIAL,
        {"encouraged": asked, "action": np.zeros(100, dtype=int), "reward": asked.astype(float)},
    )
    note = make_agent("minimax-regret").learn(data, np.random.default_rng(0)).note
    assert note.startswith("bounds from response types, of a table ")
    assert float(note.split()[-5]) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "world", ["IceCreamShorts-DiscountDay-v0", "IceCreamShorts-Thermo-v0", "EncourageIV-v0"]
)
def test_what_the_graph_says_of_a_table_is_made_true_of_a_small_log(world: str) -> None:
    model = make_model(world)
    graph = latent_projection(model.graph)
    names = tuple(model.names("context", "action", "logged", "reward"))
    exact, small = (
        distribution(model, *names),
        np.random.default_rng(0).dirichlet(np.ones(distribution(model, *names).size)),
    )
    assert projected(graph, Factor(names, exact)) == pytest.approx(
        distribution(model, *graph.nodes), abs=1e-12
    )
    once = projected(graph, Factor(names, small.reshape(exact.shape)))
    assert projected(graph, Factor(graph.nodes, once)) == pytest.approx(once, abs=1e-12)
    policy = learn("minimax-regret", model, rows=60)
    assert policy.note.startswith("bounds from response types")


# Instruments, proxies, classes, domains.


def test_instruments_are_found_in_the_graph() -> None:
    assert instruments(TRIAL.graph) == ("encouraged",)
    assert instruments(make_model("IceCreamShorts-DiscountDay-v0").graph) == ("discount_day",)
    assert (
        instruments(NAPKIN.graph)
        == instruments(KIDNEY.graph)
        == instruments(ProxyClinic().graph)
        == ()
    )


def test_the_ratio_of_wald_is_the_effect() -> None:
    values = believed(learned("iv", TRIAL), TRIAL)[0]
    assert values[1] - values[0] == pytest.approx(0.25, abs=0.03)


def test_two_proxies_stand_in_for_what_is_hidden() -> None:
    model = ProxyClinic()
    assert proxies(model.graph) == ("referred", "fever", "severe")
    assert proxies(NAPKIN.graph) is proxies(ICE.graph) is None
    for agent in ("proximal", "latent"):
        policy = learned(agent, model)
        assert believed(policy, model) == pytest.approx(np.array([[0.5, 0.7]]), abs=0.03)
        assert np.array_equal(table(policy, model), model.causal_policy())
    assert believed(learned("adjust-all", model), model) == pytest.approx(
        np.array([[0.628, 0.593]]), abs=SEEN
    )
    assert believed(learned("naive", model), model) == pytest.approx(
        log_process(model).reward, abs=SEEN
    )


def test_classes_are_counted() -> None:
    assert learned("latent", ProxyClinic()).note == "latent classes: 2"
    assert learned("latent", GREEDY).note == "latent classes: 1"
    assert learned("latent", ProxyClinic(), classes=1).note == "latent classes: 1"
    one, naive = (believed(learned(name, MBIAS), MBIAS) for name in ("latent", "naive"))
    assert one == pytest.approx(naive, abs=1e-9)


def test_invariance_finds_the_cause_where_the_colour_misleads() -> None:
    model = ColouredShapes()
    world = model.deployed()
    policy, naive = learned("invariant", model), learned("naive", model)
    assert policy.note == "invariant given context 0"
    assert value(world, table(policy, world)) == pytest.approx(0.75)
    assert value(world, table(naive, world)) < 0.2
    assert np.array_equal(table(policy, world), np.repeat(np.eye(2), 2, axis=0))


def test_where_nothing_is_invariant_the_worst_domain_counts() -> None:
    model = make_model("IceCreamShorts-Domains-v0")
    policy = learned("invariant", model)
    assert policy.note == "nothing is invariant: the worst domain counts"
    assert believed(policy, model) == pytest.approx(np.array([[0.135, 0.275]]), abs=SEEN)


def test_one_domain_is_its_own_worst() -> None:
    assert np.array_equal(table(learned("invariant", MBIAS), MBIAS), MBIAS.confused_policy())


# Fusion.


def mixed(model: World, share: float, rows: int) -> Data:
    return collect(model, rows, 5, "mixed", share).view(np.random.default_rng(0), labels=True)


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
            "causal-thompson: envs must be at least 1 and prior above 0",
        ),
        (
            lambda: make_agent("q-learning:power=0.5"),
            "q-learning: envs must be at least 1 and power in (0.5, 1]",
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
            "needs a log beside the practice",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(request_: Callable[[], object], text: str) -> None:
    assert text in refused(request_)
