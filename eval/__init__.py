"""Who judges: runs, scores and the report."""

from .run import Run
from .score import score
from .suite import execute, grid

__all__ = ["Run", "execute", "grid", "score"]
