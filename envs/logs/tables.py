"""Users' tables as logs: the columns of a pandas frame, a mapping or a CSV file, checked.

pandas is imported at the first use, since it is slow to import.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from gymnasium import spaces

from dosuite.causal import Array, InputError, parse_graph
from dosuite.causal.errors import did_you_mean

from ..spaces import Space, encode

if TYPE_CHECKING:
    import pandas as pd

Table = Any  # a pandas.DataFrame, a mapping from names to columns, or the path of a CSV file


def read_table(table: Table) -> "pd.DataFrame":
    """The table as a frame whose rows are numbered from 0. Raises InputError if it is none."""
    import pandas as pd

    try:
        if isinstance(table, str | Path):
            frame = pd.read_csv(table)
            _check_header(frame, table)
        elif isinstance(table, pd.DataFrame | Mapping):
            frame = pd.DataFrame(table)
        else:
            raise InputError(
                "a log is made of a frame, a mapping of columns or the path of a CSV file, and got "
                f"{type(table).__name__}"
            )
    except (OSError, ValueError) as error:  # pandas' own errors of parsing are ValueErrors
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())
        source = f"{table} is" if isinstance(table, str | Path) else "the columns are"
        raise InputError(f"{source} not a table: {reason}") from error
    if len(frame) == 0:
        raise InputError("a log needs 1 row or more, and the table has none")
    return frame.reset_index(drop=True)


def numbers(frame: "pd.DataFrame", name: str) -> Array:
    """A column (n,): int64 if all its numbers are whole, otherwise float64.

    Raises InputError, with the row, if there is no such column, or a cell is missing, infinite or
    not a number.
    """
    if name not in frame.columns:
        names = [str(other) for other in frame.columns]
        raise InputError(f"the table has no column {name!r}; {did_you_mean(name, names)}")
    column = frame[name]
    if column.ndim != 1:
        raise InputError(f"the table has more than one column {name!r}")
    if column.isna().any():
        row = int(np.argmax(column.isna()))
        raise InputError(f"the column {name} is missing in row {row}; drop the row, or fill it in")
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        values = np.asarray(column, dtype=float)
    else:
        values = np.array([_number(cell) for cell in column.tolist()])
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(np.argmax(wrong))
        cell = column.iloc[row]
        text = repr(cell) if isinstance(cell, str) else str(cell)
        raise InputError(
            f"the column {name} has {text} in row {row}, and must hold finite "
            "numbers; write categories as 0, 1, 2 and so on"
        )
    is_whole = np.all((values == np.floor(values)) & (np.abs(values) < 2**53))
    return values.astype(np.int64) if is_whole else values


def _check_header(frame: "pd.DataFrame", path: str | Path) -> None:
    """Raise InputError if the names of a CSV file are not one for each column.

    pandas takes the first cells of rows that are too long for labels, and renames a second column
    of the same name."""
    import pandas as pd

    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(
            f"{path} has {frame.shape[1]} names of columns, and more cells in its rows; name all"
        )
    names = pd.read_csv(path, header=None, nrows=1, dtype=str).iloc[0].tolist()
    twice = [name for name in names if isinstance(name, str) and names.count(name) > 1]
    if twice:
        raise InputError(f"{path} has more than one column {twice[0]!r}")


def _number(cell: Any) -> float:
    """A cell as a float; NaN if it is no real number."""
    is_text = isinstance(cell, str) and "_" not in cell  # Python reads "1_0" as 10
    if not (is_text or isinstance(cell, Real | Decimal | np.bool_)):
        return np.nan
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return np.nan


def space_of_contexts(contexts: Sequence[Array]) -> Space:
    """The space of observations: Discrete or MultiDiscrete if all are whole from 0, else a Box."""
    if not contexts:
        return spaces.Discrete(1)
    if all(values.dtype == np.int64 and values.min() >= 0 for values in contexts):
        sizes = [int(values.max()) + 1 for values in contexts]
        return spaces.Discrete(sizes[0]) if len(sizes) == 1 else spaces.MultiDiscrete(sizes)
    return spaces.Box(-np.inf, np.inf, (len(contexts),), np.float32)


def space_of_actions(name: str, action: Array) -> Space:
    """Discrete if all actions are whole, else a Box from the smallest to the largest.

    Raises InputError if whole actions are not numbered from 0 without gaps.
    """
    if action.dtype != np.int64:
        return spaces.Box(float(action.min()), float(action.max()), (1,), np.float32)
    taken = np.unique(action)
    if taken[0] != 0:
        raise InputError(
            f"the first action in the column {name} is {taken[0]} and must be 0; renumber the "
            "actions, or name action_space"
        )
    if taken[-1] != len(taken) - 1:
        skipped = int(np.argmax(taken != np.arange(len(taken))))
        raise InputError(
            f"the column {name} has actions up to {taken[-1]} and never {skipped}; renumber the "
            "actions, or name action_space"
        )
    return spaces.Discrete(len(taken))


def episodes_of(
    frame: "pd.DataFrame", episode: str | None, step: str | None
) -> tuple[Array, Array]:
    """Episode and step of each row, both counted from 0; without columns each row is an episode.

    Raises InputError if an episode is in two pieces, or its steps are not 0, 1, 2 and so on.
    """
    rows = len(frame)
    if episode is None and step is None:
        return np.arange(rows), np.zeros(rows, dtype=np.int64)
    if episode is not None:
        names = numbers(frame, episode)
        is_first = np.append(True, names[1:] != names[:-1])
        _, first_of_row = np.unique(names, return_index=True)
        again = np.setdiff1d(np.flatnonzero(is_first), first_of_row)
        if len(again):
            raise InputError(
                f"episode {names[again[0]]} begins again in row {again[0]}; sort the rows by "
                "episode and step"
            )
    else:
        is_first = numbers(frame, str(step)) == 0
        is_first[0] = True
    number = np.cumsum(is_first) - 1
    due = np.arange(rows) - np.flatnonzero(is_first)[number]
    if step is not None:
        steps = numbers(frame, step)
        wrong = steps != due
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"the column {step} has {steps[row]} in row {row}, where {due[row]} is due: steps "
                "are counted from 0 in each episode, without gaps"
            )
    return number, due


def ends_of(frame: "pd.DataFrame", terminated: str | None, is_last: Array) -> Array:
    """Where an episode terminates: at its last row, unless a column says that it does not.

    Raises InputError if the column has other values than 0 and 1, or goes on after a 1.
    """
    if terminated is None:
        return is_last
    values = numbers(frame, terminated)
    wrong = ~np.isin(values, [0, 1]) | ((values == 1) & ~is_last)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"the column {terminated} has {values[row]} in row {row}: it is 0 or 1, and 1 only in "
            "the last row of an episode"
        )
    return np.asarray(values == 1)


def following(observation: Array, is_last: Array) -> Array:
    """The observation of the next row; in the last row of an episode its own."""
    after = np.append(observation[1:], observation[-1:], axis=0)
    after[is_last] = observation[is_last]
    return after


def graph_with_roles(
    graph: "nx.DiGraph[str] | str",
    contexts: Sequence[str],
    action: str,
    reward: str,
    logged: Sequence[str],
) -> "nx.DiGraph[str]":
    """The graph with the role of each node; what is not a column of the log is latent.

    Raises InputError if it has a cycle, or lacks a context, the action or the reward.
    """
    dag = parse_graph(graph).dag if isinstance(graph, str) else graph
    if not isinstance(dag, nx.DiGraph) or not nx.is_directed_acyclic_graph(dag):
        raise InputError("the graph of a log must be directed and without cycles")
    for name in (*contexts, action, reward):
        if name not in dag:
            raise InputError(f"the graph has no node {name!r}; {did_you_mean(name, list(dag))}")
    roles = {name: "logged" for name in logged if name in dag}
    roles |= dict.fromkeys(contexts, "context") | {action: "action", reward: "reward"}
    roles |= {name: "latent" for name in dag if name not in roles}
    # The contexts come first, in the order of the observation's components.
    named: nx.DiGraph[str] = nx.DiGraph()
    for name in (*contexts, *(node for node in roles if node not in contexts)):
        named.add_node(name, role=roles[name])
    named.add_edges_from(dag.edges)
    return named


def columns_of(
    frame: "pd.DataFrame",
    contexts: Sequence[Array],
    space: Space,
    episode: str | None,
    step: str | None,
    terminated: str | None,
) -> dict[str, Array]:
    """The columns of a log but for action and reward."""
    number, steps = episodes_of(frame, episode, step)
    is_last = np.append(number[1:] != number[:-1], True)
    ends = ends_of(frame, terminated, is_last)
    observation = encode(space, contexts, len(frame))
    return {
        "episode": number,
        "step": steps,
        "observation": observation,
        "next_observation": following(observation, is_last),
        "terminated": ends,
        "truncated": is_last & ~ends,
        "regime": np.zeros(len(frame), dtype=np.int8),
        "propensity": np.full(len(frame), np.nan),
    }
