"""Calls of mechanisms, which are a user's code: whatever goes wrong in one is reported in one line.

A mechanism must be a function of its arguments alone, which it does not change, and give each unit
the law that belongs to the unit's own causes. `check_repeatable` tests this on a few units."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass

import numpy as np

from ..arrays import Array
from ..errors import InputError, raised_at
from .distributions import Distribution
from .mechanisms import Mechanism

MOST_CELLS = 16  # of the grid of the causes that are tried again
COPIES = 3  # units with the same causes
TOLERANCE = 1e-9  # vectorised functions may round differently at another place of the array


def call(where: str, mechanism: Mechanism, columns: Sequence[Array]) -> Distribution:
    """The law of a mechanism for causes with these values: one array (n,) for each cause, which
    becomes read-only.

    `where` names the variable in messages. Raises InputError if the mechanism fails, changes its
    arguments, or does not return one law for each unit."""
    for column in columns:
        column.flags.writeable = False
    try:
        law = mechanism.law(*columns)
    except InputError as error:
        raise type(error)(f"{where}: {error}") from error
    except (Exception, SystemExit) as error:  # the mechanism is the user's
        raise InputError(f"{where} {_fault(error)}{raised_at(error)}") from error
    if not isinstance(law, Distribution):
        raise InputError(
            f"{where} must return a distribution, such as Bernoulli(p) or Exactly(value), "
            f"and returned {law!r}"
        )
    units = len(columns[0]) if columns else 1
    shape = law.batch_shape
    if shape not in ((), (1,), (units,)):
        raise InputError(
            f"{where} must give one law for each of {units} units, and gave laws of shape {shape}"
        )
    return law


def check_repeatable(
    where: str, mechanism: Mechanism, columns: Sequence[Array], law: Distribution
) -> None:
    """Call a mechanism again, on several copies of some of the units in another order and on single
    units, and compare with `law`, its law for all of them.

    Raises InputError if a unit's law is not the same: the mechanism draws random numbers, has a
    state, or looks at other units."""
    units = len(columns[0]) if columns else 1
    chosen = np.unique(np.linspace(0, units - 1, min(units, MOST_CELLS)).astype(np.int64))
    rows = np.append(np.tile(chosen, COPIES), 0)[::-1]  # one more of the first: means differ too
    if len(rows) == units:
        rows = rows[1:]  # so that the two calls' arrays differ in length
    # the first and the last unit alone, and not beside units with other causes
    for again_rows in (rows, chosen[:1], chosen[-1:]):
        again = call(where, mechanism, [column[again_rows] for column in columns])
        if not _same(law, again, units, again_rows):
            raise InputError(
                f"{where} gives another law when it is called again: it must depend on its "
                "parameters alone, unit by unit, and draw no random numbers; return the "
                "distribution instead"
            )


def typical_values(law: Distribution, units: int) -> Array:
    """A value for each unit, (units,): the first that has positive probability for it, or the mean
    if the law is continuous."""
    support = law.support()
    if support is None:
        return np.broadcast_to(law.mean(), (units,)).copy()
    probability = np.broadcast_to(law.probability(support), (units, len(support)))
    return np.asarray(support[np.argmax(probability > 0, axis=1)])


def _same(law: Distribution, again: Distribution, units: int, rows: Array) -> bool:
    """Whether the laws of `rows` are those of the second call.

    Parameters are compared first, because a law may be expensive to evaluate. Laws of equal units
    can have others: a support may have the values of all units of a call."""
    if type(law) is not type(again):
        return False
    if not is_dataclass(law) or _same_parameters(law, again, units, rows):
        return True
    values = again.support()
    if values is None:
        return False
    first = np.broadcast_to(law.probability(values), (units, len(values)))[rows]
    return _close(first, np.broadcast_to(again.probability(values), first.shape))


def _same_parameters(law: Distribution, again: Distribution, units: int, rows: Array) -> bool:
    for field in fields(law):  # type: ignore[arg-type]
        first = np.asarray(getattr(law, field.name))
        second = np.asarray(getattr(again, field.name))
        if first.shape[:1] == (units,) and second.shape[:1] == (len(rows),):
            first = first[rows]
        if first.size > 1 and second.size > 1 and first.shape != second.shape:
            return False
        if not _close(first, second):
            return False
    return True


def _close(first: Array, second: Array) -> bool:
    if first.dtype.kind not in "biuf" or second.dtype.kind not in "biuf":
        return first.dtype.kind == "O" or bool((first == second).all())
    return bool(np.all(np.abs(first * 1.0 - second) <= TOLERANCE * (1.0 + np.abs(first))))


def _fault(error: BaseException) -> str:
    """What a mechanism does wrong, by the exception that it raises."""
    text = " ".join(str(error).split())
    if "truth value of an array" in text:
        return (
            "branches on an array, because its parameters hold one value for each unit: write "
            "np.where(condition, a, b) for `if`, and & or | for `and` or `or`"
        )
    if "read-only" in text:
        return "changes its parameters in place; compute a new array, as in x = x + 1"
    return (
        f"raised {type(error).__name__}: {text}; its parameters are arrays with one value for each "
        "unit"
    )
