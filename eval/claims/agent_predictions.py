"""Predictions 3 to 6: what adjustment, pessimism and the agent's own intent achieve."""

from dosuite.causal import uniform_policy, value
from dosuite.envs import make_model
from dosuite.envs.worlds.bad_control import adjusting_policy

from ..runs.reference_values import references
from .laboratory import (
    DOOR,
    HIGH,
    ICE,
    LOW,
    RIGGED,
    Evidence,
    Lab,
    interval_text,
    seed_interval,
)
from .verdicts import verdict

TWIN = "IceCreamShorts-Twin-v0"
NO_OVERLAP = "IceCreamShorts-NoOverlap-v0"  # its log has the heat
PESSIMISM_RIGHT = (DOOR, "SlateExposure-v0", "ConfoundedRiver-v0", LOW)
PESSIMISM_WRONG = (ICE, RIGGED, HIGH)
NOT_ADJUSTABLE = (
    "MBiasClinic-v0",
    "MediatorTrap-v0",
    "NapkinClinic-v0",
    "ProxyClinic-v0",
    "SimpsonClinic-BloodPressure-v0:study=KidneyStones",
)
INTENT_WORLDS = (
    "GreedyCasino-v0:casino=Greedy",
    "ConfoundedRiver-v0",
    "ConfoundedRiver-MarkovRiver-v0",
)


def hidden_causes(lab: Lab) -> list[Evidence]:
    """Agents that find the hidden cause, or are given it."""
    return [
        lab.claim(NO_OVERLAP, "latent", "0"),
        lab.claim(TWIN, "latent", "0"),
        lab.claim(NO_OVERLAP, "adjust-all", "0"),
        _adjusting_for_heat(),
    ]


def _adjusting_for_heat() -> Evidence:
    """The exact score of adjusting for the heat in the twin, where it is an effect."""
    twin = make_model(TWIN)
    uniform = value(twin, uniform_policy(twin))
    adjusted = value(twin, adjusting_policy(twin, "heat"))
    score = (adjusted - uniform) / (value(twin, twin.causal_policy()) - uniform)
    return Evidence(
        f"an agent that is given the heat and adjusts for it is wrong in {TWIN}",
        f"CS_chance {score:.2f}, exactly",
        verdict(score, score, most=0.0),
    )


def pessimism(lab: Lab) -> list[Evidence]:
    """Maximin agents, in worlds where it is right by luck, and in others."""
    right = [lab.claim(world, "maximin", "1") for world in PESSIMISM_RIGHT]
    wrong = [lab.claim(world, "maximin", "0") for world in PESSIMISM_WRONG]
    return right + wrong


def adjustment(lab: Lab) -> list[Evidence]:
    """Agents that adjust for everything, where that is wrong or not enough."""
    return [lab.claim(world, "adjust-all", "0") for world in NOT_ADJUSTABLE]


def intent(lab: Lab) -> list[Evidence]:
    """Online agents with and without the intent in their observation."""
    return [_gain_of_intent(lab, world) for world in INTENT_WORLDS]


def _gain_of_intent(lab: Lab, world: str) -> Evidence:
    model = make_model(world)
    agent = "thompson" if model.horizon == 1 else "q-learning"
    without = lab.learned(world, agent, "intervene")["value"].to_numpy()
    shown = lab.learned(world, agent, "counterfactual")["value"].to_numpy()
    gain = seed_interval(shown - without)
    best = references(model, model.deployed())
    numbers = (
        f"{seed_interval(shown)[0]:.3f} against {seed_interval(without)[0]:.3f}, "
        f"{interval_text(gain, 3)} more; "
        f"the best policies earn {best['j_intent']:.3f} and {best['j_causal']:.3f}"
    )
    claim = f"{agent} in {world} earns more with the intent in sight"
    return Evidence(claim, numbers, verdict(*gain[1:], least=0.0))
