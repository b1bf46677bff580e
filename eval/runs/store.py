"""The rows of runs in a folder of results: a file for each new run, and packs of done ones.

The file of a run is complete or absent, so that a kill costs the runs in progress and no other. As
soon as there are PACK of them, those without a failure are packed: written to one file, which is
complete or absent too, and then removed. Reading needs no index: a run is in a pack, in its own
file, or, after a kill in between, in both, with equal rows.
"""

import io
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from dosuite.envs.files import alone_in, replacing

from .scored_rows import fault_of, read_rows, write_rows

PACK = 500  # files of runs that are packed at once
ORDER = ["environment", "member", "variant", "regime", "agent", "budget", "seed", "world"]
_AT_ONCE = 200  # files whose rows are in memory before they are joined


@dataclass(frozen=True)
class Packed:
    """The rows of the packs in a folder, sorted by pack, and where those of each run are."""

    rows: pd.DataFrame
    places: Mapping[str, slice]

    def __contains__(self, key: str) -> bool:
        return key in self.places


def runs_in(folder: Path) -> Path:
    """The folder of the files of runs in a folder of results."""
    return folder / "runs"


def path_of(folder: Path, key: str) -> Path:
    """The file of a run that is not packed."""
    return runs_in(folder) / f"{key}.parquet"


def save_rows(rows: pd.DataFrame, path: Path) -> None:
    """Write rows to a file that is complete or absent."""
    with replacing(path) as temporary:
        write_rows(rows, temporary)


