"""What there is to see of a unit at one moment."""

from typing import NamedTuple


class Sight(NamedTuple):
    """What there is to see of a unit after `step` steps of its episode, latents too: values by
    name.

    `now` has what is drawn before the next action, `past` all of the step just taken and `before`
    all of the one before that, empty where there was none."""

    step: int
    now: dict[str, float]
    past: dict[str, float]
    before: dict[str, float]
