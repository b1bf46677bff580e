"""Importing the causal layer is fast: it loads no library that only some answers need."""

import subprocess
import sys

HEAVY = ("torch", "matplotlib", "pandas", "gymnasium", "scipy", "xarray", "stable_baselines3")


def test_importing_the_causal_layer_loads_no_heavy_library() -> None:
    code = (
        "import sys; import dosuite.causal; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
