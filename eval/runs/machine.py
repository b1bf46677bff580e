"""The machine that numbers and times were made on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np


def machine() -> dict[str, str | int]:
    """The processor, the system and the versions that numbers depend on."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "dosuite": version("dosuite"),
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
