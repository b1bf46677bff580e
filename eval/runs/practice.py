"""The environments of a practice: new units at every call, and no step beyond the budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from dosuite.agents import Practice
from dosuite.causal import Array, InputError, World
from dosuite.causal.arrays import Flags, Floats, Integers
from dosuite.envs import CausalVectorEnv


@dataclass
class PracticeUnits:
    """Makes the environments of one practice, and counts the steps in all of them.

    The first call uses the seeds from `seed` on, and each later call other ones, so that no unit is
    met twice. A step raises InputError once the budget is spent, unless `rounds_up`.
    """

    world: World
    seed: int
    budget: int
    rounds_up: bool  # whether the agent may finish a rollout beyond the budget
    calls: int = 0
    steps: int = 0  # taken so far, over all copies of all calls

    def __call__(self, copies: int) -> CausalVectorEnv:
        """Environments of `copies` units that no earlier call gave."""
        seed = self.seed
        if self.calls > 0:
            digest = blake2b(f"{self.seed} {self.calls}".encode(), digest_size=8).digest()
            seed = int.from_bytes(digest, "big") % 2**62
        self.calls += 1
        return PracticeEnv(self, copies, seed)

    def count(self, steps: int) -> None:
        """Count steps that are about to be taken."""
        if self.steps >= self.budget and not self.rounds_up:
            raise InputError(
                f"the practice of {self.budget} steps is over; stop at source.steps, counted over "
                "all copies, or set rounds_up = True on the agent to finish a rollout"
            )
        self.steps += steps

    @property
    def note(self) -> str:
        """A note on steps beyond the budget, "" if there are none."""
        if self.steps <= self.budget or not self.rounds_up:
            return ""
        return f"practised {self.steps} steps for a budget of {self.budget}"


class PracticeEnv(CausalVectorEnv):
    """A batch of units to practise on, whose seeds are those of the run.

    A seed given to `reset` is ignored: it would bring back units whose outcomes are known.
    """

    def __init__(self, practice: PracticeUnits, copies: int, seed: int):
        super().__init__(practice.world, copies)
        self._practice = practice
        super().reset(seed=seed)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | Integers | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Array, dict[str, Any]]:
        """The first observations of new episodes of the same units; the seed is ignored."""
        return super().reset(options=options)

    def step(self, actions: Array) -> tuple[Array, Floats, Flags, Flags, dict[str, Any]]:
        """A step of every unit, as in CausalVectorEnv. Raises InputError beyond the budget."""
        self._practice.count(self.num_envs)
        return super().step(actions)


def note_of_practice(source: object) -> str:
    """A note on the steps that a run's practice took beyond its budget, "" if none."""
    units = source.make if isinstance(source, Practice) else None
    return units.note if isinstance(units, PracticeUnits) else ""
