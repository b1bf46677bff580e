"""Three-valued checks of numbers over seeds, and the verdicts that follow from them."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from dosuite.causal import Array

from ..scores.bootstrap import Interval, interval

LEAST_SEEDS = 3  # fewer have no interval that could decide anything
SHOWN = 3  # clauses of a criterion in the reason of a verdict
NEGLIGIBLE_SHARE = 0.05  # of a gap: "equivalent to 0" is an upper 95 % end below it


class Word(StrEnum):
    """What a study says of its hypothesis."""

    SUPPORTS = "supports"
    AGAINST = "against"
    NO_VERDICT = "no verdict"


class Check(NamedTuple):
    """One clause of a criterion: whether it holds, None if the seeds leave it open."""

    holds: bool | None
    text: str  # the clause with its numbers


class Finding(NamedTuple):
    """The verdict on one case of a study, such as a world, and its reason."""

    case: str
    word: Word
    reason: str

    def __str__(self) -> str:
        return f"{self.case}: {self.word}. {self.reason}"


def finding(case: str, controls: Sequence[Check], claims: Sequence[Check]) -> Finding:
    """The verdict of one case.

    Without a control that holds, nothing is said of the claims: the learner is untrained. A claim
    that fails speaks against the hypothesis; one that is open leaves no verdict.
    """
    for control in controls:
        if control.holds is False:
            return Finding(
                case, Word.NO_VERDICT, f"Learner untrained: it fails that {control.text}."
            )
        if control.holds is None:
            reason = f"Learner untrained, or too few seeds to say that {control.text}."
            return Finding(case, Word.NO_VERDICT, reason)
    for claim in claims:
        if claim.holds is False:
            return Finding(case, Word.AGAINST, f"It fails that {claim.text}.")
    for claim in claims:
        if claim.holds is None:
            return Finding(case, Word.NO_VERDICT, f"The seeds leave it open whether {claim.text}.")
    shown = "; ".join(claim.text for claim in claims[:SHOWN])
    more = f"; and {len(claims) - SHOWN} more clauses hold" if len(claims) > SHOWN else ""
    return Finding(case, Word.SUPPORTS, f"{shown}{more}.")


def overall(findings: Sequence[Finding]) -> Finding:
    """The verdict of a study: against if any case is, supports if all do, else none."""
    for word in (Word.AGAINST, Word.NO_VERDICT):
        cases = [each.case for each in findings if each.word is word]
        if cases:
            return Finding("all cases", word, f"So say {len(cases)} of {len(findings)}.")
    if not findings:
        return Finding("all cases", Word.NO_VERDICT, "There are no results.")
    return Finding("all cases", Word.SUPPORTS, f"So say all {len(findings)}.")


def below(name: str, values: Array, bound: float) -> Check:
    """Whether the mean over seeds (seeds,) is below a bound, by its 95 % interval."""
    return compared(name, seed_interval(values), bound, is_below=True)


def within(name: str, values: Array, low: float, high: float) -> Check:
    """Whether the mean over seeds lies between two numbers: its 95 % interval inside or outside."""
    middle, lower, upper = seed_interval(values)
    holds = None
    if low <= lower and upper <= high:
        holds = True
    elif upper < low or lower > high:
        holds = False
    return Check(holds, f"{name} is in [{low:.3g}, {high:.3g}]: {_text(middle, lower, upper)}")


def compared(name: str, measured: Interval, bound: float, is_below: bool) -> Check:
    """Whether a number with its 95 % interval is below a bound, or above it."""
    middle, low, high = measured
    holds = None
    if high < bound:
        holds = is_below
    elif low > bound:
        holds = not is_below
    side = "below" if is_below else "above"
    return Check(holds, f"{name} is {side} {bound:.3g}: {_text(middle, low, high)}")


def seed_interval(values: Array) -> Interval:
    """The interquartile mean over seeds and its bootstrap interval; all reals for too few seeds."""
    known = values[~np.isnan(values)]
    if len(known) < max(LEAST_SEEDS, len(values)):  # a seed without a number decides nothing either
        middle = float(known.mean()) if len(known) else np.nan
        return middle, -np.inf, np.inf
    return interval(known)


def counted(number: int, noun: str) -> str:
    """A number of things: "1 world", "4 worlds"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _text(middle: float, low: float, high: float) -> str:
    ends = f"[{low:.3g}, {high:.3g}]"
    return ends if np.isnan(middle) else f"{middle:.3g} {ends}"
