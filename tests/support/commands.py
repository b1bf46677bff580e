"""Calls of the command line in the process of a test."""

from collections.abc import Callable

Call = Callable[..., tuple[int, str, str]]  # arguments -> exit code, output and errors
