"""The Gymnasium spaces of a model, and observations as integers for tabular agents."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from operator import index
from typing import Any

import numpy as np
from gymnasium import spaces

from dosuite.causal import SCM, Array, InputError, NotDiscreteError
from dosuite.causal.arrays import Floats
from dosuite.causal.model import noise

Space = spaces.Space[Any]


def context_space(model: SCM) -> Space:
    """The space of the contexts: Discrete, MultiDiscrete or Box; Discrete(1) without contexts.

    The agent may see them in another form: see `dosuite.envs.observations`. The space is that of
    the unedited model, so that a shift does not change it.
    """
    model = unedited(model)
    try:
        supports = [model.tables.support(name) for name in model.contexts]
    except NotDiscreteError:
        return spaces.Box(-np.inf, np.inf, (len(model.contexts),), np.float32)
    if not supports:
        return spaces.Discrete(1)
    if all(_is_counted(support) for support in supports):
        sizes = [int(support[-1]) + 1 for support in supports]
        return spaces.Discrete(sizes[0]) if len(sizes) == 1 else spaces.MultiDiscrete(sizes)
    low = np.array([support[0] for support in supports], np.float32)
    high = np.array([support[-1] for support in supports], np.float32)
    return spaces.Box(low, high, dtype=np.float32)


def unedited(model: SCM) -> SCM:
    """The model without interventions."""
    return replace(model, edits=()) if model.edits else model


def action_space(model: SCM) -> spaces.Discrete | spaces.Box:
    """Discrete(k), or a Box of one number if the model has `action_bounds`.

    Raises InputError if the bounds are not finite and ascending, or if there are none and the
    action does not take the values 0 to k-1.
    """
    name = type(model).__name__
    if model.action_bounds is not None:
        low, high = model.action_bounds
        if not (np.isfinite([low, high]).all() and low < high):
            raise InputError(
                f"{name}.action_bounds must be two finite numbers, the lower one first, and is "
                f"{low}, {high}"
            )
        return spaces.Box(low, high, (1,), np.float32)
    support = _action_support(unedited(model))
    if support is None or not _is_counted(support):
        values = "any value" if support is None else support.tolist()
        raise InputError(
            f"the action {model.action} of {name} must take the values 0 to k-1 or have "
            f"action_bounds, and takes {values}"
        )
    return spaces.Discrete(int(support[-1]) + 1)


def choices(space: Space) -> int:
    """The number of actions. Raises InputError if the space is not Discrete."""
    if not isinstance(space, spaces.Discrete):
        raise InputError(
            f"the agent needs actions that can be counted, and these are {space}; take one that "
            "acts in a Box"
        )
    return int(space.n)


def as_numbers(space: Any, actions: Any, shape: tuple[int, ...]) -> Floats | None:
    """Actions of a Box as an array of this shape; None if they are not in the space.

    They may have a further axis of length 1 at the end.
    """
    array = np.asarray(actions)
    if array.dtype.kind not in "iuf" or array.shape not in (shape, (*shape, 1)):
        return None
    rounded = array.astype(space.dtype)  # the type of the bounds
    # Written so that NaN counts as outside.
    inside = (rounded >= space.low[0]) & (rounded <= space.high[0])
    return array.astype(np.float64).reshape(shape) if inside.all() else None


def checked_action(action: Any, choices: int) -> int:
    """An action as an int. Raises InputError if it is not an integer from 0 to choices - 1."""
    try:
        chosen = index(action)
    except TypeError:
        chosen = -1
    if not 0 <= chosen < choices:
        raise InputError(f"the action must be in Discrete({choices}), and got {action!r}")
    return chosen


def encode(space: Space, contexts: Sequence[Array], count: int) -> Array:
    """The contexts of a batch of `count`: context values (count,) each, to one array.

    The result is (count,) for a Discrete space, and otherwise (count, contexts).
    """
    if not contexts:
        return np.zeros(count, dtype=np.int64)
    if isinstance(space, spaces.Discrete):
        return contexts[0].astype(np.int64)
    return np.stack(contexts, axis=1).astype(space.dtype)


def all_observations(model: SCM) -> Array:
    """Every observation of a discrete model whose contexts are shown as they are.

    They are in the row-major order of the contexts. The shape is (C,), or (C, contexts). Raises
    NotDiscreteError if a context is continuous.
    """
    supports = [model.tables.support(name) for name in model.contexts]
    grid = np.meshgrid(*supports, indexing="ij")
    count = prod(len(support) for support in supports)
    return encode(context_space(model), [axis.ravel() for axis in grid], count)


def cells(space: Space) -> int | None:
    """The number of observations in a space; None if it is not discrete."""
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    return int(np.prod(space.nvec)) if isinstance(space, spaces.MultiDiscrete) else None


def positions(grid: Array, observations: Array) -> Array:
    """The index of each observation (n, ...) in a grid (C, ...): (n,).

    Raises InputError if an observation is not in the grid.
    """
    index_of = {row.tobytes(): place for place, row in enumerate(grid)}
    unique, inverse = np.unique(observations, axis=0, return_inverse=True)
    try:
        places = [index_of[row.astype(grid.dtype).tobytes()] for row in unique]
    except KeyError as error:
        raise InputError(
            f"the policy has no row for some of the observations {unique.tolist()[:5]}"
        ) from error
    return np.array(places, dtype=np.int64)[inverse.reshape(-1)]


def as_integer(space: Space, observations: Array) -> Array:
    """Observations of a discrete space as integers 0 to cells(space) - 1, in row-major order: (n,).

    Raises InputError if the space is not discrete.
    """
    if cells(space) is None:
        raise InputError(f"observations of {space} cannot be counted")
    if isinstance(space, spaces.MultiDiscrete):
        return np.asarray(np.ravel_multi_index(tuple(observations.T), tuple(space.nvec)))
    return observations.astype(np.int64)


def _is_counted(support: Array) -> bool:
    """Whether the ascending values of a variable are integers from 0 on."""
    return support.dtype.kind in "iub" and bool(support[0] >= 0)


def _action_support(model: SCM) -> Array | None:
    try:
        return model.tables.support(model.action)
    except NotDiscreteError:
        # A cause is continuous. Simulate 1,000 units, and take the support of their laws.
        units = model.step(noise.units(0, np.arange(1000)), 0, None)
        mechanism = model.variables[model.action].first
        causes = [units[cause] for cause in mechanism.causes]
        return mechanism.law(*causes).support()
