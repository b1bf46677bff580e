"""The laws of policies and values, against brute force."""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from countable import each
from model_laws import EXACT, MODELS, THROWAWAY, courses, every_model, random_policies, worlds

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    TooLargeError,
    World,
    action,
    context,
    distribution,
    expectation,
    reward,
    uniform_policy,
    value,
)
from dosuite.causal.exact import chain, do_process, log_process, worst_policy
from dosuite.causal.model.distributions import tidy
from dosuite.envs import make_model

ONE_STEP = {text: model for text, model in MODELS.items() if model.horizon == 1}


every_countable_model = each(MODELS)


every_one_step_model = pytest.mark.parametrize("model", ONE_STEP.values(), ids=ONE_STEP)


# Policies and values.


def least(model: World) -> float:
    """The value of the worst policy, if that can be found."""
    try:
        return value(model, worst_policy(model))
    except TooLargeError:
        return -np.inf


@every_countable_model
def test_no_random_policy_beats_the_causal_one_or_is_beaten_by_the_worst(model: World) -> None:
    """Beyond one step a policy that draws its actions can leave the range of those that do not,
    unless the contexts tell the time.
    """
    best, worst = value(model, model.causal_policy()), least(model)
    policies = random_policies(model, 200)
    if model.horizon > 1:
        policies = np.eye(policies.shape[2])[policies.argmax(2)]
    values = chain(model).values(policies)
    assert worst - EXACT <= values.min() <= values.max() <= best + EXACT


@pytest.mark.long
@every_model
def test_equal_models_are_equal_and_stay_so_through_pickling(model: World) -> None:
    for world in worlds(model):
        again = pickle.loads(pickle.dumps(world))
        assert again == world
        assert hash(again) == hash(world)
        assert (again.dial(0.5) == world.dial(0.5)) or world.observe_intent
        assert again != replace(world, discount=0.123)


def brute(
    model: World,
    what: Callable[[dict[str, float]], float],
    step: int = 0,
    given: Mapping[str, float] | None = None,
) -> float:
    """The mean of a function of the variables of one step, among the episodes that reach it and in
    which `given` is so.
    """
    reached = [
        (c[step], p)
        for c, p in courses(model)
        if len(c) > step and all(c[step][n] == w for n, w in (given or {}).items())
    ]
    return sum(p * what(now) for now, p in reached) / sum(p for _, p in reached)


def brute_value(model: World) -> float:
    """The discounted return of an episode that is recorded."""
    kept = [
        (course, p)
        for course, p in courses(model)
        if all(now[name] == 1 for now in course for name in model.names("selection"))
    ]
    returns = [
        sum(model.discount**t * now[model.reward] for t, now in enumerate(course))
        for course, _ in kept
    ]
    return sum(r * p for r, (_, p) in zip(returns, kept, strict=True)) / sum(p for _, p in kept)


@every_one_step_model
def test_answers_about_one_step_equal_brute_force(model: World) -> None:
    joint = distribution(model, *model.order)
    for cell in product(*(range(size) for size in joint.shape)):
        values = {
            name: model.tables.support(name)[i] for name, i in zip(model.order, cell, strict=True)
        }
        p = brute(
            model,
            lambda now, values=values: float(  # type: ignore[misc]
                tidy(np.array(list(now.values()))).tolist() == [values[n] for n in now]
            ),
        )
        assert joint[cell] == pytest.approx(p, abs=EXACT)
    for act in model.tables.support(model.action):
        done = model.do(**{model.action: int(act)})
        assert expectation(done, model.reward) == pytest.approx(
            brute(done, lambda now: now[model.reward]), abs=EXACT
        )
        if distribution(model, model.action)[int(act)] > 0:
            seen = {model.action: int(act)}
            for name in model.variables:  # what comes before what is seen, and what comes after
                by_hand = brute(model, lambda now, name=name: now[name], given=seen)  # type: ignore[misc]
                assert expectation(model, name, seen) == pytest.approx(by_hand, abs=EXACT)
    assert value(model) == pytest.approx(brute_value(model), abs=EXACT)


@every_one_step_model
def test_value_expectation_and_distribution_agree(model: World) -> None:
    support = model.tables.support(model.reward)
    for act in range(uniform_policy(model).shape[1]):
        done = model.do(**{model.action: act})
        constant = np.tile(
            np.eye(uniform_policy(model).shape[1])[act], (len(uniform_policy(model)), 1)
        )
        assert value(model, constant) == pytest.approx(expectation(done, model.reward), abs=EXACT)
        assert value(model, constant) == pytest.approx(
            distribution(done, model.reward) @ support, abs=EXACT
        )


