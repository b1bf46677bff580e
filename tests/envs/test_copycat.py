"""The laws of the copycat:

what its indicator shows, what its noise is, and that the wrapper and the world are one car.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from refusals import refused
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3

from dosuite.agents import make_agent
from dosuite.causal import Array
from dosuite.envs import Log, load_latents
from dosuite.envs.rollouts import estimated_value
from dosuite.envs.worlds.copycat_car import CopycatCar, drive
from dosuite.envs.wrappers.copycat import MODES, CopycatWrapper, ScatteredStart, copycat_log
from dosuite.eval import Run
from dosuite.eval.runs.reference_values import references

SCALE = (0.1, 0.02)


class Screen(gymnasium.Env[Any, Any]):
    """A grey picture that grows lighter with the action; the last of four actions does nothing."""

    observation_space = spaces.Box(0, 255, (24, 16, 3), np.uint8)
    action_space = spaces.Discrete(4)

    def get_action_meanings(self) -> list[str]:
        return ["UP", "DOWN", "FIRE", "NOOP"]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        self.light = 10
        return self.picture(), {}

    def step(self, action: int) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        self.light += int(action)
        return self.picture(), 1.0, self.light > 60, False, {}

    def picture(self) -> Array:
        return np.full((24, 16, 3), self.light, dtype=np.uint8)


MAKERS: dict[str, Callable[[], gymnasium.Env[Any, Any]]] = {
    **{
        name: lambda name=name: gymnasium.make(name)  # type: ignore[misc]
        for name in ("CartPole-v1", "MountainCar-v0", "Acrobot-v1", "FrozenLake-v1")
    },
    "Screen": Screen,
}
every_env = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
every_mode = pytest.mark.parametrize("mode", MODES)


def drives(
    env: CopycatWrapper, actions: Array, seed: int = 3
) -> tuple[list[Any], list[Any], list[float]]:
    """The observations, the clean ones and the rewards of taking these actions, beginning anew
    where an episode ends.
    """
    observations, clean, rewards = [env.reset(seed=seed)[0]], [env._clean], [0.0]
    for act in actions:
        observation, reward, terminated, truncated, _ = env.step(act)
        if terminated or truncated:
            observation, _ = env.reset()
        observations.append(observation)
        clean.append(env._clean)
        rewards.append(float(reward))
    return observations, clean, rewards


def some_actions(env: gymnasium.Env[Any, Any], count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(env.action_space.n, size=count)  # type: ignore[attr-defined]


@every_env
@every_mode
@pytest.mark.filterwarnings(
    "ignore:.*A Box observation space m..imum value is -?infinity"
)  # noise is unbounded
@pytest.mark.filterwarnings(
    "ignore:.*is different from the unwrapped version",
    "ignore:.*due to the environment not having a spec",
    "ignore:The minimal resolution",
)
def test_gymnasium_and_stable_baselines_find_no_fault(
    make: Callable[[], gymnasium.Env[Any, Any]], mode: str
) -> None:
    env = CopycatWrapper(make(), mode, sigma=0.3)
    check_env(env, skip_render_check=True)
    check_env_for_sb3(env)


@every_env
@every_mode
def test_nothing_but_the_sight_of_an_environment_is_changed(
    make: Callable[[], gymnasium.Env[Any, Any]], mode: str
) -> None:
    env, bare = CopycatWrapper(make(), mode, sigma=0.4), make()
    actions = some_actions(bare, 100)
    _, clean, rewards = drives(env, actions)
    assert np.array_equal(clean[0], bare.reset(seed=3)[0])
    for act, seen, reward in zip(actions, clean[1:], rewards[1:], strict=True):
        observation, pay, terminated, truncated, _ = bare.step(act)
        assert pay == reward
        assert np.array_equal(seen, bare.reset()[0] if terminated or truncated else observation)


@every_env
def test_equal_seeds_give_equal_sights(make: Callable[[], gymnasium.Env[Any, Any]]) -> None:
    actions = some_actions(make(), 60)
    one, again, other = (
        drives(CopycatWrapper(make(), "randomised", sigma=0.4), actions, seed)[0]
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def indicators(mode: str, actions: Array, **settings: Any) -> Array:
    """What the indicator shows before each of these actions of MountainCar, and after the last."""
    observations, _, _ = drives(
        CopycatWrapper(gymnasium.make("MountainCar-v0"), mode, **settings), actions
    )
    assert all(sorted(seen[2:]) == [0, 0, 1] for seen in observations)
    return np.array([seen[2:].argmax() for seen in observations])


def test_the_indicator_shows_what_the_mode_says() -> None:
    actions = np.random.default_rng(0).integers(3, size=150)
    assert np.array_equal(indicators("confounded", actions), [1, *actions])
    assert np.array_equal(indicators("lagged", actions, lag=3), [1, 1, 1, *actions[:-2]])
    assert set(indicators("constant", actions, first_action=2)) == {2}
    assert CopycatWrapper(gymnasium.make("MountainCar-v0"), "off").observation_space.shape == (2,)


def test_a_randomised_indicator_does_not_depend_on_the_actions_and_is_uniform() -> None:
    actions, others = np.random.default_rng(0).integers(3, size=(2, 6000))
    shown = indicators("randomised", actions)
    assert np.array_equal(shown, indicators("randomised", others))
    for previous in range(3):
        count = np.bincount(shown[1:][actions == previous], minlength=3)
        assert (abs(count / count.sum() - 1 / 3) < 4 * np.sqrt(2 / 9 / count.sum())).all()


def test_a_new_episode_shows_nothing_of_the_one_before() -> None:
    env = CopycatWrapper(gymnasium.make("MountainCar-v0"), "lagged", lag=2)
    drives(env, np.zeros(5, dtype=int))
    assert env.reset()[0][2:].tolist() == [0, 1, 0]


@every_mode
def test_noise_has_its_scale_and_is_the_same_in_every_mode_and_whatever_is_done(mode: str) -> None:
    noises = []
    for how, fill in (("off", 2), (mode, 0)):
        env = CopycatWrapper(gymnasium.make("MountainCar-v0"), how, sigma=0.5, scale=SCALE)
        observations, clean, _ = drives(env, np.full(3000, fill))
        noises.append(np.array([seen[:2] for seen in observations]) - np.array(clean))
    assert noises[0] == pytest.approx(noises[1], abs=1e-6)
    error = 1 / np.sqrt(len(noises[0]))
    spread = 0.5 * np.array(SCALE)
    assert (abs(noises[0].mean(0)) < 4 * error * spread).all()
    assert noises[0].std(0) == pytest.approx(spread, rel=4 * error / np.sqrt(2))
    assert (
        abs(np.corrcoef(noises[0].T)[0, 1]),
        abs(np.corrcoef(noises[0][1:, 0], noises[0][:-1, 0])[0, 1]),
    ) < (4 * error, 4 * error)


def test_noise_is_not_drawn_from_the_stream_of_the_environment() -> None:
    """NumPy drops zeros at the end of a list of seeds: [7, 0, 0] seeds as 7 does."""
    env = CopycatWrapper(gymnasium.make("CartPole-v1"), sigma=1.0)
    env.reset(seed=7)
    streams = env.unwrapped.np_random, env._noise, env._random_actions
    increments = [stream.bit_generator.state["state"]["inc"] for stream in streams]
    assert len(set(increments)) == 3


def test_without_noise_a_sight_is_clean() -> None:
    observations, clean, _ = drives(
        CopycatWrapper(gymnasium.make("Acrobot-v1")), np.ones(50, dtype=int)
    )
    assert all(
        np.array_equal(seen[:6], true) for seen, true in zip(observations, clean, strict=True)
    )


def test_a_number_is_replaced_with_probability_sigma() -> None:
    env = CopycatWrapper(gymnasium.make("FrozenLake-v1"), sigma=0.4)
    assert env.observation_space == spaces.MultiDiscrete([16, 4])
    observations, clean, _ = drives(env, some_actions(env, 4000))
    wrong = np.mean([seen[0] != true for seen, true in zip(observations, clean, strict=True)])
    assert wrong == pytest.approx(0.4 * 15 / 16, abs=4 * np.sqrt(0.25 / 4000))


def test_a_picture_has_a_square_in_its_corner() -> None:
    env = CopycatWrapper(Screen())
    observations, clean, _ = drives(env, np.array([0, 1, 2]))
    assert env.first_action == 3
    for seen, true, bright in zip(observations, clean, (255, 63, 127, 191), strict=True):
        assert (seen[:2, :2] == bright).all()
        assert np.array_equal(seen[2:], true[2:])
        assert np.array_equal(seen[:, 2:], true[:, 2:])
    assert all(
        np.array_equal(seen, true)
        for seen, true in zip(
            *drives(CopycatWrapper(Screen(), "off"), np.arange(4))[:2], strict=True
        )
    )


def test_a_spec_makes_the_same_again() -> None:
    env = CopycatWrapper(
        ScatteredStart(gymnasium.make("MountainCar-v0")), "lagged", sigma=0.5, scale=SCALE, lag=4
    )
    assert env.spec is not None
    assert np.array_equal(env.spec.make().reset(seed=5)[0], env.reset(seed=5)[0])


def car(**settings: Any) -> CopycatWrapper:
    return CopycatWrapper(gymnasium.make("MountainCar-v0"), **settings)


def no_numbers() -> gymnasium.Env[Any, Any]:
    env = Screen()
    env.observation_space = spaces.Dict({"a": spaces.Discrete(2)})  # type: ignore[assignment]
    return env


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (lambda: car(mode="confunded"), "did you mean 'confounded'"),
        (lambda: car(sigma=-0.1), "sigma must be at least 0"),
        (lambda: car(sigma=np.nan), "sigma must be at least 0"),
        (lambda: car(lag=0), "lag must be a whole number of at least 1"),
        (lambda: car(first_action=3), "first_action must be from 0 to 2, and got 3"),
        (lambda: car(scale=(1, 2, 3)), "the scale must be a number or have the shape (2,)"),
        (
            lambda: CopycatWrapper(Screen(), scale=(1, 2)),
            "the scale must be a number or have the shape (24, 16, 3)",
        ),
        (lambda: CopycatWrapper(gymnasium.make("FrozenLake-v1"), sigma=1.5), "take one in [0, 1]"),
        (
            lambda: CopycatWrapper(gymnasium.make("MountainCarContinuous-v0")),
            "actions that are Discrete",
        ),
        (lambda: CopycatWrapper(no_numbers()), "observations that are a Box, or Discrete"),
        (
            lambda: ScatteredStart(gymnasium.make("CartPole-v1")),
            "only MountainCar-v0 can begin anywhere",
        ),
        (lambda: copycat_log(car(), expert, 0, 0), "rows must be a whole number of at least 1"),
        (lambda: estimated_value(car(), expert, 1, 0), "2 episodes or more"),
        (lambda: CopycatCar().dial(2.0), "the dial goes from 0 to 1, and got 2.0"),
    ],
)
def test_what_a_copycat_cannot_do_is_refused(request_: Callable[[], object], text: str) -> None:
    assert text in refused(request_)


# Logs and values.


def expert(observations: Array) -> Array:
    return drive(observations[:, 1])


def scattered(**settings: Any) -> CopycatWrapper:
    return CopycatWrapper(
        ScatteredStart(gymnasium.make("MountainCar-v0")), sigma=0.5, scale=SCALE, **settings
    )


def test_a_log_is_the_experts_and_shows_what_the_wrapper_shows(tmp_path: Path) -> None:
    env = scattered()
    log = copycat_log(env, expert, 700, seed=2)
    clean = log.latents["clean"]
    assert (len(log), log.horizon, log.observation_space, log.action_space) == (
        700,
        200,
        env.observation_space,
        env.action_space,
    )
    assert np.array_equal(log.columns["action"], expert(clean))
    start = log.columns["step"] == 0
    shown = log.columns["observation"][:, 2:].argmax(1)
    assert (shown[start] == 1).all()
    assert np.array_equal(shown[1:][~start[1:]], log.columns["action"][:-1][~start[1:]])
    assert np.array_equal(
        log.columns["observation"][1:][~start[1:]], log.columns["next_observation"][:-1][~start[1:]]
    )
    ends = log.columns["terminated"] | log.columns["truncated"]
    assert np.array_equal(ends, np.append(start[1:], True))
    assert np.ptp(clean[start, 0]) > 1.0
    assert copycat_log(scattered(), expert, 700, seed=2).content_hash == log.content_hash
    path = log.save(tmp_path / "car.arrow")
    assert Log.load(path).content_hash == log.content_hash
    assert np.array_equal(load_latents(path)["clean"], clean)
    assert "clean" not in log.view(np.random.default_rng(0)).columns


@pytest.mark.parametrize("mode", ["confounded", "off"])
def test_agents_learn_from_the_log_and_act_in_the_environment(mode: str) -> None:
    env, rng = scattered(mode=mode), np.random.default_rng(0)
    policy = make_agent("bc:updates=20").learn(copycat_log(env, expert, 300, seed=0).view(rng), rng)
    found = estimated_value(
        env, lambda observations: policy.probabilities(observations).argmax(1), 3, seed=0
    )
    assert -200 <= found.value < 0


def test_values_are_paired_and_have_a_standard_error() -> None:
    def by_velocity(observations: Array) -> Array:
        return drive(observations[:, 1])

    one, other, again = (
        estimated_value(scattered(mode=mode), by_velocity, 20, 4)
        for mode in ("off", "confounded", "off")
    )
    assert one == other == again
    assert one.std_error > 0
    assert estimated_value(
        car(), lambda observations: np.ones(len(observations), dtype=int), 2, 0
    ) == (-200.0, 0.0, False)
    clean = estimated_value(car(mode="off"), expert, 60, 0)
    assert clean.value == pytest.approx(-119.3, abs=3 * clean.std_error + 0.1)


# The world.


@pytest.mark.parametrize("scatter", [0, 1])
def test_the_world_is_gymnasiums_car(scatter: int) -> None:
    world = CopycatCar(sigma=0.0).do(anywhere=scatter)
    columns = world.sample(8, np.random.default_rng(0))
    env = car()
    for unit in range(8):
        observation, _ = env.reset(seed=0)
        start = np.array([columns["position"][unit, 0], columns["velocity"][unit, 0]])
        env.unwrapped.state = start  # type: ignore[attr-defined]
        seen: Array = np.append(start, observation[2:])
        for step in range(world.horizon):
            wanted = [
                columns[name][unit, step] for name in ("seen_position", "seen_velocity", "lamp")
            ]
            assert [*seen[:2], seen[2:].argmax()] == pytest.approx(wanted, abs=1e-6)
            seen, reward, terminated, truncated, _ = env.step(columns["push"][unit, step])
            assert reward == columns["time"][unit, step]
            assert terminated == columns["arrived"][unit, step]
            if terminated or truncated:
                break


def test_the_lamp_confuses() -> None:
    model = CopycatCar()
    found, control = (references(one, one.deployed()) for one in (model, model.control()))
    assert found["j_behaviour"] == pytest.approx(-119.3, abs=0.5)
    assert found["j_causal"] == pytest.approx(-145.4, abs=4)
    assert found["j_confused"] == pytest.approx(-185.7, abs=11.7)
    assert control["j_confused"] == pytest.approx(control["j_causal"], abs=5)
    assert found["j_worst"] == -200
    assert all(np.isnan(found[name]) for name in ("j_best", "j_intent", "promised"))


def test_the_world_is_run_by_estimates() -> None:
    rows = Run("CopycatCar-v0:horizon=2", "bc:updates=20", "observe", 300, 0).rows()
    assert [row["world"] for row in rows] == ["", *CopycatCar().shifts()]
    assert all((row["status"], row["exact"]) == ("ok", False) for row in rows)
