"""The planted defects can still be planted; `mutants.py` runs the tests that catch them."""

import pytest
from mutants import ROOT, read_mutants, run

MUTANTS = read_mutants()
QUICK = ("separation-that-forgets-colliders",)


def test_defects_are_many_and_their_names_differ() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) >= 40
    assert len(set(names)) == len(names)
    floors = {mutant.file.partition("/")[0] for mutant in MUTANTS}
    assert floors == {"causal", "envs", "agents", "eval"}


def test_every_place_occurs_once_and_every_test_exists() -> None:
    assert [fault for mutant in MUTANTS if (fault := mutant.fault(ROOT))] == []


def test_a_planted_defect_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([mutant for mutant in MUTANTS if mutant.name in QUICK], jobs=1)
    assert "1 of 1 planted defects are caught" in capsys.readouterr().out
