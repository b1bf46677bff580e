"""Files that are complete or absent: written under a temporary name, then renamed.

A process that is killed while it writes leaves temporary files. Their names say which process they
are of, and the next process that writes in the folder removes those of dead ones.
"""

import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import blake2b
from itertools import count
from pathlib import Path
from shutil import rmtree

_TEMPORARY = re.compile(r"\.dosuite-(\w+)-(\d+)-(\d+)-\d+\.")

_numbers = count()  # of the temporary files of this process
_cleaned: set[tuple[int, Path]] = set()  # processes and the folders that they have cleaned


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to; it replaces `path` when the block ends.

    If the block raises, the temporary file is removed and `path` is left as it was. The folder is
    made if it is missing. The temporary name keeps the suffix and names the process, so that two
    processes that write the same file do not disturb each other. An OSError names `path`.
    """
    with replacing_all(path) as temporaries:
        yield temporaries[path]


@contextmanager
def replacing_all(*paths: Path) -> Iterator[Mapping[Path, Path]]:
    """Yield a temporary path for each path; all are replaced when the block ends, or none.

    The first path is replaced last, so that a reader who finds it finds the others too.
    """
    with naming(paths[0]):
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            clean_once(path.parent)
    temporaries = {path: temporary_beside(path) for path in paths}
    try:
        with naming(paths[0]):
            yield temporaries
            _replace(temporaries)
    finally:
        for temporary in temporaries.values():
            with suppress(OSError):  # the folder may have vanished
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


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an OSError of the block name `path`, where it names no file or a temporary one."""
    try:
        yield
    except OSError as error:
        name = error.filename
        if name is not None and not _TEMPORARY.match(Path(os.fsdecode(name)).name):
            raise
        raise OSError(error.errno, reason_of(error), str(path)) from error


def reason_of(error: OSError) -> str:
    """Why a file could not be read or written; libraries' own words give way to the system's."""
    return os.strerror(error.errno) if error.errno else str(error)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process is in such a block with the folder.

    Without effect where folders cannot be locked (Windows, some network file systems).
    """
    lock = _lock_of(folder)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _lock_of(folder: Path) -> int | None:
    """The descriptor of a folder that is locked until it is closed; None if it cannot be."""
    try:
        import fcntl
    except ImportError:
        return None
    with suppress(OSError):
        lock = os.open(folder, os.O_RDONLY)
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        return lock
    return None


def temporary_beside(path: Path) -> Path:
    """A new hidden name in the folder of `path`, which names this process."""
    mark = f"{_host()}-{os.getpid()}-{_start_of(os.getpid())}-{next(_numbers)}"
    return path.with_name(f".dosuite-{mark}.{path.name}")


def clean_once(folder: Path) -> None:
    """`clean` the folder, if this process has not yet."""
    if (os.getpid(), folder) not in _cleaned:
        clean(folder)
        _cleaned.add((os.getpid(), folder))


def clean(folder: Path) -> None:
    """Remove the temporary files and folders that dead processes of this machine have left."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            mark = _TEMPORARY.match(entry.name)
            if mark and not _may_live(*mark.groups()):
                _remove(Path(entry.path))


def _remove(path: Path) -> None:
    """Remove a file or folder, unless another process has been faster or forbids it."""
    if path.is_dir() and not path.is_symlink():
        rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _may_live(host: str, pid: str, start: str) -> bool:
    """Whether a process may be alive: on another machine it always may."""
    if host != _host():
        return True
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's
        return True
    return _start_of(int(pid)) == int(start)


def _start_of(pid: int) -> int:
    """When a process began, which tells it from a later one with its number; 0 where unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[19])


@cache
def _host() -> str:
    return blake2b(socket.gethostname().encode(), digest_size=4).hexdigest()
