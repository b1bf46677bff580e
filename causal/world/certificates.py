"""Certificates: what infinite data from a world reveal about its actions to someone who knows the
graph, and what they cannot reveal."""

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
from ..identification.action_effect import ActionEffect, Answer, answer, kernel
from ..model.elimination import conditional
from ..partial_identification.guarantees import Ceiling, interval_values
from ..tolerances import ROUNDING
from .intervals import Intervals, intervals
from .world import World

T = TypeVar("T")


class Confounding(NamedTuple):
    """The distance of P(outcomes | action, context) from P(outcomes | do(action), context).

    It is taken in the rows of the log, in which the outcomes are the reward, the end of the episode
    and the next contexts.
    """

    # Total variation: the mean over the contexts as they occur in the log, in each over the actions
    # that occur.
    mean: float
    largest: float  # total variation in the worst pair of context and action
    information: float  # of the action on the latents of its step, given the context, in nats
    pairs: int  # of context and action
    unseen: int  # pairs that never occur in the log, about which nothing is said


class Promise(NamedTuple):
    """A policy (C, A) that is chosen from the log and the graph alone."""

    policy: Floats
    value: float  # what the log guarantees of the policy: a payoff or a regret
    earned: float  # its value in the world


@dataclass(frozen=True, eq=False)
class Certificate:
    """What infinite data reveal to someone who knows the graph.

    A field is None where there is no exact answer; `notes` say why. In a world of several steps
    `answer` is about one step given its context, and there are bounds only on the best plan. The
    effect counts as identified only if the formula also gives the true law of the reward, the end
    and the next context.
    """

    answer: Answer
    # whether a formula gives the effect of every action, in every context that the log shows
    identified: bool | None
    confounding: Confounding | None
    overlap: float | None  # the least P(action | context)
    # the same given an adjustment set, too: the best one's; None if nothing need be adjusted for
    adjusted_overlap: float | None
    intervals: Intervals | None  # of a world of one step
    maximin: Promise | None  # the value is a guarantee
    minimax_regret: Promise | None  # the value is a regret
    confused_regret: float | None  # the largest possible regret of the confused policy
    # bounds on the return of the best plan of several steps, which may depend on the step
    best: tuple[float, float] | None
    notes: tuple[str, ...]


def certificate(model: World) -> Certificate:
    """The certificate of a world, with exact numbers.

    Source: for the guarantees Manski (1990), Balke and Pearl (1997), and Givan, Leach and Dean
    (2000).
    """
    notes = _Notes()
    by_graph = answer(model)
    law = notes.attempt(lambda: _law(model, by_graph))
    result = Certificate(
        answer=by_graph,
        identified=_identified(model, by_graph, law, notes),
        confounding=notes.attempt(lambda: _confounding(model)),
        overlap=notes.attempt(lambda: overlap(model)),
        adjusted_overlap=notes.attempt(lambda: _adjusted_overlap(model, by_graph)),
        intervals=None,
        maximin=None,
        minimax_regret=None,
        confused_regret=None,
        best=None,
        notes=(),
    )
    if law is not None:
        # E[reward | do(action), context], nan where no formula gives it
        known = law.sum(3) @ model.tables.support(model.reward)
        guaranteed = _guaranteed_in_one_step if model.horizon == 1 else _guaranteed
        result = notes.attempt(lambda: guaranteed(model, known, result, notes)) or result
    return replace(result, notes=tuple(dict.fromkeys(notes)))


class _Notes(list[str]):
    """Reasons why answers are missing."""

    def attempt(self, ask: Callable[[], T]) -> T | None:
        """The answer; None, and a note, if it is not discrete or too large."""
        try:
            return ask()
        except (NotDiscreteError, TooLargeError) as error:
            self.append(str(error))
            return None


def _confounding(model: World) -> Confounding:
    distance = total_variation(model)
    share = rows(model, model.contexts).ravel()
    occurs = share > 0
    mean = np.nanmean(distance[occurs], axis=1) @ share[occurs]
    return Confounding(
        mean=float(mean),
        largest=float(np.nanmax(distance)),
        information=mutual_information(model),
        pairs=distance.size,
        unseen=int(np.isnan(distance).sum()),
    )


