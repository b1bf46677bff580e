"""What is kept of a run that failed: a one-line note in its row, and a file with the traceback."""

import re
from traceback import format_exception

from dosuite.causal import InputError

_FILE = re.compile(r" \[traceback: runs/\w+\.traceback\.txt\]$")


def traceback_name(key: str) -> str:
    """The name of the file, in the folder `runs` of the results, with the traceback of a run."""
    return f"{key}.traceback.txt"


def note_of(error: Exception, key: str) -> str:
    """One line for the report: the message of a refusal, or an error and its traceback file.

    A refusal (InputError) says in its message what to change, and has no traceback.
    """
    if isinstance(error, InputError):
        return str(error)
    first_line = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"{first_line} [traceback: runs/{traceback_name(key)}]"


def traceback_of(error: Exception) -> str:
    """The whole traceback with its causes; "" for a refusal."""
    return "" if isinstance(error, InputError) else "".join(format_exception(error))


def without_file(note: str) -> str:
    """A note without the name of the file, so that runs that failed alike have equal notes."""
    return _FILE.sub("", note)
