"""Where the tests find files."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
THROWAWAY_FILE = Path(__file__).with_name("throwaway.py")
