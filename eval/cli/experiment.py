"""A whole experiment in one TOML file, which is read as the options that it stands for."""

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

NOT_SETTINGS = ("made",)  # tables of the records beside results, which are such files too
NEVER = ("trust", "debug")  # what only the command line may say


def expanded(args: Sequence[str], params: Iterable[Any]) -> list[str]:
    """The arguments of a command, in which a word that ends in .toml gives way to the options of
    that file. They come before those that are written on the command line, which therefore replace
    them or, where an option may be repeated, are added to them.

    Raises InputError if the file is missing, is not TOML, or has an entry that is no option.
    """
    options = {param.name.replace("_", "-"): param for param in params}
    words: list[str] = []
    for arg in args:
        if not arg.endswith(".toml") or arg.startswith("-"):
            words.append(arg)
            continue
        words = [*_words(Path(arg), options), *words]
    return words


def _words(path: Path, options: dict[str, Any]) -> Iterator[str]:
    from dosuite.causal import InputError
    from dosuite.causal.errors import did_you_mean

    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except ValueError as error:
        raise InputError(f"{path} is not TOML: {error}") from error
    for name, value in settings.items():
        if name in NOT_SETTINGS:
            continue
        option = name.replace("_", "-")
        if option in NEVER:
            raise InputError(f"{path} cannot say {name!r}: write --{option} on the command line")
        if option not in options:
            raise InputError(f"{path} has an entry {name!r}; {did_you_mean(name, options)}")
        yield from _option(path, options[option], option, value)


def _option(path: Path, param: Any, name: str, value: Any) -> Iterator[str]:
    from dosuite.causal import InputError

    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str | int | float) for one in values):
        raise InputError(f"{path}: {name} is a text, a number, a truth value, or a list of texts")
    takes_truth = param.param_type_name != "argument" and param.is_flag
    if not values or any(isinstance(one, bool) and not takes_truth for one in values):
        raise InputError(
            f"{path}: {name} = {value!r} names nothing; give it a value or leave it out"
        )
    for one in values:
        if param.param_type_name == "argument":
            yield str(one)
        elif isinstance(one, bool):
            has_negation = bool(param.secondary_opts)
            if one or has_negation:
                yield param.opts[0] if one else param.secondary_opts[0]
        else:
            yield f"{param.opts[0]}={one}"
