"""The laws of confounded environments:

the control is the plain environment, the twin has the log of the world, and nothing leaks.
"""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv
from refusals import refused
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3

from dosuite.causal import Array
from dosuite.envs import (
    CLASSICS,
    Behaviour,
    Bonus,
    Confounded,
    Driver,
    Log,
    Wind,
    confounded_log,
    experiment_log,
    from_minari,
    load_latents,
    make_classic,
    to_minari,
)

Env = gymnasium.Env[Any, Any]
LEAN = Behaviour(
    lambda o: (o @ np.array([0.1, 0.2, 1, 0.5]) > 0).astype(int), (0, 1), follow=0.5, noise=0.1
)
TURN = Behaviour(lambda o: -o[:, 2:], leaning=0.8, noise=0.5)
LASTING = Driver("normal", persistence=0.6)

MAKERS: dict[str, Callable[..., Confounded]] = {
    "bonus": lambda **dial: Confounded(
        "CartPole-v1", bonus=Bonus(2.0, 0.5), behaviour=LEAN, **dial
    ),
    "wind on actions": lambda **dial: Confounded(
        "CartPole-v1", driver=LASTING, wind=Wind(0.5, (0, 1)), behaviour=LEAN, **dial
    ),
    "gauge": lambda **dial: Confounded("CartPole-v1", gauge=(1, 3), behaviour=LEAN, **dial),
    "Box": lambda **dial: Confounded(
        "Pendulum-v1", bonus=Bonus(2.0), wind=Wind(0.5), behaviour=TURN, **dial
    ),
}


def classic(name: str) -> Callable[..., Confounded]:
    def make(**dial: Any) -> Confounded:
        if CLASSICS[name].extra:
            pytest.importorskip(MODULES[CLASSICS[name].extra], reason="an extra that is not here")
        return make_classic(name, **dial)

    return make


MODULES = {"box2d": "Box2D", "mujoco": "mujoco", "minigrid": "minigrid"}
EVERY = MAKERS | {name: classic(name) for name in CLASSICS}
every_env = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


def trajectory(env: Env, actions: list[Any], seed: int = 3) -> list[Any]:
    """Observations, rewards and flags of these actions, and anew where an episode ends."""
    steps: list[Any] = [env.reset(seed=seed)[0]]
    for action in actions:
        observation, reward, terminated, truncated, _ = env.step(action)
        steps.append((observation, reward, terminated, truncated))
        if terminated or truncated:
            steps.append(env.reset()[0])
    return steps


def some_actions(env: Env, count: int, seed: int = 0) -> list[Any]:
    env.action_space.seed(seed)
    return [env.action_space.sample() for _ in range(count)]


def equal(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(a, b) if isinstance(a, np.ndarray) else _equal_steps(a, b)
        for a, b in zip(one, other, strict=True)
    )


def _equal_steps(one: Any, other: Any) -> bool:
    return np.array_equal(one[0], other[0]) and one[1:] == other[1:]


@every_env
def test_at_strength_0_it_is_the_plain_environment(make: Callable[..., Confounded]) -> None:
    env = make(strength=0.0)
    actions = some_actions(env, 60)
    confounded = trajectory(env, actions)
    assert equal(confounded, trajectory(env.env, actions))
    if env.bonus or env.wind or len(env.gauge):
        assert not equal(confounded, trajectory(make(), actions))


@every_env
def test_equal_seeds_give_equal_trajectories(make: Callable[..., Confounded]) -> None:
    actions = some_actions(make(), 40)
    assert equal(trajectory(make(), actions), trajectory(make(), actions))
    assert not equal(trajectory(make(), actions), trajectory(make(), actions, seed=4))


@every_env
def test_the_driver_does_not_depend_on_actions_or_strength(make: Callable[..., Confounded]) -> None:
    def drivers(env: Confounded, seed: int) -> list[float]:
        env.reset(seed=5)
        found = []
        for action in some_actions(env, 5, seed):
            found.append(env.sight()[-1])
            env.step(action)
        return found

    assert drivers(make(), 0) == drivers(make(strength=0.0), 1)


@every_env
@pytest.mark.filterwarnings("ignore:.*is different from the unwrapped version")
@pytest.mark.filterwarnings("ignore:.*Box observation space m..imum value is -?infinity")
@pytest.mark.filterwarnings("ignore:.*not having a spec", "ignore:.*e recommend")
def test_gymnasium_and_stable_baselines_find_no_fault(make: Callable[..., Confounded]) -> None:
    check_env(make(), skip_render_check=True)
    check_env_for_sb3(make())


