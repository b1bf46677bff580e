"""Agents that train networks on a log."""
