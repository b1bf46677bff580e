"""A film strip: what two reference policies do in the same world, with the same noise."""

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dosuite.agents import Exact, Policy
from dosuite.agents.references import Causal, Confused
from dosuite.causal import World
from dosuite.envs import CausalEnv
from dosuite.envs.pictures.graph_drawing import caption
from dosuite.envs.pictures.scene import Pixels

from ..runs.rollout import rollout

STEPS, SEED = 4, 2
GAP = 6  # pixels between pictures


def film(model: World, world: World) -> Pixels:
    """Four steps in a world under the confused policy of a model, above four under its causal
    policy: pixels (height, width, 3).

    The steps are of several episodes if these are shorter. Raises NotDiscreteError or TooLargeError
    if the model has no exact policies.
    """
    strips = []
    for agent in (Confused(), Causal()):
        policy = agent.learn(Exact(model), np.random.default_rng(SEED))
        pictures, earned = _play(policy, world)
        strip = np.concatenate([_with_gap(picture) for picture in pictures], axis=1)
        title = f"The {agent.name} policy"
        text = f"it earns {earned:.4g} in these {STEPS} steps"
        strips += [caption(strip.shape[1], title, text), strip]
    return np.concatenate(strips)


def _with_gap(picture: Pixels) -> Pixels:
    return np.pad(picture, ((0, 0), (0, GAP), (0, 0)), constant_values=255)


def _play(policy: Policy, world: World) -> tuple[list[Pixels], float]:
    """The picture of each step, and the sum of the rewards."""
    envs = SyncVectorEnv(
        [lambda: CausalEnv(world, render_mode="rgb_array")], autoreset_mode=AutoresetMode.DISABLED
    )
    rng = np.random.default_rng(SEED)
    pictures: list[Pixels] = []
    earned = 0.0
    while len(pictures) < STEPS:
        seed = None if pictures else SEED
        player = policy.play(1, rng)
        for step in rollout(envs, player, seed):
            rendered: Any = envs.render()
            pictures.append(rendered[0])
            earned += step.reward[0]
            if len(pictures) == STEPS:
                break
    return pictures, earned
