"""Columns in one Arrow file that describes itself, can be memory-mapped, and is either whole or not
there.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dosuite.causal import Array, Columns, InputError

_KEY = b"dosuite"
# which are stored as bytes, for Arrow packs bits, and these cannot be mapped
_TRUTHS = "columns of truth values"


@contextmanager
def writing(*paths: Path) -> Iterator[None]:
    """Make the folders of files that are going to be written.

    Raises InputError if a file, or what is done meanwhile, cannot be.
    """
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise OSError(f"{path} is a folder")
        yield
    except OSError as error:
        raise InputError(f"{paths[0]} cannot be written: {error.strerror or error}") from None


def write(files: Mapping[Path, tuple[Mapping[str, Array], Mapping[str, Any]]]) -> None:
    """Write each file's columns, (n,) or (n, k), and its JSON description. Raises InputError if it
    cannot; then all is as before.

    Columns that are mapped from files are not read into memory.
    """
    temporaries = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in files}
    with writing(*files):
        try:
            for path, (columns, about) in files.items():
                _write(temporaries[path], columns, about)
            _move(temporaries)
        finally:
            for temporary in temporaries.values():
                with suppress(OSError):  # it was moved, or could not be made
                    temporary.unlink()


def _write(path: Path, columns: Mapping[str, Array], about: Mapping[str, Any]) -> None:
    table = pa.table({name: _to_arrow(column) for name, column in columns.items()})
    truths = [name for name, column in columns.items() if column.dtype == bool]
    table = table.replace_schema_metadata({_KEY: json.dumps({**about, _TRUTHS: truths}).encode()})
    long = pa.ipc.IpcWriteOptions(allow_64bit=True)  # more than 2**31 rows
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, table.schema, options=long) as writer,
    ):
        writer.write_table(table)


def _move(temporaries: Mapping[Path, Path]) -> None:
    """Move the files to their places, the first one last;

    if one cannot be moved, all is as before.
    """
    first, *others = temporaries
    before = {
        path: temporaries[path].with_name(f"{temporaries[path].name}.before") for path in others
    }
    try:
        for path in others:
            if path.exists():
                os.replace(path, before[path])
            os.replace(temporaries[path], path)
        os.replace(temporaries[first], first)
    finally:
        failed = temporaries[first].exists()
        for path in others:
            if failed and not temporaries[path].exists():
                path.unlink()
            if failed and before[path].exists():
                os.replace(before[path], path)
            before[path].unlink(missing_ok=True)


def read(path: Path) -> tuple[Columns, dict[str, Any]]:
    """Memory-map the columns, and read their description.

    Raises InputError if the file is not a whole one of ours.
    """
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        table.validate()
        about: dict[str, Any] = json.loads((table.schema.metadata or {})[_KEY])
        columns = {name: _to_numpy(table[name]) for name in table.column_names}
        return {
            name: column.view(bool) if name in about[_TRUTHS] else column
            for name, column in columns.items()
        }, about
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except Exception:  # a damaged file can raise anything
        raise InputError(
            f"{path} is not a log, or not a whole one: write it again with `dosuite data`"
        ) from None


def _to_arrow(column: Array) -> Any:
    column = column.view(np.uint8) if column.dtype == bool else column
    flat = pa.array(np.ascontiguousarray(column).ravel())
    if column.ndim == 1:
        return pa.chunked_array([flat])
    return pa.chunked_array([pa.FixedSizeListArray.from_arrays(flat, column.shape[1])])


def _to_numpy(chunks: Any) -> Array:
    column = chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks()
    if isinstance(column, pa.FixedSizeListArray):
        return np.asarray(column.flatten().to_numpy(zero_copy_only=True).reshape(len(column), -1))
    return np.asarray(column.to_numpy(zero_copy_only=True))
