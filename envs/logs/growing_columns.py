"""Columns in temporary files, for what may be larger than memory.

The files have no names, and vanish with the arrays.
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
    return _digest(np.ascontiguousarray(column).view(np.uint8).data).hexdigest()


def empty_like(column: Array, folder: Path | None) -> Array:
    """An array to be written:

    in memory, or in a temporary file in the folder. Raises OSError if there is no room for it.
    """
    if folder is None:
        return np.empty(column.shape, column.dtype)
    with TemporaryFile(dir=folder) as file:
        if hasattr(
            os, "posix_fallocate"
        ):  # or writing where no room is left would kill the process
            os.posix_fallocate(file.fileno(), 0, column.nbytes)
        file.truncate(column.nbytes)
        return np.ndarray(
            column.shape, column.dtype, buffer=mmap.mmap(file.fileno(), column.nbytes)
        )


class Spool:
    """Columns that grow: chunks of rows are appended to temporary files in a folder, and hashed as
    they are written.

    Used as a context; the columns outlive it.
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
        """Write some more rows of every column. Raises OSError if there is no room for them."""
        for name, column in rows.items():
            if name not in self._files:
                file = self._open.enter_context(TemporaryFile(dir=self._folder))  # noqa: SIM115, it is closed with the spool
                self._files[name] = _Growing(file, column)
            self._files[name].append(column)

    def columns(self) -> Columns:
        """All rows, to be read only."""
        return {name: file.column() for name, file in self._files.items()}

    def fingerprints(self) -> dict[str, str]:
        """The hash of each column."""
        return {name: file.digest.hexdigest() for name, file in self._files.items()}


class _Growing:
    def __init__(self, file: Any, first: Array):
        self.file, self.digest = file, _digest(b"")
        self.dtype, self.width, self.rows = first.dtype, first.shape[1:], 0

    def append(self, column: Array) -> None:
        data = np.ascontiguousarray(column).view(np.uint8).data
        self.file.write(data)
        self.digest.update(data)
        self.rows += len(column)

    def column(self) -> Array:
        self.file.flush()
        size = self.rows * prod(self.width) * self.dtype.itemsize
        return np.ndarray(
            (self.rows, *self.width),
            self.dtype,
            buffer=mmap.mmap(self.file.fileno(), size, access=mmap.ACCESS_READ),
        )


def _digest(data: Any) -> blake2b:
    return blake2b(data, digest_size=16)
