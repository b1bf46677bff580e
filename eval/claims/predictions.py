"""The eight predictions across families:

each with its numbers, exact where the model gives them, measured where they are of learners.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from dosuite.causal import Array, World, uniform_policy, value
from dosuite.causal.exact import do_process, greedy, log_process
from dosuite.envs import collect, make_model
from dosuite.envs.worlds.bad_control import adjusting_policy
from dosuite.envs.worlds.copycat_car import CopycatCar, cloned
from dosuite.envs.worlds.correlated_noise import CorrelatedNoiseLQ
from dosuite.envs.worlds.delusion import DelusionBox
from dosuite.envs.worlds.door_tiger import Tiger

from .. import metrics
from ..reports.page import Section, Table
from ..runs.reference_values import references
from ..runs.run import Run
from ..runs.suite import execute
from .label_price import pooling_threshold
from .matrix import runs_of
from .verdicts import verdict

SIZES = (100, 1_000, 10_000, 100_000)  # recorded steps, for a slope
TIMES = 10  # as many seeds where an error or a frequency is measured, and not a policy
FLAT, ROOT, NEAR = 0.0, -0.5, 0.1  # the slope of a bias, that of chance, and how close is close
PER_ARM = 31  # labelled interventions that are enough for the ice cream
FEW_WRONG = 0.1  # share of seeds
BELOW, ABOVE = 0.8, 1.25  # times a threshold

KIDNEY, ICE, RIGGED = (
    "SimpsonClinic-v0:study=KidneyStones",
    "IceCreamShorts-v0",
    "GreedyCasino-v0:casino=Rigged",
)
DOOR, LOW, HIGH = (
    "Door-v0:expert=noisy_good",
    "EncourageIV-VitaminA-v0:hardy=0.0",
    "EncourageIV-VitaminA-v0:hardy=1.0",
)
POOLED = (
    LOW,
    DOOR,
    "EncourageIV-v0",
    "MBiasClinic-v0",
    "NapkinClinic-v0",
    KIDNEY,
    "ProxyClinic-v0",
    RIGGED,
    ICE,
    "SlateExposure-v0",
    "TarFrontdoor-v0",
)
NOT_RUN = (
    "SelectionGate-v0",
    "ConfoundedRiver-v0",
    "TransportClinic-TwoLogs-v0",
)  # where a mixed log is not what the threshold is about


@dataclass(frozen=True)
class Evidence:
    """One claim of a prediction, what was found, and whether it holds."""

    claim: str
    found: str
    holds: bool


@dataclass
class Lab:
    """Does runs, once, and keeps count of them."""

    seeds: int
    rows: int  # recorded steps of a log
    steps: int  # of practice; in worlds of one step a tenth of them
    folder: Path
    workers: int
    runs: list[Run] = field(default_factory=list)

    def results(self, runs: Sequence[Run]) -> pd.DataFrame:
        """The deployment's row of each run, in their order."""
        self.runs += runs
        rows = execute(runs, self.folder, self.workers, quiet=True)
        return rows[rows["world"] == ""].set_index("run").loc[[run.key for run in runs]]

    def learned(self, world: str, agent: str, regime: str = "observe") -> pd.DataFrame:
        """The row of each seed."""
        return self.results(runs_of(world, agent, regime, self.seeds, self.rows, self.steps))

    def claim(self, world: str, agent: str, predicted: str) -> Evidence:
        """That an agent fails in a world (0) or succeeds (1), as in the matrix."""
        found = _interval(metrics.chance_score(self.learned(world, agent)).to_numpy(float))
        said = "is right" if predicted == "1" else "is wrong"
        return Evidence(
            f"{agent} {said} in {world}",
            f"CS_chance {_text(found)}",
            verdict(predicted, *found[1:]) == "agrees",
        )


