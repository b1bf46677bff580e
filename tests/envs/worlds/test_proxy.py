"""The printed figures of the clinic with two proxies, computed by the package;

those of the bridge itself stand with the estimators.
"""

import numpy as np
import pytest
from printed import done, earned, naive, pooled, printed

from dosuite.causal import distribution, value
from dosuite.envs.worlds.proxy import Chart, ProxyClinic

MODEL = ProxyClinic()


def test_recoveries() -> None:
    assert printed(naive(MODEL), ".74 .50")
    assert printed(done(MODEL), ".5 .7")
    assert printed([*earned(MODEL), MODEL.promised_value(), value(MODEL)], ".5 .7 .74 .62")


def test_who_sees_both_proxies_is_confused_where_they_disagree() -> None:
    model = Chart()
    assert model.confused_policy().argmax(1).tolist() == [1, 0, 0, 1]
    assert printed(earned(model), ".642 .70")


@pytest.mark.parametrize(
    ("shift", "figures"),
    [("severe_wave", ".26 .50"), ("mild", ".74 .90"), ("resistance", ".50 .45")],
)
def test_shifts(shift: str, figures: str) -> None:
    assert printed(earned(MODEL, MODEL.shifted(shift)), figures)


def test_in_the_twin_seeing_is_doing() -> None:
    twin = MODEL.twin()
    assert twin is not None
    assert printed(earned(twin), ".74 .74")


def test_unlabelled_interventions_until_the_naive_mean_flips() -> None:
    assert pooled(MODEL, 1.19).argmax() == MODEL.confused_policy().argmax()
    assert pooled(MODEL, 1.21).argmax() == MODEL.causal_policy().argmax()


def test_scaling() -> None:
    """Monte Carlo:

    the naive effect keeps its bias however large the log is, that of the bridge loses its error.
    """
    joint, rng, errors = (
        distribution(MODEL, "drug", "referred", "fever", "recovery"),
        np.random.default_rng(0),
        [],
    )
    sizes = np.array([1_000, 10_000, 100_000])
    for size in sizes:
        counts = (
            rng.multinomial(size, joint.ravel(), size=1000).reshape(-1, *joint.shape).astype(float)
        )
        together = counts.sum((3, 4))
        bridge = np.linalg.solve(
            counts.sum(4) / together[..., None], (counts[..., 1].sum(3) / together)[..., None]
        )[..., 0]
        bridged = (bridge * (counts.sum((1, 2, 4)) / size)[:, None]).sum(2)
        seen = counts[..., 1].sum((2, 3)) / together.sum(2)
        errors.append(
            [np.sqrt(((means[:, 1] - means[:, 0] - 0.2) ** 2).mean()) for means in (bridged, seen)]
        )
    assert np.array(errors) == pytest.approx(
        np.array([[0.117, 0.440], [0.037, 0.438], [0.0090, 0.440]]), rel=0.25
    )
    assert np.polyfit(np.log(sizes), np.log(errors), 1)[0] == pytest.approx(
        np.array([-0.5, 0.0]), abs=0.1
    )
