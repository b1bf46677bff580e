"""Errors over the parameters of a network and over the compute of its training."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dosuite.agents import Policy
from dosuite.agents.networks.network_policy import NetworkPolicy
from dosuite.causal import Array

from ..reports.panels import FONT, GREY
from ..scores.fits import power_law, slope

FLOATING = 6  # operations per parameter and row of a minibatch: 2 forward, 4 backward
LABELS = {
    "rows": "rows of the log",
    "parameters": "parameters",
    "compute": "operations of training",
}
Curve = tuple[Array, Array]  # sizes (n,) in increasing order, and numbers (seeds, n) at them


def scale_of(policy: Policy | None, settings: Mapping[str, Any]) -> dict[str, float]:
    """The columns `parameters` and `compute` of a row of a table: see `errors_over`.

    `settings` are those of the agent, with `updates` and `batch`. NaN without networks of ours.
    Compute is 6 N B S floating-point operations, for N parameters, minibatches of B rows and S
    updates (Kaplan et al. 2020, section 2.1); a convolution, which uses a parameter more than
    once, costs more.
    """
    parameters = _parameters(policy)
    examples = float(settings["batch"]) * float(settings["updates"])
    return {"parameters": parameters, "compute": FLOATING * parameters * examples}


def _parameters(policy: Policy | None) -> float:
    """The number of weights and biases of the networks of a policy."""
    if not isinstance(policy, NetworkPolicy):
        return np.nan
    networks = [each for each in (policy.values, policy.logits) if each is not None]
    return float(sum(layer.numel() for network in networks for layer in network.layers))


def curve(part: pd.DataFrame, column: str, over: str) -> Curve:
    """The sizes (n,) of a column `over` in increasing order, and the numbers (seeds, n) at them.

    Seeds that lack a number anywhere are left out.
    """
    wide = part.pivot_table(column, "seed", over).dropna()
    return wide.columns.to_numpy(float), wide.to_numpy(float)


def errors_over(part: pd.DataFrame, over: str, column: str = "error") -> Curve:
    """The numbers of a column over "rows", "parameters" or "compute", for one learner in one world.

    Over rows they are those of the widest network, and over parameters those with the most rows.
    Over compute they are those of the configurations of rows and width of which no cheaper one
    predicts the log better: what someone who sees the log only would choose for each budget.
    """
    if over == "rows":
        part = part[part["width"] == part["width"].max()]
    elif over == "parameters":
        part = part[part["rows"] == part["rows"].max()]
    else:
        part = part[part["compute"].isin(_frontier(part))]
    return curve(part, column, over)


def _frontier(part: pd.DataFrame) -> Array:
    """The computes at which the mean predictive loss is smaller than at all smaller computes."""
    losses = part.groupby("compute")["loss"].mean().sort_index()
    least_before = losses.cummin().shift(fill_value=np.inf)
    return losses.index[losses < least_before].to_numpy(float)


def has_scale(part: pd.DataFrame) -> bool:
    """Whether a table has parameters and compute, and networks of several sizes."""
    known = {"parameters", "compute"} <= set(part.columns)
    return known and bool(part["parameters"].notna().all()) and part["parameters"].nunique() > 1


def draw_over(axes: Axes, part: pd.DataFrame, over: str, looks: Mapping[str, str]) -> None:
    """Draw errors, log-log, in the colour of each variant; the fitted floor on the world; the gap.

    `part` is the table of one learner in one world and its control; `looks` has a colour for each
    variant.
    """
    for variant, colour in looks.items():
        sizes, errors = errors_over(part[part["variant"] == variant], over)
        axes.plot(sizes, errors.mean(0), "-o", color=colour, linewidth=1.2, markersize=4)
        axes.plot(sizes, errors.T, ".", color=colour, markersize=2, alpha=0.5)
        if not variant and len(sizes) > 2:
            floor = power_law(sizes, errors).c
            axes.axhline(floor, color=colour, linestyle=":", linewidth=1.0)
    axes.axhline(part["gap"].iloc[0], color=GREY, linestyle="--", linewidth=1.2)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(LABELS[over], fontsize=FONT)
    axes.set_ylabel("error of do-contrasts", fontsize=FONT)


def scale_sentence(part: pd.DataFrame) -> str:
    """How the error changes with parameters and with compute, on the world and on its control.

    `part` is the table of one learner in one world and its control. Empty if it has networks of one
    size only, or no parameters.
    """
    if not has_scale(part):
        return ""
    texts = [
        f"over {_range(part, over)} {LABELS[over]} it is {_slopes(part, over)}"
        for over in ("parameters", "compute")
    ]
    return f"The slope of the error in log-log coordinates: {'; '.join(texts)}."


def _slopes(part: pd.DataFrame, over: str) -> str:
    texts = []
    for variant, name in (("", "world"), ("control", "control")):
        sizes, errors = errors_over(part[part["variant"] == variant], over)
        if len(sizes) < 2:  # more compute never predicts better
            texts.append(f"unknown on the {name}")
            continue
        middle, low, high = slope(sizes, errors)
        texts.append(
            f"{middle:z.2f} [{low:z.2f}, {high:z.2f}] on the {name}{_floor(sizes, errors)}"
        )
    return " and ".join(texts)


def _floor(sizes: Array, errors: Array) -> str:
    """The floor of the fit, where there are sizes enough for one."""
    if len(sizes) < 3:
        return ""
    middle, low, high = power_law(sizes, errors).floor
    return f", with a floor of {middle:.3f} [{low:.3f}, {high:.3f}]"


def _range(part: pd.DataFrame, over: str) -> str:
    sizes = errors_over(part[part["variant"] == ""], over)[0]
    return f"{sizes[0]:.3g} to {sizes[-1]:.3g}"
