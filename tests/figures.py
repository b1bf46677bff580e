"""Figures that are printed somewhere, written as text."""

import numpy as np
from numpy.typing import ArrayLike


def printed(computed: ArrayLike, figures: str) -> bool:
    """Whether numbers equal the printed figures, separated by spaces, within one unit of the last digit; 0 to 9 are exact."""
    words = figures.split()
    units = np.array([1e-6 if word in set("0123456789") else 10.0 ** -len(word.partition(".")[2]) + 1e-9 for word in words])
    numbers = np.ravel(computed)
    return len(numbers) == len(words) and bool((abs(numbers - np.array(words, float)) <= units).all())
