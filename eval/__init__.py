"""Runs of agents in worlds, the metrics that score them, and the report.

The names below are loaded on first use (PEP 562), since they import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .runs.opaque import practice_in
    from .runs.run import Run
    from .runs.score import score
    from .runs.suite import execute, grid

__all__ = ["Run", "execute", "grid", "practice_in", "score"]

_MODULES = {
    "Run": "runs.run",
    "execute": "runs.suite",
    "grid": "runs.suite",
    "practice_in": "runs.opaque",
    "score": "runs.score",
}


def __getattr__(name: str) -> Any:
    """Load a name of `__all__` on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
