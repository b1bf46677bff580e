"""Worlds that are no structural causal model, or any environment of Gymnasium: logs of experts in them, and values by trying.

What a policy earns there is not computed but estimated from episodes, which have the same seeds for every policy.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Self

import gymnasium
import numpy as np
from numpy.typing import NDArray

from confoundry.causal import Array, InputError

from .log import Log
from .picture import Pixels
from .rendering import FPS, MODES, Window, check_mode, warn_of_no_mode

Acting = Callable[[Array], Array]  # from observations (n, ...) to actions (n,)


class OpaqueWorld(gymnasium.Env[Any, Any]):
    """An environment whose dynamics are opaque: there are neither exact answers nor a twin, and its values are estimated.

    A subclass draws itself in `picture`, and calls `show` at the end of `reset` and of `step`. The render modes are those of
    `CausalEnv`. Raises InputError at another one.
    """

    metadata = {"render_modes": MODES, "render_fps": FPS}  # noqa: RUF012
    version: ClassVar[int] = 0
    horizon: int  # steps in an episode

    def __init__(self, render_mode: str | None):
        check_mode(render_mode)
        self.render_mode = render_mode
        self._window = Window()

    @classmethod
    def id(cls) -> str:
        """The name under which it is registered with Gymnasium."""
        return f"{cls.__name__}-v{cls.version}"

    def picture(self) -> Pixels:
        """What the world looks like: (height, width, 3)."""
        raise NotImplementedError

    def show(self) -> None:
        """In the mode "human", show the picture in the window."""
        if self.render_mode == "human":
            self._window.show(self.picture())

    def render(self) -> NDArray[np.uint8] | None:
        """The picture; in the mode "human", None and a window."""
        if self.render_mode is None:
            warn_of_no_mode()
            return None
        if self.render_mode == "rgb_array":
            return self.picture()
        self.show()
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        self._window.close()


class EstimatedValue(NamedTuple):
    """A mean return, estimated from episodes, and its standard error."""

    value: float
    std_error: float

    @classmethod
    def of(cls, returns: Array) -> Self:
        """The mean of the returns of episodes, (n,). Raises InputError if there are fewer than 2."""
        if len(returns) < 2:
            raise InputError(f"a standard error needs 2 episodes or more, and got {len(returns)}")
        return cls(float(returns.mean()), float(returns.std(ddof=1) / np.sqrt(len(returns))))


def seeds_of_episodes(episodes: int, seed: int) -> list[int]:
    """The seeds of so many episodes, the same for every policy."""
    return [int(own) for own in np.random.SeedSequence(seed).generate_state(episodes)]


def estimated_value(env: gymnasium.Env[Any, Any], policy: Acting, episodes: int, seed: int) -> EstimatedValue:
    """The mean undiscounted return of a policy. Episode i has the same seed for every policy, so that differences are paired.

    Raises InputError if there are fewer than 2 episodes.
    """
    returns = np.zeros(max(episodes, 0))
    for number, own in enumerate(seeds_of_episodes(len(returns), seed)):
        observation, _ = env.reset(seed=own)
        over = False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(_choice(policy, observation))
            returns[number] += float(reward)
            over = terminated or truncated
    return EstimatedValue.of(returns)


def expert_log(env: gymnasium.Env[Any, Any], expert: Acting, rows: int, seed: int, sight: Callable[[], Any] | None = None) -> Log:
    """The log of an expert in any environment of Gymnasium whose actions are whole numbers.

    The last episode is cut, and truncated, after `rows` steps in all. The expert sees what the environment shows, so the
    propensity is 1; or what `sight` gives, which then is in the latents, as `clean`, and the propensity is NaN. Raises
    InputError if there are to be no rows.
    """
    if rows < 1:
        raise InputError(f"a log needs 1 row or more, and got {rows}")
    columns: dict[str, list[Any]] = defaultdict(list)
    episode = longest = 0
    while len(columns["reward"]) < rows:
        observation, _ = env.reset(seed=None if episode else seed)
        step, over = 0, False
        while not over:
            clean = observation if sight is None else sight()
            action = _choice(expert, clean)
            following, reward, terminated, truncated, _ = env.step(action)
            cut = len(columns["reward"]) + 1 == rows and not terminated
            row = {"episode": episode, "step": step, "observation": observation, "action": action, "reward": float(reward)}
            row |= {"next_observation": following, "terminated": terminated, "truncated": truncated or cut, "clean": clean}
            for name, entry in row.items():
                columns[name].append(entry)
            observation, step, over = following, step + 1, terminated or truncated or cut
        episode, longest = episode + 1, max(longest, step)
    arrays = {name: np.stack(column) for name, column in columns.items()}
    clean = arrays.pop("clean")
    arrays |= {"regime": np.zeros(rows, dtype=np.int8), "propensity": np.full(rows, 1.0 if sight is None else np.nan)}
    origin = {"environment": str(env), "seed": seed, "rows": rows}
    latents = {} if sight is None else {"clean": clean}
    return Log(arrays, (), env.observation_space, env.action_space, _horizon(env) or longest, 1.0, origin, latents)


def _choice(policy: Acting, observation: Any) -> int:
    return int(policy(np.asarray(observation)[None])[0])


def _horizon(env: gymnasium.Env[Any, Any]) -> int | None:
    """How many steps an episode has at most, where the environment says so."""
    if isinstance(env.unwrapped, OpaqueWorld):
        return env.unwrapped.horizon
    return env.spec.max_episode_steps if env.spec else None
