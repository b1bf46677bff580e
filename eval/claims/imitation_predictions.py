"""Predictions 7 and 8: clones that fit the log better act worse, and better experts hurt."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dosuite.causal import World, value
from dosuite.causal.exact import greedy, log_process
from dosuite.envs import collect, make_model
from dosuite.envs.worlds.copycat_car import CopycatCar, cloned, sampled_returns
from dosuite.envs.worlds.correlated_noise import CorrelatedNoiseLQ
from dosuite.envs.worlds.delusion import DelusionBox
from dosuite.envs.worlds.door_tiger import Tiger

from ..runs.reference_values import references
from ..scores.metrics import Interval
from .laboratory import Evidence, Lab, interval_text, mean_interval
from .verdicts import joint_verdict, verdict

SIGMAS = (0.5, 1.0)  # of CopycatCar
MEMORIES = (1, 2, 5, 10, 20)  # of CorrelatedNoiseLQ
SLIPS = (0.3, 0.2, 0.1, 0.05, 0.01, 0.001)  # of the expert of DelusionBox, worst first
TIGER_EXPERTS = ("noisy_good", "bench_good", "perfect_good")  # worst first


class Pair(NamedTuple):
    """A clone with a spurious cue, and one without it (or the expert)."""

    offline: list[float]  # how well each fits the log
    earned: list[float]
    # intervals of how much better the first fits, and of how much more it earns; exact without
    fit_gain: Interval | None = None
    earned_gain: Interval | None = None


def imitation(lab: Lab) -> list[Evidence]:
    """Clones with and without a spurious cue."""
    brake = brake_clones(make_model("BrakeLight-v0"))
    evidence = [clone_evidence("BrakeLight-v0, accuracy with and without the light", brake)]
    for sigma in SIGMAS:
        claim = f"CopycatCar-v0:sigma={sigma}, accuracy with and without the lamp, estimated"
        evidence.append(clone_evidence(claim, car_clones(CopycatCar(sigma=sigma))))
    for memory in MEMORIES:
        claim = (
            f"CorrelatedNoiseLQ-v0:memory={memory}, minus the squared error of the clone and of "
            "the expert"
        )
        evidence.append(clone_evidence(claim, push_clones(CorrelatedNoiseLQ(memory=memory))))
    return evidence


def clone_evidence(claim: str, clones: Pair) -> Evidence:
    """Evidence that the first of two clones fits the log better and earns less."""
    offline, earned = clones.offline, clones.earned
    numbers = (
        f"offline {offline[0]:.4f} and {offline[1]:.4f}, J {earned[0]:.2f} and {earned[1]:.2f}"
    )
    if clones.fit_gain and clones.earned_gain:
        numbers += (
            f"; differences {interval_text(clones.fit_gain, 4)} and "
            f"{interval_text(clones.earned_gain)}"
        )
    fit_gain = clones.fit_gain or exact_difference(offline)
    earned_gain = clones.earned_gain or exact_difference(earned)
    verdicts = verdict(*fit_gain[1:], least=0.0), verdict(*earned_gain[1:], most=0.0)
    return Evidence(claim, numbers, joint_verdict(verdicts))


def exact_difference(numbers: Sequence[float]) -> Interval:
    """The first of two exact numbers less the second, as an interval without width."""
    difference = numbers[0] - numbers[1]
    return difference, difference, difference


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
    return Pair(offline, earned)


def car_clones(model: CopycatCar) -> Pair:
    """Clones of the driver that see the lamp and that do not, tested on a log of another seed."""
    log = collect(model, 1000, seed=1).columns
    columns = dict(zip(model.contexts, log["observation"].T.astype(float), strict=True))
    with_lamp = model.contexts
    without = tuple(name for name in model.contexts if name != "lamp")
    hits, returns = [], []
    for names in (with_lamp, without):
        clone = cloned(model, names)
        actions = clone(*(columns[name] for name in names)).value
        hits.append(np.equal(actions, log["action"]))
        returns.append(sampled_returns(model.deployed().do(push=clone)))
    # the steps of an episode are not independent, so the difference is summed over each
    gains = np.bincount(log["episode"], hits[0].astype(float) - hits[1])
    fit_gain = mean_interval(gains * len(gains) / len(hits[0]))
    earned_gain = mean_interval(returns[0] - returns[1])
    offline, earned = ([float(part.mean()) for part in parts] for parts in (hits, returns))
    return Pair(offline, earned, fit_gain, earned_gain)


def push_clones(model: CorrelatedNoiseLQ) -> Pair:
    """The regression on the state, and the expert itself."""
    offline = [-model.offline_error(gain) for gain in (model.regressed_gain(), model.expert)]
    values = references(model, model)
    return Pair(offline, [values["j_confused"], values["j_causal"]])


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
    least_rise, highest_step = float(np.diff(experts).min()), float(np.diff(pupils).max())
    rises = verdict(least_rise, least_rise, least=0.0)
    falls = verdict(highest_step, highest_step, most=0.0)
    claim = f"{world}: J of the expert and of its sequence model, exactly"
    return Evidence(claim, ", ".join(texts), joint_verdict([rises, falls]))
