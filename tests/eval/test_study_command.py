"""The command `dosuite study`, and what is written before a study runs."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import pytest
from commands import Call
from refusals import refused

from dosuite.eval.runs.run import Run
from dosuite.eval.studies import static_scale
from dosuite.eval.studies.judging_code import judging_code
from dosuite.eval.studies.study import Size, perform, studies, study_named, write_down
from dosuite.eval.studies.units import UnitStudy

EVERY = pytest.mark.parametrize("name", studies())


@EVERY
def test_every_study_says_what_it_asks_and_when_it_fails(name: str) -> None:
    study = studies()[name]
    text = study.promise(Size.SMALL)
    assert set(study.budget) == set(Size)
    for part in (study.question, study.hypothesis, study.criterion, study.budget[Size.SMALL]):
        assert part in text
    assert study.question.endswith("?")
    assert "No verdict" in study.criterion


@EVERY
def test_every_study_has_runs_or_units_of_each_size(name: str) -> None:
    study = studies()[name]
    small = [
        *study.runs(Size.SMALL),
        *(study.units(Size.SMALL) if isinstance(study, UnitStudy) else []),
    ]
    assert small
    assert len(set(small)) == len(small)


def test_the_studies_are_listed(dosuite: Call) -> None:
    code, out, _ = dosuite("study")
    assert code == 0
    assert [line.partition(":")[0] for line in out.splitlines()] == list(studies())


def test_a_request_that_makes_no_sense_is_refused(dosuite: Call) -> None:
    code, _, errors = dosuite("study", "static-scala")
    assert code == 2
    assert "did you mean 'static-scale'" in errors
    code, _, errors = dosuite("study", "static-scale", "--small", "--full")
    assert code == 2
    assert "--small contradicts --full" in errors


def test_the_criterion_is_written_first_and_may_not_change(tmp_path: Path) -> None:
    study = study_named("static-scale")
    text = write_down(study, Size.SMALL, tmp_path)
    assert (tmp_path / "criterion.txt").read_text() == text
    assert write_down(study, Size.SMALL, tmp_path) == text
    changed = replace(study, criterion="Whatever.")
    assert "another folder" in refused(lambda: write_down(changed, Size.SMALL, tmp_path))
    assert "another folder" in refused(lambda: write_down(study, Size.FULL, tmp_path))


class Tiny(static_scale.StaticScale):
    """Runs that are done in a moment, which can decide nothing."""

    def runs(self, size: Size) -> list[Run]:
        agent = "dqn:hidden=2,depth=2,optimiser=adam,updates=2,batch=8"
        runs = [Run("IceCreamShorts-v0", "confused", "exact", 1, 0)]
        for variant in ("", "control"):
            for rows in (10, 20):
                runs.append(Run("IceCreamShorts-v0", agent, "observe", rows, 0, variant))
        return runs


def written(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("study.*")}


def test_a_study_goes_on_and_says_the_same_again(tmp_path: Path) -> None:
    first = perform(Tiny(), Size.SMALL, tmp_path, 1, quiet=True)
    assert "no verdict. Learner untrained" in first.text
    before = written(tmp_path)
    assert set(before) == {f"study.{kind}" for kind in ("md", "parquet", "pdf", "png", "svg")}
    assert first.text.encode() in before["study.md"]
    again = perform(Tiny(), Size.SMALL, tmp_path, 1, quiet=True)
    assert again.text == first.text
    assert written(tmp_path)["study.parquet"] == before["study.parquet"]


def test_what_is_drawn_and_worded_may_change_and_what_is_judged_may_not() -> None:
    source = """
import numpy
LIMIT = 1
class Study:
    def findings(self, table):
        return judged(table)
    def figure(self, table):
        return drawn(table)
    def paragraph(self, table):
        return drawn(table)
def judged(table):
    return table < LIMIT
def drawn(table):
    return shown(table)
def shown(table):
    return table
"""
    code = judging_code(source)
    assert judging_code(source.replace("return table\n", "return 2 * table\n")) == code
    assert judging_code(source.replace("import numpy", "import pandas")) == code
    assert judging_code(source.replace("table < LIMIT", "table <= LIMIT")) != code
    for other in ("2", "1.0", "True", "None", "''"):
        assert judging_code(source.replace("LIMIT = 1", f"LIMIT = {other}")) != code


def test_the_code_of_a_criterion_is_the_same_text_in_every_python() -> None:
    """Newer versions have more empty fields, and unparse quotes in other ways."""
    code = judging_code("def findings(t):\n    return f\"{', '.join(t)}: {t[0]:.2f}\"\n")
    assert blake2b(code.encode(), digest_size=6).hexdigest() == "28f2c5cd3f10"


def test_what_a_study_of_units_does_may_not_change() -> None:
    study = study_named("test-time")
    code = judging_code(study.file.read_text(encoding="utf-8"))
    # the units, how one is done, and a mechanism that no code names
    for method in ("units", "rows", "box"):
        assert repr(("name", repr(method))) in code
    assert "_sentences" not in code
