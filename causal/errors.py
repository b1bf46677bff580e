"""The errors that a bad request raises; each message is one line."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from traceback import extract_tb

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


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name: the closest known name, or all of them."""
    known = [str(other) for other in known]
    if not known:
        return "there are none, so leave it out"
    close = get_close_matches(str(name), known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"choose from {', '.join(known)}"


def checked_type(value: object, kind: type | tuple[type, ...], wanted: str) -> None:
    """Raise InputError if a value is not an instance of a class; `wanted` says what it must be."""
    if not isinstance(value, kind):
        what = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        raise InputError(f"{wanted}, and got {what}")


def short(value: object) -> str:
    """A value as one line of an error message, cut if it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def raised_at(error: BaseException, callers: int = 1) -> str:
    """Where the code raised an error that was called first, as "; see world.py, line 12, in sold".

    It is the last line of the same file. `callers` of the frames are left out. Empty if the error
    was raised by the call itself."""
    frames = extract_tb(error.__traceback__)[callers:]
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    if not own:
        return ""
    return f"; see {Path(own[-1].filename).name}, line {own[-1].lineno}, in {own[-1].name}"


def no_setting(cls: type, name: str, known: Iterable[str]) -> InputError:
    """The error for a setting that a dataclass does not have: the closest one, or the type that is
    missing where the class gives it a value."""
    default = getattr(cls, name, None)
    has_type = any(name in vars(base).get("__annotations__", {}) for base in cls.__mro__)
    hint = did_you_mean(name, known)
    if isinstance(default, int | float | str | tuple) and not has_type:
        typed = f"{name}: {type(default).__name__} = {default!r}"
        hint = f"write {typed} in the class, with the type, to make it one"
    return InputError(f"{cls.__name__} has no setting {name!r}; {hint}")
