"""The engine in odd models:

untaken actions, odd supports and types, values from outside, copies; and in many random models.
"""

import copy
import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from pushforward import joints

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Distribution,
    Exactly,
    InputError,
    TooLargeError,
    World,
    action,
    context,
    distribution,
    expectation,
    latent,
    logged,
    reward,
    uniform_policy,
    value,
    values,
)
from dosuite.causal.exact import step_table
from dosuite.envs import CausalEnv, CausalVectorEnv, choices, collect, make_model
from dosuite.envs.spaces import action_space


class Never(World):
    """The behaviour policy never takes action 0, which is the better one."""

    @action
    def lever(self) -> Exactly:
        return Exactly(1)

    @logged
    def spark(self, lever: Array) -> Exactly:
        return Exactly(1 - lever)

    @logged
    def noise(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def gain(self, spark: Array, noise: Array) -> Exactly:
        return Exactly(10.0 * spark + noise)


@pytest.mark.parametrize("paired", [False, True])
def test_what_the_log_never_has_can_be_done(paired: bool) -> None:
    model = Never()
    assert value(model, np.array([[1.0, 0.0]])) == 10.5 == value(model.do(lever=0))
    assert model.causal_policy().tolist() == [[1.0, 0.0]]
    env = CausalVectorEnv(model, 1000, paired=paired)
    env.reset(seed=0)
    _, rewards, *_, infos = env.step(np.zeros(1000, dtype=int))
    assert set(rewards) == {10.0, 11.0}
    assert (infos["final_info"]["spark"] == 1).all()
    log = collect(model, 1000, 0, "intervene").columns
    assert np.array_equal(log["spark"], 1 - log["action"])


class Rounded(World):
    """A value that is written in two ways, 0.3 and 0.1 + 0.2, is one value."""

    horizon: int = 2

    @latent.starting(Exactly(0.3))
    def x(self, x_tm1: Array) -> Categorical:
        return Categorical(np.array([0.5, 0.5]), np.array([0.1 + 0.2, 1.0]))

    @action
    def a(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def r(self, x: Array, a: Array) -> Exactly:
        return Exactly(x + 0 * a)


def test_a_value_with_rounding_is_counted_once() -> None:
    assert expectation(Rounded(), "r", step=1) == pytest.approx(0.65)
    assert value(Rounded()) == pytest.approx(0.95)
    assert distribution(Rounded(), "x", step=1) == pytest.approx([0.5, 0.5])


class Bytes(World):
    """Small integers, whose products would not fit into a byte."""

    @latent
    def u(self) -> Categorical:
        return Categorical(np.full(20, 0.05), np.arange(20, dtype=np.int8))

    @latent
    def w(self) -> Categorical:
        return Categorical(np.full(20, 0.05), np.arange(20, dtype=np.int8))

    @action
    def a(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def z(self, u: Array, w: Array, a: Array) -> Exactly:
        return Exactly(100.0 * u + w + 0.5 * a)


def test_small_integers_do_not_overflow() -> None:
    sample = Bytes().sample(1000, np.random.default_rng(0))
    assert np.array_equal(sample["z"], 100.0 * sample["u"] + sample["w"] + 0.5 * sample["a"])


@pytest.mark.parametrize("known", [{"u": -1}, {"a": 2}, {"u": 25}, {"u": 1.0}, {"w": 0.5}], ids=str)
def test_values_that_the_model_never_takes_reach_the_mechanism(known: dict[str, float]) -> None:
    ids = np.arange(3, dtype=np.uint64)
    step = Bytes().step(ids, 0, None, {name: np.full(3, what) for name, what in known.items()})
    assert np.array_equal(step["z"], 100.0 * step["u"] + step["w"] + 0.5 * step["a"])


@pytest.mark.parametrize("paired", [False, True])
def test_a_copy_in_the_middle_of_an_episode_goes_on_alike(paired: bool) -> None:
    env = CausalEnv("ConfoundedRiver-v0", paired=paired)
    env.reset(seed=3)
    for _ in range(7):
        env.step(1)
    others = copy.deepcopy(env), pickle.loads(pickle.dumps(env))
    for _ in range(300):
        step = env.step(1)
        assert all(other.step(1) == step for other in others)
        if step[3]:
            assert len({*map(str, (env.reset(), *(other.reset() for other in others)))}) == 1


def test_samples_are_not_the_models_own_arrays() -> None:
    class Constant(Never):
        @logged
        def noise(self) -> Exactly:
            return Exactly(np.array([3]))

    drawn = Constant().sample(1, np.random.default_rng(0))
    for column in drawn.values():
        if column.flags.writeable:
            column[...] = 77
    assert Constant().sample(1, np.random.default_rng(0))["gain"] == [3.0]


def test_rewards_by_table_are_not_rounded() -> None:
    for pay in (2 / 3, 2e-13):
        env = CausalEnv(Never().do(gain=pay))
        env.reset(seed=0)
        assert env.step(1)[1] == pay


class Diary(World):
    """Remembers every move: eight times as many states after each step."""

    horizon: int = 6

    @context.starting(Exactly(0))
    def page(self, page_tm1: Array, move_tm1: Array) -> Exactly:
        return Exactly(page_tm1 * 8 + move_tm1)

    @action
    def move(self) -> Categorical:
        return Categorical(np.full(8, 1 / 8))

    @reward
    def joy(self, page: Array, move: Array) -> Exactly:
        return Exactly(1.0 * (page % 8 == move))


def test_a_table_that_grows_too_large_is_refused_on_the_way() -> None:
    with pytest.raises(TooLargeError, match="needs more than 262144 cells"):
        step_table(Diary(), 8)


def test_worlds_of_one_policy_have_the_same_contexts() -> None:
    one, other = (
        make_model("SimpsonClinic-Sighted-v0"),
        make_model("SimpsonClinic-Sighted-v0:study=Berkeley"),
    )
    with pytest.raises(InputError, match="must have the same contexts"):
        values([one, other], uniform_policy(one))
    assert values([], uniform_policy(one)).shape == (0,)


# Random models.

SUPPORTS = ([0, 1], [0, 1, 2], [-1, 1], [0.5, 1.5, 2.0], [3], [0, 0.1 + 0.2, 1 / 3], [0, 2])


@dataclass(frozen=True)
class Drawn:
    """A mechanism with a random table, over whatever values its causes have."""

    causes: tuple[str, ...]
    role: str
    values: tuple[float, ...]
    seed: int
    starting: Any = None

    def __call__(self, *causes: Array) -> Distribution:
        codes = [np.round(np.asarray(cause, float) * 6).astype(int) % 5 for cause in causes]
        place = (
            np.ravel_multi_index(tuple(codes), (5,) * len(codes))
            if codes
            else np.zeros(1, dtype=int)
        )
        rng = np.random.default_rng(self.seed)
        p = rng.dirichlet(np.full(len(self.values), 0.6), size=5 ** len(codes))
        p[rng.random(len(p)) < 0.2] = np.eye(len(self.values))[0]
        return Categorical(p[place], np.array(self.values))


def random_model(seed: int) -> World:
    """Four to six variables with random roles, causes now and one step earlier, and laws."""
    rng = np.random.default_rng(seed)
    names = [f"v{i}" for i in range(rng.integers(4, 7))]
    horizon, acted = int(rng.choice([1, 2, 3])), int(rng.integers(1, len(names) - 1))
    body: dict[str, Any] = {
        "__module__": __name__,
        "__annotations__": {"horizon": int},
        "horizon": horizon,
    }
    for i, name in enumerate(names):
        role = (
            "action"
            if i == acted
            else "reward"
            if i == len(names) - 1
            else str(rng.choice(["latent", "logged", "context"]))
        )
        role = "logged" if role == "context" and i > acted else role
        support = (
            [0, 1, 2][: rng.integers(2, 4)]
            if role == "action"
            else SUPPORTS[rng.integers(len(SUPPORTS))]
        )
        now = tuple(other for other in names[:i] if rng.random() < 0.4)
        lags = tuple(f"{other}_tm1" for other in names if horizon > 1 and rng.random() < 0.25)
        first = (
            Categorical(rng.dirichlet(np.ones(len(support))), np.array(support)) if lags else None
        )
        body[name] = Drawn((*now, *lags), role, tuple(support), int(rng.integers(2**31)), first)
    return type(f"Random{seed}", (World,), body)()  # type: ignore[no-any-return]


@pytest.mark.parametrize("seed", range(60))
def test_in_random_models_the_table_is_the_models_law_and_so_are_paired_steps(seed: int) -> None:
    model = random_model(seed)
    actions = choices(action_space(model))
    acted = model.do(**{model.action: Categorical(np.full(actions, 1.0 / actions))})
    names = (*model.contexts, model.action, *model.names("logged"), model.reward)
    for step, joint in enumerate(joints(model, step_table(model, actions), model.horizon)):
        exact = distribution(acted, *names, step=step)
        assert exact.sum() == pytest.approx(1.0)
        assert joint == pytest.approx(exact, abs=1e-8)
    sample = acted.sample(20_000, np.random.default_rng(seed))
    rewards = sample[model.reward].reshape(20_000, -1)
    for step in range(model.horizon):
        support, mean = model.tables.support(model.reward), rewards[:, step].mean()
        assert (
            abs(mean - expectation(acted, model.reward, step=step))
            < 5 * np.ptp(support) / 2 / np.sqrt(20_000) + 1e-9
        )
