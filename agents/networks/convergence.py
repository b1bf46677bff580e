"""Whether a training has visibly not converged, said in the note of its policy or its practice.

Each seed is judged alone, since its policy does not depend on which others are trained with it.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from gymnasium.spaces import Box

from dosuite.causal import Array
from dosuite.envs import Space

from ..policy import ContinuousPolicy, Policy
from .network_agent import NetworkAgent
from .training import DIVERGED, Learner, Minibatch, train

TENTH = 0.1  # of the updates or episodes
LEAST_NUMBER = 50  # of updates or episodes; with fewer, the noise of a tenth is not known
LEAST_ERRORS = 3.0  # of a difference between tenths, in standard errors
LARGE_FALL = 1 / 3  # share of the loss
LEAST_RISE = 0.1  # of the mean return of an episode, in standard deviations
LEAST_CHANGE = 0.01  # of the policy, as in `change`


def trained_policies(
    learner: Learner,
    batches: Iterable[Minibatch],
    updates: int,
    agent: NetworkAgent,
    observations: Sequence[Array],
    actions: Space,
    points: Sequence[int] = (),
) -> list[Policy | Exception]:
    """Train the networks of all seeds; the policy of each, or the error that stopped it.

    `observations` are some of the log of each seed, in which its policies are compared. A policy
    whose training has visibly not converged says so in its note: its loss was still falling
    (`last_fall`), and fell by more than a third, or the policy changed by more than 1 % in the
    second half of the updates (`change`). A slow fall alone is no sign, since a loss can fall
    without end while the best action is long clear; nor is a change alone, since of two equally
    good actions either may be the best from one update to the next.

    The policies after as many updates as each of the `points` says are kept as `earlier` ones.
    """
    seeds = range(len(observations))
    halfway = updates // 2
    kept: dict[int, list[Policy]] = {}

    def watched() -> Iterator[Minibatch]:
        for step, batch in enumerate(batches):
            if step == halfway or step in points:
                with np.errstate(all="ignore"):  # a seed may have diverged
                    kept[step] = [learner.policy(seed) for seed in seeds]
            yield batch

    training = train(learner, len(seeds), watched(), agent)
    policies: list[Policy | Exception] = []
    for seed, is_finite in enumerate(training.finite):
        if not is_finite:
            policies.append(FloatingPointError(DIVERGED))
            continue
        policy = learner.policy(seed)
        if points:
            policy.earlier = {step: kept[step][seed] for step in points if step in kept}
        fall = last_fall(training.losses[:, seed])
        if fall > 0:
            changed = change(kept[halfway][seed], policy, observations[seed], actions)
            if fall > LARGE_FALL or changed > LEAST_CHANGE:
                policy.note = _note(fall, changed, updates)
        policies.append(policy)
    return policies


def _note(fall: float, changed: float, updates: int) -> str:
    return (
        f"has not converged: the last tenth of {updates} updates lowered the loss by {fall:.0%}, "
        f"and the second half changed {changed:.0%} of the actions"
    )


def add_note(policy: Policy, note: str) -> None:
    """Put a note before the one that a policy has, if any."""
    policy.note = "; ".join(filter(None, (note, policy.note)))


def last_fall(losses: Array) -> float:
    """By what share the mean loss fell from the last but one tenth of the updates to the last.

    It is 0 unless the loss fell by more than 3 standard errors of the difference, which has the
    noise of both tenths. Losses are (updates,); of fewer than 50 nothing is said.
    """
    if len(losses) < LEAST_NUMBER:
        return 0.0
    before, last = _last_tenths(losses)
    fall = before.mean() - last.mean()
    noise = np.sqrt((before.var(ddof=1) + last.var(ddof=1)) / len(last))
    is_clear = fall > LEAST_ERRORS * noise
    return float(fall / abs(before.mean())) if is_clear else 0.0


def last_rise(returns: Array) -> float:
    """By how many standard deviations of an episode the mean return rose between the same tenths.

    `returns` (episodes,) are those of the episodes of a practice, in the order of their ends. The
    rise is 0 unless it is at least 0.1 and more than 3 standard errors; of fewer than 50 episodes
    nothing is said.
    """
    if len(returns) < LEAST_NUMBER:
        return 0.0
    before, last = _last_tenths(returns)
    rise, spread = last.mean() - before.mean(), float(np.std([before, last], ddof=1))
    is_clear = rise > max(LEAST_RISE, LEAST_ERRORS * np.sqrt(2 / len(last))) * spread
    return float(rise / spread) if is_clear else 0.0


def _last_tenths(values: Array) -> tuple[Array, Array]:
    size = int(TENTH * len(values))
    return values[-2 * size : -size], values[-size:]


def change(earlier: Policy, later: Policy, observations: Array, actions: Space) -> float:
    """The mean total variation distance between the action probabilities of two policies.

    The mean is over observations (n, ...). Of real-valued actions it is the mean distance, in
    widths of the bounds.
    """
    if isinstance(later, ContinuousPolicy):
        assert isinstance(actions, Box)
        distance = abs(_acts(earlier, observations) - _acts(later, observations))
        if distance.ndim > 1:  # several numbers
            return float((distance / (actions.high - actions.low)).mean())
        return float(distance.mean() / float(actions.high[0] - actions.low[0]))
    distances = abs(earlier.probabilities(observations) - later.probabilities(observations))
    return float(distances.sum(1).mean() / 2)


def _acts(policy: Policy, observations: Array) -> Array:
    return policy.act(observations, np.random.default_rng(0))
