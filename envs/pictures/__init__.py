"""Pictures of worlds, of their causal graphs, and a window that shows them."""
