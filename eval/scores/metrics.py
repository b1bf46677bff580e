"""The metrics of result rows: the causal score, regret under shifts, and delusion.

A row is one run in one world; the world "" is the deployment, any other a shift. Functions return a
Series on the index of the rows they get, or a new frame; nothing is changed in place. A score is
NaN where it is undefined. A metric is added by decorating one function (`metric_registry`).
"""

from typing import Any, cast

import numpy as np
import pandas as pd

from dosuite.causal import Array, InputError

from .bootstrap import Interval, aggregate, interval, iqm, mean_interval
from .calibration import (
    confusion_coefficient,
    contrast_calibration_error,
    interventional_calibration_error,
)
from .goals import Episodes
from .identifiability import PossibleRegret
from .metric_registry import (
    METRICS,
    RETURN,
    ActionValues,
    Metric,
    Over,
    all_metrics,
    headings,
    later_columns,
    metric,
    metrics_over,
    recorded_metric,
)

__all__ = [
    "CELL",
    "METRICS",
    "NEGLIGIBLE",
    "PAIR",
    "RETURN",
    "ActionValues",
    "Episodes",
    "Interval",
    "Metric",
    "Over",
    "PossibleRegret",
    "aggregate",
    "all_metrics",
    "causal_score",
    "chance_score",
    "confusion_coefficient",
    "contrast_calibration_error",
    "cvar",
    "delusion",
    "deployment",
    "excess_regret",
    "headings",
    "interval",
    "interventional_calibration_error",
    "iqm",
    "is_control",
    "largest_budget",
    "later_columns",
    "mean_interval",
    "metric",
    "metrics_over",
    "normalised_regret",
    "recorded_metric",
    "regret",
    "run_scores",
    "shift_regret",
    "twin_balanced",
]

DEGENERATE = 0.02  # of J_causal - J_worst: a smaller denominator leaves a score undefined
NEGLIGIBLE = 1e-9  # differences of exact values below this are rounding
CELL = ["environment", "member", "variant", "agent", "regime", "budget"]  # shared by the seeds
PAIR = ["environment", "member", "agent", "regime", "budget", "seed"]  # shared by runs on twins

SCALE = ["value", "j_confused", "j_causal", "j_worst"]  # what a score of a run is made of

# What is read off the row of a run.


recorded_metric(
    "value",
    "J",
    "J is the expected discounted return of an episode under the policy, its actions being "
    "interventions; estimated values carry a standard error (se).",
    "scores",
    RETURN,
    digits=3,
    formula=r"J(\pi) = E\left[\sum_t \gamma^t R_t \,\middle|\, \text{do}(\pi)\right]",
)


@metric(
    "causal_score",
    "CS",
    "CS = (J - J_confused) / (J_causal - J_confused), not clipped: 0 is the confused policy, 1 the "
    f"causal one. Undefined where the denominator is below {DEGENERATE} (J_causal - J_worst).",
    Over.RUNS,
    "scores",
    formula=(r"\text{CS} = \frac{J(\pi) - J_\text{confused}}{J_\text{causal} - J_\text{confused}}"),
)
def causal_score(rows: pd.DataFrame) -> "pd.Series[float]":
    """CS = (J - J_confused) / (J_causal - J_confused): 0 is the confused policy, 1 the causal one.

    It is not clipped. NaN if the denominator is below 0.02 (J_causal - J_worst), which makes the
    world a negative control.
    """
    return _score(rows, rows["j_confused"])


@metric(
    "chance_score",
    "CS_chance",
    "CS_chance = (J - J_uniform) / (J_causal - J_uniform), undefined as CS is: 0 is chance, 1 the "
    "causal policy, below 0 the policy is worse than chance.",
    Over.RUNS,
    "scores",
    formula=(
        r"\text{CS}_\text{chance} = \frac{J(\pi) - J_\text{uniform}}{J_\text{causal} - "
        r"J_\text{uniform}}"
    ),
)
def chance_score(rows: pd.DataFrame) -> "pd.Series[float]":
    """CS_chance = (J - J_uniform) / (J_causal - J_uniform): 0 is chance, 1 the causal policy.

    Below 0 the policy is actively confused. NaN if the denominator is below 0.02
    (J_causal - J_worst).
    """
    return _score(rows, rows["j_uniform"])


