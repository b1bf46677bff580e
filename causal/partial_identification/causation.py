"""Sharp bounds on probabilities of causation from an observational and an experimental table.

In all functions `observed` is P(x, y) or counts, of shape (2, 2) with the axes x and y, and
`experimental` is P(y=1 | do(x)) for x = 0, 1, of shape (2,). The answers are (low, high); the low
end is the exact answer where x=1 never prevents y=1. Each function raises InputError if the two
cannot be of one population, or if the event it conditions on has probability zero.

Source: Tian and Pearl (2000), section 4.2.2. In the formulas x', y' are x=0, y=0, and y_x is y
under do(x).
"""

from ..arrays import Array, numeric
from ..errors import InputError
from ..model.elimination import Factor
from ..tolerances import ROUNDING
from .named_tables import named_table

Interval = tuple[float, float]


def necessity(observed: Array, experimental: Array) -> Interval:
    """PN = P(y'_{x'} | x, y): the share of those with x and y who owe y to x."""
    joint, (without, _) = _joint(observed, experimental)
    if joint[1, 1] <= 0:
        raise InputError(
            "the probability of necessity is about those with x=1 and y=1, and there are none"
        )
    # max(0, (P(y) - P(y_x')) / P(x, y)) <= PN <= min(1, (P(y'_x') - P(x', y')) / P(x, y))
    low = (joint[:, 1].sum() - without) / joint[1, 1]
    high = (1.0 - without - joint[0, 0]) / joint[1, 1]
    return _interval(low, high)


def sufficiency(observed: Array, experimental: Array) -> Interval:
    """PS = P(y_x | x', y'): the share of those without x and y who would have y if they had x."""
    joint, (_, treated) = _joint(observed, experimental)
    if joint[0, 0] <= 0:
        raise InputError(
            "the probability of sufficiency is about those with x=0 and y=0, and there are none"
        )
    # max(0, (P(y_x) - P(y)) / P(x', y')) <= PS <= min(1, (P(y_x) - P(x, y)) / P(x', y'))
    low = (treated - joint[:, 1].sum()) / joint[0, 0]
    high = (treated - joint[1, 1]) / joint[0, 0]
    return _interval(low, high)


def necessity_and_sufficiency(observed: Array, experimental: Array) -> Interval:
    """PNS = P(y_x, y'_{x'}): the share of units whose y follows x in both directions."""
    joint, (without, treated) = _joint(observed, experimental)
    outcome = joint[:, 1].sum()
    # max(0, P(y_x) - P(y_x'), P(y) - P(y_x'), P(y_x) - P(y)) <= PNS
    low = max(treated - without, outcome - without, treated - outcome)
    # PNS <= min(P(y_x), P(y'_x'), P(x, y) + P(x', y'), P(y_x) - P(y_x') + P(x, y') + P(x', y))
    concordant = joint[1, 1] + joint[0, 0]
    discordant = joint[1, 0] + joint[0, 1]
    high = min(treated, 1.0 - without, concordant, treated - without + discordant)
    return _interval(low, high)


def _interval(low: float, high: float) -> Interval:
    return max(0.0, float(low)), min(1.0, float(high))


def _joint(observed: Array, experimental: Array) -> tuple[Array, Interval]:
    """P(x, y), and P(y=1 | do(x)) for each x, if one population can have both."""
    table = numeric(observed, "the table of x and y", axes=2, finite=False)
    joint = named_table(Factor(("x", "y"), table), ("x", "y"), {}).table
    experimental = numeric(experimental, "P(y=1 | do(x))", axes=1)
    if joint.shape != (2, 2) or len(experimental) != 2:
        raise InputError(
            "the probabilities of causation need two values of x and of y, and P(y=1 | do(x)) "
            "for each x"
        )
    for x in (0, 1):
        # Consistency: P(x, y) <= P(y_x) <= 1 - P(x, y').
        low, high = joint[x, 1], 1.0 - joint[x, 0]
        if not low - ROUNDING <= experimental[x] <= high + ROUNDING:
            raise InputError(
                f"P(y=1 | do(x={x})) must lie between P(x={x}, y=1) = {low:.6g} and {high:.6g}, "
                f"and is {experimental[x]:.6g}"
            )
    return joint, (float(experimental[0]), float(experimental[1]))
