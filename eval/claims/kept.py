"""Measurements of agents that the package keeps, since they take hours.

These are the controls, the prediction matrix, and the trials of the tuning that the defaults are
from. `python -m dosuite.eval.claims.kept sanity FOLDER` puts the results of `dosuite sanity` in a
folder into the package, in place of those of the same agents and controls, `matrix` likewise the
cells that are done, and `tune` the trials of its agents. Do it with the code that measured them.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from importlib import resources
from pathlib import Path

import pandas as pd

from dosuite.agents import make_agent
from dosuite.causal import InputError
from dosuite.envs.files import replacing

from .matrix import matrix_cells
from .sanity import APPLICABLE, PAIR, control_scores
from .tuning import trial_scores
from .verdicts import measured_cells

PLACE = Path(str(resources.files(__package__)))
FILES = {"sanity": "controls.csv", "matrix": "measured.csv", "tune": "trials.csv"}  # by command
# by command, the columns of which equal values are measured again, and so replaced
HEADS = {"sanity": PAIR, "matrix": ["row", "class"], "tune": ["agent"]}
SANITY_SEEDS, SANITY_BUDGETS = 5, {100_000, 50_000}  # steps of a log, or of practice
MATRIX_SIZE = 20, 1_000_000, 200_000  # seeds, and steps of a log and of practice


def kept_rows(
    command: str, agents: Sequence[str] | None = None, only: Sequence[str] | None = None
) -> pd.DataFrame:
    """The results of a command that are kept: of `sanity`, `matrix` or `tune`.

    They are those of `agents`, and of environments that have a text of `only` in their names; of
    all without them. Raises InputError if there are none.

    The columns are those of `control_scores`, `measured_cells` or `trial_scores` (without its
    notes), the `date` on which they were kept and, for the first two, the number of `seeds` and the
    `mark` of the agent (see `mark_of`).
    """
    path = PLACE / FILES[command]
    if not path.is_file():
        raise InputError(f"`dosuite {command}` has no results in the package yet")
    frame = _read(path)
    if missing := [agent for agent in agents or () if agent not in set(frame["agent"])]:
        raise InputError(
            f"`dosuite {command}` has no results of {', '.join(missing)} in the package; there are "
            f"{', '.join(sorted(set(frame['agent'])))}"
        )
    if agents:
        frame = frame[frame["agent"].isin(agents)]
    if only:
        frame = frame[[any(text in name for text in only) for name in frame["environment"]]]
    if frame.empty:
        raise InputError(f"no family in the package's results is called {' or '.join(only or ())}")
    return frame


def _read(path: Path) -> pd.DataFrame:
    numbers = dict.fromkeys(("iqm", "low", "high", "regret"), "nan")
    texts = {"predicted": str, "mark": str}
    try:
        return pd.read_csv(path, keep_default_na=False, na_values=numbers, dtype=texts)
    except ValueError as error:  # of pandas, when a file is damaged
        raise InputError(f"{path} is damaged: {error}; install the package again") from error


def mark_of(agent: str) -> str:
    """A hash of an agent's settings, defaults included: other numbers need other settings."""
    return blake2b(repr(make_agent(agent)).encode(), digest_size=4).hexdigest()


def about(frame: pd.DataFrame) -> str:
    """When kept results were measured, and which agents have other settings now."""
    dates = " to ".join(dict.fromkeys((frame["date"].min(), frame["date"].max())))
    sentence = f"These results are kept in the package, from {dates}."
    if "mark" in frame:
        agents = frame.drop_duplicates(["agent", "mark"])[["agent", "mark"]]
        pairs = agents.itertuples(index=False, name=None)
        stale = [agent for agent, mark in pairs if _is_stale(agent, mark)]
        if stale:
            sentence += f" The settings of {', '.join(stale)} have changed since."
    return sentence


def with_best_trials(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of `sanity` with the least regret that a trial of the tuning has in their control.

    The column `best_trial` is of the trials of the same agent and regime, from 0 to 1, each the
    mean over its seeds; NaN where the agent was not tuned in that control, or does not apply.
    """
    trials = kept_rows("tune").groupby([*PAIR, "settings"])["regret"].mean()
    least = trials.groupby(PAIR).min()
    of_rows = least.reindex(pd.MultiIndex.from_frame(scores[PAIR])).set_axis(scores.index)
    return scores.assign(best_trial=of_rows.where(scores["verdict"].isin(APPLICABLE)))


def _is_stale(agent: str, mark: str) -> bool:
    try:
        return mark_of(agent) != mark
    except InputError:  # it is no longer there
        return True


def keep(command: str, folder: Path, place: Path = PLACE) -> Path:
    """Keep the results of a command that are in a folder; return the path of the file.

    Raises InputError if there are none.
    """
    path = folder / "results.parquet"
    if not path.is_file():
        raise InputError(f"{folder} has no results.parquet; let `dosuite {command}` end first")
    rows = pd.read_parquet(path)
    file = place / FILES[command]
    frame = MEASURED[command](rows).assign(date=datetime.now(UTC).date().isoformat())
    if command != "tune":
        frame["mark"] = frame["agent"].map(mark_of)
    head = HEADS[command]
    if file.is_file():
        before = _read(file)
        others = ~before.set_index(head).index.isin(frame.set_index(head).index)
        frame = pd.concat([before[others], frame])
    frame = frame.sort_values(head, kind="stable")
    with replacing(file) as temporary:
        frame.to_csv(temporary, index=False, float_format="%.6g", na_rep="nan")
    return file


def _controls(rows: pd.DataFrame) -> pd.DataFrame:
    """The scores of the controls. Raises InputError unless they are of the usual size."""
    _check_controls(rows)
    scores = control_scores(rows)
    budgets = set(scores["budget"].where(scores["seeds"] == SANITY_SEEDS))
    if not budgets <= SANITY_BUDGETS:
        raise InputError(
            "keep results of `dosuite sanity` in its default size, in their own folder"
        )
    return scores


def _check_controls(rows: pd.DataFrame) -> None:
    if set(rows["variant"]) != {"control"}:
        raise InputError("these are not the results of controls alone")


def _cells(rows: pd.DataFrame) -> pd.DataFrame:
    """The cells of the matrix of which every run is done."""
    done = set(rows["run"])
    cells = matrix_cells((), (), *MATRIX_SIZE)
    whole = [cell for cell in cells if cell.runs and done.issuperset(run.key for run in cell.runs)]
    if not whole:
        raise InputError("no cell of the matrix is done in its default size by the present code")
    return measured_cells(whole, rows).assign(seeds=MATRIX_SIZE[0])


def _trials(rows: pd.DataFrame) -> pd.DataFrame:
    _check_controls(rows)
    return trial_scores(rows).drop(columns="note")


MEASURED: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "sanity": _controls,
    "matrix": _cells,
    "tune": _trials,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep the results in a folder; the exit code is 2 if it is refused."""
    parser = argparse.ArgumentParser(description="Put results of a command into the package.")
    parser.add_argument("command", choices=FILES)
    parser.add_argument("folder", type=Path, help="the folder of the results")
    parser.add_argument("--to", type=Path, default=PLACE, help="the folder of the file")
    options = parser.parse_args(arguments)
    try:
        print(keep(options.command, options.folder, options.to))
    except InputError as error:
        print(f"kept: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
