"""The values of a unit's variables at one moment, for pictures."""

from typing import NamedTuple


class Sight(NamedTuple):
    """The values of a unit's variables, latents too, after `step` steps of its episode."""

    step: int
    now: dict[str, float]  # the variables that precede the next action
    past: dict[str, float]  # all variables of the last step; empty before the first
    before: dict[str, float]  # all variables of the step before the last; empty if there is none
