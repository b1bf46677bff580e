"""The file of a submission: a zip of a manifest, rows and policies, which is read with care."""

import io
import re
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import pandas as pd

from dosuite.agents.archives import checked_members
from dosuite.causal import InputError
from dosuite.envs.files import replacing

from ..runs.scored_rows import read_rows, wrong_columns
from .manifest import KEY, Manifest, read_manifest

MANIFEST, ROWS = "manifest.json", "results.parquet"
MOST_MEMBERS = 100_000
MOST_ROWS = 1_000_000
_POLICY = re.compile(rf"policies/{KEY.pattern}\.pt")
_DATE = (1980, 1, 1, 0, 0, 0)  # of every member, so that equal contents make equal files
_ZIP = b"PK\x03\x04"  # begins a saved policy, and no pickle


def pack(contents: Mapping[str, bytes], path: Path) -> None:
    """Write the members of a submission to a zip. Equal contents give equal bytes."""
    with replacing(path) as temporary, ZipFile(temporary, "w", ZIP_STORED) as archive:
        for name in sorted(contents):
            archive.writestr(ZipInfo(name, _DATE), contents[name])


def unpack(path: Path, folder: Path) -> tuple[Manifest, pd.DataFrame]:
    """Write the policies of a submission to a folder; return its manifest and its rows.

    Nothing in the file is run. Raises InputError if the file is missing, too large (see
    `archives`), damaged, or has a member that no submission has.
    """
    _check_names(path)
    contents: dict[str, bytes] = {}
    with ZipFile(path) as archive:
        for name in archive.namelist():
            try:
                content = archive.read(name)
            except (BadZipFile, OSError, EOFError, RuntimeError, zlib.error) as error:
                raise InputError(f"{path} is damaged: {name} cannot be read") from error
            if _POLICY.fullmatch(name):
                _write_policy(path, folder / name, content)
            else:
                contents[name] = content
    try:
        return read_manifest(contents[MANIFEST]), _rows(contents[ROWS])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _check_names(path: Path) -> None:
    """Raise InputError unless the members are those of a submission."""
    if not path.is_file():
        raise InputError(f"there is no file {path}; `dosuite submission` makes one")
    names = checked_members(path, "a submission", MOST_MEMBERS)
    # the directory that is found in a file cut short may be that of a policy in it, a zip itself
    if not {MANIFEST, ROWS}.intersection(names):
        raise InputError(f"{path} is no submission, or it is cut short")
    for name in names:
        if _leaves(name):
            raise InputError(f"{path} has a member that leaves its folder: {name!r}")
        if name not in (MANIFEST, ROWS) and not _POLICY.fullmatch(name):
            raise InputError(
                f"{path} has a member {name!r}, and a submission has only {MANIFEST}, {ROWS} and "
                "policies/KEY.pt"
            )
    if len(set(names)) < len(names):
        raise InputError(f"{path} has two members of one name")
    for name in (MANIFEST, ROWS):
        if name not in names:
            raise InputError(f"{path} has no member {name}")


def _leaves(name: str) -> bool:
    """Whether the name of a member is a path out of the folder it is unpacked to."""
    windows = PureWindowsPath(name)
    return name.startswith("/") or bool(windows.anchor) or ".." in windows.parts


def _write_policy(path: Path, file: Path, content: bytes) -> None:
    if not content.startswith(_ZIP):
        name = PurePosixPath(file).name
        raise InputError(f"{path}: policies/{name} is a pickle or another file, and no policy")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _rows(content: bytes) -> pd.DataFrame:
    """The rows in the bytes of a Parquet file. Raises InputError if it is no table of results."""
    from pyarrow.parquet import read_metadata

    try:
        count = read_metadata(io.BytesIO(content)).num_rows
        if count > MOST_ROWS:
            raise InputError(f"its {count:,} rows are more than {MOST_ROWS:,}")
        rows = read_rows(io.BytesIO(content))
    except InputError:
        raise
    except Exception as error:  # the reader of damaged bytes raises errors of any type
        raise InputError(f"its {ROWS} is no table of results") from error
    if fault := wrong_columns(rows):
        raise InputError(f"its {ROWS} is no table of results: {fault}")
    return rows
