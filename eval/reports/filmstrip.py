"""Film strips: what two reference policies do in the same world, with the same noise."""

import io
from collections.abc import Iterator
from itertools import accumulate, islice
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
SEEDS, LONGEST = 20, 60  # where a difference is looked for: seeds, and steps of each
GAP = 6  # pixels between pictures
MOVING = 8  # steps of a moving strip
PAUSE = 900  # milliseconds that a moving strip shows a step
COLOURS = 64  # of a moving strip
MOST_WIDTH = 2500  # pixels of a strip; wider ones get two pictures in a row, and smaller ones


class Window(NamedTuple):
    """The steps that a strip shows."""

    seed: int
    start: int  # the number of steps before the first one
    text: str  # what happens in them, in one line


class Play(NamedTuple):
    """What a policy does in some steps."""

    title: str
    pictures: list[Pixels]
    rewards: list[float]


def film(model: World, world: World) -> Pixels:
    """Four steps in a world under the confused policy of a model, above four under its causal
    policy, below a line that says what happens: pixels (height, width, 3), at most MOST_WIDTH wide.

    The steps begin one before the policies first do different things; if they never do, there is
    one row for both. The steps are of several episodes if these are shorter. Raises
    NotDiscreteError or TooLargeError if the model has no exact policies.
    """
    text, plays = _plays(model, world, STEPS)
    strips = []
    for play in plays:
        strip = arranged(play.pictures)
        earned = f"earned in these {STEPS} steps: {sum(play.rewards):.4g}"
        strips += [caption(strip.shape[1], play.title, earned), strip]
    return np.concatenate([caption(strips[0].shape[1], text, ""), *strips])


def moving_film(model: World, world: World) -> bytes:
    """The steps that `film` shows, and those that follow, as an animated GIF: MOVING in all.

    The confused policy is above the causal one. Raises what `film` raises.
    """
    columns = []
    for play in _plays(model, world, MOVING)[1]:
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


def _plays(model: World, world: World, steps: int) -> tuple[str, list[Play]]:
    """What happens, in one line, and the steps of each policy; of one where both do the same."""
    agents = (Confused(), Causal())
    policies = [agent.learn(Exact(model), np.random.default_rng(SEED)) for agent in agents]
    window = chosen_window(policies, world)
    names = [f"The {agent.name} policy" for agent in agents]
    if window is None:
        window = Window(SEED, 0, "The confused and the causal policy do the same here.")
        names, policies = ["Both policies"], policies[:1]
    pairs = zip(names, policies, strict=True)
    return window.text, [_play(name, policy, world, window, steps) for name, policy in pairs]


def chosen_window(policies: list[Policy], world: World) -> Window | None:
    """Steps in which the two policies act differently; None if none were found."""
    for seed in range(SEED, SEED + SEEDS):
        plays = [_actions(policy, world, seed) for policy in policies]
        for number, (one, other) in enumerate(zip(*plays, strict=True)):
            if not np.array_equal(one, other):
                text = (
                    f"Step {number + 1}: with the same noise, the confused policy takes "
                    f"{world.action} = {_number(one)}, and the causal one {_number(other)}."
                )
                return Window(seed, max(number - 1, 0), text)
    return None


def _number(action: Any) -> str:
    return ", ".join(f"{value:.3g}" for value in np.ravel(action))


def _actions(policy: Policy, world: World, seed: int) -> list[Any]:
    steps = _steps(_environment(world), policy, seed)
    return [step.action[0] for step in islice(steps, LONGEST)]


def _environment(world: World) -> SyncVectorEnv:
    # one that can be drawn draws other noise than one that cannot
    return SyncVectorEnv(
        [lambda: CausalEnv(world, render_mode="rgb_array")], autoreset_mode=AutoresetMode.DISABLED
    )


def _steps(envs: SyncVectorEnv, policy: Policy, seed: int) -> Iterator[Step]:
    """The steps of one episode after another, without an end."""
    rng = np.random.default_rng(seed)
    yield from rollout(envs, policy.play(1, rng), seed)
    while True:
        yield from rollout(envs, policy.play(1, rng), None)


def arranged(pictures: list[Pixels]) -> Pixels:
    """The pictures in a row; in two if they are wide, and made smaller if that is too wide yet."""
    width = len(pictures) * (pictures[0].shape[1] + GAP)
    half = len(pictures) // 2 if width > MOST_WIDTH else len(pictures)
    rows = [pictures[k : k + half] for k in range(0, len(pictures), half)]
    joined = np.concatenate(
        [np.concatenate([_with_gap(picture) for picture in row], axis=1) for row in rows]
    )
    height, width = joined.shape[:2]
    if width > MOST_WIDTH:
        size = (MOST_WIDTH, round(height * MOST_WIDTH / width))
        joined = np.asarray(Image.fromarray(joined).resize(size, Image.Resampling.LANCZOS))
    return joined


def _with_gap(picture: Pixels) -> Pixels:
    return np.pad(picture, ((0, 0), (0, GAP), (0, 0)), constant_values=255)


def _play(title: str, policy: Policy, world: World, window: Window, count: int) -> Play:
    """The picture and the reward of each step from the start of a window."""
    envs = _environment(world)
    play = Play(title, [], [])
    steps = _steps(envs, policy, window.seed)
    for step in islice(steps, window.start, window.start + count):
        rendered: Any = envs.render()
        play.pictures.append(rendered[0])
        play.rewards.append(float(step.reward[0]))
    return play
