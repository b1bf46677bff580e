"""Acting is intervening: one Gymnasium environment and one vector environment that drive any model."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from confoundry.causal import SCM, Array, Columns, InputError, noise

from .registry import make_model
from .spaces import action_space, encode, observation_space


class Units:
    """A batch of units that live through a model side by side, each at its own step of its own episode."""

    def __init__(self, model: SCM, count: int):
        self.model = model
        self.space = observation_space(model)
        self.ids = np.zeros(count, dtype=np.uint64)
        self.clock = np.zeros(count, dtype=np.int64)
        self.past: Columns = {}
        self.now: Columns = {}
        self._after = tuple(name for name in model.order if name not in (*model.before_action, model.action))

    def start(self, which: NDArray[np.bool_], ids: noise.Units) -> None:
        """Begin an episode for the units `which`, with these ids."""
        self.ids[which], self.clock[which] = ids, 0
        self._merge(self.now, which, self.model.step(ids, 0, None, names=self.model.before_action))

    def act(self, actions: Array) -> Columns:
        """Take the actions, and move on to what is seen before the next one. Returns every variable of the step."""
        known = {**self.now, self.model.action: np.asarray(actions, dtype=np.int64)}
        values = self._simulate(self._after, known)
        self.past = values
        self.clock += 1
        self.now = self.model.step(self.ids, self.clock, values, names=self.model.before_action)
        return values

    def observations(self) -> Array:
        """What the units see now: a new array."""
        return encode(self.space, [self.now[name] for name in self.model.contexts], len(self.ids))

    def _simulate(self, names: tuple[str, ...], known: Columns) -> Columns:
        first = self.clock == 0
        if first.all() or not first.any():
            return self.model.step(self.ids, self.clock, None if first.all() else self.past, known, names)
        values: Columns = {}
        for rows in (first, ~first):
            past = None if rows is first else _rows(self.past, rows)
            self._merge(values, rows, self.model.step(self.ids[rows], self.clock[rows], past, _rows(known, rows), names))
        return values

    def _merge(self, into: Columns, rows: NDArray[np.bool_], values: Columns) -> None:
        for name, column in values.items():
            if rows.all():
                into[name] = column
                continue
            old = into.get(name, np.zeros(len(rows), column.dtype))
            merged = np.array(old, dtype=np.result_type(old, column))
            merged[rows] = column
            into[name] = merged


def _rows(columns: Columns, rows: NDArray[np.bool_]) -> Columns:
    return {name: column[rows] for name, column in columns.items()}


def _model_of(world: str | SCM, knobs: dict[str, Any]) -> SCM:
    if isinstance(world, str):
        return make_model(world, **knobs)
    if knobs:
        raise InputError(f"a model takes no further settings; set {', '.join(knobs)} on the model itself")
    return world


class CausalEnv(gymnasium.Env[Any, Any]):
    """A model as a Gymnasium environment: `step(a)` is one step of the model under do(action=a).

    The observation is what the contexts are; `info` holds the logged variables after each step. A horizon of one step
    ends in termination, a longer one in truncation. The unit that an episode lives through is a function of the seed of
    the last `reset(seed=...)` and of the number of episodes since.

    `world` is an id such as "IceCreamShorts-v0", or a model; `knobs` are the model's fields, and `shift` and `variant`.
    Raises InputError if there is no such world or knob.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, world: str | SCM, render_mode: str | None = None, **knobs: Any):
        model = _model_of(world, knobs)
        self.observation_space = observation_space(model)
        self.action_space = action_space(model)
        self.render_mode = render_mode
        self._units = Units(model, 1)
        self._logged = model.names("logged")
        self._seed, self._episode = -1, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """The first observation of a new episode, and an empty dictionary."""
        super().reset(seed=seed)
        if seed is not None or self._seed < 0:
            self._seed, self._episode = int(self.np_random.integers(2**63)) if seed is None else seed % 2**63, 0
        self._units.start(np.array([True]), noise.units(self._seed, self._episode))
        self._episode += 1
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Observation, reward, terminated, truncated and the logged variables. Raises InputError at a bad action."""
        if self._seed < 0:
            raise ResetNeeded("call reset before the first step")
        if not self.action_space.contains(action):
            raise InputError(f"the action must be in {self.action_space}, and got {action!r}")
        model = self._units.model
        values = self._units.act(np.array([action]))
        terminated, truncated = _ends(model, values, self._units.clock)
        info = {name: values[name][0].item() for name in self._logged}
        return self._observation(), float(values[model.reward][0]), bool(terminated[0]), bool(truncated[0]), info

    def _observation(self) -> Any:
        return self._units.observations()[0]


class CausalVectorEnv(VectorEnv[Any, Any, Any]):
    """Many units of a model at once. Environment i with seed s lives through the units of `CausalEnv` with seed s + i.

    Autoreset is in the same step: `infos["final_obs"]` holds the last observations of the episodes that ended, where
    `infos["_final_obs"]` is true, and `infos["final_info"]` their logged variables. Arrays handed out are the caller's.
    Arguments and errors are those of `CausalEnv`.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(self, world: str | SCM, num_envs: int = 1, render_mode: str | None = None, **knobs: Any):
        model = _model_of(world, knobs)
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.single_observation_space = observation_space(model)
        self.single_action_space = actions = action_space(model)
        self._choices = int(actions.n)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._units = Units(model, num_envs)
        self._logged = model.names("logged")
        self._seeds = np.full(num_envs, -1, dtype=np.int64)
        self._episodes = np.zeros(num_envs, dtype=np.int64)

    def reset(self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """The first observations, (num_envs, ...), and an empty dictionary. An integer seed s seeds environment i with s + i."""
        seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int | np.integer) else seed or [None] * self.num_envs
        if len(seeds) != self.num_envs:
            raise InputError(f"reset needs {self.num_envs} seeds, and got {len(seeds)}")
        for i, one in enumerate(seeds):
            if one is not None or self._seeds[i] < 0:
                self._seeds[i] = int(self.np_random.integers(2**63)) if one is None else one % 2**63
                self._episodes[i] = 0
        self._begin(np.ones(self.num_envs, dtype=bool))
        return self._units.observations(), {}

    def step(self, actions: Array) -> tuple[Array, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Observations, rewards, terminations, truncations, each (num_envs, ...), and the logged variables."""
        if (self._seeds < 0).any():
            raise ResetNeeded("call reset before the first step")
        actions = np.asarray(actions)
        whole = actions.dtype.kind in "iub" and actions.shape == (self.num_envs,)
        if not whole or not ((actions >= 0) & (actions < self._choices)).all():
            raise InputError(f"step needs {self.num_envs} actions in {self.single_action_space}, and got {actions!r}")
        model = self._units.model
        values = self._units.act(actions)
        terminated, truncated = _ends(model, values, self._units.clock)
        ended = terminated | truncated
        infos: dict[str, Any] = self._info(values, ~ended) if not ended.all() else {}
        if ended.any():
            infos |= {"final_obs": self._units.observations(), "_final_obs": ended.copy()}
            infos |= {"final_info": self._info(values, ended), "_final_info": ended.copy()}
            self._begin(ended)
        return self._units.observations(), np.array(values[model.reward], dtype=float), terminated, truncated, infos

    def _begin(self, which: NDArray[np.bool_]) -> None:
        self._units.start(which, noise.units(self._seeds[which], self._episodes[which]))
        self._episodes[which] += 1

    def _info(self, values: Columns, which: NDArray[np.bool_]) -> dict[str, Any]:
        info: dict[str, Any] = {}
        for name in self._logged:
            info |= {name: np.where(which, values[name], 0), f"_{name}": which.copy()}
        return info


def _ends(model: SCM, values: Columns, clock: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    out_of_time = clock >= model.horizon
    terminated = np.zeros(len(clock), dtype=bool)
    for name in model.names("terminal"):
        terminated = terminated | (values[name] == 1)
    if model.horizon == 1:
        return terminated | out_of_time, np.zeros(len(clock), dtype=bool)
    return terminated, out_of_time & ~terminated
