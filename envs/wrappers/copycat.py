"""The previous action in plain sight: the copycat, around any environment of Gymnasium, and the
logs of experts in it.

A clone of MountainCar's expert, which with the indicator is right more often and earns less than
with `mode="off"`:

    noise = {"mode": "confounded", "sigma": 0.5, "scale": (0.1, 0.02)} car =
    gymnasium.make("MountainCar-v0") log = copycat_log(CopycatWrapper(ScatteredStart(car), **noise),
    lambda seen: drive(seen[:, 1]), rows=10_000, seed=0) clone =
    make_agent("bc:hidden=50,steps=4000").learn(log.view(rng), rng)
    estimated_value(CopycatWrapper(car, **noise), lambda seen: clone.probabilities(seen).argmax(1),
    episodes=60, seed=0)
"""

from abc import ABC, abstractmethod
from collections import deque
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import ArrayLike

from dosuite.causal import Array, InputError
from dosuite.causal.errors import did_you_mean

from ..logs.expert import expert_log
from ..logs.log import Log
from ..rollouts import Acting

MODES = ("confounded", "randomised", "off", "constant", "lagged")


class View(ABC):
    """How observations of one kind are made noisy, and how an action is shown in them."""

    space: spaces.Space[Any]  # of what is shown

    @abstractmethod
    def show(self, observation: Any, action: int | None, rng: np.random.Generator) -> Any:
        """The observation with noise, and with the action; without it, if that is None."""


class _Numbers(View):
    """A Box of numbers: normal noise on each, and then the action, one-hot."""

    def __init__(self, base: spaces.Box, actions: int, sigma: float, scale: ArrayLike, shown: bool):
        self.spread = _spread(base, sigma, scale).ravel()
        bounds = np.stack([base.low.ravel(), base.high.ravel()])
        self.type = base.dtype if np.issubdtype(base.dtype, np.floating) else np.dtype(np.float32)
        self.actions = np.eye(actions, dtype=self.type)
        shown_bounds = np.tile([[0.0], [1.0]], actions if shown else 0)
        low, high = np.hstack(
            [np.where(self.spread > 0, [[-np.inf], [np.inf]], bounds), shown_bounds]
        ).astype(self.type)
        self.space = spaces.Box(low, high, dtype=self.type.type)

    def show(self, observation: Any, action: int | None, rng: np.random.Generator) -> Array:
        noisy = (
            np.ravel(observation) + self.spread * rng.standard_normal(len(self.spread))
        ).astype(self.type)
        return noisy if action is None else np.append(noisy, self.actions[action])