def scale(lab: Lab) -> list[Evidence]:
    """More data does not help a confused learner:

    its error of contrasts stays, and that of a causal one falls as 1 / sqrt(N).
    """
    learners = (
        (KIDNEY, "naive", "observe", FLAT),
        (KIDNEY, "back-door", "observe", ROOT),
        (ICE, "naive", "observe", FLAT),
        (ICE, "fused", "mixed", ROOT),
    )
    return [_slope(lab, *learner) for learner in learners]


def _slope(lab: Lab, world: str, agent: str, regime: str, predicted: float) -> Evidence:
    seeds = range(TIMES * lab.seeds)
    rows = lab.results([Run(world, agent, regime, size, seed) for size in SIZES for seed in seeds])
    errors = rows["ice_gap"].to_numpy(float).reshape(len(SIZES), -1)
    drawn = np.random.default_rng(0).integers(len(seeds), size=(1000, len(SIZES), len(seeds)))
    again = np.take_along_axis(errors[None], drawn, axis=2)
    low, high = np.quantile([slope(SIZES, some) for some in again], [0.025, 0.975])
    model = make_model(world)
    bias = (
        float(abs(np.diff(log_process(model).reward - do_process(model).reward)).max())
        if agent == "naive"
        else 0.0
    )
    found = f"slope {slope(SIZES, errors):.4f} ({low:.4f} to {high:.4f}); error {_rms(errors)[-1]:.4f} at {SIZES[-1]:,}, bias {bias:.4f}"
    return Evidence(
        f"{agent} in {world}: slope {predicted:g}",
        found,
        predicted - NEAR < low and high < predicted + NEAR,
    )


def slope(sizes: Sequence[int], errors: Array) -> float:
    """The slope of log E on log N, E the root mean square over seeds:

    errors (sizes, seeds), NaN where there is none.
    """
    return float(np.polyfit(np.log(sizes), np.log(_rms(errors)), 1)[0])


def _rms(errors: Array) -> Array:
    return np.asarray(np.sqrt(np.nanmean(errors**2, axis=1)))


def labels(lab: Lab) -> list[Evidence]:
    """With labels a few interventions are enough however large the log is;

    without, their number grows with the log.
    """
    few = [_with_labels(lab, size) for size in SIZES]
    return [
        *few,
        *(_without_labels(lab, world) for world in POOLED),
        *(_threshold_alone(world) for world in NOT_RUN),
    ]


def _with_labels(lab: Lab, size: int) -> Evidence:
    budget = size + 2 * PER_ARM
    runs = [
        Run(ICE, "fused", "mixed", budget, seed, share=2 * PER_ARM / budget)
        for seed in range(TIMES * lab.seeds)
    ]
    rows = lab.results(runs)
    right = rows["value"].to_numpy() >= rows["j_causal"].to_numpy() - metrics.NEGLIGIBLE
    claim = f"fused in {ICE}, {PER_ARM} labelled interventions an arm beside {size:,} rows: right"
    return Evidence(
        claim, f"in {right.mean():.3f} of {len(right)} seeds", bool(right.mean() >= 1 - FEW_WRONG)
    )


def _without_labels(lab: Lab, world: str) -> Evidence:
    threshold = pooling_threshold(make_model(world))
    found = []
    for times in (BELOW, ABOVE):
        share = times * threshold / (1.0 + times * threshold)
        rows = lab.results(
            [Run(world, "naive", "mixed", lab.rows, seed, share=share) for seed in range(lab.seeds)]
        )
        found.append(
            (rows["value"].to_numpy() >= rows["j_causal"].to_numpy() - metrics.NEGLIGIBLE).mean()
        )
    claim = f"naive in {world}, without labels: right from {threshold:.3g} interventions for each row of the log"
    text = f"right in {found[0]:.2f} of the seeds at {BELOW} and {found[1]:.2f} at {ABOVE} times as many"
    return Evidence(claim, text, bool(found[0] <= FEW_WRONG and found[1] >= 1 - FEW_WRONG))


def _threshold_alone(world: str) -> Evidence:
    threshold = pooling_threshold(make_model(world).deployed())
    return Evidence(
        f"naive in {world}, without labels",
        f"right from {threshold:.3g}, by the model alone",
        threshold > 0,
    )