@metric(
    "floor_distance",
    "to the floor",
    "The distance to the floor is the most that one policy can earn on average in a world and its "
    "twin, which have the same log, less what the policy earns there on average. For a learner "
    "that is told the graph it is that of the world and its hedge, which have the same graph, too. "
    "No learner that has no more than that gets below 0, whatever its size or its data; one that "
    "does has seen in which world it acts, and its run is reported as a leak.",
    Over.RUNS,
    "scores",
    RETURN,
    digits=3,
    formula=(
        r"\max_{\pi'} \frac{J(\pi') + J_\text{twin}(\pi')}{2} - \frac{J(\pi) + "
        r"J_\text{twin}(\pi)}{2}"
    ),
)
def _floor_distance(rows: pd.DataFrame) -> "pd.Series[float]":
    if "floor" not in rows:  # rows of before there was one
        return pd.Series(np.nan, rows.index)
    return rows["floor"] - rows["pair_value"]


@metric("twin_score", "on twin", "", Over.TWINS, "scores")
def _twin_score(pairs: pd.DataFrame) -> "pd.Series[float]":
    return pairs["twin_score"]


@metric(
    "twin_balanced",
    "CS_tb",
    "CS_tb = (CS_chance + CS_chance on the twin) / 2: 0 is chance, 1 the causal policy on both.",
    Over.TWINS,
    "headline",
    formula=(
        r"\text{CS}_\text{tb} = \frac{\text{CS}_\text{chance} + "
        r"\text{CS}_\text{chance}^\text{twin}}{2}"
    ),
)
def _mean_of_twins(pairs: pd.DataFrame) -> "pd.Series[float]":
    return (pairs["chance_score"] + pairs["twin_score"]) / 2


@metric(
    "pair_score",
    "CS_pair",
    "CS_pair, the headline, is CS with the means over a world and its twin in place of J, "
    "J_confused and J_causal: 0 is the confused policy in both, 1 the causal policy of each.",
    Over.TWINS,
    "headline",
)
def _pair_score(pairs: pd.DataFrame) -> "pd.Series[float]":
    return pairs["pair_score"]


@metric(
    "normalised_regret",
    "NR",
    "NR = (J_causal - J) / (J_causal - J_worst): 0 is the causal policy, 1 the worst one. It alone "
    "judges negative controls, worlds without confusion, in which CS is undefined.",
    Over.RUNS,
    "controls",
    formula=r"\text{NR} = \frac{J_\text{causal} - J(\pi)}{J_\text{causal} - J_\text{worst}}",
)
def normalised_regret(rows: pd.DataFrame) -> "pd.Series[float]":
    """NR = (J_causal - J) / (J_causal - J_worst): 0 is the causal policy, 1 the worst one."""
    return (rows["j_causal"] - rows["value"]) / _positive(rows["j_causal"] - rows["j_worst"])


# What is aggregated over the shifts of a run, which weigh the same.


@metric(
    "r_mean",
    "R_mean",
    "R_mean is the mean of the regret over the shifts, which weigh the same. In each, the regret "
    "of a frozen policy is (J_best - J) / (J_best - J_worst) in the shifted world: 0 is the best "
    "policy of the class there, 1 the worst.",
    Over.SHIFTS,
    "shifts",
    formula=(
        r"R_\text{mean} = \frac{1}{|\Sigma|} \sum_{\sigma \in \Sigma} r_\sigma, \quad "
        r"r_\sigma = \frac{J_{\sigma,\text{best}} - J_\sigma(\pi)}{J_{\sigma,\text{best}} - "
        r"J_{\sigma,\text{worst}}}"
    ),
)
def _mean_regret(shifts: Any) -> "pd.Series[float]":
    return cast("pd.Series[float]", shifts["regret"].mean())


