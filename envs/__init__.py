"""The catalogue of worlds, and the way in for reinforcement learning. Importing it registers every world with Gymnasium."""

from .registry import make_model, members, register_all, worlds

register_all()

from .causal_env import CausalEnv, CausalVectorEnv  # noqa: E402
