"""Pictures of worlds and of their causal graphs."""
