"""Users' tables as logs: the columns of a pandas frame, a mapping or a CSV file, checked.

pandas is imported at the first use, since it is slow to import.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from gymnasium import spaces

from dosuite.causal import Array, InputError
from dosuite.causal.errors import did_you_mean
from dosuite.causal.graphs import as_dag
from dosuite.causal.graphs.conversion import AnyGraph

from ..spaces import Space, encode
from .cells import filled, flag_of, numbers, propensities
from .checks import check_discount

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES = 1_000_000
# columns that are read where they are, and what other tools call them
OWN: Mapping[str, tuple[str, ...]] = {
    "episode": ("episodeid", "episodenumber", "trajectory", "trajectoryid", "traj", "trajid"),
    "step": ("t", "timestep", "stepid", "stepnumber"),
    "terminated": ("done", "dones", "terminal", "terminals", "termination", "terminations"),
    "truncated": ("timeout", "timeouts", "truncation", "truncations"),
    "next_observation": ("nextobs", "nextobservations", "nextstate"),
    "regime": (),
    "propensity": ("propensities", "actionprob", "actionprobability"),
}
Table = Any  # a pandas.DataFrame, a mapping from names to columns, or the path of a CSV file


def read_table(table: Table) -> "pd.DataFrame":
    """The table as a frame whose rows are numbered from 0. Raises InputError if it is none."""
    import pandas as pd

    try:
        if isinstance(table, str | Path):
            frame = _read_csv(Path(table))
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
    named = [name for name in frame.index.names if name is not None]
    if named and not set(named) & set(frame.columns):
        return frame.reset_index()
    return frame.reset_index(drop=True)


def _read_csv(path: Path) -> "pd.DataFrame":
    """The frame of a CSV file. Raises InputError if its cells are not separated by commas, or two
    columns have one name.
    """
    import pandas as pd

    header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False)
    names = header.iloc[0].tolist()
    for separator, called in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and separator in names[0]:
            raise InputError(
                f"{path} has {called} between its cells; read it with pandas.read_csv, "
                f"sep={separator!r} and decimal=',' if it has decimal commas, and give the frame"
            )
    for name in names:
        if names.count(name) > 1 and name:
            raise InputError(f"{path} has more than one column {name!r}; rename one")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(path, index_col=False)
        except pd.errors.ParserWarning as error:
            raise InputError(f"{path} has rows with more cells than its header") from error


def as_names(names: Any, what: str) -> tuple[str, ...]:
    """One name, several, or None for none, as a tuple. Raises InputError if one is not a text."""
    if names is None:
        return ()
    given = (names,) if isinstance(names, str) or not isinstance(names, Iterable) else tuple(names)
    for name in given:
        if not isinstance(name, str):
            raise InputError(
                f"{what} is named by a text, and not by {name!r}; rename the columns, as in "
                "frame.rename(columns=str)"
            )
    return given


def check_task(
    contexts: Sequence[str],
    action: str,
    reward: str,
    discount: float,
    observation_space: Any,
    action_space: Any,
) -> None:
    """Raise InputError if a column has two roles, or the discount or a space is none."""
    roles = (*contexts, *as_names(action, "the action"), *as_names(reward, "the reward"))
    for name in roles:
        if roles.count(name) > 1:
            raise InputError(
                f"the column {name!r} is named twice, among contexts, action and reward"
            )
    check_discount(discount)
    for name, space in (("observation_space", observation_space), ("action_space", action_space)):
        if space is not None and not isinstance(space, spaces.Space):
            raise InputError(f"{name} must be a space of Gymnasium, and is {space!r}")


def space_of_contexts(names: Sequence[str], contexts: Sequence[Array]) -> Space:
    """The space of observations: Discrete or MultiDiscrete if all are whole from 0, else a Box.

    Raises InputError if a whole number is too large to be that of a category.
    """
    if not contexts:
        return spaces.Discrete(1)
    if all((values == np.floor(values)).all() and values.min() >= 0 for values in contexts):
        sizes = [int(values.max()) + 1 for values in contexts]
        for name, values, size in zip(names, contexts, sizes, strict=True):
            if size > MOST_CATEGORIES:
                raise InputError(
                    f"the column {name} has {size - 1} in row {values.argmax()}, and whole "
                    f"numbers are categories below {MOST_CATEGORIES:,}; renumber them, or name "
                    "observation_space"
                )
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
    frame: "pd.DataFrame", episode: str | None, step: str | None, over: Array | None
) -> tuple[Array, Array]:
    """Episode and step of each row, both counted from 0.

    Without columns an episode ends where `over` is true, (n,), and without that with each row.
    Raises InputError if an episode is in two pieces, or its steps are not 0, 1, 2 and so on.
    """
    rows = len(frame)
    if episode is None and step is None and over is None:
        return np.arange(rows), np.zeros(rows, dtype=np.int64)
    if episode is not None:
        names = filled(frame, episode)
        codes, _ = names.factorize()  # any names of episodes, such as texts
        is_first = np.append(True, codes[1:] != codes[:-1])
        _, first_of_row = np.unique(codes, return_index=True)
        again = np.setdiff1d(np.flatnonzero(is_first), first_of_row)
        if len(again):
            raise InputError(
                f"episode {names.iloc[again[0]]} begins again in row {again[0]}; sort the rows by "
                "episode and step"
            )
    elif step is not None:
        is_first = numbers(frame, step) == 0
        is_first[0] = True
    else:
        is_first = np.append(True, np.asarray(over)[:-1])
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


def check_names_of_other_tools(names: Iterable[Any], taken: Sequence[str]) -> None:
    """Raise InputError at a column that says what one of `OWN` says, under another name."""
    unread = [str(name) for name in names if name not in taken and name not in OWN]
    for own, others in OWN.items():
        for name in unread if own not in names else ():
            plain = name.lower().replace("_", "").replace("-", "").replace(" ", "")
            if plain in (own.replace("_", ""), *others):
                raise InputError(
                    f"the column {name!r} is not read; rename it to {own!r} if it means that, and "
                    "else name it as a logged variable or drop it"
                )


def check_ends(name: str, ends: Array, is_last: Array) -> None:
    """Raise InputError, with the row, if an episode goes on after a row in which it ends."""
    wrong = ends & ~is_last
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"the column {name} has 1 in row {row}, and may have it only in the last row of an "
            "episode"
        )


def following(observation: Array, is_last: Array) -> Array:
    """The observation of the next row; in the last row of an episode its own."""
    after = np.append(observation[1:], observation[-1:], axis=0)
    after[is_last] = observation[is_last]
    return after


def graph_with_roles(
    graph: AnyGraph,
    contexts: Sequence[str],
    action: str,
    reward: str,
    logged: Sequence[str],
) -> "nx.DiGraph[str]":
    """The graph with the role of each node; what is not a column of the log is latent.

    Raises InputError if it is none, has a cycle, or lacks a context, the action or the reward.
    """
    dag = as_dag(graph)
    if not nx.is_directed_acyclic_graph(dag):
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
    frame: "pd.DataFrame", contexts: Sequence[Array], space: Space, taken: Sequence[str]
) -> dict[str, Array]:
    """The columns of a log but for action and reward.

    Columns of the frame with the names in `OWN` are used unless they are `taken` for something
    else. An episode is terminated in its last row, unless
    either flag says otherwise.
    """
    check_names_of_other_tools(frame.columns, taken)
    has = {name: name in frame.columns and name not in taken for name in OWN}
    flags = {name: flag_of(frame, name) for name in ("terminated", "truncated") if has[name]}
    over = np.logical_or.reduce([*flags.values()]) if flags else None
    number, steps = episodes_of(
        frame,
        "episode" if has["episode"] else None,
        "step" if has["step"] else None,
        over,
    )
    is_last = np.append(number[1:] != number[:-1], True)
    for name, flag in flags.items():
        check_ends(name, flag, is_last)
    truncated = flags.get("truncated", np.zeros(len(frame), dtype=bool))
    ends = flags.get("terminated", is_last & ~truncated)
    observation = encode(space, contexts, len(frame))
    after = following(observation, is_last)
    if has["next_observation"]:
        after = _checked_following(frame, after, space, contexts, is_last)
    none = np.zeros(len(frame), dtype=bool)
    regime = flag_of(frame, "regime") if has["regime"] else none
    propensity = np.full(len(frame), np.nan)
    if has["propensity"]:
        propensity = propensities(frame, "propensity")
    return {
        "episode": number,
        "step": steps,
        "observation": observation,
        "next_observation": after,
        "terminated": ends,
        "truncated": is_last & ~ends,
        "regime": regime.astype(np.int8),
        "propensity": propensity,
    }


def _checked_following(
    frame: "pd.DataFrame", after: Array, space: Space, contexts: Sequence[Array], is_last: Array
) -> Array:
    """The column next_observation. Raises InputError if it is not the observation of the next row,
    or if there are several contexts.
    """
    if len(contexts) != 1:
        raise InputError("the column next_observation needs one context; drop it or rename it")
    given = encode(space, [numbers(frame, "next_observation")], len(frame))
    differs = (given != after).reshape(len(frame), -1).any(axis=1) & ~is_last
    if differs.any():
        row = int(np.argmax(differs))
        raise InputError(
            f"the column next_observation in row {row} is not the observation of row {row + 1} of "
            "the same episode"
        )
    return given
