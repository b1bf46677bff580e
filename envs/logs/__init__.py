"""Logs: collecting, viewing, shuffling, files."""
