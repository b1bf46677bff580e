"""A small share of `long_runs.py`, and that it would see a leak."""

import pytest
from long_runs import WORLDS, Measured, long_practice, long_series

STEPS = 1_000_000  # together


@pytest.mark.parametrize("world", WORLDS)
def test_memory_stays_flat_over_many_steps(world: str) -> None:
    measured = long_practice(world, STEPS // len(WORLDS), samples=50)
    assert measured.is_flat, measured.line()


def test_memory_stays_flat_over_runs_and_no_file_stays_open() -> None:
    measured = long_series(20, workers=1)
    assert measured.done == 20
    assert measured.more_files <= 0
    assert measured.growth < 20.0


def test_a_leak_is_seen() -> None:
    leaking = [400.0 + 30.0 * share / 100 for share in range(100)]
    assert not Measured("leaks", 1, leaking, 0).is_flat
    assert not Measured("leaves a file open", 1, [400.0] * 100, 1).is_flat
    assert not Measured("gets slower", 1, [400.0] * 100, 0, first=10.0, last=20.0).is_flat
    assert Measured("is flat", 1, [400.0] * 100, 0, first=10.0, last=11.0).is_flat
