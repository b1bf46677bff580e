"""The first section of the report: the leading findings of the studies and their evidence."""

from pathlib import Path

import pandas as pd
import pytest
from studied import NAME, done_folder, regrets

from dosuite.eval.reports.page import Section, page
from dosuite.eval.reports.report import data_url
from dosuite.eval.studies import kept as reading
from dosuite.eval.studies.evidence import TITLE, evidence
from dosuite.eval.studies.keep import keep


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package without results of studies, and an empty folder `out`."""
    monkeypatch.setattr(reading, "PLACE", tmp_path / "kept")
    (tmp_path / "out").mkdir()


def section_of(folder: Path, kept: bool = True) -> Section:
    shown = evidence(folder, kept)
    assert shown is not None
    return shown.section


def test_without_results_there_is_no_section(tmp_path: Path) -> None:
    assert evidence(tmp_path / "out") is None
    keep(done_folder(tmp_path / "study", regrets()), place=reading.PLACE)
    assert evidence(tmp_path / "out", kept=False) is None
    assert evidence(tmp_path / "out") is not None


def test_the_section_has_findings_figures_verdicts_and_the_criterion(tmp_path: Path) -> None:
    keep(done_folder(tmp_path / "study", regrets(0.3)), place=reading.PLACE)
    shown = evidence(tmp_path / "out")
    assert shown is not None
    section, figures = shown
    assert section.title == TITLE
    ((topic, answer),) = section.points
    assert topic.endswith("?")
    assert "at most 0.30" in answer
    assert answer.endswith("against (1 case). (dosuite study reversal --kept)")
    (part,) = section.parts
    assert part.title == "What is causal confusion worth under shift? Verdict: against (1 case)"
    assert part.folded  # results of the package, on a page of other runs
    text = " ".join(part.sentences)
    for words in ("Hypothesis: ", "Criterion: ", "Budget of the default", "CPU seconds"):
        assert words in text
    (table,) = part.tables
    assert table.frame["verdict"].tolist() == ["against", "against"]
    assert table.frame["case"].tolist() == ["W", "all cases"]
    assert figures[part.figure] == (tmp_path / "study" / "study.png").read_bytes()


def test_the_page_holds_the_section_with_its_figure(tmp_path: Path) -> None:
    keep(done_folder(tmp_path / "study", regrets(0.3)), place=reading.PLACE)
    shown = evidence(tmp_path / "out")
    assert shown is not None
    urls = {name: data_url(picture, "png") for name, picture in shown.figures.items()}
    rows = pd.DataFrame({"world": [""], "status": ["ok"], "environment": ["W"]})
    html = page([shown.section], urls, rows)
    assert f"<h2>{TITLE}</h2>" in html
    assert f'src="{urls["study-reversal"]}"' in html
    assert '<details class="part">' in html
    assert "<strong>Does more static data" in html
    assert "rgba(230, 159, 0" in html


def test_the_studies_of_the_folder_go_before_those_of_the_package(tmp_path: Path) -> None:
    keep(done_folder(tmp_path / "study", regrets(0.3)), place=reading.PLACE)
    done_folder(tmp_path / "out" / "mine", regrets(0.0))
    section = section_of(tmp_path / "out")
    assert "supports" in section.parts[0].title
    assert not section.parts[0].folded
    assert "in this folder" in " ".join(section.sentences)
    assert "--kept" not in section.points[0][1]
    assert len(section_of(tmp_path / "out" / "mine").parts) == 1


def test_what_is_stale_or_broken_is_left_out_and_said(tmp_path: Path) -> None:
    mine = done_folder(tmp_path / "out" / "mine", regrets())
    text = (mine / "criterion.txt").read_text()
    (mine / "criterion.txt").write_text(text.replace("Question: ", "Question: why or "))
    section = section_of(tmp_path / "out")
    assert not section.parts
    assert f"Left out: {mine}: the results of {NAME} are stale" in section.sentences[-1]
