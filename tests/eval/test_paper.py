"""`dosuite export --paper`: what a paper's appendix needs of a folder of results."""

import re
from pathlib import Path

import pytest
from commands import Call

from dosuite.eval.reports.latex import ESCAPES


@pytest.fixture
def written(dosuite: Call, tmp_path: Path) -> tuple[str, str]:
    """The LaTeX and the BibTeX of a small folder of results."""
    run = ("run", "SimpsonClinic-v0:study=Berkeley", "--agent", "bc", "--agent", "naive")
    sizes = ("--seeds", 2, "--offline-budget", 200, "--workers", 1)
    assert dosuite(*run, *sizes, "--no-policies", "--no-reference")[0] == 0
    code, out, _ = dosuite("export", "results", "--paper", "appendix.tex")
    assert code == 0
    assert "appendix.tex and appendix.bib" in out
    texts = [(tmp_path / f"appendix.{kind}").read_text() for kind in ("tex", "bib")]
    return texts[0], texts[1]


def test_the_paper_is_whole_and_says_what_to_cite(written: tuple[str, str]) -> None:
    tex, bib = written
    for text in (
        "Seeds: 2, from 0 to 1.",
        "Budget: 200 recorded steps of a log.",
        "2 agents that learn, in 1 world",
        "Hardware and versions: cpu",
        "numpy",
        "CS\\_pair, the headline, is CS with",
    ):
        assert text in tex
    cited = re.findall(r"\\cite\{([^}]*)\}", tex)
    keys = re.findall(r"^@\w+\{(\w+),", bib, re.M)
    assert sorted(",".join(cited).split(",")) == sorted(keys)
    assert "bickel1975" in keys
    assert_whole(tex)


def assert_whole(tex: str) -> None:
    """Environments and braces are closed, no special character is bare, and rows fit columns."""
    for kind in ("table", "tabular"):
        opened = len(re.findall(rf"\\begin\{{{kind}\}}", tex))
        assert opened == len(re.findall(rf"\\end\{{{kind}\}}", tex)) > 1
    bare = re.sub(r"\\[\\{}$&#_%]|\\\w+", "", tex)
    assert bare.count("{") == bare.count("}")
    for line in bare.splitlines():
        if not line.startswith("%"):
            assert not set(line) & (set(ESCAPES) - set("{}$&\\")), line
            assert line.count("$") % 2 == 0
    for kinds, rows in re.findall(r"\\begin\{tabular\}\{([lr]+)\}(.*?)\\end", tex, re.DOTALL):
        for line in rows.splitlines():
            if line.endswith(r"\\"):  # a row of cells, of which one may span several columns
                spans = [int(width) for width in re.findall(r"\\multicolumn\{(\d+)\}", line)]
                cells = len(re.findall(r"(?<!\\)&", line)) + 1
                assert cells + sum(spans) - len(spans) == len(kinds), line


def test_nothing_is_exported_of_a_folder_without_results(dosuite: Call) -> None:
    code, _, error = dosuite("export", "nowhere", "--paper", "a.tex")
    assert code == 2
    assert "there is no file nowhere/results.parquet" in error
    assert dosuite("export", "nowhere", "--paper", "a.pdf")[0] == 2
