"""Imitation where the expert's noise lasts:

what was seen some steps earlier is an instrument for what is seen now.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from dosuite.causal import Array, InputError
from dosuite.envs import Data, Space

from ..agent import Agent, ContinuousPolicy, Policy
from ..networks.features import features
from ..settings import check_actions


@dataclass(frozen=True)
class LaggedIV(Agent):
    """Linear two-stage least squares of the action on the observation, with the observation `lag`
    steps earlier as the instrument.

    Noise of the expert that lasts for some steps is in his action and has moved what he sees; what
    he saw before it began it has not moved. So it is the gain of a linear expert if the noise lasts
    for `lag` steps or less after its own. Where episodes are shorter, the lag is as long as they
    let it be; without any it is the plain regression.

    Source: Swamy, Choudhury, Bagnell and Wu (2022), Causal imitation learning under temporally
    correlated noise."""

    name: ClassVar[str] = "lagged-iv"
    learns: ClassVar[tuple[str, ...]] = ("observe",)
    acts_in_a_box: ClassVar[bool] = True
    counts_actions: ClassVar[bool] = False

    lag: int = 10  # steps

    def __post_init__(self) -> None:
        if self.lag < 0:
            raise InputError(f"lagged-iv: lag must be at least 0, and is {self.lag}")

    def learn(self, source: Data, rng: np.random.Generator) -> Policy:
        """Regress.

        Raises InputError if actions can be counted, or if no episode of the log is long enough.
        """
        check_actions(self, source.action_space)
        lag = min(self.lag, source.horizon - 1)
        later = np.flatnonzero(source["step"] >= lag)  # rows are sorted by episode and step
        if len(later) == 0:
            raise InputError(
                f"lagged-iv: no episode of the log is longer than {lag} steps; give a smaller lag"
            )
        seen, before = (
            _with_constant(source.observation_space, source["observation"][rows])
            for rows in (later, later - lag)
        )
        gain = np.linalg.lstsq(before.T @ seen, before.T @ source["action"][later], rcond=None)[0]
        return LinearPolicy(
            source.observation_space,
            source.action_space,
            gain,
            f"the instrument is {lag} steps earlier",
        )


class LinearPolicy(ContinuousPolicy):
    """Does what is linear in the features of the observation:

    a gain on each, and last a constant.
    """

    def __init__(self, space: Space, actions: Any, gain: Array, note: str = ""):
        self.space, self.actions, self.gain, self.note = space, actions, gain, note

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The linear action, or the bound that it passes: (n,)."""
        wanted = _with_constant(self.space, observations) @ self.gain
        return np.asarray(np.clip(wanted, self.actions.low[0], self.actions.high[0]))


def _with_constant(space: Space, observations: Array) -> Array:
    return np.column_stack(
        [features(space, observations).double().numpy(), np.ones(len(observations))]
    )
