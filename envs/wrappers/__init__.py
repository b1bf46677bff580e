"""Confounding any Gymnasium environment."""
