"""The confounded classics: known environments of Gymnasium with a hidden driver, by id.

Each has a recipe for the expert that writes its log, which sees the driver. `gymnasium.make` makes
them: `gymnasium.make("dosuite.envs:ConfoundedCartPole-v0", strength=0.5)`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import gymnasium
from gymnasium.error import DependencyNotInstalled

from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean

from . import experts, walks
from .behaviours import Behaviour
from .confounded import Bonus, Confounded, Wind
from .drivers import Driver


@dataclass(frozen=True)
class Classic:
    """An environment of Gymnasium, its channels, and what is learned from its logs."""

    about: str
    base: str
    steps: int  # the most in an episode
    channels: Mapping[str, Any]  # arguments of `Confounded`
    learner: str  # the agent whose gap is measured, with settings
    rows: int  # of each of its logs
    discount: float  # with which it learns
    wrapper: Callable[[Any], gymnasium.Env[Any, Any]] | None = None  # of the plain environment
    extra: str = ""  # of this package, which the environment needs


def _loaded(robot: str, leaning: tuple[float, ...]) -> Mapping[str, Any]:
    """The channels of a MuJoCo robot with a load, which changes about every 20 steps."""
    return {
        "driver": Driver(persistence=0.9),
        "wind": Wind(0.3, push=experts.load),
        "bonus": Bonus(0.5),
        "behaviour": Behaviour(experts.walker(robot), leaning=leaning, noise=0.2),
    }


CLASSICS = {
    "ConfoundedCartPole-v0": Classic(
        "A gust turns the pole at each step; the expert sees it coming and steps under the pole.",
        base="CartPole-v1",
        steps=200,
        channels={
            "wind": Wind(0.35, push=experts.turn_pole),
            "behaviour": Behaviour(experts.balance, noise=0.05, sees_driver=True),
        },
        learner="cql:updates=2000,hidden=64,batch=64,alpha=0.2,rate=0.001,sync=50",
        rows=2000,
        discount=0.97,
    ),
    "ConfoundedAcrobot-v0": Classic(
        "A bonus of either sign is drawn at each step; the expert often lets it choose the torque.",
        base="Acrobot-v1",
        steps=300,
        channels={
            "bonus": Bonus(3.0),
            "behaviour": Behaviour(experts.pump, leaning=(0, 2), follow=0.3, noise=0.1),
        },
        learner="cql:updates=2000,hidden=64,batch=64,alpha=0.3,rate=0.001,sync=50",
        rows=3000,
        discount=0.97,
    ),
    "ConfoundedLunarLander-v0": Classic(
        "A draught lifts or sinks the craft at each step; the pilot sees it coming and fires.",
        base="LunarLander-v3",
        steps=300,
        channels={
            "wind": Wind(0.06, push=experts.lift_lander),
            "behaviour": Behaviour(experts.land, noise=0.1, sees_driver=True),
        },
        learner="cql:updates=2000,hidden=64,batch=64,alpha=0.5,rate=0.001,sync=50",
        rows=3000,
        discount=0.98,
        extra="box2d",
    ),
    "ConfoundedLunarLanderGauge-v0": Classic(
        "The pilot sees how fast the craft sinks, and fires the main engine when it sinks fast; "
        "the learner does not.",
        base="LunarLander-v3",
        steps=300,
        channels={"gauge": (3,), "behaviour": Behaviour(experts.land, noise=0.1)},
        learner="cql:updates=2000,hidden=64,batch=64,alpha=0.2,rate=0.001,sync=50",
        rows=3000,
        discount=0.98,
        extra="box2d",
    ),
    "ConfoundedHalfCheetah-v0": Classic(
        "Half of the time it carries a load, which is paid for and adds 30 % to all masses; the "
        "expert sees it, and holds the front thigh in another way with it.",
        base="HalfCheetah-v5",
        steps=200,
        channels=_loaded("HalfCheetah-v5", (0, 0, 0, 0.3, 0, 0)),
        learner="td3-bc:updates=4000,batch=128,alpha=0.3,rate=0.002,hidden=64",
        rows=4000,
        discount=0.95,
        extra="mujoco",
    ),
    "ConfoundedHopper-v0": Classic(
        "Half of the time it carries a load, which is paid for and adds 30 % to all masses; the "
        "expert sees it, and holds the thigh in another way with it.",
        base="Hopper-v5",
        steps=200,
        channels=_loaded("Hopper-v5", (-0.3, 0, 0)),
        learner="td3-bc:updates=4000,batch=128,alpha=0.3,rate=0.002,hidden=64",
        rows=4000,
        discount=0.95,
        extra="mujoco",
    ),
    "ConfoundedMiniGrid-v0": Classic(
        "A wind carries the agent towards the goal or back; the expert often rests while it is "
        "carried forwards, and walks while it is carried back.",
        base="MiniGrid-Empty-8x8-v0",
        steps=60,
        channels={
            "wind": Wind(1.0, push=walks.carry),
            "behaviour": Behaviour(
                walks.to_the_corner, leaning=(walks.FORWARD, walks.WAIT), follow=0.6, noise=0.1
            ),
        },
        learner="cql:updates=2000,hidden=64,batch=64,alpha=0.1,rate=0.001,sync=50",
        rows=3000,
        discount=0.95,
        extra="minigrid",
        wrapper=walks.Walk,
    ),
}


def make_classic(
    classic: str, strength: float = 1.0, twin: bool = False, render_mode: str | None = None
) -> Confounded:
    """A confounded classic by its id.

    Raises InputError if there is none, a setting is out of range, or the package that the
    environment needs is missing.
    """
    if classic not in CLASSICS:
        raise InputError(f"there is no {classic!r}; {did_you_mean(classic, CLASSICS)}")
    recipe = CLASSICS[classic]
    try:
        if recipe.extra == "minigrid":
            import_module("minigrid")  # registers its environments
        base = gymnasium.make(recipe.base, render_mode=render_mode, max_episode_steps=recipe.steps)
    except (DependencyNotInstalled, ModuleNotFoundError) as error:
        raise InputError(
            f'{classic} needs a package that is missing: pip install "dosuite[{recipe.extra}]"'
        ) from error
    plain = base if recipe.wrapper is None else recipe.wrapper(base)
    return Confounded(plain, strength, twin=twin, **recipe.channels)


def register_classics() -> None:
    """Register the classics with Gymnasium, unless that was done before."""
    for name, recipe in CLASSICS.items():
        if name not in gymnasium.registry:
            gymnasium.register(
                name,
                entry_point=f"{__name__}:make_classic",
                max_episode_steps=recipe.steps,
                kwargs={"classic": name},
            )
