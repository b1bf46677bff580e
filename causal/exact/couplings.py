"""Couplings: the joint law of one variable in several worlds that share its noise.

A law P(v | causes) in each world, which interventions identify, fixes the margins of this joint law
and nothing more. A coupling is an assumption that adds the rest, and no experiment can test it:

- "quantile": one uniform number for each unit, and v is the quantile function of its law, as in
  `SCM.sample`. Values keep their rank, and where v has two values no unit moves against the others.
- "gumbel-max": v is the value k with the greatest log P(k | causes) + G_k, for independent Gumbel
  numbers G_k that worlds share. If a value gets no less likely relative to another, no unit moves
  from it to the other (counterfactual stability; Oberst and Sontag 2019, section 3).
- "bounds": all couplings at once, which gives intervals; see `coupling_bounds`.

They agree where a mechanism is deterministic given its causes.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import permutations
from typing import Literal, get_args

import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError, did_you_mean
from ..model.elimination import Factor, check_size, spread
from ..tolerances import RELATIVE_OVERLAP

PointCoupling = Literal["quantile", "gumbel-max"]
Coupling = Literal["quantile", "gumbel-max", "bounds"]


def check_coupling(coupling: str) -> None:
    """Raise InputError if there is no coupling of this name."""
    if coupling not in get_args(Coupling):
        raise InputError(
            f"{coupling!r} is not a coupling; {did_you_mean(coupling, get_args(Coupling))}"
        )


def quantile(laws: Sequence[Factor], names: tuple[str, ...]) -> Floats:
    """P(the variable in each world | its causes) if worlds share one uniform draw.

    Each law has the causes as axes and then the variable; `names` are the axes of the result. The
    probability is the length of the overlap of the intervals of [0, 1) in which the variable takes
    its values.
    """
    lengths = [spread(law, names) for law in laws]
    shortest = np.asarray(reduce(np.minimum, lengths))
    # Intervals overlap as far as each ends above the beginnings of all others.
    overlap = shortest
    for one, other in permutations(laws, 2):
        overlap = np.minimum(overlap, _reach(one, other, names, shortest))
    return overlap


def _reach(one: Factor, other: Factor, names: tuple[str, ...], shortest: Floats) -> Floats:
    """How far the intervals of one law end above the beginnings of those of the other.

    It is 0 if they end below, or above only by rounding. To keep the digits of an interval of
    length 1e-20 beside a long one, it is measured from the nearer end of [0, 1).
    """
    # From below: where the intervals of one law end, and those of the other begin.
    _, end = _sums(one, names)
    begin, _ = _sums(other, names)
    # From above: what is left over the end, and over the beginning.
    left, _ = _sums(one, names, down=True)
    _, rest = _sums(other, names, down=True)
    low = end[0] + begin[0] < 1
    reach = np.where(low, (end - begin).sum(0), (rest - left).sum(0))
    rounding = 4 * np.finfo(float).eps * np.where(low, end[0], rest[0])
    return np.where((reach <= rounding) & (reach <= RELATIVE_OVERLAP * shortest), 0.0, reach)


def _sums(law: Factor, names: tuple[str, ...], down: bool = False) -> tuple[Floats, Floats]:
    """The cumulative probability before each value and up to it, or from above if `down`.

    Each has two parts on its first axis, to be added: a sum, and what rounding took from it (the
    two-sum of Knuth, The Art of Computer Programming, volume 2, section 4.2.2).
    """
    way = slice(None, None, -1 if down else 1)
    probability = law.table[..., way]
    total = np.cumsum(probability, axis=-1)
    before = _shifted(total)
    added = total - before
    taken = np.cumsum((before - (total - added)) + (probability - added), axis=-1)
    sums = np.stack([total, taken])
    axes, wanted = ("part", *law.names), ("part", *names)
    first = spread(Factor(axes, _shifted(sums)[..., way]), wanted)
    second = spread(Factor(axes, sums[..., way]), wanted)
    return first, second


def _shifted(sums: Floats) -> Floats:
    """Each entry one place further on the last axis, after a 0."""
    return np.concatenate([np.zeros_like(sums[..., :1]), sums[..., :-1]], axis=-1)


def gumbel_max(laws: Sequence[Factor], names: tuple[str, ...], supports: Sequence[Array]) -> Floats:
    """P(the variable in each of two worlds | its causes) if the worlds share Gumbel numbers.

    Laws and `names` are as for `quantile`; `supports` are the values of the variable in each world.
    """
    one, other = laws
    own = (one.names[-1], other.names[-1])
    causes = tuple(name for name in names if name not in own)
    # Each value has its own Gumbel number, so take both laws over the values of both worlds.
    values = np.union1d(*supports)
    p = _on_values(spread(one, (*causes, own[0])), supports[0], values)
    q = _on_values(spread(other, (*causes, own[1])), supports[1], values)
    p, q = np.broadcast_arrays(p, q)
    check_size([*p.shape, p.shape[-1]], f"{own[0]} and {own[1]}")
    joint = argmax_joint(p, q)
    rows, columns = (np.searchsorted(values, support) for support in supports)
    joint = joint[..., rows[:, None], columns]
    return np.asarray(spread(Factor((*causes, *own), joint), names))


def _on_values(law: Floats, support: Array, values: Array) -> Floats:
    """A law over `support` as a law over more values, on the last axis."""
    table = np.zeros((*law.shape[:-1], len(values)))
    table[..., np.searchsorted(values, support)] = law
    return table


def argmax_joint(p: Floats, q: Floats) -> Floats:
    """P(argmax log p_k + G_k = i, argmax log q_k + G_k = j): (..., n, n) for laws (..., n).

    With exponential numbers E_k = exp(-G_k) the values are argmin E_k / p_k and argmin E_k / q_k.
    For i != j let s = E_i / p_i and t = E_j / q_j be the two minima. All E_k must be at least
    max(p_k s, q_k t), which for k = i and k = j says q_i / p_i <= s / t <= q_j / p_j, so that

        P(i, j) = p_i q_j * integral over such (s, t) of exp(-M(s, t)),
        M(s, t) = sum over k of max(p_k s, q_k t).

    M is linear between the rays s / t = q_k / p_k. The integral over the cone between neighbouring
    rays with directions a and b is det(a, b) / (M(a) M(b)). For i = j it is a line:
    P(i, i) = p_i q_i / M(q_i, p_i).
    """
    total = p + q
    occurs = total > 0
    divisor = np.where(occurs, total, 1.0)
    # Directions (s, t) of the rays with s + t = 1; a value that never occurs gets the first ray.
    s = q / divisor
    t = np.where(occurs, p / divisor, 1.0)
    order = np.argsort(s, axis=-1, kind="stable")
    p, q, s, t, divisor = (np.take_along_axis(x, order, -1) for x in (p, q, s, t, divisor))
    # M at each ray, the integral over each cone, and over all cones from ray i to ray j.
    terms = np.maximum(p[..., None, :] * s[..., None], q[..., None, :] * t[..., None])
    at_rays = terms.sum(-1)
    determinants = s[..., 1:] * t[..., :-1] - s[..., :-1] * t[..., 1:]
    cones = determinants.clip(0.0) / (at_rays[..., 1:] * at_rays[..., :-1])
    joint = _sums_between(cones) * p[..., :, None] * q[..., None, :]
    # M is homogeneous, so that M(q, p) = M(s, t) * (p + q).
    diagonal = np.arange(p.shape[-1])
    joint[..., diagonal, diagonal] = p * q / (at_rays * divisor)
    # Undo the sorting, of rows and of columns.
    place = np.argsort(order, axis=-1)
    joint = np.take_along_axis(joint, place[..., :, None], -2)
    return np.asarray(np.take_along_axis(joint, place[..., None, :], -1))


def _sums_between(cones: Floats) -> Floats:
    """The sums of the cones i, ..., j-1 for all i and j: (..., n, n) for n-1 cones."""
    count = cones.shape[-1]
    i, j, cone = np.ogrid[: count + 1, : count + 1, :count]
    inside = (i <= cone) & (cone < j)
    return np.tensordot(cones, inside.astype(float), axes=(-1, -1))
