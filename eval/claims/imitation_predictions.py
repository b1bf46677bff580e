"""Predictions 7 and 8: clones that fit the log better act worse, and better experts hurt."""

from collections.abc import Mapping, Sequence

import numpy as np

from dosuite.causal import World, value
from dosuite.causal.exact import greedy, log_process
from dosuite.envs import collect, make_model
from dosuite.envs.worlds.copycat_car import CopycatCar, cloned
from dosuite.envs.worlds.correlated_noise import CorrelatedNoiseLQ
from dosuite.envs.worlds.delusion import DelusionBox
from dosuite.envs.worlds.door_tiger import Tiger

from ..runs.reference_values import references
from .laboratory import Evidence, Lab

SIGMAS = (0.5, 1.0)  # of CopycatCar
MEMORIES = (1, 2, 5, 10, 20)  # of CorrelatedNoiseLQ
SLIPS = (0.3, 0.2, 0.1, 0.05, 0.01, 0.001)  # of the expert of DelusionBox, worst first
TIGER_EXPERTS = ("noisy_good", "bench_good", "perfect_good")  # worst first

# how well a clone with a spurious cue and one without it (or the expert) fit the log, and what
# they earn
Pair = tuple[list[float], list[float]]


def imitation(lab: Lab) -> list[Evidence]:
    """Clones with and without a spurious cue."""
    brake = brake_clones(make_model("BrakeLight-v0"))
    evidence = [clone_evidence("BrakeLight-v0, accuracy with and without the light", *brake)]
    for sigma in SIGMAS:
        claim = f"CopycatCar-v0:sigma={sigma}, accuracy with and without the lamp, estimated"
        evidence.append(clone_evidence(claim, *car_clones(CopycatCar(sigma=sigma))))
    for memory in MEMORIES:
        claim = (
            f"CorrelatedNoiseLQ-v0:memory={memory}, minus the squared error of the clone and of "
            "the expert"
        )
        evidence.append(clone_evidence(claim, *push_clones(CorrelatedNoiseLQ(memory=memory))))
    return evidence


def clone_evidence(claim: str, offline: Sequence[float], earned: Sequence[float]) -> Evidence:
    """Evidence that the first of two clones fits the log better and earns less."""
    numbers = (
        f"offline {offline[0]:.4f} and {offline[1]:.4f}, J {earned[0]:.2f} and {earned[1]:.2f}"
    )
    return Evidence(claim, numbers, offline[0] > offline[1] and earned[0] < earned[1])


def brake_clones(model: World) -> Pair:
    """Exact clones of the driver that see the light of their own brake, and that do not."""
    visits = log_process(model).visits
    frequencies = visits / visits.sum()
    sizes = [len(model.tables.support(name)) for name in model.contexts]
    joint = frequencies.reshape(*sizes, -1)
    # a clone takes the most frequent action; without the light, of the marginal over the light
    marginal = joint.sum(model.contexts.index("light"), keepdims=True)
    offline, earned = [], []
    for law in (joint, np.broadcast_to(marginal, joint.shape)):
        clone = greedy(law.reshape(visits.shape))
        offline.append(float((frequencies * clone).sum()))
        earned.append(value(model, clone))
    return offline, earned


def car_clones(model: CopycatCar) -> Pair:
    """Clones of the driver that see the lamp and that do not, tested on a log of another seed."""
    log = collect(model, 1000, seed=1).columns
    columns = dict(zip(model.contexts, log["observation"].T.astype(float), strict=True))
    with_lamp = model.contexts
    without = tuple(name for name in model.contexts if name != "lamp")
    offline = []
    for names in (with_lamp, without):
        clone = cloned(model, names)
        actions = clone(*(columns[name] for name in names)).value
        offline.append(float(np.mean(actions == log["action"])))
    values = references(model, model.deployed())
    return offline, [values["j_confused"], values["j_causal"]]


def push_clones(model: CorrelatedNoiseLQ) -> Pair:
    """The regression on the state, and the expert itself."""
    offline = [-model.offline_error(gain) for gain in (model.regressed_gain(), model.expert)]
    values = references(model, model)
    return offline, [values["j_confused"], values["j_causal"]]


def experts(lab: Lab) -> list[Evidence]:
    """Sequence models of better and better experts."""
    boxes = {f"errs {slip:g}": DelusionBox(slip=slip) for slip in SLIPS}
    tigers = {name: Tiger(expert=name) for name in TIGER_EXPERTS}
    return [expert_evidence("DelusionBox-v0", boxes), expert_evidence("Tiger-v0", tigers)]


def expert_evidence(world: str, models: Mapping[str, World]) -> Evidence:
    """Evidence that clones of better experts earn less; `models` go from worst to best expert."""
    experts, pupils, texts = [], [], []
    for name, model in models.items():
        values = references(model, model)
        experts.append(values["j_behaviour"])
        pupils.append(values["j_confused"])
        texts.append(f"{name} {experts[-1]:.2f} {pupils[-1]:.2f}")
    experts_improve = bool((np.diff(experts) > 0).all())
    pupils_decline = bool((np.diff(pupils) < 0).all())
    claim = f"{world}: J of the expert and of its sequence model, exactly"
    return Evidence(claim, ", ".join(texts), experts_improve and pupils_decline)
