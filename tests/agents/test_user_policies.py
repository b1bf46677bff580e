"""What a user brings is scored as it is:

models of Stable-Baselines3, saved policies and functions.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from learning import learn
from refusals import refused
from sb3_contrib import ARS, QRDQN, RecurrentPPO
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3

from dosuite.agents import MemoryPolicy, Policy, load_policy, make_agent, save_policy
from dosuite.agents.user_policy import as_policy
from dosuite.causal import World
from dosuite.envs import CausalEnv, CausalVectorEnv, make_model
from dosuite.envs.gym.sb3 import BatchedVecEnv, Rescaled
from dosuite.eval import Run, execute, score
from dosuite.eval.reports import report
from dosuite.eval.runs.scored_rows import spaces_of
from dosuite.eval.runs.suite import grid

torch.set_num_threads(1)

ICE, AIRLINE, RIVER = (
    make_model(f"{name}-v0") for name in ("IceCreamShorts", "AirlinePricing", "ConfoundedRiver")
)
ALGORITHMS = [
    (A2C, RIVER),
    (DQN, RIVER),
    (PPO, RIVER),
    (QRDQN, RIVER),
    (RecurrentPPO, RIVER),
    (ARS, RIVER),
]
ALGORITHMS += [(A2C, AIRLINE), (PPO, AIRLINE), (SAC, AIRLINE), (TD3, AIRLINE), (ARS, AIRLINE)]
CHOOSE = """import numpy as np

NUMBER = 3

def choose(observations):
    return np.full(len(observations), {})
