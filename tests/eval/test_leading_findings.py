"""The leading findings: how they are picked and written, and that the README has those of today."""

import re
from pathlib import Path

import pytest
from commands import Call
from places import ROOT
from studied import NAME, done_folder, regrets

from dosuite.eval.studies import kept as reading
from dosuite.eval.studies.keep import keep
from dosuite.eval.studies.kept import Results, kept_results
from dosuite.eval.studies.leading import TOPICS, leading_findings
from dosuite.eval.studies.study import studies

README = (ROOT / "README.md").read_text(encoding="utf-8")


def listed(text: str) -> set[str]:
    """The items of Markdown lists that name a command `... --kept`, each on one line."""
    items = re.findall(r"^- \*\*.*?(?=\n\n|\n- |\Z)", text, re.DOTALL | re.MULTILINE)
    return {" ".join(item.split()) for item in items if "--kept`" in item}


def test_the_readme_has_the_findings_of_the_results_in_the_package() -> None:
    today = {str(each) for each in leading_findings(kept_results())}
    assert listed(README) == today, "take the text of `dosuite study --findings`"


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    """Results in the package that speak against the hypothesis of a study."""
    monkeypatch.setattr(reading, "PLACE", tmp_path / "kept")
    keep(done_folder(tmp_path / "study", regrets(0.3)), place=reading.PLACE)
    return kept_results()[NAME]


def test_a_finding_has_the_numbers_the_verdict_and_the_command(
    results: Results, dosuite: Call
) -> None:
    (found,) = leading_findings({NAME: results})
    assert found.topic == next(iter(TOPICS))
    assert "at most 0.30" in str(found)
    assert "The verdict on the hypothesis: against (1 case)." in str(found)
    assert str(found).endswith(f"`dosuite study {NAME} --kept`")
    assert dosuite("study", "--findings")[1].strip() == str(found)
    assert "NAME contradicts --findings" in dosuite("study", NAME, "--findings")[2]


def test_a_readme_with_other_numbers_or_another_verdict_is_noticed(results: Results) -> None:
    (found,) = leading_findings({NAME: results})
    text = str(found).replace(" and ", "\n  and ")  # as lines of a README break
    before, after = "# dosuite\n\n- **Not a finding**\n", "\n\nMore.\n"
    assert listed(f"{before}{text}{after}") == {str(found)}
    assert listed(f"{before}{text.replace('against', 'supports')}{after}") != {str(found)}
    assert listed(f"{before}{text}\n{text.replace('0.3', '0.4')}{after}") != {str(found)}


def test_stale_results_answer_nothing_and_the_first_study_counts(results: Results) -> None:
    assert leading_findings({NAME: results._replace(promise="another")}) == []
    first = studies()["static-scale"]
    other = results._replace(study=first, promise=first.promise(results.size))
    for found in ({NAME: results, first.name: other}, {first.name: other, NAME: results}):
        (leading,) = leading_findings(found)
        assert leading.results.study is first


def test_without_results_that_is_said(
    dosuite: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PLACE", tmp_path)
    assert dosuite("study", "--findings")[:2] == (0, "The package has no results of studies.\n")
