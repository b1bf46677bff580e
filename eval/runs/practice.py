"""The environments of a practice: new units at every call, and no step beyond the budget."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np

from dosuite.agents import Practice
from dosuite.agents.networks.convergence import last_rise
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
    returns: list[Array] = field(default_factory=list)  # of episodes, in the order of their ends

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
        """A note on steps beyond the budget and on returns that were still rising, if any."""
        notes = []
        if self.steps > self.budget and self.rounds_up:
            notes.append(f"practised {self.steps} steps for a budget of {self.budget}")
        rise = last_rise(np.concatenate(self.returns)) if self.returns else 0.0
        if rise > 0:
            notes.append(
                "has not converged: episodes of the last tenth of the practice earned "
                f"{rise:.2f} standard deviations more than those of the tenth before"
            )
        return "; ".join(notes)


class PracticeEnv(CausalVectorEnv):
    """A batch of units to practise on, whose seeds are those of the run.

    A seed given to `reset` is ignored: it would bring back units whose outcomes are known.
    """

    def __init__(self, practice: PracticeUnits, copies: int, seed: int):
        super().__init__(practice.world, copies)
        self._practice = practice
        self._earned = np.zeros(copies)  # so far in the episodes that go on
        super().reset(seed=seed)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | Integers | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Array, dict[str, Any]]:
        """The first observations of new episodes of the same units; the seed is ignored."""
        begun = super().reset(options=options)
        self._earned[(options or {}).get("reset_mask", slice(None))] = 0.0
        return begun

    def step(self, actions: Array) -> tuple[Array, Floats, Flags, Flags, dict[str, Any]]:
        """A step of every unit, as in CausalVectorEnv. Raises InputError beyond the budget."""
        self._practice.count(self.num_envs)
        outcome = super().step(actions)
        self._earned += outcome[1]
        ended = outcome[2] | outcome[3]
        if ended.any():
            self._practice.returns.append(self._earned[ended])
            self._earned[ended] = 0.0
        return outcome


def note_of_practice(source: object) -> str:
    """What is to be said of a run's practice, "" if nothing."""
    units = source.make if isinstance(source, Practice) else None
    return units.note if isinstance(units, PracticeUnits) else ""
