"""Sizes of files that others wrote, checked before their contents take memory."""

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from dosuite.causal import InputError

MOST_BYTES = 2**31  # of a file, and of all members of a zip when unpacked: 2 GiB
MOST_MEMBERS = 10_000
MOST_RATIO = 100  # of the unpacked bytes to those of the file; networks pack by less than 2


def check_size(path: str | Path, kind: str = "a policy's file") -> None:
    """Raise InputError if a file is larger than MOST_BYTES."""
    size = Path(path).stat().st_size
    if size > MOST_BYTES:
        raise InputError(f"{path} has {size:,} bytes, and {kind} at most {MOST_BYTES:,}")


def checked_members(
    path: str | Path, kind: str = "a policy's file", most: int | None = None
) -> list[str]:
    """The names of the members of a zip, from its directory alone; [] if it is none.

    Raises InputError if it has more than `most`, 10,000 by default, or if they unpack to more than
    MOST_BYTES, or to more than MOST_RATIO times the size of the file. `kind` names the file in the
    message.
    """
    check_size(path, kind)
    most = MOST_MEMBERS if most is None else most
    try:
        with ZipFile(path) as archive:
            members = archive.infolist()
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return []
    if len(members) > most:
        raise InputError(f"{path} has {len(members):,} members, and {kind} at most {most:,}")
    unpacked = sum(member.file_size for member in members)
    allowed = min(MOST_BYTES, MOST_RATIO * Path(path).stat().st_size)
    if unpacked > allowed:
        raise InputError(
            f"{path} unpacks to {unpacked:,} bytes, and {kind} of its size to at most {allowed:,}"
        )
    return [member.filename for member in members]


def is_torchscript(path: str | Path) -> bool:
    """Whether a file is a module of TorchScript, which holds code, and not one of tensors."""
    return any("/code/" in name for name in checked_members(path))
