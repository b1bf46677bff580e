"""The criteria of the studies of sequence models, on small tables in which they hold and fail."""

import numpy as np
import pandas as pd
import pytest

from dosuite.eval.studies import delusion
from dosuite.eval.studies.delusion import ASKS, GUESSES, IMITATES, MASKED
from dosuite.eval.studies.study import Size
from dosuite.eval.studies.verdicts import Word


def boxes(**earned: float) -> pd.DataFrame:
    """What four seeds of each learner earn in ten rounds, the named ones other than expected."""
    rng = np.random.default_rng(0)
    exact = {"sampled": 0.51, "taken": 0.50, "best": 0.62}
    usual = {IMITATES: 0.51, ASKS: 0.50, MASKED: 0.60, GUESSES: 0.61}
    lines = [
        {"horizon": 10, "width": 8, "learner": learner, "seed": seed, **exact}
        | {"earned": earned.get(learner.split()[0], mean) + 0.002 * rng.normal()}
        for learner, mean in usual.items()
        for seed in range(4)
    ]
    return pd.DataFrame(lines)


@pytest.mark.parametrize(
    ("rows", "word", "reason"),
    [
        (boxes(), Word.SUPPORTS, "masked"),
        (boxes(asks=0.6), Word.AGAINST, "asks: prizes"),
        (boxes(imitates=0.6), Word.AGAINST, "imitates: prizes"),
        (boxes(masked=0.5), Word.AGAINST, "masked: prizes"),
        (boxes(guessing=0.5), Word.NO_VERDICT, "Learner untrained"),
    ],
)
def test_the_criterion_of_delusion(rows: pd.DataFrame, word: Word, reason: str) -> None:
    (said,) = delusion.STUDY.findings(rows)
    assert said.word is word
    assert reason in said.reason


def test_delusion_writes_its_paragraph_from_the_numbers_and_draws_them() -> None:
    rows = boxes(masked=0.57)
    assert "masked 0.569 and 0.569" in delusion.STUDY.paragraph(rows)
    (axes,) = [axes for axes in delusion.STUDY.figure(rows).axes if axes.axison]
    assert axes.get_title(loc="left") == "10 rounds"


def test_the_deluded_figures_are_the_catalogues() -> None:
    assert delusion.exact_figures(50)["sampled"] == pytest.approx(0.546, abs=5e-4)
    # the first guess is never given up
    assert delusion.exact_figures(10)["taken"] == pytest.approx(0.5, abs=1e-3)


def test_every_run_of_delusion_is_of_one_learner() -> None:
    runs = delusion.STUDY.runs(Size.SMALL)
    assert len(runs) == 4 * 2 * 4
    assert {run.regime for run in runs} == {"observe", "mixed"}