@metric(
    "r_worst",
    "R_worst",
    "R_worst is the largest regret.",
    Over.SHIFTS,
    "shifts",
    formula=r"R_\text{worst} = \max_{\sigma \in \Sigma} r_\sigma",
)
def _worst_regret(shifts: Any) -> "pd.Series[float]":
    return cast("pd.Series[float]", shifts["regret"].max())


@metric(
    "r_cvar",
    "R_CVaR.25",
    "R_CVaR.25 is the mean of the largest quarter of the regrets.",
    Over.SHIFTS,
    "shifts",
    formula=(
        r"R_{\text{CVaR}.25} = E\left[r_\sigma \,\middle|\, r_\sigma \text{ in the largest "
        r"quarter}\right]"
    ),
)
def _tail_regret(shifts: Any) -> "pd.Series[float]":
    return cast(
        "pd.Series[float]", shifts["regret"].apply(lambda regrets: cvar(regrets.to_numpy()))
    )


@metric(
    "excess",
    "xReg",
    "xReg is the mean over the shifts of the regret beyond that of the frozen causal "
    "policy, (J_causal - J) / (J_best - J_worst): below 0 the policy beats it, as a confused one "
    "does in the shifts it wins.",
    Over.SHIFTS,
    "shifts",
    formula=(
        r"\text{xReg} = \frac{1}{|\Sigma|} \sum_{\sigma \in \Sigma} "
        r"\frac{J_\sigma(\pi_\text{causal}) - J_\sigma(\pi)}{J_{\sigma,\text{best}} - "
        r"J_{\sigma,\text{worst}}}"
    ),
)
def _mean_excess(shifts: Any) -> "pd.Series[float]":
    return cast("pd.Series[float]", shifts["excess"].mean())


def regret(rows: pd.DataFrame) -> "pd.Series[float]":
    """Reg = (J_best - J) / (J_best - J_worst) in the row's own world: 0 is the best policy of the
    class, 1 the worst."""
    return (rows["j_best"] - rows["value"]) / _positive(rows["j_best"] - rows["j_worst"])


def excess_regret(rows: pd.DataFrame) -> "pd.Series[float]":
    """xReg = Reg(pi) - Reg(pi_causal), the causal policy being that of the deployment, frozen.

    Below 0 the policy beats it, as a confused one does in the shifts it wins.
    """
    return (rows["j_causal"] - rows["value"]) / _positive(rows["j_best"] - rows["j_worst"])


def cvar(values: Array, share: float = 0.25) -> float:
    """The mean of the largest `share` of equally likely values; one that the share cuts counts in
    part."""
    count = share * len(values)
    weights = np.clip(count - np.arange(len(values)), 0, 1)
    return float(np.sort(values)[::-1] @ weights / count)


# What a policy believes.


recorded_metric(
    "believed",
    "believed",
    "Believed is the return that the agent expects of its own policy.",
    "belief",
    RETURN,
    digits=3,
    formula=r"\hat{J}(\pi)",
)


@metric(
    "delusion",
    "delusion",
    "Delusion = believed - J, in units of the return.",
    Over.RUNS,
    "belief",
    RETURN,
    digits=3,
    formula=r"\text{delusion} = \hat{J}(\pi) - J(\pi)",
)
def delusion(rows: pd.DataFrame) -> "pd.Series[float]":
    """What the agent believes its policy earns, minus J, in units of the return."""
    return rows["believed"] - rows["value"]


# Selections of rows, and the scores of runs.


