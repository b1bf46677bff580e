"""A batch of units of one model as a Gymnasium vector environment."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from dosuite.causal import Array, Columns, InputError, World
from dosuite.causal.arrays import Flags, Floats, Integers
from dosuite.causal.counts import check_memory, whole_number
from dosuite.causal.errors import did_you_mean
from dosuite.causal.model.sampling_laws import below

from ..observations import observation_space
from ..spaces import action_space, as_numbers
from .arguments import SEEDS, in_one_line, model_of, number_of_choices
from .stepping import batch, logged_types


class CausalVectorEnv(VectorEnv[Any, Any, Any]):
    """A batch of units of one model. Environment i of a batch with seed s does what `CausalEnv`
    with seed s + i does.

    `autoreset_mode` says when a new episode follows one that ended, as in Gymnasium's own vector
    environments:

    - SAME_STEP, the default: in the same step. `infos["final_obs"]` holds the last observations of
      the episodes that ended, where `infos["_final_obs"]` is true, and `infos["final_info"]` their
      logged variables.
    - NEXT_STEP: in the next step, whose action is ignored and whose reward is 0.
    - DISABLED: at `reset(options={"reset_mask": ended})`.

    With `max_episode_steps` an episode is truncated after that number of steps, as by Gymnasium's
    `TimeLimit`. Returned arrays belong to the caller. The other arguments and the errors are those
    of `CausalEnv`.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self,
        world: str | World,
        num_envs: int = 1,
        render_mode: str | None = None,
        paired: bool = False,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        max_episode_steps: int | None = None,
        **knobs: Any,
    ):
        model = model_of(world, knobs)
        if render_mode is not None:
            raise InputError(
                "a batch of environments has no pictures; give the render_mode to CausalEnv, or "
                "to each of a SyncVectorEnv"
            )
        num_envs = whole_number("num_envs", num_envs, 1)
        check_memory(f"a batch of {num_envs:,} environments", num_envs * len(model.variables))
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.autoreset_mode = _checked_mode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.single_observation_space = observation_space(model)
        self.single_action_space = action_space(model)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._choices = number_of_choices(self.single_action_space)
        self._horizon = model.horizon
        self._limit = _checked_limit(max_episode_steps)
        # Templates of what the infos hold: copying is faster than filling.
        self._all = np.ones(num_envs, dtype=bool)
        self._zeros = {name: np.zeros(num_envs, kind) for name, kind in logged_types(model).items()}
        self._units = batch(model, num_envs, paired)
        self._seeded = np.zeros(num_envs, dtype=bool)
        # Steps since the last reset: one number for all units, or, if their episodes can end at
        # different times, one for each unit.
        self._clock: Any = -1
        self._start = np.zeros(num_envs, dtype=np.int64) if model.names("terminal") else 0
        # The units whose episode is over and which await a reset, and those of them whose episode
        # only `max_episode_steps` ended; None if there are none.
        self._over: Flags | None = None
        self._cut: Flags | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """The registration from which `gymnasium.make_vec` made this batch."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        # Gymnasium leaves a limit that was an argument of `make_vec` out of the specification.
        if spec is not None and self._limit is not None:
            spec.max_episode_steps = self._limit
        self._spec = spec

    _spec: EnvSpec | None = None

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | Integers | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Array, dict[str, Any]]:
        """The first observations, (num_envs, ...), and zeros for the logged variables.

        An integer seed s seeds environment i with s + i. A sequence has a seed for each
        environment, or None to go on with the one it has. Only the environments in the boolean
        array `options["reset_mask"]`, if it is given, begin a new episode.
        """
        given, seeds = self._seeds(seed)
        which = self._reset_mask(options)
        if which is not None:
            if not self._seeded[0]:
                raise ResetNeeded("the first reset takes no reset_mask: it begins every episode")
            given &= which
        unseeded = ~(given | self._seeded)
        seeds[unseeded] = self.np_random.integers(SEEDS, size=int(unseeded.sum()))
        seeded = given | unseeded
        observations = self._units.reset(seeded, seeds, which, self._still(seeded, which))
        self._seeded[:] = True
        if which is None:
            self._clock = self._start + 0
            self._over = self._cut = None
        else:
            self._clock = self._clock * ~which
            self._over = _without(self._over, which)
            self._cut = _without(self._cut, which)
        return observations, self._info_at_reset(which)

    def _still(self, seeded: Flags, which: Flags | None) -> Flags | None:
        """The units that use up no noise at a reset of `which`; None if there are none.

        They are those that are not reset and those whose model had ended the episode, without those
        that get a new seed.
        """
        if self._over is None and which is None:
            return None
        still = np.zeros(self.num_envs, dtype=bool) if which is None else ~which
        if self._over is not None:
            still |= self._over if self._cut is None else self._over & ~self._cut
        return still & ~seeded

    def _reset_mask(self, options: dict[str, Any] | None) -> Flags | None:
        """The units to reset; None for all."""
        if options is not None and not isinstance(options, Mapping):
            raise InputError(f"options is a mapping, and got {in_one_line(options)}")
        mask = None if options is None else options.get("reset_mask")
        if mask is None:
            return None
        fits = isinstance(mask, np.ndarray) and mask.shape == (self.num_envs,)
        if not fits or mask.dtype != np.bool_ or not mask.any():
            raise InputError(
                f"reset_mask must be a boolean array ({self.num_envs},) with at least one True, "
                f"and got {in_one_line(mask)}"
            )
        return None if mask.all() and not self._seeded[0] else mask.copy()

    def _seeds(self, seed: int | Sequence[int | None] | Integers | None) -> tuple[Flags, Integers]:
        """Whether each environment is given a seed, and the seeds."""
        is_one = isinstance(seed, str) or not isinstance(seed, Sequence | np.ndarray)
        if seed is not None and (is_one or not getattr(seed, "ndim", 1)):
            first = np.uint64(whole_number("seed", seed, 0) % SEEDS)
            ahead = first + np.arange(self.num_envs, dtype=np.uint64)
            wrapped = ahead & np.uint64(SEEDS - 1)
            return np.ones(self.num_envs, dtype=bool), wrapped.astype(np.int64)
        many: Any = seed
        seeds: list[Any] = [None] * self.num_envs if many is None else list(many)
        if len(seeds) != self.num_envs:
            raise InputError(f"reset needs {self.num_envs} seeds, and got {len(seeds)}")
        given = np.array([own_seed is not None for own_seed in seeds])
        numbers = [0 if own is None else whole_number("seed", own, 0) % SEEDS for own in seeds]
        return given, np.array(numbers, dtype=np.int64)

    def step(self, actions: Array) -> tuple[Array, Floats, Flags, Flags, dict[str, Any]]:
        """Observations, rewards, terminations and truncations, each (num_envs, ...), and the logged
        variables.

        Raises InputError if the actions are not in the action space, and ResetNeeded if an
        environment awaits a reset that is the caller's to make.
        """
        if not self._seeded[0]:
            raise ResetNeeded("call reset before the first step of an episode")
        chosen = self._checked(actions)
        if self._over is not None:
            return self._step_after_end(chosen, self._over)
        observations, reward, terminal, logged = self._units.act(chosen)
        self._clock += 1
        terminated, truncated, some, every = self._ends(terminal)
        if self._limit is not None:
            truncated, cut, some, every = self._limited(terminated, truncated)
        else:
            cut = None
        if not some:
            return observations, reward, terminated, truncated, self._info(logged)

        ended = terminated | truncated
        if self.autoreset_mode is not AutoresetMode.SAME_STEP:
            self._over, self._cut = ended, cut
            return observations, reward, terminated, truncated, self._info(logged)

        # Some episodes ended: their last observations go to the infos, and new ones begin.
        infos = self._info_at_reset() if every else self._info_where_begun(logged, ended)
        infos["final_obs"] = observations
        infos["_final_obs"] = ended
        infos["final_info"] = self._info(logged, None if every else ended)
        infos["_final_info"] = ended.copy()
        self._clock = 0 if isinstance(self._clock, int) else self._clock * ~ended
        if cut is not None:
            self._units.skip(cut)
        observations = self._units.begin(None if every else ended)
        return observations, reward, terminated, truncated, infos

    def _step_after_end(
        self, actions: Array, over: Flags
    ) -> tuple[Array, Floats, Flags, Flags, dict[str, Any]]:
        """A step in which the episodes that are `over` begin anew, and the others go on."""
        if self.autoreset_mode is AutoresetMode.DISABLED:
            raise ResetNeeded(
                "some episodes are over; begin new ones with "
                'reset(options={"reset_mask": terminated | truncated})'
            )
        if over.all():
            # As in single environments, whose new episodes begin without a step.
            observations, infos = self.reset()
            none = np.zeros((2, self.num_envs), dtype=bool)
            return observations, np.zeros(self.num_envs), none[0], none[1], infos

        still = over if self._cut is None else over & ~self._cut
        observations, reward, terminal, logged = self._units.act_or_begin(actions, over, still)
        self._clock = (self._clock + 1) * ~over
        reward[over] = 0.0
        if terminal is not None:
            terminal &= ~over
        terminated, truncated, some, _ = self._ends(terminal)
        self._cut = None
        if self._limit is not None:
            truncated, self._cut, some, _ = self._limited(terminated, truncated)
        self._over = terminated | truncated if some else None
        infos = self._info_where_begun(logged, over)
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
            shown = in_one_line(actions)
        raise InputError(
            f"step needs {self.num_envs} actions in {self.single_action_space}, and got {shown}"
        )

    def _ends(self, terminal: Flags | None) -> tuple[Flags, Flags, bool, bool]:
        """Which episodes are terminated and which truncated; whether any, and whether all, ended.

        `terminal` says which episodes the model ended; None if it cannot end any.
        """
        none, at_horizon = np.zeros((2, self.num_envs), dtype=bool)
        if isinstance(self._clock, int):  # all units are at the same step
            every = self._clock >= self._horizon
            at_horizon.fill(every)
            if self._horizon == 1:
                return at_horizon, none, every, every
            return none, at_horizon, every, every
        at_horizon |= self._clock >= self._horizon
        if self._horizon == 1:
            return at_horizon, none, bool(at_horizon.any()), bool(at_horizon.all())
        if terminal is None:
            return none, at_horizon, bool(at_horizon.any()), bool(at_horizon.all())
        ended = at_horizon | terminal
        return terminal, at_horizon & ~terminal, bool(ended.any()), bool(ended.all())

    def _limited(
        self, terminated: Flags, truncated: Flags
    ) -> tuple[Flags, Flags | None, bool, bool]:
        """Truncation with `max_episode_steps`, and the episodes that it alone ended.

        Also whether any, and whether all, episodes ended. As in `TimeLimit`, an episode that the
        model ends at the limit is truncated too.
        """
        at_limit = np.zeros(self.num_envs, dtype=bool)
        at_limit |= self._clock >= self._limit
        cut = at_limit & ~(terminated | truncated)
        ended = terminated | truncated | at_limit
        some_cut = cut if cut.any() else None
        return truncated | at_limit, some_cut, bool(ended.any()), bool(ended.all())

    def _info(self, logged: Columns, which: Flags | None = None) -> dict[str, Any]:
        """The logged variables and their masks, of the units `which`, or of all."""
        info: dict[str, Any] = {}
        for name, values in logged.items():
            if which is None:
                info[name] = values
                info[f"_{name}"] = self._all.copy()
            else:
                info[name] = np.where(which, values, values.dtype.type(0))
                info[f"_{name}"] = which.copy()
        return info

    def _info_at_reset(self, which: Flags | None = None) -> dict[str, Any]:
        """Zeros for the logged variables of the units that were reset, or of all."""
        info: dict[str, Any] = {}
        reset = self._all if which is None else which
        for name, zeros in self._zeros.items():
            info[name] = zeros.copy()
            info[f"_{name}"] = reset.copy()
        return info

    def _info_where_begun(self, logged: Columns, begun: Flags) -> dict[str, Any]:
        """The logged variables of all units: zero in those whose episode has just begun."""
        info = self._info(logged, ~begun)
        for name in logged:
            info[f"_{name}"] = self._all.copy()
        return info


def _without(mask: Flags | None, which: Flags) -> Flags | None:
    """A mask without the units `which`; None if none are left."""
    if mask is None:
        return None
    left = mask & ~which
    return left if left.any() else None


def _checked_mode(mode: AutoresetMode | str) -> AutoresetMode:
    if isinstance(mode, AutoresetMode):
        return mode
    known = {name: choice for choice in AutoresetMode for name in (choice.name, choice.value)}
    if mode not in known:
        names = [choice.name for choice in AutoresetMode]
        raise InputError(f"{mode!r} is not an autoreset_mode; {did_you_mean(str(mode), names)}")
    return known[mode]


def _checked_limit(limit: int | None) -> int | None:
    if limit is None:
        return None
    return whole_number("max_episode_steps", limit, 1)
