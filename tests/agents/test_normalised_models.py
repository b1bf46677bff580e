"""Models trained in `VecNormalize`, and zips whose code lies elsewhere."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from refusals import refused
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import VecNormalize

from dosuite.agents import load_policy, make_agent, save_policy
from dosuite.agents.normalisation import UNKNOWN_NOTE
from dosuite.agents.user_policy import as_policy
from dosuite.envs import CausalVectorEnv, make_model
from dosuite.envs.gym.sb3 import BatchedVecEnv
from dosuite.eval import Run, score
from dosuite.eval.runs.scored_rows import spaces_of

torch.set_num_threads(1)
AIRLINE = make_model("AirlinePricing-v0")
SPACES = spaces_of(AIRLINE)
SETTINGS: dict[Any, dict[str, Any]] = {
    PPO: {"n_steps": 8, "batch_size": 32},
    SAC: {"learning_starts": 8, "batch_size": 8},
}
OBSERVATIONS = np.array([[2.0, 3.0], [7.0, 5.0]], np.float32)


def trained(kind: Any, normalised: bool = True) -> Any:
    envs: Any = BatchedVecEnv(CausalVectorEnv(AIRLINE, 4))
    envs = VecNormalize(envs) if normalised else envs
    return kind("MlpPolicy", envs, device="cpu", seed=0, **SETTINGS[kind]).learn(64)


def actions(policy: Any) -> list[float]:
    return as_policy(policy, SPACES).act(OBSERVATIONS, np.random.default_rng(0)).tolist()  # type: ignore[no-any-return]


def test_the_statistics_of_a_model_are_applied() -> None:
    model = trained(SAC)
    seen = model.get_vec_normalize_env().normalize_obs(OBSERVATIONS)
    by_hand = model.predict(seen, deterministic=True)[0][:, 0]
    assert actions(model) == pytest.approx(by_hand.tolist(), rel=1e-6)


@pytest.mark.parametrize("kind", [PPO, SAC])
def test_statistics_are_taken_from_beside_a_zip_or_missed(kind: Any, tmp_path: Path) -> None:
    model, path = trained(kind), tmp_path / "model.zip"
    model.save(path)
    assert "whose statistics are missing" in refused(lambda: as_policy(path, SPACES))
    run = Run("AirlinePricing-v0", str(path), "given", 1, 0)
    before = run.key
    model.get_vec_normalize_env().save(str(tmp_path / "model.pkl"))
    assert run.key != before
    assert actions(path) == actions(model)
    saved = save_policy(as_policy(path, SPACES), tmp_path / "policy.pt")
    assert actions(load_policy(saved)) == actions(model)


@pytest.mark.parametrize("kind", [PPO, SAC])
def test_a_model_without_statistics_misses_none(kind: Any, tmp_path: Path) -> None:
    model, path = trained(kind, normalised=False), tmp_path / "model.zip"
    model.save(path)
    assert actions(path) == actions(model)


def test_statistics_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    trained(PPO).save(tmp_path / "model.zip")
    (tmp_path / "model.pkl").write_bytes(b"nothing")
    line = refused(lambda: as_policy(tmp_path / "model.zip", SPACES))
    assert "model.pkl does not load as statistics" in line


def test_a_zip_and_its_model_get_the_same_score(tmp_path: Path) -> None:
    model, path = trained(SAC), tmp_path / "model.zip"
    model.save(path)
    model.get_vec_normalize_env().save(str(tmp_path / "vec_normalize.pkl"))
    pd.testing.assert_frame_equal(score(AIRLINE, path), score(AIRLINE, model))


EXTRACTOR = """from stable_baselines3.common.torch_layers import FlattenExtractor


class Extractor(FlattenExtractor):
    pass
"""


def test_a_zip_names_the_module_that_it_misses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, path = tmp_path / "feat_of_a_zip.py", tmp_path / "custom.zip"
    code.write_text(EXTRACTOR)
    monkeypatch.syspath_prepend(str(tmp_path))
    from feat_of_a_zip import Extractor  # type: ignore[import-not-found]

    kwargs = {"features_extractor_class": Extractor}
    envs: Any = BatchedVecEnv(CausalVectorEnv(AIRLINE, 2))
    PPO("MlpPolicy", envs, device="cpu", policy_kwargs=kwargs).save(path)
    monkeypatch.undo()
    monkeypatch.delitem(sys.modules, "feat_of_a_zip")
    assert len(actions(path)) == 2  # the module lies beside the zip

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = path.rename(elsewhere / "custom.zip")
    code.unlink()
    monkeypatch.delitem(sys.modules, "feat_of_a_zip")
    assert "No module named 'feat_of_a_zip'" in refused(lambda: make_agent(str(moved)))


def test_a_zip_that_does_not_tell_whether_it_was_normalised_says_so(tmp_path: Path) -> None:
    model, path = trained(SAC, normalised=False), tmp_path / "model.zip"
    # of one environment, and no line is determined by one point
    model._last_obs, model._last_original_obs = OBSERVATIONS[:1], OBSERVATIONS[1:]
    model.save(path)
    assert as_policy(path, SPACES).note == UNKNOWN_NOTE
    model.save(tmp_path / "run.zip")
    (row, *_) = Run("AirlinePricing-v0", str(tmp_path / "run.zip"), "given", 1, 0).rows()
    assert row["note"] == UNKNOWN_NOTE
