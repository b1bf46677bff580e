"""Handwritten digits in the place of numbers.

The images are those of scikit-learn's `load_digits`: 1,797 digits of 8 x 8 pixels, from the test
set of Alpaydin and Kaynak (1998), Optical recognition of handwritten digits, UCI repository.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import ClassVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from dosuite.causal import Array, InputError
from dosuite.causal.arrays import Integers
from dosuite.causal.errors import did_you_mean
from dosuite.causal.model import noise

from ..spaces import Space
from .view import View, context_positions

SIDE = 8  # pixels
EXEMPLARS = 87  # images of each digit in each bank: all that the rarest digit has, halved
BANKS = ("train", "test")
BRIGHTEST = 16  # of a pixel, in `load_digits`

Images = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Digits(View):
    """The number of each context, in decimal: images (1, 8, 8 * digits) of bytes, 0 to 255.

    A context shows the position of its value among its possible values, counted from 0, in as many
    digits as the last position needs. At each step a fresh exemplar is drawn uniformly from a bank
    of 87 exemplars of each context. Exemplar i of a context of several digits has exemplar i of its
    first digit, and of each other digit another one, by a permutation that is fixed once and for
    all. A world without contexts shows a digit that means nothing: a uniform one of all 870.

    Raises InputError if the bank is neither train nor test.
    """

    supports: tuple[Array, ...]  # the possible values of each context
    bank: str = "train"

    finite: ClassVar[bool] = True
    banks: ClassVar[tuple[str, ...]] = BANKS

    def __post_init__(self) -> None:
        if self.bank not in BANKS:
            raise InputError(
                f"{self.bank!r} is not a bank of digits; {did_you_mean(self.bank, BANKS)}"
            )

    @cached_property
    def lengths(self) -> list[int]:
        """The number of digits of each context."""
        return [len(str(len(support) - 1)) for support in self.supports]

    @cached_property
    def slots(self) -> int:
        """The number of digits side by side."""
        return max(1, sum(self.lengths))

    @property
    def exemplars(self) -> int:
        """The number of exemplars of each context."""
        return EXEMPLARS if self.supports else 10 * EXEMPLARS

    @cached_property
    def space(self) -> Space:  # type: ignore[override]
        """The space of the images."""
        return Box(0, 255, (1, SIDE, SIDE * self.slots), np.uint8)

    def show(
        self, contexts: Array, ids: noise.UnitIds, stream: str, step: noise.Numbers = 0
    ) -> Array:
        uniform = noise.uniform(ids, f"{stream} exemplar", step)
        return self._drawn(contexts, (uniform * self.exemplars).astype(np.int64))

    def exemplars_of(self, contexts: Array) -> Array:
        count = len(contexts)
        number = np.tile(np.arange(self.exemplars), count)
        shown = self._drawn(np.repeat(contexts, self.exemplars, axis=0), number)
        return shown.reshape(count, self.exemplars, *shown.shape[1:])

    def _drawn(self, contexts: Array, exemplar: Integers) -> Images:
        """The images (n, 1, 8, width) of contexts (n, ...) by exemplars with these numbers (n,)."""
        count = len(exemplar)
        drawn = np.empty((count, 1, SIDE, SIDE * self.slots), np.uint8)
        for slot, (digit, permutation) in enumerate(
            zip(self._digits(contexts, exemplar), permutations(self.slots), strict=True)
        ):
            image = digit * EXEMPLARS + permutation.take(exemplar % EXEMPLARS)
            left = SIDE * slot
            drawn[:, 0, :, left : left + SIDE] = banks()[self.bank].take(image, axis=0)
        return drawn

    def _digits(self, contexts: Array, exemplar: Integers) -> list[Integers]:
        """The digit (n,) in each slot, from left to right."""
        if not self.supports:
            return [exemplar // EXEMPLARS]
        digits = []
        places = context_positions(self.supports, contexts)
        for position, length in zip(places, self.lengths, strict=True):
            digits += [position // 10**power % 10 for power in reversed(range(length))]
        return digits


@cache
def banks() -> dict[str, Images]:
    """The images of each bank, (870, 8, 8): 87 of the digit 0, then of 1, and so on.

    The images of a digit go to the two banks in turn, in the order of the data set.
    """
    from sklearn.datasets import load_digits  # slow to import

    digits = load_digits()
    pixels = np.rint(digits.images * (255 / BRIGHTEST)).astype(np.uint8)
    found = {}
    for number, bank in enumerate(BANKS):
        of_digit = [pixels[digits.target == digit][number::2] for digit in range(10)]
        found[bank] = np.concatenate([images[:EXEMPLARS] for images in of_digit])
    return found


@cache
def permutations(slots: int) -> list[Integers]:
    """The order of the exemplars in each slot; that of the first is their own."""
    rng = np.random.default_rng(0)
    return [np.arange(EXEMPLARS), *(rng.permutation(EXEMPLARS) for _ in range(slots - 1))]
