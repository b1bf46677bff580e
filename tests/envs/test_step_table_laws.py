"""The laws of the engine:

a step by table is the step of the model, in law exactly and in its noise the same for one unit and
for many.
"""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from countable import TABULAR
from places import THROWAWAY_FILE
from pushforward import joints, probabilities

from dosuite.causal import (
    Array,
    Categorical,
    Exactly,
    NotDiscreteError,
    TooLargeError,
    World,
    action,
    context,
    distribution,
    latent,
    reward,
    uniform_policy,
    value,
    values,
)
from dosuite.causal.exact import step_table
from dosuite.causal.exact.markov_chain import Chain
from dosuite.causal.exact.step_table import _alias
from dosuite.causal.model import noise
from dosuite.causal.model.tables import Tables
from dosuite.envs import CausalVectorEnv, choices, make_model
from dosuite.envs.gym.by_table import ByTable
from dosuite.envs.gym.by_variable import ByVariable
from dosuite.envs.spaces import action_space

BASES = TABULAR | {
    name: make_model(f"{THROWAWAY_FILE}:{name}")
    for name in ("Relay", "Orchard", "Dawn", "Survivors")
}
MODELS = {
    **BASES,
    **{f"{text}, the intent seen": model.with_intent() for text, model in BASES.items()},
    **{
        f"{text} in {shift}": model.shifted(shift)
        for text, model in BASES.items()
        for shift in model.shifts()
    },
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.mark.long
@every_model
def test_the_table_of_a_step_is_the_models_law(model: World) -> None:
    actions = choices(action_space(model))
    acted = model.do(**{model.action: Categorical(np.full(actions, 1.0 / actions))})
    table = step_table(model, actions)
    steps = min(model.horizon, 4)
    for step, joint in enumerate(joints(model, table, steps)):
        exact = distribution(
            acted, *model.contexts, model.action, *model.names("logged"), model.reward, step=step
        )
        assert joint == pytest.approx(exact, abs=1e-8)


@pytest.mark.long
@every_model
def test_a_variable_that_is_looked_up_is_what_its_mechanism_draws(model: World) -> None:
    plain = replace(model)
    vars(plain)["tables"] = without_lookups = Tables(plain)
    vars(without_lookups.sampling)["lookups"] = {}
    assert model.tables.sampling.lookups
    assert not plain.tables.sampling.lookups
    one, other = (
        model.sample(300, np.random.default_rng(0)),
        plain.sample(300, np.random.default_rng(0)),
    )
    for name in model.variables:
        assert one[name].dtype == other[name].dtype
        assert np.array_equal(one[name], other[name])


def test_a_table_that_is_a_little_wrong_is_noticed() -> None:
    model = make_model("IceCreamShorts-v0")
    wrong = model.do(shorts=Categorical(np.array([0.51, 0.49])))
    exact = distribution(
        model.do(ice_cream=Categorical(np.array([0.5, 0.5]))), "ice_cream", "shorts", "pay"
    )
    assert joints(model, step_table(model, 2), 1)[0] == pytest.approx(exact, abs=1e-8)
    assert joints(wrong, step_table(wrong, 2), 1)[0] != pytest.approx(exact, abs=1e-3)


def test_an_alias_draws_each_outcome_with_its_probability_and_none_that_has_no_weight() -> None:
    rng = np.random.default_rng(0)
    count = rng.integers(1, 40, size=30)
    origin = rng.permutation(np.repeat(np.arange(30), count))
    weight = rng.gamma(0.1, size=len(origin)) * rng.integers(0, 2, size=len(origin))
    weight[np.unique(origin, return_index=True)[1]] = 1.0
    alias = _alias(origin, weight, 30)
    law = np.arange(len(alias.outcome)) // (2 << alias.bits)
    drawn = np.zeros((30, len(origin)))
    np.add.at(drawn, (law, alias.outcome), probabilities(alias.bits, alias.threshold))
    wanted = np.zeros_like(drawn)
    wanted[origin, np.arange(len(origin))] = weight / np.bincount(origin, weight)[origin]
    assert drawn == pytest.approx(wanted, abs=1e-8)
    assert not drawn[wanted == 0].any()


class Ladder(World):
    """A rung more at each step, with other odds on each:

    more rows than an episode can reach would never end.
    """

    horizon: int = 6

    @context.starting(Exactly(0))
    def rung(self, rung_tm1: Array, climb_tm1: Array) -> Exactly:
        return Exactly(rung_tm1 + climb_tm1)

    @action
    def climb(self) -> Categorical:
        return Categorical(np.array([0.5, 0.5]))

    @reward
    def height(self, rung: Array, climb: Array) -> Exactly:
        return Exactly(0.25 * rung + climb)


def test_only_rows_that_an_episode_can_reach_are_in_the_table() -> None:
    table = step_table(Ladder(), 2)
    assert (
        len(table.row) // (2 << table.step.bits) == 2 * 6
    )  # actions, and rungs 0 to 5: one acts on none above
    assert joints(Ladder(), table, 6)[5].shape[0] == 7


class Crowd(World):
    """Too many dice for a table."""

    faces: int = 60

    @latent
    def one(self) -> Categorical:
        return Categorical(np.full(self.faces, 1 / self.faces))

    @latent
    def two(self) -> Categorical:
        return Categorical(np.full(self.faces, 1 / self.faces))

    @latent
    def three(self) -> Categorical:
        return Categorical(np.full(self.faces, 1 / self.faces))

    @action
    def bet(self, one: Array) -> Exactly:
        return Exactly((one > 30).astype(int))

    @reward
    def gain(self, one: Array, two: Array, three: Array, bet: Array) -> Exactly:
        return Exactly(one * 3600 + two * 60 + three - bet)


def test_what_has_no_table_is_refused_by_the_table_and_stepped_by_the_environment() -> None:
    with pytest.raises(TooLargeError, match="the table of a step needs"):
        step_table(Crowd(), 2)
    with pytest.raises(NotDiscreteError):
        step_table(make_model(f"{THROWAWAY_FILE}:Gauge"), 2)
    for model in (Crowd(), make_model(f"{THROWAWAY_FILE}:Gauge")):
        assert isinstance(CausalVectorEnv(model, 3)._units, ByVariable)
    assert isinstance(CausalVectorEnv(Ladder(), 3)._units, ByTable)


def test_paired_worlds_share_all_noise_but_that_of_what_differs() -> None:
    model = make_model("IceCreamShorts-Thermo-v0")
    one, other = (
        CausalVectorEnv(world, 1000, paired=True) for world in (model, model.do(reading=0))
    )
    one.reset(seed=0)
    other.reset(seed=0)
    actions = np.arange(1000) % 2
    assert np.array_equal(one.step(actions)[1], other.step(actions)[1])


def test_words_are_uniform_and_unrelated_between_units_and_steps() -> None:
    words = noise.words(noise.units(np.arange(400), 0), 0, 500)
    high, low = ((words >> np.uint64(shift)) & np.uint64(0xFFFFFFFF) for shift in (32, 0))
    units = [half / 2.0**32 - 0.5 for half in (high, low)]
    several = [
        *units,
        units[0][1:, :] * units[0][:-1, :] * 3.46,
        units[0][:, 1:] * units[0][:, :-1] * 3.46,
        units[0] * units[1] * 3.46,
    ]
    for numbers in several:
        assert abs(numbers.mean()) < 4.5 * np.sqrt(1 / 12 / numbers.size)
    assert np.array_equal(noise.words(noise.units(np.arange(400), 0), 123, 1), words[123:124])
    moved = noise.rewound(noise.units(np.arange(400), 0), 7)
    assert np.array_equal(noise.words(moved, 7, 5), words[:5])


def test_memory_does_not_grow_over_ten_million_steps() -> None:
    env = CausalVectorEnv(make_model("IceCreamShorts-v0", horizon=8), 10_000)
    env.reset(seed=0)
    actions = np.zeros(10_000, dtype=np.int64)
    used = []
    tracemalloc.start()
    for _ in range(2):
        for _ in range(500):
            env.step(actions)
        used.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert used[1] - used[0] < 2**14


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 10])
def test_values_by_doubling_are_values_step_by_step(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = replace(BASES["Relay"], horizon=steps)
    policies = np.random.default_rng(0).dirichlet(
        [1, 1], size=(5, *uniform_policy(model).shape[:1])
    )
    doubled = Chain(model, open_loop=True).values(policies)
    monkeypatch.setattr("dosuite.causal.exact.markov_chain.SMALL", 0)
    assert Chain(model, open_loop=True).values(policies) == pytest.approx(doubled, abs=1e-14)


@pytest.mark.parametrize(
    "text",
    ["ConfoundedRiver-v0", "ConfoundedRiver-MarkovRiver-v0", "IceCreamShorts-Thermo-v0", "Relay"],
)
def test_values_in_several_worlds_are_those_in_each(text: str) -> None:
    model = BASES[text]
    policy = np.random.default_rng(0).dirichlet([1, 1], size=uniform_policy(model).shape[0])
    worlds = [model, *(model.shifted(name) for name in model.shifts())]
    for several in (worlds, [*worlds, replace(model, horizon=3)]):
        assert values(several, policy) == pytest.approx(
            [value(world, policy) for world in several], abs=1e-13
        )
