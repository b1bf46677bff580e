"""Published and printed figures of counterfactuals, and what is refused."""

import numpy as np
import pytest
from counterfactual_worlds import EXACT, Dose
from places import THROWAWAY_FILE
from printed import printed
from refusals import refused

from dosuite.causal import (
    INTENT,
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    NotDiscreteError,
    World,
    action,
    counterfactual,
    distribution,
    latent,
    logged,
    reward,
    value,
)
from dosuite.causal.exact import (
    Worlds,
    counterfactual_mean,
    counterfactual_process,
    effect_on_treated,
    greedy,
    log_process,
    natural_effects,
)
from dosuite.envs import make_model
from dosuite.envs.worlds.casino import FourArms, GreedyCasino
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.river import ConfoundedRiver
from dosuite.envs.worlds.simpson import BloodPressure, SimpsonClinic

# Published and printed figures.

CASINOS = [
    ("Greedy", ".15 .45 .45 .15", ".30 .45"),
    ("Generous", ".45 .15 .15 .45", ".30 .45"),
    ("ParadoxicalSwitching", ".4 .6 .3 .15", ".375 .45"),
    ("SometimesSwitch", ".35 .125 .45 .15", ".40 .40"),
    ("NoConfounding", ".55 .45 .55 .45", ".55 .55"),
    ("InevitableRegret", "0 1 1 0", ".5 1"),
    ("Rigged", ".55 .50 .10 .35", ".425 .45"),
]


@pytest.mark.parametrize(("casino", "by_intent", "best"), CASINOS)
def test_casinos(casino: str, by_intent: str, best: str) -> None:
    model = GreedyCasino(casino=casino)
    process = counterfactual_process(model)
    assert printed(process.reward, by_intent)
    assert printed(
        [value(model, model.causal_policy()), process.value(greedy(process.plan()))], best
    )


def test_casino_with_four_arms() -> None:
    process = counterfactual_process(FourArms())
    assert printed([value(FourArms()), process.value(greedy(process.plan()))], ".2 .6")
    assert printed(value(FourArms(), FourArms().confused_policy()), ".4")
    assert log_process(FourArms()).reward.shape == (1, 4)


def test_kidney_stones_effect_on_the_treated() -> None:
    assert printed(effect_on_treated(SimpsonClinic()), ".047964")


def test_covid_mediation() -> None:
    """Von Kuegelgen et al.

    (2021): what Italy instead of China does to the case fatality, through age and not; in percent.
    """
    effects = natural_effects(BloodPressure(study="CovidCFR"), "stratum")
    deaths = -100 * np.array(effects)
    assert printed(deaths, "2.158 -.763 3.268")
    assert printed(deaths, "2.2 -.8 3.3")


class Homework(World):
    """Encouragement, homework, success in a programme:

    Pearl, Glymour and Jewell, Primer, tables 4.6 and 4.7.
    """

    @action
    def programme(self) -> Bernoulli:
        return Bernoulli(0.5)

    @logged
    def homework(self, programme: Array) -> Bernoulli:
        return Bernoulli(np.where(programme == 1, 0.75, 0.40))

    @reward
    def success(self, programme: Array, homework: Array) -> Bernoulli:
        return Bernoulli(np.array([[0.20, 0.30], [0.40, 0.80]])[programme, homework])


def test_mediation_in_the_primer() -> None:
    effects = natural_effects(Homework(), "homework")
    assert printed(effects, ".46 .32 .035")
    assert printed(
        [
            effects.indirect / effects.total,
            effects.direct / effects.total,
            1 - effects.direct / effects.total,
        ],
        ".07 .696 .304",
    )


class Squad(World):
    """A court orders an execution with p = 0.6;

    rifleman A shoots also out of nervousness, q = 0.3; B shoots on orders only.
    """

    @latent
    def command(self) -> Bernoulli:
        return Bernoulli(0.6)

    @latent
    def nervous(self) -> Bernoulli:
        return Bernoulli(0.3)

    @action
    def a_shoots(self, command: Array, nervous: Array) -> Exactly:
        return Exactly(command | nervous)

    @logged
    def b_shoots(self, command: Array) -> Exactly:
        return Exactly(command)

    @reward
    def death(self, a_shoots: Array, b_shoots: Array) -> Exactly:
        return Exactly(a_shoots | b_shoots)


def test_the_firing_squad() -> None:
    """Pearl, Causality, section 7.1.2: the prisoner is dead; would he live, had A not shot?"""
    p, q = 0.6, 0.3
    alive = counterfactual(Squad(), Squad().do(a_shoots=0), "death", given={"death": 1})[0]
    assert alive == pytest.approx((1 - p) * q / (1 - (1 - p) * (1 - q)), abs=EXACT)


class Sum(World):
    """X = U and Y = X + U for three units: Pearl, Glymour and Jewell, Primer, table 4.1."""

    @latent
    def u(self) -> Categorical:
        return Categorical(np.ones(3) / 3, np.array([1, 2, 3]))

    @action
    def x(self, u: Array) -> Exactly:
        return Exactly(u)

    @reward
    def y(self, x: Array, u: Array) -> Exactly:
        return Exactly(x + u)


