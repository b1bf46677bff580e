"""Imitation under temporally correlated noise, with earlier observations as the instrument."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from dosuite.causal import Array, InputError
from dosuite.envs import Data, Space

from ..agent import OfflineAgent
from ..networks.features import features
from ..policy import ContinuousPolicy, Policy
from ..settings import check_actions, not_negative


@dataclass(frozen=True)
class LaggedIV(OfflineAgent):
    """Linear two-stage least squares of the action on the observation, with a lagged instrument.

    The instrument is the observation `lag` steps earlier. Noise of the expert that lasts for some
    steps is in its action and has moved its observation, so that the regression of one on the other
    is confounded; an observation from before the noise began is not affected. With features X of
    the observation and Z of the lagged one, the gain K solves Z'X K = Z'a. It is that of a linear
    expert if the noise lasts for at most `lag` further steps. In shorter episodes the lag is the
    largest possible; with lag 0 this is ordinary least squares.

    Source: Swamy, Choudhury, Bagnell and Wu (2022), Causal imitation learning under temporally
    correlated noise.
    """

    name: ClassVar[str] = "lagged-iv"
    learns: ClassVar[tuple[str, ...]] = ("observe",)
    acts_in_a_box: ClassVar[bool] = True
    counts_actions: ClassVar[bool] = False

    lag: int = 10  # steps

    def __post_init__(self) -> None:
        not_negative(self, "lag")

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        """The linear policy of the two-stage regression.

        Raises InputError if actions are discrete, or if no episode of the log is long enough.
        """
        check_actions(self, source.action_space)
        lag = min(self.lag, source.horizon - 1)
        # rows are sorted by episode and step, so the instrument of a row is `lag` rows above
        rows = np.flatnonzero(source["step"] >= lag)
        if len(rows) == 0:
            raise InputError(
                f"lagged-iv: no episode of the log is longer than {lag} steps; give a smaller lag"
            )
        space, observations = source.observation_space, source["observation"]
        regressors = _with_constant(space, observations[rows])
        instruments = _with_constant(space, observations[rows - lag])
        actions = source["action"][rows]
        # the normal equations of the second stage, in as many instruments as regressors
        gain = np.linalg.lstsq(instruments.T @ regressors, instruments.T @ actions, rcond=None)[0]
        note = f"the instrument is {lag} steps earlier"
        return LinearPolicy(space, source.action_space, gain, note)


class LinearPolicy(ContinuousPolicy):
    """Acts linearly in the features of the observation; the last entry of `gain` is a constant."""

    def __init__(self, space: Space, actions: Any, gain: Array, note: str = ""):
        self.space = space
        self.actions = actions
        self.gain = gain
        self.note = note

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The linear action, clipped to the bounds: (n,)."""
        actions = _with_constant(self.space, observations) @ self.gain
        return np.asarray(np.clip(actions, self.actions.low[0], self.actions.high[0]))


def _with_constant(space: Space, observations: Array) -> Array:
    numbers = features(space, observations).double().numpy()
    return np.column_stack([numbers, np.ones(len(observations))])
