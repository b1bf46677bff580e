"""Printed figures, and what is compared with them most."""

import numpy as np
import pytest

from confoundry.causal import SCM, Array, causal_policy, confused_policy, value


def printed(computed: Array | list[float] | float, figures: str) -> bool:
    """Whether numbers equal the printed figures, separated by spaces, each within one unit of its last digit."""
    words = figures.split()
    units = [10.0 ** -len(word.partition(".")[2]) for word in words]
    numbers = np.ravel(computed).tolist()
    assert len(numbers) == len(words)
    return all(x == pytest.approx(float(w), abs=u + 1e-9) for x, w, u in zip(numbers, words, units, strict=True))


def earned(model: SCM, world: SCM | None = None) -> list[float]:
    """J of the confused and of the causal policy, which were learned in `model`, in a world that may have shifted."""
    world = world or model
    return [value(world, confused_policy(model)), value(world, causal_policy(model))]
