"""The libraries of the extra `site`, which are imported when a page needs them."""

from importlib import import_module
from typing import Any

from dosuite.causal import InputError


def from_extra(module: str) -> Any:
    """A module of a library of the extra. Raises InputError if the library is missing."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        raise InputError(
            f'dosuite site needs {library}, which is missing: pip install "dosuite[site]"'
        ) from error
