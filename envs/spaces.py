"""Contexts as observations:

the Gymnasium spaces of a model, and observations as one small integer for tabular agents.
"""

from dataclasses import replace
from math import prod
from operator import index
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from dosuite.causal import SCM, Array, InputError, NotDiscreteError
from dosuite.causal.model import noise

Space = spaces.Space[Any]


def observation_space(model: SCM) -> Space:
    """Discrete, MultiDiscrete or Box, as the contexts are;

    Discrete(1) if there are none. A shift does not change it.
    """
    unedited = replace(model, edits=())
    try:
        supports = [unedited.tables.support(name) for name in model.contexts]
    except NotDiscreteError:
        return spaces.Box(-np.inf, np.inf, (len(model.contexts),), np.float32)
    if all(values.dtype.kind in "iub" and values[0] >= 0 for values in supports):
        sizes = [int(values[-1]) + 1 for values in supports]
        return (
            spaces.Discrete(sizes[0] if sizes else 1)
            if len(sizes) < 2
            else spaces.MultiDiscrete(sizes)
        )
    low, high = ([values[end] for values in supports] for end in (0, -1))
    return spaces.Box(np.array(low, np.float32), np.array(high, np.float32), dtype=np.float32)


def action_space(model: SCM) -> spaces.Discrete | spaces.Box:
    """Discrete(k), or a Box of one number where the model has `action_bounds`.

    Raises InputError if the action neither takes the values 0 to k-1 nor has bounds, or these are
    not finite and ascending."""
    if model.action_bounds is not None:
        low, high = model.action_bounds
        if not (np.isfinite([low, high]).all() and low < high):
            raise InputError(
                f"{type(model).__name__}.action_bounds must be two finite numbers, the lower one "
                f"first, and is {low}, {high}"
            )
        return spaces.Box(low, high, (1,), np.float32)
    support = _action_support(replace(model, edits=()))
    if support is None or support.dtype.kind not in "iub" or support[0] < 0:
        values = "any value" if support is None else support.tolist()
        name = type(model).__name__
        raise InputError(
            f"the action {model.action} of {name} must take the values 0 to k-1 or have "
            f"action_bounds, and takes {values}"
        )
    return spaces.Discrete(int(support[-1]) + 1)


def choices(space: Space) -> int:
    """How many actions a space has. Raises InputError if they cannot be counted."""
    if not isinstance(space, spaces.Discrete):
        raise InputError(
            f"the agent needs actions that can be counted, and these are {space}; take one that "
            "acts in a Box"
        )
    return int(space.n)


def as_numbers(space: Any, actions: Any, shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    """Actions of a Box, of this shape or with an axis of length 1 after it, in this shape;

    None if they are no numbers of the space.
    """
    given = np.asarray(actions)
    if given.dtype.kind not in "iuf" or given.shape not in (shape, (*shape, 1)):
        return None
    single = given.astype(space.dtype)  # as the bounds are
    inside = (single >= space.low[0]) & (single <= space.high[0])  # so that NaN is refused too
    return given.astype(np.float64).reshape(shape) if inside.all() else None


def checked_action(action: Any, choices: int) -> int:
    """An action as a whole number.

    Raises InputError if it is none, or not from 0 to choices - 1.
    """
    try:
        chosen = index(action)
    except TypeError:
        chosen = -1
    if not 0 <= chosen < choices:
        raise InputError(f"the action must be in Discrete({choices}), and got {action!r}")
    return chosen


def _action_support(model: SCM) -> Array | None:
    try:
        return model.tables.support(model.action)
    except NotDiscreteError:  # where a cause is continuous, the laws of some units tell
        units = model.step(noise.units(0, np.arange(1000)), 0, None)
        mechanism = model.variables[model.action].first
        return mechanism.law(*(units[cause] for cause in mechanism.causes)).support()


def encode(space: Space, contexts: list[Array], count: int) -> Array:
    """The observations of a batch:

    arrays (count,) of context values to (count,) or (count, contexts).
    """
    if not contexts:
        return np.zeros(count, dtype=np.int64)
    if isinstance(space, spaces.Discrete):
        return contexts[0].astype(np.int64)
    return np.stack(contexts, axis=1).astype(space.dtype)


def all_observations(model: SCM) -> Array:
    """Every observation of a discrete model, in the row-major order of its contexts: (C,) or (C,
    contexts).

    Raises NotDiscreteError if a context is continuous.
    """
    grid = np.meshgrid(*(model.tables.support(name) for name in model.contexts), indexing="ij")
    count = prod(axis.size for axis in grid[:1])
    return encode(observation_space(model), [axis.ravel() for axis in grid], count or 1)


def cells(space: Space) -> int | None:
    """How many observations a space has; None if it is not discrete."""
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    return int(np.prod(space.nvec)) if isinstance(space, spaces.MultiDiscrete) else None


def positions(grid: Array, observations: Array) -> Array:
    """The place of each observation (n, ...) among those of a grid (C, ...):

    (n,). Raises InputError if one is not there.
    """
    places = {row.tobytes(): place for place, row in enumerate(grid)}
    unique, index = np.unique(observations, axis=0, return_inverse=True)
    try:
        found = np.array(
            [places[row.astype(grid.dtype).tobytes()] for row in unique], dtype=np.int64
        )
    except KeyError:
        raise InputError(
            f"the policy has no row for some of the observations {unique.tolist()[:5]}"
        ) from None
    return np.asarray(found[index.reshape(-1)])


def as_integer(space: Space, observations: Array) -> Array:
    """Observations of a discrete space as one integer each, 0 to cells(space) - 1, in row-major
    order: (n,).

    Raises InputError if the space is not discrete.
    """
    if cells(space) is None:
        raise InputError(f"observations of {space} cannot be counted")
    if isinstance(space, spaces.MultiDiscrete):
        return np.asarray(np.ravel_multi_index(tuple(observations.T), tuple(space.nvec)))
    return observations.astype(np.int64)
