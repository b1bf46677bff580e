"""Agents that count."""
