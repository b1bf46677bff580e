"""Scores: the registry of metrics, their definitions, and bootstrap confidence intervals."""
