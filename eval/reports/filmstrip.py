"""A strip of pictures: what two reference policies do in the same world, with the same noise."""

import numpy as np

from dosuite.agents import Exact, Policy
from dosuite.agents.references import Causal, Confused
from dosuite.causal import World
from dosuite.envs import CausalEnv
from dosuite.envs.pictures.graph_drawing import caption
from dosuite.envs.pictures.scene import Pixels

STEPS, SEED = 4, 2
GAP = 6  # pixels


def film(model: World, world: World) -> Pixels:
    """Four steps in a world under the confused policy of a model, and below under its causal
    policy: (height, width, 3).

    They are of several episodes if these are shorter. Raises NotDiscreteError or TooLargeError if
    the model has no exact policies."""
    rows = []
    for agent in (Confused(), Causal()):
        pictures, earned = _play(agent.learn(Exact(model), np.random.default_rng(SEED)), world)
        strip = np.concatenate(
            [
                np.pad(picture, ((0, 0), (0, GAP), (0, 0)), constant_values=255)
                for picture in pictures
            ],
            axis=1,
        )
        rows += [
            caption(
                strip.shape[1],
                f"The {agent.name} policy",
                f"it earns {earned:.4g} in these {STEPS} steps",
            ),
            strip,
        ]
    return np.concatenate(rows)


def _play(policy: Policy, world: World) -> tuple[list[Pixels], float]:
    """The picture of each step, and the sum of the rewards."""
    env, rng = CausalEnv(world, render_mode="rgb_array"), np.random.default_rng(SEED)
    observation, _ = env.reset(seed=SEED)
    pictures, earned = [], 0.0
    for _ in range(STEPS):
        action = policy.act(np.asarray(observation)[None], rng)[0]
        observation, reward, terminated, truncated, _ = env.step(action)
        picture = env.render()
        assert picture is not None
        pictures.append(picture)
        earned += reward
        if terminated or truncated:
            observation, _ = env.reset()
    return pictures, earned
