"""The latents of a log, in a file beside it that loading the log never opens."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from shutil import copyfile
from typing import Any

from dosuite.causal import Array, Columns, InputError

from . import arrow_file as arrow
from .growing_columns import fingerprint


def latents_path(path: str | Path) -> Path:
    """The file with the latents of the log at `path`. Raises InputError if that has no name."""
    path = Path(path)
    if not path.name:
        raise InputError(f"a log is an Arrow file, and {str(path)!r} is none; name it NAME.arrow")
    return path.with_suffix(".latents" + path.suffix)


def load_latents(path: str | Path) -> Columns:
    """The latents of the log at `path`, row by row: for reference policies and tests.

    Raises InputError if there are none, if they are those of another log, or if they were changed.
    """
    path = Path(path)
    source = _latents_file(path)
    if source is None:
        arrow.read(latents_path(path))  # raises if it is missing or damaged
        raise InputError(f"{latents_path(path)} has the latents of another log than {path}")
    columns, about = arrow.read(source)
    if about.get("seal") != seal_of(columns, about):
        raise InputError(f"{source} was changed after it was written: its seal is not its own")
    return columns


def _latents_file(path: Path) -> Path | None:
    """The file that names the log at `path` as that of its latents; None if there is none.

    A process that died as it replaced a log has left the old log's latents under a second name.
    """
    content_hash = arrow.read(path)[1].get("hash")
    for source in (latents_path(path), _old_latents_path(path)):
        with suppress(InputError):
            if arrow.read(source)[1].get("log") == content_hash:
                return source
    return None


@contextmanager
def keeping_latents(path: Path) -> Iterator[None]:
    """Keep the latents of the log at `path` under a second name while both files are replaced.

    If the process dies between the two moves, the old log still has its latents.
    """
    old = _old_latents_path(path)
    with suppress(InputError), arrow.writing(path):
        if _latents_file(path) == latents_path(path):
            old.unlink(missing_ok=True)
            _link(latents_path(path), old)
    try:
        yield
    finally:
        if old.exists() and _latents_file(path) != old:
            old.unlink()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        copyfile(source, target)


def _old_latents_path(path: Path) -> Path:
    """The second name of the latents of the log at `path`, while it is replaced."""
    return path.with_suffix(".latents.before" + path.suffix)


def seal_of(columns: Mapping[str, Array], about: Mapping[str, Any]) -> str:
    """A hash of columns and of a description, except for the description's own seal."""
    described = {name: about[name] for name in about if name not in ("seal", arrow.TRUTHS)}
    fingerprints = [
        (name, column.dtype.str, column.shape, fingerprint(column))
        for name, column in sorted(columns.items())
    ]
    text = json.dumps([described, fingerprints], sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=16).hexdigest()
