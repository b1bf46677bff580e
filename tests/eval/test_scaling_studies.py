"""The criteria of the studies over rows and widths, on small tables in which they hold and fail."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from dosuite.agents import TabularPolicy
from dosuite.causal import uniform_policy
from dosuite.causal.exact import log_process
from dosuite.envs import make_model, observation_space
from dosuite.eval.studies import predict_control, static_scale
from dosuite.eval.studies.scaling import ADAM, SGD, predictive_loss
from dosuite.eval.studies.verdicts import Word

GAP = 0.68
Curve = Callable[[float], float]


def confused(rows: float) -> float:
    return float(GAP + rows**-0.5)


def solved(rows: float) -> float:
    return float(0.4 * rows**-0.5)


def table(world: Curve, control: Curve, loss: Curve = solved) -> pd.DataFrame:
    """Errors of a world and its control over three sizes, two widths and four seeds."""
    rng = np.random.default_rng(0)
    lines = [
        {
            "where": "W",
            "variant": variant,
            "learner": "dqn, adam, depth 2",
            "width": width,
            "rows": rows,
            "seed": seed,
            "error": curve(rows) * (1 + 0.02 * rng.normal()),
            "gap": GAP,
            "loss": loss(rows) * (1 + 0.02 * rng.normal()),
            "regret": 0.0,
        }
        for variant, curve in (("", world), ("control", control))
        for width in (4, 16)
        for rows in (100, 1000, 10_000)
        for seed in range(4)
    ]
    return pd.DataFrame(lines)


@pytest.mark.parametrize(
    ("rows", "word", "reason"),
    [
        (table(confused, solved), Word.SUPPORTS, "the error at the end"),
        (table(solved, solved), Word.AGAINST, "the error at the end"),
        (table(lambda rows: 2 * GAP, solved), Word.AGAINST, "the error at the end"),
        (table(confused, confused), Word.NO_VERDICT, "Learner untrained"),
        (table(confused, lambda rows: 0.01), Word.NO_VERDICT, "the control's slope"),
        (table(confused, solved, lambda rows: 0.1), Word.NO_VERDICT, "the slope of the loss"),
    ],
)
def test_the_criterion_of_static_scale(rows: pd.DataFrame, word: Word, reason: str) -> None:
    (said,) = static_scale.STUDY.findings(rows)
    assert said.word is word
    assert reason in said.reason


def test_static_scale_writes_its_paragraph_from_the_numbers_and_draws_them() -> None:
    rows = table(confused, solved)
    text = static_scale.STUDY.paragraph(rows)
    assert "a gap of 0.680" in text
    assert "from 100 to 10,000 rows" in text
    headline = static_scale.STUDY.headline(rows)
    assert "With 10,000 rows" in headline
    assert "of the confusion gap in 1 world" in headline
    (axes,) = [axes for axes in static_scale.STUDY.figure(rows).axes if axes.axison]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    levels = [line.get_ydata()[0] for line in axes.lines if len(line.get_xdata()) == 2]  # type: ignore[index,arg-type]
    assert GAP in levels


def controllers(world: Curve, control: Curve) -> pd.DataFrame:
    """Regrets as functions of the predictive loss."""
    rows = table(confused, solved)
    regrets = [
        (world if variant == "" else control)(loss)
        for variant, loss in zip(rows["variant"], rows["loss"], strict=True)
    ]
    return rows.assign(regret=regrets)


@pytest.mark.parametrize(
    ("world", "control", "word"),
    [
        (lambda loss: 1 - loss, lambda loss: loss, Word.SUPPORTS),
        (lambda loss: 1.0, lambda loss: loss, Word.SUPPORTS),
        (lambda loss: loss, lambda loss: loss, Word.AGAINST),
        (lambda loss: 1 - loss, lambda loss: 0.0, Word.NO_VERDICT),
        (lambda loss: 1 - loss, lambda loss: 0.5 + loss, Word.NO_VERDICT),
        (lambda loss: 1 - loss, lambda loss: 1 - loss, Word.NO_VERDICT),
    ],
)
def test_the_criterion_of_predict_control(world: Curve, control: Curve, word: Word) -> None:
    (said,) = predict_control.STUDY.findings(controllers(world, control))
    assert said.word is word


def test_predict_control_writes_its_paragraph_from_the_numbers() -> None:
    rows = controllers(lambda loss: 1 - loss, lambda loss: loss)
    text = predict_control.STUDY.paragraph(rows)
    assert "is -1.00 [-1.00, -1.00] on the world and 1.00 [1.00, 1.00] on the control" in text
    assert predict_control.STUDY.figure(rows).axes
    head = predict_control.STUDY.headline(rows)
    assert "between -1.00 and -1.00 on 1 confounded world," in head
    assert "between 1.00 and 1.00 without confounding" in head


def test_the_predictive_loss_is_zero_only_for_the_law_of_the_log() -> None:
    model = make_model("IceCreamShorts-v0")
    space, table = observation_space(model), uniform_policy(model)
    knows = TabularPolicy(table, space, log_process(model))
    assert predictive_loss(model, knows) == pytest.approx(0.0, abs=1e-12)
    # acting earns 0.34 more or less than the log says of either action
    acts = TabularPolicy(table, space, log_process(model.control()))
    assert predictive_loss(model, acts) == pytest.approx(0.34**2)
    assert np.isnan(predictive_loss(model, TabularPolicy(table, space)))


def test_a_learner_makes_more_and_smaller_steps_on_a_large_log() -> None:
    assert "rate=0.0003,updates=600" in ADAM.trained_on(100, 8)
    assert "rate=0.000115,updates=1563" in ADAM.trained_on(100_000, 8)
    assert "hidden=8,depth=2,optimiser=sgd,rate=0.01" in SGD.trained_on(100, 8)
