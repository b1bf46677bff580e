"""Columns in an Arrow file that describes itself and can be memory-mapped.

A column of arrays, such as images, is written as a column of flat lists.

pyarrow is imported at the first use, since it is slow to import.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from dosuite.causal import Array, Columns, InputError

from ..files import clean_once, replacing_all

Description = Mapping[str, Any]  # what can be written as JSON

_KEY = b"dosuite"
OTHER_FORMATS = frozenset(
    [
        ".csv",
        ".tsv",
        ".txt",
        ".json",
        ".jsonl",
        ".parquet",
        ".feather",
        ".pkl",
        ".npy",
        ".npz",
        ".h5",
        ".hdf5",
        ".xlsx",
        ".zip",
        ".gz",
    ]
)
# Booleans are stored as bytes: Arrow would pack them into bits, and those cannot be mapped.
TRUTHS = "columns of truth values"


@contextmanager
def writing(*paths: Path) -> Iterator[None]:
    """Check that files can be written and make their folders, before anything is computed.

    Raises InputError if a path is a folder, or named as a file of another format, and in
    place of any OSError that the block raises.
    """
    for path in paths:
        if path.suffix.lower() in OTHER_FORMATS:
            raise InputError(
                f"a log is an Arrow file, and {str(path)!r} is none; name it NAME.arrow"
            )
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            clean_once(path.parent)
            if path.is_dir():
                raise OSError(f"{path} is a folder")
        yield
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{paths[0]} cannot be written: {reason}") from error


def write(files: Mapping[Path, tuple[Mapping[str, Array], Description]]) -> None:
    """Write the columns, (n,) or (n, k), and the description of each file.

    Columns that are mapped from files are not read into memory. Raises InputError if a file cannot
    be written; then all files are as before.
    """
    with writing(*files), replacing_all(*files) as temporaries:
        for path, (columns, about) in files.items():
            _write(temporaries[path], columns, about)


def read(path: Path) -> tuple[Columns, dict[str, Any]]:
    """Memory-map the columns of a file, and read its description.

    Raises InputError if the file does not exist, or is not a complete file of this kind.
    """
    import pyarrow as pa

    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        table.validate()
        about: dict[str, Any] = json.loads(table.schema.metadata[_KEY])
        columns = {name: _to_numpy(table[name]) for name in table.column_names}
        for name in set(columns) & set(about[TRUTHS]):
            columns[name] = columns[name].view(bool)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except (OSError, ValueError, TypeError, LookupError, pa.ArrowException) as error:
        raise InputError(
            f"{path} is not a log, or not a whole one: write it again with `dosuite data`"
        ) from error
    return columns, about


def _write(path: Path, columns: Mapping[str, Array], about: Description) -> None:
    import pyarrow as pa

    table = pa.table({name: _to_arrow(column) for name, column in columns.items()})
    truths = [name for name, column in columns.items() if column.dtype == bool]
    table = table.replace_schema_metadata({_KEY: json.dumps({**about, TRUTHS: truths}).encode()})
    long = pa.ipc.IpcWriteOptions(allow_64bit=True)  # for more than 2**31 rows
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, table.schema, options=long) as writer,
    ):
        writer.write_table(table)


def _to_arrow(column: Array) -> Any:
    import pyarrow as pa

    numbers = column.view(np.uint8) if column.dtype == bool else column
    flat = pa.array(np.ascontiguousarray(numbers).ravel())
    if column.ndim == 1:
        return pa.chunked_array([flat])
    return pa.chunked_array([pa.FixedSizeListArray.from_arrays(flat, prod(column.shape[1:]))])


def _to_numpy(chunks: Any) -> Array:
    import pyarrow as pa

    column = chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks()
    if isinstance(column, pa.FixedSizeListArray):
        flat = column.flatten().to_numpy(zero_copy_only=True)
        return np.asarray(flat.reshape(len(column), -1))
    return np.asarray(column.to_numpy(zero_copy_only=True))
