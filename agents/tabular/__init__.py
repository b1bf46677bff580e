"""Agents that count rows of a log, or visits of states."""
