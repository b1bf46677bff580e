"""The plan of the sepsis physician is made when a probability is needed, and not before."""

import subprocess
import sys

import numpy as np

from dosuite.envs.worlds.sepsis import SepsisDiabetes
from dosuite.envs.worlds.sepsis_simulator import PHYSICIAN_SEES, Physician, physician_policy

PROGRAM = """
import dosuite.envs
from dosuite.envs.worlds.sepsis_simulator import physician_policy
print(physician_policy.cache_info().currsize)
dosuite.envs.make_model("SepsisDiabetes-v0").do(treatment=0)
print(physician_policy.cache_info().currsize)
"""


def test_importing_the_catalogue_does_not_plan() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["0", "0"], done.stderr


def test_the_law_of_the_treatment_is_the_plan() -> None:
    model = SepsisDiabetes()
    table = model.tables.factor("treatment", first=False).table
    assert np.array_equal(table.reshape(-1, 8), physician_policy(fault=True))
    assert table.shape == (*PHYSICIAN_SEES, 8)


def test_the_physician_rarely_errs() -> None:
    """The best action has probability 0.95, and each of the other seven 0.05/7."""
    plan = np.sort(physician_policy(fault=False), axis=1)
    assert np.allclose(plan[:, :-1], 0.05 / 7, rtol=0, atol=1e-15)
    assert np.allclose(plan[:, -1], 0.95, rtol=0, atol=1e-15)


def test_the_shape_of_the_law_is_known_without_a_plan() -> None:
    law = Physician(True, np.array([3, 1, 4]))
    assert law.batch_shape == (3,)
    assert law.mean().shape == law.batch_shape
