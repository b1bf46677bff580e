"""A whole step of a discrete model as one table, so that a step costs one look-up.

For each reachable state and each action the table holds the joint distribution of everything that
can follow: reward, logged variables, end of the episode, next state. It is sampled by the alias
method (Walker 1977; Vose 1991) from 32 random bits, whatever the size of the graph.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array, Integers
from ..errors import TooLargeError
from ..model import noise
from ..model.scm import SCM
from ..model.structure import Columns
from .reachable import reachable_states

BITS = 32  # of the random number that draws an outcome
MOST_CELLS = 2**18  # of a table; a larger one leaves the cache and is slower than one per variable


@dataclass(frozen=True, eq=False)
class Alias:
    """Alias tables of several distributions, `2**bits` cells each.

    A cell holds two picks, each with an outcome, and a threshold between them. A random 64-bit
    number u selects, for distribution r, the cell whose first pick is
    p = 2 * (r * 2**bits + (u >> (64 - bits))), and in it the pick p + (u >= threshold[p]). Only the
    upper 32 bits of u matter.
    """

    bits: int
    threshold: noise.Bits  # of each pick; the two picks of a cell share it
    outcome: Integers  # of each pick: index into the arrays that the table was made from


@dataclass(frozen=True, eq=False)
class StepTable:
    """Alias tables of the initial and of the transition distribution; arrays are indexed by pick.

    A state is represented by the first pick of its first action; the picks of action a begin
    `a << bits + 1` later.
    """

    start: Alias
    start_row: Integers  # the first state
    start_contexts: Columns
    step: Alias
    row: Integers  # the next state
    contexts: Columns  # of the next state
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_] | None  # None if nothing ends an episode early
    logged: Columns


def step_table(model: SCM, actions: int) -> StepTable:
    """The table of a model whose action takes the values 0 to `actions` - 1.

    Raises NotDiscreteError if a variable that matters is continuous, and TooLargeError if the table
    would have more than 2**18 cells.
    """
    names = model.names("logged", "reward", "terminal")
    reachable = reachable_states(model, names, np.arange(actions), MOST_CELLS)
    transitions, first = reachable.transitions, reachable.start

    pairs = reachable.expanded * actions
    step = _alias(transitions.origin, transitions.weight, pairs)
    start = _alias(np.zeros(len(first.weight), np.int64), first.weight, 1)

    width = actions << step.bits + 1  # picks of a state
    columns = {name: column[step.outcome] for name, column in transitions.columns.items()}
    start_contexts = {name: first.columns[name][start.outcome] for name in model.contexts}
    terminal = model.names("terminal")
    return StepTable(
        start=start,
        start_row=reachable.start_state[start.outcome] * width,
        start_contexts=start_contexts,
        step=step,
        row=reachable.next_state[step.outcome] * width,
        contexts={name: columns[name] for name in model.contexts},
        reward=columns[model.reward].astype(float),
        terminated=columns[terminal[0]] == 1 if terminal else None,
        logged={name: columns[name] for name in model.names("logged")},
    )


def _alias(origin: Integers, weight: Array, count: int) -> Alias:
    """The alias tables of `count` distributions: outcome i belongs to distribution `origin[i]`.

    Raises TooLargeError if they take more than 2**18 cells.
    """
    # One row per distribution, one column per outcome, padded with zeros to a power of two.
    order = np.argsort(origin, kind="stable")
    outcomes = np.bincount(origin, minlength=count)
    bits = int(outcomes.max() - 1).bit_length()
    if count << bits > MOST_CELLS:
        raise TooLargeError(
            f"the table of a step needs {count << bits} cells, and the most is {MOST_CELLS}"
        )
    column = np.arange(len(order)) - np.repeat(np.cumsum(outcomes) - outcomes, outcomes)
    share = np.zeros((count, 1 << bits))
    place = np.zeros((count, 1 << bits), np.int64)
    share[origin[order], column] = weight[order]
    place[origin[order], column] = order

    # Probabilities as whole multiples of 2**-32; the largest takes what rounding leaves.
    amount = np.rint(share / share.sum(1, keepdims=True) * 2.0**BITS).astype(np.int64)
    amount[np.arange(count), share.argmax(1)] += 2**BITS - amount.sum(1)
    return _balanced(amount, place, bits)


def _balanced(amount: Integers, place: Integers, bits: int) -> Alias:
    """Distribute amounts (count, 2**bits) over cells of equal size, two outcomes at most in each.

    All distributions are filled at once, one cell of each per iteration. `place` holds the outcome
    of each amount.
    """
    # Ascending, so that light outcomes are taken from the left and heavy ones from the right.
    order = np.argsort(amount, axis=1)
    amount, place = np.take_along_axis(amount, order, 1), np.take_along_axis(place, order, 1)
    law, size = np.arange(len(amount)), 2 ** (BITS - bits)
    low, high = np.zeros_like(law), np.full_like(law, (1 << bits) - 1)
    left = amount[:, -1]  # what is left of the heavy outcome at `high`
    threshold = np.zeros_like(amount)
    outcome = np.zeros((*amount.shape, 2), np.int64)
    for cell in range(1 << bits):
        # The cell's own item is the lightest outcome, or the rest of the heavy one if that no
        # longer fills a cell; the donor tops it up.
        exhausted = left < size
        item = np.where(exhausted, high, low)
        donor = np.where(exhausted, np.maximum(high - 1, 0), high)
        own = np.minimum(np.where(exhausted, left, amount[law, low]), size)
        shared = own < size
        threshold[:, cell] = cell * size + np.where(shared, own, 0)
        outcome[:, cell, 0] = place[law, item]
        outcome[:, cell, 1] = place[law, np.where(shared, donor, item)]
        left = np.where(exhausted, amount[law, donor], left) - (size - own)
        low, high = low + ~exhausted, donor
    thresholds = threshold.astype(np.uint64).ravel() << np.uint64(BITS)
    return Alias(bits, np.repeat(thresholds, 2), outcome.ravel())
