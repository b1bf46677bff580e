"""A model as a Gymnasium environment: acting is intervening."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from dosuite.causal import InputError, World
from dosuite.causal.counts import whole_number

from ..observations import observation_space
from ..pictures.window import FPS, MODES, warn_of_no_mode
from ..spaces import action_space, as_numbers, checked_action
from .arguments import SEEDS, in_one_line, model_of, number_of_choices
from .rendering import watched
from .stepping import logged_types, one


class CausalEnv(gymnasium.Env[Any, Any]):
    """A model as a Gymnasium environment: `step(a)` is one step of the model under do(action=a).

    The observation holds the contexts. An action in a Box is an array (1,) or a number. `info`
    holds the logged variables after each step; after a reset, when none has been drawn, it has the
    same keys with zeros of the same types. An episode ends in termination if the horizon is one
    step, and otherwise in truncation. Everything that happens is a function of the seed of the last
    `reset(seed=...)` and of the actions since.

    `world` is an id such as "IceCreamShorts-v0", or a model; `knobs` are the model's fields, and
    `shift` and `variant`. With `paired` each variable has its own noise: for equal seeds and
    actions, worlds that differ in one mechanism share the values that the others determine. The
    law is the same, and stepping is slower. Raises InputError if there is no such world, and
    UnknownKeywordError, which is also a TypeError, if there is no such knob.

    The render modes are "rgb_array" and "human", which shows every step in a matplotlib window.
    Pictures show latents too, and are for people. With either mode the world is stepped as if
    `paired`, since a step by table does not compute latents.
    """

    metadata = {"render_modes": MODES, "render_fps": FPS}  # noqa: RUF012

    def __init__(
        self, world: str | World, render_mode: str | None = None, paired: bool = False, **knobs: Any
    ):
        model = model_of(world, knobs)
        self.observation_space = observation_space(model)
        self.action_space = action_space(model)
        self.render_mode = render_mode
        self._choices = number_of_choices(self.action_space)
        self._horizon = model.horizon
        self._watched = None if render_mode is None else watched(model, render_mode)
        self._unit = self._watched or one(model, paired)
        self._unlogged = {name: kind.type(0).item() for name, kind in logged_types(model).items()}
        self._clock = -1  # steps since the last reset; -1 before the first
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """The first observation of a new episode, and a zero for each logged variable."""
        if seed is not None:
            seed = whole_number("seed", seed)
        super().reset(seed=seed)
        if seed is None and self._clock < 0:
            seed = int(self.np_random.integers(SEEDS))
        observation = self._unit.reset(None if seed is None else seed % SEEDS, self._over)
        self._clock, self._over = 0, False
        return observation, self._unlogged.copy()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Observation, reward, terminated, truncated and the logged variables.

        Raises InputError if the action is not in the action space.
        """
        if self._over:
            raise ResetNeeded("call reset before the first step of an episode")
        observation, reward, terminated, info = self._unit.act(self._checked(action))
        self._clock += 1
        at_horizon = self._clock >= self._horizon
        if at_horizon and self._horizon == 1:
            terminated = True
        self._over = terminated or at_horizon
        return observation, reward, terminated, at_horizon and not terminated, info

    def render(self) -> NDArray[np.uint8] | None:
        """A picture (height, width, 3) of the last step and of the present observation.

        In the mode "human" it is shown in a window, and None returned.
        """
        if self._watched is None:
            warn_of_no_mode()
            return None
        if self._clock < 0:
            raise ResetNeeded("call reset before render")
        return self._watched.render()

    def close(self) -> None:
        """Close the window, if one is open."""
        if self._watched is not None:
            self._watched.close()

    def _checked(self, action: Any) -> Any:
        if self._choices:
            return checked_action(action, self._choices)
        chosen = as_numbers(self.action_space, action, ())
        if chosen is None:
            raise InputError(
                f"the action must be in {self.action_space}, and got {in_one_line(action)}"
            )
        return float(chosen)
