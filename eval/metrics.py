"""Scores of result rows (one row a run and world), after METRICS.md: M1 causal score, M2
calibration, M3 regret.

Functions of rows return a Series on the index of the rows, or a new frame; nothing is changed in
place. A score is NaN where it is undefined. The world "" is the deployment, any other a shift."""

from typing import cast

import numpy as np
import pandas as pd
from scipy import stats

from dosuite.causal import Array, InputError

DEGENERATE = 0.02  # of J_* - J_worst: a smaller denominator leaves a score undefined (M1)
NEGLIGIBLE = 1e-9  # differences of exact values below this are rounding
CELL = [
    "environment",
    "member",
    "variant",
    "agent",
    "regime",
    "budget",
]  # what the seeds of a cell share
PAIR = [
    "environment",
    "member",
    "agent",
    "regime",
    "budget",
    "seed",
]  # what a run shares with its run on the twin

Interval = tuple[float, float, float]  # estimate, low, high


def causal_score(rows: pd.DataFrame) -> "pd.Series[float]":
    """CS = (J - J_confused) / (J_causal - J_confused): 0 is the confused policy, 1 the causal one;
    not clipped (M1).

    NaN if the denominator is below 0.02 (J_causal - J_worst): a negative control.
    """
    return _score(rows, rows["j_confused"])


def chance_score(rows: pd.DataFrame) -> "pd.Series[float]":
    """CS_chance = (J - J_uniform) / (J_causal - J_uniform): 0 is chance, 1 the causal policy, below
    0 actively confused (M1).

    NaN if the denominator is below 0.02 (J_causal - J_worst).
    """
    return _score(rows, rows["j_uniform"])


def normalised_regret(rows: pd.DataFrame) -> "pd.Series[float]":
    """NR = (J_causal - J) / (J_causal - J_worst):

    0 is the causal policy, 1 the worst one (M1; a control passes at 0.02).
    """
    return (rows["j_causal"] - rows["value"]) / _positive(rows["j_causal"] - rows["j_worst"])


def delusion(rows: pd.DataFrame) -> "pd.Series[float]":
    """D = what the agent believes its policy earns - J, in units of J (M2)."""
    return rows["believed"] - rows["value"]


def regret(rows: pd.DataFrame) -> "pd.Series[float]":
    """Reg = (J_best - J) / (J_best - J_worst) in the row's own world:

    0 is the best of the class, 1 the worst (M3).
    """
    return (rows["j_best"] - rows["value"]) / _positive(rows["j_best"] - rows["j_worst"])


def excess_regret(rows: pd.DataFrame) -> "pd.Series[float]":
    """xReg = Reg(pi) - Reg(pi_*), pi_* the causal policy of the deployment, frozen (M3).

    Below 0 the policy beats pi_*: expected of a confused one in the shifts it wins.
    """
    return (rows["j_causal"] - rows["value"]) / _positive(rows["j_best"] - rows["j_worst"])


