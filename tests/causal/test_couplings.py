"""Counterfactuals under couplings that are asked for by name."""

from itertools import product

import numpy as np
import pytest
from countable import COUNTABLE
from refusals import refused

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    TooLargeError,
    World,
    action,
    counterfactual,
    distribution,
    latent,
    logged,
    reward,
)
from dosuite.causal.exact import (
    Worlds,
    counterfactual_mean,
    counterfactual_process,
    effect_on_treated,
    natural_effects,
)
from dosuite.causal.exact.couplings import argmax_joint
from dosuite.causal.partial_identification import necessity, sufficiency

EXACT = 1e-12
SOLVED = 1e-7


class Trial(World):
    """A randomised treatment, three outcomes."""

    laws: tuple[tuple[float, ...], ...] = ((0.5, 0.3, 0.2), (0.2, 0.3, 0.5))

    @action
    def drug(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def health(self, drug: Array) -> Categorical:
        return Categorical(np.array(self.laws)[drug])


class Chain(World):
    """An action moves a mediator, and this alone the reward."""

    @action
    def x(self) -> Bernoulli:
        return Bernoulli(0.5)

    @logged
    def m(self, x: Array) -> Bernoulli:
        return Bernoulli(np.array([0.3, 0.6])[x])

    @reward
    def y(self, m: Array) -> Bernoulli:
        return Bernoulli(np.array([0.2, 0.7])[m])


class Weather(World):
    """A latent that both worlds share, and a reward that also has noise of its own."""

    @latent
    def rain(self) -> Categorical:
        return Categorical(np.array([0.5, 0.3, 0.2]))

    @action
    def umbrella(self, rain: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.3 * rain)

    @reward
    def dry(self, rain: Array, umbrella: Array) -> Bernoulli:
        return Bernoulli(0.9 - 0.4 * rain + 0.3 * umbrella * rain)


class Machine(World):
    """No randomness but that of a latent and of the action."""

    @latent
    def fault(self) -> Bernoulli:
        return Bernoulli(0.3)

    @action
    def switch(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def runs(self, fault: Array, switch: Array) -> Exactly:
        return Exactly(switch * (1 - fault))


# Gumbel-max.


@pytest.mark.parametrize("seed", range(4))
def test_the_joint_law_of_two_argmaxes_is_that_of_samples(seed: int) -> None:
    rng, n = np.random.default_rng(seed), 200_000
    p, q = rng.dirichlet(np.full(4, 0.7), size=2)
    gumbels = rng.gumbel(size=(n, 4))
    one, other = (np.log(p) + gumbels).argmax(1), (np.log(q) + gumbels).argmax(1)
    sampled = np.bincount(4 * one + other, minlength=16).reshape(4, 4) / n
    joint = argmax_joint(p, q)
    error = np.sqrt(joint * (1 - joint) / n)
    assert (abs(sampled - joint) <= 5 * error + 1e-9).all()


@pytest.mark.parametrize("seed", range(4))
def test_the_joint_law_of_two_argmaxes_has_the_margins_and_is_stable(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.full(5, 0.3), size=(2, 7))
    p[0, 1], q[1, 2], p[2, 3], q[2, 3] = 0.0, 0.0, 0.0, 0.0
    p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    joint = argmax_joint(p, q)
    assert abs(joint.sum(-1) - p).max() < EXACT
    assert abs(joint.sum(-2) - q).max() < EXACT
    # Counterfactual stability: nobody moves from i to j unless the odds of j against i rise.
    odds_fall = q[:, None, :] * p[:, :, None] < q[:, :, None] * p[:, None, :]
    assert (joint[odds_fall] == 0).all()
    assert abs(argmax_joint(p, p) - p[..., None] * np.eye(5)).max() < EXACT


def test_two_values_are_coupled_as_by_hand() -> None:
    """For p = (.5, .5) and q = (.2, .8): P(0, 0) = 1 / (max(1, 1) + max(.5 / .5, .8 / .2)) = .2."""
    joint = argmax_joint(np.array([0.5, 0.5]), np.array([0.2, 0.8]))
    assert joint == pytest.approx(np.array([[0.2, 0.3], [0.0, 0.5]]), abs=EXACT)


def test_rare_values_keep_their_digits() -> None:
    p, q = np.array([0.3, 1e-20, 0.7]), np.array([0.2, 1e-20, 0.8])
    # P(1, 1) is 1e-20 / (max(.3, .2) + max(.7, .8)), but for terms of 1e-40.
    joint = argmax_joint(p, q)
    assert joint[1] / 1e-20 == pytest.approx([0, 10 / 11, 1 / 11], abs=EXACT)
    assert joint[:, 1] / 1e-20 == pytest.approx([1 / 11, 10 / 11, 0], abs=EXACT)


def test_three_values_differ_from_the_quantile_coupling() -> None:
    given = {"drug": 0, "health": 1}
    world = Trial().do(drug=1)
    quantile = counterfactual(Trial(), world, "health", given=given)
    gumbel = counterfactual(Trial(), world, "health", given=given, coupling="gumbel-max")
    assert quantile == pytest.approx([0, 0, 1])  # [.5, .8) is inside [.5, 1)
    # P(1, 1) = 1 / (.5/.3 or .2/.3, 1, .2/.3 or .5/.3) = 1 / (5/3 + 1 + 5/3) = 3/13; nobody falls.
    assert gumbel == pytest.approx([0, 10 / 13, 3 / 13])


def test_a_mechanism_may_have_other_values_in_the_other_world() -> None:
    world = Trial().do(health=Categorical(np.array([0.4, 0.6]), np.array([1.0, 7.0])))
    joint = Worlds(Trial(), world, coupling="gumbel-max").joint((0, "health"), (1, "health"))
    assert joint.sum(0) == pytest.approx([0.4, 0.6])
    assert joint.sum(1) == pytest.approx([0.35, 0.3, 0.35])


# All couplings.

ONE_STEP = {
    text: model
    for text, model in COUNTABLE.items()
    if model.horizon == 1 and not model.names("selection") and "CovidCFR" not in text
}


@pytest.mark.long
@pytest.mark.parametrize("model", ONE_STEP.values(), ids=ONE_STEP)
def test_every_coupling_has_the_margins_and_lies_in_the_bounds(model: World) -> None:
    y = model.reward
    world = model.do(**{model.action: float(model.tables.support(model.action)[-1])})
    gumbel = Worlds(model, world, coupling="gumbel-max").joint((0, y), (1, y))
    assert np.allclose(gumbel.sum(1), distribution(model, y), rtol=0, atol=1e-9)
    assert np.allclose(gumbel.sum(0), distribution(world, y), rtol=0, atol=1e-9)
    quantile = Worlds(model, world).joint((0, y), (1, y))
    try:
        ends = Worlds(model, world, coupling="bounds").joint((0, y), (1, y))
    except TooLargeError:
        return
    for joint in (quantile, gumbel):
        assert (ends[..., 0] - SOLVED <= joint).all()
        assert (joint <= ends[..., 1] + SOLVED).all()


def test_the_bounds_of_a_randomised_trial_are_those_of_tian_and_pearl() -> None:
    risk = np.array([0.3, 0.6])

    class Binary(Trial):
        @reward
        def health(self, drug: Array) -> Bernoulli:
            return Bernoulli(risk[drug])

    observed = 0.5 * np.stack([1 - risk, risk], axis=1)
    model = Binary()
    owing = counterfactual(
        model, model.do(drug=0), "health", given={"drug": 1, "health": 1}, coupling="bounds"
    )
    assert owing[0] == pytest.approx(necessity(observed, risk), abs=SOLVED)
    gaining = counterfactual(
        model, model.do(drug=1), "health", given={"drug": 0, "health": 0}, coupling="bounds"
    )
    assert gaining[1] == pytest.approx(sufficiency(observed, risk), abs=SOLVED)


def test_the_bounds_of_one_cell_are_those_of_frechet() -> None:
    ends = Worlds(Trial().do(drug=0), Trial().do(drug=1), coupling="bounds").joint(
        (0, "health"), (1, "health")
    )
    p, q = np.array(Trial().laws)[:, :, None]
    assert ends[..., 0] == pytest.approx((p + q.T - 1).clip(0), abs=SOLVED)
    assert ends[..., 1] == pytest.approx(np.minimum(p, q.T), abs=SOLVED)


def test_where_two_couplings_matter_the_bounds_are_the_extremes_of_both() -> None:
    """P(y=0 in the first world, y=1 in the second): m has a coupling, and so has y given m."""
    worlds = Worlds(Chain().do(x=0), Chain().do(x=1), coupling="bounds")
    low, high = worlds.joint((0, "y"), (1, "y"))[0, 1]
    values = []
    for up, y_up in product(np.linspace(0.3, 0.6, 61), np.linspace(0.5, 0.7, 41)):
        # up = P(m: 0 -> 1) and y_up = P(y at m=0 is 0, y at m=1 is 1); the margins give the rest.
        m = np.array([[0.7 - up, up], [up - 0.3, 0.6 - up + 0.3]])
        y = np.array([[0.8 - y_up, y_up], [y_up - 0.5, 0.7 - y_up]])
        values.append(m[0, 1] * y[0, 1] + m[1, 0] * y[1, 0])
    assert low == pytest.approx(min(values), abs=SOLVED)
    assert high == pytest.approx(max(values), abs=SOLVED)


def test_settings_that_never_meet_are_coupled_independently() -> None:
    """The rain is the same in both worlds, so the bounds are those within each kind of rain."""
    model = Weather()
    ends = Worlds(model.do(umbrella=0), model.do(umbrella=1), coupling="bounds").joint(
        (0, "dry"), (1, "dry")
    )
    rain = np.array([0.5, 0.3, 0.2])
    p, q = 0.9 - 0.4 * np.arange(3), 0.9 - 0.1 * np.arange(3)
    # Without rain the umbrella has no effect on the law, and yet may change who is dry.
    assert ends[1, 1, 0] == pytest.approx(rain @ (p + q - 1).clip(0), abs=SOLVED)
    assert ends[1, 1, 1] == pytest.approx(rain @ np.minimum(p, q), abs=SOLVED)


def test_bounds_on_a_mean_are_sharper_than_those_of_its_cells() -> None:
    model, given = Trial(), {"drug": 0, "health": 1}
    world = model.do(drug=1)
    low, high = counterfactual_mean(model, world, "health", given, coupling="bounds")
    # All 30 % may come from the worst (20 %) and the next (10 %), or from the best.
    assert (low, high) == pytest.approx((1 / 3, 2.0), abs=SOLVED)
    cells = counterfactual(model, world, "health", given=given, coupling="bounds")
    values = np.arange(3)
    assert low > values @ cells[:, 0] + 0.1
    assert high < values @ cells[:, 1] - 0.1
    for coupling in ("quantile", "gumbel-max"):
        mean = counterfactual_mean(model, world, "health", given, coupling=coupling)
        assert low - SOLVED <= mean <= high + SOLVED


def test_the_effect_on_the_treated_is_identified_in_a_trial_whatever_the_coupling() -> None:
    model = Trial()
    expected = effect_on_treated(model)
    assert effect_on_treated(model, coupling="gumbel-max") == pytest.approx(expected, abs=EXACT)
    ends = effect_on_treated(model, coupling="bounds")
    assert ends == pytest.approx((expected, expected), abs=SOLVED)


def test_a_mechanism_without_noise_is_unaffected() -> None:
    model = Machine()
    world = model.do(switch=1)
    given = {"switch": 0, "runs": 0}
    expected = counterfactual(model, world, "runs", given=given)
    assert expected == pytest.approx([0.3, 0.7])
    gumbel = counterfactual(model, world, "runs", given=given, coupling="gumbel-max")
    assert gumbel == pytest.approx(expected, abs=EXACT)
    ends = counterfactual(model, world, "runs", given=given, coupling="bounds")
    assert ends == pytest.approx(np.stack([expected, expected], axis=-1), abs=EXACT)


def test_siblings_take_a_coupling() -> None:
    for model in (Trial(), Chain(), Weather(), Machine()):
        ours, theirs = (counterfactual_process(model, c) for c in ("quantile", "gumbel-max"))
        assert ours.start == pytest.approx(theirs.start)
        assert ours.reward == pytest.approx(theirs.reward)  # rewards of one world alone
    effects = natural_effects(Chain(), "m", coupling="gumbel-max")
    assert effects == pytest.approx(natural_effects(Chain(), "m"), abs=EXACT)


# Refusals.


def test_what_has_no_answer_is_refused() -> None:
    model = Trial()
    worlds = (model, model.do(drug=0), model.do(drug=1))
    assert "did you mean 'gumbel-max'?" in refused(
        lambda: counterfactual(model, model, "health", coupling="gumbelmax")  # type: ignore[arg-type]
    )
    three = Worlds(*worlds[1:], model.do(health=Bernoulli(0.5)), coupling="gumbel-max")
    assert "health has 3 laws in 3 worlds" in refused(
        lambda: three.joint((0, "health"), (1, "health"), (2, "health"))
    )
    both = {(0, "health"): 1.0, (1, "health"): 2.0}
    assert "depends on the coupling" in refused(
        lambda: Worlds(*worlds[1:], coupling="bounds").distribution((0, "drug"), given=both)
    )
    assert "has probability zero" in refused(
        lambda: counterfactual(
            Machine(), Machine(), "runs", given={"switch": 0, "runs": 1}, coupling="bounds"
        )
    )
    assert "'quantile' or 'gumbel-max'" in refused(
        lambda: natural_effects(model, coupling="bounds")  # type: ignore[arg-type]
    )
    assert "'quantile' or 'gumbel-max'" in refused(
        lambda: counterfactual_process(model, coupling="bounds")  # type: ignore[arg-type]
    )
    assert "did you mean 'health'" in refused(
        lambda: counterfactual_mean(model, model, "helth", coupling="bounds")
    )


class Fine(World):
    """A reward with many values at each of many doses."""

    @action
    def dose(self) -> Categorical:
        return Categorical(np.full(12, 1 / 12))

    @reward
    def health(self, dose: Array) -> Categorical:
        weights = 1.0 + np.arange(12)[:, None] * np.arange(4) / 10
        return Categorical((weights / weights.sum(1, keepdims=True))[dose])


def test_too_many_response_functions_are_refused_with_their_number() -> None:
    model = Fine()
    worlds = Worlds(model, model.do(dose=3), coupling="bounds")
    with pytest.raises(TooLargeError, match=r"1\.68e\+07 response functions"):
        worlds.joint((0, "health"), (1, "health"))
    given = {"dose": 2, "health": 1}  # at which two doses meet
    ends = counterfactual(model, model.do(dose=3), "health", given=given, coupling="bounds")
    assert ends.shape == (4, 2)
