"""Metrics of action values: how far what a policy believes is from what acting does, and whether
the error is that of taking the log for an experiment."""

from typing import cast

import numpy as np

from dosuite.causal import Array

from .metric_registry import RETURN, ActionValues, Over, metric


@metric(
    "ice_gap",
    "ICE_gap",
    "ICE_gap is the calibration error of the contrasts q(x) - q(x') over pairs of actions, in "
    "units of Y: as ICE_2, but a constant offset is forgiven.",
    Over.ACTIONS,
    "calibration",
    RETURN,
    digits=3,
    formula=(
        r"\text{ICE}_\text{gap} = \sqrt{\sum_c P(c)\, \underset{x < x'}{\text{mean}} "
        r"\left(q(x,c) - q(x',c) - \mu_\text{do}(x,c) + \mu_\text{do}(x',c)\right)^2}"
    ),
)
def _contrast_error(values: ActionValues) -> float:
    return contrast_calibration_error(values.believed, values.doing, values.weights)


@metric(
    "confusion_gap",
    "c_naive",
    "c_naive is the ICE_gap of E[Y | x, c], which an associational learner has with infinite data.",
    Over.ACTIONS,
    "",
    RETURN,
    digits=3,
)
def _confusion_gap(values: ActionValues) -> float:
    return contrast_calibration_error(values.seeing, values.doing, values.weights)


@metric(
    "ice",
    "ICE_2",
    "ICE_2 = sqrt(sum_c P(c) 1/|X| sum_x (q - E[Y | do x, c])^2), in units of Y, the reward and "
    "what the best policy earns after it; q is what the agent believes of E[Y | do x, c]. Of "
    "action values Q of several steps, q = Q + discount E[V* - V_Q] at the log's next context.",
    Over.ACTIONS,
    "calibration",
    RETURN,
    digits=3,
    formula=(
        r"\text{ICE}_2 = \sqrt{\sum_c P(c) \frac{1}{|X|} \sum_x \left(q(x,c) - "
        r"\mu_\text{do}(x,c)\right)^2}, \quad \mu_\text{do}(x,c) = E[Y \mid \text{do}(x), c]"
    ),
)
def _interventional_error(values: ActionValues) -> float:
    return interventional_calibration_error(values.believed, values.doing, values.weights)


@metric(
    "ice_obs",
    "ICE_obs",
    "ICE_obs is ICE_2 with E[Y | x, c] of the log in place of E[Y | do x, c].",
    Over.ACTIONS,
    "calibration",
    RETURN,
    digits=3,
    formula=(
        r"\text{ICE}_\text{obs} = \sqrt{\sum_c P(c) \frac{1}{|X|} \sum_x \left(q(x,c) - "
        r"\mu_\text{see}(x,c)\right)^2}, \quad \mu_\text{see}(x,c) = E[Y \mid x, c]"
    ),
)
def _observational_error(values: ActionValues) -> float:
    return interventional_calibration_error(values.believed, values.seeing, values.weights)


@metric(
    "kappa",
    "kappa",
    "kappa = <q - do, see - do> / |see - do|^2 with do = E[Y | do x, c] and see = E[Y | x, c]: 0 "
    "predicts what acting does, 1 reproduces the log; undefined where |see - do| < 0.001.",
    Over.ACTIONS,
    "calibration",
    formula=(
        r"\kappa = \frac{\langle q - \mu_\text{do},\ \mu_\text{see} - \mu_\text{do} "
        r"\rangle}{\lVert \mu_\text{see} - \mu_\text{do} \rVert^2}, \quad \langle f, g "
        r"\rangle = \sum_c P(c) \frac{1}{|X|} \sum_x f(x,c)\, g(x,c)"
    ),
)
def _kappa(values: ActionValues) -> float:
    kappa, _ = confusion_coefficient(values.believed, values.doing, values.seeing, values.weights)
    return kappa


@metric(
    "kappa_residual",
    "residual",
    "The residual is |q - do - kappa (see - do)|, the error that kappa does not explain.",
    Over.ACTIONS,
    "calibration",
    RETURN,
    digits=3,
    formula=(
        r"\left\lVert q - \mu_\text{do} - \kappa\, (\mu_\text{see} - \mu_\text{do}) "
        r"\right\rVert"
    ),
)
def _kappa_residual(values: ActionValues) -> float:
    _, residual = confusion_coefficient(
        values.believed, values.doing, values.seeing, values.weights
    )
    return residual


def interventional_calibration_error(q: Array, truth: Array, weights: Array) -> float:
    """ICE_2 = sqrt(sum_c P(c) 1/|X| sum_x (q - E[Y | do x, c])^2), in units of Y.

    q and truth have shape (contexts, actions); the weights P(c) have shape (contexts,) and sum to
    1. With E[Y | x, c] of the log as `truth` it is ICE_obs.
    """
    return float(np.sqrt(_inner(q - truth, q - truth, weights)))


def contrast_calibration_error(q: Array, truth: Array, weights: Array) -> float:
    """ICE_gap: the calibration error of the contrasts q(x) - q(x') over pairs of actions.

    A constant offset is forgiven. Shapes are those of `interventional_calibration_error`; 0 if
    there is one action.
    """
    first, second = np.triu_indices(q.shape[1], k=1)
    if not len(first):
        return 0.0
    return interventional_calibration_error(
        q[:, first] - q[:, second], truth[:, first] - truth[:, second], weights
    )


def confusion_coefficient(
    q: Array, doing: Array, seeing: Array, weights: Array
) -> tuple[float, float]:
    """kappa = <q - do, see - do> / |see - do|^2, and the residual |q - do - kappa (see - do)|.

    kappa is 0 if q is E[Y | do x, c] and 1 if it is E[Y | x, c]; outside [0, 1] the error is of
    another kind. q, doing and seeing have shape (contexts, actions), the weights P(c) (contexts,).
    Both are NaN if |see - do| < 0.001.
    """
    gap, error = seeing - doing, q - doing
    size = _inner(gap, gap, weights)
    if not size >= 1e-6:
        return np.nan, np.nan
    kappa = _inner(error, gap, weights) / size
    rest = error - kappa * gap
    return kappa, float(np.sqrt(_inner(rest, rest, weights)))


def _inner(left: Array, right: Array, weights: Array) -> float:
    """sum_c P(c) 1/|X| sum_x left right, over the contexts of positive probability."""
    reached = weights > 0
    return cast(float, weights[reached] @ (left * right)[reached].mean(axis=1))
