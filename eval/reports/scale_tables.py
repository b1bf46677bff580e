"""The tables of agents that were run with several budgets: what a larger one cures."""

from typing import Any

import numpy as np
import pandas as pd

from ..scores.metrics import Interval
from ..scores.scale import deconfusion_costs, scale_laws
from .labels import labelled
from .page import Table
from .rounding import number_text

LAWS = "Does a larger budget cure the confusion? Slopes, and floors c beside those of confusion"
COSTS = "How many interventions end the confusion, of the budgets that were run"


def scale_tables(rows: pd.DataFrame) -> list[Table]:
    """Slopes and floors, and de-confusion costs; a table without a row is left out."""
    tables = []
    for name, found, texts, caption in (
        ("scaling", scale_laws(rows), _law, LAWS),
        ("cost", deconfusion_costs(rows), _cost, COSTS),
    ):
        if len(found):
            shown = labelled(found.assign(world="", budget=0, seed=0))
            frame = pd.DataFrame([_head(row) | texts(row) for row in shown.to_dict("records")])
            tables.append(Table(name, frame, caption=caption, grouped=True))
    return tables


def _head(row: dict[Any, Any]) -> dict[str, str]:
    return {"environment": row["where"], "agent": row["who"]}


def _law(row: dict[Any, Any]) -> dict[str, str]:
    return {
        "error": row["error"],
        "budgets": f"{row['budgets']}, to {row['most']:,}",
        "seeds": str(row["seeds"]),
        "slope": _interval(row["slope"], 2),
        "floor c": _interval(row["floor"], 3),
        "c_naive": number_text(row["gap"], 3),
        "confusion": row["verdict"],
    }


def _cost(row: dict[Any, Any]) -> dict[str, str]:
    is_found = not np.isnan(row["cost"])
    value = number_text(row["label_value"], 1)
    least = "at least " if row["is_least"] else ""
    return {
        "seeds": str(row["seeds"]),
        "n_dc": f"{row['cost']:,.0f}" if is_found else "n/a",
        "too few": f"{row['above']:,.0f}" if row["above"] else "none tried",
        "n_obs": f"{row['recorded']:,.0f}" if is_found else "n/a",
        "label value": "n/a" if np.isnan(row["label_value"]) else least + value,
    }


def _interval(interval: Interval, digits: int) -> str:
    middle, low, high = (number_text(number, digits) for number in interval)
    return "n/a" if np.isnan(interval[0]) else f"{middle} [{low}, {high}]"
