"""The laws of logs:

they follow the model's law, say who acted with what propensity, and equal seeds give equal ones.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from countable import is_countable, is_tabular
from gymnasium.spaces import Box
from recorded import ICE, MODELS, RELAY, SEED, every_model, log_of
from scipy.stats import binom, kstest, norm

from dosuite.causal import (
    Array,
    Bernoulli,
    InputError,
    World,
    behaviour_policy,
    distribution,
    uniform_policy,
    value,
)
from dosuite.causal.model.distributions import tidy
from dosuite.envs import CausalEnv, Log, as_integer, collect, make_model

DISCRETE = {text: model for text, model in MODELS.items() if is_tabular(model)}
ONE_STEP = {text: model for text, model in DISCRETE.items() if model.horizon == 1}

every_discrete_model = pytest.mark.parametrize("model", DISCRETE.values(), ids=DISCRETE)
every_one_step_model = pytest.mark.parametrize("model", ONE_STEP.values(), ids=ONE_STEP)


# What is recorded.


@every_model
def test_a_log_has_the_columns_that_it_should_and_whole_episodes(model: World) -> None:
    log = log_of(model)
    known = {
        "episode",
        "step",
        "observation",
        "action",
        "reward",
        "next_observation",
        "terminated",
        "truncated",
        "regime",
        "propensity",
    }
    assert log.columns.keys() == known | set(model.names("logged"))
    assert log.latents.keys() == set(model.names("latent"))
    assert {len(column) for column in (*log.columns.values(), *log.latents.values())} == {len(log)}
    episode, step, ended = (
        log.columns["episode"],
        log.columns["step"],
        log.columns["terminated"] | log.columns["truncated"],
    )
    starts = np.append(True, episode[1:] != episode[:-1])
    assert np.unique(episode).tolist() == list(range(200))
    assert (np.diff(episode) >= 0).all()
    assert np.array_equal(step == 0, starts)
    assert np.array_equal(np.append(starts[1:], True), ended)
    goes_on = np.flatnonzero(~ended)
    assert np.array_equal(
        log.columns["next_observation"][goes_on], log.columns["observation"][goes_on + 1]
    )
    assert log.columns["terminated"].any() == (model.horizon == 1 or bool(model.names("terminal")))


@pytest.mark.parametrize(
    "model",
    [m for m in MODELS.values() if not m.burn_in and not m.names("selection")],
    ids=lambda m: type(m).__name__,
)
def test_taking_the_logged_actions_in_the_environment_gives_the_log(model: World) -> None:
    log, env = (
        log_of(model, 30),
        CausalEnv(replace(model, horizon=min(model.horizon, 8)), paired=True),
    )
    for row in range(len(log)):
        columns = {name: column[row] for name, column in log.columns.items()}
        if columns["step"] == 0:
            observation, _ = env.reset(seed=SEED if row == 0 else None)
            assert np.array_equal(observation, columns["observation"])
        if (
            isinstance(env.action_space, Box)
            and not env.action_space.low[0] <= columns["action"] <= env.action_space.high[0]
        ):
            with pytest.raises(InputError, match="the action must be in Box"):
                env.step(columns["action"])
            if model.horizon > 1:
                break
            env.step(env.action_space.low)
            continue
        observation, pay, terminated, truncated, info = env.step(columns["action"])
        assert np.array_equal(observation, columns["next_observation"])
        assert (pay, terminated, truncated) == (
            columns["reward"],
            columns["terminated"],
            columns["truncated"],
        )
        assert info == {name: columns[name] for name in model.names("logged")}


# Exact laws against logs: so many cells at most for each model, and all within the tail that 4
# standard errors would leave to one.
MOST_CELLS = 200
SURPRISE = norm.sf(4.0) / (MOST_CELLS * len(DISCRETE))


def tails(law: Array, counts: Array) -> Array:
    p = law.ravel().clip(0.0, 1.0)
    tail = np.minimum(binom.cdf(counts, counts.sum(), p), binom.sf(counts - 1, counts.sum(), p))
    return np.asarray(tail[(p > 0) | (counts > 0)])


@pytest.mark.long
@every_discrete_model
def test_the_frequencies_of_a_log_follow_the_exact_law(model: World) -> None:
    model = replace(model, horizon=min(model.horizon, 3))
    log = collect(model, 20_000, SEED)
    whole = replace(
        model, horizon=model.horizon + model.burn_in, burn_in=0
    )  # the log begins after the burn-in
    names = (*model.contexts, model.action, *model.names("logged"), model.reward)
    recorded = dict.fromkeys(model.names("selection"), 1)
    found = []
    for step in range(1 + log.columns["step"].max()):
        law = distribution(whole, *names, given=recorded, step=step + model.burn_in)
        rows = {name: column[log.columns["step"] == step] for name, column in log.columns.items()}
        contexts = np.reshape(rows["observation"], (len(rows["step"]), -1)).T
        values = [
            *contexts[: len(model.contexts)],
            rows["action"],
            *(rows[name] for name in model.names("logged")),
            rows["reward"],
        ]
        index = [
            np.searchsorted(model.tables.support(name), tidy(column))
            for name, column in zip(names, values, strict=True)
        ]
        found.append(
            tails(law, np.bincount(np.ravel_multi_index(index, law.shape), minlength=law.size))
        )
    assert sum(map(len, found)) <= MOST_CELLS
    assert min(tail.min() for tail in found) > SURPRISE


def test_a_log_of_a_slightly_different_model_is_a_surprise() -> None:
    law, actions = (
        distribution(ICE, "ice_cream"),
        collect(
            make_model("IceCreamShorts-v0", confounding=0.76).do(ice_cream=Bernoulli(0.52)),
            20_000,
            SEED,
        ).columns["action"],
    )
    assert tails(law, np.bincount(actions, minlength=2)).min() < SURPRISE


def test_after_a_long_burn_in_a_log_starts_from_the_stationary_law() -> None:
    model = MODELS["ConfoundedRiver-MarkovRiver-v0"]
    log = collect(replace(model, horizon=2), 20_000, SEED)
    start = np.bincount(log.columns["observation"][log.columns["step"] == 0], minlength=5)
    later = distribution(replace(model, horizon=402, burn_in=0), "cell", step=400)
    assert tails(later, start).min() > SURPRISE
    assert tails(distribution(model, "cell"), start).min() < SURPRISE


def test_the_rows_of_a_selected_log_are_those_that_selection_keeps() -> None:
    model = MODELS["Survivors"]
    log = collect(model, 5_000, SEED)
    units = model.sample(20_000, np.random.default_rng(0))
    assert (len(log), log.episodes) == (5_000, 5_000)
    assert "recorded" not in log.columns
    assert log.columns["reward"].mean() == pytest.approx(
        units["win"][units["recorded"] == 1].mean(), abs=0.03
    )
    assert log.columns["reward"].mean() > units["win"].mean() + 0.1


# Propensities.


@every_model
def test_the_propensity_is_that_of_the_action_given_the_context_alone(model: World) -> None:
    log = log_of(model)
    if not is_countable(model):
        assert np.isnan(log.columns["propensity"]).all()
        return
    cells = as_integer(log.observation_space, log.columns["observation"])
    policy = behaviour_policy(replace(model, horizon=log.horizon))
    if model.horizon == 1:
        joint = distribution(
            model, *model.contexts, model.action, given=dict.fromkeys(model.names("selection"), 1)
        )
        joint = joint.reshape(-1, joint.shape[-1])
        assert policy[joint.sum(1) > 0] == pytest.approx(
            (joint / joint.sum(1, keepdims=True))[joint.sum(1) > 0], abs=1e-12
        )
    assert log.columns["propensity"] == pytest.approx(
        policy[cells, log.columns["action"]], abs=1e-12
    )


def weighted(log: Log, act: int) -> tuple[float, float]:
    """The mean reward of an action by inverse propensity weighting with the logged propensity, and
    its standard error.
    """
    terms = (log.columns["action"] == act) / log.columns["propensity"] * log.columns["reward"]
    return float(terms.mean()), float(terms.std() / np.sqrt(len(log)))


def naive_and_causal(model: World, act: int) -> tuple[float, float, float]:
    """The sum over contexts of P(context) E[reward | action, context] in the log, the value of
    always taking the action, and
    the standard deviation of one weighted reward."""
    policy = np.tile(np.eye(uniform_policy(model).shape[1])[act], (len(uniform_policy(model)), 1))
    joint = distribution(
        model,
        *model.contexts,
        model.action,
        model.reward,
        given=dict.fromkeys(model.names("selection"), 1),
    )
    joint = joint.reshape(-1, *joint.shape[-2:])
    context, taken, pay = (
        joint.sum((1, 2)),
        joint[:, act].sum(-1),
        model.tables.support(model.reward),
    )
    weight = context / np.where(taken > 0, taken, 1.0)
    naive, square = weight @ (joint[:, act] @ pay), weight**2 @ (joint[:, act] @ pay**2)
    return float(naive), value(model, policy), float(np.sqrt(square - naive**2))


def is_biased(model: World, act: int) -> bool:
    """Whether 100,000 rows can tell naive from causal by 12 standard errors."""
    naive, causal, deviation = naive_and_causal(model, act)
    return bool(abs(naive - causal) > 12 * deviation / np.sqrt(100_000) + 1e-9)


BIASED = {
    f"{text}, action {act}": (model, act)
    for text, model in ONE_STEP.items()
    for act in range(uniform_policy(model).shape[1])
    if is_biased(model, act)
}


def test_most_worlds_are_confounded() -> None:
    assert len({text.partition(",")[0] for text in BIASED}) >= len(ONE_STEP) / 2


@pytest.mark.parametrize(("model", "act"), BIASED.values(), ids=BIASED)
def test_weighting_with_the_logged_propensity_keeps_the_confounding(model: World, act: int) -> None:
    """Whether all comparisons hold within 4 standard errors, corrected for their number."""
    estimate, error = weighted(collect(model, 100_000, SEED), act)
    naive, causal, _ = naive_and_causal(model, act)
    widest = norm.isf(norm.sf(4.0) / len(BIASED)) * error
    assert abs(estimate - naive) < widest + 1e-9
    assert abs(estimate - causal) > widest


# Regimes.


@pytest.mark.parametrize(
    "model",
    [model for model in MODELS.values() if model.action_bounds],
    ids=lambda model: type(model).__name__,
)
def test_an_experimenter_draws_a_number_from_the_bounds_alike(model: World) -> None:
    assert model.action_bounds is not None
    low, high = model.action_bounds
    actions = (
        collect(replace(model, horizon=1, burn_in=0), 10_000, SEED, "intervene").columns["action"]
        - low
    ) / (high - low)
    assert actions.dtype == np.float64
    assert kstest(actions, "uniform").pvalue > norm.sf(4.0)


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_a_mixed_log_says_who_acted_and_with_what_propensity(share: float) -> None:
    log = collect(RELAY, 4_000, SEED, "mixed", share)
    regime, episode = log.columns["regime"], log.columns["episode"]
    first = regime[log.columns["step"] == 0]
    assert abs(first.mean() - share) <= 4 * np.sqrt(share * (1 - share) / 4_000)
    assert np.array_equal(regime, first[episode])
    policies = np.stack([behaviour_policy(RELAY), uniform_policy(RELAY)])
    cells = as_integer(log.observation_space, log.columns["observation"])
    assert log.columns["propensity"] == pytest.approx(
        policies[regime, cells, log.columns["action"]], abs=1e-12
    )
    assert log.origin["share"] == share


def test_in_a_mixed_log_only_the_experimenters_episodes_tell_what_an_action_does() -> None:
    log = collect(ICE, 40_000, SEED, "mixed")
    for regime, expected in ((0, (0.135, 0.615)), (1, (0.475, 0.275))):
        rows = log.columns["regime"] == regime
        for act in (0, 1):
            pay = log.columns["reward"][rows & (log.columns["action"] == act)]
            assert pay.mean() == pytest.approx(expected[act], abs=4 * pay.std() / np.sqrt(len(pay)))


def test_the_regimes_differ_by_who_acts_and_in_nothing_else() -> None:
    seen, acted, mixed = (
        collect(ICE, 500, SEED, regime) for regime in ("observe", "intervene", "mixed")
    )
    assert (seen.columns["regime"] == 0).all()
    assert (acted.columns["regime"] == 1).all()
    assert all(np.array_equal(seen.latents["heat"], log.latents["heat"]) for log in (acted, mixed))
    for name in ("action", "shorts", "reward", "propensity"):
        expected = np.where(mixed.columns["regime"] == 1, acted.columns[name], seen.columns[name])
        assert np.array_equal(mixed.columns[name], expected)


# Equal seeds.


def fingerprint() -> list[str]:
    worlds = [
        (model, how)
        for model in MODELS.values()
        for how in ("observe", "mixed")
        if how == "mixed" or model.horizon > 1
    ]
    return [log_of(model, 40, regime=how).content_hash for model, how in worlds]


def test_equal_seeds_give_equal_logs_in_another_process(elsewhere: Callable[..., Any]) -> None:
    assert elsewhere(fingerprint) == fingerprint()


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"episodes": 199}, {"regime": "intervene"}, {"regime": "mixed"}]
)
def test_another_seed_size_or_regime_gives_another_log(change: dict[str, Any]) -> None:
    assert log_of(ICE).content_hash != log_of(ICE, **change).content_hash


def test_a_longer_log_begins_with_the_shorter_one() -> None:
    few, many = log_of(RELAY, 20), log_of(RELAY, 90)
    assert all(
        np.array_equal(column, many.columns[name][: len(few)])
        for name, column in few.columns.items()
    )
