"""Domains: logs of places in which a hidden cause is more or less common."""

import numpy as np
import pytest

from dosuite.causal import InputError, distribution, value
from dosuite.causal.exact import log_process
from dosuite.causal.world.domains import rates
from dosuite.envs import collect, make_model

ICE = "IceCreamShorts-v0"


def test_the_cause_is_as_common_as_the_ranges_say() -> None:
    model = make_model(f"{ICE}:domains=2,domain_ranges=disjoint")
    joint = distribution(model, "domain", "heat")
    assert joint.sum(1) == pytest.approx([0.5, 0.5])
    assert joint[:, 1] * 2 == pytest.approx([0.15, 0.85], abs=1e-12)
    model = make_model(f"{ICE}:domains=2")
    assert distribution(model, "domain", "heat")[:, 1] * 2 == pytest.approx([0.375, 0.625])


@pytest.mark.parametrize("domains", [1, 2, 7, 64])
@pytest.mark.parametrize("middle", [0.5, 0.1, 0.85])
def test_ranges_keep_the_mean_and_do_not_leave_0_to_1(domains: int, middle: float) -> None:
    common, disjoint = (rates(middle, domains, ranges) for ranges in ("common", "disjoint"))
    room = min(middle, 1 - middle)
    for spread in (common, disjoint):
        assert spread.mean() == pytest.approx(middle, abs=1e-12)
        assert (np.diff(spread) > 0).all()
    assert abs(common - middle).max() <= 0.5 * room
    away = abs(disjoint - middle)[abs(disjoint - middle) > 1e-12]
    assert ((away > 0.5 * room) & (away < 0.9 * room)).all()
    assert len(away) == domains - domains % 2


@pytest.mark.parametrize("world", [ICE, "GreedyCasino-v0:casino=Rigged", "EncourageIV-v0"])
def test_a_pooled_log_and_the_values_are_those_of_the_world(world: str) -> None:
    plain = make_model(world)
    model = make_model(world, domains=16, domain_ranges="disjoint")
    assert log_process(model).reward == pytest.approx(log_process(plain).reward, abs=1e-12)
    best = plain.causal_policy()
    assert value(model, best) == pytest.approx(value(plain, best), abs=1e-12)


def test_the_domain_is_a_label_of_the_log() -> None:
    log = collect(make_model(f"{ICE}:domains=4"), 2000, 0)
    assert np.unique(log["domain"]).tolist() == [0, 1, 2, 3]
    rng = np.random.default_rng(0)
    assert "domain" not in log.view(rng).columns
    assert "domain" in log.view(rng, labels=True).columns


@pytest.mark.parametrize(
    ("world", "message"),
    [
        ("IceCreamShorts-Domains-v0:domains=2", "has domains of its own"),
        ("ConfoundedRiver-v0:domains=2", "has several steps"),
        ("IceCreamShorts-Twin-v0:domains=2", "no latent of Twin"),
        (f"{ICE}:domains=0", "1 domain or more"),
        (f"{ICE}:domains=2,domain_ranges=comon", "did you mean 'common'"),
    ],
)
def test_what_has_no_domains_is_refused(world: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        distribution(make_model(world), "domain")


def test_a_world_with_domains_has_no_twin_and_no_hedge() -> None:
    model = make_model(f"{ICE}:domains=2")
    assert model.twin() is None
    assert model.hedge() is None
    assert model.hedge_reason() == "it has domains"
    with pytest.raises(InputError, match="leave the domains or the twin out"):
        make_model(f"{ICE}:domains=2", variant="twin")
