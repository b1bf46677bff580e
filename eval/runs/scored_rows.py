"""The rows of a policy: its value and what it is scored against, in a world and its shifts."""

from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from dosuite.agents import Policy, Spaces
from dosuite.causal import InputError, World
from dosuite.envs import observation_space, with_bank
from dosuite.envs.spaces import action_space

from ..scores.metric_registry import later_columns
from .beliefs import belief_columns, beliefs
from .goal_pursuit import goal_pursuit
from .pairs import PAIR_COLUMNS
from .policy_value import policy_value
from .possible_regret import regret_metrics
from .reference_values import REFERENCES, references

HEAD = ("environment", "member", "variant", "agent", "regime", "needs", "budget", "seed", "run")
SEAL = b"dosuite seal"  # in the metadata of a file
VALUE_AT = "value_at_"  # columns of the values after so many steps of the practice, or updates
KAPPA_AT = "kappa_at_"  # and of the confusion coefficients
UNSEALED = "unsealed"  # the attribute of rows from a file that has none
TEXTS = frozenset(
    {"environment", "member", "variant", "agent", "regime", "needs", "run", "world", "status"}
    | {"agent_name", "note"}
)


def scored(model: World, shown: World, policy: Policy) -> list[dict[str, Any]]:
    """A row for the deployment and one for each shift of a policy.

    `shown` is the world whose contexts the policy sees: `model`, or `model` with the intent shown.
    The deployment has a column `value_at_m` for each number m of steps of the practice, or of
    updates on a log, after which an earlier policy was kept; and `kappa_at_m` if it has a kappa.
    """
    shifts = ("", *model.shifts()) if not model.edits else ("",)
    rows = []
    plain = replace(model, observation="")
    for shift in shifts:
        played = shown.shifted(shift) if shift else shown.deployed()
        world = plain.shifted(shift) if shift else plain.deployed()
        row: dict[str, Any] = {"world": shift, "status": "ok", "note": policy.note}
        row |= policy_value(played, policy)._asdict()
        unseen = with_bank(played, "test")
        if unseen is not None:
            row["test_value"] = policy_value(unseen, policy).value
        rows.append(empty_row() | row | references(plain, world) | goal_pursuit(played, policy))
    rows[0] |= beliefs(shown, policy) | regret_metrics(shown, policy)
    for steps, earlier in policy.earlier.items():
        rows[0][f"{VALUE_AT}{steps}"] = policy_value(shown.deployed(), earlier).value
        kappa = beliefs(shown, earlier)["kappa"]
        if not np.isnan(kappa):
            rows[0][f"{KAPPA_AT}{steps}"] = kappa
    return rows


def where_of(row: Any) -> str:
    """The text of the world of a row, an id with settings."""
    return ":".join(filter(None, (row["environment"], row["member"])))


def empty_row() -> dict[str, Any]:
    """Every column of a result with no number in it, in the order of the columns."""
    unknown: dict[str, Any] = {
        "world": "",
        "status": "ok",
        "note": "",
        "value": np.nan,
        "std_error": np.nan,
        "exact": False,
        "test_value": np.nan,  # `value` where observations are exemplars of the test bank
    }
    columns = *REFERENCES, *PAIR_COLUMNS, *belief_columns(), *later_columns()
    return unknown | dict.fromkeys(columns, np.nan)


def read_rows(path: Path | IO[bytes]) -> pd.DataFrame:
    """The rows in a file. Raises errors of any type if its bytes are damaged."""
    table = parquet.read_table(path, page_checksum_verification=True)
    rows: pd.DataFrame = table.to_pandas()
    seal = (table.schema.metadata or {}).get(SEAL)
    if seal is None:
        rows.attrs[UNSEALED] = True
    elif seal != _seal_of(rows):
        raise InputError(f"{path} was changed after it was written")
    return rows


def write_rows(rows: pd.DataFrame, path: Path | IO[bytes]) -> None:
    """Write rows with a hash of their content, since a page's checksum leaves out its header."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), SEAL: _seal_of(table.to_pandas())}
    sealed = table.replace_schema_metadata(metadata)
    parquet.write_table(sealed, path, write_page_checksum=True)


def _seal_of(rows: pd.DataFrame) -> bytes:
    columns = repr([(name, rows[name].dtype.kind) for name in rows.columns])
    values = pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()
    return blake2b(columns.encode() + values, digest_size=16).hexdigest().encode()


def wrong_columns(rows: pd.DataFrame) -> str:
    """What is wrong with the columns, or that there are no rows; "" if nothing is."""
    missing = {*HEAD, *empty_row()} - {*rows.columns, *later_columns()}
    if missing:
        return f"it lacks the columns {', '.join(sorted(missing))}"
    if not len(rows):
        return "it has no rows"
    for name in rows.columns:
        column = rows[name]
        if name in TEXTS:
            if not all(isinstance(text, str) for text in column):
                return f"its column {name} has other things than texts"
        elif name in ("budget", "log_rows", "seed") and column.dtype.kind not in "iu":
            return f"its column {name} has other things than whole numbers"
        elif name in empty_row() and column.dtype.kind not in "biuf":
            return f"its column {name} has other things than numbers"
    return ""


def fault_of(rows: pd.DataFrame, key: str) -> str:
    """Why a table does not hold the rows of the run with this key; "" if it does."""
    if wrong_columns(rows):
        return wrong_columns(rows)
    if UNSEALED in rows.attrs:
        return "it was not written by this version"
    if not (rows["run"] == key).all():
        return "it has rows of another run"
    if rows["world"].duplicated().any() or rows["world"].iloc[0] != "":
        return "it does not begin with the deployment, or has a world twice"
    if not rows["status"].isin(["ok", "failed"]).all():
        return "its status is neither ok nor failed"
    return ""


def spaces_of(model: World) -> Spaces:
    """The spaces of observations and actions that a user's policy has to fit."""
    return Spaces(observation_space(model), action_space(model))
