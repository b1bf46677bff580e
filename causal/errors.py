"""The errors that a bad request raises; each message is one line."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """A bad input. The message names what to change.

    The command line prints it and exits with status 2."""


class TooLargeError(InputError):
    """The exact answer needs a table that is too large; the message says how large."""


class NotDiscreteError(InputError):
    """The exact answer needs finitely many values, and a variable is continuous."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name: the closest known name, or all of them."""
    known = list(known)
    if not known:
        return "there are none, so leave it out"
    close = get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"choose from {', '.join(known)}"
