"""Film strips: what two reference policies do in the same world, with the same noise."""

import io
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from PIL import Image

from dosuite.agents import Exact, Policy
from dosuite.agents.references import Causal, Confused
from dosuite.causal import World
from dosuite.envs import CausalEnv
from dosuite.envs.pictures.graph_drawing import caption
from dosuite.envs.pictures.scene import Pixels

from ..runs.rollout import rollout

STEPS, SEED = 4, 2
GAP = 6  # pixels between pictures
MOVING = 8  # steps of a moving strip
PAUSE = 900  # milliseconds that a moving strip shows a step
COLOURS = 64  # of a moving strip


class _Play(NamedTuple):
    """What a policy does in the first steps."""

    title: str
    pictures: list[Pixels]  # of the steps
    rewards: list[float]


def film(model: World, world: World) -> Pixels:
    """Four steps in a world under the confused policy of a model, above four under its causal
    policy: pixels (height, width, 3).

    The steps are of several episodes if these are shorter. Raises NotDiscreteError or TooLargeError
    if the model has no exact policies.
    """
    strips = []
    for play in _plays(model, world, STEPS):
        strip = np.concatenate([_with_gap(picture) for picture in play.pictures], axis=1)
        text = f"it earns {sum(play.rewards):.4g} in these {STEPS} steps"
        strips += [caption(strip.shape[1], play.title, text), strip]
    return np.concatenate(strips)


def moving_film(model: World, world: World) -> bytes:
    """The steps that `film` shows, and those that follow, as an animated GIF: MOVING in all.

    The confused policy is above the causal one. Raises what `film` raises.
    """
    columns = []
    for play in _plays(model, world, MOVING):
        width = play.pictures[0].shape[1]
        texts = [f"earned so far: {earned:.4g}" for earned in accumulate(play.rewards)]
        captions = [caption(width, play.title, text) for text in texts]
        columns.append([np.concatenate(pair) for pair in zip(captions, play.pictures, strict=True)])
    frames = [
        Image.fromarray(np.concatenate(pair)).quantize(COLOURS)
        for pair in zip(*columns, strict=True)
    ]
    file = io.BytesIO()
    rest = {"save_all": True, "append_images": frames[1:], "duration": PAUSE, "loop": 0}
    frames[0].save(file, "GIF", optimize=True, **rest)
    return file.getvalue()


def _plays(model: World, world: World, steps: int) -> list[_Play]:
    """The first steps in a world under the confused and under the causal policy of a model."""
    plays = []
    for agent in (Confused(), Causal()):
        policy = agent.learn(Exact(model), np.random.default_rng(SEED))
        plays.append(_Play(f"The {agent.name} policy", *_play(policy, world, steps)))
    return plays


def _with_gap(picture: Pixels) -> Pixels:
    return np.pad(picture, ((0, 0), (0, GAP), (0, 0)), constant_values=255)


def _play(policy: Policy, world: World, steps: int) -> tuple[list[Pixels], list[float]]:
    """The picture and the reward of each step."""
    envs = SyncVectorEnv(
        [lambda: CausalEnv(world, render_mode="rgb_array")], autoreset_mode=AutoresetMode.DISABLED
    )
    rng = np.random.default_rng(SEED)
    pictures: list[Pixels] = []
    rewards: list[float] = []
    while len(pictures) < steps:
        seed = None if pictures else SEED
        player = policy.play(1, rng)
        for step in rollout(envs, player, seed):
            rendered: Any = envs.render()
            pictures.append(rendered[0])
            rewards.append(float(step.reward[0]))
            if len(pictures) == steps:
                break
    return pictures, rewards