def _law(model: World, by_graph: Answer) -> Floats:
    """P(outcomes | do(action), context) by the formulas, with the axes of `kernel`.

    Each formula fills what the ones before it leave NaN.
    """
    names = (*model.contexts, model.action, model.reward)
    *contexts, actions, rewards = (len(model.tables.support(name)) for name in names)
    law = np.full((int(np.prod(contexts)), actions, rewards, 1), np.nan)
    for estimand in by_graph.estimands:
        if np.isnan(law).any():
            law = np.where(np.isnan(law), kernel(model, estimand), law)
    return law


def _identified(model: World, by_graph: Answer, law: Floats | None, notes: _Notes) -> bool | None:
    if by_graph.hedge:
        return False
    if law is None or not by_graph.estimands:
        return None
    truth = notes.attempt(lambda: _interventional_law(model))
    if truth is None:
        return None
    occurs = rows(model, model.contexts).ravel() > 0
    is_known = ~np.isnan(law).any((1, 2, 3))
    error = abs(law.reshape(truth.shape) - truth)[occurs & is_known]
    if (error > ROUNDING).any():
        notes.append(
            "the formula is right in each step and not in all together, since steps differ and "
            "the time confounds them"
        )
        return None
    return not np.isnan(law[occurs]).any()


def _interventional_law(model: World) -> Floats:
    """P(outcomes | do(action), context) in the rows of the log, (C, A, outcomes).

    It is NaN where the context never occurs.
    """
    names = (*model.contexts, model.action, *outcomes(model))
    return conditional(by_context(model, rows(model, names, acted=True)))


def _adjusted_overlap(model: World, by_graph: Answer) -> float | None:
    if by_graph.sets == ((),):
        return None
    return max((overlap(model, *chosen) for chosen in by_graph.sets), default=None)


def _guaranteed_in_one_step(
    model: World, known: Floats, so_far: Certificate, notes: _Notes
) -> Certificate:
    """The certificate with bounds and guarantees, given the means that are identified (C, A)."""
    ranges = intervals(model, known)
    so_far = replace(so_far, intervals=ranges)
    if not ranges.payoffs:
        notes.append(
            "how often each context occurs is not in a selected log, so that nothing is "
            "guaranteed over all of them"
        )
        return so_far
    if not ranges.exact:
        notes.append("outer bounds: better guarantees and less regret may be possible")
    if ranges.width <= ROUNDING and not so_far.identified:
        notes.append("the graph alone does not tell the effect, and this log happens to tell it")
    return replace(
        so_far,
        maximin=notes.attempt(lambda: _promise(model, ranges.maximin())),
        minimax_regret=notes.attempt(lambda: _promise(model, ranges.minimax_regret())),
        confused_regret=notes.attempt(lambda: ranges.regret(model.confused_policy())),
    )


def _promise(model: World, guarantee: Ceiling) -> Promise:
    return Promise(guarantee.policy, guarantee.value, value(model, guarantee.policy))


def _guaranteed(model: World, known: Floats, so_far: Certificate, notes: _Notes) -> Certificate:
    """The certificate with bounds on the best plan of several steps."""
    if not is_steady(model):
        notes.append(
            "the past matters beside the context, or steps differ, so that bounds of single "
            "steps say nothing of an episode"
        )
        return so_far
    # All effects are identified: plan in the true process.
    true_process = do_process(model)
    if not np.isnan(known[true_process.visits > 0]).any():
        values, policy = true_process.plan(), model.causal_policy()
        most = float(true_process.start @ mean_value(greedy(values), values))
        promise = _promise(model, Ceiling(policy, value(model, policy)))
        return replace(so_far, maximin=promise, best=(most, most))
    # Else plan in the interval process of the log, for the worst and for the best case.
    process, limits = log_process(model), _reward_limits(model)
    ends = any(1 in model.tables.support(name) for name in model.names("terminal"))
    low = interval_values(process, False, limits, ends=ends)
    high = interval_values(process, True, limits, ends=ends)
    best = float(process.start @ low.max(1)), float(process.start @ high.max(1))
    policy = greedy(low)
    sure = interval_values(process, reward=limits, policy=policy, ends=ends)
    guarantee = float(process.start @ (policy * sure).sum(1))
    return replace(so_far, maximin=_promise(model, Ceiling(policy, guarantee)), best=best)


def _reward_limits(model: World) -> tuple[float, float] | None:
    """The range of the reward; None if the log shows its mean for every action unconfounded."""
    effect = replace(ActionEffect.of(model), y=(model.reward,))
    if () in effect.back_doors() and (log_process(model).visits > 0).all():
        return None
    reward = model.tables.support(model.reward)
    return float(reward[0]), float(reward[-1])
