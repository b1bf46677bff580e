"""Logs that other libraries read back: tables, Minari, torch, TorchRL and d3rlpy."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from dosuite.causal import InputError
from dosuite.envs import Log, collect, dataset, from_minari, make_model, to_minari
from dosuite.envs.logs.exports import (
    numbered,
    to_d3rlpy,
    to_pandas,
    to_table,
    to_torch,
    to_torchrl,
)

WORLDS = ("IceCreamShorts-v0", "Tiger-v0", "SepsisDiabetes-v0", "CorrelatedNoiseLQ-v0")
LOGS = [collect(make_model(world), 40, 0, "mixed") for world in WORLDS]


@pytest.mark.parametrize("log", LOGS, ids=WORLDS)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_is_read_back_with_equal_numbers(log: Log, suffix: str, tmp_path: Path) -> None:
    path = to_table(log, tmp_path / f"log.{suffix}")
    frame = pd.read_csv(path) if suffix == "csv" else pd.read_parquet(path)
    expected = to_pandas(log)
    rtol = 0 if suffix == "parquet" else 1e-12
    typed = frame.astype(expected.dtypes)  # text has no types
    pd.testing.assert_frame_equal(typed, expected, rtol=rtol, atol=0)
    assert not {*make_model(str(log.origin["world"])).names("latent")} & set(frame.columns)


def test_a_csv_file_is_a_log_again(tmp_path: Path) -> None:
    log = dataset("SimpsonClinic-observe-1e3-v0")
    path = to_table(log, tmp_path / "log.csv")
    read = Log.of(str(path), logged=log.logged)
    for name in ("action", "reward", "episode", "terminated", *log.logged):
        assert np.array_equal(read[name], log[name]), name


@pytest.mark.filterwarnings("ignore::UserWarning")  # Minari wants the address of an author
def test_the_scores_of_minari_are_exact_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    log = dataset("IceCreamShorts-observe-1e3-v0")
    data = to_minari(log, "dosuite/ice-v0")
    metadata = data.storage.metadata
    assert metadata["ref_min_score"] == pytest.approx(0.375, abs=1e-12)
    assert metadata["ref_max_score"] == pytest.approx(0.475, abs=1e-12)
    assert from_minari("dosuite/ice-v0").content_hash == log.content_hash


@pytest.mark.parametrize("log", LOGS, ids=WORLDS)
def test_a_torch_loader_reads_the_transitions(log: Log) -> None:
    batches = list(DataLoader(to_torch(log), batch_size=16))
    columns = [torch.cat(parts).numpy() for parts in zip(*batches, strict=True)]
    observation, action, reward, following, terminated = columns
    assert np.array_equal(observation, numbered(log, "observation"))
    assert np.array_equal(action, log["action"])
    assert np.array_equal(reward, log["reward"].astype(np.float32))
    assert np.array_equal(following, numbered(log, "next_observation"))
    assert np.array_equal(terminated, log["terminated"])


@pytest.mark.parametrize("log", LOGS, ids=WORLDS)
def test_torchrl_reads_the_transitions(log: Log) -> None:
    pytest.importorskip("torchrl.data")
    buffer = to_torchrl(log, batch_size=8)
    rows = buffer[:]
    assert np.array_equal(rows["action"].numpy(), log["action"])
    assert np.array_equal(rows["observation"].numpy(), numbered(log, "observation"))
    assert np.array_equal(rows["next", "reward"][:, 0].numpy(), log["reward"].astype(np.float32))
    assert np.array_equal(rows["next", "done"][:, 0].numpy(), log["terminated"] | log["truncated"])
    assert buffer.sample().batch_size == torch.Size([8])


@pytest.mark.parametrize("log", LOGS, ids=WORLDS)
@pytest.mark.filterwarnings("ignore")  # of d3rlpy and of gym
def test_d3rlpy_reads_the_episodes(log: Log) -> None:
    pytest.importorskip("d3rlpy")
    data = to_d3rlpy(log)
    assert data.size() == log.episodes
    for name, attribute in (("action", "actions"), ("reward", "rewards")):
        read = np.concatenate([getattr(episode, attribute) for episode in data.episodes])
        assert np.allclose(read[:, 0], log[name].astype(read.dtype)), name
    read = np.concatenate([episode.observations for episode in data.episodes])
    assert np.array_equal(read, numbered(log, "observation"))
    ends = [episode.terminated for episode in data.episodes]
    last = np.flatnonzero(np.append(np.diff(log["episode"]), 1))
    assert np.array_equal(ends, log["terminated"][last])


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        to_table(LOGS[0], tmp_path / "log.xlsx")


def test_an_agent_exports_what_it_is_given_of_a_log() -> None:
    log = LOGS[0]
    for given, kept in zip(
        to_torch(log.view(labels=True)).tensors, to_torch(log).tensors, strict=True
    ):
        assert torch.equal(given, kept)


def test_a_missing_library_comes_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "d3rlpy", None)  # as if it was not there
    with pytest.raises(InputError, match="pip install --no-deps d3rlpy && pip install structlog"):
        to_d3rlpy(LOGS[0])
