"""The study of pre-training over worlds: its criterion, and units that are done once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from dosuite.eval.studies import worlds_scale
from dosuite.eval.studies.study import Size, perform
from dosuite.eval.studies.units import Unit, do_units
from dosuite.eval.studies.verdicts import Word
from dosuite.eval.studies.worlds_scale import INTERVENE, OBSERVE, Network, References

GAP, FLOOR = 0.15, 0.07


def networks(
    seeing: float = GAP,
    first: float = GAP,
    doing: float = FLOOR + 0.005,
    in_twins: float = 0.14,
    to_seen: float = 0.02,
    right: float = 0.9,
) -> pd.DataFrame:
    """Three seeds at two numbers of worlds; `first` is the observational error at the smaller."""
    rng = np.random.default_rng(0)
    lines: list[dict[str, Any]] = [
        {"answers": name, "worlds": 0, "width": 0, "seed": 0, "error": error, "in_twins": GAP}
        for name, error in (("posterior", FLOOR), ("association", GAP))
    ]
    for number in (10, 1000):
        for target, error in ((OBSERVE, seeing if number > 10 else first), (INTERVENE, doing)):
            for seed in range(3):
                head = {"answers": target, "worlds": number, "width": 8, "seed": seed}
                rates = {"right": right, "right_in_twins": 0.1, "to_seen": to_seen}
                noise = 1 + 0.01 * rng.normal()
                lines.append(head | rates | {"error": error * noise, "in_twins": in_twins})
    return pd.DataFrame(lines)


@pytest.mark.parametrize(
    ("rows", "word", "reason"),
    [
        (networks(), Word.SUPPORTS, "the excess"),
        (networks(seeing=FLOOR), Word.AGAINST, "after 1,000 worlds"),
        (networks(first=2 * GAP), Word.AGAINST, "after 10 worlds"),
        (networks(doing=GAP), Word.AGAINST, "the excess"),
        (networks(in_twins=0.03), Word.AGAINST, "the error in twins"),
        (networks(right=1.0), Word.AGAINST, "on the pair"),
        (networks(to_seen=GAP), Word.NO_VERDICT, "Learner untrained"),
    ],
)
def test_the_criterion_of_worlds_scale(rows: pd.DataFrame, word: Word, reason: str) -> None:
    (said,) = worlds_scale.STUDY.findings(rows)
    assert said.word is word
    assert reason in said.reason


def test_worlds_scale_writes_its_paragraph_from_the_numbers_and_draws_them() -> None:
    text = worlds_scale.STUDY.paragraph(networks())
    assert "the confusion gap is 0.150, and the error of the posterior mean 0.070" in text
    assert worlds_scale.STUDY.headline(networks()).startswith("At width 8, from 10 to 1,000 worlds")
    (axes,) = [axes for axes in worlds_scale.STUDY.figure(networks()).axes if axes.axison]
    levels = [line.get_ydata()[0] for line in axes.lines]  # type: ignore[index]
    assert {GAP, FLOOR} <= set(levels)


class Tiny(worlds_scale.WorldsScale):
    """Networks that are trained for a moment, which can decide nothing."""

    def units(self, size: Size) -> Sequence[Unit]:
        trained = [Network(target, 5, 4, 0, 2) for target in (OBSERVE, INTERVENE)]
        return [References(prior=50), *trained]


def test_the_study_goes_on_and_says_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds_scale, "UNSEEN", 4)
    worlds_scale._unseen.cache_clear()
    first = perform(Tiny(), Size.SMALL, tmp_path, 1, quiet=True)
    assert "no verdict. Learner untrained" in first.text
    assert len(list((tmp_path / "units").iterdir())) == 3
    again = perform(Tiny(), Size.SMALL, tmp_path, 1, quiet=True)
    assert_frame_equal(again.rows, first.rows)
    other = perform(Tiny(), Size.SMALL, tmp_path / "again", 1, quiet=True)
    assert_frame_equal(other.rows, first.rows)
    worlds_scale._unseen.cache_clear()


@dataclass(frozen=True)
class Part(Unit):
    """A unit that counts how often it is done, and stops while there is a file `stop`."""

    number: int
    folder: str

    def rows(self) -> list[dict[str, int]]:
        if self.number == 2 and (Path(self.folder) / "stop").exists():
            raise KeyboardInterrupt
        with (Path(self.folder) / "done").open("a") as done:
            done.write(f"{self.number}\n")
        return [{"number": self.number}]


def test_a_unit_is_done_once(tmp_path: Path) -> None:
    parts = [Part(number, str(tmp_path)) for number in range(4)]
    (tmp_path / "stop").touch()
    with pytest.raises(KeyboardInterrupt):
        do_units(parts, tmp_path / "out", 1)
    (tmp_path / "stop").unlink()
    assert do_units(parts, tmp_path / "out", 1)["number"].tolist() == [0, 1, 2, 3]
    assert (tmp_path / "done").read_text().split() == ["0", "1", "2", "3"]
