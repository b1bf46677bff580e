"""Wrappers around any Gymnasium environment."""
