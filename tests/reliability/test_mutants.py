"""The planted defects can still be planted; `mutants.py` runs the tests that catch them."""

from dataclasses import replace
from pathlib import Path

from mutants import ROOT, read_mutants

MUTANTS = read_mutants()


def test_defects_are_many_and_their_names_differ() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) >= 40
    assert len(set(names)) == len(names)
    floors = {mutant.file.partition("/")[0] for mutant in MUTANTS}
    assert floors == {"causal", "envs", "agents", "eval"}


def test_every_place_occurs_once_and_every_test_exists() -> None:
    assert [fault for mutant in MUTANTS if (fault := mutant.fault(ROOT))] == []


def test_a_lost_place_a_lost_test_and_a_long_one_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "sound.py").write_text("x = 1\n")
    (tmp_path / "test_x.py").write_text("def test_x() -> None:\n    pass\n")
    mutant = replace(MUTANTS[0], file="sound.py", text="x = 1", tests=("test_x.py::test_x",))
    assert mutant.fault(tmp_path) == ""
    assert "occurs 0 times" in replace(mutant, text="x = 2").fault(tmp_path)
    assert "there is no test" in replace(mutant, tests=("test_x.py::test_y",)).fault(tmp_path)
    (tmp_path / "test_x.py").write_text("@pytest.mark.long\ndef test_x() -> None:\n    pass\n")
    assert "marked long" in mutant.fault(tmp_path)