class _Picture(View):
    """A picture: normal noise on each point, and in its upper left corner a square that is the
    brighter the later the action.

    Channels are the last axis if that has 1, 3 or 4 places, and else the first, as in a stack of
    frames, which all have the square."""

    def __init__(self, base: spaces.Box, actions: int, sigma: float, scale: ArrayLike):
        self.space, self.actions, self.spread = base, actions, _spread(base, sigma, scale)
        channels_first = len(base.shape) == 3 and base.shape[-1] not in (1, 3, 4)
        self.side = max(1, min(base.shape[1:] if channels_first else base.shape[:2]) // 8)
        corner = slice(self.side), slice(self.side)
        self.corner = (slice(None), *corner) if channels_first else corner

    def show(self, observation: Any, action: int | None, rng: np.random.Generator) -> Array:
        noise = self.spread * rng.standard_normal(self.spread.shape)
        picture: Array = np.rint(observation + noise).clip(0, 255).astype(np.uint8)
        if action is not None:
            picture[self.corner] = 255 * (action + 1) // self.actions
        return picture


class _Count(View):
    """A small integer:

    with probability `sigma` replaced by any other or the same, and beside it the action.
    """

    def __init__(self, base: spaces.Discrete, actions: int, sigma: float, shown: bool):
        if sigma > 1:
            raise InputError(
                "sigma is the probability that a number is replaced by another, and got "
                f"{sigma}; take one in [0, 1]"
            )
        self.count, self.sigma = int(base.n), sigma
        self.space = spaces.MultiDiscrete([self.count, actions]) if shown else base

    def show(self, observation: Any, action: int | None, rng: np.random.Generator) -> Any:
        replaced, other = rng.random() < self.sigma, rng.integers(self.count)
        seen = np.int64(other if replaced else observation)
        return seen if action is None else np.array([seen, action])


class CopycatWrapper(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Any environment, seen through noise and with an indicator of the previous action.

    An expert who acts on what is really there repeats itself, so in its log the previous action
    foretells the next one better than a noisy observation does. Who clones it learns to repeat
    himself, and never begins to do what he should.

    A Box of numbers becomes a Box of these, flattened, and the action, one-hot; a picture (a Box of
    bytes with two axes or more) gets a square in a corner; a Discrete becomes a MultiDiscrete of it
    and the action. The actions must be Discrete.

    `mode` is what the indicator shows: the previous action ("confounded"), one drawn uniformly
    ("randomised"), none at all ("off"), always `first_action` ("constant"), or the action `lag`
    steps ago ("lagged"). Before there is one, it shows `first_action`: if not given, the one named
    NOOP, else the middle one, the lower of two. The noise is normal, with standard deviation
    `sigma` times `scale`, which is one number or one for each of the observation, in its unit; of a
    Discrete it is another number with probability `sigma`. Equal seeds give equal noise in every
    mode and whatever is done: it depends on the seed, on how many episodes were since, and on the
    step.

    Raises InputError if the environment has other spaces, or a setting is out of its range.

    Source: de Haan, Jayaraman and Levine (2019), Causal confusion in imitation learning.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        mode: str = "confounded",
        sigma: float = 0.0,
        scale: ArrayLike = 1.0,
        lag: int = 2,
        first_action: int | None = None,
    ):
        RecordConstructorArgs.__init__(
            self, mode=mode, sigma=sigma, scale=scale, lag=lag, first_action=first_action
        )
        gymnasium.Wrapper.__init__(self, env)
        if mode not in MODES:
            raise InputError(f"{mode!r} is not a mode; {did_you_mean(mode, MODES)}")
        if not 0 <= sigma < np.inf or lag < 1:
            raise InputError(
                f"sigma must be at least 0 and lag at least 1, and got {sigma} and {lag}"
            )
        self.mode, self.actions = mode, _choices(env)
        self.first_action = _idle(env, self.actions) if first_action is None else first_action
        if not 0 <= self.first_action < self.actions:
            raise InputError(
                f"first_action must be from 0 to {self.actions - 1}, and got {first_action}"
            )
        self._view = _view(env.observation_space, self.actions, sigma, scale, mode != "off")
        self.observation_space = self._view.space
        self._lag = lag if mode == "lagged" else 1
        self._seed, self._episode = int(np.random.default_rng().integers(2**63)), 0
        self._done: deque[int] = deque(maxlen=self._lag)
        self._clean: Any = None  # the last observation as it was, for experts

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """The first observation of a new episode, and the info of the environment."""
        self._clean, info = self.env.reset(seed=seed, options=options)
        self._seed, self._episode = (self._seed, self._episode + 1) if seed is None else (seed, 0)
        self._noise, self._draws = (
            np.random.default_rng([self._seed, self._episode, stream]) for stream in (0, 1)
        )
        self._done.extend([self.first_action] * self._lag)
        return self._seen(), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """A step of the environment, of which the observation is shown as above."""
        self._clean, reward, terminated, truncated, info = self.env.step(action)
        self._done.append(int(action))
        return self._seen(), reward, terminated, truncated, info

    def _seen(self) -> Any:
        drawn = int(self._draws.integers(self.actions))
        shown = {"off": None, "randomised": drawn, "constant": self.first_action}
        return self._view.show(self._clean, shown.get(self.mode, self._done[0]), self._noise)


class ScatteredStart(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """MountainCar whose episodes begin anywhere: the position uniform in (-1, 0.5), the velocity
    normal, 0.07 its standard deviation.

    The velocity is clipped to what the car can do. Raises InputError if the environment is not
    MountainCar."""

    def __init__(self, env: gymnasium.Env[Any, Any]):
        RecordConstructorArgs.__init__(self)
        gymnasium.Wrapper.__init__(self, env)
        if type(env.unwrapped).__name__ != "MountainCarEnv":
            raise InputError(f"only MountainCar-v0 can begin anywhere, and got {env}")

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """The first observation of a new episode, and an empty dictionary."""
        _, info = self.env.reset(seed=seed, options=options)
        car: Any = self.env.unwrapped
        velocity = np.clip(
            car.max_speed * car.np_random.standard_normal(), -car.max_speed, car.max_speed
        )
        car.state = np.array([car.np_random.uniform(-1.0, 0.5), velocity])
        return car.state.astype(np.float32), info


def copycat_log(env: CopycatWrapper, expert: Acting, rows: int, seed: int) -> Log:
    """The log of an expert who sees the clean observations: what is written down is what the
    wrapper shows.

    As `expert_log`, which says how it is cut. Latents are the clean observations, as `clean`; there
    is no propensity (NaN), for what the expert sees is not in the log. Raises InputError if there
    are to be no rows."""
    return expert_log(env, expert, rows, seed, sight=lambda: env._clean)


def _spread(space: spaces.Box, sigma: float, scale: ArrayLike) -> Array:
    """The standard deviation of the noise on each number of an observation."""
    try:
        return sigma * np.broadcast_to(np.asarray(scale, dtype=float), space.shape)
    except ValueError:
        raise InputError(
            f"the scale must be a number or have the shape {space.shape}, and got {scale!r}"
        ) from None


def _choices(env: gymnasium.Env[Any, Any]) -> int:
    space = env.action_space
    if not isinstance(space, spaces.Discrete) or space.start != 0:
        raise InputError(
            f"the copycat needs actions that are Discrete and begin at 0, and got {space}"
        )
    return int(space.n)


def _idle(env: gymnasium.Env[Any, Any], actions: int) -> int:
    """The action that is named NOOP, or the middle one."""
    meanings: list[str] = getattr(env.unwrapped, "get_action_meanings", list)()
    return meanings.index("NOOP") if "NOOP" in meanings else (actions - 1) // 2


def _view(
    space: spaces.Space[Any], actions: int, sigma: float, scale: ArrayLike, shown: bool
) -> View:
    if isinstance(space, spaces.Discrete) and space.start == 0:
        return _Count(space, actions, sigma, shown)
    if isinstance(space, spaces.Box):
        is_picture = space.dtype == np.uint8 and len(space.shape) >= 2
        return (
            _Picture(space, actions, sigma, scale)
            if is_picture
            else _Numbers(space, actions, sigma, scale, shown)
        )
    raise InputError(
        "the copycat needs observations that are a Box, or Discrete and begin at 0, and got "
        f"{space}"
    )
