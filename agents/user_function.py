"""A function that a user brings as a policy: asked in batches, or for one observation at a time."""

from collections.abc import Callable
from traceback import extract_tb
from typing import Any

import numpy as np

from dosuite.causal import Array, InputError
from dosuite.causal.arrays import as_array

# returns the answers as an array of `count` actions, or None if they are not valid actions
Check = Callable[[Array, int], Array | None]


class UserFunction:
    """A function from observations to actions, which need not be vectorised or deterministic.

    `check` turns what the function returns into actions, `wanted` names them in messages, and
    answers that differ by at most `tolerance` count as equal.
    """

    def __init__(
        self, choose: Callable[[Any], Any], check: Check, wanted: str, tolerance: float = 0.0
    ):
        self.choose = choose
        self.check = check
        self.wanted = wanted
        self.tolerance = tolerance
        self.is_random = False
        self._draws_apart = False  # whether a random function draws independently in a batch
        self._takes_one = False  # whether it takes one observation, and not a batch

    def steady(self, observations: Array, copies: int = 1, alone: int = 32) -> Array | None:
        """The action for each observation, (n,); None if the function is random.

        It is asked twice for `copies` of every observation in one batch, and `alone` times for a
        batch of one observation. Raises InputError if the answer for an observation depends on
        the rest of the batch.
        """
        if self.is_random or len(observations) == 0:
            return None if self.is_random else self.batch(observations)
        self.batch(observations)  # so that a refusal names this number of observations
        count = len(observations)
        places = np.resize(np.arange(count), alone)
        if count > alone:
            places = np.linspace(0, count - 1, alone).astype(np.int64)
        repeated = np.repeat(observations, copies, axis=0)
        first, second = self.batch(repeated), self.batch(repeated)
        answers = first[::copies]
        lone = self.singly(observations[places])
        repeats = self._equal(first, second)
        if (
            repeats
            and self._equal(first, np.repeat(answers, copies))
            and self._equal(lone, answers[places])
        ):
            return answers
        if repeats and self._equal(lone, self.singly(observations[places])):
            raise InputError(
                "a policy chooses for each observation by itself, and this function's action for "
                "one depends on the others in the batch or on its place there"
            )
        self.is_random = True
        self._draws_apart = self._is_independent(observations[places[:16]])
        return None

    def drawn(self, observations: Array) -> Array:
        """One draw of a random function for each observation, (n,), independent of the others."""
        return self.batch(observations) if self._draws_apart else self.singly(observations)

    def _is_independent(self, observations: Array, copies: int = 64, calls: int = 64) -> bool:
        """Whether the draws of one call are independent of each other, by their variance.

        The variance of the sum of a call is then the sum of the variances; its estimate from 64
        calls is within a factor of 2 but for a probability below 1e-4.
        """
        repeated = np.repeat(observations, copies, axis=0)
        draws = np.stack([self.batch(repeated) for _ in range(calls)]).astype(float)
        expected = draws.var(axis=0, ddof=1).sum()
        return bool(expected / 2 < draws.sum(axis=1).var(ddof=1) < 2 * expected)

    def batch(self, observations: Array) -> Array:
        """The answers to a batch, (n,), in one call if the function takes batches.

        Raises InputError if they are not one valid action for each observation.
        """
        if self._takes_one:
            return self._one_by_one(observations)
        failure: BaseException | None = None
        given: Any = None
        try:
            given = self._call(observations.copy())
        except (Exception, SystemExit) as error:  # the function is the user's
            failure = error
        actions = None if failure else self._checked(given, len(observations))
        if actions is not None:
            return actions
        is_scalar = np.isscalar(given) or getattr(given, "ndim", None) == 0
        if failure is not None or is_scalar:
            self._takes_one = True
            try:
                return self._one_by_one(observations)
            except InputError:
                self._takes_one = False  # and the batch's failure is the one to report
        if failure is not None:
            raise InputError(self._told(failure, len(observations))) from failure
        raise self._refusal(given, len(observations))

    def singly(self, observations: Array) -> Array:
        """The answers to batches of one observation each, (n,)."""
        if self._takes_one:
            return self._one_by_one(observations)
        return np.array([self.batch(observations[i : i + 1])[0] for i in range(len(observations))])

    def _one_by_one(self, observations: Array) -> Array:
        """The answers of a function that takes one observation."""
        answers = []
        for observation in observations:
            try:
                given = self._call(np.copy(observation)[()])
            except (Exception, SystemExit) as error:  # the function is the user's
                raise InputError(self._told(error, 1)) from error
            is_scalar = np.isscalar(given) or getattr(given, "ndim", None) == 0
            answers.append(given if is_scalar else self._only(given))
        actions = self._checked(answers, len(answers))  # faster than one at a time
        return np.array([self._only([one]) for one in answers]) if actions is None else actions

    def _only(self, given: Any) -> Any:
        """The action in an answer that holds one. Raises InputError if it is not valid."""
        action = self._checked(given, 1)
        if action is None:
            raise self._refusal(given, 1)
        return action[0]

    def _call(self, observations: Any) -> Any:
        return _first(self.choose(observations))

    def _checked(self, given: Any, count: int) -> Array | None:
        try:
            return self.check(as_array(given, "an action"), count)
        except (TypeError, ValueError, RuntimeError):  # ragged, or not to be compared
            return None

    def _equal(self, left: Array, right: Array) -> bool:
        return bool((np.abs(left.astype(float) - right.astype(float)) <= self.tolerance).all())

    def _refusal(self, given: Any, count: int) -> InputError:
        shown = " ".join(repr(given).split())
        shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
        return InputError(f"a policy gives {count} actions {self.wanted} here, and gave {shown}")

    def _told(self, error: BaseException, count: int) -> str:
        """One line on an exception of the user's function, with the line that raised it."""
        frame = extract_tb(error.__traceback__)[-1]
        words = " ".join(str(error).split())
        return (
            f"the policy's function raised {type(error).__name__} for {count} observation"
            f"{'' if count == 1 else 's'}: {words} ({frame.filename}, line {frame.lineno})"
        )


def _first(given: Any) -> Any:
    """The actions in what `predict` of Stable-Baselines3 returns, actions and a state of None, or
    in a tensor that needs gradients."""
    if isinstance(given, tuple) and len(given) == 2 and given[1] is None:
        given = given[0]
    return given.detach() if hasattr(given, "detach") else given
