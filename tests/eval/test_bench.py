"""The benchmark of speed:

whole records, peers that are missing, exponents, and one law of the world on all sides.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from dosuite.causal import Array, InputError, value
from dosuite.envs import CausalVectorEnv
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.eval.bench import comparisons as suite
from dosuite.eval.bench import exact, tables, timing
from dosuite.eval.bench import handwritten as peers
from dosuite.eval.bench.timing import Comparison, Curve, Measurement, Rates, Work
from dosuite.eval.bench.worlds import IceCreamDays, wide
from dosuite.eval.cli.main import main

ENVS, DAYS = 20_000, 8
OPTIONAL = {"jax", "minigrid"}


def small(size: int) -> int:
    return max(2, size // 500)


Result = tuple[str, str, Rates | None]  # title, version, rates


def results_in_small() -> list[Result]:
    """Every comparison measured in small; comparisons themselves cannot be pickled."""
    results = []
    for comparison in suite.COMPARISONS:
        measurement = timing.measure(replace(comparison, turns=2), small, least=0.0)
        results.append((comparison.title, measurement.version, measurement.rates))
    return results


def test_every_comparison_can_be_measured(elsewhere: Callable[..., list[Result]]) -> None:
    results = elsewhere(results_in_small)
    for comparison, (title, version, rates) in zip(suite.COMPARISONS, results, strict=True):
        assert title == comparison.title
        if rates is None:
            assert comparison.peer in OPTIONAL
            assert find_spec(comparison.peer) is None
            continue
        assert version.startswith(f"{comparison.peer} ")
        measurement = Measurement(comparison, version, rates)
        ratio = rates.ours / rates.peer
        assert rates.ratio == pytest.approx(ratio)
        reached = None if comparison.target is None else ratio >= comparison.target
        assert measurement.reached == reached


def test_a_peer_that_answers_otherwise_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "effect", lambda *_: np.full((2, 4), 0.25))
    pyagrum = next(one for one in exact.INFERENCE_COMPARISONS if one.peer == "pyagrum")
    with pytest.raises(AssertionError, match="Mismatched elements"):
        pyagrum.sides(small)


def test_every_curve_can_be_timed() -> None:
    for curve in suite.CURVES:
        assert len(set(curve.sizes)) >= 4
        curve.work(curve.sizes[0]).run()


def test_a_missing_peer_is_reported_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    jax = next(one for one in suite.COMPARISONS if one.peer == "jax")
    for comparison in (jax, replace(jax, peer="no-such-peer")):
        measurement = timing.measure(comparison, small)
        assert (measurement.rates, measurement.reached) == (None, None)
        assert measurement.missing == timing.INSTALL
        assert tables.ratio_table([measurement]).row_count == 2


def test_exponents_and_ratios_are_those_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def takes(seconds: float) -> Work:
        def run() -> None:
            now[0] += seconds

        return Work(run, units=2.0)

    monkeypatch.setattr(timing, "perf_counter", lambda: now[0])
    growth = timing.grow(Curve("work", "size", (1, 10, 100), lambda size: takes(size**1.5)))
    assert growth.exponent == pytest.approx(1.5)
    assert growth.seconds == pytest.approx((0.5, 0.5 * 10**1.5, 500.0))
    comparison = Comparison(
        "work", "slower work", 3, "units/s", "numpy", lambda resize: (takes(0.01), takes(0.04))
    )
    measurement = timing.measure(comparison)
    assert measurement.rates is not None
    assert [measurement.rates.ours, measurement.rates.ratio] == pytest.approx([200.0, 4.0])
    assert measurement.reached


def test_the_command_prints_tables_or_records(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work = Work(lambda: None)
    comparison = Comparison(
        "nothing", "no work", 1, "calls/s", "numpy", lambda resize: (work, work), turns=5
    )
    comparisons = (comparison, replace(comparison, peer="no-such-peer"))
    monkeypatch.setattr(suite, "COMPARISONS", comparisons)
    monkeypatch.setattr(suite, "CURVES", (Curve("nothing", "size", (1, 2), lambda size: work),))
    assert call(monkeypatch, "bench", "--only", "nothing") == 0
    out = capsys.readouterr().out
    for text in ("no work", "numpy", "missing", "[bench]", "exponent"):
        assert text in out
    assert call(monkeypatch, "bench", "--json") == 0
    records = json.loads(capsys.readouterr().out)
    assert records["machine"]["numpy"] == np.__version__
    assert [record["missing"] for record in records["ratios"]] == ["", timing.INSTALL]
    assert records["growth"][0]["sizes"] == [1, 2]
    assert call(monkeypatch, "bench", "--only", "nobody") == 2
    assert "nobody" in capsys.readouterr().err


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr(sys, "argv", ["dosuite", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0


def days_of(env: VectorEnv[Array, Array, Array]) -> tuple[Array, Array, Array]:
    """What is seen, done and earned in an episode of each environment:

    (days, environments) each.
    """
    rng, (seen, _) = np.random.default_rng(0), env.reset(seed=0)
    days = []
    for _ in range(DAYS):
        actions = rng.integers(0, 2, size=env.num_envs)
        after, rewards, _, truncated, _ = env.step(actions)
        days.append((seen, actions, rewards))
        seen = after
    assert truncated.all()
    columns = [np.array(column) for column in zip(*days, strict=True)]
    return columns[0], columns[1], columns[2]


def days_in_jax() -> list[tuple[Array, Array, Array]]:
    """The same of the second episode, whose first shorts are what the last step of the first one
    handed out.
    """
    runs = [
        [np.array(column) for column in rollout(ENVS, 2 * DAYS)()]
        for rollout in (peers.jax_idiomatic, peers.jax_fused)
    ]
    assert all(
        (run[4].sum(0) == 2).all() and run[4][[DAYS - 1, 2 * DAYS - 1]].all() and not run[3].any()
        for run in runs
    )
    return [
        (seen[DAYS - 1 : -1], actions[DAYS:], rewards[DAYS:]) for seen, actions, rewards, *_ in runs
    ]


def moments(days: tuple[Array, Array, Array]) -> Array:
    """For each environment, what each action earns, and how often shorts are followed by shorts:

    (environments, 3).
    """
    seen, actions, rewards = days
    earned = [(2 * rewards * (actions == a)).mean(0) for a in (0, 1)]
    return np.stack([*earned, (seen[1:] * seen[:-1]).mean(0)], axis=1)


def check_law(days: tuple[Array, Array, Array]) -> None:
    """Each mean is the exact one within 4 standard errors."""
    world = IceCreamDays()
    per_action = [value(world, np.eye(2)[[a, a]]) / world.horizon for a in (0, 1)]
    hot, cold = 0.9, 0.05  # P(shorts)
    exact = [*per_action, 0.45 * (hot**2 + cold**2) + 0.1 * hot * cold]
    found = moments(days)
    errors = found.std(0, ddof=1) / np.sqrt(len(found))
    assert (abs(found.mean(0) - exact) < 4 * errors).all()


def test_ours_is_the_world() -> None:
    check_law(days_of(CausalVectorEnv(IceCreamDays(), ENVS)))


def test_the_plain_class_is_the_same_world() -> None:
    check_law(
        days_of(
            SyncVectorEnv(
                [peers.IceCreamByHand] * (ENVS // 4), autoreset_mode=AutoresetMode.SAME_STEP
            )
        )
    )


def test_the_plain_class_of_one_step_is_the_same_world() -> None:
    env = peers.ShortsByHand()
    env.reset(seed=0)
    for action in (0, 1):
        rewards = np.array([env.step(action)[1] for _ in range(ENVS)])
        error = rewards.std(ddof=1) / np.sqrt(ENVS)
        assert abs(rewards.mean() - value(IceCreamShorts(), np.eye(2)[[action]])) < 4 * error


def test_both_ways_in_jax_are_the_same_world(
    elsewhere: Callable[..., list[tuple[Array, Array, Array]]],
) -> None:
    pytest.importorskip("jaxlib")
    for days in elsewhere(days_in_jax):
        check_law(days)


def test_a_wide_world_has_as_many_variables_as_it_says() -> None:
    for variables in (4, 5, 6, 14):
        assert len(wide(variables).variables) == variables
    assert value(wide(14), np.eye(2)[[0, 1]]) != value(IceCreamDays(), np.eye(2)[[0, 1]])
    with pytest.raises(InputError):
        wide(14).do(rumour_10=1)
