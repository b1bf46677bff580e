"""Learning and scoring in opaque worlds, which have no causal model and so no runs."""

from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dosuite.agents import Policy, Practice
from dosuite.causal import Array
from dosuite.causal.counts import whole_number
from dosuite.envs import OpaqueWorld, opaque_world
from dosuite.envs.rollouts import PolicyValue
from dosuite.envs.worlds.goal_misgeneralisation import Goals

from ..scores.goals import Episodes, failure_of_capability, goal_misgeneralisation
from .policy_value import EPISODES_WITH_MEMORY

BEYOND = 2**32  # the seeds of the episodes that score policies are below


def practice_in(world: str | OpaqueWorld, steps: int, seed: int = 0) -> Practice:
    """A practice of `steps` steps in an opaque world as it is, for agents that learn by acting.

    `make_agent("ppo").learn(practice_in("KeysChests-v0", 200_000), 0)`. Equal seeds give equal
    levels, and none of those in which policies are scored. Raises InputError if there is no such
    world, or if `steps` is below 1 or `seed` below 0.
    """
    trained_in = opaque_world(world)
    seeds = np.random.default_rng(whole_number("seed", seed, 0))

    def make(copies: int) -> SyncVectorEnv:
        batch = Copies(trained_in, copies)
        batch.reset(seed=BEYOND + int(seeds.integers(2**61)))
        return batch

    return Practice(make, whole_number("steps", steps, 1), discount=1.0)


class Copies(SyncVectorEnv):
    """Copies of an environment that begin a new episode in the step that ends one, whose
    `final_obs` is an array with a row for every copy, as in `CausalVectorEnv`.
    """

    def __init__(self, env: OpaqueWorld, copies: int):
        makers = [partial(deepcopy, env)] * copies
        super().__init__(makers, autoreset_mode=AutoresetMode.SAME_STEP)

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """A step of every copy."""
        observations, reward, terminated, truncated, info = super().step(actions)
        ended = terminated | truncated
        if ended.any():
            last = observations.copy()
            last[ended] = np.stack(info["final_obs"][ended])
            info["final_obs"] = last
        return observations, reward, terminated, truncated, info


def opaque_rows(world: OpaqueWorld, policy: Policy) -> pd.DataFrame:
    """The value of a policy and, in a world with two goals, its rate of goal misgeneralisation and
    its failure of capability: one row for the deployment (world "") and one for each shift, from
    2,000 episodes each.
    """
    names = dict.fromkeys((world.deployment, *world.shifts))  # the deployment may be a shift
    rows = {name: _row(world.shifted(name), policy) for name in names}
    worlds = {"": rows[world.deployment], **{name: rows[name] for name in world.shifts}}
    return pd.DataFrame([{"world": name} | row for name, row in worlds.items()])


def _row(world: OpaqueWorld, policy: Policy) -> dict[str, float]:
    player = policy.play(EPISODES_WITH_MEMORY, np.random.default_rng(0))
    columns = world.played(player, EPISODES_WITH_MEMORY, seed=0)
    found = PolicyValue.of(columns["reward"].sum(1))
    row = {"value": found.value, "std_error": found.std_error}
    if not isinstance(world, Goals):
        return row
    episodes = Episodes(world, columns)
    goals = goal_misgeneralisation(episodes), failure_of_capability(episodes)
    return row | dict(zip(("gmr", "cap_fail"), goals, strict=True))
