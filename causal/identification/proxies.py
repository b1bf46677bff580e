"""Proximal inference: effects from two proxies of a hidden common cause."""

import numpy as np

from ..arrays import Array, Floats, numeric
from ..errors import InputError
from ..tolerances import ZERO_SINGULAR_VALUE
from .columns import ColumnData, Seed, columns_of, numbers
from .estimators import RESAMPLES, Estimate, plug_in, strata


def proximal(
    data: ColumnData,
    treatment: str,
    outcome: str,
    treatment_proxy: str,
    outcome_proxy: str,
    rng: Seed,
    resamples: int = RESAMPLES,
) -> Estimate:
    """E[outcome | do(treatment)] for each value of the treatment, (values,), from discrete proxies.

    The proxies are those of `outcome_bridge`. Raises InputError as it does, and if a value of the
    treatment never occurs with one of its proxy.
    """
    columns = columns_of(data)
    strata(columns, treatment, [treatment_proxy])  # or the error
    values = np.unique(numbers(columns, outcome))
    names = [treatment, treatment_proxy, outcome_proxy, outcome]
    return plug_in(columns, names, lambda law: proximal_means(law.table, values), rng, resamples)


def proximal_means(joint: Array, values: Array | None = None) -> Floats:
    """E[y | do(x)] for each x, (X,), as the mean of the outcome bridge over the law of w.

    The table and the values are those of `outcome_bridge`.
    """
    joint, values = _checked(joint, values)
    w = np.sum(joint, (0, 1, 3)) / np.sum(joint)
    return np.asarray(outcome_bridge(joint, values) @ w)


def outcome_bridge(joint: Array, values: Array | None = None) -> Floats:
    """The bridge h(x, w), (X, W), for which E[h(x, w) | x, z] = E[y | x, z].

    `joint` is a table of counts or probabilities with the axes x, z, w, y, and `values` has the
    values of y, 0 to Y-1 by default. z is a proxy of the hidden cause that has no effect on the
    outcome, and w one on which the treatment has none; z has at least as many values as w, and w as
    the cause. Raises InputError if some x and z never occur together, or if the law of w given x
    and z does not tell the values of w apart.

    Source: Miao, Geng and Tchetgen Tchetgen (2018), proposition 1.
    """
    joint, values = _checked(joint, values)
    x_and_z = joint.sum((2, 3))
    empty = np.argwhere(x_and_z <= 0)
    if len(empty):
        x, z = empty[0]
        raise InputError(
            f"value number {z} of the treatment's proxy never occurs with value number {x} of "
            "the treatment"
        )
    w_given_xz = joint.sum(3) / x_and_z[:, :, None]
    mean_given_xz = joint.sum(2) @ values / x_and_z
    rows = []
    for x, (law, mean) in enumerate(zip(w_given_xz, mean_given_xz, strict=True)):
        if np.linalg.matrix_rank(law, tol=ZERO_SINGULAR_VALUE) < joint.shape[2]:
            raise InputError(
                f"at value number {x} of the treatment, its proxy does not move all values of "
                "the outcome's proxy"
            )
        # P(w | x, z) h(x, w) = E[y | x, z], solved for h(x, .)
        rows.append(np.linalg.lstsq(law, mean)[0])
    return np.stack(rows)


def _checked(joint: Array, values: Array | None) -> tuple[Floats, Floats]:
    """The table (X, Z, W, Y), and a number for each value of y."""
    table = numeric(joint, "the table of x, z, w, y", axes=4)
    if (table < 0).any() or table.sum() <= 0:
        raise InputError("the table of x, z, w, y needs probabilities or counts, and some weight")
    if values is None:
        return table, np.arange(table.shape[3], dtype=float)
    numbers_of_y = numeric(values, "values", axes=1)
    if len(numbers_of_y) != table.shape[3]:
        raise InputError(
            f"y has {table.shape[3]} values in the table, and `values` has {len(numbers_of_y)}"
        )
    return table, numbers_of_y
