"""Which files may run code when they are opened: none, unless the user says that they are trusted.

Python files, zips of Stable-Baselines3 and statistics of VecNormalize (both unpickled), and
TorchScript (whose operators write files) can do whatever the user can. Logs, ONNX files and
policies of `save_policy` cannot, and need no trust.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dosuite.causal import InputError

_trust = {"files": False}  # of this process


def is_trusting() -> bool:
    """Whether files that run code may be opened in this process now."""
    return _trust["files"]


def set_trust(trust: bool) -> None:
    """Allow files that run code in this process, or refuse them."""
    _trust["files"] = trust


@contextmanager
def trusting(trust: bool = True) -> Iterator[None]:
    """Allow files that run code within the block if `trust`; else leave it as it is."""
    before = is_trusting()
    set_trust(before or trust)
    try:
        yield
    finally:
        set_trust(before)


PYTHON = "is a Python file, which is run to read it"
ZIP = "is a zip that is unpickled, which runs the code in it"
TORCHSCRIPT = "is TorchScript, whose operators can write files"


def check_trusted(file: str | Path, how: str) -> None:
    """Raise InputError if a file would run code and may not; `how` says how it does."""
    if not is_trusting():
        raise InputError(
            f"{file} {how}, and can do all that you can on this computer; if you know who wrote "
            "it, add --trust (in Python, trust=True)"
        )
