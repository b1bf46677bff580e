"""What can be wrong with a request, said in one line."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Bad input.

    Its message is one line that names what to change; the command line prints it and exits with 2.
    """


class TooLargeError(InputError):
    """An exact answer would need a table that is too large; the message says how large."""


class NotDiscreteError(InputError):
    """An exact answer needs finitely many values, and a variable is continuous."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The tail of an error message: the closest of the known names, or all of them."""
    known = list(known)
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(known) or '(none)'}"
