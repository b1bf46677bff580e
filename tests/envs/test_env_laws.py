"""The laws of the environments:

acting is intervening, one by one or many at once, and nothing hidden comes out.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import gymnasium
import numpy as np
import pytest
from countable import is_countable
from environments import ALL, GAUGE, GAUGES, MODELS, RELAY, SURVIVORS, every_model
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from scipy.stats import norm
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3
from stable_baselines3.common.vec_env import DummyVecEnv

from dosuite.causal import (
    Array,
    Categorical,
    World,
    uniform_policy,
    value,
)
from dosuite.envs import (
    CausalEnv,
    CausalVectorEnv,
    as_integer,
    choices,
    make_model,
    world_classes,
)
from dosuite.envs.gym.sb3 import BatchedVecEnv
from dosuite.envs.spaces import action_space

IDS = list(world_classes())


every_id = pytest.mark.parametrize("world", IDS)


unbounded_readings = pytest.mark.filterwarnings(
    "ignore:.*A Box observation space m..imum value is -?infinity"
)


lopsided_prices = pytest.mark.filterwarnings(
    "ignore:.*[Ww]e recommend .*a symmetric and normalized"
)


@every_id
@unbounded_readings
@lopsided_prices
def test_gymnasium_and_stable_baselines_find_no_fault(world: str) -> None:
    env = gymnasium.make(f"dosuite.envs:{world}")
    check_env(env.unwrapped, skip_render_check=True)
    check_env_for_sb3(env)
    many = gymnasium.make_vec(f"dosuite.envs:{world}", num_envs=3)
    assert isinstance(many.unwrapped, CausalVectorEnv)
    assert many.reset(seed=1)[0] in many.observation_space


@pytest.mark.long
@every_id
@pytest.mark.filterwarnings("ignore:.*there is no window")  # the check tries each render mode
@unbounded_readings
@lopsided_prices
def test_gymnasium_finds_no_fault_in_the_pictures(world: str) -> None:
    check_env(gymnasium.make(f"dosuite.envs:{world}").unwrapped)


@pytest.mark.parametrize("world", [RELAY, SURVIVORS])
def test_they_find_none_in_a_users_world(world: str) -> None:
    check_env(CausalEnv(world), skip_render_check=True)
    check_env_for_sb3(CausalEnv(world))


@pytest.mark.parametrize("world", [GAUGE, GAUGES])
@unbounded_readings
def test_they_find_none_in_a_box(world: str) -> None:
    env = CausalEnv(world)
    assert env.observation_space == gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    check_env(env, skip_render_check=True)
    check_env_for_sb3(env)


def same(one: Any, other: Any) -> bool:
    """Whether two results of Gymnasium are equal, but for what stands where a mask is false."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            same(one[key], other[key])
            if f"_{key}" not in one
            else same_where(one[f"_{key}"], one[key], other[key])
            for key in one
        )
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return np.array_equal(one, other)


def same_where(mask: Array, one: Any, other: Any) -> bool:
    return (
        same(one, other)
        if isinstance(one, dict)
        else all(np.array_equal(one[i], other[i]) for i in np.flatnonzero(mask))
    )


@every_model
@pytest.mark.parametrize("paired", [False, True])
def test_a_batch_agrees_step_by_step_with_gymnasiums_own_over_single_environments(
    model: World, paired: bool
) -> None:
    several = SyncVectorEnv(
        [lambda: CausalEnv(model, paired=paired)] * 5, autoreset_mode=AutoresetMode.SAME_STEP
    )
    batch = CausalVectorEnv(model, 5, paired=paired)
    actions = some_actions(model, np.random.default_rng(1), 25, 5)
    assert same(several.reset(seed=7), batch.reset(seed=7))
    ends = set()
    for step, action in enumerate(actions):
        one, other = several.step(action), batch.step(action)
        assert same(one, other)
        ends |= {(step, i) for i in np.flatnonzero(one[2] | one[3])}
    assert len(ends) >= 10
    assert same(several.reset(seed=[3, None, 3, None, 9]), batch.reset(seed=[3, None, 3, None, 9]))
    assert same(several.step(actions[0]), batch.step(actions[0]))
    assert same(several.reset(), batch.reset())
    assert same(several.step(actions[1]), batch.step(actions[1]))


def some_actions(model: World, rng: np.random.Generator, *size: int) -> Array:
    """Actions drawn uniformly, of this shape."""
    actions = action_space(model)
    if isinstance(actions, Box):
        return rng.uniform(actions.low[0], actions.high[0], size)
    return rng.integers(choices(actions), size=size)


