"""The laws of populations: every unit is its own world, truths are exact, and logs are one file."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from refusals import refused

from dosuite.causal import World, expectation
from dosuite.envs import (
    CausalEnv,
    Log,
    Population,
    collect,
    load_latents,
    make_model,
    split,
)
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.river import ConfoundedRiver

TEMPLATES = ("RandomSCM", "RandomSCM-MBias", "RandomSCM-Proxy")
RIVERS = tuple(ConfoundedRiver(horizon=5, captain=dial) for dial in (0.5, 0.7, 0.9))


@pytest.mark.parametrize("name", TEMPLATES)
def test_truths_are_the_expectations_under_do_in_each_context(name: str) -> None:
    population = Population(name, seeds=range(3, 6))
    for model, truth, association in zip(
        population, population.truths, population.associations, strict=True
    ):
        for context, row in enumerate(truth):
            given = dict.fromkeys(model.contexts, context)
            for action, value in enumerate(row):
                acted = expectation(model.do(x=action), "y", given=given)
                assert value == pytest.approx(acted, abs=1e-12)
                seen = expectation(model, "y", given={**given, "x": action})
                assert association[context, action] == pytest.approx(seen, abs=1e-12)


def test_twins_have_the_associations_of_their_worlds() -> None:
    population = Population("RandomSCM", seeds=range(4))
    twins = population.twins()
    assert twins.associations == pytest.approx(population.associations, abs=1e-12)
    assert twins.truths == pytest.approx(population.associations, abs=1e-12)
    assert (twins.truths.argmax(2) != population.truths.argmax(2)).all()


Steps = Iterator[tuple[object, ...]]


@pytest.mark.parametrize(
    "worlds",
    [
        pytest.param(Population("RandomSCM-MBias", range(4)).worlds, id="one step with contexts"),
        pytest.param(
            Population("RandomSCM-MBias", range(3), observation="digits").worlds, id="images"
        ),
        pytest.param(RIVERS, id="several steps and tables of several sizes"),
    ],
)
def test_each_unit_does_what_the_environment_of_its_world_does(worlds: tuple[World, ...]) -> None:
    batch = Population.of(worlds).vector_env(autoreset_mode=AutoresetMode.NEXT_STEP)
    scalars = [CausalEnv(world) for world in worlds]
    observations, _ = batch.reset(seed=7)
    for number, scalar in enumerate(scalars):
        assert np.array_equal(scalar.reset(seed=7 + number)[0], observations[number])
    rng, over = np.random.default_rng(0), np.zeros(len(worlds), bool)
    for _ in range(30):
        actions = rng.integers(2, size=len(worlds))
        observations, rewards, terminated, truncated, infos = batch.step(actions)
        for number, scalar in enumerate(scalars):
            if over[number]:
                assert np.array_equal(scalar.reset()[0], observations[number])
                continue
            outcome = scalar.step(actions[number])
            assert np.array_equal(outcome[0], observations[number])
            assert outcome[1:4] == (rewards[number], terminated[number], truncated[number])
            assert outcome[4] == {name: infos[name][number] for name in outcome[4]}
        over = terminated | truncated


def test_units_begin_anew_in_the_same_step_with_the_first_observation_of_their_own_world() -> None:
    worlds = Population("RandomSCM-MBias", range(5)).worlds
    batch = Population.of(worlds).vector_env()
    batch.reset(seed=3)
    scalars = [CausalEnv(world) for world in worlds]
    for number, scalar in enumerate(scalars):
        scalar.reset(seed=3 + number)
    for _ in range(20):
        observations, rewards, *_ = batch.step(np.ones(5, np.int64))
        for number, scalar in enumerate(scalars):
            assert scalar.step(1)[1] == rewards[number]
            assert np.array_equal(scalar.reset()[0], observations[number])


def test_tables_of_different_sizes_are_stepped_as_they_are_alone() -> None:
    sure = IceCreamShorts().do(heat=1)
    test_each_unit_does_what_the_environment_of_its_world_does((IceCreamShorts(), sure))


def test_the_log_of_a_population_is_one_file_that_holds_the_log_of_each_world(
    tmp_path: Path,
) -> None:
    population = Population("RandomSCM-Proxy", seeds=[5, 2, 9])
    path = tmp_path / "many.arrow"
    written = population.collect(40, 11, path=path)
    loaded = Log.load(path)
    in_memory = population.collect(40, 11)
    assert written.content_hash == loaded.content_hash == in_memory.content_hash
    assert len(load_latents(path)["cause"]) == len(loaded) == 120
    pairs = list(population.pairs(40, 11))
    for number, (own, pair) in enumerate(zip(split(loaded), pairs, strict=True)):
        alone = collect(population[number], 40, 11 + number)
        assert own.content_hash == pair.log.content_hash == alone.content_hash
        assert np.array_equal(pair.truth, population.truths[number])
    assert loaded["world"].tolist() == [0] * 40 + [1] * 40 + [2] * 40
    assert loaded.episodes == 120


def test_a_learner_sees_no_latent_and_no_seed_and_tells_the_worlds_apart() -> None:
    population = Population("RandomSCM-Proxy", seeds=range(3))
    log = population.collect(30, 0)
    data = log.view()
    assert set(data.columns) == set(log.columns) - {"regime", "propensity"}
    assert "cause" not in data.columns
    assert data.logged == ("z", "w")
    assert data.observation_space == log.observation_space
    for world in range(3):
        rows = data["world"] == world
        kept = split(log)
        own = [next(kept) for _ in range(world + 1)][-1]
        assert data["reward"][rows].sum() == own["reward"].sum()
    infos = population.vector_env().reset(seed=0)[1]
    assert set(infos) == {"z", "_z", "w", "_w"}


def fingerprint() -> tuple[str, list[float], list[float]]:
    population = Population("RandomSCM", seeds=range(5))
    batch = population.vector_env()
    batch.reset(seed=1)
    rewards = [float(batch.step(np.ones(5, np.int64))[1].sum()) for _ in range(5)]
    return population.collect(20, 3).content_hash, population.truths.ravel().tolist(), rewards


def test_equal_seeds_give_equal_populations_in_another_process(
    elsewhere: Callable[..., tuple[str, list[float], list[float]]],
) -> None:
    assert elsewhere(fingerprint) == fingerprint()


def test_what_is_no_population_is_refused_in_one_line() -> None:
    bow, bias = make_model("RandomSCM"), make_model("RandomSCM-MBias")
    assert refused(lambda: Population.of([bow, bias])) == (
        "the worlds of a population have one observation space: world 1 (RandomSCM-MBias-v0) has "
        "Discrete(2), and world 0 (RandomSCM-v0) has Discrete(1)"
    )
    assert "set of columns" in refused(lambda: Population.of([bow, make_model("RandomSCM-Proxy")]))
    assert refused(lambda: Population("IceCreamShorts", range(3))) == (
        "IceCreamShorts has no knob `seed`: it is one world, and no population"
    )
    seen_otherwise = make_model("RandomSCM-MBias", observation="digits")
    assert "one observation space" in refused(lambda: Population.of([bias, seen_otherwise]))
    assert "at least one seed" in refused(lambda: Population("RandomSCM", ()))
    assert "whole number" in refused(lambda: Population("RandomSCM", [0.5]))  # type: ignore[list-item]
    assert "at least one world" in refused(lambda: Population.of([]))
    assert "horizon of 5" in refused(lambda: Population.of(RIVERS).truths)
    control = IceCreamShorts(confounding=0)
    assert "has no twin" in refused(lambda: Population.of([control]).twins())
    assert "no column 'world'" in refused(lambda: next(split(collect(bow, 5, 0))))
    assert "continuous" in refused(
        lambda: Population.of([make_model("AirlinePricing")]).vector_env()
    )