def hidden_causes(lab: Lab) -> list[Evidence]:
    """To find the hidden cause, or to be handed it, is not enough:

    it may leave no overlap, and it may be an effect.
    """
    twin = make_model("IceCreamShorts-Twin-v0")
    handed = adjusting_policy(twin, "heat")
    score = (value(twin, handed) - value(twin, uniform_policy(twin))) / (
        value(twin, twin.causal_policy()) - value(twin, uniform_policy(twin))
    )
    exact = Evidence(
        "who is handed the heat and adjusts for it is wrong in IceCreamShorts-Twin-v0",
        f"CS_chance {score:.2f}, exactly",
        score < 0,
    )
    worlds = (
        "IceCreamShorts-NoOverlap-v0",
        "IceCreamShorts-Twin-v0",
    )  # the log of the first has the heat
    return [
        *(lab.claim(world, "latent", "0") for world in worlds),
        lab.claim(worlds[0], "adjust-all", "0"),
        exact,
    ]


def pessimism(lab: Lab) -> list[Evidence]:
    """Pessimism is not causality:

    it is right where the worst case happens to favour the right action.
    """
    right, wrong = (DOOR, "SlateExposure-v0", "ConfoundedRiver-v0", LOW), (ICE, RIGGED, HIGH)
    return [
        lab.claim(world, "maximin", predicted)
        for worlds, predicted in ((right, "1"), (wrong, "0"))
        for world in worlds
    ]


def adjustment(lab: Lab) -> list[Evidence]:
    """Adjustment is not causality:

    who adjusts for all that is logged fails where some of it must be left alone, or is not enough.
    """
    worlds = (
        "MBiasClinic-v0",
        "MediatorTrap-v0",
        "NapkinClinic-v0",
        "ProxyClinic-v0",
        KIDNEY.replace("-v0", "-BloodPressure-v0"),
    )
    return [lab.claim(world, "adjust-all", "0") for world in worlds]


def intent(lab: Lab) -> list[Evidence]:
    """Acting is not the ceiling: who sees what he was about to do earns more."""
    return [
        _gain_of_intent(lab, world)
        for world in (
            "GreedyCasino-v0:casino=Greedy",
            "ConfoundedRiver-v0",
            "ConfoundedRiver-MarkovRiver-v0",
        )
    ]


def _gain_of_intent(lab: Lab, world: str) -> Evidence:
    model = make_model(world)
    agent = "thompson" if model.horizon == 1 else "q-learning"
    without, shown = (
        lab.learned(world, agent, regime)["value"].to_numpy()
        for regime in ("intervene", "counterfactual")
    )
    known = references(model, model.deployed())
    gain = _interval(shown - without)
    earned = f"{_interval(shown)[0]:.3f} against {_interval(without)[0]:.3f}, {_text(gain, 3)} more"
    text = f"{earned}; the best policies earn {known['j_intent']:.3f} and {known['j_causal']:.3f}"
    return Evidence(f"{agent} in {world} earns more with the intent in sight", text, gain[1] > 0)


def imitation(lab: Lab) -> list[Evidence]:
    """The better clone on the log is the worse driver."""
    brake = make_model("BrakeLight-v0")
    cars = [CopycatCar(sigma=sigma) for sigma in (0.5, 1.0)]
    noises = [CorrelatedNoiseLQ(memory=memory) for memory in (1, 2, 5, 10, 20)]
    found = [_clones("BrakeLight-v0, accuracy with and without the light", *_brake(brake))]
    found += [
        _clones(
            f"CopycatCar-v0:sigma={car.sigma}, accuracy with and without the lamp, estimated",
            *_drive(car),
        )
        for car in cars
    ]
    found += [
        _clones(
            f"CorrelatedNoiseLQ-v0:memory={one.memory}, minus the squared error of the clone and "
            "of the expert",
            *_push(one),
        )
        for one in noises
    ]
    return found


