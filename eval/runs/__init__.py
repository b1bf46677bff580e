"""Runs: an agent learns in a world and is scored in every shifted one."""
