"""What a few labelled rows of an experiment add to the log of two worlds: the frontier."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Integers
from ..errors import InputError
from ..exact.confounding import rows
from ..exact.policy_search import best_for_all, payoff
from .floors import EVEN, pair_of
from .world import World

MOST_POSTERIORS = 2**14  # that are kept apart; beyond that, near ones are joined
DIGITS = 12  # log odds that agree in this many digits are equal


@dataclass(frozen=True)
class Frontier:
    """What one learns from the law of the log and m labelled rows of an experiment, m = 0, 1, ...

    The best mean value over two one-step worlds of a learner that knows both worlds and their log,
    and not in which of them it is: it sees m rows in which the action was drawn uniformly, and
    takes the policy that is best under its posterior.
    """

    low: Floats  # (most rows + 1,)
    high: Floats  # equal to `low` up to rounding where no posteriors had to be joined

    def rows_for(self, value: float) -> float:
        """The least m whose value is at least `value`; infinity if no m here suffices."""
        enough = np.flatnonzero(self.low >= value - 1e-12)
        return float(enough[0]) if len(enough) else np.inf


def frontier(world: World, other: World | None = None, most: int = 100) -> Frontier:
    """The frontier of a pair of one-step worlds, for 0 to `most` rows.

    A row shows the contexts, the action and every logged variable. At m = 0 the value is that of
    `floor`; with m it rises to the mean of the best values. Up to 16,384 different posteriors are
    kept apart; beyond that neighbours are joined once so that the value falls and once so that it
    rises, and the truth lies between.

    Raises InputError if the worlds have several steps, if there is no twin, or if `most` is
    negative; NotDiscreteError or TooLargeError where a world has no exact answer.
    """
    pair = pair_of(world, other)
    if world.horizon > 1:
        raise InputError(
            f"{type(world).__name__} has {world.horizon} steps, and a frontier is computed for "
            "worlds of one step"
        )
    if most < 0:
        raise InputError(f"the rows of a frontier are at least 0, and got {most}")
    best_for_all(pair, EVEN)  # raises if no policy can be played in both
    payoffs = np.stack([payoff(each) for each in pair])  # (2, C, A)
    cells = _distinct(np.stack([_row_law(each) for each in pair]))
    low, high = [], []
    coarse = fine = np.full((2, 1), 0.5)  # probability of world and data: (2, posteriors)
    for m in range(most + 1):
        if m > 0:
            coarse = _joined(_followed(coarse, cells))
            fine = _spread(_followed(fine, cells))
        low.append(_worth(coarse, payoffs))
        high.append(_worth(fine, payoffs))
    return Frontier(np.array(low), np.array(high))


def _row_law(model: World) -> Floats:
    """P(row) in an experiment with uniform actions, flat."""
    names = (*model.contexts, model.action, *model.names("logged", "terminal"), model.reward)
    joint = rows(model, names, acted=True)
    return np.asarray(joint / joint.sum()).ravel()


def _worth(mass: Floats, payoffs: Floats) -> float:
    """The value of the best policy after each data set, added up."""
    return float(np.tensordot(mass, payoffs, ([0], [0])).max(-1).sum())


def _followed(mass: Floats, cells: Floats) -> Floats:
    """The data sets with one row more, those with equal posteriors as one."""
    return _distinct((mass[:, :, None] * cells[:, None, :]).reshape(2, -1))


def _distinct(mass: Floats) -> Floats:
    """Columns (2, n) with equal posteriors added up, in the order of their posteriors."""
    mass = mass[:, mass.sum(0) > 0]
    posterior = np.round(_log_odds(mass), DIGITS)
    kinds, place = np.unique(posterior, return_inverse=True)
    return np.asarray([np.bincount(place, row, len(kinds)) for row in mass], dtype=np.float64)


def _log_odds(mass: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(mass[1]) - np.log(mass[0]))


def _bins(mass: Floats) -> tuple[Floats, Integers]:
    """The posterior of each column and the number of the interval of posteriors it lies in."""
    posterior = mass[1] / mass.sum(0)
    number = np.minimum((posterior * MOST_POSTERIORS).astype(np.int64), MOST_POSTERIORS - 1)
    return posterior, number


def _joined(mass: Floats) -> Floats:
    """Columns with near posteriors added up if there are too many, as if the data were blurred."""
    if mass.shape[1] <= MOST_POSTERIORS:
        return mass
    _, number = _bins(mass)
    counts = [np.bincount(number, row, MOST_POSTERIORS) for row in mass]
    joined = np.asarray(counts, dtype=np.float64)
    return joined[:, joined.sum(0) > 0]


def _spread(mass: Floats) -> Floats:
    """Columns moved to the ends of their intervals if there are too many, as if the data told more.

    The probability of each world is kept.
    """
    if mass.shape[1] <= MOST_POSTERIORS:
        return mass
    posterior, number = _bins(mass)
    share = posterior * MOST_POSTERIORS - number  # of the upper end
    total = mass.sum(0)
    ends = np.bincount(number, (1 - share) * total, MOST_POSTERIORS + 1)
    ends += np.bincount(number + 1, share * total, MOST_POSTERIORS + 1)
    points = np.arange(MOST_POSTERIORS + 1) / MOST_POSTERIORS
    spread = np.stack([(1 - points) * ends, points * ends])
    return spread[:, ends > 0]
