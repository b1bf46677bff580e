"""The laws of certificates: over every world, its twin and its control, and over what the catalogue has none of."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import log, prod
from pathlib import Path

import numpy as np
import pytest
from countable import COUNTABLE

from confoundry.causal import (
    SCM,
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    Payoffs,
    Process,
    Quantity,
    action,
    balke_pearl,
    bounds,
    causal_policy,
    certificate,
    confused_policy,
    context,
    distribution,
    do_process,
    expectation,
    interval_values,
    is_steady,
    latent,
    log_process,
    logged,
    mutual_information,
    overlap,
    response_types,
    reward,
    selection,
    tables,
    terminal,
    total_variation,
    value,
)
from confoundry.causal.asked import answer, kernel
from confoundry.causal.confounding import outcomes, rows
from confoundry.causal.planning import Floats
from confoundry.envs import make_model
from confoundry.envs.ice_cream import Domains, IceCreamShorts, NoOverlap, Thermo
from confoundry.envs.river import ConfoundedRiver, MarkovRiver
from confoundry.envs.simpson import SimpsonClinic
from confoundry.eval.wording import lines

FILE = Path(__file__).with_name("throwaway.py")
RELAY, ORCHARD, DAWN, SURVIVORS, GAUGE = (make_model(f"{FILE}:{name}") for name in ("Relay", "Orchard", "Dawn", "Survivors", "Gauge"))


class Tar(SCM):
    """Smoking, tar and health, with a hidden gene: the front door."""

    @latent
    def gene(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action
    def smoke(self, gene: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.8 * gene)

    @logged
    def tar(self, smoke: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.8 * smoke)

    @reward
    def health(self, tar: Array, gene: Array) -> Bernoulli:
        return Bernoulli(0.85 - 0.7 * gene + 0.14 * tar)


class LongTar(Tar):
    """Two years of it, if one survives the first."""

    horizon: int = 2

    @terminal
    def dead(self, health: Array, gene: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.3 * gene + 0.1 * (1 - health))


class Napkin(SCM):
    """Neither back door nor front door, and identified all the same."""

    @latent
    def one(self) -> Bernoulli:
        return Bernoulli(0.5)

    @latent
    def two(self) -> Bernoulli:
        return Bernoulli(0.5)

    @logged
    def w(self, one: Array, two: Array) -> Bernoulli:
        return Bernoulli(np.where(one == two, 0.1, 0.9))

    @logged
    def r(self, w: Array) -> Bernoulli:
        return Bernoulli(0.05 + 0.9 * w)

    @action
    def x(self, r: Array, one: Array) -> Bernoulli:
        return Bernoulli(np.where(r == one, 0.05, 0.95))

    @reward
    def y(self, x: Array, two: Array) -> Bernoulli:
        return Bernoulli(0.75 - 0.65 * two + 0.2 * x + 0.05 * x * two)


class Doctor(SCM):
    """A bow in each of two contexts, one of which hints at the hidden cause."""

    @latent
    def need(self) -> Bernoulli:
        return Bernoulli(0.4)

    @context
    def pain(self, need: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.5 * need)

    @action
    def drug(self, need: Array, pain: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.5 * need + 0.2 * pain)

    @reward
    def relief(self, need: Array, pain: Array, drug: Array) -> Bernoulli:
        return Bernoulli(0.7 - 0.5 * need - 0.1 * pain + 0.3 * drug * need)


class Dose(SCM):
    """Too many response types for a linear programme, and something logged on the way."""

    @latent
    def need(self) -> Bernoulli:
        return Bernoulli(0.4)

    @action
    def dose(self, need: Array) -> Categorical:
        weights = 1.0 + np.outer(need, np.arange(4))
        return Categorical(weights / weights.sum(1, keepdims=True))

    @logged
    def level(self, dose: Array, need: Array) -> Categorical:
        weights = 1.0 + (np.arange(20) == (3 * dose + need)[:, None]) * 10
        return Categorical(weights / weights.sum(1, keepdims=True))

    @reward
    def relief(self, level: Array, need: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.03 * level + 0.2 * (1 - need))


class Ward(SCM):
    """A confounder that is in the log, and depends on the context."""

    @context
    def ward(self) -> Bernoulli:
        return Bernoulli(0.3)

    @logged
    def age(self, ward: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.6 * ward)

    @action
    def drug(self, age: Array, ward: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.5 * age + 0.2 * ward)

    @reward
    def cure(self, age: Array, drug: Array) -> Bernoulli:
        return Bernoulli(0.6 - 0.4 * age + 0.2 * drug)


def _fair(model: SCM) -> Bernoulli:
    return Bernoulli(0.5)


def _first_win(model: SCM, charge: Array) -> Bernoulli:
    return Bernoulli(0.4 + 0.1 * charge)


class Veterans(SCM):
    """The rested charge, the lucky win, and who was neither fell before: among those who are left the two exclude each other."""

    horizon: int = 3

    @latent
    def rested(self) -> Bernoulli:
        return Bernoulli(0.5)

    @latent
    def lucky(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action.starting(_fair)
    def charge(self, rested_tm1: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.6 * rested_tm1)

    @reward.starting(_first_win)
    def win(self, lucky_tm1: Array, charge: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.5 * lucky_tm1 + 0.1 * charge)

    @terminal
    def fallen(self, rested: Array, lucky: Array) -> Bernoulli:
        return Bernoulli(0.8 - 0.7 * np.maximum(rested, lucky))


class Encouraged(SCM):
    """An instrument, whose bounds tell which action is best: F04 of the catalogue, Confused."""

    @latent
    def severe(self) -> Bernoulli:
        return Bernoulli(0.25)

    @logged
    def letter(self) -> Bernoulli:
        return Bernoulli(0.05)

    @action
    def drug(self, letter: Array, severe: Array) -> Bernoulli:
        return Bernoulli(np.array([[0.02, 0.60], [0.98, 0.90]])[letter, severe])

    @reward
    def cure(self, drug: Array, severe: Array) -> Bernoulli:
        return Bernoulli(np.array([[0.65, 0.10], [0.90, 0.35]])[drug, severe])


class Gate(SCM):
    """The losers do not come back to tell, so that what is recorded speaks for the risk."""

    @action
    def risk(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def win(self, risk: Array) -> Bernoulli:
        return Bernoulli(0.5 - 0.2 * risk)

    @selection
    def told(self, risk: Array, win: Array) -> Bernoulli:
        return Bernoulli(np.where(risk == 1, 0.05 + 0.85 * win, 0.5))


class OpenGate(Gate):
    """Who is recorded depends on what was done alone, and does no harm."""

    @selection
    def told(self, risk: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.5 * risk)


class Crowd(SCM):
    """Twenty-six hidden variables: more than a table can hold together."""

    @action
    def act(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def win(self, act: Array) -> Exactly:
        return Exactly(act)


Crowded = type("Crowded", (Crowd,), {f"u{i}": latent(lambda self: Bernoulli(0.5)) for i in range(26)})


def _models() -> Iterator[tuple[str, SCM]]:
    """Every world and member, the twins that are no members, and of short worlds one with the intent."""
    own = [RELAY, ORCHARD, DAWN, Tar(), LongTar(), Napkin(), Doctor(), Dose(), Ward(), Veterans(), Encouraged()]
    worlds = {**COUNTABLE, **{type(model).__name__: model for model in own}}
    yield from worlds.items()
    for text, model in worlds.items():
        if (twin := model.twin()) is not None and twin not in worlds.values():
            yield f"{text}, twin", twin
    for kind, model in {type(model): model for model in worlds.values() if model.horizon <= 10}.items():
        yield f"{kind.__name__}, intent", model.with_intent()


MODELS = dict(_models())
ONE_STEP = {text: model for text, model in MODELS.items() if model.horizon == 1}
BOW = [model for model in ONE_STEP.values() if not model.names("logged")]

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
every_one_step_model = pytest.mark.parametrize("model", ONE_STEP.values(), ids=ONE_STEP)
certified = lru_cache(maxsize=None)(certificate)


def contexts(model: SCM) -> list[dict[str, float]]:
    """The values of the contexts, in the order of the rows of a policy."""
    return [dict(zip(model.contexts, at, strict=True)) for at in product(*(tables(model).support(name) for name in model.contexts))]


def actions(model: SCM) -> list[float]:
    return [float(a) for a in tables(model).support(model.action)]


def chance(model: SCM, context: dict[str, float]) -> float:
    at = tuple(tables(model).support(name).tolist().index(value) for name, value in context.items())
    return float(distribution(model, *context)[at]) if context else 1.0


def effects(model: SCM) -> Floats:
    """E[reward | do(action), context] by the model itself, nan in contexts that never occur."""

    def mean(a: float, c: dict[str, float]) -> float:
        return expectation(model.do(**{model.action: a}), model.reward, c) if chance(model, c) > 0 else np.nan

    return np.array([[mean(a, c) for a in actions(model)] for c in contexts(model)])


def conditional(joint: Array) -> Array:
    """The law of the last axis given the others, nan where they never occur."""
    total = joint.sum(-1, keepdims=True)
    return np.asarray(np.divide(joint, total, where=total > 0, out=np.full_like(joint, np.nan)))


# Is it confounded?


@every_model
def test_a_control_is_not_confounded(model: SCM) -> None:
    control = model.without_intent().control()
    assert np.nanmax(total_variation(control)) < 1e-12
    assert mutual_information(control) < 1e-12
    assert answer(control).sets == ((),)


@every_model
def test_where_nothing_is_needed_seeing_is_doing(model: SCM) -> None:
    found = certified(model)
    assert found.confounding is not None
    assert found.answer.sets != ((),) or found.confounding.largest < 1e-12
    assert 0 <= found.confounding.mean <= found.confounding.largest + 1e-12 <= 1 + 1e-12


@every_one_step_model
def test_the_distance_is_that_of_seeing_and_doing(model: SCM) -> None:
    distance = total_variation(model)
    for (c, given), (a, act) in product(enumerate(contexts(model)), enumerate(actions(model))):
        names = (*model.contexts, model.action, model.reward)
        if np.isnan(distance[c, a]):
            assert rows(model, names[:-1]).reshape(distance.shape)[c, a] == 0
        else:
            seen = distribution(model, model.reward, given={**given, model.action: act})
            done = distribution(model.do(**{model.action: act}), model.reward, given=given)
            both = np.union1d(tables(model).support(model.reward), tables(model.do(**{model.action: act})).support(model.reward))
            laws = [law_on(both, m, law) for m, law in ((model, seen), (model.do(**{model.action: act}), done))]
            assert distance[c, a] == pytest.approx(abs(laws[0] - laws[1]).sum() / 2, abs=1e-12)


def law_on(values: Array, model: SCM, law: Array) -> Array:
    """A law of the reward on more values than it has."""
    wide = np.zeros(len(values))
    wide[np.searchsorted(values, tables(model).support(model.reward))] = law
    return wide


@pytest.mark.parametrize("model", [ConfoundedRiver(), MarkovRiver(), RELAY, ORCHARD, DAWN, LongTar()], ids=lambda m: type(m).__name__)
def test_the_rows_of_an_episode_are_those_of_the_log(model: SCM) -> None:
    process, names = log_process(model), (*model.contexts, model.action, *outcomes(model))
    seen = rows(model, names)
    assert np.allclose(seen.sum(), 1, atol=1e-12)
    rewards = conditional(seen.sum(tuple(range(len(model.contexts) + 2, seen.ndim))).reshape(*process.reward.shape, -1))
    visited = process.visits > 0
    assert np.allclose((rewards @ tables(model).support(model.reward))[visited], process.reward[visited], atol=1e-12)
    if model.contexts and not model.names("terminal"):
        following = seen.sum(len(model.contexts) + 1).reshape(process.transition.shape)
        assert np.allclose(conditional(following)[visited], process.transition[visited], atol=1e-12)


@pytest.mark.parametrize("model", [ConfoundedRiver(), ORCHARD], ids=lambda m: type(m).__name__)
def test_where_the_steps_are_alike_an_action_does_in_a_row_what_it_does_anywhere(model: SCM) -> None:
    process = do_process(model)
    done = rows(model, (model.contexts[0], model.action, model.reward, f"next {model.contexts[0]}"), acted=True)
    both = (process.visits > 0) & (done.sum((2, 3)) > 0)
    assert np.allclose(conditional(done.sum(3))[both] @ tables(model).support(model.reward), process.reward[both], atol=1e-12)
    assert np.allclose(conditional(done.sum(2))[both], process.transition[both], atol=1e-12)


def test_what_the_heat_tells_of_ice_cream() -> None:
    assert mutual_information(IceCreamShorts()) == pytest.approx(log(2) + 0.9 * log(0.9) + 0.1 * log(0.1))
    assert mutual_information(Thermo(reliability=1.0)) == pytest.approx(0, abs=1e-12)
    assert mutual_information(NoOverlap()) == 0  # nothing is hidden
    assert overlap(NoOverlap()) == 0.5
    assert certified(NoOverlap()).adjusted_overlap == overlap(NoOverlap(), "heat") == 0
    assert certified(SimpsonClinic()).adjusted_overlap == pytest.approx(1 - 0.766764, abs=1e-6)


# By what is it identified?


@every_model
def test_every_formula_gives_what_an_action_does(model: SCM) -> None:
    """The formula on the exact law of the log is the exact law under intervention, in each row and each cell that the log fills."""
    for estimand in certified(model).answer.estimands:
        found = kernel(model, estimand)
        done = conditional(rows(model, (*model.contexts, model.action, *outcomes(model)), acted=True).reshape(*found.shape[:2], -1))
        known = ~np.isnan(found).any((2, 3))
        assert np.allclose(found.reshape(done.shape)[known], done[known], rtol=0, atol=1e-9)


@every_one_step_model
def test_an_identified_effect_is_that_of_the_model(model: SCM) -> None:
    found, truth = certified(model), effects(model)
    assert found.intervals is not None
    assert found.identified is not None
    if found.identified:
        assert np.allclose(found.intervals.low, truth, rtol=0, atol=1e-9, equal_nan=True)
        assert found.intervals.width < 1e-9
    assert bool(found.answer.hedge) != bool(found.answer.estimands)


METHODS = [
    (Tar(), "front door", True),
    (Napkin(), "beyond", True),
    (SimpsonClinic(), "adjust for stratum", True),
    (NoOverlap(), "adjust for heat", False),
    (IceCreamShorts().control(), "nothing needed", True),
    (IceCreamShorts(), "none: hidden causes tie ice_cream, shorts together", False),
    (ConfoundedRiver(), "for one step, none", False),
    (LongTar(), "for one step, none was found", None),
    (IceCreamShorts().with_intent(), "nothing needed", False),
    (OpenGate(), "nothing needed", True),
    (Ward(), "adjust for age", True),
    (Veterans(), "for one step, none", False),
    (Gate(), "none was found in the rows that are recorded", None),
]


@pytest.mark.parametrize(("model", "words", "identified"), METHODS, ids=[words for _, words, _ in METHODS])
def test_the_way_to_the_effect_is_named(model: SCM, words: str, identified: bool | None) -> None:
    assert dict(lines(model, certified(model)))["formula"].startswith(words)
    assert certified(model).identified is identified


def test_all_minimal_sets_are_named() -> None:
    class Chain(SCM):
        """Either of two links closes the back door."""

        @logged
        def far(self) -> Bernoulli:
            return Bernoulli(0.3)

        @logged
        def near(self, far: Array) -> Bernoulli:
            return Bernoulli(0.2 + 0.6 * far)

        @action
        def act(self, far: Array) -> Bernoulli:
            return Bernoulli(0.1 + 0.6 * far)

        @reward
        def win(self, near: Array, act: Array) -> Bernoulli:
            return Bernoulli(0.1 + 0.5 * near + 0.3 * act)

    assert certificate(Chain()).answer.sets == (("far",), ("near",))
    assert certificate(Chain()).adjusted_overlap == pytest.approx(overlap(Chain(), "near"))


# Bounds, and the best that anybody can guarantee.


@every_one_step_model
def test_bounds_contain_the_truth(model: SCM) -> None:
    found, truth = certified(model).intervals, effects(model)
    assert found is not None
    occurs = ~np.isnan(truth)
    assert (np.isnan(found.low) == ~occurs).all()
    assert (found.low[occurs] <= truth[occurs] + 1e-9).all()
    assert (truth[occurs] <= found.high[occurs] + 1e-9).all()


@every_model
def test_what_is_promised_is_kept(model: SCM) -> None:
    found = certified(model)
    if found.maximin is not None:
        assert found.maximin.value <= found.maximin.earned + 1e-9
        assert found.maximin.earned == pytest.approx(value(model, found.maximin.policy), abs=1e-9)
    if found.minimax_regret is not None and found.confused_regret is not None:
        best = value(model, causal_policy(model))
        assert best - found.minimax_regret.earned <= found.minimax_regret.value + 1e-9
        assert best - value(model, confused_policy(model)) <= found.confused_regret + 1e-9
        assert found.minimax_regret.value <= found.confused_regret + 1e-9


@every_one_step_model
def test_regret_and_guarantee_are_attained_by_a_model_with_the_same_log(model: SCM) -> None:
    found = certified(model)
    assert found.intervals is not None
    assert found.maximin is not None
    assert found.minimax_regret is not None
    if found.intervals.method == "formula":
        assert found.maximin.value == pytest.approx(value(model, causal_policy(model)), abs=1e-9)
        assert found.minimax_regret.value == pytest.approx(0, abs=1e-9)
    elif found.intervals.exact:
        assert worst(model, -found.maximin.policy) == pytest.approx(-found.maximin.value, abs=1e-7)
        rivals = np.eye(len(actions(model)))[list(product(range(len(actions(model))), repeat=len(contexts(model))))]
        regrets = [worst(model, rival - found.minimax_regret.policy) for rival in rivals]
        assert max(regrets) == pytest.approx(found.minimax_regret.value, abs=1e-7)


def worst(model: SCM, weights: Floats) -> float:
    """The most that a weighted sum of payoffs can be, as a model with the same log has it."""
    types = response_types(model)

    def payoff(c: dict[str, float], a: float) -> Quantity:
        return lambda do: prod((do()[name] == what for name, what in c.items()), start=do(**{model.action: a})[model.reward])

    terms = [(payoff(c, a), weights[i, j]) for (i, c), (j, a) in product(enumerate(contexts(model)), enumerate(actions(model)))]
    total: Quantity = lambda do: sum(weight * term(do) for term, weight in terms)  # noqa: E731
    found = bounds(types, total)
    assert np.allclose(found.witnesses[1].table(), types.table, atol=1e-7)
    return found.witnesses[1].mean(total)


@pytest.mark.parametrize("model", BOW, ids=[text for text, model in ONE_STEP.items() if model in BOW])
def test_in_a_bow_the_closed_form_is_the_programme(model: SCM) -> None:
    found = certified(model).intervals
    assert found is not None
    if found.method == "Manski":
        for (i, c), j in product(enumerate(contexts(model)), range(len(actions(model)))):
            ends = [-worst(model, -one_of(found.low.shape, i, j)), worst(model, one_of(found.low.shape, i, j))]
            assert np.array([found.low[i, j], found.high[i, j]]) * chance(model, c) == pytest.approx(ends, abs=1e-7)


def one_of(shape: tuple[int, ...], i: int, j: int) -> Floats:
    weights = np.zeros(shape)
    weights[i, j] = 1.0
    return weights


def test_in_a_bow_every_context_is_decided_by_itself() -> None:
    model = Doctor()
    found = certified(model)
    types = response_types(model)
    payoffs: list[list[Quantity]] = [
        [lambda do, c=c, a=a: (do()["pain"] == c) * do(drug=a)["relief"] for a in (0, 1)]  # type: ignore[misc]
        for c in (0, 1)
    ]
    together = Payoffs.of(types, payoffs)
    assert found.intervals is not None
    assert (found.intervals.method, len(found.intervals.payoffs)) == ("Manski", 2)
    assert found.minimax_regret is not None
    assert found.maximin is not None
    assert found.minimax_regret.value == pytest.approx(together.minimax_regret().value, abs=1e-7)
    assert found.maximin.value == pytest.approx(together.maximin().value, abs=1e-7)
    assert found.confused_regret == pytest.approx(together.regret(confused_policy(model)), abs=1e-7)


def test_too_many_response_types_leave_outer_bounds() -> None:
    found = certified(Dose())
    assert found.intervals is not None
    assert (found.intervals.method, found.intervals.sharp, found.identified) == ("Manski", False, False)
    assert "outer" in dict(lines(Dose(), found))["effect"]


M9 = [  # METRICS: intervals, the maximin action and what it earns, the minimax-regret policy, its regret and what it earns
    (IceCreamShorts(), ".0675 .2075", ".5675 .7075", "0 1", ".275", ".36 .64", ".2304", ".347"),
    (NoOverlap(), ".025 .25", ".525 .75", "0 1", ".275", ".275 .725", ".1994", ".330"),
    (make_model("GreedyCasino-v0:casino=Rigged"), ".275 .175", ".775 .675", "1 0", ".325", ".6 .4", ".240", ".365"),
    (Gate(), "0 0", "1 1", ".5 .5", ".40", ".5 .5", ".5", ".40"),
]


@pytest.mark.parametrize(("model", "low", "high", "sure", "earns", "mixed", "regret", "gains"), M9, ids=lambda m: type(m).__name__)
def test_printed_ceilings(model: SCM, low: str, high: str, sure: str, earns: str, mixed: str, regret: str, gains: str) -> None:
    found = certified(model)
    assert found.intervals is not None
    assert found.maximin is not None
    assert found.minimax_regret is not None
    for number, text in (
        (found.intervals.low, low),
        (found.intervals.high, high),
        (found.maximin.policy, sure),
        (found.maximin.value, min(low.split()) if sure == ".5 .5" else max(low.split(), key=float)),
        (found.maximin.earned, earns),
        (found.minimax_regret.policy, mixed),
        (found.minimax_regret.value, regret),
        (found.minimax_regret.earned, gains),
    ):
        assert printed(number, text)


def printed(numbers: Array | float, text: str) -> bool:
    """Whether numbers are those that are printed, within one unit of the last digit."""
    units = [10.0 ** -len(word.partition(".")[2]) if "." in word else 1e-9 for word in text.split()]
    return bool((abs(np.ravel(numbers) - np.array(text.split(), float)) <= units).all())


def test_the_river() -> None:
    """F09 of the catalogue."""
    found = certified(ConfoundedRiver())
    assert found.maximin is not None
    assert found.best is not None
    assert printed(np.array([*found.best, found.maximin.value, found.maximin.earned]), ".7753 8.563 .7753 2.0")
    assert found.maximin.policy[:4].argmax(1).tolist() == [0, 1, 1, 1]


def test_a_policy_is_sure_of_less_than_a_plan_that_may_change() -> None:
    """With one context nothing is unknown, and whoever always takes the worse of two actions earns what that earns."""
    process = Process(np.array([[1.0, 0.0]]), np.ones((1, 2, 1)), np.full((1, 2), 0.5), np.ones(1), 2, 1.0)
    assert interval_values(process, ends=False).tolist() == [[2.0, 1.0]]
    assert interval_values(process, policy=np.array([[0.0, 1.0]]), ends=False).tolist() == [[1.0, 0.0]]


def test_an_instrument_tells_what_is_best() -> None:
    """F04 of the catalogue, and M9 of the metrics."""
    found = certified(Encouraged())
    assert found.intervals is not None
    assert found.minimax_regret is not None
    assert found.minimax_regret.policy.tolist() == [[0, 1]]
    assert printed(np.array([found.minimax_regret.value, found.minimax_regret.earned]), "0 .7625")
    assert np.stack([found.intervals.low[0], found.intervals.high[0]], axis=1) == pytest.approx(
        balke_pearl(distribution(Encouraged(), "letter", "drug", "cure")), abs=1e-9
    )


@pytest.mark.parametrize("name", ["flood", "rapids", "drought", "fair", "slack_water"])
def test_a_plan_between_the_bounds_is_best_in_every_river(name: str) -> None:
    model = ConfoundedRiver().shifted(name)
    found = certificate(model)
    assert found.best is not None
    assert found.maximin is not None
    assert found.best[0] - 1e-9 <= value(model, causal_policy(model)) <= found.best[1] + 1e-9
    assert found.maximin.value <= min(found.best[0], found.maximin.earned) + 1e-9


@every_model
def test_nothing_is_promised_of_an_episode_whose_past_matters(model: SCM) -> None:
    found = certified(model)
    if model.horizon > 1:
        assert (found.best is None) == (not is_steady(model))
        assert found.intervals is None
        assert found.best is not None or any("the past matters" in note for note in found.notes)
    if model.horizon > 1 and found.best is not None and found.identified:
        assert found.best[0] == found.best[1] >= value(model, causal_policy(model)) - 1e-9


def test_an_unseen_cell_of_a_river_costs_the_range_of_the_reward() -> None:
    """A captain who never anchors leaves open what an anchor earns."""
    found = certificate(ConfoundedRiver().with_behaviour(Exactly(1)))
    assert found.overlap == 0
    assert found.identified is False
    assert found.best is not None
    assert found.best[0] <= value(ConfoundedRiver(), causal_policy(ConfoundedRiver())) <= found.best[1]


# What a certificate does not know, it does not say.


def test_this_log_may_tell_what_the_graph_does_not() -> None:
    """Bans and mandates are experiments, and that they are is in the numbers and not in the graph."""
    found = certified(Domains())
    assert found.intervals is not None
    assert found.identified is False
    assert found.intervals.width < 1e-9
    assert "the graph alone" in " ".join(found.notes)


def test_where_rows_are_selected_nothing_is_known_of_the_others() -> None:
    lost, open_ = certified(Gate()), certified(OpenGate())
    assert lost.confounding is not None
    assert lost.confounding.largest > 0.3
    assert lost.confounding.information == 0
    assert open_.confounding is not None
    assert open_.confounding.largest < 1e-12
    assert open_.intervals is not None
    assert np.allclose(open_.intervals.low, [[0.5, 0.3]])
    survivors = certified(SURVIVORS)
    assert (survivors.maximin, survivors.minimax_regret, survivors.identified) == (None, None, False)
    assert "how often each context occurs" in " ".join(survivors.notes)


def test_a_continuous_world_has_no_numbers_and_says_why() -> None:
    found = certificate(GAUGE)
    assert found.identified is False  # by the graph
    numbers = [found.confounding, found.overlap, found.intervals, found.maximin, found.minimax_regret, found.confused_regret, found.best]
    assert numbers == [None] * 7
    assert found.notes == ("Gauge.fever is continuous, and exact answers need finitely many values",)
    assert "drug, relief" in dict(lines(GAUGE, found))["formula"]


def test_a_number_that_is_too_large_to_compute_is_left_out_and_the_rest_is_there() -> None:
    found = certificate(Crowded())
    assert found.confounding is None
    assert "entries" in found.notes[0]
    assert found.identified
    assert found.overlap == 0.5


@every_model
def test_the_certificate_is_short_and_has_no_empty_words(model: SCM) -> None:
    said = list(lines(model, certified(model)))
    assert len(said) <= 10
    assert all(about and fact and "nan" not in fact.split() and "  " not in fact for about, fact in said)


class Unseen(SCM):
    """Whoever would end never acts so in the log: that no end is seen is no promise."""

    horizon: int = 3

    @latent
    def u(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action
    def a(self, u: Array) -> Bernoulli:
        return Bernoulli(1.0 * u)

    @reward
    def y(self, a: Array) -> Exactly:
        return Exactly(0.2 + 0.8 * a)

    @terminal
    def end(self, a: Array, u: Array) -> Exactly:
        return Exactly(1 * ((a == 1) & (u == 0)))


def test_nothing_is_promised_on_ends_that_the_log_does_not_show() -> None:
    found = certificate(Unseen())
    assert found.maximin is not None
    assert found.best is not None
    assert found.maximin.value <= found.maximin.earned + 1e-9
    assert found.best[0] <= value(Unseen(), causal_policy(Unseen())) <= found.best[1]


class Drift(SCM):
    """Two causes that have nothing to do with each other become common, and so the time ties action and reward."""

    horizon: int = 2

    @latent.starting(Bernoulli(0.1))
    def h(self) -> Bernoulli:
        return Bernoulli(0.9)

    @latent.starting(Bernoulli(0.1))
    def g(self) -> Bernoulli:
        return Bernoulli(0.9)

    @action
    def a(self, h: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.6 * h)

    @reward
    def y(self, g: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.6 * g)


def test_where_the_time_confounds_no_formula_of_a_step_is_called_identification() -> None:
    found = certificate(Drift())
    assert found.identified is None
    assert any("time" in note for note in found.notes)