@every_env
def test_it_is_vectorised_by_gymnasium(make: Callable[..., Confounded]) -> None:
    envs = SyncVectorEnv([make, make])
    shown, _ = envs.reset(seed=[3, 4])
    single = make()
    assert np.array_equal(shown[0], single.reset(seed=3)[0])
    actions = some_actions(single, 8)
    for action in actions:
        shown, rewards, _, _, info = envs.step(np.stack([action, action]))
        one, reward, terminated, truncated, _ = single.step(action)
        assert rewards[0] == reward
        assert np.array_equal(shown[0], one)
        assert not info
        if terminated or truncated:
            break


@every_env
def test_nothing_tells_of_the_driver(make: Callable[..., Confounded]) -> None:
    """Neither the observation, nor info, nor a log without its latents."""
    env = make()
    assert env.reset(seed=0)[1] == {}
    assert env.step(some_actions(env, 1)[0])[4] == {}
    assert env.observation_space == env.env.observation_space
    log = confounded_log(env, 50, seed=0)
    assert set(log.latents) == {"clean", "driver"}
    assert not {"clean", "driver"} & set(log.columns)
    assert not {"clean", "driver", "propensity", "regime"} & set(log.view(0).columns)


def test_the_first_observation_is_independent_of_the_driver() -> None:
    env = MAKERS["bonus"]()
    rows = []
    for seed in range(500):
        observation, _ = env.reset(seed=seed)
        rows.append([*observation, env.sight()[-1]])
    correlations = np.corrcoef(np.array(rows).T)[-1, :-1]
    assert np.abs(correlations).max() < 4 / np.sqrt(500)


def moments(log: Log) -> Array:
    """Means of products of a reward with actions, and with the reward and action before: (6,)."""
    reward, action = log["reward"], log["action"].astype(float)
    following = log["step"][1:] > 0
    pairs = [reward[1:] * reward[:-1], reward[1:] * action[:-1], action[1:] * reward[:-1]]
    now = [reward * action, action, reward**2 * action]
    return np.array([*(one.mean() for one in now), *(pair[following].mean() for pair in pairs)])


@pytest.mark.parametrize("driver", [Driver(), Driver("bernoulli", 0.6), LASTING], ids=str)
def test_the_twin_has_the_law_of_the_log(driver: Driver) -> None:
    """All moments agree within 4 standard errors, and the experiment tells the two apart."""
    world, twin = (
        Confounded("CartPole-v1", 1.0, driver, Bonus(1.0, 0.5), behaviour=LEAN, twin=is_twin)
        for is_twin in (False, True)
    )
    batches = [
        np.array([moments(confounded_log(env, 150, seed)) for seed in range(start, start + 5)])
        for env, start in ((world, 0), (twin, 100))
    ]
    error = np.sqrt(sum(batch.var(0, ddof=1) / len(batch) for batch in batches))
    assert (np.abs(batches[0].mean(0) - batches[1].mean(0)) < 4 * error).all()
    effects = [_effect(experiment_log(env, 500, 0, "uniform")) for env in (world, twin)]
    assert abs(effects[0]) < 0.4 < effects[1]


def _effect(log: Log) -> float:
    """The mean reward of action 1 minus that of action 0."""
    return float(
        log["reward"][log["action"] == 1].mean() - log["reward"][log["action"] == 0].mean()
    )


def test_the_twin_in_a_box_has_the_law_of_the_log() -> None:
    still = Behaviour(lambda o: np.zeros(len(o)), leaning=0.8, noise=0.5)
    logs = [
        confounded_log(
            Confounded("Pendulum-v1", bonus=Bonus(50.0), behaviour=still, twin=twin), 800, seed
        )
        for twin, seed in ((False, 0), (True, 1))
    ]
    with_action = [np.corrcoef(log["reward"], log["action"])[0, 1] for log in logs]
    assert with_action[0] > 0.7
    assert abs(with_action[0] - with_action[1]) < 0.1


def test_in_the_log_the_bonus_goes_with_the_action_and_in_the_experiment_it_does_not() -> None:
    env = MAKERS["bonus"]()
    assert _effect(confounded_log(env, 500, 0)) > 0.7
    for experimenter in ("placebo", "uniform", lambda o: (o[:, 2] > 0).astype(int)):
        log = experiment_log(env, 500, 0, experimenter)
        assert abs(_effect(log)) < 0.7
        assert set(log["regime"]) == {1}


