"""How far the policies of seeds disagree, and from what: initialisation, order or sample."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from dosuite.agents import make_agent
from dosuite.causal import InputError
from dosuite.envs import collect, make_model
from dosuite.eval.runs.run import Run, outcomes
from dosuite.eval.scores.path_dependence import (
    BIMODAL,
    functional_disagreement,
    jackknife,
    path_dependence,
    sarle,
)


def test_disagreement_is_the_mean_distance_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    policies = rng.dirichlet(np.ones(3), size=(5, 4))
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    pairs = [abs(policies[i] - policies[j]).sum(1) / 2 for i, j in permutations(range(5), 2)]
    expected = np.mean(pairs, 0) @ weights
    assert functional_disagreement(policies, weights) == pytest.approx(expected, abs=1e-12)


def test_the_ends_of_disagreement() -> None:
    one, other = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert functional_disagreement(np.stack([one, one, one])) == 0
    assert functional_disagreement(np.stack([one, other])) == 1
    assert np.isnan(functional_disagreement(one[None]))
    assert path_dependence(0.3, 0.1) == pytest.approx(3.0)
    assert path_dependence(0.3, 0.0) == pytest.approx(30.0)


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=50)
    without = (values.sum() - values) / 49
    middle, low, high = jackknife(float(values.mean()), without)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std(ddof=1) / np.sqrt(50))
    assert (low + high) / 2 == pytest.approx(middle)


def test_the_coefficient_of_sarle() -> None:
    rng = np.random.default_rng(0)
    values = rng.exponential(size=30)
    skewness = stats.skew(values, bias=False)
    excess = stats.kurtosis(values, bias=False)
    expected = (skewness**2 + 1) / (excess + 3 * 29**2 / (28 * 27))
    assert sarle(values) == pytest.approx(expected)
    assert sarle(rng.uniform(size=100_000)) == pytest.approx(BIMODAL, abs=0.005)
    assert sarle(rng.normal(size=1000)) < 0.4
    assert sarle(np.repeat([0.0, 1.0], 50)) > 0.9
    assert np.isnan(sarle(np.full(10, 0.1)))
    assert np.isnan(sarle(np.array([0.0, 1.0, 2.0])))


WORLD = "MBiasClinic-v0:observation=digits"
SMALL = "hidden=4,updates=3,batch=8"


def answers(agent: str, log_seed: int | None) -> np.ndarray:
    """The action values of two seeds in some images."""
    runs = [Run(WORLD, agent, "observe", 50, seed, log_seed=log_seed) for seed in (0, 1)]
    images = np.random.default_rng(0).integers(256, size=(5, 1, 8, 8), dtype=np.uint8)
    policies = [outcome.policy for outcome in outcomes(runs)]
    return np.stack([policy.action_values(images) for policy in policies])  # type: ignore


@pytest.mark.parametrize("agent", ["dqn", "iql"])
def test_a_seed_can_vary_one_source_alone(agent: str) -> None:
    fixed = answers(f"{agent}:{SMALL},initial=0,order=0", 0)
    assert (fixed[0] == fixed[1]).all()
    for settings, log_seed in (("order=0", 0), ("initial=0", 0), ("initial=0,order=0", None)):
        varied = answers(f"{agent}:{SMALL},{settings}", log_seed)
        assert (varied[0] != varied[1]).any()


def test_sources_that_are_not_fixed_are_those_of_the_generator() -> None:
    log = collect(make_model(WORLD), 50, 0)
    images = log["observation"][:5]

    def learned(settings: str) -> np.ndarray:
        policy = make_agent(f"dqn:{settings}").learn(log, np.random.default_rng(3))
        return policy.action_values(images)  # type: ignore

    # without a step of any size, nothing but the initial networks is left
    still = "hidden=4,updates=1,rate=1e-30,batch=8"
    assert (learned(still) == learned(f"{still},order=7")).all()
    assert (learned(still) != learned(f"{still},initial=7")).any()
    assert (learned(SMALL) == learned(SMALL)).all()
    assert (learned(SMALL) != learned(f"{SMALL},order=7")).any()


def test_what_is_no_seed_is_refused() -> None:
    with pytest.raises(InputError, match="initial is a seed"):
        Run(WORLD, "dqn:initial=-2", "observe", 50, 0)
    with pytest.raises(InputError, match="log_seed"):
        Run(WORLD, "dqn", "observe", 50, 0, log_seed=-1)


def test_the_key_of_a_run_without_a_seed_of_its_log_is_as_before() -> None:
    run = Run(WORLD, "dqn", "observe", 50, 0)
    assert "log_seed" not in dict(run._described)
    assert Run(WORLD, "dqn", "observe", 50, 0, log_seed=0).key != run.key
