"""Learning curves in the files of TensorBoard and of Weights & Biases."""

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dosuite.agents import make_agent
from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean

from ..runs.run import Run
from .labels import named

SCALARS = ("value", "score", "kappa")


def check_tracker(name: str, runs: Iterable[Run]) -> None:
    """Raise InputError if curves cannot be written for a tracker, or no run will have one."""
    if name not in TRACKERS:
        raise InputError(f"{name!r} is no tracker of curves; {did_you_mean(name, [*TRACKERS])}")
    if find_spec(name) is None:
        raise InputError(
            f"curves for {name} need the package {name}: pip install 'dosuite[{name}]'"
        )
    if not any(getattr(make_agent(run.agent), "points", 0) for run in runs):
        raise InputError(
            f"there will be no curve for {name}: give an agent points of its training at which its "
            "value is read, as in dqn:points=7"
        )


def log_curves(curves: pd.DataFrame, folder: Path, tracker: str) -> Path:
    """Write curves (see `learning_curves.curves`) under a folder of results, and return where.

    There is one run of the tracker for each agent, world and seed; what an earlier call wrote of it
    is replaced. Its scalars are those of SCALARS that are known, by `step`.
    """
    place = folder / tracker
    for _, run in named(curves).groupby("run", sort=False):
        TRACKERS[tracker](run, place)
    return place


def run_name(row: Any) -> str:
    """The name of a run: its world, agent and seed, without what a file's name cannot have."""
    where = " ".join(filter(None, (row["environment"], row["member"], row["variant"])))
    who = f"{row['agent']}@{row['regime']} {row['budget']}"
    parts = where, who, f"seed {row['seed']}"
    return "/".join(re.sub(r"[^\w.,=@+-]+", "_", part).strip("._") for part in parts)


def _scalars(run: pd.DataFrame) -> Iterator[tuple[int, dict[str, float]]]:
    """The steps of a run, each with what is known there."""
    for row in run.to_dict("records"):
        known = {name: float(row[name]) for name in SCALARS if not np.isnan(row[name])}
        yield int(row["step"]), known


def _to_tensorboard(run: pd.DataFrame, place: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    own = place / run_name(run.iloc[0])
    earlier = list(own.glob("events.out.tfevents.*"))
    with SummaryWriter(str(own)) as writer:
        for step, scalars in _scalars(run):
            for name, scalar in scalars.items():
                writer.add_scalar(name, scalar, step)
    for path in earlier:  # the new file is whole
        path.unlink()


def _to_wandb(run: pd.DataFrame, place: Path) -> None:
    """Without a network, unless WANDB_MODE says otherwise; a run keeps its id.

    wandb has a folder for each time that a run is written; those of earlier times are removed.
    """
    import wandb

    first = run.iloc[0]
    mode: Any = os.environ.get("WANDB_MODE", "offline")
    place.mkdir(parents=True, exist_ok=True)
    earlier = list(place.glob(f"wandb/offline-run-*-{first['run']}"))
    names = ["environment", "member", "variant", "agent", "regime", "budget", "seed"]
    tracked = wandb.init(
        project="dosuite",
        id=str(first["run"]),
        name=run_name(first),
        config={name: str(first[name]) for name in names},
        dir=str(place),
        mode=mode,
        settings=wandb.Settings(silent=True, console="off"),
    )
    for step, scalars in _scalars(run):
        tracked.log(scalars, step=step)
    tracked.finish()
    for folder in earlier:  # the new one is whole
        shutil.rmtree(folder)


TRACKERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "tensorboard": _to_tensorboard,
    "wandb": _to_wandb,
}
