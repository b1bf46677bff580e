"""Networks whose training has visibly not converged say so in the note of their row."""

import numpy as np
import pytest

from dosuite.agents import TabularPolicy, make_agent
from dosuite.agents.networks.convergence import add_note, change, last_fall, last_rise
from dosuite.envs import all_observations, collect, make_model
from dosuite.eval.runs.practice import PracticeUnits
from dosuite.eval.runs.run import Run, outcomes

RIVER = "ConfoundedRiver-v0"
SAYS = "has not converged"


def notes(world: str, agent: str, variant: str = "", seeds: int = 3) -> list[str]:
    runs = [Run(world, agent, "observe", 20_000, seed, variant) for seed in range(seeds)]
    return [outcome.rows[0]["note"] for outcome in outcomes(runs)]


def test_a_network_that_is_stopped_early_says_so() -> None:
    assert all(SAYS in note for note in notes(RIVER, "dqn:hidden=16,updates=200"))


def test_one_that_has_learned_says_nothing() -> None:
    assert notes(RIVER, "dqn", "control", seeds=2) == ["", ""]
    assert notes("GreedyCasino-v0", "dqn", "control", seeds=2) == ["", ""]  # all actions are equal


def test_the_note_of_a_seed_does_not_depend_on_the_others() -> None:
    agent = "dqn:hidden=16,updates=200"
    alone = Run(RIVER, agent, "observe", 20_000, 1).rows()[0]["note"]
    assert alone == notes(RIVER, agent)[1]


def test_other_notes_are_kept() -> None:
    log = collect(make_model("IceCreamShorts-v0"), 2000, 0, "mixed")
    policy = make_agent("irm:updates=50").learn(log)
    assert policy.note.startswith("domains: 2")
    add_note(policy, "first")
    assert policy.note.startswith("first; domains: 2")


@pytest.mark.parametrize(
    ("start", "end", "noise", "expected"),
    [
        (1.0, 0.1, 0.01, True),
        (1.0, 1.0, 0.1, False),
        (1.0, 0.99, 0.5, False),
        (0.1, 1.0, 0.01, False),
    ],
)
def test_a_fall_is_told_from_noise(start: float, end: float, noise: float, expected: bool) -> None:
    rng = np.random.default_rng(0)
    losses = np.linspace(start, end, 400) + noise * rng.normal(size=400)
    assert (last_fall(losses) > 0) == expected


def test_of_a_few_losses_nothing_is_said() -> None:
    assert last_fall(np.linspace(1.0, 0.0, 49)) == 0.0
    assert last_fall(np.linspace(1.0, 0.0, 50)) > 0.0


@pytest.mark.parametrize(
    ("rise", "expected"), [(1.0, True), (0.5, True), (0.0, False), (0.05, False), (-1.0, False)]
)
def test_a_rise_of_the_returns_is_told_from_noise(rise: float, expected: bool) -> None:
    returns = np.random.default_rng(0).normal(size=20_000)
    returns[-2000:] += rise
    assert (last_rise(returns) > 0) == expected
    assert last_rise(3.0 * returns + 7.0) == pytest.approx(last_rise(returns))
    assert last_rise(np.linspace(0.0, 1.0, 49)) == 0.0


@pytest.mark.parametrize(("last", "expected"), [(1.0, True), (0.0, False)])
def test_a_rise_without_noise_is_a_number(last: float, expected: bool) -> None:
    found = last_rise(np.repeat([0.0, last], [90, 10]))
    assert np.isfinite(found)
    assert (found > 0) == expected


@pytest.mark.parametrize(("first", "then"), [(0, 1), (1, 0), (0, 0)])
def test_a_practice_says_that_its_returns_were_still_rising(first: int, then: int) -> None:
    model = make_model("MediatorTrap-v0")
    steps, copies = 4000, 8
    units = PracticeUnits(model, 0, steps, rounds_up=False)
    env = units(copies)
    env.reset()
    earned: dict[int, list[float]] = {first: [], then: []}
    for done in range(0, steps, copies):
        action = then if done >= 0.9 * steps else first
        earned[action] += list(env.step(np.full(copies, action))[1])
    rises = first != then and np.mean(earned[then]) > np.mean(earned[first])
    assert ("has not converged" in units.note) == rises


def test_a_masked_reset_drops_the_returns_of_its_copies_alone() -> None:
    units = PracticeUnits(make_model("ConfoundedRiver-v0", horizon=6), 0, 1000, rounds_up=False)
    env = units(3)
    env.reset()
    earned = np.zeros(3)
    for _ in range(3):
        earned += env.step(np.ones(3, dtype=int))[1]
    env.reset(options={"reset_mask": np.array([True, False, False])})
    earned[0] = 0.0
    for _ in range(3):
        earned += env.step(np.ones(3, dtype=int))[1]
    assert np.concatenate(units.returns) == pytest.approx(earned[1:])


def test_a_change_is_the_mean_total_variation() -> None:
    model = make_model("IceCreamShorts-v0")
    seen = all_observations(model)
    always, coin = (TabularPolicy(np.array([row]), seen) for row in ([1.0, 0.0], [0.5, 0.5]))
    assert change(always, coin, seen, None) == pytest.approx(0.5)  # type: ignore[arg-type]
    assert change(coin, coin, seen, None) == 0.0  # type: ignore[arg-type]