def test_three_units_in_the_primer() -> None:
    for x, row in ((1, "2 3 4"), (2, "3 4 5"), (3, "4 5 6")):
        assert printed(
            [counterfactual_mean(Sum(), Sum().do(x=x), "y", {"u": u}) for u in (1, 2, 3)], row
        )
        assert printed(
            [counterfactual_mean(Sum(), Sum().do(x=x), "y", {"y": 2 * u}) for u in (1, 2, 3)], row
        )


# Refusals, and corners.


def test_what_cannot_be_is_refused_in_one_line() -> None:
    model = Squad()
    miracle = {"death": 0, "a_shoots": 1}
    assert "death=0, a_shoots=1 has probability zero" in refused(
        lambda: counterfactual(model, model, "death", given=miracle)
    )
    assert "did you mean 'death'" in refused(lambda: counterfactual(model, model, "deth"))
    assert "did you mean 'command'" in refused(
        lambda: counterfactual(model, model, "death", given={"comand": 1})
    )
    assert "death is never 2" in refused(
        lambda: counterfactual(model, model, "death", given={"death": 2})
    )
    assert "120 steps" in refused(lambda: Worlds(ConfoundedRiver()))
    assert "did you mean" in refused(lambda: natural_effects(model, "b_shots"))


class Rarity(World):
    """What hardly ever happens: a fault, a spark, and a colour between two others."""

    @latent
    def fault(self) -> Bernoulli:
        return Bernoulli(1e-20)

    @action
    def switch(self) -> Categorical:
        return Categorical(np.array([0.5, 0.25, 0.25]))

    @logged
    def colour(self, switch: Array) -> Categorical:
        return Categorical(
            np.array([[0.3, 1e-20, 0.7], [0.2, 1e-20, 0.8], [0.3, 1e-20, 0.7]])[switch]
        )

    @logged
    def spark(self, switch: Array) -> Bernoulli:
        return Bernoulli(1e-20 * (1 + switch))

    @reward
    def alarm(self, fault: Array, switch: Array) -> Bernoulli:
        return Bernoulli(fault * (0.25 + 0.25 * switch))


RARE = [  # what is seen, the switch as it might have been, and the law of what then
    ({"switch": 2, "alarm": 1}, 0, "alarm", (2 / 3, 1 / 3)),
    ({"switch": 0, "alarm": 1}, 2, "alarm", (0, 1)),
    ({"switch": 0, "alarm": 0}, 2, "fault", (1, 0)),
    ({"switch": 0, "colour": 1}, 2, "colour", (0, 1, 0)),
    ({"switch": 0, "colour": 1}, 1, "colour", (0, 0, 1)),
    ({"switch": 2, "spark": 1}, 0, "spark", (2 / 3, 1 / 3)),
    ({"switch": 2, "spark": 1, "colour": 1, "alarm": 1}, 0, "spark", (2 / 3, 1 / 3)),
    ({"switch": 0, "spark": 0, "alarm": 1}, 0, "fault", (0, 1)),
]


@pytest.mark.parametrize(("seen", "switch", "name", "law"), RARE)
def test_what_is_hardly_ever_seen_is_answered_as_exactly_as_anything(
    seen: dict[str, float], switch: int, name: str, law: tuple[float, ...]
) -> None:
    assert counterfactual(Rarity(), Rarity().do(switch=switch), name, given=seen) == pytest.approx(
        np.array(law), abs=EXACT
    )


class Thirds(World):
    """The first two values together are as probable as the first is by itself after the action, but
    for rounding.
    """

    @action
    def act(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def pay(self, act: Array) -> Categorical:
        return Categorical(np.array([[0.1, 0.2, 0.7], [0.3, 0.0, 0.7]])[act])


def test_what_is_possible_by_rounding_alone_is_impossible() -> None:
    assert 0.1 + 0.2 > 0.3
    worlds = Worlds(Thirds().do(act=0), Thirds().do(act=1))
    assert "probability zero" in refused(
        lambda: worlds.distribution((0, "pay"), given={(0, "pay"): 1, (1, "pay"): 2})
    )
    assert worlds.joint((0, "pay"), (1, "pay")) == pytest.approx(
        np.array([[0.1, 0, 0], [0.2, 0, 0], [0, 0, 0.7]]), abs=1e-15
    )


def test_continuous_variables_are_refused() -> None:
    gauge = make_model(f"{THROWAWAY_FILE}:Gauge")
    with pytest.raises(NotDiscreteError, match="continuous"):
        counterfactual(gauge, gauge.do(drug=1), "relief")


def test_the_same_event_may_be_asked_for_twice_and_worlds_may_be_the_same() -> None:
    model = IceCreamShorts()
    same = Worlds(model, model).distribution((0, "shorts"), (1, "shorts"), (0, "shorts"))
    assert np.allclose(same.nonzero(), [[0, 1]] * 3)
    three = Worlds(model, model.do(ice_cream=0), model.do(ice_cream=1)).distribution(
        (0, "shorts"), (1, "shorts"), (2, "shorts")
    )
    assert np.allclose(
        three.nonzero(), [[0, 1]] * 3
    )  # ice cream has no effect, and so changes nobody's clothes


def test_the_intent_of_one_world_is_the_action_of_the_other() -> None:
    model = Dose()
    joint = Worlds(model, model.with_intent().do(dose=1)).distribution((0, "dose"), (1, INTENT))
    assert np.allclose(joint, np.diag(distribution(model, "dose")), rtol=0, atol=EXACT)
