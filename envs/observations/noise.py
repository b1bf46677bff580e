"""Contexts as noisy vectors: a difficulty of perception that can be dialled."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from gymnasium.spaces import Box
from scipy.special import ndtri

from dosuite.causal import Array, InputError
from dosuite.causal.arrays import Floats
from dosuite.causal.model import noise

from ..spaces import Space
from .view import View, context_positions

MOST = 2**14  # numbers of an observation
TINY = 2.0**-54  # keeps normal quantiles finite


@dataclass(frozen=True, eq=False)
class Noise(View):
    """A fixed random projection of the one-hot contexts, plus Gaussian noise: (dims,) numbers.

    The projection of a value is a vector of independent standard normal numbers, drawn once and for
    all; those of several contexts are added up. The noise of each number is normal with standard
    deviation `level`. The value of a policy is estimated by rollouts, with the same noise for every
    policy.

    Raises InputError if `dims` is not between 1 and 16,384, or `level` is negative.
    """

    supports: tuple[Array, ...]  # the possible values of each context
    dims: int = 64
    level: float = 1.0

    finite: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 1 <= self.dims <= MOST or self.level < 0:
            raise InputError(
                f"the observation noise has 1 to {MOST} dims and a level of at least 0, and got "
                f"{self.dims} and {self.level}"
            )

    @cached_property
    def projections(self) -> list[Floats]:
        """The vector of each value of each context: (values, dims) each."""
        sizes = [len(support) for support in self.supports]
        rng = np.random.default_rng([self.dims, *sizes])
        return [rng.standard_normal((size, self.dims)) for size in sizes]

    @cached_property
    def space(self) -> Space:  # type: ignore[override]
        """The space of the vectors."""
        return Box(-np.inf, np.inf, (self.dims,), np.float32)

    def show(
        self, contexts: Array, ids: noise.UnitIds, stream: str, step: noise.Numbers = 0
    ) -> Array:
        clock = noise.clock(step)
        shown = np.empty((len(ids), self.dims), np.float32)
        for number in range(self.dims):
            uniform = noise.at(ids, f"{stream} noise {number}", clock)
            shown[:, number] = self.level * ndtri(np.maximum(uniform, TINY))
        places = context_positions(self.supports, contexts)
        for position, projection in zip(places, self.projections, strict=True):
            shown += projection[position].astype(np.float32)
        return shown
