"""The criteria of the studies of sequence models, on small tables in which they hold and fail."""

import numpy as np
import pandas as pd
import pytest

from dosuite.envs import world_classes
from dosuite.eval.studies import delusion, test_time
from dosuite.eval.studies.delusion import ASKS, GUESSES, IMITATES, MASKED
from dosuite.eval.studies.study import Size
from dosuite.eval.studies.test_time import EXPERIMENTS, FORGETS, KNOWS, Experimenter, Imitators
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


def imitators(expert: float = 0.6, **earned: float) -> pd.DataFrame:
    """What three seeds of each imitator earn in ten rounds, the named ones other than expected."""
    rng = np.random.default_rng(0)
    usual = {EXPERIMENTS: 0.6, FORGETS: 0.55, KNOWS: 0.51}
    names = {EXPERIMENTS: "experiments", FORGETS: "forgets", KNOWS: "knows"}
    exact = {"floor": 0.57, "deluded": 0.51}
    lines = [
        {"learner": learner, "horizon": 10, "width": 8, "seed": seed, "logged": expert, **exact}
        | {"earned": earned.get(names[learner], mean) + 0.001 * rng.normal()}
        for learner, mean in usual.items()
        for seed in range(3)
    ]
    return pd.DataFrame(lines)


@pytest.mark.parametrize(
    ("rows", "word", "reason"),
    [
        (imitators(), Word.SUPPORTS, "experiments: the excess"),
        (imitators(experiments=0.55), Word.AGAINST, "experiments: the excess"),
        (imitators(0.55, experiments=0.55), Word.SUPPORTS, "is below 0.01"),
        (imitators(0.55), Word.AGAINST, "experiments: the excess"),
        (imitators(forgets=0.6), Word.AGAINST, "no memory: the excess"),
        (imitators(knows=0.6), Word.NO_VERDICT, "Learner untrained"),
    ],
)
def test_the_criterion_of_test_time(rows: pd.DataFrame, word: Word, reason: str) -> None:
    (said,) = test_time.STUDY.findings(rows)
    assert said.word is word
    assert reason in said.reason


def test_a_model_that_knew_would_be_beyond_the_floor() -> None:
    rows = imitators(knows=0.6).assign(deluded=0.6)
    (said,) = test_time.STUDY.findings(rows)
    assert said.word is Word.AGAINST
    assert "knows: the excess" in said.reason


def test_test_time_writes_its_paragraph_from_the_numbers_and_draws_them() -> None:
    text = test_time.STUDY.paragraph(imitators())
    assert "earn 0.600 with a memory" in text
    assert test_time.STUDY.headline(imitators()) == text
    (axes,) = test_time.STUDY.figure(imitators()).axes
    assert axes.get_xlabel() == "horizon"


def test_the_expert_who_experiments_does_not_know_the_better_box() -> None:
    seen = Experimenter(horizon=6).sample(4000, np.random.default_rng(0))
    box, prize, theta = (np.asarray(seen[name]) for name in ("box", "prize", "theta"))
    right = (box == theta).mean(0)
    assert right[:3] == pytest.approx(np.full(3, 0.5), abs=0.03)
    assert right[3] == pytest.approx(0.784, abs=0.03)  # two or three of three outcomes are right
    outcomes = np.where(box == prize, 1, -1)[:, :3].sum(1)
    assert np.array_equal(box[:, 3], outcomes > 0)
    assert Experimenter not in world_classes().values()


def test_equal_imitators_have_equal_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_time, "ROWS", 200)
    monkeypatch.setattr(test_time, "PLAYED", 200)
    unit = Imitators(EXPERIMENTS, 4, 4, 2, 3)
    rows = unit.rows()
    assert rows == unit.rows()
    assert [row["seed"] for row in rows] == [0, 1]
    assert set(test_time.exact_figures(4)) == {"floor", "deluded"}
