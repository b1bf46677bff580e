"""The errors that a bad request raises; each message is one line."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 60  # characters of a value in a message


class InputError(ValueError):
    """A bad input. The message names what to change.

    The command line prints it and exits with status 2."""

    def __init__(self, message: str = ""):
        # what a user wrote, and a message repeats, may have line breaks
        super().__init__(" ".join(str(message).splitlines()))


class TooLargeError(InputError):
    """The exact answer needs a table that is too large; the message says how large."""


class NotDiscreteError(InputError):
    """The exact answer needs finitely many values, and a variable is continuous."""


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """The end of an error message about an unknown name: the closest known name, or all of them."""
    names = [str(one) for one in known]
    if not names:
        return "there are none, so leave it out"
    close = get_close_matches(str(name), names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"choose from {', '.join(names)}"


def short(value: object) -> str:
    """A value as one line of an error message, cut if it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
