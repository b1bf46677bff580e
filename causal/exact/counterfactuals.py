"""Counterfactuals of discrete one-step models: the same units in several worlds at once, exactly.

Worlds that share units share the noise of each variable. The joint law of a variable in two worlds,
given its causes in both, is not identified, not even by experiments in both: it is chosen by a
`coupling`, described in `couplings`. The default is that of `SCM.sample`. Given these joint laws,
abduction, action and prediction are one sum of products over both worlds, a twin network.

Source: Balke and Pearl (1994); Pearl, Causality (2009), section 7.1.
"""

from collections.abc import Sequence
from itertools import product
from typing import Literal, NamedTuple, overload

import numpy as np

from ..arrays import Floats
from ..errors import InputError
from ..graphs.names import Names, flat_names, one_name
from ..model.scm import SCM, check_model
from .couplings import Coupling, PointCoupling, check_coupling
from .decision_process import Process
from .queries import Given, check_names, checked_given, expectation
from .twin_network import Event, Worlds

Interval = tuple[float, float]


def counterfactual(
    model: SCM,
    world: SCM,
    *names: Names,
    given: Given | None = None,
    coupling: Coupling = "quantile",
) -> Floats:
    """P(names in `world` | given in `model`), such as P(y had x been 1 | x=0, y=0).

    Names come one by one or in a list. It has an axis for each name, in the order of
    `world.tables.support`. `world` is `model.do(...)`, a shift, or any other model whose variables
    share the noise of equal names.

    `coupling` is an assumption about this noise: "quantile", "gumbel-max", or "bounds", which
    assumes nothing and adds a last axis (low, high), sharp for each entry. Raises InputError as
    `Worlds` does.
    """
    return Worlds(model, world, coupling=coupling).distribution(
        *((1, name) for name in flat_names(names)), given=_in_first(given)
    )


@overload
def counterfactual_mean(
    model: SCM,
    world: SCM,
    name: str,
    given: Given | None = None,
    coupling: PointCoupling = "quantile",
) -> float: ...


@overload
def counterfactual_mean(
    model: SCM,
    world: SCM,
    name: str,
    given: Given | None = None,
    *,
    coupling: Literal["bounds"],
) -> Interval: ...


def counterfactual_mean(
    model: SCM,
    world: SCM,
    name: str,
    given: Given | None = None,
    coupling: Coupling = "quantile",
) -> float | Interval:
    """E[name in `world` | given in `model`]; with the coupling "bounds" its sharp (low, high)."""
    name = one_name(name, "a mean")
    if coupling == "bounds":
        return Worlds(model, world, coupling=coupling).mean_bounds(
            (1, name), given=_in_first(given)
        )
    law = counterfactual(model, world, name, given=given, coupling=coupling)
    return float(law @ world.tables.support(name))


def _in_first(given: Given | None) -> dict[Event, float]:
    return {(0, name): value for name, value in checked_given(given).items()}


@overload
def effect_on_treated(
    model: SCM, treated: float = 1, control: float = 0, coupling: PointCoupling = "quantile"
) -> float: ...


@overload
def effect_on_treated(
    model: SCM, treated: float = 1, control: float = 0, *, coupling: Literal["bounds"]
) -> Interval: ...


def effect_on_treated(
    model: SCM, treated: float = 1, control: float = 0, coupling: Coupling = "quantile"
) -> float | Interval:
    """The effect of treatment on those who take it, in the unit of the reward:

    E[reward - reward had the action been `control` | action = treated]; with the coupling "bounds"
    its sharp (low, high).
    """
    check_model(model)
    given = {model.action: treated}
    factual = expectation(model, model.reward, given)
    world = model.do(**{model.action: control})
    if coupling == "bounds":
        low, high = counterfactual_mean(model, world, model.reward, given, coupling=coupling)
        return factual - high, factual - low
    return factual - counterfactual_mean(model, world, model.reward, given, coupling)


class Effects(NamedTuple):
    """Effects on the reward of moving the action from one value to another, in its unit."""

    total: float
    direct: float  # natural: the mediators stay as they would have been
    indirect: float  # natural: only the mediators move


def natural_effects(
    model: SCM,
    *mediators: Names,
    treated: float = 1,
    control: float = 0,
    coupling: PointCoupling = "quantile",
) -> Effects:
    """The effect of `treated` instead of `control`, and its parts past and through the mediators.

    The coupling matters if a variable that the action moves causes both mediator and reward. Raises
    InputError if the model has more than one step, a name is not a variable or the coupling is
    "bounds".

    Source: Pearl (2001), definitions 5 and 6.
    """
    between = flat_names(mediators)
    check_names(model, between)
    _check_point(coupling, "natural effects")
    acted = {value: model.do(**{model.action: value}) for value in (treated, control)}
    nothing = expectation(acted[control], model.reward)
    direct = _nested_mean(acted[treated], acted[control], between, coupling)
    indirect = _nested_mean(acted[control], acted[treated], between, coupling)
    total = expectation(acted[treated], model.reward)
    return Effects(total - nothing, direct - nothing, indirect - nothing)


def _nested_mean(
    world: SCM, other: SCM, mediators: Sequence[str], coupling: PointCoupling
) -> float:
    """The mean reward in `world` if the mediators do what they would do in the other."""
    total = 0.0
    for values in product(*(other.tables.support(name) for name in mediators)):
        held = world.do(**dict(zip(mediators, values, strict=True)))
        joint = Worlds(other, held, coupling=coupling).joint(
            (1, world.reward),
            given={(0, name): value for name, value in zip(mediators, values, strict=True)},
        )
        total += float(joint @ held.tables.support(world.reward))
    return total


def counterfactual_process(model: SCM, coupling: PointCoupling = "quantile") -> Process:
    """The reward of each action given the context and the intent, the action about to be taken.

    The contexts of the process are (context, intent). Its plan is the best policy that sees its
    intent; with the default coupling `model.with_intent()` has the same process. Rewards in
    contexts with `visits` 0, which never occur, are meaningless. Raises InputError as `Worlds`
    does, or if the coupling is "bounds".
    """
    check_model(model)
    _check_point(coupling, "a process")
    observed = [(0, name) for name in (*model.contexts, model.action)]
    start = Worlds(model).joint(*observed).ravel()
    gains = []
    for act in model.tables.support(model.action):
        world = model.do(**{model.action: act})
        joint = Worlds(model, world, coupling=coupling).joint(*observed, (1, model.reward))
        gains.append((joint @ world.tables.support(model.reward)).ravel())
    gain, count = np.stack(gains, axis=1), len(gains)
    visits = np.repeat(start[:, None] / count, count, axis=1)
    reward = np.divide(gain, start[:, None], where=start[:, None] > 0, out=np.zeros_like(gain))
    transition = np.zeros((*gain.shape, len(start)))
    return Process(reward, transition, visits, start, 1, model.discount)


def _check_point(coupling: str, subject: str) -> None:
    check_coupling(coupling)
    if coupling == "bounds":
        raise InputError(
            f"{subject} over all couplings would need bounds that hold together; choose the "
            "coupling 'quantile' or 'gumbel-max', or bound a single mean with counterfactual_mean"
        )