def test_the_episodes_of_a_batch_end_at_different_times() -> None:
    batch = CausalVectorEnv(RELAY, 50)
    batch.reset(seed=0)
    steps = [batch.step(np.ones(50, dtype=int))[2:4] for _ in range(9)]
    assert any(
        terminated.any() and not terminated.all() and truncated.any()
        for terminated, truncated in steps
    )


def test_a_batch_that_differs_in_one_info_is_noticed() -> None:
    assert not same(
        {"a": np.array([1, 2]), "_a": np.array([True, True])},
        {"a": np.array([1, 3]), "_a": np.array([True, True])},
    )
    assert same(
        {"a": np.array([1, 2]), "_a": np.array([True, False])},
        {"a": np.array([1, 3]), "_a": np.array([True, False])},
    )


ROLLOUTS = {text: model for text, model in ALL.items() if is_countable(model)} | {
    f"{text} in {shift}": MODELS[text].shifted(shift)
    for text in ("IceCreamShorts-v0", "ConfoundedRiver-v0")
    for shift in MODELS[text].shifts()
}


@pytest.mark.long
@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("model", ROLLOUTS.values(), ids=ROLLOUTS)
def test_the_mean_return_of_rollouts_is_the_exact_value_of_doing(
    model: World, paired: bool
) -> None:
    """Whether all comparisons hold within 4 standard errors, corrected for their number."""
    rng = np.random.default_rng(2)
    contexts, actions = uniform_policy(model).shape
    policy = rng.dirichlet(np.ones(actions), contexts)
    returns = roll_out(model, policy, rng, paired)
    expected = value(model, policy)
    deviation = returns.std() or np.sqrt(
        abs(expected)
    )  # of a reward of 1 that is so rare that it is never seen
    errors = abs(returns.mean() - expected) / max(deviation / np.sqrt(len(returns)), 1e-12)
    assert errors < norm.isf(norm.sf(4.0) / len(ROLLOUTS) / 2)


def roll_out(
    model: World, policy: Array, rng: np.random.Generator, paired: bool, episodes: int = 10_000
) -> Array:
    """The discounted returns of a memoryless policy (C, A)."""
    env = CausalVectorEnv(model, episodes, paired=paired)
    observations, _ = env.reset(seed=4)
    going, returns = np.ones(episodes, dtype=bool), np.zeros(episodes)
    for step in range(model.horizon):
        law = Categorical(policy[as_integer(env.single_observation_space, observations)])
        observations, rewards, terminated, truncated, _ = env.step(law.sample(rng.random(episodes)))
        returns += going * model.discount**step * rewards
        going &= ~(terminated | truncated)
    assert not going.any()
    return returns


def fingerprint() -> str:
    """A hash of what 12 steps of each world show, one by one and many at once."""
    digest = blake2b()
    for world in [*IDS, RELAY, GAUGES, "BrakeLight-v0:observation=digits"]:
        env, batch, rng = CausalEnv(world), CausalVectorEnv(world, 3), np.random.default_rng(0)
        seen: list[Any] = [env.reset(seed=5), batch.reset(seed=6)]
        for _ in range(12):
            actions = some_actions(make_model(world), rng, 3)
            seen += [env.step(actions[0]), batch.step(actions)]
            if seen[-2][2] or seen[-2][3]:
                seen.append(env.reset())
        digest.update(repr(seen).encode())
    return digest.hexdigest()


def test_equal_seeds_give_equal_trajectories_in_another_process(
    elsewhere: Callable[..., Any],
) -> None:
    assert elsewhere(fingerprint) == fingerprint()


def test_an_environment_starts_anew_with_its_seed_and_goes_on_without() -> None:
    env = CausalEnv(RELAY)

    def episode(seed: int | None) -> list[Any]:
        first = env.reset(seed=seed)
        return [first, *(env.step(1) for _ in range(2))]

    one, two, again, after = episode(8), episode(None), episode(8), episode(None)
    assert repr(one) == repr(again) != repr(two) == repr(after)


def test_environments_work_in_processes_of_their_own() -> None:
    many = gymnasium.make_vec(
        "dosuite.envs:SimpsonClinic-v0",
        num_envs=2,
        vectorization_mode="async",
        vector_kwargs={"context": "spawn"},
    )
    alone = CausalVectorEnv("SimpsonClinic-v0", 2)
    try:
        assert same(many.reset(seed=3), alone.reset(seed=3))
        one, other = many.step(np.array([0, 1])), alone.step(np.array([0, 1]))
        assert same(one[:4], other[:4])
        assert same(one[4]["stratum"], other[4]["final_info"]["stratum"])
    finally:
        many.close()