def _clones(what: str, offline: Sequence[float], earned: Sequence[float]) -> Evidence:
    text = f"offline {offline[0]:.4f} and {offline[1]:.4f}, J {earned[0]:.2f} and {earned[1]:.2f}"
    return Evidence(what, text, offline[0] > offline[1] and earned[0] < earned[1])


def _brake(model: World) -> tuple[list[float], list[float]]:
    visits = log_process(model).visits / log_process(model).visits.sum()
    sizes = [len(model.tables.support(name)) for name in model.contexts]
    law = visits.reshape(*sizes, -1)
    clones = [
        greedy(np.broadcast_to(part, law.shape).reshape(visits.shape))
        for part in (law, law.sum(model.contexts.index("light"), keepdims=True))
    ]
    return [float((visits * clone).sum()) for clone in clones], [
        value(model, clone) for clone in clones
    ]


def _drive(model: CopycatCar) -> tuple[list[float], list[float]]:
    log = collect(model, 1000, seed=1).columns
    seen = dict(zip(model.contexts, log["observation"].T.astype(float), strict=True))
    kinds = model.contexts, tuple(name for name in model.contexts if name != "lamp")
    offline = [
        float(np.mean(cloned(model, kind)(*(seen[name] for name in kind)).value == log["action"]))
        for kind in kinds
    ]
    known = references(model, model.deployed())
    return offline, [known["j_confused"], known["j_causal"]]


def _push(model: CorrelatedNoiseLQ) -> tuple[list[float], list[float]]:
    known = references(model, model)
    return [-model.offline_error(gain) for gain in (model.regressed_gain(), model.expert)], [
        known["j_confused"],
        known["j_causal"],
    ]


def experts(lab: Lab) -> list[Evidence]:
    """The better the expert in the log, the worse who takes its own actions for the expert's."""
    boxes = {
        f"errs {slip:g}": DelusionBox(slip=slip) for slip in (0.3, 0.2, 0.1, 0.05, 0.01, 0.001)
    }
    tigers = {name: Tiger(expert=name) for name in ("noisy_good", "bench_good", "perfect_good")}
    return [_taught("DelusionBox-v0", boxes), _taught("Tiger-v0", tigers)]


def _taught(world: str, pupils: Mapping[str, World]) -> Evidence:
    """Of experts from the worst to the best."""
    known = [references(model, model) for model in pupils.values()]
    teachers, earned = [one["j_behaviour"] for one in known], [one["j_confused"] for one in known]
    better = all(one < other for one, other in pairwise(teachers))
    text = ", ".join(
        f"{name} {teacher:.2f} {pupil:.2f}"
        for name, teacher, pupil in zip(pupils, teachers, earned, strict=True)
    )
    return Evidence(
        f"{world}: J of the expert and of its sequence model, exactly",
        text,
        better and all(one > other for one, other in pairwise(earned)),
    )


PREDICTIONS: tuple[Callable[[Lab], list[Evidence]], ...] = (
    scale,
    labels,
    hidden_causes,
    pessimism,
    adjustment,
    intent,
    imitation,
    experts,
)


def told(number: int, evidence: Sequence[Evidence]) -> Section:
    """A prediction, whether it holds, and the numbers."""
    about = str(PREDICTIONS[number - 1].__doc__)
    frame = pd.DataFrame(
        [
            {"claim": one.claim, "found": one.found, "holds": "yes" if one.holds else "no"}
            for one in evidence
        ]
    )
    holds = sum(one.holds for one in evidence)
    text = (
        "It holds." if holds == len(evidence) else f"It holds in {holds} of {len(evidence)} claims."
    )
    return Section(f"{number}. {about}", [text], [Table(f"prediction-{number}", frame)])


def _interval(values: Array) -> metrics.Interval:
    return metrics.interval(values)


def _text(found: metrics.Interval, digits: int = 2) -> str:
    middle, low, high = (f"{part:z.{digits}f}" for part in found)
    return f"{middle} ({low} to {high})"
