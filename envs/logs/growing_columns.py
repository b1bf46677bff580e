"""Columns in temporary files, for data that may be larger than memory.

The files have no names, and vanish with the arrays that are mapped from them.
"""

import mmap
import os
from collections.abc import Mapping
from contextlib import ExitStack
from hashlib import blake2b
from math import prod
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Self

import numpy as np

from dosuite.causal import Array, Columns


def fingerprint(column: Array) -> str:
    """A hash of the bytes of a column."""
    return _digest(_bytes_of(column)).hexdigest()


def empty_like(column: Array, folder: Path | None) -> Array:
    """An uninitialised array of the same shape and type.

    It is in memory if `folder` is None, and otherwise mapped from a temporary file there. Raises
    OSError if there is no room for the file.
    """
    if folder is None:
        return np.empty(column.shape, column.dtype)
    with TemporaryFile(dir=folder) as file:
        # Writing to a mapped page for which the disk has no room would kill the process.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, column.nbytes)
        file.truncate(column.nbytes)
        memory = mmap.mmap(file.fileno(), column.nbytes)
    return np.ndarray(column.shape, column.dtype, buffer=memory)


class Spool:
    """Columns that grow: rows are appended to temporary files, and hashed as they are written.

    Used as a context manager; the columns may be read after it has closed.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._open = ExitStack()
        self._files: dict[str, _Growing] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def append(self, rows: Mapping[str, Array]) -> None:
        """Append rows to every column. Raises OSError if there is no room for them."""
        for name, column in rows.items():
            if name not in self._files:
                file = self._open.enter_context(TemporaryFile(dir=self._folder))  # noqa: SIM115, it is closed with the spool
                self._files[name] = _Growing(file, column)
            self._files[name].append(column)

    def columns(self) -> Columns:
        """All rows so far, as read-only arrays."""
        return {name: file.column() for name, file in self._files.items()}

    def fingerprints(self) -> dict[str, str]:
        """The `fingerprint` of each column."""
        return {name: file.digest.hexdigest() for name, file in self._files.items()}


class _Growing:
    """One column of a `Spool`."""

    def __init__(self, file: Any, first: Array):
        self.file = file
        self.digest = _digest(b"")
        self.dtype = first.dtype
        self.width = first.shape[1:]
        self.rows = 0

    def append(self, column: Array) -> None:
        data = _bytes_of(column)
        self.file.write(data)
        self.digest.update(data)
        self.rows += len(column)

    def column(self) -> Array:
        self.file.flush()
        size = self.rows * prod(self.width) * self.dtype.itemsize
        memory = mmap.mmap(self.file.fileno(), size, access=mmap.ACCESS_READ)
        return np.ndarray((self.rows, *self.width), self.dtype, buffer=memory)


def _bytes_of(column: Array) -> memoryview:
    return np.ascontiguousarray(column).view(np.uint8).data


def _digest(data: memoryview | bytes) -> blake2b:
    return blake2b(data, digest_size=16)
