"""The laws of certificates:

over every world, its twin and its control, and over what the catalogue has none of.
"""

from itertools import product
from math import log

import numpy as np
import pytest
from certified import (
    DAWN,
    GAUGE,
    ORCHARD,
    RELAY,
    SURVIVORS,
    Crowded,
    LongTar,
    OpenGate,
    Veterans,
    Ward,
    actions,
    certified,
    conditional,
    contexts,
    effects,
    every_model,
    every_one_step_model,
)

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    World,
    action,
    certificate,
    distribution,
    latent,
    logged,
    reward,
    terminal,
    value,
)
from dosuite.causal.exact import (
    do_process,
    log_process,
    mutual_information,
    overlap,
    total_variation,
)
from dosuite.causal.exact.confounding import outcomes, rows
from dosuite.causal.identification.action_effect import answer, kernel
from dosuite.envs.worlds.collider import SelectionGate
from dosuite.envs.worlds.front_door import TarFrontdoor
from dosuite.envs.worlds.ice_cream import Domains, IceCreamShorts, NoOverlap, Thermo
from dosuite.envs.worlds.napkin import NapkinClinic
from dosuite.envs.worlds.river import ConfoundedRiver, MarkovRiver
from dosuite.envs.worlds.simpson import SimpsonClinic
from dosuite.eval.reports.certificate_text import lines

# Is it confounded?


@every_model
def test_a_control_is_not_confounded(model: World) -> None:
    control = model.without_intent().control()
    assert np.nanmax(total_variation(control)) < 1e-12
    assert mutual_information(control) < 1e-12
    assert answer(control).estimands[0].method == "seeing"


@every_model
def test_where_nothing_is_needed_seeing_is_doing(model: World) -> None:
    found = certified(model)
    assert found.confounding is not None
    assert found.answer.sets != ((),) or found.confounding.largest < 1e-12
    assert 0 <= found.confounding.mean <= found.confounding.largest + 1e-12 <= 1 + 1e-12


@every_one_step_model
def test_the_distance_is_that_of_seeing_and_doing(model: World) -> None:
    distance = total_variation(model)
    for (c, given), (a, act) in product(enumerate(contexts(model)), enumerate(actions(model))):
        names = (*model.contexts, model.action, model.reward)
        if np.isnan(distance[c, a]):
            assert rows(model, names[:-1]).reshape(distance.shape)[c, a] == 0
        else:
            recorded = dict.fromkeys(model.names("selection"), 1)
            seen = distribution(model, model.reward, given={**given, model.action: act, **recorded})
            done = distribution(model.do(**{model.action: act}), model.reward, given=given)
            both = np.union1d(
                model.tables.support(model.reward),
                model.do(**{model.action: act}).tables.support(model.reward),
            )
            laws = [
                law_on(both, m, law)
                for m, law in ((model, seen), (model.do(**{model.action: act}), done))
            ]
            assert distance[c, a] == pytest.approx(abs(laws[0] - laws[1]).sum() / 2, abs=1e-12)


def law_on(values: Array, model: World, law: Array) -> Array:
    """A law of the reward on more values than it has."""
    wide = np.zeros(len(values))
    wide[np.searchsorted(values, model.tables.support(model.reward))] = law
    return wide


@pytest.mark.parametrize(
    "model",
    [ConfoundedRiver(), MarkovRiver(), RELAY, ORCHARD, DAWN, LongTar()],
    ids=lambda m: type(m).__name__,
)
def test_the_rows_of_an_episode_are_those_of_the_log(model: World) -> None:
    process, names = log_process(model), (*model.contexts, model.action, *outcomes(model))
    seen = rows(model, names)
    assert np.allclose(seen.sum(), 1, atol=1e-12)
    rewards = conditional(
        seen.sum(tuple(range(len(model.contexts) + 2, seen.ndim))).reshape(
            *process.reward.shape, -1
        )
    )
    visited = process.visits > 0
    assert np.allclose(
        (rewards @ model.tables.support(model.reward))[visited],
        process.reward[visited],
        atol=1e-12,
    )
    if model.contexts and not model.names("terminal"):
        following = seen.sum(len(model.contexts) + 1).reshape(process.transition.shape)
        assert np.allclose(conditional(following)[visited], process.transition[visited], atol=1e-12)


