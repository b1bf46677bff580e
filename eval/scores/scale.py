"""What a larger budget cures: the slope of errors in the budget, the floor that they do not fall
below, and the number of interventions that end the confusion."""

from typing import Any

import numpy as np
import pandas as pd

from dosuite.causal import Array
from dosuite.envs.regimes import Budget, Regime

from . import metrics
from .fits import power_law, slope

LAST = 10**1.5  # the slope is that of the budgets within three half-decades of the largest
LEAST_BUDGETS = 3  # a power law with a floor has three parameters
LEAST_SEEDS = 3  # fewer have no interval that could decide anything
KEPT = 0.25  # the share of the confusion gap above which a floor counts as confusion
CURED = 0.9  # the causal score at which at most a tenth of the confusion gap is left
SURE = 0.95  # the share of the seeds that must be cured
ERRORS = ("ICE_gap", "|J_causal - J|", "xReg")
DEFINITIONS = [
    "The scale slope is d log E / d log N of an error E over the budgets N within three "
    "half-decades of the largest, and the floor c is that of the fit E = a N^-b + c, c >= 0; both "
    "have 95 % bootstrap intervals over seeds. Errors are ICE_gap, |J_causal - J| and xReg, and "
    "c_naive is that of an associational learner with infinite data. Confusion is "
    f"scale-invariant if the interval of c is above {KEPT} c_naive, there is no floor if it is "
    "below, and else the seeds leave it open.",
    "The de-confusion cost n_dc is the least number of interventions from which on "
    f"J >= J_causal - {1 - CURED:.1f} (J_causal - J_confused) in {SURE:.0%} of the seeds, as "
    "budgets that were run show it; n_obs are the recorded steps beside them. The label value is "
    "the least n_dc of agents with a mixed log without labels, over that of an agent with them.",
]
CURVE = [name for name in metrics.CELL if name != "budget"]  # shared by the budgets of one curve


def scale_laws(rows: pd.DataFrame) -> pd.DataFrame:
    """The slope and the floor of every error of every agent with several budgets in one world.

    The columns are CURVE; `needs`; `error`, its name; `budgets`, how many; `most`, the largest;
    `seeds` that have the error at each budget; `slope` and `floor`, each an interval; `gap`, the
    same error of an associational learner with infinite data; and `verdict`. Errors without such a
    gap are left out.
    """
    runs = _with_errors(rows)
    found = []
    for cell, own in runs.groupby(CURVE):
        for error in ERRORS:
            wide = own.pivot_table(error, "seed", "budget").dropna()
            gap = float(own[f"{error} gap"].mean())
            if len(wide.columns) > 1 and len(wide) and gap > metrics.NEGLIGIBLE:
                law = _law(wide.columns.to_numpy(float), wide.to_numpy(float), gap)
                found.append({**_named(cell, own), "error": error, "gap": gap, **law})
    columns = [*CURVE, "needs", "error", "gap", "budgets", "most", "seeds", "slope", "floor"]
    return pd.DataFrame(found, columns=[*columns, "verdict"])


def verdict(floor: metrics.Interval, gap: float, seeds: int) -> str:
    """What a floor says of the confusion: "scale-invariant" if its interval is above a quarter of
    the gap, "no floor" if it is below, else "open"; "too few seeds" for fewer than three.
    """
    _, low, high = floor
    if seeds < LEAST_SEEDS:
        return "too few seeds"
    if low > KEPT * gap:
        return "scale-invariant"
    return "no floor" if high < KEPT * gap else "open"


def deconfusion_costs(rows: pd.DataFrame) -> pd.DataFrame:
    """The least number of interventions that end the confusion of an agent in a world.

    A budget does so if there, and at every larger one, at least 95 % of the seeds have
    J >= J_causal - 0.1 (J_causal - J_confused). For every agent with several budgets that acts
    itself, or whose log is mixed, by the usual share of interventions. The columns are CURVE;
    `needs`; `seeds`, the fewest at a budget; `cost`, the number of interventions, NaN if no budget
    does; `above`, the largest number that does not do, 0 if all do; `recorded`, the recorded steps
    beside the cost; and `label_value`, for an agent that is told labels: the least cost of the
    agents with a mixed log that are not told them, in units of its own. It is at least that much
    where `is_least`, since theirs exceed all budgets.
    """
    runs = learned(metrics.run_scores(rows))
    runs = runs[runs["causal_score"].notna() & (runs["regime"] != Regime.OBSERVE.value)]
    found = [
        {**_named(cell, own), **_cost(own)}
        for cell, own in runs.groupby(CURVE)
        if own["budget"].nunique() > 1
    ]
    columns = [*CURVE, "needs", "seeds", "cost", "above", "recorded"]
    return _with_label_values(pd.DataFrame(found, columns=columns))