def spoil(result: Any) -> None:
    """Overwrite every array that was handed out."""
    for part in result.values() if isinstance(result, dict) else result:
        if isinstance(part, dict | tuple):
            spoil(part)
        elif isinstance(part, np.ndarray):
            part[...] = part + 1 if part.dtype != bool else ~part


@every_model
def test_what_is_handed_out_is_the_callers(model: World) -> None:
    makers: tuple[Callable[[], Any], ...] = (
        lambda: CausalVectorEnv(model, 4),
        lambda: CausalEnv(model),
    )
    for make in makers:
        clean, spoilt, rng = make(), make(), np.random.default_rng(3)
        clean.reset(seed=1)
        spoil(spoilt.reset(seed=1))
        for _ in range(8):
            action = some_actions(model, rng, *([4] if isinstance(clean, CausalVectorEnv) else []))
            one, other = clean.step(action), spoilt.step(action)
            assert same(one, other)
            spoil(other)
            if isinstance(clean, CausalEnv) and (one[2] or one[3]):
                clean.reset()
                spoil(spoilt.reset())


# Nothing leaks.


@every_model
def test_an_observation_shows_contexts_and_an_info_logged_variables_alone(model: World) -> None:
    env = CausalEnv(model)
    observation, info = env.reset(seed=0)
    assert info == dict.fromkeys(model.names("logged"), 0)
    assert np.size(observation) == max(1, len(model.contexts))
    act = some_actions(model, np.random.default_rng(0))
    assert env.step(act)[4].keys() == set(model.names("logged"))
    batch = CausalVectorEnv(model, 3)
    infos = batch.reset(seed=0)[1]
    assert infos.keys() == {mark + name for name in model.names("logged") for mark in ("", "_")}
    assert not any(infos[name].any() for name in model.names("logged"))
    infos = batch.step(np.full(3, act))[4]
    ends = {"final_obs", "final_info"} if "final_obs" in infos else set()
    shown = {*infos, *infos.get("final_info", {})}
    assert shown <= {mark + name for name in (*model.names("logged"), *ends) for mark in ("", "_")}


@pytest.mark.parametrize("paired", [False, True])
def test_no_step_is_taken_outside_an_episode(paired: bool) -> None:
    env = CausalEnv("IceCreamShorts-v0", paired=paired)
    for _ in range(2):
        with pytest.raises(ResetNeeded, match="call reset before the first step of an episode"):
            env.step(0)
        env.reset(seed=0)
        env.step(0)
    with pytest.raises(ResetNeeded):
        CausalVectorEnv("IceCreamShorts-v0", 2, paired=paired).step(np.zeros(2, dtype=int))


# Stable-Baselines3.


@every_model
def test_the_batch_for_stable_baselines_gives_what_its_own_gives(model: World) -> None:
    own, ours = (
        DummyVecEnv([lambda: CausalEnv(model)] * 4),
        BatchedVecEnv(CausalVectorEnv(model, 4)),
    )
    own.seed(21)
    ours.seed(21)
    assert same(own.reset(), ours.reset())
    ended = 0
    for actions in some_actions(model, np.random.default_rng(4), 25, 4):
        one, other = own.step(actions), ours.step(actions)
        assert same(one[:3], other[:3])
        assert [np.asarray(part).dtype for part in one[:3]] == [
            np.asarray(part).dtype for part in other[:3]
        ]
        for done, theirs, mine in zip(one[2], one[3], other[3], strict=True):
            keys = ("terminal_observation", "TimeLimit.truncated") if done else ()
            assert all(same(theirs[key], mine[key]) for key in keys)
            assert done or not mine.get("TimeLimit.truncated")
            ended += int(done)
    assert ended >= 8
    assert same(own.reset(), ours.reset())


@pytest.mark.parametrize(
    "world",
    ["IceCreamShorts-Thermo-v0", RELAY, GAUGES, "AirlinePricing-v0", "CorrelatedNoiseLQ-v0"],
)
def test_ppo_trains_on_the_batch(world: str) -> None:
    policy = {"net_arch": [8]}
    algorithm = PPO(
        "MlpPolicy",
        BatchedVecEnv(CausalVectorEnv(world, 8)),
        n_steps=16,
        batch_size=128,
        policy_kwargs=policy,
        seed=0,
        device="cpu",
    )
    algorithm.learn(256)
    assert algorithm.num_timesteps == 256
