"""Agents that practise, by Stable-Baselines3."""