"""

every_algorithm = pytest.mark.parametrize(
    ("kind", "model"), ALGORITHMS, ids=lambda part: getattr(part, "__name__", type(part).__name__)
)


def untrained(kind: Any, model: World) -> Any:
    """An algorithm with the weights that it begins with."""
    return kind(
        "MlpLstmPolicy" if kind is RecurrentPPO else "MlpPolicy",
        CausalEnv(model),
        device="cpu",
        seed=1,
    )


def choices_of(policy: Policy, model: World) -> list[Any]:
    observations = (
        np.array([[2.0, 3.0], [7.0, 5.0]], np.float32) if model == AIRLINE else np.arange(5)
    )
    player = policy.play(len(observations), np.random.default_rng(0))
    return [player(observations, np.zeros(len(observations))).tolist() for _ in range(3)]


@every_algorithm
def test_a_model_its_zip_and_its_saved_policy_act_alike(
    kind: Any, model: World, tmp_path: Path
) -> None:
    algorithm, path = untrained(kind, model), tmp_path / "model.zip"
    algorithm.save(path)
    spaces = spaces_of(model)
    brought = [as_policy(given, spaces) for given in (algorithm, path, str(path))]
    brought += [make_agent(str(path)).learn(spaces, np.random.default_rng(3))]
    brought += [load_policy(save_policy(brought[0], tmp_path / "policy.pt"))]
    assert isinstance(brought[0], MemoryPolicy) == (kind is RecurrentPPO)
    for policy in brought:
        assert choices_of(policy, model) == choices_of(brought[0], model)


@pytest.mark.parametrize("kind", [A2C, ARS, DQN, PPO, QRDQN])
def test_the_most_likely_action_is_the_one_that_the_model_predicts(kind: Any) -> None:
    algorithm = untrained(kind, RIVER)
    likely = as_policy(algorithm, spaces_of(RIVER)).probabilities(np.arange(5)).argmax(1)
    assert likely.tolist() == algorithm.predict(np.arange(5), deterministic=True)[0].tolist()


def test_a_model_that_has_seen_the_box_rescaled_is_stretched_to_it() -> None:
    batch = BatchedVecEnv(CausalVectorEnv(AIRLINE, 2))
    algorithm = TD3("MlpPolicy", Rescaled(batch, batch.action_space), device="cpu", seed=1)  # type: ignore[arg-type]
    seen = np.array([[2.0, 3.0], [7.0, 5.0]], np.float32)
    asked = as_policy(algorithm, spaces_of(AIRLINE)).act(seen, np.random.default_rng(0))
    assert asked == pytest.approx(
        20.0 + 10.0 * algorithm.predict(seen, deterministic=True)[0][:, 0], abs=1e-5
    )


def test_whatever_is_brought_gets_the_same_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my_policy.py").write_text(CHOOSE.format(0))
    save_policy(learn("causal", ICE, "exact"), "causal.pt")
    best = score(ICE, np.array([[1.0, 0.0]]))
    for brought in (
        lambda observations: np.zeros(len(observations)),
        "my_policy.py:choose",
        "causal.pt",
        Path("causal.pt"),
    ):
        pd.testing.assert_frame_equal(score(ICE, brought), best)


def test_what_is_brought_is_run_once_and_reported_beside_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my_policy.py").write_text(CHOOSE.format(0))
    untrained(PPO, ICE).save("model.zip")
    runs = grid(["IceCreamShorts"], ["my_policy.py:choose", "model.zip", "bc"], 2, 100, 100)
    given = [run for run in runs if run.regime == "given"]
    assert [(run.agent, run.variant, run.budget, run.seed) for run in given] == [
        (agent, variant, 1, 0)
        for variant in ("", "twin")
        for agent in ("my_policy.py:choose", "model.zip")
    ]
    rows = execute(runs, tmp_path, 1, quiet=True)
    assert (rows["status"] == "ok").all()
    (value,) = rows.query("agent == 'my_policy.py:choose' and world == '' and variant == ''")[
        "value"
    ]
    assert value == pytest.approx(0.475)
    page = report.write_report(rows, tmp_path).read_text()
    assert "my_policy.py:choose (given)" in page
    assert "Given: nobody wins a pair." in page


def test_the_key_of_a_run_follows_what_is_brought_and_its_draws_do_not(tmp_path: Path) -> None:
    path = tmp_path / "my_policy.py"
    path.write_text(CHOOSE.format(0))
    run = Run("IceCreamShorts-v0", f"{path}:choose", "given", 1, 0)
    before, drawn = run.key, run._rng.random()
    path.write_text(CHOOSE.format(1))
    assert run.key != before
    assert run._rng.random() == drawn
    path.write_text(CHOOSE.format(0))
    assert run.key == before


def test_the_key_of_a_run_follows_the_code_of_the_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run("IceCreamShorts-v0", "dqn", "observe", 100, 0)
    before = run.key
    monkeypatch.setattr("dosuite.eval.runs.run.code_hash", lambda: b"another")
    assert run.key != before


def test_what_does_not_fit_fails_with_a_line_and_costs_no_other_run(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    untrained(PPO, ICE).save(path)
    (row,) = Run("ConfoundedRiver-v0", str(path), "given", 1, 0).rows()
    assert row["status"] == "failed"
    assert (
        row["note"]
        == "the model does not fit: its observations are Discrete(1), and those here Discrete(5)"
    )


def test_what_cannot_be_brought_is_refused(tmp_path: Path) -> None:
    broken, words = tmp_path / "broken.zip", tmp_path / "words.py"
    broken.write_bytes(b"nothing")
    words.write_text(CHOOSE.format(0))
    for text, line in (
        ("nowhere.zip", "there is no file nowhere.zip"),
        (str(broken), "is not a model of Stable-Baselines3 that can be read here"),
        (f"{words}:chose", "has no Agent named 'chose'"),
        (f"{words}:choose:steps=3", "is a policy, and has no settings"),
    ):
        assert line in refused(lambda text=text: make_agent(text))  # type: ignore[misc]
    spaces = spaces_of(AIRLINE)
    assert "and got int" in refused(
        lambda: make_agent(f"{words}:NUMBER").learn(spaces, np.random.default_rng(0))
    )
    assert "the actions here are Box" in refused(
        lambda: as_policy(learn("causal", ICE, "exact"), spaces)
    )
    assert "counted only" in refused(lambda: as_policy(untrained(RecurrentPPO, AIRLINE), spaces))


def test_what_a_function_returns_is_read_as_its_library_means_it() -> None:
    zeros = lambda seen: torch.zeros(len(seen), requires_grad=True)  # noqa: E731
    seen = np.zeros(3, dtype=int)
    assert (as_policy(zeros, spaces_of(ICE)).probabilities(seen)[:, 0] == 1).all()
    one = lambda seen: torch.tensor(float(seen == 0), requires_grad=True)  # noqa: E731
    assert (as_policy(one, spaces_of(ICE)).probabilities(seen)[:, 1] == 1).all()
    hidden = lambda seen: np.ma.masked_array(np.zeros(len(seen)), mask=True)  # noqa: E731
    assert "gave masked_array" in refused(
        lambda: as_policy(hidden, spaces_of(ICE)).probabilities(seen)
    )
