"""Acting is intervening:

one Gymnasium environment and one vector environment that drive any model.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from dosuite.causal import Array, Columns, InputError, World
from dosuite.causal.model.tables import below

from ..pictures.window import FPS, MODES, warn_of_no_mode
from ..registry import make_model
from ..spaces import action_space, as_numbers, checked_action, observation_space
from .rendering import watched
from .stepping import batch, one


def _model_of(world: str | World, knobs: dict[str, Any]) -> World:
    if isinstance(world, str):
        return make_model(world, **knobs)
    if knobs:
        raise InputError(
            f"a model takes no further settings; set {', '.join(knobs)} on the model itself"
        )
    return world


def _in_one_line(actions: Any) -> str:
    return " ".join(repr(actions).split())


class CausalEnv(gymnasium.Env[Any, Any]):
    """A model as a Gymnasium environment: `step(a)` is one step of the model under do(action=a).

    The observation is what the contexts are, and an action of a Box is an array (1,) or a plain
    number; `info` holds the logged variables after each step. A horizon of one step ends in
    termination, a longer one in truncation. All that happens is a function of the seed of the last
    `reset(seed=...)` and of the actions since.

    `world` is an id such as "IceCreamShorts-v0", or a model; `knobs` are the model's fields, and
    `shift` and `variant`. With `paired` every variable has noise of its own: slower, equal in law,
    and for equal seeds and actions, worlds that differ in one mechanism share what the others do.
    Raises InputError if there is no such world or knob.

    The render modes are "rgb_array" and "human", which opens a window of matplotlib's and shows
    every step in it. Pictures are for people, and show latents too: with either mode the world is
    stepped as if `paired`, for only then are there any."""

    metadata = {"render_modes": MODES, "render_fps": FPS}  # noqa: RUF012

    def __init__(
        self, world: str | World, render_mode: str | None = None, paired: bool = False, **knobs: Any
    ):
        model = _model_of(world, knobs)
        self.observation_space = observation_space(model)
        self.action_space = actions = action_space(model)
        self.render_mode = render_mode
        self._choices, self._horizon = (
            0 if isinstance(actions, Box) else int(actions.n),
            model.horizon,
        )
        self._watched = None if render_mode is None else watched(model, render_mode)
        self._unit = self._watched or one(model, paired)
        self._clock, self._over = -1, True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """The first observation of a new episode, and an empty dictionary."""
        super().reset(seed=seed)
        if seed is None and self._clock < 0:
            seed = int(self.np_random.integers(2**63))
        observation = self._unit.reset(None if seed is None else seed % 2**63, self._over)
        self._clock, self._over = 0, False
        return observation, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Observation, reward, terminated, truncated and the logged variables.

        Raises InputError at a bad action.
        """
        if self._over:
            raise ResetNeeded("call reset before the first step of an episode")
        observation, reward, terminated, info = self._unit.act(self._checked(action))
        self._clock += 1
        out = self._clock >= self._horizon
        terminated = terminated or (out and self._horizon == 1)
        self._over = terminated or out
        return observation, reward, terminated, out and not terminated, info

    def render(self) -> NDArray[np.uint8] | None:
        """A picture (height, width, 3) of the last step and of what is seen now;

        in the mode "human", None and a window.
        """
        if self._watched is None:
            warn_of_no_mode()
            return None
        if self._clock < 0:
            raise ResetNeeded("call reset before render")
        return self._watched.render()

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._watched is not None:
            self._watched.close()

    def _checked(self, action: Any) -> Any:
        return (
            checked_action(action, self._choices) if self._choices else self._checked_number(action)
        )

    def _checked_number(self, action: Any) -> float:
        chosen = as_numbers(self.action_space, action, ())
        if chosen is None:
            raise InputError(
                f"the action must be in {self.action_space}, and got {_in_one_line(action)}"
            )
        return float(chosen)


