"""Scoring a policy of your own, from wherever it comes, in a world and all its shifts."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from gymnasium.spaces import Box

from confoundry.agents import ContinuousPolicy, Policy, TabularPolicy
from confoundry.causal import SCM, Array, InputError
from confoundry.envs import all_observations, choices, make_model
from confoundry.envs.spaces import action_space, as_numbers

from . import metrics
from .run import scored

COLUMNS = ["world", "value", "std_error", "j_confused", "j_causal", "j_best", "j_uniform", "causal_score", "chance_score", "regret"]


def score(world: str | SCM, policy: Policy | Array | Callable[[Array], Array]) -> pd.DataFrame:
    """Score a policy in a world and its shifts: a row for the deployment (world "") and one for each shift.

    The policy is a table of probabilities (contexts, actions), a `Policy`, or a function from observations (n, ...) to
    actions (n,), which are numbers in a Box. Of a model that observes the intent, so does the policy. Raises InputError if
    the policy does not fit.
    """
    seen = make_model(world) if isinstance(world, str) else world
    rows = pd.DataFrame(scored(seen.without_intent(), seen, _as_policy(seen, policy)))
    for name in ("causal_score", "chance_score", "regret"):
        rows[name] = getattr(metrics, name)(rows)
    return rows[COLUMNS]


class ActionPolicy(Policy):
    """A function from observations to actions."""

    def __init__(self, choose: Callable[[Array], Array], actions: int):
        self.choose, self.actions = choose, actions

    def probabilities(self, observations: Array) -> Array:
        """1 for the action that the function chooses. Raises InputError if it does not choose one for each observation."""
        chosen = np.asarray(self.choose(observations))
        if chosen.shape != (len(observations),) or not np.isin(chosen, np.arange(self.actions)).all():
            raise InputError(f"a policy gives {len(observations)} actions from 0 to {self.actions - 1} here, and gave {chosen!r}")
        return np.eye(self.actions)[chosen.astype(np.int64)]


class NumberPolicy(ContinuousPolicy):
    """A function from observations to actions that are numbers."""

    def __init__(self, choose: Callable[[Array], Array], actions: Box):
        self.choose, self.actions = choose, actions

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """What the function chooses. Raises InputError if that is not a number of the space for each observation."""
        chosen = as_numbers(self.actions, self.choose(observations), (len(observations),))
        if chosen is None:
            raise InputError(f"a policy gives {len(observations)} actions in {self.actions} here, and gave others")
        return chosen


def _as_policy(model: SCM, policy: Policy | Array | Callable[[Array], Array]) -> Policy:
    if isinstance(policy, Policy):
        return policy
    actions = action_space(model)
    if callable(policy):
        return NumberPolicy(policy, actions) if isinstance(actions, Box) else ActionPolicy(policy, choices(actions))
    return TabularPolicy(np.asarray(policy, dtype=float), all_observations(model))
