"""The held-out track: saved policies in worlds that are drawn by a secret seed.

Each world declares the ranges that they are drawn from (`World.held_out`). Whoever runs the track
publishes the hash of the seed first (`commitment`), and the seed after the last submission: then
everyone can draw the same worlds and compute the same numbers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from dosuite.agents import Policy
from dosuite.causal import (
    Bernoulli,
    Categorical,
    Distribution,
    InputError,
    NotDiscreteError,
    TooLargeError,
    World,
    distribution,
)
from dosuite.envs import make_model, observation_space
from dosuite.envs.plugins import names_file
from dosuite.envs.regimes import Regime
from dosuite.envs.spaces import action_space

from ..runs.policy_value import policy_value
from ..runs.reference_values import references
from ..scores import metrics
from ..submissions.archive import unpack
from ..submissions.findings import MISFITS
from ..submissions.manifest import Entry, name_of
from .policies import loaded_policy

SALT = "dosuite held-out worlds"  # before the seed, so that its hash is in no table of hashes
LEAST = 16  # characters of a seed whose hash is published: shorter ones can be guessed
WORLDS = 5  # that are drawn of each environment
NO_GAP = "no policy is better there than the confused one"


@dataclass(frozen=True)
class HeldOutWorld:
    """A world that was drawn, and the values that it was drawn with."""

    world: World
    values: Mapping[str, float]  # by the names in `World.held_out`

    @property
    def text(self) -> str:
        """The values, as a table shows them."""
        return ", ".join(f"{name}={value:.4f}" for name, value in self.values.items())


def commitment(seed: str) -> str:
    """The hash to publish before the seed. Raises InputError if the seed is easily guessed."""
    if len(seed) < LEAST:
        raise InputError(
            f"a secret seed of {len(seed)} characters is found by trying all; take at least "
            f"{LEAST}, at random"
        )
    return _hash(seed).hex()


def held_out_worlds(environment: str, seed: str, count: int = WORLDS) -> list[HeldOutWorld]:
    """The worlds that a seed draws of an environment; none if it declares no ranges.

    Raises InputError if a range is of nothing that can be drawn, or a drawn world is not valid or
    has other spaces.
    """
    model = make_model(environment)
    ranges = sorted(model.held_out.items())
    if not ranges:
        return []
    rng = np.random.default_rng(int.from_bytes(_hash(f"{seed}\n{environment}")))
    drawn = []
    for _ in range(count):
        values = {name: float(rng.uniform(*ends)) for name, ends in ranges}
        drawn.append(HeldOutWorld(drawn_world(model, values), values))
    return drawn


def held_out_rows(entry: Entry, policy: Policy, seed: str) -> list[dict[str, Any]]:
    """The scores of a policy in the worlds that a seed draws of its environment.

    The columns are those of results and `drawn`, `gap`, `regret` and `excess`. `gap` is J_best less
    J_confused: where it is not positive, as `note` says, the world does not tell causes from
    correlations.
    """
    model = make_model(entry.environment)
    rows = []
    for drawn in held_out_worlds(entry.environment, seed):
        shown = drawn.world
        if entry.regime == Regime.COUNTERFACTUAL:
            shown = shown.with_intent()
        row: dict[str, Any] = {"environment": entry.environment, "agent": entry.agent}
        row |= {"regime": entry.regime, "seed": entry.seed, "drawn": drawn.text}
        row |= policy_value(shown, policy)._asdict() | references(model, drawn.world)
        row["gap"] = row["j_best"] - row["j_confused"]
        row["note"] = "" if row["gap"] > metrics.NEGLIGIBLE else NO_GAP
        rows.append(row)
    return rows


def held_out_table(path: Path, seed: str, accepted: frozenset[str]) -> pd.DataFrame:
    """The rows of the saved policies of a submission, those of the runs `accepted` by `check`."""
    rows: list[dict[str, Any]] = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        manifest, _ = unpack(path, folder)
        for key, entry in manifest.runs.items():
            if key not in accepted or entry.variant or names_file(name_of(entry.environment)):
                continue
            policy = loaded_policy(folder, key)
            if policy is None:
                continue
            try:
                rows += held_out_rows(entry, policy, seed)
            except MISFITS as error:
                raise InputError(f"{entry} in held-out worlds: {error}") from error
    frame = pd.DataFrame(rows)
    if frame.empty:
        return frame
    return frame.assign(regret=metrics.regret(frame), excess=metrics.excess_regret(frame))


def summaries(table: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """A line for each agent and environment: the interquartile means of the value, the regret and
    the excess over the causal policy of the deployment, with intervals over the training seeds.
    """
    worlds = table["drawn"]
    for (environment, agent, regime), group in table.groupby(["environment", "agent", "regime"]):
        strata = worlds.loc[group.index].to_numpy()
        texts = []
        for name in ("value", "regret", "excess"):
            middle, low, high = metrics.interval(group[name].to_numpy(float), strata)
            texts.append("-" if np.isnan(middle) else f"{middle:z.3f} [{low:z.3f}, {high:z.3f}]")
        confused = int((group.groupby("drawn")["gap"].min() > metrics.NEGLIGIBLE).sum())
        where = f"{confused} of {group['drawn'].nunique()}"
        yield str(environment), f"{agent}@{regime}", *texts, where


def drawn_world(model: World, values: Mapping[str, float]) -> World:
    """The deployment of a model with other values of knobs and laws.

    Raises InputError if there is no such knob or variable, or if the world has other spaces.
    """
    base = model.deployed()
    knobs = {field.name for field in fields(base)}
    settings: dict[str, Any] = {name: value for name, value in values.items() if name in knobs}
    world: World = replace(base, **settings)
    laws = {name: _law(base, name, value) for name, value in values.items() if name not in knobs}
    if laws:
        world = world.do(**laws)
    spaces = [(observation_space(each), action_space(each)) for each in (base, world)]
    if spaces[0] != spaces[1]:
        raise InputError(f"{type(model).__name__}.held_out changes its spaces")
    return world


def _law(model: World, name: str, last: float) -> Distribution:
    """The law of a variable without causes in which its last value has the probability `last`."""
    if name not in model.variables or model.variables[name].later.causes:
        raise InputError(
            f"{type(model).__name__}.held_out names {name}, which is neither a knob nor a variable "
            "without causes"
        )
    try:
        weights = distribution(model, name)
        support = model.tables.support(name)
    except (NotDiscreteError, TooLargeError) as error:
        raise InputError(f"{type(model).__name__}.held_out: {error}") from error
    if not np.array_equal(support, np.arange(len(support))) or len(support) < 2:
        raise InputError(f"the values of {name} are not 0, 1, ..., so that its law is not drawn")
    if len(support) == 2:
        return Bernoulli(last)
    others = weights[:-1] / weights[:-1].sum()
    return Categorical(np.append(others * (1.0 - last), last))


def _hash(text: str) -> bytes:
    return sha256(f"{SALT}\n{text}".encode()).digest()