@pytest.mark.parametrize("model", [ConfoundedRiver(), ORCHARD], ids=lambda m: type(m).__name__)
def test_where_the_steps_are_alike_an_action_does_in_a_row_what_it_does_anywhere(
    model: World,
) -> None:
    process = do_process(model)
    done = rows(
        model,
        (model.contexts[0], model.action, model.reward, f"next {model.contexts[0]}"),
        acted=True,
    )
    both = (process.visits > 0) & (done.sum((2, 3)) > 0)
    assert np.allclose(
        conditional(done.sum(3))[both] @ model.tables.support(model.reward),
        process.reward[both],
        atol=1e-12,
    )
    assert np.allclose(conditional(done.sum(2))[both], process.transition[both], atol=1e-12)


def test_what_the_heat_tells_of_ice_cream() -> None:
    assert mutual_information(IceCreamShorts()) == pytest.approx(
        log(2) + 0.9 * log(0.9) + 0.1 * log(0.1)
    )
    assert mutual_information(Thermo(reliability=1.0)) == pytest.approx(0, abs=1e-12)
    assert mutual_information(NoOverlap()) == 0  # nothing is hidden
    assert overlap(NoOverlap()) == 0.5
    assert certified(NoOverlap()).adjusted_overlap == overlap(NoOverlap(), "heat") == 0
    assert certified(SimpsonClinic()).adjusted_overlap == pytest.approx(1 - 0.766764, abs=1e-6)


def test_where_the_log_never_looks_it_is_not_called_unconfounded() -> None:
    sighted, blind = IceCreamShorts().control(), IceCreamShorts().with_intent()
    assert dict(lines(sighted, certified(sighted)))["confounded"] == "no: seeing is doing"
    said = (
        "not in what the log shows: there seeing is doing; 2 of the 4 pairs of context and action "
        "never occur"
    )
    assert dict(lines(blind, certified(blind)))["confounded"] == said
    captain = ConfoundedRiver().with_behaviour(Exactly(1))
    assert (
        "pairs of context and action never occur"
        in dict(lines(captain, certified(captain)))["confounded"]
    )


# By what is it identified?


@every_model
def test_every_formula_gives_what_an_action_does(model: World) -> None:
    """The formula on the exact law of the log is the exact law under intervention, in each row and
    each cell that the log fills.
    """
    for estimand in certified(model).answer.estimands:
        found = kernel(model, estimand)
        done = conditional(
            rows(model, (*model.contexts, model.action, *outcomes(model)), acted=True).reshape(
                *found.shape[:2], -1
            )
        )
        known = ~np.isnan(found).any((2, 3))
        assert np.allclose(found.reshape(done.shape)[known], done[known], rtol=0, atol=1e-9)


@every_one_step_model
def test_an_identified_effect_is_that_of_the_model(model: World) -> None:
    found, truth = certified(model), effects(model)
    assert found.intervals is not None
    if found.identified:
        assert np.allclose(found.intervals.low, truth, rtol=0, atol=1e-9, equal_nan=True)
        assert found.intervals.width < 1e-9
    if model.names("selection"):  # where the search for a formula is not complete
        assert (found.identified is None) == (not found.answer.hedge and not found.answer.estimands)
    else:
        assert found.identified is not None
        assert bool(found.answer.hedge) != bool(found.answer.estimands)


