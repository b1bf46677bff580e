"""Populations: many worlds with one observation space and one action space."""
