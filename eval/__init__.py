"""Who judges: runs, scores and the report."""

from .runs.run import Run
from .runs.score import score
from .runs.suite import execute, grid

__all__ = ["Run", "execute", "grid", "score"]
