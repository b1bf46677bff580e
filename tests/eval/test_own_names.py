"""An agent of a user's file is shown by its name, and its rows still say how to run it again."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from dosuite.agents import make_agent
from dosuite.causal import InputError
from dosuite.envs.trust import trusting
from dosuite.eval import execute
from dosuite.eval.claims.matrix import in_order, matrix_cells
from dosuite.eval.claims.sanity import control_runs, control_scores, control_sections
from dosuite.eval.claims.tuning import trial_scores, tuning_runs, tuning_section
from dosuite.eval.claims.verdicts import matrix_sections, measured_cells
from dosuite.eval.reports.labels import named, own_names
from dosuite.eval.reports.page import Section, markdown
from dosuite.eval.runs.run import Run

AGENT = """
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.agents import OfflineAgent, TabularPolicy


@dataclass(frozen=True)
class Mine(OfflineAgent):
    {name}
    prior: float = 0.0

    def learn_from(self, source, rng):
        return TabularPolicy(np.eye(2)[[0]], source.observation_space)
"""


def rows(*agents: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(agents, columns=["agent", "agent_name"])


def shown(*agents: tuple[str, str]) -> list[str]:
    return list(named(rows(*agents))["agent"])


def test_a_name_comes_with_the_settings_and_without_the_file() -> None:
    assert shown(("naive", ""), ("lab/my_agent.py:Mine:prior=0.5", "mine")) == [
        "naive",
        "mine:prior=0.5",
    ]
    assert shown(("a.py:Mine", "mine"), ("a.py:Mine:prior=1", "mine")) == ["mine", "mine:prior=1"]
    assert shown(("model.zip", ""), ("choose.py:act", "")) == ["model.zip", "choose.py:act"]


def test_agents_of_one_name_are_told_apart() -> None:
    assert shown(("lab/a.py:Mine", "mine"), ("b.py:prior=1", "mine"), ("c.py", "other")) == [
        "mine [a.py:Mine]",
        "mine:prior=1 [b.py]",
        "other",
    ]
    assert shown(("x/a.py", "mine"), ("y/a.py", "mine")) == ["mine [x/a.py]", "mine [y/a.py]"]
    assert shown(("a.py:Mine", "naive"), ("naive", "")) == ["naive [a.py:Mine]", "naive"]
    other = rows(("b.py", "mine"))
    assert list(named(rows(("a.py", "mine")), [other])["agent"]) == ["mine [a.py]"]


def test_rows_without_names_are_left_alone() -> None:
    older = pd.DataFrame({"agent": ["naive", "a.py"]})
    assert named(older).equals(older)
    both = pd.concat([older, rows(("b.py", "mine"))])
    assert list(named(both)["agent"]) == ["naive", "a.py", "mine"]
    assert named(named(both)).equals(named(both))


def test_a_class_without_a_name_is_shown_by_its_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(AGENT.format(name="") + "\n\nclass Child(Mine):\n    pass\n")
    make_agent(f"{file}:Child", trust=True)
    named_by_class = [
        Run("IceCreamShorts-v0", f"{file}:{name}", "observe", 64, 0).died().rows[0]["agent_name"]
        for name in ("Mine", "Child")
    ]
    assert named_by_class == ["Mine", "Child"]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[str]:
    """A trusted file with an agent that is called mine."""
    file = tmp_path / "mine.py"
    file.write_text(AGENT.format(name='name: ClassVar[str] = "mine"\n    rate: float = 0.1'))
    with trusting():
        yield str(file)


def texts(sections: list[Section]) -> str:
    """The tables of sections as text."""
    return "\n".join(markdown(table) for section in sections for table in section.tables)


def test_the_matrix_runs_agents_of_the_user_and_shows_their_names(own: str, tmp_path: Path) -> None:
    cells = matrix_cells(["IceCreamShorts"], [own], 1, 50, 50)
    chosen = [cell for cell in cells if cell.column in ("NaiveRL", own)]
    rows = execute(in_order(chosen), tmp_path / "out", 1, quiet=True)
    measured = measured_cells(chosen, rows)
    shown = texts(matrix_sections(chosen, measured, own_names(rows)))
    assert "| mine " in shown
    assert own not in shown
    taken = texts(matrix_sections(chosen, measured, {own: "NaiveRL"}))
    assert own in taken  # since a class of the matrix has that name


def test_the_checks_on_controls_show_names(own: str, tmp_path: Path) -> None:
    runs = control_runs(["IceCream"], [own, "bc"], 1, 50, 50)
    rows = execute(runs, tmp_path / "out", 1, quiet=True)
    shown = texts(control_sections(control_scores(rows), own_names(rows)))
    assert "| mine " in shown
    assert own not in shown


def test_a_tuning_shows_names_and_keeps_settings(own: str, tmp_path: Path) -> None:
    runs = tuning_runs(["IceCream"], [own], 3, 1, 50, 50)
    rows = execute(runs, tmp_path / "out", 1, quiet=True)
    scores = trial_scores(rows)
    assert set(scores["agent"]) == {own}
    assert set(scores["settings"]) == {"", "rate=0.03", "rate=0.3"}
    shown = texts([tuning_section(scores, own_names(rows))])
    assert "| mine " in shown
    assert own not in shown


@pytest.mark.parametrize("name", ["7", "' '", r"'two\nlines'"])
def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(AGENT.format(name=f"name: ClassVar[str] = {name}"))
    with pytest.raises(InputError, match=r"Mine\.name must be a text of one line"):
        make_agent(str(file), trust=True)
