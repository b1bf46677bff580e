"""Networks that reason about causes:

invariance, the worst domain and instruments; right where theory says so, and wrong there too.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from coloured_shapes import ColouredShapes
from learning import data_of, table
from refusals import refused

from dosuite.agents import Policy, make_agent
from dosuite.agents.networks.encoder import Encoder
from dosuite.agents.networks.training import minibatches
from dosuite.agents.offline.base import Task
from dosuite.agents.offline.deep_iv import WithInstrument, drawn, mixture_loss
from dosuite.agents.offline.domain_risks import WorstLearner, by_domain, penalty
from dosuite.causal import (
    Array,
    Exactly,
    Normal,
    World,
    action,
    context,
    latent,
    logged,
    reward,
    value,
)
from dosuite.causal.exact import do_process
from dosuite.envs import Data, all_observations, collect, make_model

torch.set_num_threads(1)

DAYS, CLINIC, ICE = (
    make_model(f"{name}-v0")
    for name in ("IceCreamShorts-Domains", "TransportClinic", "IceCreamShorts")
)
TRIAL, DISCOUNT, LQ = (
    make_model(f"{name}-v0")
    for name in ("EncourageIV", "IceCreamShorts-DiscountDay", "CorrelatedNoiseLQ")
)
VITAMIN = make_model("EncourageIV-VitaminA-v0:hardy=0.0")
SEEDS = 2
QUICK: dict[str, dict[str, Any]] = {
    "irm": {"updates": 600, "batch": 256, "rate": 3e-3},
    "group-dro": {"updates": 400, "batch": 256, "rate": 3e-3, "eta": 0.05},
    "deep-iv": {"updates": 500, "hidden": 32, "tau": 0.01, "rate": 3e-3},
}

logs = cache(data_of)


def rngs(seeds: int = SEEDS) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(seeds)]


def learned(name: str, model: World, rows: int = 30_000, **settings: Any) -> list[Any]:
    agent: Any = make_agent(name, **{**QUICK[name], **settings})
    return list(
        agent.learn_all(
            [logs(model, rows, agent.needs, seed=seed) for seed in range(SEEDS)], rngs()
        )
    )


def believed(policy: Policy, model: World) -> Array:
    values = policy.action_values(all_observations(model))
    assert values is not None
    return values


def earned(policies: Sequence[Policy], model: World) -> list[float]:
    world = model.deployed()
    return [value(world, table(policy, world)) for policy in policies]


# Domains.


def test_what_is_invariant_names_the_shape_and_the_worst_domain_the_colour() -> None:
    assert earned(learned("irm", ColouredShapes()), ColouredShapes()) == pytest.approx(
        [0.75] * SEEDS
    )
    assert earned(learned("group-dro", ColouredShapes()), ColouredShapes()) == pytest.approx(
        [0.1] * SEEDS
    )
    assert earned(
        learned("irm", ColouredShapes(), penalty=0.0, updates=200), ColouredShapes()
    ) == pytest.approx([0.1] * SEEDS)


def test_where_nothing_is_invariant_only_the_worst_domain_tells() -> None:
    """The effects have equal risks in all domains, and on days without a choice no predictor has a
    smaller one.
    """
    worst, none = learned("group-dro", DAYS), learned("irm", DAYS)
    for policy in worst:
        assert believed(policy, DAYS) == pytest.approx(do_process(DAYS).reward, abs=0.06)
        assert np.array_equal(table(policy, DAYS), DAYS.causal_policy())
    for policy in none:
        assert np.ptp(believed(policy, DAYS)) < 0.05
        assert policy.note == "domains: 3"


@pytest.mark.parametrize("name", ["irm", "group-dro"])
def test_who_does_not_see_what_differs_is_wrong_in_the_other_clinic(name: str) -> None:
    for policy in learned(name, CLINIC, 5_000, updates=200):
        assert np.array_equal(table(policy, CLINIC), CLINIC.confused_policy())
        assert policy.note == "domains: 1"
    sighted = make_model("TransportClinic-Sighted-v0")
    for policy in learned(name, sighted, 5_000, updates=200):
        assert np.array_equal(table(policy, sighted), sighted.deployed().causal_policy())


def test_an_experiment_is_a_domain_and_its_risk_the_largest() -> None:
    data = collect(ICE, 20_000, 5, "mixed", 0.2).view(np.random.default_rng(0), labels=True)
    policy = make_agent("group-dro", **QUICK["group-dro"]).learn(data, np.random.default_rng(0))
    assert policy.note == "domains: 2"
    assert np.array_equal(table(policy, ICE), ICE.causal_policy())


def test_the_penalty_is_the_squared_slope_of_the_risk_in_a_factor() -> None:
    draw = torch.Generator().manual_seed(0)
    predicted, paid = (torch.randn(2, 3, 8, generator=draw) for _ in range(2))
    factor = torch.ones(2, 3, 2, requires_grad=True)  # one for each half of the rows
    for half in (0, 1):
        ((factor[..., half, None] * predicted[..., half::2] - paid[..., half::2]) ** 2).mean(
            -1
        ).sum().backward()  # type: ignore[no-untyped-call]
    assert factor.grad is not None
    assert torch.allclose(penalty(predicted, paid), factor.grad.prod(-1), atol=1e-6)


def test_weights_go_to_the_worst_domain_exponentially() -> None:
    data = data_of(DAYS, 200)
    learner = WorstLearner(
        Task([data], rngs(1), Encoder(data.observation_space, 4, torch.device("cpu")), [4, 4]),
        eta=0.3,
    )
    risk = torch.tensor([[0.5, 2.0, 1.0]])
    paid = risk.sqrt()[..., None].expand(1, 3, 4)
    for times in (1, 2):
        weights = (0.3 * times * risk).softmax(-1)
        assert torch.allclose(learner.loss(torch.zeros(1, 3, 4), paid), (weights * risk).sum(-1))
        assert torch.allclose(learner.weights, weights)


def test_every_row_is_in_one_domain() -> None:
    data = collect(DAYS, 2_000, 5, "mixed", 0.2).view(np.random.default_rng(0), labels=True)
    parts = by_domain(data)
    assert sum(map(len, parts)) == len(data)
    seen = [
        {(int(a), int(b)) for a, b in zip(part["domain"], part["regime"], strict=True)}
        for part in parts
    ]
    assert all(len(labels) == 1 for labels in seen)
    assert len(set.union(*seen)) == len(parts) == 6


# Instruments.


class Dosage(World):
    """The dose that is best for a patient grows with his weight;

    the ill get more, and cost more. The supply moves the dose alone.
    """

    action_bounds: ClassVar[tuple[float, float]] = (-4.0, 6.0)

    @context
    def weight(self) -> Normal:
        return Normal(0.0, 1.0)

    @logged
    def supply(self) -> Normal:
        return Normal(0.0, 1.0)

    @latent
    def illness(self) -> Normal:
        return Normal(0.0, 1.0)

    @action
    def dose(self, weight: Array, supply: Array, illness: Array) -> Exactly:
        return Exactly(1.0 + 0.5 * weight + supply + illness)

    @reward
    def health(self, weight: Array, dose: Array, illness: Array) -> Normal:
        return Normal(-((dose - 1.0 - 0.5 * weight) ** 2) - 4.0 * illness, 0.3)


@pytest.mark.parametrize("world", [TRIAL, DISCOUNT], ids=["Trial", "DiscountDay"])
def test_the_response_is_the_effect_where_it_is_the_same_for_all(world: World) -> None:
    for policy in learned("deep-iv", world):
        assert believed(policy, world) == pytest.approx(do_process(world).reward, abs=0.04)
        assert np.array_equal(table(policy, world), world.causal_policy())
        assert policy.note.startswith("instrument ")


def test_the_response_of_those_whom_the_instrument_moves_is_not_that_of_all() -> None:
    for policy in learned("deep-iv", VITAMIN, 100_000):
        assert np.array_equal(table(policy, VITAMIN), VITAMIN.confused_policy())
        assert not np.array_equal(table(policy, VITAMIN), VITAMIN.causal_policy())


def test_the_best_dose_is_found_though_the_ill_get_more() -> None:
    weight = np.linspace(-1.5, 1.5, 50, dtype=np.float32)[:, None]
    for policy in learned("deep-iv", Dosage(), updates=800, components=3):
        dose = policy.act(weight, np.random.default_rng(0))
        assert (
            abs(dose - 1.0 - 0.5 * weight[:, 0]).mean() < 0.5
        )  # 1.0 where illness is taken for an effect of the dose


def test_the_law_of_a_number_is_a_mixture_of_normals() -> None:
    draw = torch.Generator().manual_seed(0)
    outputs, actions = torch.randn(2, 5, 9, generator=draw), torch.randn(2, 5, generator=draw)
    logits, mean, spread = outputs.chunk(3, -1)
    normals = torch.distributions.Normal(mean, torch.nn.functional.softplus(spread) + 1e-3)
    law = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=logits), normals
    )
    expected = -law.log_prob(actions).mean(-1) - np.log(2 * np.pi) / 2  # type: ignore[no-untyped-call]
    assert torch.allclose(mixture_loss(outputs, actions), expected, atol=1e-5)
    numbers = torch.rand(2, 5, 40_000, generator=draw), torch.randn(2, 5, 40_000, generator=draw)
    found = drawn(outputs, *numbers)
    assert torch.allclose(found.mean(-1), law.mean, atol=0.05)
    assert torch.allclose(found.var(-1), law.variance, rtol=0.05)


def test_two_draws_have_on_average_the_error_of_the_mean_response() -> None:
    data = data_of(Dosage(), 50, frozenset({"graph"}))
    log = WithInstrument(data.observation_space).log(data, "supply")
    encoder = Encoder(log.observation_space, 10, torch.device("cpu"))
    learner: Any = make_agent("deep-iv", hidden=8)._learner(Task([log], rngs(1), encoder, [8, 8]))  # type: ignore[attr-defined]
    batch = next(minibatches([log], rngs(1), 1, 10, encoder))
    seen, paid = (
        batch.observation.expand(4_000, -1, -1).flatten(0, 1)[None],
        torch.randn(10, generator=torch.Generator().manual_seed(0)),
    )
    with torch.no_grad():
        found = learner._draw_loss(seen, paid.repeat(4_000)[None])
        actions = drawn(learner.mean_law(seen), torch.rand(1, 40_000, 1), torch.randn(1, 40_000, 1))
        response = (
            learner.response(torch.cat([seen[..., :-1], actions], -1)).reshape(4_000, 10).mean(0)
        )
    assert float(found) == pytest.approx(float(((paid - response) ** 2).mean()), abs=0.02)


def test_an_instrument_stands_beside_what_is_seen() -> None:
    data = data_of(DISCOUNT, 50, frozenset({"graph"}))
    log = WithInstrument(data.observation_space).log(data, "discount_day")
    assert log["observation"].shape == (50, 2)
    assert np.array_equal(log["observation"][:, 1], data["discount_day"])


def test_without_an_instrument_it_plays_uniformly_or_says_so() -> None:
    for world, why in (
        (ICE, "no instrument"),
        (make_model("ConfoundedRiver-v0"), "instruments are used in one step only"),
    ):
        policy = make_agent("deep-iv").learn(
            data_of(world, 500, frozenset({"graph"})), np.random.default_rng(0)
        )
        assert policy.note == f"{why}: plays uniformly"
    data = replace(data_of(Dosage(), 50, frozenset({"graph"})), logged=())
    line = refused(lambda: make_agent("deep-iv").learn(data, np.random.default_rng(0)))
    assert line == "deep-iv: no instrument, and the uniform policy has no table here"


# A seed among others.


def conduct(policy: Policy, model: World) -> Array:
    if model.action_bounds:
        return policy.act(
            np.linspace(-2, 2, 50, dtype=np.float32)[:, None], np.random.default_rng(0)
        )
    return believed(policy, model)


CASES: list[tuple[str, World]] = [
    ("irm", DAYS),
    ("group-dro", ColouredShapes()),
    ("deep-iv", DISCOUNT),
    ("deep-iv", Dosage()),
]
every_case = pytest.mark.parametrize(
    ("name", "model"), CASES, ids=[f"{name}-{type(model).__name__}" for name, model in CASES]
)


def few_logs(name: str, model: World) -> tuple[Any, list[Data]]:
    agent: Any = make_agent(name, updates=5, batch=20, hidden=8)
    return agent, [data_of(model, 300 + seed, agent.needs, seed=seed) for seed in range(3)]


@every_case
def test_a_seed_learns_the_same_alone_as_among_others(name: str, model: World) -> None:
    agent, some = few_logs(name, model)
    if name == "irm":
        day = some[1]["domain"] == 0
        some[1] = replace(
            some[1], columns={key: column[day] for key, column in some[1].columns.items()}
        )  # one domain alone
    together = agent.learn_all(some, rngs(3))
    for seed, rng in enumerate(rngs(3)):
        assert np.array_equal(
            conduct(together[seed], model), conduct(agent.learn(some[seed], rng), model)
        )
    assert not np.array_equal(conduct(together[0], model), conduct(together[2], model))


@every_case
def test_a_seed_that_diverges_costs_no_other(name: str, model: World) -> None:
    agent, some = few_logs(name, model)
    some[1]["reward"][:] = np.nan
    together = agent.learn_all(some, rngs(3))
    assert isinstance(together[1], FloatingPointError)
    for seed in (0, 2):
        assert np.array_equal(
            conduct(together[seed], model), conduct(agent.learn(some[seed], rngs(3)[seed]), model)
        )


# Imitation.


def test_a_clone_with_a_lagged_instrument_has_the_gain_of_the_expert() -> None:
    data, model = data_of(LQ, 100_000), LQ
    gains = {
        lag: make_agent("lagged-iv", lag=lag).learn(data, np.random.default_rng(0)).gain  # type: ignore[attr-defined]
        for lag in (0, 5, 10)
    }
    assert gains[10] == pytest.approx([*model.expert, 0.0], abs=0.25)  # type: ignore[attr-defined]
    for lag, gain in gains.items():
        assert gain == pytest.approx(
            [*model.regressed_gain(lag), 0.0],  # type: ignore[attr-defined]
            abs=0.25 if lag == 10 else 0.05,
        )


def test_a_lag_is_no_longer_than_an_episode() -> None:
    data = data_of(make_model("CorrelatedNoiseLQ-v0:horizon=4"), 400)
    assert (
        make_agent("lagged-iv").learn(data, np.random.default_rng(0)).note
        == "the instrument is 3 steps earlier"
    )
    data = replace(
        data, columns={name: column[data["step"] < 2] for name, column in data.columns.items()}
    )
    line = refused(lambda: make_agent("lagged-iv").learn(data, np.random.default_rng(0)))
    assert line == "lagged-iv: no episode of the log is longer than 3 steps; give a smaller lag"


# What is refused.


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("irm:updates=0", "irm: updates must be at least 1, and is 0"),
        (
            "irm:penalty=-1",
            "irm: penalty must be at least 0 and annealing from 0 to 1, and are -1.0 and 0.4",
        ),
        (
            "irm:annealing=2",
            "irm: penalty must be at least 0 and annealing from 0 to 1, and are 1000.0 and 2.0",
        ),
        ("group-dro:eta=-1", "group-dro: eta must be at least 0, and is -1.0"),
        ("deep-iv:components=0", "deep-iv: components must be at least 1, and is 0"),
        ("deep-iv:tau=0", "deep-iv: tau must be above 0 and at most 1, and is 0.0"),
        ("lagged-iv:lag=-1", "lagged-iv: lag must be at least 0, and is -1"),
    ],
)
def test_settings_out_of_range_are_refused(text: str, line: str) -> None:
    assert refused(lambda: make_agent(text)) == line
