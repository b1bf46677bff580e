"""Seeds may be NumPy's integers and arrays, and what is no seed is refused."""

from typing import Any

import numpy as np
import pytest
from refusals import refused

from dosuite.envs import CausalEnv, CausalVectorEnv, Log, collect, make_model

RIVER = "ConfoundedRiver-v0"


@pytest.mark.parametrize(
    ("seed", "same_as"),
    [
        (np.int64(2), 2),
        (np.uint8(2), 2),
        (np.array([1, 2, 3]), [1, 2, 3]),
        (list(np.arange(3)), [0, 1, 2]),
        ([np.int64(5), None, 7], [5, None, 7]),
    ],
    ids=repr,
)
def test_a_batch_takes_the_integers_of_numpy(seed: Any, same_as: Any) -> None:
    env, other = CausalVectorEnv(RIVER, 3), CausalVectorEnv(RIVER, 3)
    env.reset(seed=0)
    other.reset(seed=0)
    assert np.array_equal(env.reset(seed=seed)[0], other.reset(seed=same_as)[0])
    actions = np.array([0, 1, 1])
    for _ in range(3):
        assert np.array_equal(env.step(actions)[0], other.step(actions)[0])


@pytest.mark.parametrize("seed", [np.int64(2), np.uint64(2)], ids=repr)
def test_an_environment_takes_the_integers_of_numpy(seed: Any) -> None:
    env, other = CausalEnv(RIVER), CausalEnv(RIVER)
    assert env.reset(seed=seed)[0] == other.reset(seed=2)[0]
    assert env.step(1) == other.step(1)


def test_a_log_takes_the_integers_of_numpy_and_refuses_what_is_no_seed() -> None:
    model = make_model(RIVER)
    log = collect(model, 5, 3)
    other = collect(model, 5, np.int64(3))  # type: ignore[arg-type]
    assert log.content_hash == other.content_hash
    assert other.origin["seed"] == 3
    for seed in (None, 0.5, "1"):
        message = refused(lambda seed=seed: collect(model, 5, seed))  # type: ignore[misc]
        assert message == f"a seed is a whole number from 0 to 2**63 - 1, and got {seed!r}"


def test_a_view_needs_no_generator_and_takes_one_or_a_seed() -> None:
    log: Log = collect(make_model(RIVER), 20, 0)
    default = log.view()
    for rng in (0, np.random.default_rng(0)):
        assert np.array_equal(log.view(rng)["observation"], default["observation"])
    assert not np.array_equal(log.view(1)["observation"], default["observation"])
    assert log["action"] is log.columns["action"]


@pytest.mark.parametrize(
    "seed", [-1, [0, -1, 2], True, "012", 1.5, np.array(5), np.float64(2)], ids=repr
)
def test_what_is_no_seed_of_a_batch_is_refused(seed: Any) -> None:
    message = refused(lambda: CausalVectorEnv(RIVER, 3).reset(seed=seed))
    assert message.startswith("seed must be a whole number of at least 0")
