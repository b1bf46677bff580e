"""Copies of a log's columns, with the episodes in order or shuffled, in memory or in files."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from dosuite.causal import Array, Columns
from dosuite.causal.model import noise

from .growing_columns import empty_like

ROWS = 2**18  # that are in memory at a time, where the columns are in files


def number_episodes(columns: Mapping[str, Array]) -> Iterator[tuple[slice, Array]]:
    """Slices of rows, and for each of their rows the number of its episode, counted from 0."""
    episode, last = columns["episode"], -1
    for start in range(0, len(episode), ROWS):
        rows = slice(start, start + ROWS)
        before = episode[start - 1] if start else episode[0] - 1
        is_other = np.diff(episode[rows], prepend=before) != 0
        is_first_step = columns["step"][rows] == 0
        number = last + np.cumsum(is_other | is_first_step)
        last = number[-1]
        yield rows, number


def copied(columns: Mapping[str, Array], folder: Path | None) -> Columns:
    """A copy of the columns, in memory or in temporary files in the folder.

    Raises OSError if there is no room for the files.
    """
    copies = {name: empty_like(column, folder) for name, column in columns.items()}
    for name, copy in copies.items():
        copy[...] = columns[name]
    return copies


def shuffled(
    columns: Mapping[str, Array], rng: np.random.Generator, folder: Path | None
) -> Columns:
    """A copy with the episodes in uniformly random order, numbered from 0.

    With a folder, the memory needed does not grow with the columns: every episode is dealt to a
    random bucket, and then each bucket is shuffled in memory. Raises OSError if there is no room
    for the files.

    Source: Rao (1961) and Sandelius (1962).
    """
    copies = {name: empty_like(column, folder) for name, column in columns.items()}
    first = 0
    ends = _deal(columns, copies, rng)
    for start, end in pairwise([0, *ends]):
        bucket = {name: copy[start:end] for name, copy in copies.items()}
        first += _shuffle(bucket, rng, first)
    return copies


def _deal(columns: Mapping[str, Array], into: Columns, rng: np.random.Generator) -> list[int]:
    """Copy the rows into buckets of about ROWS rows, each episode to one at random.

    Returns the row at which each bucket ends.
    """
    buckets = -(-len(columns["episode"]) // ROWS)
    key = int(rng.integers(2**63)) if buckets > 1 else 0

    # First pass: count the rows of each bucket, which says where each begins and ends.
    sizes = np.zeros(buckets, dtype=np.int64)
    for _, _, bucket in _dealt(columns, key, buckets):
        sizes += np.bincount(bucket, minlength=buckets)
    ends = np.cumsum(sizes)

    # Second pass: append the rows of each bucket at its first free place, in their old order.
    free = np.append(0, ends[:-1])
    for rows, number, bucket in _dealt(columns, key, buckets):
        order = np.argsort(bucket, kind="stable")
        size = np.bincount(bucket, minlength=buckets)
        # In bucket order, row i goes to (free place of its bucket) + (i - first row of the bucket).
        first_row = np.cumsum(size) - size
        place = np.arange(len(order)) + np.repeat(free - first_row, size)
        for name, column in columns.items():
            values = number if name == "episode" else column[rows]
            into[name][place] = values[order]
        free += size
    return [int(end) for end in ends]


def _dealt(
    columns: Mapping[str, Array], key: int, buckets: int
) -> Iterator[tuple[slice, Array, Array]]:
    """Slices of rows; for each of their rows the number of its episode, and its bucket.

    The bucket is a function of key and episode: an episode that spans slices stays in one bucket.
    """
    for rows, number in number_episodes(columns):
        uniform = noise.uniform(noise.units(key, number), "bucket")
        yield rows, number, (uniform * buckets).astype(np.int64)


def _shuffle(columns: Columns, rng: np.random.Generator, first: int) -> int:
    """Shuffle the episodes of a bucket in place, and number them from `first`.

    Returns the number of episodes.
    """
    # Number the episodes of the bucket, draw their new order, and sort the rows by it.
    is_other = np.diff(columns["episode"], prepend=-1) != 0
    old = np.cumsum(is_other) - 1
    episodes = int(old[-1]) + 1 if len(old) else 0
    new = rng.permutation(episodes)[old]
    order = np.argsort(new, kind="stable")
    for column in columns.values():
        column[...] = column[order]
    columns["episode"][...] = first + new[order]
    return episodes