def version_of(path: Path) -> tuple[int, int, int] | None:
    """What tells a file from the one that replaces it; None if there is none."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    return about.st_ino, about.st_mtime_ns, about.st_size


def is_done(path: Path, quiet: bool = False) -> bool:
    """Whether the file of a run holds a result. One that failed has none, nor has one whose file is
    damaged or of another run, which is said on stderr unless `quiet`.
    """
    return _result_in(path, quiet) is not None


def _result_in(path: Path, quiet: bool) -> pd.DataFrame | None:
    """The rows of a run that is done; None if its file holds no result."""
    rows = _rows_in(path, quiet)
    return rows if rows is not None and (rows["status"] == "ok").all() else None


def _rows_in(path: Path, quiet: bool = True) -> pd.DataFrame | None:
    """The rows of a run, which may have failed; None if its file is absent, or damaged, which is
    said on stderr unless `quiet`.
    """
    try:
        rows = read_rows(path)
    except FileNotFoundError:
        return None
    except Exception as error:  # the reader of damaged bytes raises errors of any type
        fault = (str(error).splitlines() or [type(error).__name__])[0]
    else:
        fault = fault_of(rows, path.stem)
        if not fault:
            return rows
    if not quiet:
        print(f"{path} is done again: {fault}", file=sys.stderr)
    return None


def done_in(folder: Path, keys: Iterable[str], packed: Packed) -> set[str]:
    """Those of some runs that have a result, packed or in their own files."""
    own = _own_files(folder)
    return {key for key in keys if key in packed or (key in own and is_done(own[key]))}


def load_packed(folder: Path) -> Packed:
    """The packs of a folder. One whose bytes are not those that its name says is put aside, and
    said on stderr.
    """
    tables = []
    for path in _packs(folder):
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # another process has put it aside
            continue
        if path.stem.endswith(_hash_of(content)):
            tables.append(parquet.read_table(pa.BufferReader(content)))
            continue
        print(f"the runs of {path} are done again: it was damaged", file=sys.stderr)
        with suppress(FileNotFoundError):
            os.replace(path, path.with_suffix(".damaged"))
    if not tables:
        return Packed(pd.DataFrame(), {})
    rows = pa.concat_tables(tables, promote_options="permissive").to_pandas()
    keys = rows["run"].to_numpy(object)
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    ends = [*starts[1:], len(keys)]
    places = {keys[a]: slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)}
    return Packed(rows, places)


def rows_of(folder: Path, keys: Sequence[str]) -> pd.DataFrame:
    """The rows of runs that have some, in the order of the keys.

    Raises FileNotFoundError if a run has none.
    """
    for _ in range(3):  # another process may pack runs between the two looks
        packed = load_packed(folder)
        own = [key for key in keys if key not in packed]
        try:
            blocks = _read_all([path_of(folder, key) for key in own])
            break
        except FileNotFoundError:
            continue
    else:
        blocks = _read_all([path_of(folder, key) for key in own])
    if len(own) < len(keys):
        places = [packed.places[key] for key in keys if key in packed]
        numbers = np.concatenate([np.arange(place.start, place.stop) for place in places])
        blocks.insert(0, packed.rows.iloc[numbers])
    rows = pd.concat(blocks, ignore_index=True)
    place = {key: number for number, key in enumerate(keys)}
    order = np.argsort(rows["run"].map(place).to_numpy(), kind="stable")
    return rows.iloc[order].reset_index(drop=True)


def having_rows(folder: Path, keys: Iterable[str]) -> list[str]:
    """Those of some runs that have undamaged rows, of a result or of a failure."""
    packed, own = load_packed(folder), _own_files(folder)
    return [key for key in keys if key in packed or (key in own and _rows_in(own[key]) is not None)]


def pack(folder: Path) -> None:
    """Pack the runs that are done and in files of their own, if there are PACK of them."""
    if len(_own_files(folder)) < PACK:
        return
    with alone_in(runs_in(folder)):
        before = _keys_in_packs(folder)
        done: dict[Path, pd.DataFrame] = {}
        for key, path in sorted(_own_files(folder).items()):
            if key in before:  # a kill came between the pack and the removal
                path.unlink(missing_ok=True)
            elif (rows := _result_in(path, quiet=True)) is not None:
                done[path] = rows
        if len(done) < PACK:
            return
        save_pack(pd.concat(done.values(), ignore_index=True), folder)
        for path in done:
            path.unlink(missing_ok=True)


def save_pack(rows: pd.DataFrame, folder: Path) -> None:
    """Write the rows of runs without a failure as one pack, whose name has a hash of its bytes."""
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pandas(rows, preserve_index=False), buffer)
    content = buffer.getvalue()
    name = f"pack-{rows['run'].nunique()}-{_hash_of(content)}.parquet"
    with replacing(runs_in(folder) / name) as temporary:
        temporary.write_bytes(content)


def number_done(folder: Path) -> int:
    """The number of runs that have a file or are in a pack; no file is opened."""
    in_packs = sum(int(path.name.split("-")[1]) for path in _packs(folder))
    return in_packs + len(_own_files(folder))


def _hash_of(content: bytes) -> str:
    return blake2b(content, digest_size=10).hexdigest()


def _packs(folder: Path) -> list[Path]:
    return sorted(runs_in(folder).glob("pack-*.parquet"))


def _keys_in_packs(folder: Path) -> set[str]:
    keys: set[str] = set()
    for path in _packs(folder):
        with suppress(Exception):  # the reader of damaged bytes raises errors of any type
            keys |= set(parquet.read_table(path, columns=["run"])["run"].to_pylist())
    return keys


def _own_files(folder: Path) -> dict[str, Path]:
    """The files of single runs, by key."""
    paths = runs_in(folder).glob("*.parquet")
    return {path.stem: path for path in paths if not path.name.startswith(("pack-", "."))}


def _read_all(paths: Sequence[Path]) -> list[pd.DataFrame]:
    """The rows of files, joined block by block: a frame of one row takes 30 KB."""
    blocks = []
    for first in range(0, len(paths), _AT_ONCE):
        frames = [read_rows(path) for path in paths[first : first + _AT_ONCE]]
        blocks.append(pd.concat(frames, ignore_index=True))
    return blocks
