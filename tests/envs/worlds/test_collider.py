"""The printed figures of MBiasClinic and SelectionGate, and Berkson's paradox."""

import numpy as np
import pytest
from printed import earned, printed

from dosuite.causal import (
    Array,
    Bernoulli,
    InputError,
    World,
    action,
    certificate,
    distribution,
    expectation,
    reward,
    selection,
    value,
)
from dosuite.causal.exact import do_process, log_process
from dosuite.envs.worlds.collider import MBiasClinic, SelectionGate


def test_m_bias() -> None:
    model = MBiasClinic()
    assert printed([expectation(model, "recovery", {"drug": act}) for act in (0, 1)], ".4 .6")
    assert printed([expectation(model.do(drug=act), "recovery") for act in (0, 1)], ".4 .6")
    assert printed(log_process(model).reward, ".0647 .4091 .7046 .6088")
    assert printed(do_process(model).reward, ".0769 .2769 .5135 .7135")
    assert printed([*earned(model), model.promised_value()], ".452 .600 .6278")
    effects = log_process(model).reward @ [-1, 1]
    assert printed(float(distribution(model, "checkup") @ effects), ".0187")


def test_the_effect_given_the_collider_is_not_identified() -> None:
    found = certificate(MBiasClinic())
    assert found.identified is False
    assert found.answer.hedge is not None
    assert set(found.answer.hedge.outer.nodes) == {"drug", "checkup", "recovery"}


def test_the_twin_of_m_bias_earns_what_was_promised() -> None:
    twin = MBiasClinic().twin()
    assert twin is not None
    assert certificate(twin).identified
    assert printed(earned(twin), ".6278 .6278")


@pytest.mark.parametrize(("share", "flipped"), [(0.412, False), (0.414, True)])
def test_unlabelled_interventions_until_those_who_came_to_the_check_up_look_helped(
    share: float, flipped: bool
) -> None:
    seen, done = log_process(MBiasClinic()), do_process(MBiasClinic())
    means = (seen.visits * seen.reward + share * done.visits * done.reward) / (
        seen.visits + share * done.visits
    )
    assert means.argmax(1).tolist() == [1, int(flipped)]


@pytest.mark.parametrize(
    ("model", "shift", "figures"),
    [
        (MBiasClinic(), "no_collider", ".500 .600 .600"),
        (MBiasClinic(), "both_needed", ".548 .600 .600"),
        (MBiasClinic(), "worry_spreads", ".409 .600 .600"),
        (MBiasClinic(), "stronger_drug", ".4624 .640 .640"),
        (MBiasClinic(), "harmful_drug", ".387 .350 .400"),
        (SelectionGate(), "winners_worse", ".1 .5 .5"),
        (SelectionGate(), "risk_pays", ".6 .3 .6"),
    ],
)
def test_shifts(model: World, shift: str, figures: str) -> None:
    world = model.shifted(shift)
    assert printed([*earned(model, world), value(world, world.causal_policy())], figures)


def test_selection_gate() -> None:
    model = SelectionGate()
    twin = model.twin()
    assert printed(log_process(model).reward, ".5 .885")
    assert printed(do_process(model).reward, ".5 .3")
    assert printed([*earned(model), model.promised_value()], ".300 .500 .885")
    assert printed(expectation(model, "told"), ".4025")
    assert twin is not None
    assert printed(do_process(twin).reward, ".5 .885")


def test_who_knows_the_gate_weights_it_away() -> None:
    recorded = distribution(SelectionGate(), "risk", "win", given={"told": 1})
    weighted = recorded / np.array([[0.5, 0.5], [0.05, 0.90]])
    assert weighted[:, 1] / weighted.sum(1) == pytest.approx(np.array([0.5, 0.3]), abs=1e-12)


def test_nothing_is_known_of_those_who_tell_nothing() -> None:
    found = certificate(SelectionGate())
    assert found.answer.estimands == ()
    assert found.intervals is not None
    assert found.maximin is not None
    assert found.minimax_regret is not None
    assert printed(found.intervals.low, "0 0")
    assert printed(found.intervals.high, "1 1")
    assert printed(found.minimax_regret.policy, ".5 .5")
    assert printed(
        [found.minimax_regret.value, found.minimax_regret.earned, found.maximin.earned],
        ".5 .40 .40",
    )


def test_the_dial_opens_the_gate() -> None:
    model = SelectionGate()
    control, half = model.control(), model.dial(0.5)
    assert expectation(control, "told") == 1.0
    assert certificate(control).identified
    assert printed(log_process(control).reward, ".5 .3")
    assert expectation(half, "told") == pytest.approx(
        (1.0 + expectation(model, "told")) / 2, abs=1e-12
    )
    assert model.dial(1.0) == model
    for world in (control, half):
        assert do_process(world).reward == pytest.approx(do_process(model).reward, abs=1e-12)
    with pytest.raises(InputError, match="from 0 to 1"):
        model.dial(1.1)


class Berkson(World):
    """Two rare diseases that have nothing to do with each other, either of which brings people to
    the hospital.
    """

    @action
    def one(self) -> Bernoulli:
        return Bernoulli(0.1)

    @reward
    def other(self) -> Bernoulli:
        return Bernoulli(0.1)

    @selection
    def in_hospital(self, one: Array, other: Array) -> Bernoulli:
        return Bernoulli(np.array([[0.01, 0.6], [0.6, 0.8]])[one, other])


def test_berkson() -> None:
    assert printed(log_process(Berkson()).reward, ".8696 .1290")
    assert printed(do_process(Berkson()).reward, ".1 .1")
