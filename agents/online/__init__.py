"""Agents that learn online, by the algorithms of Stable-Baselines3."""
