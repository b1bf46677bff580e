"""Copies of a log's columns, with the episodes in their order or in a random one, in memory or in
temporary files.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from dosuite.causal import Array, Columns
from dosuite.causal.model import noise

from .growing_columns import empty_like

ROWS = 2**18  # that are in memory at a time, where the columns are in files


def number_episodes(columns: Mapping[str, Array]) -> Iterator[tuple[slice, Array]]:
    """Slices of rows, and for each of their rows the number of its episode, counted from 0 as they
    come.
    """
    episode, last = columns["episode"], -1
    for start in range(0, len(episode), ROWS):
        rows = slice(start, start + ROWS)
        before = episode[start - 1] if start else episode[0] - 1
        begins = (np.diff(episode[rows], prepend=before) != 0) | (columns["step"][rows] == 0)
        number = last + np.cumsum(begins)
        last = number[-1]
        yield rows, number


def copied(columns: Mapping[str, Array], folder: Path | None) -> Columns:
    """A copy of the columns:

    in memory, or in temporary files in the folder. Raises OSError if there is no room for them.
    """
    copies = {name: empty_like(column, folder) for name, column in columns.items()}
    for name, copy in copies.items():
        copy[...] = columns[name]
    return copies


def shuffled(
    columns: Mapping[str, Array], rng: np.random.Generator, folder: Path | None
) -> Columns:
    """A copy with the episodes in random order, numbered from 0. Memory does not grow with the
    columns, if there is a folder.

    Every episode is dealt to one of several buckets, and then each bucket is shuffled (Rao, 1961;
    Sandelius, 1962)."""
    copies = {name: empty_like(column, folder) for name, column in columns.items()}
    first = 0
    for start, end in pairwise([0, *_deal(columns, copies, rng)]):
        first += _shuffle({name: copy[start:end] for name, copy in copies.items()}, rng, first)
    return copies


def _deal(columns: Mapping[str, Array], into: Columns, rng: np.random.Generator) -> list[int]:
    """Copy the rows into buckets of about ROWS rows, whole episodes at random.

    Returns where each bucket ends.
    """
    count = -(-len(columns["episode"]) // ROWS)
    key = int(rng.integers(2**63)) if count > 1 else 0
    ends = np.cumsum(
        sum(np.bincount(bucket, minlength=count) for _, _, bucket in _buckets(columns, key, count))
    )
    free = np.append(0, ends[:-1])
    for rows, number, bucket in _buckets(columns, key, count):
        order = np.argsort(bucket, kind="stable")
        sizes = np.bincount(bucket, minlength=count)
        place = np.arange(len(order)) + np.repeat(free - np.cumsum(sizes) + sizes, sizes)
        for name, column in columns.items():
            into[name][place] = (number if name == "episode" else column[rows])[order]
        free += sizes
    return [int(end) for end in ends]


def _buckets(
    columns: Mapping[str, Array], key: int, count: int
) -> Iterator[tuple[slice, Array, Array]]:
    for rows, number in number_episodes(columns):
        yield (
            rows,
            number,
            (noise.uniform(noise.units(key, number), "bucket") * count).astype(np.int64),
        )


def _shuffle(columns: Columns, rng: np.random.Generator, first: int) -> int:
    """Shuffle the episodes of a bucket in place, and number them from `first`.

    Returns how many there are.
    """
    old = np.cumsum(np.diff(columns["episode"], prepend=-1) != 0) - 1
    count = int(old[-1]) + 1 if len(old) else 0
    new = rng.permutation(count)[old]
    order = np.argsort(new, kind="stable")
    for column in columns.values():
        column[...] = column[order]
    columns["episode"][...] = first + new[order]
    return count