METHODS = [
    (TarFrontdoor(), "front door", True),
    (NapkinClinic(), "beyond", True),
    (SimpsonClinic(), "adjust for stratum", True),
    (NoOverlap(), "adjust for heat", False),
    (IceCreamShorts().control(), "nothing needed", True),
    (IceCreamShorts(), "none: ice_cream, shorts share hidden causes", False),
    (ConfoundedRiver(), "for one step, none", False),
    (LongTar(), "for one step, none was found", None),
    (IceCreamShorts().with_intent(), "nothing needed", False),
    (OpenGate(), "nothing needed", True),
    (Ward(), "adjust for age", True),
    (Veterans(), "for one step, none", False),
    (SelectionGate(), "none was found in the rows that are recorded", None),
]


@pytest.mark.parametrize(
    ("model", "words", "identified"), METHODS, ids=[words for _, words, _ in METHODS]
)
def test_the_way_to_the_effect_is_named(model: World, words: str, identified: bool | None) -> None:
    assert dict(lines(model, certified(model)))["formula"].startswith(words)
    assert certified(model).identified is identified


def test_all_minimal_sets_are_named() -> None:
    class Chain(World):
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


# What a certificate does not know, it does not say.


def test_this_log_may_tell_what_the_graph_does_not() -> None:
    """Bans and mandates are experiments, which the numbers show and the graph does not."""
    found = certified(Domains())
    assert found.intervals is not None
    assert found.identified is False
    assert found.intervals.width < 1e-9
    assert "the graph alone" in " ".join(found.notes)


def test_where_rows_are_selected_nothing_is_known_of_the_others() -> None:
    lost, open_ = certified(SelectionGate()), certified(OpenGate())
    assert lost.confounding is not None
    assert lost.confounding.largest > 0.3
    assert lost.confounding.information == 0
    assert open_.confounding is not None
    assert open_.confounding.largest < 1e-12
    assert open_.intervals is not None
    assert np.allclose(open_.intervals.low, [[0.5, 0.3]])
    survivors = certified(SURVIVORS)
    assert (survivors.maximin, survivors.minimax_regret, survivors.identified) == (
        None,
        None,
        False,
    )
    assert "how often each context occurs" in " ".join(survivors.notes)


def test_a_continuous_world_has_no_numbers_and_says_why() -> None:
    found = certificate(GAUGE)
    assert found.identified is False  # by the graph
    numbers = [
        found.confounding,
        found.overlap,
        found.intervals,
        found.maximin,
        found.minimax_regret,
        found.confused_regret,
        found.best,
    ]
    assert numbers == [None] * 7
    assert found.notes == (
        "Gauge.fever is continuous, and exact answers need finitely many values",
    )
    assert "drug, relief" in dict(lines(GAUGE, found))["formula"]


def test_a_number_that_is_too_large_to_compute_is_left_out_and_the_rest_is_there() -> None:
    found = certificate(Crowded())
    assert found.confounding is None
    assert "entries" in found.notes[0]
    assert found.identified
    assert found.overlap == 0.5


@every_model
def test_the_certificate_is_short_and_has_no_empty_words(model: World) -> None:
    said = list(lines(model, certified(model)))
    assert len(said) <= 10
    assert all(
        about and fact and "nan" not in fact.split() and "  " not in fact for about, fact in said
    )


class Unseen(World):
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
    assert found.best[0] <= value(Unseen(), Unseen().causal_policy()) <= found.best[1]


class Drift(World):
    """Two causes that have nothing to do with each other become common, and so the time ties action
    and reward.
    """

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


class SpreadDrift(Drift):
    """The same, but that the mean reward is 1 whatever happens: what drifts is its spread."""

    @reward
    def y(self, g: Array) -> Categorical:
        return Categorical(np.array([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]])[g])


@pytest.mark.parametrize("model", [Drift(), SpreadDrift()], ids=lambda model: type(model).__name__)
def test_where_the_time_confounds_no_formula_of_a_step_is_called_identification(
    model: World,
) -> None:
    found = certificate(model)
    assert found.identified is None
    assert any("time" in note for note in found.notes)
