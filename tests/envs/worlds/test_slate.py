"""The printed figures of the recommender, computed by the package."""

import pytest
from printed import done, earned, naive, pooled, printed

from dosuite.causal import certificate, uniform_policy, value
from dosuite.envs.worlds.slate import Segment, SlateExposure

MODEL = SlateExposure()


def test_clicks() -> None:
    assert printed(naive(MODEL), ".2940 .6571 .7435 .1929")
    assert printed(done(MODEL), ".26 .2125 .1625 .18")
    assert printed([*earned(MODEL), MODEL.promised_value(), value(MODEL)], ".1625 .26 .7435 .4338")
    assert printed(value(MODEL, uniform_policy(MODEL)), ".2038")


def test_what_the_log_guarantees() -> None:
    found = certificate(MODEL)
    assert found.intervals is not None
    assert found.maximin is not None
    assert found.minimax_regret is not None
    assert printed(found.intervals.low, ".1595 .1495 .1086 .0162")
    assert printed(found.intervals.high, ".617 .922 .9626 .9322")
    assert found.maximin.policy.tolist() == MODEL.causal_policy().tolist()
    assert printed(found.minimax_regret.policy, "0.000 .343 .357 .300")
    assert printed(found.minimax_regret.earned, ".185")


@pytest.mark.parametrize(
    ("accuracy", "figures"),
    [
        (1 / 3, ".1625 .26"),
        (0.5, ".1625 .279"),
        (0.7, ".2594 .3565"),
        (0.9, ".3031 .4355"),
        (0.97, ".4632 .4632"),
        (1.0, ".475 .475"),
    ],
)
def test_a_label_of_the_segment(accuracy: float, figures: str) -> None:
    assert printed(earned(Segment(accuracy=accuracy)), figures)


@pytest.mark.parametrize(
    ("shift", "figures"),
    [
        ("fans_leave", ".08 .29"),
        ("taste_drift", ".0725 .26"),
        ("blockbuster", ".1625 .46"),
        ("niche_growth", ".425 .22"),
    ],
)
def test_shifts(shift: str, figures: str) -> None:
    assert printed(earned(MODEL, MODEL.shifted(shift)), figures)


def test_the_twin_shows_the_item_that_the_log_praises() -> None:
    twin = MODEL.twin()
    assert twin is not None
    assert twin.causal_policy().argmax() == 2
    assert printed(value(twin, twin.causal_policy()), ".7435")


def test_unlabelled_exploration_until_the_naive_mean_flips() -> None:
    assert pooled(MODEL, 6.28).argmax() != MODEL.causal_policy().argmax()
    assert pooled(MODEL, 6.30).argmax() == MODEL.causal_policy().argmax()
    assert 0.8 < 6.29 / (1 + 6.29) < 0.9