def is_control(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Whether CS is undefined for lack of confusion:

    a negative control, judged by normalised regret alone (M1).
    """
    scored = rows["j_causal"].notna() & rows["j_confused"].notna() & (rows["variant"] != "twin")
    return scored & _denominator(rows, rows["j_confused"]).isna()


def deployment(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the runs that did not fail, in the deployment: one a run."""
    return rows[(rows["world"] == "") & (rows["status"] == "ok")]


def largest_budget(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of each agent's largest budget in each environment."""
    cell = [name for name in CELL if name != "budget"]
    return rows[rows["budget"] == rows.groupby(cell)["budget"].transform("max")]


def twin_balanced(rows: pd.DataFrame) -> pd.DataFrame:
    """CS_tb = (CS_chance(e) + CS_chance(twin(e))) / 2, the headline: 0 is chance, 1 the causal
    policy on both (M1).

    One row for each run that has a run on the twin with the same environment, member, agent,
    regime, budget and seed: these columns, `chance_score`, `twin_score` and `twin_balanced`. Raises
    InputError if a run is there twice."""
    scored = deployment(rows)
    scored = scored.assign(chance_score=chance_score(scored))
    for _, twice in scored[scored.duplicated([*PAIR, "variant"])].iterrows():
        raise InputError(
            f"two runs of {twice['agent']} on {twice['environment']} with seed {twice['seed']}: "
            "give one of them"
        )
    here, there = (
        scored.loc[scored["variant"] == name, [*PAIR, "chance_score"]] for name in ("", "twin")
    )
    pairs = here.merge(there.rename(columns={"chance_score": "twin_score"}), on=PAIR)
    return pairs.assign(twin_balanced=(pairs["chance_score"] + pairs["twin_score"]) / 2)


def shift_regret(rows: pd.DataFrame) -> pd.DataFrame:
    """R_mean, R_worst, R_CVaR.25 (mean of the worst quarter) and mean xReg over the shifts, which
    weigh the same (M3).

    One row for each run that was scored under shifts: those of a cell and the seed, `r_mean`,
    `r_worst`, `r_cvar`, `excess`."""
    shifted = rows[(rows["world"] != "") & (rows["status"] == "ok")]
    scored = shifted.assign(regret=regret(shifted), excess=excess_regret(shifted)).dropna(
        subset="regret"
    )
    runs = scored.groupby([*CELL, "seed"])
    over = runs.agg(r_mean=("regret", "mean"), r_worst=("regret", "max"), excess=("excess", "mean"))
    return over.assign(
        r_cvar=runs["regret"].apply(lambda regrets: cvar(regrets.to_numpy()))
    ).reset_index()


def run_scores(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a run that did not fail: its deployment row, and every score of this module as a
    column.

    The confused reference policy, if it has no belief of its own, believes what the log promises.
    """
    runs = deployment(rows)
    told = (runs["agent"] == "confused") & (runs["regime"] == "exact") & (runs["variant"] == "")
    runs = runs.assign(
        believed=runs["believed"].mask(told & runs["believed"].isna(), runs["promised"])
    )
    runs = runs.assign(
        causal_score=causal_score(runs),
        chance_score=chance_score(runs),
        normalised_regret=normalised_regret(runs),
        delusion=delusion(runs),
    )
    pairs = twin_balanced(rows).drop(columns="chance_score").assign(variant="")
    runs = runs.merge(pairs, on=[*PAIR, "variant"], how="left")
    return runs.merge(shift_regret(rows), on=[*CELL, "seed"], how="left")


def cvar(values: Array, share: float = 0.25) -> float:
    """The mean of the largest `share` of equally likely values;

    one that the share cuts counts in part (M3).
    """
    count = share * len(values)
    weights = np.clip(count - np.arange(len(values)), 0, 1)
    return float(np.sort(values)[::-1] @ weights / count)


def interventional_calibration_error(q: Array, truth: Array, weights: Array) -> float:
    """ICE_2 = sqrt(sum_c P(c) 1/|X| sum_x (q - E[Y | do x, c])^2), in units of Y; ICE_obs with E_obs[Y | x, c] as `truth` (M2).

    q and truth have shape (contexts, actions); the weights P(c) have shape (contexts,) and sum to
    1."""
    return float(np.sqrt(_inner(q - truth, q - truth, weights)))


def contrast_calibration_error(q: Array, truth: Array, weights: Array) -> float:
    """ICE_gap: the calibration error of the contrasts q(x) - q(x') over pairs of actions; a
    constant offset is forgiven (M2).

    Shapes as for `interventional_calibration_error`; 0 if there is one action.
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
    """kappa = <q - do, see - do> / |see - do|^2, and the norm of what it leaves, |q - do - kappa (see - do)| (M2).

    kappa is 0 if q is E[Y | do x, c], 1 if it is E[Y | x, c]; outside [0, 1] the error is another. q, doing and seeing
    have shape (contexts, actions), the weights P(c) (contexts,). Both NaN if |see - do| < 0.001.
    """
    gap, error = seeing - doing, q - doing
    if not (size := _inner(gap, gap, weights)) >= 1e-6:
        return np.nan, np.nan
    kappa = _inner(error, gap, weights) / size
    rest = error - kappa * gap
    return kappa, float(np.sqrt(_inner(rest, rest, weights)))


def iqm(values: Array) -> float:
    """IQM, the interquartile mean:

    the mean of what is left without the lowest and the highest quarter.
    """
    return float(stats.trim_mean(values, 0.25))


def interval(
    values: Array, strata: Array, rng: np.random.Generator, resamples: int = 10_000
) -> Interval:
    """IQM [low, high], a 95 % percentile bootstrap interval: seeds are resampled within their
    environment (M10).

    values has shape (n,), and so have the strata, which name the environment of each. NaN values
    are left out. The order of the values does not matter."""
    known = ~np.isnan(values)
    values, strata = values[known], strata[known]
    if not len(values):
        return np.nan, np.nan, np.nan
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0]), float(values[0])
    groups = [np.sort(values[strata == name]) for name in np.unique(strata)]
    drawn = [group[rng.integers(len(group), size=(resamples, len(group)))] for group in groups]
    low, high = np.quantile(
        stats.trim_mean(np.concatenate(drawn, axis=1), 0.25, axis=1), [0.025, 0.975]
    )
    return iqm(values), float(low), float(high)


def aggregate(runs: pd.DataFrame, metric: str, by: list[str]) -> pd.DataFrame:
    """The columns `by`, and of each group `runs` (seeds that have the metric), `iqm`, `low` and
    `high`.

    Every group is resampled from the same seed, so that no group's interval depends on the others
    that are there."""
    found = []
    for key, group in runs.groupby(by, observed=True):
        strata = (group["environment"] + " " + group["member"]).to_numpy()
        values = group[metric].to_numpy(float)
        found.append(
            (
                *key,
                int((~np.isnan(values)).sum()),
                *interval(values, strata, np.random.default_rng(0)),
            )
        )
    return pd.DataFrame(found, columns=[*by, "runs", "iqm", "low", "high"]).astype(
        {name: runs[name].dtype for name in by}
    )


def _score(rows: pd.DataFrame, zero: "pd.Series[float]") -> "pd.Series[float]":
    return (rows["value"] - zero) / _denominator(rows, zero)


def _denominator(rows: pd.DataFrame, zero: "pd.Series[float]") -> "pd.Series[float]":
    gap = _positive(rows["j_causal"] - zero)
    return gap.mask(
        gap < DEGENERATE * (rows["j_causal"] - rows["j_worst"])
    )  # where the worst is known


def _positive(difference: "pd.Series[float]") -> "pd.Series[float]":
    return difference.where(difference > NEGLIGIBLE)


def _inner(left: Array, right: Array, weights: Array) -> float:
    reached = weights > 0
    return cast(float, weights[reached] @ (left * right)[reached].mean(axis=1))
