"""Predictions 1 and 2: what more data, and labelled interventions, do for learners."""

from collections.abc import Sequence

import numpy as np

from dosuite.causal import Array
from dosuite.causal.exact import do_process, log_process
from dosuite.envs import make_model

from ..runs.run import Run
from ..scores.metrics import Interval
from .label_price import pooling_threshold
from .laboratory import (
    DOOR,
    ICE,
    KIDNEY,
    LOW,
    RIGGED,
    Evidence,
    Lab,
    interval_text,
    right_share,
    share_interval,
)
from .verdicts import UNDEFINED, joint_verdict, verdict

SIZES = (100, 1_000, 10_000, 100_000)  # recorded steps, where a run may have as many
MORE_SEEDS = 10  # times as many, where an error or a frequency is measured and not a policy
RESAMPLES = 1000  # of the bootstrap
FLAT = 0.0  # slope of a bias
ROOT = -0.5  # slope of a sampling error
TOLERANCE = 0.1  # of a slope
PER_ARM = 31  # labelled interventions that suffice for the ice cream
FEW_WRONG = 0.2  # share of seeds
BELOW, ABOVE = 0.8, 1.25  # times a threshold

LEARNERS = (
    (KIDNEY, "naive", "observe", FLAT),
    (KIDNEY, "back-door", "observe", ROOT),
    (ICE, "naive", "observe", FLAT),
    (ICE, "fused", "mixed", ROOT),
)  # world, agent, regime, slope
POOLED_WORLDS = (
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
# worlds whose mixed logs are not what the threshold is about
WORLDS_NOT_RUN = ("SelectionGate-v0", "ConfoundedRiver-v0", "TransportClinic-TwoLogs-v0")


def data_size(lab: Lab) -> list[Evidence]:
    """Measure how the errors of learners fall with the size of their log."""
    return [slope_evidence(lab, *learner) for learner in LEARNERS]


def sizes_of_logs(lab: Lab) -> tuple[int, ...]:
    """The sizes of SIZES below the longest log that the lab records, and that one."""
    longest = min(SIZES[-1], lab.recorded)
    return *(size for size in SIZES if size < longest), longest


def slope_evidence(lab: Lab, world: str, agent: str, regime: str, predicted: float) -> Evidence:
    """The slope of an agent's error of contrasts over the sizes of logs, with its interval."""
    claim = f"{agent} in {world}: slope {predicted:g}, give or take {TOLERANCE:g}"
    sizes = sizes_of_logs(lab)
    if len(sizes) < 2:
        return Evidence(claim, f"no slope from logs of {sizes[0]:,} rows alone", UNDEFINED)
    seeds = MORE_SEEDS * lab.seeds
    runs = [Run(world, agent, regime, size, seed) for size in sizes for seed in range(seeds)]
    errors = lab.results(runs)["ice_gap"].to_numpy(float).reshape(len(sizes), seeds)
    low, high = _slope_interval(sizes, errors)
    bias = _largest_bias(world) if agent == "naive" else 0.0
    numbers = (
        f"slope {slope(sizes, errors):.4f} ({low:.4f} to {high:.4f}); "
        f"error {_root_mean_square(errors)[-1]:.4f} at {sizes[-1]:,}, bias {bias:.4f}"
    )
    return Evidence(claim, numbers, slope_verdict(low, high, predicted))


def slope_verdict(low: float, high: float, predicted: float) -> str:
    """The verdict on the claim that a slope is the predicted one, give or take TOLERANCE."""
    return verdict(low, high, predicted - TOLERANCE, predicted + TOLERANCE)


def _slope_interval(sizes: Sequence[int], errors: Array) -> tuple[float, float]:
    """The 95 % bootstrap interval of the slope, with seeds resampled at each size."""
    seeds = errors.shape[1]
    draws = np.random.default_rng(0).integers(seeds, size=(RESAMPLES, len(sizes), seeds))
    resamples = np.take_along_axis(errors[None], draws, axis=2)
    slopes = [slope(sizes, resample) for resample in resamples]
    low, high = np.quantile(slopes, [0.025, 0.975])
    return float(low), float(high)


def _largest_bias(world: str) -> float:
    """The largest error of a contrast of neighbouring actions that infinite data leave."""
    model = make_model(world)
    errors = log_process(model).reward - do_process(model).reward
    return float(abs(np.diff(errors)).max())


def slope(sizes: Sequence[int], errors: Array) -> float:
    """The slope of log E on log N, where E is the root mean square over seeds.

    `errors` are (sizes, seeds), NaN where there is none.
    """
    logs = np.log(_root_mean_square(errors))
    return float(np.polyfit(np.log(sizes), logs, 1)[0])


def _root_mean_square(errors: Array) -> Array:
    return np.asarray(np.sqrt(np.nanmean(errors**2, axis=1)))


def labels(lab: Lab) -> list[Evidence]:
    """Measure how many interventions correct a log, with and without labels."""
    labelled = [_with_labels(lab, size) for size in sizes_of_logs(lab)]
    unlabelled = [_without_labels(lab, world) for world in POOLED_WORLDS]
    by_model = [_threshold_alone(world) for world in WORLDS_NOT_RUN]
    return [*labelled, *unlabelled, *by_model]


def _with_labels(lab: Lab, size: int) -> Evidence:
    """A fixed number of labelled interventions added to `size` recorded steps."""
    interventions = 2 * PER_ARM
    budget = size + interventions
    share = interventions / budget
    seeds = MORE_SEEDS * lab.seeds
    runs = [Run(ICE, "fused", "mixed", budget, seed, share=share) for seed in range(seeds)]
    right = share_interval(right_share(lab.results(runs)), seeds)
    claim = (
        f"fused in {ICE}, {PER_ARM} labelled interventions an arm added to {size:,} rows: right "
        f"in over {1 - FEW_WRONG:g} of the seeds"
    )
    numbers = f"in {interval_text(right, 3)} of {seeds} seeds"
    return Evidence(claim, numbers, verdict(*right[1:], least=1 - FEW_WRONG))


def _without_labels(lab: Lab, world: str) -> Evidence:
    """Fewer and more interventions than the threshold, pooled with the log."""
    threshold = pooling_threshold(make_model(world))
    below, above = (_right_with(lab, world, times * threshold) for times in (BELOW, ABOVE))
    claim = (
        f"naive in {world}, without labels: right from {threshold:.3g} interventions for each row "
        f"of the log, in under {FEW_WRONG:g} of the seeds at {BELOW} and over {1 - FEW_WRONG:g} "
        f"at {ABOVE} times as many"
    )
    numbers = (
        f"right in {interval_text(below)} and {interval_text(above)} of {lab.seeds} seeds, "
        f"{lab.recorded:,} rows"
    )
    return Evidence(claim, numbers, threshold_verdict(below, above))


def threshold_verdict(below: Interval, above: Interval) -> str:
    """The verdict on the claim that few seeds are right below a threshold, and most above."""
    few_below = verdict(*below[1:], most=FEW_WRONG)
    most_above = verdict(*above[1:], least=1 - FEW_WRONG)
    return joint_verdict([few_below, most_above])


def _right_with(lab: Lab, world: str, interventions: float) -> Interval:
    """The share of seeds that are right with this number of interventions a recorded step."""
    share = interventions / (1.0 + interventions)
    runs = [
        Run(world, "naive", "mixed", lab.recorded, seed, share=share) for seed in range(lab.seeds)
    ]
    return share_interval(right_share(lab.results(runs)), lab.seeds)


def _threshold_alone(world: str) -> Evidence:
    threshold = pooling_threshold(make_model(world).deployed())
    numbers = f"right from {threshold:.3g}, by the model alone"
    is_positive = verdict(threshold, threshold, least=0.0)
    return Evidence(f"naive in {world}, without labels", numbers, is_positive)
