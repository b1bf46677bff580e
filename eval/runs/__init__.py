"""Runs: an agent learns in a world, and is scored there and in every shift of it."""
