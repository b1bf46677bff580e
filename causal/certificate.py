"""The certificate of an environment: whether its log is confounded, what the log tells of its actions, and what it cannot tell."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np

from .asked import Answer, Question, answer, kernel
from .bounds import ROUNDING
from .ceilings import Ceiling, interval_values
from .confounding import by_context, conditional, mutual_information, overlap, rows, total_variation
from .errors import NotDiscreteError, TooLargeError
from .exact import causal_policy, confused_policy, do_process, is_steady, log_process, value
from .guarantee import Intervals, intervals
from .planning import Floats, greedy, mean_value
from .scm import SCM
from .tables import tables

T = TypeVar("T")


class Confounding(NamedTuple):
    """How far seeing is from doing, in the rows of the log."""

    mean: float  # total variation, averaged over the contexts as the log shows them, and in each over the actions that occur
    largest: float  # total variation, in the worst context and action
    information: float  # of the action on hidden variables of its step, given the context, in nats


class Promise(NamedTuple):
    """A policy (C, A) that is chosen from the log alone, what it is sure of, and what it earns in the model itself."""

    policy: Floats
    value: float
    earned: float


@dataclass(frozen=True, eq=False)
class Certificate:
    """What an endless log tells about its model, to who has the graph. None stands where there is no exact answer; `notes` say why.

    In a model of several steps `answer` is about one step given its context, and there are bounds only on the best plan.
    """

    answer: Answer
    identified: bool | None  # whether a formula gives the effect of every action, in every context that the log shows
    confounding: Confounding | None
    overlap: float | None  # the least P(action | context)
    adjusted_overlap: float | None  # the same given the variables that must be adjusted for, too; None if nothing must be
    intervals: Intervals | None  # of a model of one step
    maximin: Promise | None  # the value is a guarantee
    minimax_regret: Promise | None  # the value is a regret
    confused_regret: float | None
    best: tuple[float, float] | None  # bounds on what the best plan earns, in a model of several steps; it may change with the step
    notes: tuple[str, ...]


def certificate(model: SCM) -> Certificate:
    """The certificate of a model; its numbers are exact.

    Source: for the guarantees Manski (1990), Balke and Pearl (1997), and Givan, Leach and Dean (2000).
    """
    notes = _Notes()
    told = answer(model)
    known = notes.attempt(lambda: _known(model, told))
    whole = Certificate(
        answer=told,
        identified=_identified(model, told, known, notes),
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
    if known is not None:
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


def _confounding(model: SCM) -> Confounding:
    distance = total_variation(model)
    share = rows(model, model.contexts).ravel()
    mean = np.nanmean(distance[share > 0], axis=1) @ share[share > 0]
    return Confounding(float(mean), float(np.nanmax(distance)), mutual_information(model))


def _known(model: SCM, told: Answer) -> Floats:
    """E[reward | do(action), context] as far as a formula gives it, else nan: (C, A)."""
    sizes = [len(tables(model).support(name)) for name in (*model.contexts, model.action)]
    known = np.full((int(np.prod(sizes[:-1])), sizes[-1]), np.nan)
    for estimand in told.estimands:
        if np.isnan(known).any():
            means = kernel(model, estimand).sum(3) @ tables(model).support(model.reward)
            known = np.where(np.isnan(known), means, known)
    return known


def _identified(model: SCM, told: Answer, known: Floats | None, notes: _Notes) -> bool | None:
    if told.hedge:
        return False
    if known is None or not told.estimands:
        return None
    seen = rows(model, model.contexts).ravel() > 0
    if (abs(known - _done(model))[seen & ~np.isnan(known).any(1)] > ROUNDING).any():
        notes.append("the formula is right in each step and not in all together, since steps differ and the time confounds them")
        return None
    return not np.isnan(known[seen]).any()


def _done(model: SCM) -> Floats:
    """E[reward | do(action), context] in the rows of the log, (C, A); nan where the context never is."""
    law = by_context(model, rows(model, (*model.contexts, model.action, model.reward), acted=True))
    return np.asarray(conditional(law) @ tables(model).support(model.reward))


def _adjusted_overlap(model: SCM, told: Answer) -> float | None:
    sets = [chosen for chosen in told.sets if told.sets != ((),)]
    return max((overlap(model, *chosen) for chosen in sets), default=None)


def _guaranteed_in_one_step(model: SCM, known: Floats, bare: Certificate, notes: _Notes) -> Certificate:
    found = intervals(model, known)
    bare = replace(bare, intervals=found)
    if not found.payoffs:
        notes.append("how often each context occurs is not in a selected log, so that nothing is guaranteed over all of them")
        return bare
    if not found.exact:
        notes.append("outer bounds: better guarantees and less regret may be possible")
    if found.width <= ROUNDING and not bare.identified:
        notes.append("the graph alone does not tell the effect, and this log happens to tell it")
    return replace(
        bare,
        maximin=notes.attempt(lambda: _promise(model, found.maximin())),
        minimax_regret=notes.attempt(lambda: _promise(model, found.minimax_regret())),
        confused_regret=notes.attempt(lambda: found.regret(confused_policy(model))),
    )


def _promise(model: SCM, ceiling: Ceiling) -> Promise:
    return Promise(ceiling.policy, ceiling.value, value(model, ceiling.policy))


def _guaranteed(model: SCM, known: Floats, bare: Certificate, notes: _Notes) -> Certificate:
    if not is_steady(model):
        notes.append("the past matters beside the context, or steps differ, so that bounds of single steps say nothing of an episode")
        return bare
    if not np.isnan(known[do_process(model).visits > 0]).any():
        values, policy = do_process(model).plan(), causal_policy(model)
        most = float(do_process(model).start @ mean_value(greedy(values), values))
        return replace(bare, maximin=_promise(model, Ceiling(policy, value(model, policy))), best=(most, most))
    process, limits = log_process(model), _reward_limits(model)
    ends = any(1 in tables(model).support(name) for name in model.names("terminal"))
    low, high = (interval_values(process, best, limits, ends=ends) for best in (False, True))
    policy = greedy(low)
    sure = float(process.start @ (policy * interval_values(process, reward=limits, policy=policy, ends=ends)).sum(1))
    best = float(process.start @ low.max(1)), float(process.start @ high.max(1))
    return replace(bare, maximin=_promise(model, Ceiling(policy, sure)), best=best)


def _reward_limits(model: SCM) -> tuple[float, float] | None:
    """The range of the reward, or None if the log shows its mean after every action, and this is what the action does."""
    asked = replace(Question.of(model), y=(model.reward,))
    if () in asked.back_doors() and (log_process(model).visits > 0).all():
        return None
    reward = tables(model).support(model.reward)
    return float(reward[0]), float(reward[-1])