def _cost(runs: pd.DataFrame) -> dict[str, Any]:
    """The cost in the runs of one agent in one world."""
    regime = Regime(runs["regime"].iloc[0])
    share = regime.share if regime is Regime.MIXED and regime.share is not None else 1.0
    by_budget = runs.assign(cured=runs["causal_score"] >= CURED).groupby("budget")
    cured = by_budget["cured"].mean() >= SURE
    stays = cured[::-1].cummin()[::-1]
    enough, too_few = cured.index[stays], cured.index[~stays]
    recorded = (1.0 - share) * enough.min() + by_budget["log_rows"].first().get(enough.min(), 0)
    return {
        "seeds": int(by_budget["seed"].nunique().min()),
        "cost": share * enough.min() if len(enough) else np.nan,
        "above": share * too_few.max() if len(too_few) else 0.0,
        "recorded": recorded if len(enough) else np.nan,
    }


def _with_label_values(costs: pd.DataFrame) -> pd.DataFrame:
    """The costs with `label_value` and `is_least`."""
    mixed = costs[costs["regime"] == Regime.MIXED.value]
    values = pd.Series(np.nan, costs.index, float)
    is_least = pd.Series(False, costs.index)
    for _, own in mixed.groupby(["environment", "member"]):
        is_told = own["needs"].str.contains("labels")
        flagged, plain = own[is_told], own[~is_told]
        if len(plain):
            censored = bool(plain["cost"].isna().all())
            least = plain["above"].max() if censored else plain["cost"].min()
            values[flagged.index] = least / flagged["cost"]
            is_least[flagged.index] = censored
    return costs.assign(label_value=values, is_least=is_least)


def _named(cell: tuple[Any, ...], runs: pd.DataFrame) -> dict[str, Any]:
    """The columns that say whose curve it is."""
    return {**dict(zip(CURVE, cell, strict=True)), "needs": runs["needs"].iloc[0]}


def _with_errors(rows: pd.DataFrame) -> pd.DataFrame:
    """The learners' runs in the worlds themselves, with a column for each error and its gap."""
    runs = learned(metrics.run_scores(rows))
    shifts = rows[(rows["world"] != "") & (rows["status"] == "ok")]
    confused = metrics.excess_regret(shifts.assign(value=shifts["j_confused"]))
    keys = [*metrics.CELL, "seed"]
    excess = shifts.assign(excess=confused).groupby(keys)["excess"].mean()
    confuses = ~metrics.is_control(runs)
    errors: dict[str, Any] = {
        "ICE_gap": runs["ice_gap"],
        "ICE_gap gap": runs["confusion_gap"],
        "|J_causal - J|": (runs["j_causal"] - runs["value"]).abs(),
        "|J_causal - J| gap": (runs["j_causal"] - runs["j_confused"]).where(confuses),
        "xReg": runs["excess"],
        "xReg gap": excess.reindex(pd.MultiIndex.from_frame(runs[keys])).to_numpy(),
    }
    return runs.assign(**errors)


def learned(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of learners in the worlds themselves, without those whose log before a practice has
    another size than the practice.
    """
    budgets = [regime.value for regime in Regime if regime.budget is not Budget.NONE]
    is_learner = runs["regime"].isin(budgets) & (runs["variant"] == "")
    is_usual = (runs["log_rows"] == 0) | (runs["log_rows"] == runs["budget"])
    found: pd.DataFrame = runs[is_learner & is_usual]
    return found


def _law(sizes: Array, errors: Array, gap: float) -> dict[str, Any]:
    """The slope, the floor and the verdict of errors (seeds, n) at budgets (n,).

    The slope is undefined if an error is 0, and the floor with fewer than three budgets.
    """
    unknown = np.nan, np.nan, np.nan
    late = sizes >= sizes.max() / LAST
    is_positive = bool((errors[:, late] > metrics.NEGLIGIBLE).all())
    falls = slope(sizes[late], errors[:, late]) if late.sum() > 1 and is_positive else unknown
    floor, said = unknown, "too few budgets"
    if len(sizes) >= LEAST_BUDGETS:
        has_error = bool((errors > metrics.NEGLIGIBLE).any())
        floor = power_law(sizes, errors).floor if has_error else (0.0, 0.0, 0.0)
        said = verdict(floor, gap, len(errors))
    return {
        "budgets": len(sizes),
        "most": int(sizes.max()),
        "seeds": len(errors),
        "slope": falls,
        "floor": floor,
        "verdict": said,
    }
