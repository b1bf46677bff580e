"""Any Gymnasium environment with a hidden driver, which the log's behaviour policy sees.

The driver U moves the reward or the dynamics, and the behaviour acts on it, so that in the log an
action goes with what U did. A learner that takes the log for an experiment is misled:

    lean = Behaviour(balance, leaning=(0, 1), follow=0.5, noise=0.1)
    env = Confounded("CartPole-v1", bonus=Bonus(5.0), behaviour=lean)
    log = confounded_log(env, rows=10_000, seed=0)
    experiment = experiment_log(env, rows=10_000, seed=0)  # the same actions, but not led by U
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from dosuite.causal import Array, InputError
from dosuite.causal.arrays import Floats
from dosuite.causal.counts import whole_number

from .behaviours import Behaviour
from .drivers import Driver

# The streams of random numbers [seed, episode, stream]. None is 0: zeros at the end do not count,
# so that the stream [seed, 0, 0] would be that of the environment itself.
STEPS, GAUGES, PLACEBO, BEHAVIOUR, UNIFORM = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class Bonus:
    """The reward channel: size * (U + agreement * [the action agrees with U]) is added.

    Whether an action agrees with U is for the behaviour to say: see `Behaviour.agrees`.
    """

    size: float
    agreement: float = 0.0


@dataclass(frozen=True)
class Wind:
    """The channel of dynamics: U pushes the action, or the state, at each step.

    A `push` is called with the bare environment and the force strength * size * U before the step.
    Without it the wind pushes the action. In a Box the force times `toward` is added, one number or
    one for each number of the action. A Discrete action is replaced, with probability
    strength * size, by toward[0] if U < 0 and by toward[1] if U > 0.
    """

    size: float
    toward: Sequence[float] | float = 1.0
    push: Callable[[Any, float], None] | None = None


class Confounded(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """An environment with Discrete actions or a Box of them, and a hidden driver U.

    `strength` in [0, 1] is the dial of all channels: at 0 the environment is the plain one, step by
    step. The channels are

    - `bonus`: see `Bonus`;
    - `wind`: see `Wind`;
    - `gauge`: the places, in the flat observation, of numbers that only the behaviour sees. At each
      step each of them shows 0, or the bound nearest to 0, with probability `strength`.

    With `twin` the bonus follows the action: after it, U is drawn given the action and the past, by
    the law that the log of the environment shows. The log of the twin therefore has the same law,
    and an action brings the bonus that it only went with. It is there for the bonus alone.

    The observation is otherwise that of the environment, and `info` is empty, since it might tell
    of U or of what a gauge hides. The driver is a function of the seed, the number of episodes
    since that seed, and the step; equal seeds give equal U for all actions and strengths.

    Raises InputError if the spaces or a setting do not fit.

    Source: for U that confounds a policy's log, Zhang and Bareinboim (2016), Markov decision
    processes with unobserved confounders.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any] | str,
        strength: float = 1.0,
        driver: Driver = Driver(),  # noqa: B008, it is frozen
        bonus: Bonus | None = None,
        wind: Wind | None = None,
        gauge: Sequence[int] = (),
        behaviour: Behaviour | None = None,
        twin: bool = False,
    ):
        RecordConstructorArgs.__init__(
            self,
            _disable_deepcopy=True,
            strength=strength,
            driver=driver,
            bonus=bonus,
            wind=wind,
            gauge=gauge,
            behaviour=behaviour,
            twin=twin,
        )
        if isinstance(env, str):
            env = gymnasium.make(env)
        gymnasium.Wrapper.__init__(self, env)
        self.strength, self.driver, self.twin = float(strength), driver, twin
        self.bonus, self.wind, self.behaviour = bonus, wind, behaviour
        self.gauge = np.array([whole_number("a gauge", place, 0) for place in gauge], dtype=int)
        _check(self)
        self._seed = int(np.random.default_rng().integers(2**63))
        self._episode = 0  # since the last seed
        self._clean: Any = None  # the last observation, with its gauges
        self._seen: Any = None  # the same without them

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """The first observation of a new episode, and an empty dictionary."""
        self._clean, _ = self.env.reset(seed=seed, options=options)
        if seed is None:
            self._episode += 1
        else:
            self._seed, self._episode = seed, 0
        self._streams = {
            stream: np.random.default_rng([self._seed, self._episode, stream])
            for stream in (STEPS, GAUGES, PLACEBO)
        }
        self._before: float | None = None  # the driver of the last step
        self._placebo: float | None = None  # of the last step
        self._draw()
        self._seen = self._shown()
        return self._seen, {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """A step of the environment, with the channels."""
        paid = self._posterior(action) if self.twin else self._now
        executed = self._executed(action)
        clean, reward, terminated, truncated, _ = self.env.step(executed)
        if self.bonus is not None:
            reward = float(reward) + self.strength * self._paid(action, paid)
        self._clean, self._before = clean, paid
        self._draw()
        self._seen = self._shown()
        return self._seen, reward, terminated, truncated, {}

    def sight(self) -> Floats:
        """What the behaviour acts on: the clean observation, flat, and U, (numbers + 1,)."""
        return np.append(np.ravel(self._clean).astype(float), self._now)

    def placebo(self) -> Floats:
        """What an experimenter acts on: the observation, flat, and a process in place of U.

        The process has the law of U and moves nothing.
        """
        return np.append(np.ravel(self._seen).astype(float), [self._placebo or 0.0])

    def sensed(self, sights: Floats) -> tuple[Array, Floats]:
        """Rows of `sight` as clean observations (n, ...) of their space, and U (n,)."""
        space = self.observation_space
        clean = sights[:, :-1].reshape(len(sights), *(space.shape or ()))
        return clean.astype(space.dtype), sights[:, -1]

    def _draw(self) -> None:
        """U and the placebo of the next step, and the random numbers of its channels."""
        uniform, self._chance, self._gust = self._streams[STEPS].random(3)
        self._now = self.driver.drawn(self._before, uniform)
        self._placebo = self.driver.drawn(self._placebo, self._streams[PLACEBO].random())

    def _posterior(self, action: Any) -> float:
        """U given the action and the past, by the law of the log."""
        assert self.behaviour is not None
        clean, _ = self.sensed(np.repeat(self.sight()[None], 2, 0))
        signs = np.array([-1.0, 1.0])
        likelihood = self.behaviour.likelihood(clean, signs, action, self.action_space)
        positive = self.driver.positive(self._before)
        weights = np.array([1 - positive, positive]) * likelihood
        if weights.sum() > 0:
            positive = weights[1] / weights.sum()
        # one uniform number for the sign and, within it, the size
        if self._chance >= 1 - positive:
            left = (self._chance - (1 - positive)) / positive
            return self.driver.drawn_with_sign(self._before, True, left)
        return self.driver.drawn_with_sign(self._before, False, self._chance / (1 - positive))

    def _executed(self, action: Any) -> Any:
        """The action after the wind; the state is pushed, too."""
        space, wind = self.env.action_space, self.wind
        force = 0.0 if wind is None else self.strength * wind.size * self._now
        if wind is not None and wind.push is not None and force:
            wind.push(self.env.unwrapped, force)
        on_action = wind is not None and wind.push is None and force != 0
        if isinstance(space, spaces.Box):
            pushed = np.asarray(action, dtype=float)
            if wind is not None and on_action:
                pushed = pushed + force * np.asarray(wind.toward)
            return np.clip(pushed, space.low, space.high).astype(space.dtype)
        if wind is not None and on_action and self._gust < self.strength * wind.size:
            return int(np.ravel(wind.toward)[int(self._now > 0)])
        return action

    def _paid(self, action: Any, driver: float) -> float:
        assert self.bonus is not None
        agrees = self.bonus.agreement and self.behaviour and self.behaviour.agrees(action, driver)
        return self.bonus.size * (driver + (self.bonus.agreement if agrees else 0.0))

    def _shown(self) -> Any:
        if not len(self.gauge) or not self.strength:
            return self._clean
        is_hidden = self._streams[GAUGES].random(len(self.gauge)) < self.strength
        space: Any = self.observation_space
        shown = np.array(self._clean)
        for place in self.gauge[is_hidden]:
            shown.flat[place] = np.clip(0, space.low.flat[place], space.high.flat[place])
        return shown


def _check(env: Confounded) -> None:
    """Raise InputError at a space or a setting that does not fit."""
    seen, acted = env.observation_space, env.action_space
    starts_at_0 = isinstance(seen, spaces.Discrete) and seen.start == 0
    if not isinstance(seen, spaces.Box) and not starts_at_0:
        raise InputError(f"the observations must be a Box or Discrete from 0 on, and are {seen}")
    is_flat_box = isinstance(acted, spaces.Box) and len(acted.shape) == 1
    if not is_flat_box and not (isinstance(acted, spaces.Discrete) and acted.start == 0):
        raise InputError(
            "Confounded needs actions that are Discrete and begin at 0, or a Box with one axis, "
            f"and got {acted}"
        )
    if not 0 <= env.strength <= 1:
        raise InputError(f"strength must be in [0, 1], and got {env.strength}")
    if len(env.gauge):
        size = int(np.prod(seen.shape)) if isinstance(seen, spaces.Box) else 0
        if env.gauge.max() >= size:
            raise InputError(f"the gauges must be places below {size}, and are {env.gauge}")
    if env.behaviour is not None:
        env.behaviour.check(acted)
    if env.wind is not None and env.wind.push is None:
        _check_wind(env.wind, acted)
    if env.bonus is not None and env.bonus.agreement and env.behaviour is None:
        raise InputError("a bonus with an agreement needs the behaviour, which leans to actions")
    if env.twin:
        _check_twin(env)


def _check_wind(wind: Wind, acted: Any) -> None:
    if isinstance(acted, spaces.Box):
        if np.broadcast_shapes(np.shape(wind.toward), acted.shape) != acted.shape:
            raise InputError(f"the wind must blow toward numbers {acted.shape}: {wind.toward}")
        return
    pair = np.ravel(wind.toward)
    if len(pair) != 2 or not all(map(acted.contains, pair)) or not 0 <= wind.size <= 1:
        raise InputError(
            f"the wind on actions of {acted} must blow toward two of them, for U < 0 and for "
            f"U > 0, with a size in [0, 1], and is {wind}"
        )


def _check_twin(env: Confounded) -> None:
    if env.bonus is None or env.wind is not None or env.behaviour is None:
        raise InputError("there is a twin for a bonus and its behaviour alone, without a wind")
    reads_size = env.behaviour.sees_driver or isinstance(env.action_space, spaces.Box)
    if reads_size and env.driver.kind != "bernoulli":
        raise InputError(
            "the twin of a behaviour that reads the size of U needs the driver bernoulli"
        )
