"""A whole step of a discrete model as one table, so that stepping costs a look-up however large the
graph is.

What one step must remember of the past is a *row*: the contexts, and whatever else what follows
depends on. For each row and action there is one law over all that can come of it (reward, logged
variables, end, next row), drawn by the alias method (Walker, 1977) from 32 random bits. The table
is found by walking from the first rows along whatever has positive probability."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array, Integers
from ..errors import TooLargeError
from ..model import noise
from ..model.scm import SCM
from ..model.structure import Columns
from .reachable import walk

BITS = 32  # of the number that draws an outcome
MOST_CELLS = (
    2**18
)  # of a table; larger ones would leave the cache, and are slower than a table for each variable


@dataclass(frozen=True, eq=False)
class Alias:
    """Laws of finitely many outcomes, `2**bits` cells each: a cell is two picks, an outcome each,
    told apart by a threshold.

    A random number u of 64 bits leads law r to the cell with the first pick p = 2 * (r * 2**bits +
    (u >> (64 - bits))), and there to the pick p + (u >= threshold[p]). Of u only the upper 32 bits
    matter."""

    bits: int
    threshold: noise.Units  # of each pick; the two of a cell have the same
    # of each pick: the place of the outcome in the arrays that the laws were made from
    outcome: Integers


@dataclass(frozen=True, eq=False)
class StepTable:
    """The law of a step, and of the first row: what comes of each pick.

    A row is the number of the first pick of its first action; those of action a begin `a << bits +
    1` further on."""

    start: Alias
    start_row: Integers
    start_contexts: Columns
    step: Alias
    row: Integers  # the next one
    contexts: Columns  # in the next row
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_] | None  # None if nothing ends an episode early
    logged: Columns


def step_table(model: SCM, actions: int) -> StepTable:
    """The table of a model whose action takes the values 0 to `actions` - 1.

    Raises NotDiscreteError if a variable that matters is continuous, and TooLargeError if there
    were more than 2**18 cells."""
    handed_out = model.names("logged", "reward", "terminal")
    found = walk(model, handed_out, np.arange(actions), MOST_CELLS)
    whole, begin = found.steps, found.start
    step = _alias(whole.origin, whole.weight, found.rows * actions)
    start = _alias(np.zeros(len(found.start_row), np.int64), begin.weight, 1)
    width, pick = actions << step.bits + 1, step.outcome
    seen = {name: whole.columns[name][pick] for name in handed_out}
    end = model.names("terminal")
    return StepTable(
        start,
        found.start_row[start.outcome] * width,
        {name: begin.columns[name][start.outcome] for name in model.contexts},
        step,
        found.following[pick] * width,
        {name: whole.columns[name][pick] for name in model.contexts},
        seen[model.reward].astype(float),
        seen[end[0]] == 1 if end else None,
        {name: seen[name] for name in model.names("logged")},
    )


def _alias(origin: Integers, weight: Array, laws: int) -> Alias:
    """The laws 0 to `laws` - 1, each over its own outcomes.

    Raises TooLargeError if they take more than 2**18 cells.
    """
    order = np.argsort(origin, kind="stable")
    count = np.bincount(origin, minlength=laws)
    bits = int(count.max() - 1).bit_length()
    if laws << bits > MOST_CELLS:
        raise TooLargeError(
            f"the table of a step needs {laws << bits} cells, and the most is {MOST_CELLS}"
        )
    column = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    share, place = np.zeros((laws, 1 << bits)), np.zeros((laws, 1 << bits), np.int64)
    share[origin[order], column], place[origin[order], column] = weight[order], order
    amount = np.rint(share / share.sum(1, keepdims=True) * 2.0**BITS).astype(np.int64)
    amount[np.arange(laws), share.argmax(1)] += 2**BITS - amount.sum(1)
    return _balance(amount, place, bits)


def _balance(amount: Integers, place: Integers, bits: int) -> Alias:
    """Fill cells of equal size from the lightest and the heaviest outcome left, as Robin Hood
    would: (laws, 2**bits) each.
    """
    order = np.argsort(amount, axis=1)
    amount, place = np.take_along_axis(amount, order, 1), np.take_along_axis(place, order, 1)
    law, size = np.arange(len(amount)), 2 ** (BITS - bits)
    low, high, left = np.zeros_like(law), np.full_like(law, (1 << bits) - 1), amount[:, -1]
    threshold, outcome = np.zeros_like(amount), np.zeros((*amount.shape, 2), np.int64)
    for cell in range(1 << bits):
        poor = left < size  # what is left of the heaviest does not fill a cell any more
        item, donor = np.where(poor, high, low), np.where(poor, np.maximum(high - 1, 0), high)
        first = np.minimum(np.where(poor, left, amount[law, low]), size)
        threshold[:, cell] = cell * size + np.where(first < size, first, 0)
        outcome[:, cell, 0], outcome[:, cell, 1] = (
            place[law, item],
            place[law, np.where(first < size, donor, item)],
        )
        left = np.where(poor, amount[law, donor], left) - (size - first)
        low, high = low + ~poor, donor
    return Alias(
        bits, np.repeat(threshold.astype(np.uint64).ravel() << np.uint64(BITS), 2), outcome.ravel()
    )