def following(model: World, policy: Array) -> World:
    """Relay under a memoryless policy (6, 2), written as a function."""
    return model.do(push=lambda charge, lamp: Categorical(policy[2 * charge + lamp]))


@pytest.mark.parametrize(
    "model",
    [
        THROWAWAY["Relay"],
        *(THROWAWAY["Relay"].shifted(name) for name in THROWAWAY["Relay"].shifts()),
    ],
)
def test_values_over_time_equal_brute_force(model: World) -> None:
    assert value(model) == pytest.approx(brute_value(model), abs=EXACT)
    for policy in random_policies(model, 3):
        acting = following(model, policy)
        assert value(model, policy) == pytest.approx(brute_value(acting), abs=EXACT)
        assert value(acting) == pytest.approx(brute_value(acting), abs=EXACT)
    for step, name in product(range(model.horizon), model.variables):
        at_step = brute(model, lambda now, name=name: now[name], step)  # type: ignore[misc]
        assert expectation(model, name, step=step) == pytest.approx(at_step, abs=EXACT)
        assert distribution(model, name, step=step) @ model.tables.support(name) == pytest.approx(
            at_step, abs=EXACT
        )
    seen = {"lamp": 1, "burnt": 0}
    assert expectation(model, "trait", seen, step=2) == pytest.approx(
        brute(model, lambda now: now["trait"], 2, seen), abs=EXACT
    )


def brute_process(model: World) -> tuple[Array, Array, Array]:
    """Visits (C, A), mean reward (C, A) and following contexts (C, A, C) of the recorded steps
    after the burn-in.
    """
    sizes = [len(model.tables.support(name)) for name in model.contexts]
    cells, actions = uniform_policy(model).shape
    visits, gain, following = (
        np.zeros((cells, actions)),
        np.zeros((cells, actions)),
        np.zeros((cells, actions, cells)),
    )

    def cell(now: dict[str, float]) -> int:
        return int(np.ravel_multi_index([int(now[name]) for name in model.contexts], sizes))

    longer = replace(model, horizon=model.burn_in + model.horizon + (model.horizon > 1), burn_in=0)
    for course, p in courses(longer):
        for t, now in enumerate(course[: model.burn_in + model.horizon]):
            if t < model.burn_in or any(now[name] == 0 for name in model.names("selection")):
                continue
            pair = cell(now), int(now[model.action])
            visits[pair] += p
            gain[pair] += p * now[model.reward]
            if t + 1 < len(course):
                following[pair][cell(course[t + 1])] += p
    divide = np.where(visits > 0, visits, 1.0)
    return visits, gain / divide, following / divide[..., None]


PROCESSES: dict[str, World] = {
    **ONE_STEP,
    "Relay": replace(THROWAWAY["Relay"], horizon=2),
    "Orchard": THROWAWAY["Orchard"],
    "River": make_model("ConfoundedRiver-v0", horizon=3),
    "burn-in": make_model("ConfoundedRiver-MarkovRiver-v0", horizon=2, burn_in=2),
}


@pytest.mark.parametrize("model", PROCESSES.values(), ids=PROCESSES)
def test_the_process_of_a_log_and_that_under_interventions_equal_brute_force(model: World) -> None:
    actions = uniform_policy(model).shape[1]
    random = replace(model, burn_in=0).do(
        **{model.action: Categorical(np.full(actions, 1 / actions))}
    )
    done = random.do(**dict.fromkeys(model.names("selection"), 1))
    for process, (visits, gain, following) in (
        (log_process(model), brute_process(model)),
        (do_process(model), brute_process(done)),
    ):
        assert process.visits == pytest.approx(visits, abs=EXACT)
        assert process.reward == pytest.approx(gain, abs=EXACT)
        assert process.transition == pytest.approx(following, abs=EXACT)


def test_a_support_that_grows_with_time_grows_no_longer_than_the_episode() -> None:
    class Clock(World):
        horizon: int = 4

        @context.starting(Exactly(0))
        def hour(self, hour_tm1: Array) -> Exactly:
            return Exactly(hour_tm1 + 1)

        @action
        def act(self) -> Bernoulli:
            return Bernoulli(0.5)

        @reward
        def pay(self, act: Array, hour: Array) -> Exactly:
            return Exactly(act * hour)

    assert Clock().tables.support("hour").tolist() == [0, 1, 2, 3, 4]
    assert value(Clock(), Clock().causal_policy()) == pytest.approx(0 + 1 + 2 + 3)
