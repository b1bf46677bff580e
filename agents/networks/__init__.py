"""Batched networks: one network for each seed, trained side by side."""
