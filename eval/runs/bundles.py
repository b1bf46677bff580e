"""Bundles of runs: what a worker on another machine gets at once, and the files it gives back."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from dosuite.envs.files import replacing

from .failure import traceback_name
from .run import Run
from .shards import cost_of
from .store import path_of

Group = Mapping[str, Run]  # runs that are done at once, by key
Bundle = Sequence[Group]
Files = dict[str, bytes]  # by the path in the folder of the results

SECONDS = 60.0  # of a processor that a bundle takes, about, beside which an engine costs little
SHARES = 4  # bundles of each worker, at least, if there are so many groups


def bundles_of(groups: Sequence[Group], workers: int) -> list[Bundle]:
    """The groups in bundles of about a minute, or less where the workers would have too few."""
    costs = [cost_of([*group.values()]) for group in groups]
    most = min(SECONDS, sum(costs) / (SHARES * workers))
    bundles: list[list[Group]] = []
    load = most
    for group, cost in zip(groups, costs, strict=True):
        if load + cost > most:
            bundles.append([])
            load = 0.0
        bundles[-1].append(group)
        load += cost
    return [*bundles]


def files_of(do: Callable[..., int], group: Group) -> Files:
    """The files that `do` writes for a group."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        do(group, folder=folder)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def keep(files: Files, group: Group, folder: Path) -> None:
    """Write the files of a group: its rows last, since a run that has rows is done."""
    for key in group:
        (folder / traceback_name(key)).unlink(missing_ok=True)  # of an earlier try
    rows = {path_of(Path(), key).as_posix() for key in group}
    for name in sorted(files, key=lambda name: name in rows):
        with replacing(folder / name) as temporary:
            temporary.write_bytes(files[name])
