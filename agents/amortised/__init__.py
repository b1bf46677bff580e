"""An agent that was trained on a population of worlds, and reads the log of one it has never seen.

`python -m dosuite.agents.amortised train` and `... evaluate` are its commands.
"""
