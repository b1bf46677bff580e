"""What is kept of a run that failed: a one-line note in its row, and a file with the traceback."""

import re
from traceback import format_exception

from dosuite.causal import InputError

_FILE = re.compile(r" \[traceback: runs/\w+\.traceback\.txt\]$")


def note_of(error: BaseException) -> str:
    """One line for the row: the message of a refusal (InputError), or the error with its type."""
    if isinstance(error, InputError):
        return str(error)
    return f"{type(error).__name__}: {error}".splitlines()[0]


def traceback_of(error: BaseException) -> str:
    """The whole traceback with its causes; "" for a refusal, whose message says what to change."""
    return "" if isinstance(error, InputError) else "".join(format_exception(error))


def traceback_name(key: str) -> str:
    """The file with the traceback of a run, in the folder of the results."""
    return f"runs/{key}.traceback.txt"


def with_file(note: str, key: str) -> str:
    """A note that names the file with the traceback of its run."""
    return f"{note} [traceback: {traceback_name(key)}]"


def without_file(note: str) -> str:
    """A note without the name of the file, so that runs that failed alike have equal notes."""
    return _FILE.sub("", note)
