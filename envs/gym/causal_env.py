"""Models as Gymnasium environments: acting is intervening. One environment, and a batch."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from dosuite.causal import Array, Columns, InputError, World
from dosuite.causal.arrays import Flags, Floats, Integers
from dosuite.causal.model.sampling_laws import below

from ..pictures.window import FPS, MODES, warn_of_no_mode
from ..registry import make_model
from ..spaces import Space, action_space, as_numbers, checked_action, observation_space
from .rendering import watched
from .stepping import batch, one

SEEDS = 2**63  # the seeds that differ: others are taken modulo this number


class CausalEnv(gymnasium.Env[Any, Any]):
    """A model as a Gymnasium environment: `step(a)` is one step of the model under do(action=a).

    The observation holds the contexts. An action in a Box is an array (1,) or a number. `info`
    holds the logged variables after each step. An episode ends in termination if the horizon is one
    step, and otherwise in truncation. Everything that happens is a function of the seed of the last
    `reset(seed=...)` and of the actions since.

    `world` is an id such as "IceCreamShorts-v0", or a model; `knobs` are the model's fields, and
    `shift` and `variant`. With `paired` each variable has its own noise: for equal seeds and
    actions, worlds that differ in one mechanism share the values that the others determine. The
    law is the same, and stepping is slower. Raises InputError if there is no such world or knob.

    The render modes are "rgb_array" and "human", which shows every step in a matplotlib window.
    Pictures show latents too, and are for people. With either mode the world is stepped as if
    `paired`, since a step by table does not compute latents.
    """

    metadata = {"render_modes": MODES, "render_fps": FPS}  # noqa: RUF012

    def __init__(
        self, world: str | World, render_mode: str | None = None, paired: bool = False, **knobs: Any
    ):
        model = _model_of(world, knobs)
        self.observation_space = observation_space(model)
        self.action_space = action_space(model)
        self.render_mode = render_mode
        self._choices = _choices(self.action_space)
        self._horizon = model.horizon
        self._watched = None if render_mode is None else watched(model, render_mode)
        self._unit = self._watched or one(model, paired)
        self._clock = -1  # steps since the last reset; -1 before the first
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """The first observation of a new episode, and an empty dictionary."""
        if seed is not None:
            seed = int(seed)
        super().reset(seed=seed)
        if seed is None and self._clock < 0:
            seed = int(self.np_random.integers(SEEDS))
        observation = self._unit.reset(None if seed is None else seed % SEEDS, self._over)
        self._clock, self._over = 0, False
        return observation, {}

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
                f"the action must be in {self.action_space}, and got {_in_one_line(action)}"
            )
        return float(chosen)


class CausalVectorEnv(VectorEnv[Any, Any, Any]):
    """A batch of units of one model. Environment i of a batch with seed s does what `CausalEnv`
    with seed s + i does.

    Autoreset is in the same step: `infos["final_obs"]` holds the last observations of the episodes
    that ended, where `infos["_final_obs"]` is true, and `infos["final_info"]` their logged
    variables. Returned arrays belong to the caller. Arguments and errors are those of `CausalEnv`.
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
        self.single_action_space = action_space(model)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._choices = _choices(self.single_action_space)
        self._horizon = model.horizon
        self._units = batch(model, num_envs, paired)
        self._seeded = np.zeros(num_envs, dtype=bool)
        # Steps since the last reset: one number for all units, or, if the model can end episodes
        # early, one for each unit.
        self._clock: Any = -1
        self._start = np.zeros(num_envs, dtype=np.int64) if model.names("terminal") else 0

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | Integers | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Array, dict[str, Any]]:
        """The first observations, (num_envs, ...), and an empty dictionary.

        An integer seed s seeds environment i with s + i. A sequence has a seed for each
        environment, or None to go on with the one it has.
        """
        given, seeds = self._seeds(seed)
        unseeded = ~(given | self._seeded)
        seeds[unseeded] = self.np_random.integers(SEEDS, size=int(unseeded.sum()))
        observations = self._units.reset(given | unseeded, seeds)
        self._seeded[:] = True
        self._clock = self._start + 0
        return observations, {}

    def _seeds(self, seed: int | Sequence[int | None] | Integers | None) -> tuple[Flags, Integers]:
        """Whether each environment is given a seed, and the seeds."""
        if isinstance(seed, int | np.integer):
            ahead = np.uint64(int(seed) % SEEDS) + np.arange(self.num_envs, dtype=np.uint64)
            wrapped = ahead & np.uint64(SEEDS - 1)
            return np.ones(self.num_envs, dtype=bool), wrapped.astype(np.int64)
        seeds = [None] * self.num_envs if seed is None else list(seed)
        if len(seeds) != self.num_envs:
            raise InputError(f"reset needs {self.num_envs} seeds, and got {len(seeds)}")
        given = np.array([own_seed is not None for own_seed in seeds])
        numbers = [0 if own_seed is None else int(own_seed) % SEEDS for own_seed in seeds]
        return given, np.array(numbers, dtype=np.int64)

    def step(self, actions: Array) -> tuple[Array, Floats, Flags, Flags, dict[str, Any]]:
        """Observations, rewards, terminations and truncations, each (num_envs, ...), and the logged
        variables.

        Raises InputError if the actions are not in the action space.
        """
        if not self._seeded[0]:
            raise ResetNeeded("call reset before the first step of an episode")
        observations, reward, terminal, logged = self._units.act(self._checked(actions))
        self._clock += 1
        terminated, truncated, some, every = self._ends(terminal)
        if not some:
            return observations, reward, terminated, truncated, self._info(logged)

        # Some episodes ended: their last observations go to the infos, and new ones begin.
        ended = terminated | truncated
        infos = {} if every else self._info(logged, ~ended)
        infos["final_obs"] = observations
        infos["_final_obs"] = ended
        infos["final_info"] = self._info(logged, None if every else ended)
        infos["_final_info"] = ended.copy()
        self._clock = 0 if terminal is None else self._clock * ~ended
        observations = self._units.begin(None if every else ended)
        return observations, reward, terminated, truncated, infos

    def _checked(self, actions: Array) -> Array:
        if self._choices:
            chosen = np.asarray(actions)
            if chosen.shape == (self.num_envs,) and below(chosen, self._choices):
                return chosen.astype(np.int64, copy=False)
            shown = repr(chosen)
        else:
            numbers = as_numbers(self.single_action_space, actions, (self.num_envs,))
            if numbers is not None:
                return numbers
            shown = _in_one_line(actions)
        raise InputError(
            f"step needs {self.num_envs} actions in {self.single_action_space}, and got {shown}"
        )

    def _ends(self, terminal: Flags | None) -> tuple[Flags, Flags, bool, bool]:
        """Which episodes are terminated and which truncated; whether any, and whether all, ended.

        `terminal` says which episodes the model ended; None if it cannot end any.
        """
        none, at_horizon = np.zeros((2, self.num_envs), dtype=bool)
        if terminal is None:  # all units are at the same step
            every = self._clock >= self._horizon
            at_horizon.fill(every)
            if self._horizon == 1:
                return at_horizon, none, every, every
            return none, at_horizon, every, every
        at_horizon |= self._clock >= self._horizon
        if self._horizon == 1:
            return at_horizon, none, True, True
        ended = at_horizon | terminal
        return terminal, at_horizon & ~terminal, bool(ended.any()), bool(ended.all())

    def _info(self, logged: Columns, which: Flags | None = None) -> dict[str, Any]:
        """The logged variables and their masks, of the units `which`, or of all."""
        info: dict[str, Any] = {}
        for name, values in logged.items():
            if which is None:
                info[name] = values
                info[f"_{name}"] = np.ones(self.num_envs, dtype=bool)
            else:
                info[name] = np.where(which, values, values.dtype.type(0))
                info[f"_{name}"] = which.copy()
        return info


def _model_of(world: str | World, knobs: dict[str, Any]) -> World:
    if isinstance(world, str):
        return make_model(world, **knobs)
    if knobs:
        raise InputError(
            f"a model takes no further settings; set {', '.join(knobs)} on the model itself"
        )
    return world


def _choices(space: Space) -> int:
    """The number of actions; 0 if the action is a number in a Box."""
    return 0 if isinstance(space, Box) else int(space.n)  # type: ignore[attr-defined]


def _in_one_line(actions: Any) -> str:
    return " ".join(repr(actions).split())
