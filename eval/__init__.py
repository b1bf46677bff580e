"""Runs of agents in worlds, the metrics that score them, and the report."""

from .runs.run import Run
from .runs.score import score
from .runs.suite import execute, grid

__all__ = ["Run", "execute", "grid", "score"]
