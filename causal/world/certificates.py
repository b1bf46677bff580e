"""The certificate of an environment:

whether its log is confounded, what the log tells of its actions, and what it cannot tell.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np

from ..arrays import Floats
from ..errors import NotDiscreteError, TooLargeError
from ..exact.confounding import (
    by_context,
    mutual_information,
    outcomes,
    overlap,
    rows,
    total_variation,
)
from ..exact.decision_process import greedy, mean_value
from ..exact.policies import do_process, is_steady, log_process, value
from ..identification.action_effect import Answer, Question, answer, kernel
from ..model.elimination import conditional
from ..partial_identification.guarantees import Guarantee, interval_values
from ..tolerances import ROUNDING
from .intervals import Intervals, intervals
from .world import World

T = TypeVar("T")


class Confounding(NamedTuple):
    """How far seeing is from doing, in the rows of the log, where it shows the action in the
    context.
    """

    # total variation, averaged over the contexts as the log shows them, and in each over the
    # actions that occur
    mean: float
    largest: float  # total variation, in the worst context and action
    information: float  # of the action on hidden variables of its step, given the context, in nats
    pairs: int  # of context and action
    unseen: int  # of these, that never occur in the log, so that nothing is said of them


class Promise(NamedTuple):
    """A policy (C, A) that is chosen from the log alone, what it is sure of, and what it earns in
    the model itself.
    """

    policy: Floats
    value: float
    earned: float


@dataclass(frozen=True, eq=False)
class Certificate:
    """What an endless log tells about its model, to who has the graph. None stands where there is
    no exact answer; `notes` say why.

    In a model of several steps `answer` is about one step given its context, and there are bounds
    only on the best plan. What its formulas give is compared with the whole law of the reward, the
    end and the next context before it counts as identified."""

    answer: Answer
    identified: (
        bool | None
    )  # whether a formula gives the effect of every action, in every context that the log shows
    confounding: Confounding | None
    overlap: float | None  # the least P(action | context)
    adjusted_overlap: (
        float | None
    )  # the same given the variables that must be adjusted for, too; None if nothing must be
    intervals: Intervals | None  # of a model of one step
    maximin: Promise | None  # the value is a guarantee
    minimax_regret: Promise | None  # the value is a regret
    confused_regret: float | None
    best: (
        tuple[float, float] | None
        # bounds on what the best plan earns, in a model of several steps; it may change with the step
    )
    notes: tuple[str, ...]


def certificate(model: World) -> Certificate:
    """The certificate of a model; its numbers are exact.

    Source: for the guarantees Manski (1990), Balke and Pearl (1997), and Givan, Leach and Dean
    (2000)."""
    notes = _Notes()
    told = answer(model)
    law = notes.attempt(lambda: _law(model, told))
    whole = Certificate(
        answer=told,
        identified=_identified(model, told, law, notes),
        confounding=notes.attempt(lambda: _confounding(model)),
        overlap=notes.attempt(lambda: overlap(model)),
        adjusted_overlap=notes.attempt(lambda: _adjusted_overlap(model, told)),
        intervals=None,
        maximin=None,
        minimax_regret=None,
        confused_regret=None,
        best=None,
        notes=(),
    )
    guaranteed = _guaranteed_in_one_step if model.horizon == 1 else _guaranteed
    if law is not None:
        known = law.sum(3) @ model.tables.support(
            model.reward
        )  # E[reward | do(action), context], nan where no formula gives it
        whole = notes.attempt(lambda: guaranteed(model, known, whole, notes)) or whole
    return replace(whole, notes=tuple(dict.fromkeys(notes)))


class _Notes(list[str]):
    """Reasons why there is no answer."""

    def attempt(self, ask: Callable[[], T]) -> T | None:
        """The answer, or None and a note that there is none."""
        try:
            return ask()
        except (NotDiscreteError, TooLargeError) as error:
            self.append(str(error))
            return None


def _confounding(model: World) -> Confounding:
    distance = total_variation(model)
    share = rows(model, model.contexts).ravel()
    mean = np.nanmean(distance[share > 0], axis=1) @ share[share > 0]
    unseen = int(np.isnan(distance).sum())
    return Confounding(
        float(mean), float(np.nanmax(distance)), mutual_information(model), distance.size, unseen
    )


def _law(model: World, told: Answer) -> Floats:
    """P(outcomes | do(action), context) as far as a formula gives it, else nan, with the axes of
    `kernel`.
    """
    sizes = [
        len(model.tables.support(name)) for name in (*model.contexts, model.action, model.reward)
    ]
    law = np.full((int(np.prod(sizes[:-2])), *sizes[-2:], 1), np.nan)
    for estimand in told.estimands:
        if np.isnan(law).any():
            law = np.where(np.isnan(law), kernel(model, estimand), law)
    return law


def _identified(model: World, told: Answer, law: Floats | None, notes: _Notes) -> bool | None:
    if told.hedge:
        return False
    if law is None or not told.estimands:
        return None
    if (done := notes.attempt(lambda: _done(model))) is None:
        return None
    seen = rows(model, model.contexts).ravel() > 0
    if (abs(law.reshape(done.shape) - done)[seen & ~np.isnan(law).any((1, 2, 3))] > ROUNDING).any():
        notes.append(
            "the formula is right in each step and not in all together, since steps differ and "
            "the time confounds them"
        )
        return None
    return not np.isnan(law[seen]).any()


def _done(model: World) -> Floats:
    """P(outcomes | do(action), context) in the rows of the log, (C, A, outcomes);

    nan where the context never is.
    """
    return conditional(
        by_context(
            model, rows(model, (*model.contexts, model.action, *outcomes(model)), acted=True)
        )
    )


def _adjusted_overlap(model: World, told: Answer) -> float | None:
    sets = [chosen for chosen in told.sets if told.sets != ((),)]
    return max((overlap(model, *chosen) for chosen in sets), default=None)


def _guaranteed_in_one_step(
    model: World, known: Floats, bare: Certificate, notes: _Notes
) -> Certificate:
    found = intervals(model, known)
    bare = replace(bare, intervals=found)
    if not found.payoffs:
        notes.append(
            "how often each context occurs is not in a selected log, so that nothing is "
            "guaranteed over all of them"
        )
        return bare
    if not found.exact:
        notes.append("outer bounds: better guarantees and less regret may be possible")
    if found.width <= ROUNDING and not bare.identified:
        notes.append("the graph alone does not tell the effect, and this log happens to tell it")
    return replace(
        bare,
        maximin=notes.attempt(lambda: _promise(model, found.maximin())),
        minimax_regret=notes.attempt(lambda: _promise(model, found.minimax_regret())),
        confused_regret=notes.attempt(lambda: found.regret(model.confused_policy())),
    )


def _promise(model: World, guarantee: Guarantee) -> Promise:
    return Promise(guarantee.policy, guarantee.value, value(model, guarantee.policy))


def _guaranteed(model: World, known: Floats, bare: Certificate, notes: _Notes) -> Certificate:
    if not is_steady(model):
        notes.append(
            "the past matters beside the context, or steps differ, so that bounds of single "
            "steps say nothing of an episode"
        )
        return bare
    if not np.isnan(known[do_process(model).visits > 0]).any():
        values, policy = do_process(model).plan(), model.causal_policy()
        most = float(do_process(model).start @ mean_value(greedy(values), values))
        return replace(
            bare,
            maximin=_promise(model, Guarantee(policy, value(model, policy))),
            best=(most, most),
        )
    process, limits = log_process(model), _reward_limits(model)
    ends = any(1 in model.tables.support(name) for name in model.names("terminal"))
    low, high = (interval_values(process, best, limits, ends=ends) for best in (False, True))
    policy = greedy(low)
    sure = float(
        process.start
        @ (policy * interval_values(process, reward=limits, policy=policy, ends=ends)).sum(1)
    )
    best = float(process.start @ low.max(1)), float(process.start @ high.max(1))
    return replace(bare, maximin=_promise(model, Guarantee(policy, sure)), best=best)


def _reward_limits(model: World) -> tuple[float, float] | None:
    """The range of the reward, or None if the log shows its mean after every action, and this is
    what the action does.
    """
    asked = replace(Question.of(model), y=(model.reward,))
    if () in asked.back_doors() and (log_process(model).visits > 0).all():
        return None
    reward = model.tables.support(model.reward)
    return float(reward[0]), float(reward[-1])
