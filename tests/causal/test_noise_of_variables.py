"""Variables, steps and units have unrelated noise."""

import numpy as np

from dosuite.causal.model import noise


def test_noise_of_different_variables_steps_and_units_is_unrelated() -> None:
    ids = noise.units(0, np.arange(10_000))
    draws = [
        noise.uniform(ids, "heat"),
        noise.uniform(ids, "shorts"),
        noise.uniform(ids, "heat", 1),
        noise.uniform(noise.units(1, np.arange(10_000)), "heat"),
    ]
    off_diagonal = np.asarray(np.corrcoef(draws))[np.triu_indices(len(draws), k=1)]
    assert (abs(off_diagonal) < 4 / np.sqrt(10_000)).all()
