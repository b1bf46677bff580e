"""Gymnasium's wrappers around each world: they are made, reset with a seed, and stepped."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import vector

from dosuite.envs import CausalEnv, world_classes

Make = Callable[[Any, Path], Any]
STEPS = 3
ONE = np.ones(1, np.float32)


def has_box(space: Any) -> bool:
    return isinstance(space, Box)


def is_bounded(space: Any) -> bool:
    return isinstance(space, Box) and space.is_bounded()


def always(space: Any) -> bool:
    return True


# Wrappers of images (AtariPreprocessing, GrayscaleObservation, ResizeObservation, AddWhiteNoise,
# ObstructView) do not apply, nor do FilterObservation, which takes a Dict or a Tuple, and
# MaxAndSkipObservation, which needs the maximum of observations.
# By name: the wrapper, and whether it applies to the observation and to the action space.
SCALAR: dict[str, tuple[Make, Callable[[Any], bool], Callable[[Any], bool]]] = {
    "DelayObservation": (lambda env, _: wrappers.DelayObservation(env, 1), always, always),
    "DtypeObservation": (
        lambda env, _: wrappers.DtypeObservation(env, np.float64),
        has_box,
        always,
    ),
    "DiscretizeObservation": (
        lambda env, _: wrappers.DiscretizeObservation(env, 3),
        is_bounded,
        always,
    ),
    "FlattenObservation": (lambda env, _: wrappers.FlattenObservation(env), always, always),
    "FrameStackObservation": (
        lambda env, _: wrappers.FrameStackObservation(env, 2),
        always,
        always,
    ),
    "TransformObservation": (
        lambda env, _: wrappers.TransformObservation(env, lambda seen: seen, None),
        always,
        always,
    ),
    "NormalizeObservation": (lambda env, _: wrappers.NormalizeObservation(env), has_box, always),
    "AddRenderObservation": (
        lambda env, _: wrappers.AddRenderObservation(env, render_only=False),
        always,
        always,
    ),
    "ReshapeObservation": (
        lambda env, _: wrappers.ReshapeObservation(env, (1, *env.observation_space.shape)),
        has_box,
        always,
    ),
    "RescaleObservation": (
        lambda env, _: wrappers.RescaleObservation(env, np.float32(0), np.float32(1)),
        is_bounded,
        always,
    ),
    "TimeAwareObservation": (
        lambda env, _: wrappers.TimeAwareObservation(wrappers.TimeLimit(env, 4)),
        always,
        always,
    ),
    "ClipAction": (lambda env, _: wrappers.ClipAction(env), always, has_box),
    "DiscretizeAction": (lambda env, _: wrappers.DiscretizeAction(env, 3), always, has_box),
    "TransformAction": (
        lambda env, _: wrappers.TransformAction(env, lambda action: action, None),
        always,
        always,
    ),
    "RescaleAction": (
        lambda env, _: wrappers.RescaleAction(env, np.float32(-1), np.float32(1)),
        always,
        has_box,
    ),
    "StickyAction": (lambda env, _: wrappers.StickyAction(env, 0.5), always, always),
    "RepeatAction": (lambda env, _: wrappers.RepeatAction(env, 2), always, always),
    "ClipReward": (lambda env, _: wrappers.ClipReward(env, 0.0, 0.5), always, always),
    "TransformReward": (
        lambda env, _: wrappers.TransformReward(env, lambda reward: 2 * float(reward)),
        always,
        always,
    ),
    "NormalizeReward": (lambda env, _: wrappers.NormalizeReward(env), always, always),
    "TimeLimit": (lambda env, _: wrappers.TimeLimit(env, 2), always, always),
    "Autoreset": (lambda env, _: wrappers.Autoreset(env), always, always),
    "PassiveEnvChecker": (lambda env, _: wrappers.PassiveEnvChecker(env), always, always),
    "OrderEnforcing": (lambda env, _: wrappers.OrderEnforcing(env), always, always),
    "RecordEpisodeStatistics": (
        lambda env, _: wrappers.RecordEpisodeStatistics(env),
        always,
        always,
    ),
    "RenderCollection": (lambda env, _: wrappers.RenderCollection(env), always, always),
}

VECTOR: dict[str, tuple[Make, Callable[[Any], bool], Callable[[Any], bool]]] = {
    "DictInfoToList": (lambda env, _: vector.DictInfoToList(env), always, always),
    "TransformObservation": (
        lambda env, _: vector.TransformObservation(env, lambda seen: seen),
        always,
        always,
    ),
    "FlattenObservation": (lambda env, _: vector.FlattenObservation(env), always, always),
    "ReshapeObservation": (
        lambda env, _: vector.ReshapeObservation(env, (1, *env.single_observation_space.shape)),
        has_box,
        always,
    ),
    "RescaleObservation": (
        lambda env, _: vector.RescaleObservation(env, np.float32(0), np.float32(1)),
        is_bounded,
        always,
    ),
    "DtypeObservation": (lambda env, _: vector.DtypeObservation(env, np.float64), has_box, always),
    "NormalizeObservation": (lambda env, _: vector.NormalizeObservation(env), has_box, always),
    "TransformAction": (
        lambda env, _: vector.TransformAction(env, lambda actions: actions),
        always,
        always,
    ),
    "ClipAction": (lambda env, _: vector.ClipAction(env), always, has_box),
    "RescaleAction": (
        lambda env, _: vector.RescaleAction(env, -ONE, ONE),
        always,
        has_box,
    ),
    "TransformReward": (
        lambda env, _: vector.TransformReward(env, lambda rewards: -rewards),
        always,
        always,
    ),
    "ClipReward": (lambda env, _: vector.ClipReward(env, 0.0, 0.5), always, always),
    "NormalizeReward": (lambda env, _: vector.NormalizeReward(env), always, always),
    "RecordEpisodeStatistics": (lambda env, _: vector.RecordEpisodeStatistics(env), always, always),
}
NEEDS_PICTURES = ("AddRenderObservation", "RenderCollection")
# Gymnasium refuses to wrap a batch of this mode, whoever made it.
NOT_IN_THE_SAME_STEP = (
    "TransformObservation",
    "FlattenObservation",
    "ReshapeObservation",
    "RescaleObservation",
    "DtypeObservation",
    "NormalizeObservation",
)
worlds = pytest.mark.parametrize("world", list(world_classes()))


@pytest.mark.long
@worlds
@pytest.mark.parametrize("name", SCALAR)
def test_gymnasiums_wrappers_take_each_world(name: str, world: str, tmp_path: Path) -> None:
    wrap, fits_observations, fits_actions = SCALAR[name]
    mode = "rgb_array" if name in NEEDS_PICTURES else None
    inner = CausalEnv(world, render_mode=mode)
    if not (fits_observations(inner.observation_space) and fits_actions(inner.action_space)):
        pytest.skip("the wrapper is not for these spaces")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of unbounded and lopsided spaces
        env = wrap(inner, tmp_path)
        env.action_space.seed(0)
        observation, _ = env.reset(seed=3)
        assert observation in env.observation_space
        for _ in range(STEPS):
            observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            assert observation in env.observation_space
            assert np.isfinite(reward)
            if (terminated or truncated) and name != "Autoreset":
                env.reset()


@pytest.mark.long
@worlds
@pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.name)
@pytest.mark.parametrize("name", VECTOR)
def test_gymnasiums_vector_wrappers_take_each_world(
    name: str, mode: AutoresetMode, world: str, tmp_path: Path
) -> None:
    wrap, fits_observations, fits_actions = VECTOR[name]
    inner = gymnasium.make_vec(world, 3, autoreset_mode=mode)
    fits = fits_observations(inner.single_observation_space)
    if not (fits and fits_actions(inner.single_action_space)):
        pytest.skip("the wrapper is not for these spaces")
    refused = mode is AutoresetMode.SAME_STEP and name in NOT_IN_THE_SAME_STEP
    if refused or (mode is AutoresetMode.DISABLED and name == "NormalizeObservation"):
        with pytest.raises((AssertionError, ValueError), match="autoreset_mode"):
            wrap(inner, tmp_path)
        return
    env = wrap(inner, tmp_path)
    env.action_space.seed(0)
    observations, _ = env.reset(seed=3)
    assert observations in env.observation_space
    for _ in range(STEPS):
        observations, rewards, terminated, truncated, _ = env.step(env.action_space.sample())
        assert observations in env.observation_space
        assert rewards.shape == (3,)
        ended = terminated | truncated
        if mode is AutoresetMode.DISABLED and ended.all():
            env.reset(options={"reset_mask": ended})
        elif mode is AutoresetMode.DISABLED and ended.any():
            env.reset()


@pytest.mark.parametrize("world", ["ConfoundedRiver-v0", "IceCreamShorts-v0"])
def test_a_video_is_recorded(world: str, tmp_path: Path) -> None:
    pytest.importorskip("moviepy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        env = wrappers.RecordVideo(CausalEnv(world, render_mode="rgb_array"), str(tmp_path))
        env.reset(seed=0)
        env.step(0)
        env.close()  # type: ignore[no-untyped-call]
    assert list(tmp_path.glob("*.mp4"))


def test_every_wrapper_of_gymnasium_is_tried_or_named() -> None:
    """A new release of Gymnasium may have new wrappers."""
    images = {
        *("AtariPreprocessing", "GrayscaleObservation", "ResizeObservation"),
        *("AddWhiteNoise", "ObstructView", "FilterObservation", "MaxAndSkipObservation"),
    }
    elsewhere = {
        *("RecordVideo", "HumanRendering", "ArrayConversion", "JaxToNumpy", "JaxToTorch"),
        *("NumpyToTorch", "VectorizeTransformObservation", "VectorizeTransformAction"),
        "VectorizeTransformReward",
    }
    for module, tried in ((wrappers, SCALAR), (vector, VECTOR)):
        names = {name for name in module.__all__ if name[0].isupper() and name != "vector"}
        assert names <= {*tried, *images, *elsewhere}
