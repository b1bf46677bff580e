"""Columns in one Arrow file that describes itself, can be memory-mapped, and is either whole or not there."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from confoundry.causal import Array, Columns, InputError

_KEY = b"confoundry"


def write(path: Path, columns: Mapping[str, Array], about: Mapping[str, Any]) -> None:
    """Write columns (n,) or (n, k) and a JSON description, under a temporary name first. Raises InputError if it cannot."""
    arrays = [_to_arrow(column) for column in columns.values()]
    table = pa.table(dict(zip(columns, arrays, strict=True))).replace_schema_metadata({_KEY: json.dumps(dict(about)).encode()})
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):  # it was moved, or could not be made
            temporary.unlink()


def read(path: Path) -> tuple[Columns, dict[str, Any]]:
    """Memory-map the columns, and read their description. Raises InputError if the file is not a whole one of ours."""
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        table.validate()
        about: dict[str, Any] = json.loads((table.schema.metadata or {})[_KEY])
        return {name: _to_numpy(table[name]) for name in table.column_names}, about
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except Exception:  # a damaged file can raise anything
        raise InputError(f"{path} is not a log, or not a whole one: write it again with `confoundry data`") from None


def _to_arrow(column: Array) -> Any:
    column = column.view(np.uint8) if column.dtype == bool else column  # Arrow packs bits, which cannot be mapped
    flat = pa.array(np.ascontiguousarray(column).ravel())
    if column.ndim == 1:
        return pa.chunked_array([flat])
    return pa.chunked_array([pa.FixedSizeListArray.from_arrays(flat, column.shape[1])])


def _to_numpy(chunks: Any) -> Array:
    column = chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks()
    if isinstance(column, pa.FixedSizeListArray):
        return np.asarray(column.flatten().to_numpy(zero_copy_only=True).reshape(len(column), -1))
    values: Array = column.to_numpy(zero_copy_only=True)
    return values.view(bool) if values.dtype == np.uint8 else values
