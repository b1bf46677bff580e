"""The criterion of the study of labels, on small tables in which it holds and fails."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dosuite.eval.runs.run import outcomes
from dosuite.eval.studies import labels
from dosuite.eval.studies.flips import flip_of
from dosuite.eval.studies.labels import WITH, WITHOUT, price_of, tried
from dosuite.eval.studies.study import Size
from dosuite.eval.studies.verdicts import Word

WORLD = labels.ICE
Flips = Callable[[int], float]  # the flip by recorded steps


def at_the_price(recorded: int) -> float:
    return price_of(WORLD) * recorded


def constant(recorded: int) -> float:
    return 40.0


def table(without: Flips, labelled: Flips = constant, solved: float = 1.0) -> pd.DataFrame:
    """20 seeds that are right from 0.8 to 1.2 of the flip on, and a control some of them solve."""
    head = {"where": WORLD, "variant": "", "price": price_of(WORLD)}
    lines = [
        head
        | {"labels": kind, "recorded": recorded, "interventions": number, "seed": seed}
        | {"right": number >= flip(recorded) * (0.8 + 0.4 * seed / 19)}
        for kind, flip in ((WITH, labelled), (WITHOUT, without))
        for recorded in (1000, 10_000, 100_000)
        for number in tried(WORLD, kind, recorded)
        for seed in range(20)
    ]
    control = head | {"variant": "control", "labels": WITHOUT, "recorded": 100_000}
    lines += [
        control | {"interventions": 1, "seed": seed, "right": seed < 20 * solved}
        for seed in range(20)
    ]
    return pd.DataFrame(lines)


@pytest.mark.parametrize(
    ("rows", "without", "labelled"),
    [
        (table(at_the_price), Word.SUPPORTS, Word.SUPPORTS),
        (table(lambda n: 1.8 * at_the_price(n)), Word.AGAINST, Word.SUPPORTS),
        (table(lambda n: 0.2 * at_the_price(n)), Word.AGAINST, Word.SUPPORTS),
        (table(lambda n: 1e9), Word.AGAINST, Word.SUPPORTS),
        (table(at_the_price, lambda n: n / 200), Word.SUPPORTS, Word.AGAINST),
        (table(at_the_price, lambda n: 40 * (n / 1e4) ** 0.15), Word.SUPPORTS, Word.NO_VERDICT),
        (table(at_the_price, constant, solved=0.9), Word.NO_VERDICT, Word.NO_VERDICT),
    ],
)
def test_the_criterion_of_labels(rows: pd.DataFrame, without: Word, labelled: Word) -> None:
    said = {each.case.partition(", ")[2]: each.word for each in labels.STUDY.findings(rows)}
    assert said == {WITHOUT: without, WITH: labelled}


def test_seeds_that_all_differ_leave_the_flip_open() -> None:
    rows = table(at_the_price)
    unlabelled = (rows["labels"] == WITHOUT) & (rows["variant"] == "")
    rows.loc[unlabelled, "right"] = rows["seed"] % 2 == 0
    assert [each.word for each in labels.STUDY.findings(rows)] == [Word.NO_VERDICT, Word.SUPPORTS]


def test_labels_writes_its_paragraph_from_the_numbers_and_draws_them() -> None:
    rows = table(at_the_price)
    text = labels.STUDY.paragraph(rows)
    assert "interventions at 100,000 rows (c N = 240,000)" in text
    assert "a labelled intervention is worth about 5," in text
    (axes,) = [axes for axes in labels.STUDY.figure(rows).axes if axes.axison]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_a_flip_lies_between_the_numbers_around_it() -> None:
    numbers = np.array([10.0, 20.0, 40.0, 80.0])
    found, _ = flip_of([np.zeros(9), np.zeros(9), np.ones(9), np.ones(9)], numbers)
    assert (found.low, found.high) == pytest.approx((20.0, 40.0))
    assert found.middle == pytest.approx(800**0.5)
    assert flip_of([np.zeros(9)] * 4, numbers)[0].high == np.inf
    assert flip_of([np.ones(9)] * 4, numbers)[0].low == 0.0


def test_a_log_is_divided_into_what_was_recorded_and_interventions() -> None:
    for kind in (WITH, WITHOUT):
        for world in labels.WORLDS:
            logs = [(n, m) for n in labels.RATIOS for m in tried(world, kind, n)]
            assert sorted(labels.parts_of(world, kind).values()) == sorted(logs)


def test_the_rows_of_its_runs_make_its_table() -> None:
    runs = labels.STUDY.runs(Size.SMALL)
    chosen = [runs[0], next(run for run in runs if run.agent == "naive"), runs[-1]]
    rows = pd.DataFrame([row for run in chosen for each in outcomes([run]) for row in each.rows])
    made = labels.STUDY.table(rows, Path())
    assert made["labels"].tolist() == [WITH, WITHOUT, WITHOUT]
    assert made["variant"].tolist() == ["", "", "control"]
    assert made["interventions"].tolist()[:2] == [8, tried(WORLD, WITHOUT, 1000)[0]]
    assert made["right"].tolist()[1:] == [False, True]
