"""The check that interventions and shifts stay within what a variable can be.

The rule: an intervention gives a variable values that the variable can take in the model without
interventions, where counts have no gaps, or within `action_bounds` if the model has them. So a
policy, a table and an observation space of the one model apply to the other, and no mechanism is
called with a value that it was not written for. Exempt are the reward, which is only added up; a
latent that follows a function, because a shifted world may have a hidden part of its own; a latent
whose effects are all replaced too; and continuous variables other than the action."""

import numpy as np

from ..arrays import Array
from ..errors import InputError, NotDiscreteError
from ..graphs.step_graph import LAG
from .distributions import Distribution, Uniform, tidy
from .mechanisms import Always
from .structure import Structure
from .supports import Supports, shared_supports, without_gaps

MOST_SHOWN = 12  # values of a support in a message


def check_interventions(model: Structure) -> None:
    """Raise InputError if an intervention leaves the values that its variable can take, or if its
    function gives another law when it is called again."""
    supports = shared_supports(model)
    for name, mechanism in model.edits:
        if not isinstance(mechanism.law, Always) and (not mechanism.causes or supports.are_finite):
            supports.check_repeatable(name, mechanism)
        role = model.variables[name].role
        if role == "reward":
            continue
        if role == "latent" and (mechanism.causes or _has_new_effects(model, name)):
            continue
        try:
            law = supports.law(name, mechanism)
        except NotDiscreteError:
            continue  # its causes are continuous, and it is not known what it gives
        if role == "action" and model.action_bounds is not None:
            _check_bounds(model, name, law, model.action_bounds)
        else:
            _check_values(model, name, law, _possible(supports.unedited, name))


def _has_new_effects(model: Structure, latent: str) -> bool:
    """Whether a latent has effects, and an intervention replaced the mechanism of each."""
    effects = set[str]()
    for name, variable in model.variables.items():
        if latent in (cause.removesuffix(LAG) for cause in variable.later.causes):
            effects.add(name)
    return bool(effects) and effects <= set(dict(model.edits))


def _possible(unedited: Supports, name: str) -> Array | None:
    """The values that a variable can take without interventions; None if they are not finitely
    many, or not known because a cause is continuous."""
    try:
        return without_gaps(unedited.of(name))
    except NotDiscreteError:
        pass
    # In a model with continuous variables, counts without causes are still known.
    variable = unedited.model.variables[name]
    laws = []
    for mechanism in dict.fromkeys((variable.first, variable.later)):
        if mechanism.causes:
            return None
        laws.append(unedited.law(name, mechanism).support())
    known = [support for support in laws if support is not None]
    if len(known) < len(laws):
        return None
    values = np.unique(np.concatenate(known))
    return without_gaps(values) if values.dtype.kind in "iub" else None


def _check_values(model: Structure, name: str, law: Distribution, possible: Array | None) -> None:
    if possible is None:
        return
    where, listed = f"{type(model).__name__}.{name}", _listed(possible)
    values = law.support()
    if values is None:
        raise InputError(
            f"{where} cannot follow a {type(law).__name__} law: its values are {listed}"
        )
    outside = values[~np.isin(tidy(values), possible)]
    if outside.size:
        raise InputError(f"{where} cannot be {outside[0]:g}: its values are {listed}")


def _check_bounds(
    model: Structure, name: str, law: Distribution, bounds: tuple[float, float]
) -> None:
    """Unbounded laws pass: a behaviour policy may leave the bounds with its noise."""
    if isinstance(law, Uniform):
        values = np.array([np.min(law.low), np.max(law.high)], dtype=float)
    else:
        support = law.support()
        if support is None:
            return
        values = support
    low, high = bounds
    outside = values[(values < low) | (values > high)]
    if outside.size:
        raise InputError(
            f"{type(model).__name__}.{name} cannot be {outside[0]:g}: its action_bounds are "
            f"[{low:g}, {high:g}]"
        )


def _listed(values: Array) -> str:
    shown = ", ".join(f"{value:g}" for value in values[:MOST_SHOWN].tolist())
    if len(values) <= MOST_SHOWN:
        return shown
    return f"{shown}, ... up to {values[-1]:g}"
