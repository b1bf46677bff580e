"""Files that are complete or absent: written under a temporary name, then renamed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to; it replaces `path` when the block ends.

    If the block raises, the temporary file is removed and `path` is left as it was. The folder is
    made if it is missing. The temporary name keeps the suffix and holds the process id, so that two
    processes that write the same file do not disturb each other.
    """
    with replacing_all(path) as temporaries:
        yield temporaries[path]


@contextmanager
def replacing_all(*paths: Path) -> Iterator[Mapping[Path, Path]]:
    """Yield a temporary path for each path; all are replaced when the block ends, or none.

    The first path is replaced last, so that a reader who finds it finds the others too.
    """
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    temporaries = {path: path.with_name(f".{os.getpid()}.{path.name}") for path in paths}
    try:
        yield temporaries
        _replace(temporaries)
    finally:
        for temporary in temporaries.values():
            temporary.unlink(missing_ok=True)


def _replace(temporaries: Mapping[Path, Path]) -> None:
    """Rename the temporary files, the first one last; if one fails, restore the others."""
    first, *others = temporaries
    backups: dict[Path, Path] = {}
    replaced: list[Path] = []
    try:
        for path in others:
            if path.exists():
                backup = path.with_name(f"{temporaries[path].name}.before")
                os.replace(path, backup)
                backups[path] = backup
            os.replace(temporaries[path], path)
            replaced.append(path)
        os.replace(temporaries[first], first)
    except BaseException:
        for path in replaced:
            path.unlink()
        for path, backup in backups.items():
            os.replace(backup, path)
        raise
    for backup in backups.values():
        backup.unlink()
