"""How far the kept policies of several seeds disagree, on contexts of the log and of shifts."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dosuite.agents import Policy
from dosuite.causal import InputError, NotDiscreteError, TooLargeError, World
from dosuite.causal.exact import log_process
from dosuite.envs import make_model, shown_contexts
from dosuite.envs.plugins import names_file
from dosuite.envs.regimes import Regime

from ..scores.path_dependence import functional_disagreement
from .kept_policies import kept_policy
from .scored_rows import where_of


class Disagreement(NamedTuple):
    """FD on the contexts that the log shows, and its mean over the shifts; NaN where unknown."""

    in_distribution: float
    shifted: float


UNKNOWN = Disagreement(np.nan, np.nan)


def kept_disagreement(runs: pd.DataFrame, folder: Path) -> Disagreement:
    """The disagreement of the policies that were kept of runs that differ in their seeds only.

    Unknown if one is gone, if one remembers its episode, if contexts cannot be counted, or if the
    world is in a user's file, which is not opened for a report.
    """
    row = runs.iloc[0]
    if names_file(row["environment"]):
        return UNKNOWN
    policies = []
    for key in runs["run"]:
        try:
            policy = kept_policy(folder, key)
        except InputError:  # its file is damaged
            return UNKNOWN
        if policy is None:
            return UNKNOWN
        policies.append(policy)
    model = make_model(where_of(row))
    shown = model.with_intent() if row["regime"] == Regime.COUNTERFACTUAL else model
    return disagreement(shown, policies)


def disagreement(model: World, policies: Sequence[Policy]) -> Disagreement:
    """The disagreement of policies on the contexts of a world's log, and of the logs of its shifts.

    Unknown if one remembers its episode, or if contexts cannot be counted.
    """
    if model.horizon > 1 and any(policy.remembers for policy in policies):
        return UNKNOWN
    try:
        seen = shown_contexts(model)
        count = seen.shape[1]  # of all that a context can look like, equally likely
        observations = seen.reshape(-1, *seen.shape[2:])
        tables = np.stack([each.probabilities(observations) for each in policies])
        worlds = [model, *(model.shifted(name) for name in model.shifts())]
        here, *shifted = (
            functional_disagreement(tables, np.repeat(log_process(world).visits.sum(1), count))
            for world in worlds
        )
    except (NotDiscreteError, TooLargeError):
        return UNKNOWN
    return Disagreement(here, float(np.mean(shifted)) if shifted else np.nan)
