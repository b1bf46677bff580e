"""Logs: collected, viewed by a learner, shuffled, and written to files."""
