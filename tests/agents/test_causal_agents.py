"""Agents that reason about causes:

each reaches, on a large log, the policy that theory predicts, and fails where theory says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from causal_agents import ICE, KIDNEY, MBIAS, NAPKIN, SEEN, believed, learned
from learning import data_of, table

from dosuite.agents import make_agent
from dosuite.causal import (
    Array,
    World,
    uniform_policy,
    value,
)
from dosuite.causal.exact import do_process
from dosuite.envs import make_model

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
