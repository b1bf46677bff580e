"""Logs with names, which anyone makes again: `dataset("IceCreamShorts-observe-1e5-v0")`.

A name is that of a world with a regime and a number of rows before its version. The regimes are
observe, intervene, mixed, and mixed-unlabelled: the rows of mixed, without what says who acted. The
file `named_logs.csv` lists the number of episodes, the rows and the content hash of each, so that a
log needs no server: it is simulated from its seed, and its hash is checked. After a change of a
world's numbers, rewrite the file:

    python -m dosuite.envs.logs.named
"""

import csv
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dosuite.causal import InputError, World
from dosuite.causal.errors import checked_type, did_you_mean

from ..files import replacing
from ..registry import MAIN, world_classes, world_text
from .collect import collect
from .log import LABELS, Log
from .shuffle import number_episodes

FILE = Path(__file__).with_name("named_logs.csv")
REGIMES = ("observe", "intervene", "mixed", "mixed-unlabelled")
SIZES = ("1e3", "1e5")  # rows, of every world
LARGE = "1e6"  # of the main worlds too


class NamedLog(NamedTuple):
    """A row of the file."""

    episodes: int  # the fewest whole episodes that have as many rows as the name says
    rows: int
    hash: str


class _Parts(NamedTuple):
    """What a name says."""

    model: World
    regime: str  # of `collect`
    labels: bool
    rows: int
    seed: int


@cache
def named_logs() -> dict[str, NamedLog]:
    """The logs that are listed in the file, by name, in its order."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["name"]: NamedLog(int(row["episodes"]), int(row["rows"]), row["hash"])
            for row in csv.DictReader(file)
        }


def dataset(name: str, path: str | Path | None = None) -> Log:
    """Make the log of a name; with a `path`, in that file, unless it has this log already.

    The log is that of `collect`, with a seed that is a hash of the name; its latents go to the
    file `latents_path(path)`. Raises InputError if no such name is listed, a file cannot be
    written, or the log's content hash is not the listed one.
    """
    checked_type(name, str, "the name of a log is a text")
    if name not in named_logs():
        raise InputError(f"there is no log {name!r}; {did_you_mean(name, named_logs())}")
    listed = named_logs()[name]
    if path is not None and _hash_in(Path(path)) == listed.hash:
        return Log.load(path)
    log = make_named(name, listed.episodes)
    if log.content_hash != listed.hash:
        raise InputError(
            f"{name} has the hash {log.content_hash} when it is made here, and is listed with "
            f"{listed.hash}: this version of dosuite or of NumPy ({np.__version__}), or this "
            "processor, computes other numbers; use those that made the list, or "
            "make_named(NAME, EPISODES) for a log without a check"
        )
    return log if path is None else Log.load(log.save(path))


def make_named(name: str, episodes: int) -> Log:
    """The first episodes of the log of a name, which need not be listed."""
    parts = _parts(name)
    origin = {"world": world_text(parts.model), "variant": "", "name": name}
    log = collect(parts.model, episodes, parts.seed, parts.regime, origin=origin)
    if parts.labels:
        return log
    data = log.view(parts.seed)  # without the labels, and shuffled
    logged = tuple(column for column in log.logged if column not in LABELS)
    spaces = log.observation_space, log.action_space
    return Log(data.columns, logged, *spaces, log.horizon, log.discount, log.origin)


def names_of_world(world: str) -> Iterator[str]:
    """The names of the logs of a world, `IceCreamShorts-v0`."""
    short, _, version = world.rpartition("-v")
    for size in (*SIZES, LARGE) if short in MAIN else SIZES:
        for regime in REGIMES:
            yield f"{short}-{regime}-{size}-v{version}"


def listing(name: str) -> NamedLog:
    """What the file has to say about a name: computed, which takes about 1 second for 1e6 rows."""
    parts = _parts(name)
    episodes = -(-parts.rows // parts.model.horizon)
    while True:
        log = make_named(name.replace("-unlabelled", ""), episodes)
        if len(log) >= parts.rows:
            break
        episodes = int(episodes * 1.1 * parts.rows / max(len(log), 1)) + 1
    number = np.concatenate([numbers for _, numbers in number_episodes(log.columns)])
    needed = int(number[parts.rows - 1]) + 1
    log = make_named(name, needed)
    return NamedLog(needed, len(log), log.content_hash)


def write_list() -> None:
    """Make every log, and write the file."""
    names = [name for world in sorted(world_classes()) for name in names_of_world(world)]
    with replacing(FILE) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", *NamedLog._fields])
        for name in names:
            writer.writerow([name, *listing(name)])


def _parts(name: str) -> _Parts:
    """What a name says. Raises InputError if it is not the name of a log of a world."""
    short, _, version = name.rpartition("-v")
    rest, _, size = short.rpartition("-")
    labels = not rest.endswith("-unlabelled")
    world, _, regime = rest.removesuffix("-unlabelled").rpartition("-")
    cls = world_classes().get(f"{world}-v{version}")
    wrong = regime not in REGIMES or not (labels or regime == "mixed")
    if cls is None or wrong or size not in (*SIZES, LARGE):
        raise InputError(f"{name!r} is no name of a log, such as IceCreamShorts-observe-1e5-v0")
    source = name.replace("-unlabelled", "")  # the same episodes
    seed = int(blake2b(source.encode(), digest_size=7).hexdigest(), 16)
    return _Parts(cls(), regime, labels, int(float(size)), seed)


def _hash_in(path: Path) -> str:
    """The content hash that a file names; "" if it is no log."""
    try:
        return Log.load(path, check=False).content_hash
    except InputError:
        return ""


if __name__ == "__main__":
    write_list()