def is_control(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Whether a row is of a negative control: CS is undefined since the world does not confuse."""
    scored = rows["j_causal"].notna() & rows["j_confused"].notna()
    scored &= ~rows["variant"].isin(["twin", "hedge"])
    return scored & _denominator(rows, rows["j_confused"]).isna()


def deployment(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows in the deployment of the runs that did not fail: one for each run."""
    return rows[(rows["world"] == "") & (rows["status"] == "ok")]


def largest_budget(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of each agent's largest budget in each environment."""
    cell = [name for name in CELL if name != "budget"]
    return rows[rows["budget"] == rows.groupby(cell)["budget"].transform("max")]


def twin_balanced(rows: pd.DataFrame) -> pd.DataFrame:
    """Every metric over twins, in a row for each run with a run on the twin.

    The two share the columns PAIR. The columns are these, `chance_score` and the metrics. Raises
    InputError if a run occurs twice.
    """
    scored = deployment(rows)
    scored = scored.assign(chance_score=chance_score(scored))
    repeated = scored[scored.duplicated([*PAIR, "variant"])]
    if len(repeated):
        first = repeated.iloc[0]
        raise InputError(
            f"two runs of {first['agent']} on {first['environment']} with seed {first['seed']}: "
            "give one of them"
        )
    here, there = (
        scored.loc[scored["variant"] == variant].set_index(PAIR) for variant in ("", "twin")
    )
    both = here.index.intersection(there.index, sort=False)
    here, there = here.loc[both], there.loc[both]
    means = (here[SCALE] + there[SCALE]) / 2
    columns = {
        "chance_score": here["chance_score"],
        "twin_score": there["chance_score"],
        "pair_score": _score(means, means["j_confused"]),
    }
    pairs = pd.DataFrame(columns, index=both).reset_index()
    return pairs.assign(**{each.name: each.compute(pairs) for each in metrics_over(Over.TWINS)})


def shift_regret(rows: pd.DataFrame) -> pd.DataFrame:
    """Every metric over shifts, in a row for each run that was scored under shifts.

    The columns are CELL, the seed and the metrics.
    """
    shifted = rows[(rows["world"] != "") & (rows["status"] == "ok")]
    scored = shifted.assign(regret=regret(shifted), excess=excess_regret(shifted))
    by_run = scored.dropna(subset="regret").groupby([*CELL, "seed"])
    scores = {each.name: each.compute(by_run) for each in metrics_over(Over.SHIFTS)}
    return pd.DataFrame(scores).reset_index()


def run_scores(rows: pd.DataFrame) -> pd.DataFrame:
    """The deployment row of each run that did not fail, with every metric as a column.

    The confused reference policy, if it has no belief of its own, believes what the log promises.
    """
    runs = deployment(rows)
    confused = (runs["agent"] == "confused") & (runs["regime"] == "exact") & (runs["variant"] == "")
    promised = runs["believed"].mask(confused & runs["believed"].isna(), runs["promised"])
    unknown = {name: np.nan for name in later_columns() if name not in runs}
    runs = runs.assign(believed=promised, **unknown)
    runs = runs.assign(**{each.name: each.compute(runs) for each in metrics_over(Over.RUNS)})
    pairs = twin_balanced(rows).drop(columns="chance_score").assign(variant="")
    runs = runs.merge(pairs, on=[*PAIR, "variant"], how="left")
    return runs.merge(shift_regret(rows), on=[*CELL, "seed"], how="left")


def _score(rows: pd.DataFrame, zero: "pd.Series[float]") -> "pd.Series[float]":
    return (rows["value"] - zero) / _denominator(rows, zero)


def _denominator(rows: pd.DataFrame, zero: "pd.Series[float]") -> "pd.Series[float]":
    """J_causal - zero, NaN where it is degenerate; any positive one will do if J_worst is NaN."""
    gap = _positive(rows["j_causal"] - zero)
    return gap.mask(gap < DEGENERATE * (rows["j_causal"] - rows["j_worst"]))


def _positive(difference: "pd.Series[float]") -> "pd.Series[float]":
    return difference.where(difference > NEGLIGIBLE)
