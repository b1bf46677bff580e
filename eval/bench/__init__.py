"""The speed benchmark: what `dosuite bench` times, and how."""
