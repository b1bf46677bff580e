"""The copycat: any Gymnasium environment, with noisy observations that show the previous action.

The log of an expert shows the previous action, which predicts the next one. A clone of
MountainCar's expert is right more often with that indicator than with `mode="off"`, and earns less:

    noise = {"mode": "confounded", "sigma": 0.5, "scale": (0.1, 0.02)}
    car = gymnasium.make("MountainCar-v0")
    env = CopycatWrapper(ScatteredStart(car), **noise)
    log = copycat_log(env, lambda clean: drive(clean[:, 1]), rows=10_000, seed=0)
    clone = make_agent("bc:hidden=50,updates=4000").learn(log.view(rng), rng)
    policy = lambda observations: clone.probabilities(observations).argmax(1)
    estimated_value(CopycatWrapper(car, **noise), policy, episodes=60, seed=0)
"""

from collections import deque
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import ArrayLike

from dosuite.causal import InputError
from dosuite.causal.counts import whole_number
from dosuite.causal.errors import did_you_mean

from ..logs.expert import expert_log
from ..logs.log import Log
from ..rollouts import Acting
from .noisy_views import noisy_view

MODES = ("confounded", "randomised", "off", "constant", "lagged")


class CopycatWrapper(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Any environment with Discrete actions, with noise and an indicator of the previous action.

    An expert who sees the clean state often repeats its action. In its log the previous action
    therefore predicts the next one better than a noisy observation does. A clone of the expert
    learns to repeat itself, and fails to begin what it should do.

    A Box of numbers becomes a flat Box of the numbers and the action, one-hot. An image (a Box of
    bytes with two axes or more) gets a square in a corner. A Discrete becomes a MultiDiscrete of
    the observation and the action.

    `mode` says which action the indicator shows:

    - "confounded": the previous action;
    - "lagged": the action `lag` steps ago;
    - "randomised": one drawn uniformly;
    - "constant": always `first_action`;
    - "off": none; there is no indicator.

    Where there is no such action yet, the indicator shows `first_action`: by default the action
    named NOOP, or else the middle one (of two, the lower). The noise is normal, with standard
    deviation `sigma` times `scale`; `scale` is one number, or one for each number of the
    observation, in its unit. A Discrete is replaced by a uniform value with probability `sigma`.
    The noise is a function of the seed, the number of episodes since that seed, and the step: equal
    seeds give equal noise in every mode and for all actions.

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
        if not 0 <= sigma < np.inf:
            raise InputError(f"sigma must be at least 0, and got {sigma}")
        lag = whole_number("lag", lag, 1)
        self.mode = mode
        self.actions = _number_of_actions(env)
        if first_action is None:
            self.first_action = _idle(env, self.actions)
        else:
            self.first_action = whole_number("first_action", first_action)
        if not 0 <= self.first_action < self.actions:
            raise InputError(
                f"first_action must be from 0 to {self.actions - 1}, and got {first_action}"
            )
        shown = mode != "off"
        self._view = noisy_view(env.observation_space, self.actions, sigma, scale, shown)
        self.observation_space = self._view.space
        self._lag = lag if mode == "lagged" else 1
        self._last_actions: deque[int] = deque(maxlen=self._lag)
        self._seed = int(np.random.default_rng().integers(2**63))
        self._episode = 0  # since the last seed
        self._clean: Any = None  # the last observation without noise

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """The first observation of a new episode, and the info of the environment."""
        self._clean, info = self.env.reset(seed=seed, options=options)
        if seed is None:
            self._episode += 1
        else:
            self._seed, self._episode = seed, 0
        # not ending with 0: NumPy drops zeros, and would draw what the environment draws
        self._random_actions = np.random.default_rng([self._seed, self._episode, 1])
        self._noise = np.random.default_rng([self._seed, self._episode, 2])
        self._last_actions.extend([self.first_action] * self._lag)
        return self._observe(), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """A step of the environment, with the noisy observation."""
        self._clean, reward, terminated, truncated, info = self.env.step(action)
        self._last_actions.append(int(action))
        return self._observe(), reward, terminated, truncated, info

    def _observe(self) -> Any:
        random_action = int(self._random_actions.integers(self.actions))  # drawn in every mode
        shown: int | None
        if self.mode == "off":
            shown = None
        elif self.mode == "randomised":
            shown = random_action
        elif self.mode == "constant":
            shown = self.first_action
        else:
            shown = self._last_actions[0]
        return self._view.show(self._clean, shown, self._noise)


class ScatteredStart(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """MountainCar whose episodes begin anywhere.

    The first position is uniform on (-1, 0.5). The first velocity is normal with standard deviation
    0.07, clipped to the car's highest speed. Raises InputError if the environment is not
    MountainCar.
    """

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
        fastest = car.max_speed
        velocity = np.clip(fastest * car.np_random.standard_normal(), -fastest, fastest)
        car.state = np.array([car.np_random.uniform(-1.0, 0.5), velocity])
        return car.state.astype(np.float32), info


def copycat_log(env: CopycatWrapper, expert: Acting, rows: int, seed: int) -> Log:
    """The log of an expert who acts on the clean observations, with the observations that `env`
    shows.

    Latents are the clean observations, as `clean`. The propensity is NaN, since the log does not
    show what the expert acts on. See `expert_log` for how the log is cut and for errors.
    """
    return expert_log(env, expert, rows, seed, sight=lambda: env._clean)


def _number_of_actions(env: gymnasium.Env[Any, Any]) -> int:
    space = env.action_space
    if not isinstance(space, spaces.Discrete) or space.start != 0:
        raise InputError(
            f"the copycat needs actions that are Discrete and begin at 0, and got {space}"
        )
    return int(space.n)


def _idle(env: gymnasium.Env[Any, Any], actions: int) -> int:
    """The action that is named NOOP, or the middle one."""
    get_meanings = getattr(env.unwrapped, "get_action_meanings", None)
    meanings: list[str] = [] if get_meanings is None else get_meanings()
    return meanings.index("NOOP") if "NOOP" in meanings else (actions - 1) // 2
