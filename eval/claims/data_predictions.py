"""Predictions 1 and 2: what more data, and labelled interventions, do for learners."""

from collections.abc import Sequence

import numpy as np

from dosuite.causal import Array
from dosuite.causal.exact import do_process, log_process
from dosuite.envs import make_model

from ..runs.run import Run
from .label_price import pooling_threshold
from .laboratory import DOOR, ICE, KIDNEY, LOW, RIGGED, Evidence, Lab, right_share

SIZES = (100, 1_000, 10_000, 100_000)  # recorded steps, for a slope
MORE_SEEDS = 10  # times as many, where an error or a frequency is measured and not a policy
RESAMPLES = 1000  # of the bootstrap
FLAT = 0.0  # slope of a bias
ROOT = -0.5  # slope of a sampling error
TOLERANCE = 0.1  # of a slope
PER_ARM = 31  # labelled interventions that suffice for the ice cream
FEW_WRONG = 0.1  # share of seeds
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


def slope_evidence(lab: Lab, world: str, agent: str, regime: str, predicted: float) -> Evidence:
    """The slope of an agent's error of contrasts over SIZES, with a bootstrap interval."""
    seeds = MORE_SEEDS * lab.seeds
    runs = [Run(world, agent, regime, size, seed) for size in SIZES for seed in range(seeds)]
    errors = lab.results(runs)["ice_gap"].to_numpy(float).reshape(len(SIZES), seeds)
    low, high = _slope_interval(errors)
    bias = _largest_bias(world) if agent == "naive" else 0.0
    numbers = (
        f"slope {slope(SIZES, errors):.4f} ({low:.4f} to {high:.4f}); "
        f"error {_root_mean_square(errors)[-1]:.4f} at {SIZES[-1]:,}, bias {bias:.4f}"
    )
    holds = predicted - TOLERANCE < low and high < predicted + TOLERANCE
    return Evidence(f"{agent} in {world}: slope {predicted:g}", numbers, holds)


def _slope_interval(errors: Array) -> tuple[float, float]:
    """The 95 % bootstrap interval of the slope, with seeds resampled at each size."""
    sizes, seeds = errors.shape
    draws = np.random.default_rng(0).integers(seeds, size=(RESAMPLES, sizes, seeds))
    resamples = np.take_along_axis(errors[None], draws, axis=2)
    slopes = [slope(SIZES, resample) for resample in resamples]
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
    labelled = [_with_labels(lab, size) for size in SIZES]
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
    right = right_share(lab.results(runs))
    claim = f"fused in {ICE}, {PER_ARM} labelled interventions an arm added to {size:,} rows: right"
    return Evidence(claim, f"in {right:.3f} of {seeds} seeds", right >= 1 - FEW_WRONG)


def _without_labels(lab: Lab, world: str) -> Evidence:
    """Fewer and more interventions than the threshold, pooled with the log."""
    threshold = pooling_threshold(make_model(world))
    below, above = (_right_with(lab, world, times * threshold) for times in (BELOW, ABOVE))
    claim = (
        f"naive in {world}, without labels: right from {threshold:.3g} interventions for each row "
        "of the log"
    )
    numbers = (
        f"right in {below:.2f} of the seeds at {BELOW} and {above:.2f} at {ABOVE} times as many"
    )
    return Evidence(claim, numbers, below <= FEW_WRONG and above >= 1 - FEW_WRONG)


def _right_with(lab: Lab, world: str, interventions: float) -> float:
    """The share of seeds that are right with this number of interventions a recorded step."""
    share = interventions / (1.0 + interventions)
    runs = [
        Run(world, "naive", "mixed", lab.recorded, seed, share=share) for seed in range(lab.seeds)
    ]
    return right_share(lab.results(runs))


def _threshold_alone(world: str) -> Evidence:
    threshold = pooling_threshold(make_model(world).deployed())
    numbers = f"right from {threshold:.3g}, by the model alone"
    return Evidence(f"naive in {world}, without labels", numbers, threshold > 0)
