"""The environments among other libraries' tools: Gymnasium, TorchRL, Minari, Stable-Baselines3."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import minari
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from places import THROWAWAY_FILE
from refusals import refused

from dosuite.causal import Array, InputError, World
from dosuite.envs import CausalEnv, CausalVectorEnv, choices, collect, make_model, members
from dosuite.envs.gym.sb3 import BatchedVecEnv
from dosuite.envs.logs.minari import from_minari, to_minari
from dosuite.envs.spaces import action_space

USERS = {
    name: make_model(f"{THROWAWAY_FILE}:{name}")
    for name in ("Relay", "Survivors", "Gauge:horizon=3")
}
CATALOGUE = {text: replace(model, horizon=min(model.horizon, 10)) for text, model in members()}
RIVER, ICE = "ConfoundedRiver-v0", "IceCreamShorts-v0"
COUNT = 5  # environments in a batch


def some_actions(model: World, rng: np.random.Generator, *size: int) -> Array:
    actions = action_space(model)
    if isinstance(actions, Box):
        return rng.uniform(actions.low[0], actions.high[0], size)
    return rng.integers(choices(actions), size=size)


def assert_same(theirs: Any, ours: Any) -> None:
    """Assert that two results are equal, but for what stands where a mask of the infos is false."""
    if isinstance(theirs, dict):
        assert theirs.keys() == ours.keys()
        for key, value in theirs.items():
            mask = theirs.get(f"_{key}")
            if mask is None or isinstance(value, dict):
                assert_same(value, ours[key])
            else:
                for i in np.flatnonzero(mask):
                    assert np.array_equal(value[i], ours[key][i])
        return
    if isinstance(theirs, tuple):
        assert len(theirs) == len(ours)
        for one, other in zip(theirs, ours, strict=True):
            assert_same(one, other)
        return
    assert np.array_equal(theirs, ours)
    assert np.asarray(theirs).dtype == np.asarray(ours).dtype


def go_on(envs: tuple[Any, Any], actions: Array, rng: np.random.Generator) -> int:
    """Step both batches, with resets now and then, and assert that they agree; the ends."""
    ended = 0
    for step, action in enumerate(actions):
        results = [env.step(action) for env in envs]
        assert_same(*results)
        done = results[0][2] | results[0][3]
        ended += int(done.sum())
        mask = done.copy() if envs[0].autoreset_mode is AutoresetMode.DISABLED else None
        if step % 7 == 3:  # also some that go on
            mask = (np.zeros(COUNT, bool) if mask is None else mask) | (rng.random(COUNT) < 0.4)
        if mask is not None and mask.any():
            seed = [3, None, 3, None, 9] if step % 2 else None
            assert_same(
                *(env.reset(seed=seed, options={"reset_mask": mask.copy()}) for env in envs)
            )
        if step % 11 == 10:
            seed = None if step % 2 else [None, 4, None, 4, 8]
            assert_same(*(env.reset(seed=seed) for env in envs))
    return ended


def check_against_gymnasium(
    model: World, mode: AutoresetMode, paired: bool, limit: int | None
) -> None:
    def single() -> gymnasium.Env[Any, Any]:
        env = CausalEnv(model, paired=paired)
        return env if limit is None else gymnasium.wrappers.TimeLimit(env, limit)

    theirs = SyncVectorEnv([single] * COUNT, autoreset_mode=mode)
    ours = CausalVectorEnv(
        model, COUNT, paired=paired, autoreset_mode=mode, max_episode_steps=limit
    )
    assert theirs.metadata["autoreset_mode"] is ours.metadata["autoreset_mode"] is mode
    rng = np.random.default_rng(1)
    assert_same(theirs.reset(seed=7), ours.reset(seed=7))
    assert go_on((theirs, ours), some_actions(model, rng, 40, COUNT), rng) >= 3


modes = pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.name)
either_way = pytest.mark.parametrize("paired", [False, True], ids=["by table", "paired"])


@modes
@either_way
@pytest.mark.parametrize("limit", [None, 1, 2])
@pytest.mark.parametrize("model", USERS.values(), ids=USERS)
def test_a_batch_does_what_gymnasiums_own_does_in_each_autoreset_mode(
    model: World, mode: AutoresetMode, paired: bool, limit: int | None
) -> None:
    check_against_gymnasium(model, mode, paired, limit)


@pytest.mark.long
@modes
@either_way
@pytest.mark.parametrize("limit", [None, 3])
@pytest.mark.parametrize("model", CATALOGUE.values(), ids=CATALOGUE)
def test_so_does_a_batch_of_each_world(
    model: World, mode: AutoresetMode, paired: bool, limit: int | None
) -> None:
    check_against_gymnasium(model, mode, paired, limit)


def test_the_default_mode_is_the_same_step() -> None:
    env = CausalVectorEnv(ICE, 2)
    assert env.autoreset_mode is env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert CausalVectorEnv(ICE, autoreset_mode="NEXT_STEP").autoreset_mode.name == "NEXT_STEP"
    assert CausalVectorEnv(ICE, autoreset_mode="NextStep").autoreset_mode.name == "NEXT_STEP"
    assert CausalVectorEnv.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


def test_a_batch_without_autoreset_needs_resets() -> None:
    env = CausalVectorEnv(ICE, 2, autoreset_mode=AutoresetMode.DISABLED)
    with pytest.raises(ResetNeeded, match="the first reset takes no reset_mask"):
        env.reset(options={"reset_mask": np.array([True, False])})
    env.reset(seed=0)
    env.step(np.zeros(2, dtype=int))
    for _ in range(2):
        with pytest.raises(ResetNeeded, match="some episodes are over; begin new ones with reset"):
            env.step(np.zeros(2, dtype=int))
        env.reset(options={"reset_mask": np.array([True, False])})


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: CausalVectorEnv(ICE, autoreset_mode="NEXT"), "did you mean 'NEXT_STEP'"),
        (
            lambda: CausalVectorEnv(ICE, max_episode_steps=0),
            "a whole number of at least 1, and is 0",
        ),
        (lambda: CausalVectorEnv(ICE, max_episode_steps=1.5), "of at least 1, and is 1.5"),  # type: ignore[arg-type]
        (lambda: masked([True, False]), "reset_mask must be a boolean array (2,)"),
        (lambda: masked(np.array([0, 1])), "reset_mask must be a boolean array (2,)"),
        (lambda: masked(np.zeros(2, dtype=bool)), "with at least one True"),
        (
            lambda: BatchedVecEnv(CausalVectorEnv(ICE, 2, autoreset_mode="NEXT_STEP")),
            "make the batch with autoreset_mode=SAME_STEP, and not NEXT_STEP",
        ),
    ],
)
def test_what_a_batch_cannot_do_is_refused(make: Callable[[], object], text: str) -> None:
    assert text in refused(make)


def masked(mask: Any) -> None:
    env = CausalVectorEnv(ICE, 2)
    env.reset(seed=0)
    env.reset(options={"reset_mask": mask})


# Time limits.


@modes
def test_make_vec_truncates_as_make_does(mode: AutoresetMode) -> None:
    ours = gymnasium.make_vec(RIVER, COUNT, max_episode_steps=3, autoreset_mode=mode)
    theirs = gymnasium.make_vec(
        RIVER,
        COUNT,
        vectorization_mode="sync",
        max_episode_steps=3,
        vector_kwargs={"autoreset_mode": mode},
    )
    assert isinstance(ours.unwrapped, CausalVectorEnv)
    rng = np.random.default_rng(0)
    assert_same(theirs.reset(seed=2), ours.reset(seed=2))
    actions = some_actions(make_model(RIVER), rng, 40, COUNT)
    assert go_on((theirs, ours), actions, rng) >= 10


def test_a_limit_is_in_the_specification() -> None:
    env = gymnasium.make_vec(RIVER, 2, max_episode_steps=3)
    assert env.spec is not None
    assert env.spec.max_episode_steps == 3
    again = gymnasium.make_vec(env.spec)
    assert again.num_envs == 2
    assert again.spec is not None
    assert again.spec.max_episode_steps == 3
    alone = gymnasium.make(RIVER, max_episode_steps=3)
    assert alone.spec is not None
    assert alone.spec.max_episode_steps == 3
    plain = gymnasium.make_vec(RIVER, 2)
    assert plain.spec is not None
    assert plain.spec.max_episode_steps is None


# Unknown keywords.


@pytest.mark.parametrize(
    "make",
    [
        lambda: CausalEnv(RIVER, frameskip=1),
        lambda: CausalVectorEnv(RIVER, 2, frameskip=1),
        lambda: CausalEnv(make_model(RIVER), frameskip=1),
        lambda: gymnasium.make(RIVER, frameskip=1),
        lambda: gymnasium.make_vec(RIVER, 2, frameskip=1),
    ],
)
def test_an_unknown_keyword_is_a_type_error_and_an_input_error(make: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'frameskip'") as raised:
        make()
    assert isinstance(raised.value, InputError)
    assert "\n" not in str(raised.value)


def test_an_unknown_keyword_comes_with_a_hint() -> None:
    with pytest.raises(TypeError, match="did you mean 'confounding'"):
        CausalEnv(ICE, confoundin=0.3)


# TorchRL.


@pytest.mark.parametrize("world", [RIVER, ICE, "AirlinePricing-v0"])
def test_torchrl_makes_and_wraps_an_environment(world: str) -> None:
    envs = pytest.importorskip("torchrl.envs")
    for env in (
        envs.GymEnv(f"dosuite.envs:{world}"),
        envs.GymWrapper(gymnasium.make(world)),
        envs.GymWrapper(CausalEnv(make_model(world))),
    ):
        rollout = env.rollout(4, break_when_any_done=False)
        assert rollout.batch_size == (4,)
        assert np.isfinite(rollout["next", "reward"].numpy()).all()


@pytest.mark.parametrize("mode", ["SAME_STEP", "DISABLED"])  # TorchRL refuses NEXT_STEP
@pytest.mark.parametrize("world", [RIVER, ICE, "AirlinePricing-v0"])
def test_torchrl_wraps_a_batch(world: str, mode: str) -> None:
    envs = pytest.importorskip("torchrl.envs")
    # In SAME_STEP its one-hot codes of the last observations fail its own check.
    env = envs.GymWrapper(
        gymnasium.make_vec(world, 3, autoreset_mode=mode),
        categorical_action_encoding=mode == "SAME_STEP",
    )
    rollout = env.rollout(4, break_when_any_done=False)
    assert rollout.batch_size == (3, 4)
    assert np.isfinite(rollout["next", "reward"].numpy()).all()


# Minari.


@either_way
@pytest.mark.parametrize("model", [*USERS.values(), *CATALOGUE.values()], ids=[*USERS, *CATALOGUE])
def test_a_reset_and_each_step_have_infos_of_the_same_keys_and_types(
    model: World, paired: bool
) -> None:
    env = CausalEnv(model, paired=paired)
    _, info = env.reset(seed=0)
    kinds = {name: type(value) for name, value in info.items()}
    assert not any(info.values())
    ended = False
    while not ended:
        action = some_actions(model, np.random.default_rng(0))
        *_, terminated, truncated, info = env.step(action)
        assert {name: type(value) for name, value in info.items()} == kinds
        ended = terminated or truncated


@pytest.fixture
def minari_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("world", [ICE, RIVER, "AirlinePricing-v0", "SimpsonClinic-v0"])
@pytest.mark.usefixtures("minari_folder")
def test_minari_collects_with_infos(world: str) -> None:
    pytest.importorskip("jax")  # the collector needs it
    collector = minari.DataCollector(gymnasium.make(world), record_infos=True)
    for episode in range(2):
        collector.reset(seed=episode)
        ended = False
        while not ended:
            *_, terminated, truncated, _ = collector.step(collector.action_space.sample())
            ended = terminated or truncated
    data = collector.create_dataset("tools/collected-v0")
    assert len(list(data.iterate_episodes())) == 2
    assert len(from_minari("tools/collected-v0")) == data.total_steps
    collector.close()


@pytest.mark.parametrize(
    "world", [f"{ICE}:confounding=0.25", f"{RIVER}:horizon=3", "AirlinePricing-v0"]
)
@pytest.mark.usefixtures("minari_folder")
def test_a_data_set_knows_its_environment(world: str) -> None:
    log = collect(make_model(world), 50, 0)
    to_minari(log, "tools/log-v0")
    env = minari.load_dataset("tools/log-v0").recover_environment()
    assert (env.observation_space, env.action_space) == (log.observation_space, log.action_space)
    direct = CausalEnv(world)
    assert env.reset(seed=3)[0].tolist() == direct.reset(seed=3)[0].tolist()
    action = direct.action_space.sample()
    for _ in range(make_model(world).horizon):
        assert repr(env.step(action)) == repr(direct.step(action))
    assert from_minari("tools/log-v0").content_hash == log.content_hash


@pytest.mark.usefixtures("minari_folder")
def test_the_data_set_of_an_unregistered_model_has_no_environment() -> None:
    for number, model in enumerate((USERS["Relay"], make_model(ICE).do(ice_cream=1))):
        data = to_minari(collect(model, 20, 0), f"tools/own{number}-v0")
        assert data.env_spec is None


@pytest.mark.usefixtures("minari_folder")
def test_d3rlpy_reads_a_data_set() -> None:
    d3rlpy = pytest.importorskip("d3rlpy")
    to_minari(collect(make_model(RIVER), 50, 0), "tools/log-v0")
    dataset, env = d3rlpy.datasets.get_minari("tools/log-v0")
    assert dataset.transition_count > 0
    assert env.action_space == CausalEnv(RIVER).action_space
