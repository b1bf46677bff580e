"""Logs of a confounded environment: of its behaviour, and of an experimenter who does not see U."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from dosuite.causal import Array, InputError
from dosuite.causal.arrays import Floats
from dosuite.causal.counts import whole_number

from ..logs.expert import expert_log
from ..logs.log import Log
from ..rollouts import Acting
from ..spaces import choices
from .behaviours import Behaviour
from .confounded import BEHAVIOUR, UNIFORM, Confounded

CONTINUOUS = "NaN, since the action is continuous"
GAUGED = "NaN, since a hidden gauge would have to be summed out"
LASTING = "NaN, since the observation tells of a driver that lasts, by an unknown law"
UNKNOWN = "NaN, since the law of the experimenter is not known"
EXACT = "exact"


def confounded_log(env: gymnasium.Env[Any, Any], rows: int, seed: int) -> Log:
    """The log of the behaviour, which sees the clean observation and U, `rows` rows long.

    Latents are the clean observations, `clean` (n, numbers), and U, `driver` (n,). The propensity
    is P(action | clean observation) with U summed out, where the observation shows everything but
    U and U is drawn anew at each step; elsewhere it is NaN, and `log.origin["propensity"]` says
    why. Raises InputError if the environment is not a `Confounded` one, which wrappers that keep
    observations and actions may surround, if it has no behaviour, or as `expert_log` does.
    """
    env = _within(env)
    if env.behaviour is None:
        raise InputError("a confounded log needs a behaviour: Confounded(env, behaviour=...)")
    return _log(env, env.sight, _behaving(env, env.behaviour, seed), rows, seed, regime=0)


def experiment_log(
    env: gymnasium.Env[Any, Any],
    rows: int,
    seed: int,
    experimenter: Acting | str = "placebo",
) -> Log:
    """The log of an experimenter, who does not see U; its regime is 1.

    `experimenter` is one of

    - "placebo": the behaviour, with a process of the law of U in place of U, so that actions have
      the law of the log and no effect of U on them. It sees what the gauges show, no more;
    - "uniform": uniform actions;
    - a function from observations (n, ...) to actions.

    Latents and propensity are those of `confounded_log`. Raises InputError at another experimenter.
    """
    env = _within(env)
    acting: Acting
    if not isinstance(experimenter, str):

        def acting(sights: Array) -> Array:
            return np.asarray(experimenter(env.sensed(sights)[0]))

    elif experimenter == "uniform":
        acting = _uniform(env, seed)
    elif experimenter == "placebo" and env.behaviour is not None:
        acting = _behaving(env, env.behaviour, seed)
    else:
        raise InputError(
            f"the experimenter is 'uniform', a function, or 'placebo' where there is a behaviour, "
            f"and is {experimenter!r}"
        )
    is_placebo = experimenter == "placebo"
    log = _log(env, env.placebo, acting, rows, seed, regime=1)
    if is_placebo:
        return log
    uniform = np.full(rows, np.nan)
    about = UNKNOWN if isinstance(env.action_space, spaces.Discrete) else CONTINUOUS
    if experimenter == "uniform" and isinstance(env.action_space, spaces.Discrete):
        uniform, about = np.full(rows, 1 / choices(env.action_space)), EXACT
    columns = {**log.columns, "propensity": uniform}
    return replace(log, columns=columns, origin={**log.origin, "propensity": about})


def _within(env: Any) -> Confounded:
    """The confounded environment inside its wrappers."""
    while isinstance(env, gymnasium.Wrapper):
        if isinstance(env, Confounded):
            return env
        env = env.env
    raise InputError(f"the log is of a Confounded environment, and got {env}")


def _log(
    env: Confounded,
    sight: Callable[[], Floats],
    acting: Acting,
    rows: int,
    seed: int,
    regime: int,
) -> Log:
    """A log with its regime, propensity and latents."""
    hidden: list[Floats] = []

    def recorded() -> Floats:
        hidden.append(env.sight())
        return sight()

    log = expert_log(env, acting, rows, seed, sight=recorded)
    truth = np.stack(hidden)
    clean, _ = env.sensed(truth)
    columns = dict(log.columns)
    columns["regime"] = np.full(rows, regime, dtype=np.int8)
    columns["propensity"], about = _propensity(env, clean, columns["action"])
    latents = {"clean": truth[:, :-1], "driver": truth[:, -1]}
    origin = {**log.origin, "propensity": about}
    return replace(log, columns=columns, latents=latents, origin=origin)


def _propensity(env: Confounded, clean: Array, actions: Array) -> tuple[Floats, str]:
    """P(action | observation) in each row, (n,), and whether it is exact or why it is NaN."""
    reason = _no_propensity(env)
    if reason or env.behaviour is None:
        return np.full(len(actions), np.nan), reason
    law = np.zeros((len(actions), choices(env.action_space)))
    for sign in (-1.0, 1.0):
        signs = np.full(len(actions), sign)
        law += env.behaviour.law(clean, signs, choices(env.action_space)) / 2
    return law[np.arange(len(actions)), actions.astype(int)], EXACT


def _no_propensity(env: Confounded) -> str:
    if not isinstance(env.action_space, spaces.Discrete):
        return CONTINUOUS
    if len(env.gauge) and env.strength:
        return GAUGED
    sees_size = (
        env.behaviour is not None and env.behaviour.sees_driver and env.driver.kind != "bernoulli"
    )
    return LASTING if env.driver.persistence or sees_size else ""


def _behaving(env: Confounded, behaviour: Behaviour, seed: int) -> Acting:
    """The behaviour as a function of sights (n, numbers + 1)."""
    rng = np.random.default_rng([whole_number("seed", seed, 0), 0, BEHAVIOUR])
    return lambda sights: behaviour.act(*env.sensed(sights), env.action_space, rng)


def _uniform(env: Confounded, seed: int) -> Acting:
    """Uniform actions, as a function of sights (n, numbers + 1)."""
    rng = np.random.default_rng([whole_number("seed", seed, 0), 0, UNIFORM])
    space: Any = env.action_space
    if isinstance(space, spaces.Box):
        return lambda sights: rng.uniform(space.low, space.high, (len(sights), *space.shape))
    return lambda sights: rng.integers(choices(space), size=len(sights))
