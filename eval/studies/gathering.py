"""Joining the shards of a study in one folder, in which the study then judges."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile

import pandas as pd

from dosuite.causal import InputError
from dosuite.envs.files import replacing

from ..runs.gathering import check_distinct, gather, some
from .kept import CRITERION, study_in
from .made import add_stints, stints
from .study import Size, write_down
from .units import Unit, UnitStudy, unit_path


def gather_study(folders: Sequence[Path], out: Path) -> pd.DataFrame:
    """Copy the results of the shards of a study to `out`, and return the rows of its runs.

    The study is then done in `out` without a run or a unit, and has the table of one machine, to
    the last bit. A study of units has no rows of runs. Raises InputError, before anything is
    written, if the folders or `out` are of different studies, sizes or criteria, if the study has
    changed since, if a shard, a run or a unit is missing, or for another reason of `gather`.
    """
    check_distinct(folders, out)
    _check_criteria([*folders, out] if is_of_study(out) else folders)
    study, size = study_in(folders[0])
    made = [stint for folder in folders for stint in stints(folder)]
    if isinstance(study, UnitStudy):
        _copy_units(study.units(size), folders, out)
        rows = pd.DataFrame(columns=["status"])
    else:
        rows = gather(folders, out)
    write_down(study, size, out)
    add_stints(made, out)
    return rows


def is_of_study(folder: Path) -> bool:
    """Whether a folder is that of a study."""
    return (folder / CRITERION).is_file()


def judging_command(folder: Path) -> str:
    """The command that judges the study in a folder."""
    study, size = study_in(folder)
    flags = [] if size is Size.DEFAULT else [f"--{size}"]
    return shlex.join(["dosuite", "study", study.name, *flags, "--out", str(folder)])


def _check_criteria(folders: Sequence[Path]) -> None:
    """Raise InputError unless all folders are of one study, size and criterion."""
    for folder in folders:
        if not is_of_study(folder):
            raise InputError(f"{folder} has no {CRITERION}; gather the shards of one study only")
    first, *others = folders
    for folder in others:
        if (folder / CRITERION).read_bytes() != (first / CRITERION).read_bytes():
            raise InputError(
                f"{first} and {folder} are of different studies, sizes or criteria, as their "
                f"{CRITERION} says; gather the shards of one study only"
            )


def _copy_units(units: Sequence[Unit], folders: Sequence[Path], out: Path) -> None:
    """Copy the file of each unit. Raises InputError, before that, if one is in no folder."""
    found = {
        unit: path
        for unit in units
        for folder in folders
        if (path := unit_path(folder, unit)).is_file()
    }
    if missing := [repr(unit) for unit in units if unit not in found]:
        raise InputError(
            f"{len(missing)} of {len(units)} units are missing, or are of other code: "
            f"{some(missing)}; do their shards"
        )
    for unit, path in found.items():
        with replacing(unit_path(out, unit)) as temporary:
            copyfile(path, temporary)