def test_the_propensity_is_the_frequency_of_the_action() -> None:
    env = Confounded("CartPole-v1", bonus=Bonus(1.0), behaviour=LEAN)
    for log in (confounded_log(env, 600, 0), experiment_log(env, 600, 0)):
        right = np.where(log["action"] == 1, log["propensity"], 1 - log["propensity"])
        for value in np.unique(right.round(9)):
            at = np.isclose(right, value)
            error = np.sqrt(value * (1 - value) / at.sum())
            assert abs(log["action"][at].mean() - value) < 4 * error
    assert np.isnan(confounded_log(MAKERS["gauge"](), 10, 0)["propensity"]).all()
    assert np.isnan(confounded_log(MAKERS["Box"](), 10, 0)["propensity"]).all()
    assert (experiment_log(env, 10, 0, "uniform")["propensity"] == 0.5).all()


def test_a_gauge_shows_nothing_and_the_behaviour_reads_it() -> None:
    log = confounded_log(MAKERS["gauge"](), 300, 0)
    assert (log["observation"][:, [1, 3]] == 0).all()
    assert np.array_equal(log["observation"][:, [0, 2]], log.latents["clean"][:, [0, 2]])
    assert np.abs(log.latents["clean"][:, 3]).mean() > 0.1


@pytest.mark.parametrize("name", ["bonus", "Box"])
def test_a_log_survives_its_file_and_minari(
    name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    log = confounded_log(MAKERS[name](), 60, seed=1)
    assert log.content_hash == confounded_log(MAKERS[name](), 60, seed=1).content_hash
    path = log.save(tmp_path / "log.arrow")
    assert Log.load(path).content_hash == log.content_hash
    assert np.array_equal(load_latents(path)["driver"], log.latents["driver"])
    to_minari(log, "confounded/log-v0")
    assert from_minari("confounded/log-v0").content_hash == log.content_hash


def test_a_driver_has_mean_0_variance_1_and_its_persistence() -> None:
    rng = np.random.default_rng(0)
    for kind in ("bernoulli", "normal"):
        for persistence in (0.0, 0.5, 0.9):
            driver = Driver(kind, persistence)
            now: float | None = None
            values = np.array([now := driver.drawn(now, rng.random()) for _ in range(8000)])
            slack = 4 / np.sqrt(8000 * (1 - persistence) / (1 + persistence))
            assert abs(values.mean()) < slack
            assert abs(values.var() - 1) < 1.5 * slack
            assert abs(np.corrcoef(values[1:], values[:-1])[0, 1] - persistence) < slack
        assert Driver(kind, 1.0).drawn(-0.3 if kind == "normal" else -1.0, 0.99) < 0


def test_a_model_of_stable_baselines_behaves() -> None:
    from stable_baselines3 import A2C

    model = A2C("MlpPolicy", "CartPole-v1", seed=0, device="cpu")
    env = Confounded("CartPole-v1", bonus=Bonus(1.0), behaviour=Behaviour(model, (0, 1), 0.5))
    assert _effect(confounded_log(env, 200, 0)) > 0.5


class Grid(gymnasium.Env[Any, Any]):
    observation_space = spaces.MultiDiscrete([3, 3])
    action_space = spaces.Discrete(2)


def test_what_does_not_fit_is_refused() -> None:
    cases: list[tuple[Callable[[], Any], str]] = [
        (lambda: Confounded(Grid()), "must be a Box or Discrete"),
        (lambda: Confounded("CartPole-v1", 2.0), "strength must be in"),
        (lambda: Confounded("CartPole-v1", gauge=(4,)), "places below 4"),
        (lambda: Confounded("CartPole-v1", wind=Wind(0.5)), "toward two of them"),
        (lambda: Confounded("CartPole-v1", twin=True), "twin for a bonus"),
        (lambda: Confounded("CartPole-v1", bonus=Bonus(1, 1)), "needs the behaviour"),
        (lambda: Confounded("CartPole-v1", behaviour=TURN), "two of its actions"),
        (lambda: Driver("poisson"), "not a driver"),
        (lambda: Driver(persistence=2), "persistence must be in"),
        (lambda: confounded_log(Confounded("CartPole-v1"), 5, 0), "needs a behaviour"),
        (lambda: confounded_log(gymnasium.make("CartPole-v1"), 5, 0), "of a Confounded"),
        (lambda: experiment_log(Confounded("CartPole-v1"), 5, 0), "the experimenter is"),
        (lambda: make_classic("ConfoundedCartPol-v0"), "did you mean"),
    ]
    for call, message in cases:
        assert message in refused(call)