class CausalVectorEnv(VectorEnv[Any, Any, Any]):
    """Many units of a model at once. Environment i with seed s lives through what `CausalEnv` with
    seed s + i does.

    Autoreset is in the same step: `infos["final_obs"]` holds the last observations of the episodes
    that ended, where `infos["_final_obs"]` is true, and `infos["final_info"]` their logged
    variables. Arrays handed out are the caller's. Arguments and errors are those of `CausalEnv`.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self,
        world: str | World,
        num_envs: int = 1,
        render_mode: str | None = None,
        paired: bool = False,
        **knobs: Any,
    ):
        model = _model_of(world, knobs)
        if render_mode is not None:
            raise InputError(
                "a batch of environments has no pictures; give the render_mode to CausalEnv, or "
                "to each of a SyncVectorEnv"
            )
        if num_envs < 1:
            raise InputError(f"a batch needs at least 1 environment, and got {num_envs}")
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.single_observation_space = observation_space(model)
        self.single_action_space = actions = action_space(model)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._choices, self._horizon = (
            0 if isinstance(actions, Box) else int(actions.n),
            model.horizon,
        )
        self._units = batch(model, num_envs, paired)
        self._seeded = np.zeros(num_envs, dtype=bool)
        self._clock: Any = (
            -1
        )  # one number, or one for each unit where the model ends episodes early
        self._start = np.zeros(num_envs, dtype=np.int64) if model.names("terminal") else 0

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """The first observations, (num_envs, ...), and an empty dictionary.

        An integer seed s seeds environment i with s + i.
        """
        given, seeds = self._seeds(seed)
        unseeded = ~(given | self._seeded)
        seeds[unseeded] = self.np_random.integers(2**63, size=int(unseeded.sum()))
        observations = self._units.reset(given | unseeded, seeds)
        self._seeded[:], self._clock = True, self._start + 0
        return observations, {}

    def _seeds(
        self, seed: int | list[int | None] | None
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which environments are given a seed, and the seeds."""
        if isinstance(seed, int | np.integer):
            ahead = (
                np.uint64(seed % 2**63) + np.arange(self.num_envs, dtype=np.uint64)
            ) & np.uint64(2**63 - 1)
            return np.ones(self.num_envs, dtype=bool), ahead.astype(np.int64)
        seeds = [None] * self.num_envs if seed is None else list(seed)
        if len(seeds) != self.num_envs:
            raise InputError(f"reset needs {self.num_envs} seeds, and got {len(seeds)}")
        given = np.array([one is not None for one in seeds])
        return given, np.array([0 if one is None else one % 2**63 for one in seeds], dtype=np.int64)

    def step(
        self, actions: Array
    ) -> tuple[Array, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Observations, rewards, terminations, truncations, each (num_envs, ...), and the logged
        variables.
        """
        if not self._seeded[0]:
            raise ResetNeeded("call reset before the first step of an episode")
        observations, reward, terminal, logged = self._units.act(self._checked(actions))
        self._clock += 1
        terminated, truncated, some, every = self._ends(terminal)
        if not some:
            return observations, reward, terminated, truncated, self._info(logged)
        ended = terminated | truncated
        infos = {} if every else self._info(logged, ~ended)
        infos |= {"final_obs": observations, "_final_obs": ended}
        infos |= {
            "final_info": self._info(logged, None if every else ended),
            "_final_info": ended.copy(),
        }
        self._clock = 0 if terminal is None else self._clock * ~ended
        return self._units.begin(None if every else ended), reward, terminated, truncated, infos

    def _checked(self, actions: Array) -> Array:
        if not self._choices:
            return self._checked_numbers(actions)
        chosen = np.asarray(actions)
        if chosen.shape == (self.num_envs,) and below(chosen, self._choices):
            return chosen.astype(np.int64, copy=False)
        raise InputError(
            f"step needs {self.num_envs} actions in {self.single_action_space}, and got {chosen!r}"
        )

    def _checked_numbers(self, actions: Array) -> Array:
        chosen = as_numbers(self.single_action_space, actions, (self.num_envs,))
        if chosen is None:
            raise InputError(
                f"step needs {self.num_envs} actions in {self.single_action_space}, and got "
                f"{_in_one_line(actions)}"
            )
        return chosen

    def _ends(
        self, terminal: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], bool, bool]:
        """Which episodes are terminated and which truncated;

        whether there are some, and whether all have ended.
        """
        none, out = np.zeros((2, self.num_envs), dtype=bool)
        if terminal is None:  # all are at the same step
            every = self._clock >= self._horizon
            out.fill(every)
            return (out, none, every, every) if self._horizon == 1 else (none, out, every, every)
        out |= self._clock >= self._horizon
        if self._horizon == 1:
            return out, none, True, True
        return terminal, out & ~terminal, bool((out | terminal).any()), bool((out | terminal).all())

    def _info(self, logged: Columns, which: NDArray[np.bool_] | None = None) -> dict[str, Any]:
        """The logged variables and their masks: of the units `which`, or of all."""
        info: dict[str, Any] = {}
        for name, values in logged.items():
            info[name] = values if which is None else np.where(which, values, values.dtype.type(0))
            info[f"_{name}"] = np.ones(self.num_envs, dtype=bool) if which is None else which.copy()
        return info
