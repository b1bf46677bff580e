"""Independent libraries."""

import importlib
import warnings
from typing import Any


def library(name: str) -> Any:
    """An independent library, or None where it is not installed.

    The import of some crashes where warnings are errors.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ImportError:
            return None
