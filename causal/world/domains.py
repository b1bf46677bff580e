"""Domains: places that differ in how common a hidden cause is, and in nothing else.

They are the environments of Arjovsky et al. (2019), Invariant risk minimization, and of Peters,
Buehlmann and Meinshausen (2016), for any world of one step.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import InputError, NotDiscreteError, did_you_mean
from ..model.distributions import Categorical
from ..model.mechanisms import as_mechanism
from ..model.structure import Variable
from .nuisance import hidden_cause

DOMAIN = "domain"  # the logged variable that says where a row was recorded
RANGES = ("common", "disjoint")
# The distance of a domain's probability from the world's, as a share of the room on that side: from
# the first number, in the middle domains, to the second, in the outermost.
SPREADS = {"common": (0.0, 0.5), "disjoint": (0.5, 0.9)}


@dataclass(frozen=True)
class InDomain:
    """The law of a hidden cause with values 0, 1, ..., given the domain."""

    causes: tuple[str]
    table: tuple[tuple[float, ...], ...]  # (domains, values)

    def __call__(self, domain: Array) -> Categorical:
        return Categorical(np.array(self.table)[np.asarray(domain, dtype=int)])


def domain_variables(plain: Any, domains: int, ranges: str) -> dict[str, Variable]:
    """The variable `domain`, uniform over 0 to domains - 1, and the hidden cause, which follows it.

    Of the hidden causes of both action and reward it is the first. See `rates` for its
    probabilities. Raises InputError if there is no such cause, if it has causes or other values
    than 0, 1, ..., or if the world has several steps or domains of its own.
    """
    name = type(plain).__name__
    if DOMAIN in plain.variables or plain.horizon > 1:
        why = "has domains of its own" if DOMAIN in plain.variables else "has several steps"
        raise InputError(f"{name} {why}; leave the setting domains out")
    cause = hidden_cause(plain)
    variable = plain.variables[cause]
    try:
        support = np.asarray(plain.tables.support(cause))
        is_countable = np.array_equal(support, np.arange(len(support)))
    except NotDiscreteError:
        is_countable = False
    if variable.first.causes or not is_countable:
        raise InputError(
            f"the domains of {name} need a hidden cause without causes and with the values 0, 1, "
            f"..., and {cause} is none; leave the setting domains out"
        )
    probabilities = variable.first.law().probability(support)
    law = as_mechanism(InDomain((DOMAIN,), _table(probabilities, domains, ranges)))
    uniform = as_mechanism(Categorical(np.full(domains, 1.0 / domains)))
    return {
        DOMAIN: Variable(DOMAIN, "logged", uniform, uniform, DOMAIN),
        cause: Variable(cause, variable.role, law, law, variable.stream),
    }


def rates(middle: float, domains: int, ranges: str) -> Array:
    """The probability of the cause's last value in each domain, ascending: (domains,).

    It is `middle`, that of the world, in the mean over domains. With `common` ranges the domains
    are spread evenly over middle -+ m / 2, where m = min(middle, 1 - middle); with `disjoint` ones,
    one half of the domains over middle - .9 m to middle - .5 m and the other over the mirror image.
    One domain, or the middle one of an odd number, has `middle`.

    Raises InputError if the number of domains or the name of the ranges makes no sense.
    """
    if domains < 1:
        raise InputError(f"a world has 1 domain or more, and got {domains}")
    if ranges not in RANGES:
        raise InputError(f"{ranges!r} is no choice of ranges; {did_you_mean(ranges, RANGES)}")
    place = 2 * (np.arange(domains) + 0.5) / domains - 1  # in (-1, 1)
    nearest, farthest = SPREADS[ranges]
    distance = np.sign(place) * nearest + (farthest - nearest) * place
    return np.asarray(middle + min(middle, 1.0 - middle) * distance)


def _table(probabilities: Array, domains: int, ranges: str) -> tuple[tuple[float, ...], ...]:
    """The law of the cause in each domain; all values but the last keep their proportions."""
    last = rates(float(probabilities[-1]), domains, ranges)[:, None]
    others = np.outer(1.0 - last, probabilities[:-1] / probabilities[:-1].sum())
    return tuple(map(tuple, np.hstack([others, last]).tolist()))
