"""Film strips: what two reference policies do in the same world, with the same noise."""

import io
from collections.abc import Iterator
from itertools import accumulate, chain, islice, repeat
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

from ..runs.rollout import Step, rollout

STEPS, SEED = 4, 2
MOST, LEAD = 200, 1  # steps that are looked at, and shown before the policies differ
GAP = 6  # pixels between pictures
MOVING = 8  # steps of a moving strip
PAUSE = 900  # milliseconds that a moving strip shows a step
COLOURS = 64  # of a moving strip


class _Play(NamedTuple):
    """What a policy does in the first steps."""

    title: str
    pictures: list[Pixels]  # of the steps
    rewards: list[float]


class _Watched(NamedTuple):
    """A step, and the environment after it."""

    envs: SyncVectorEnv
    step: Step


def film(model: World, world: World) -> Pixels:
    """Four steps in a world under the confused policy of a model, above four under its causal
    policy: pixels (height, width, 3).

    The window is one in which the policies differ, if they do in the first MOST steps. The steps
    are of several episodes if these are shorter. Raises NotDiscreteError or TooLargeError
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
    """Some steps in a world under the confused and under the causal policy of a model.

    They begin LEAD steps before the first that the policies act differently in, or with the first
    step, if there is none among the first MOST.
    """
    policies = {
        agent.name: agent.learn(Exact(model), np.random.default_rng(SEED))
        for agent in (Confused(), Causal())
    }
    pairs = zip(*(_steps(policy, world) for policy in policies.values()), strict=True)
    differing = (
        number
        for number, (one, other) in enumerate(islice(pairs, MOST))
        if one.step.action[0] != other.step.action[0]
    )
    start = max(next(differing, 0) - LEAD, 0)
    return [
        _Play(f"The {name} policy", *_play(policy, world, start, steps))
        for name, policy in policies.items()
    ]


def _with_gap(picture: Pixels) -> Pixels:
    return np.pad(picture, ((0, 0), (0, GAP), (0, 0)), constant_values=255)


def _play(policy: Policy, world: World, start: int, steps: int) -> tuple[list[Pixels], list[float]]:
    """The picture and the reward of each step of a window."""
    pictures: list[Pixels] = []
    rewards: list[float] = []
    for watched in islice(_steps(policy, world), start, start + steps):
        rendered: Any = watched.envs.render()
        pictures.append(rendered[0])
        rewards.append(float(watched.step.reward[0]))
    return pictures, rewards


def _steps(policy: Policy, world: World) -> Iterator[_Watched]:
    """The steps of one episode after another, without an end."""
    envs = SyncVectorEnv(
        [lambda: CausalEnv(world, render_mode="rgb_array")], autoreset_mode=AutoresetMode.DISABLED
    )
    rng = np.random.default_rng(SEED)
    for seed in chain([SEED], repeat(None)):
        for step in rollout(envs, policy.play(1, rng), seed):
            yield _Watched(envs, step)
