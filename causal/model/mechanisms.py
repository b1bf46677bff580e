"""Mechanisms: the law of a variable as a function of its causes."""

import inspect
import math
from dataclasses import dataclass

from ..errors import InputError
from .distributions import Distribution, Exactly
from .roles import Law


@dataclass(frozen=True)
class Mechanism:
    """A law and the names of its arguments: `law(*values of causes)` is the distribution.

    A cause `x_tm1` is `x` one step earlier."""

    causes: tuple[str, ...]
    law: Law


# What can replace a mechanism: a number is a constant, and a function's parameters are its causes.
Intervention = Distribution | Law | Mechanism | float


@dataclass(frozen=True)
class Always:
    """A law without causes."""

    distribution: Distribution

    def __call__(self) -> Distribution:
        return self.distribution


def as_mechanism(intervention: Intervention) -> Mechanism:
    """A number, a distribution or a function as a mechanism.

    The causes of a function are its attribute `causes` if that is a tuple, else its parameters.
    Raises InputError for anything else, and for a number that is not finite."""
    if isinstance(intervention, Mechanism):
        return intervention
    if isinstance(intervention, Distribution):
        return Mechanism((), Always(intervention))
    causes = getattr(intervention, "causes", None)
    if isinstance(causes, tuple):
        return Mechanism(causes, intervention)  # type: ignore[arg-type]
    if isinstance(intervention, type):
        raise _refusal(intervention)
    if callable(intervention):
        return Mechanism(tuple(inspect.signature(intervention).parameters), intervention)
    return Mechanism((), Always(_constant(intervention)))


def _constant(intervention: float) -> Exactly:
    try:
        number = float(intervention)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _refusal(intervention)
    is_count = number.is_integer() and abs(number) < 2**63
    return Exactly(int(number) if is_count else number)


def _refusal(intervention: object) -> InputError:
    return InputError(f"do takes a number, a distribution or a function, and got {intervention!r}")
