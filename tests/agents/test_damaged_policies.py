"""Damaged and oversized files of policies are refused in one line, before they take memory."""

import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Discrete
from learning import learn
from minari.serialization import serialize_space
from refusals import refused

from dosuite.agents import archives, load_policy, make_agent, save_policy
from dosuite.agents.online.stored_networks import packed_network, unpacked_network
from dosuite.agents.registry import agent_classes
from dosuite.agents.saving import FORMAT, write_sealed
from dosuite.agents.settings import MOST
from dosuite.causal import InputError
from dosuite.envs import make_model
from dosuite.eval import Run


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "policy.pt"
    return save_policy(learn("naive", make_model("IceCreamShorts-v0"), rows=200), path).read_bytes()


def test_no_policy_with_a_flipped_bit_or_a_missing_end_is_accepted(
    content: bytes, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "policy.pt"
    path.write_bytes(content)
    load_policy(path)
    for place in rng.choice(8 * len(content), 600, replace=False):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"is damaged|is not a saved policy|unpacks to"):
            load_policy(path)
    for length in rng.integers(0, len(content), 50):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"is damaged|is not a saved policy|unpacks to"):
            load_policy(path)


def test_a_policy_without_a_seal_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "policy.pt"
    path.write_bytes(content)
    torch.save(torch.load(path, weights_only=True), path)
    assert "ends with its seal" in refused(lambda: load_policy(path))


def test_a_tensor_larger_than_its_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.pt"
    huge = torch.zeros(1).expand(10**12)
    policy = {"class": "TabularPolicy", "arguments": {"table": {"array": huge}}, "note": ""}
    write_sealed({"format": FORMAT, "policy": policy}, path)
    assert path.stat().st_size < 10_000
    assert "is not a saved policy" in refused(lambda: load_policy(path))


@pytest.mark.parametrize("name", ["model.zip", "policy.pt"])
def test_a_zip_bomb_is_refused_by_its_directory(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data", bytes(10**7))
    assert "unpacks to 10,000,000 bytes" in refused(lambda: make_agent(str(path)))


def test_a_zip_of_too_many_members_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 10)
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(11):
            archive.writestr(str(number), b"1")
    assert "has 11 members" in refused(lambda: make_agent(str(path)))


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    for name in ("model.zip", "policy.pt", "policy.onnx"):
        path = tmp_path / name
        with path.open("wb") as file:
            file.truncate(2**31 + 1)  # of holes, which take no space
        assert "has 2,147,483,649 bytes" in refused(lambda path=path: make_agent(str(path)))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("agent", "argument", "size"),
    [
        ("ppo", "net_arch", [10**5, 10**5]),
        ("ppo", "observation_space", {"space": serialize_space(Discrete(10**12))}),
        ("recurrent-ppo", "lstm_hidden_size", 10**5),
        ("recurrent-ppo", "n_lstm_layers", 10**5),
    ],
)
def test_a_network_is_not_larger_than_its_weights(agent: str, argument: str, size: Any) -> None:
    run = Run("IceCreamShorts-v0", f"{agent}:hidden=4", "intervene", 64, 0)
    network: Any = run.learned().policy
    contents = packed_network(network.network)
    unpacked_network(contents)
    contents["arguments"][argument] = size
    with pytest.raises(MemoryError):
        unpacked_network(contents)


@pytest.mark.parametrize("name", agent_classes())
def test_settings_for_which_there_is_no_memory_are_refused(name: str) -> None:
    kind: Any = agent_classes()[name]
    for setting in MOST.keys() & {field.name for field in fields(kind)}:
        with pytest.raises(InputError, match=f"{setting} must be at most"):
            make_agent(f"{name}:{setting}=1000000000")
