"""What agents learn from, by regime: a log, an environment, the model, or the spaces only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gymnasium.vector import SyncVectorEnv

from dosuite.causal import InputError, World
from dosuite.envs import CausalVectorEnv, Data, Log, Space


@dataclass(frozen=True)
class Practice:
    """An environment to learn in by acting, and a budget of steps.

    `make(n)` gives n parallel copies of the environment, with new units at each call, whose seeds
    `reset` cannot set; `steps` is the budget over all copies of all calls. In a run, a step raises
    InputError once the budget is spent, unless the agent sets `rounds_up`.
    `log`, for an agent that needs it, has steps recorded before by the behaviour policy; it may be
    empty.
    """

    make: Callable[[int], CausalVectorEnv | SyncVectorEnv]
    steps: int
    discount: float
    log: Data | None = None

    def log_for(self, name: str) -> Data:
        """The log, for the agent `name` that needs it. Raises InputError if there is none."""
        if self.log is None:
            raise InputError(
                f"{name} needs a log as well as an environment (Practice.log), and got none"
            )
        return self.log


@dataclass(frozen=True)
class Exact:
    """The model itself, from which reference policies are computed."""

    model: World


@dataclass(frozen=True)
class Spaces:
    """The spaces of a world, for a policy that a user brings and that learns nothing."""

    observations: Space
    actions: Space


Source: TypeAlias = Data | Log | Practice | Exact | Spaces

# the types that `Agent.learn` accepts, by regime; a Log is turned into Data first
SOURCES_BY_REGIME: dict[str, type] = {
    "observe": Data,
    "mixed": Data,
    "intervene": Practice,
    "counterfactual": Practice,
    "exact": Exact,
    "given": Spaces,
}
