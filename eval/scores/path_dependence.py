"""Path dependence: how far policies of different seeds disagree, and whether they fall into two."""

import numpy as np

from dosuite.causal import Array

from .bootstrap import Interval

LEAST_DISAGREEMENT = 0.01  # what the disagreement in distribution counts as at least
BIMODAL = 5 / 9  # Sarle's coefficient of a uniform law; above it values count as bimodal
FEWEST = 4  # values that have a coefficient
LEAST_SPREAD = 1e-12  # of values, relative: below it they are equal
WIDTH = 1.96  # standard errors on each side of a 95 % interval


def functional_disagreement(policies: Array, weights: Array | None = None) -> float:
    """FD, the mean total variation distance between two different policies, from 0 to 1.

    `policies` are (seeds, contexts, actions) and `weights` (contexts,) the frequencies of the
    contexts, equal without. FD = E_c 1/(k(k-1)) sum_{i != j} TV(pi_i(.|c), pi_j(.|c)), unbiased for
    two new seeds. NaN for fewer than two seeds, or if no context has weight.

    Source: churn as Milani Fard et al. (2016), Launch and iterate, measure it, of randomised
    policies.
    """
    seeds, contexts, _ = policies.shape
    weights = np.ones(contexts) if weights is None else weights
    if seeds < 2 or weights.sum() <= 0:
        return np.nan
    policies, weights = policies[:, weights > 0], weights[weights > 0]
    # sum_{i < j} |x_i - x_j| = sum_r (2 r - k + 1) x_(r), with x_(0) <= ... <= x_(k - 1)
    rank = 2.0 * np.arange(seeds) - seeds + 1
    distances = np.tensordot(rank, np.sort(policies, axis=0), 1).sum(1) / (seeds * (seeds - 1))
    return float(distances @ weights / weights.sum())


def path_dependence(shifted: float, in_distribution: float) -> float:
    """PD, the disagreement on shifted contexts over that in distribution, which is .01 at least."""
    return shifted / max(in_distribution, LEAST_DISAGREEMENT)


def jackknife(estimate: float, without: Array) -> Interval:
    """An estimate with its 95 % interval, from the estimates (n,) without each of n seeds.

    A bootstrap would draw a seed twice, which never disagrees with itself.

    Source: Efron (1981), Nonparametric estimates of standard error, section 3; for U-statistics
    Arvesen (1969).
    """
    count = len(without)
    error = np.sqrt((count - 1) / count * np.square(without - without.mean()).sum())
    return estimate, float(estimate - WIDTH * error), float(estimate + WIDTH * error)


def sarle(values: Array) -> float:
    """Sarle's bimodality coefficient of a sample (n,): 5/9 for a uniform law, above it bimodal.

    (g^2 + 1) / (k + 3 (n-1)^2 / ((n-2)(n-3))), with the skewness g and the excess kurtosis k of the
    sample, both corrected for bias. NaN for fewer than 4 values and if all are equal.

    Source: SAS Institute (1990), SAS/STAT user's guide, CLUSTER; Pfister et al. (2013), Good things
    peak in pairs, equation 1.
    """
    n = len(values)
    spread = values.std() if n >= FEWEST else 0.0
    if not spread > LEAST_SPREAD * max(1.0, float(np.abs(values).max(initial=0.0))):
        return np.nan
    scaled = (values - values.mean()) / spread
    skewness = np.sqrt(n * (n - 1)) / (n - 2) * (scaled**3).mean()
    excess = (n + 1) * ((scaled**4).mean() - 3) + 6
    excess *= (n - 1) / ((n - 2) * (n - 3))
    return float((skewness**2 + 1) / (excess + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))))
