"""What a file of a saved policy may hold: classes of a closed list, in a format with a number."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from learning import learn
from refusals import refused
from stable_baselines3 import PPO
from stable_baselines3.common.torch_layers import FlattenExtractor
from torch import nn

import dosuite.agents
from dosuite.agents import Policy, Spaces, load_policy, save_policy
from dosuite.agents.online.sb3_policies import ActorPolicy
from dosuite.agents.saving import FORMAT, STORED, write_sealed
from dosuite.agents.user_policy import ContinuousFunctionPolicy, FunctionPolicy, as_policy
from dosuite.envs import CausalEnv, make_model
from dosuite.envs.plugins import classes_in_package

torch.set_num_threads(1)

ICE, RIVER = make_model("IceCreamShorts-v0"), make_model("ConfoundedRiver-v0")


def saved(tmp_path: Path) -> Path:
    return save_policy(learn("naive", ICE, rows=200), tmp_path / "policy.pt")


def test_every_policy_of_the_package_but_functions_can_be_stored() -> None:
    classes = classes_in_package(dosuite.agents, Policy)
    concrete = {cls.__name__ for cls in classes if not cls.__abstractmethods__}
    unstored = {FunctionPolicy.__name__, ContinuousFunctionPolicy.__name__, "SB3Policy"}
    assert concrete - unstored <= set(STORED)


def test_a_file_names_classes_without_their_modules(tmp_path: Path) -> None:
    contents = torch.load(saved(tmp_path), weights_only=True)
    assert contents["format"] == FORMAT
    assert contents["policy"]["class"] == "TabularPolicy"


def test_a_file_of_the_first_version_is_refused_by_its_version(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    old = {"class": "package.agents.agent:TabularPolicy", "arguments": {}, "note": ""}
    torch.save(old, path)
    assert "was saved by version 0.1.0" in refused(lambda: load_policy(path))


def test_a_file_of_a_later_format_is_refused_by_its_number(tmp_path: Path) -> None:
    path = saved(tmp_path)
    contents = torch.load(path, weights_only=True)
    write_sealed({**contents, "format": FORMAT + 1}, path)
    assert f"has the format {FORMAT + 1} of saved policies" in refused(lambda: load_policy(path))


class Alarm:
    """Rings where it is built or unpickled."""

    rung = 0

    def __init__(self, **arguments: Any) -> None:
        Alarm.rung += 1

    def __reduce__(self) -> Any:
        return Alarm, ()


@pytest.mark.parametrize(
    "name", ["Alarm", f"{__name__}:Alarm", "dosuite.envs.registry:make_model", "builtins:print"]
)
def test_no_class_outside_the_list_is_built(name: str, tmp_path: Path) -> None:
    path, before = tmp_path / "policy.pt", Alarm.rung
    policy = {"class": name, "arguments": {}, "note": ""}
    write_sealed({"format": FORMAT, "policy": policy}, path)
    assert "is not a saved policy" in refused(lambda: load_policy(path))
    assert Alarm.rung == before


def test_a_pickled_object_is_refused_and_not_built(tmp_path: Path) -> None:
    path = tmp_path / "policy.pt"
    write_sealed({"format": FORMAT, "policy": Alarm()}, path)
    raw = tmp_path / "raw.pt"
    raw.write_bytes(pickle.dumps(Alarm()))
    before = Alarm.rung
    for file in (path, raw):
        assert "is not a saved policy" in refused(lambda file=file: load_policy(file))  # type: ignore[misc]
    assert Alarm.rung == before


def test_a_network_of_stable_baselines_is_stored_without_pickles(tmp_path: Path) -> None:
    policy: Any = learn("ppo", RIVER, "intervene", rows=300, epochs=1)
    contents = torch.load(save_policy(policy, tmp_path / "policy.pt"), weights_only=True)
    network = contents["policy"]["arguments"]["network"]
    assert network["network"] == "ActorCriticPolicy"
    assert network["arguments"]["features_extractor_class"] == {"class": "Features"}
    loaded: Any = load_policy(tmp_path / "policy.pt")
    assert isinstance(loaded, ActorPolicy)
    observations = np.arange(5)
    assert np.array_equal(loaded.probabilities(observations), policy.probabilities(observations))


class Eyes(FlattenExtractor):
    """A feature extractor of a user's."""


def test_a_network_with_a_part_of_the_users_is_refused(tmp_path: Path) -> None:
    parts = {"features_extractor_class": Eyes, "activation_fn": nn.Tanh}
    algorithm = PPO("MlpPolicy", CausalEnv(ICE), device="cpu", policy_kwargs=parts)
    env = CausalEnv(ICE)
    policy = as_policy(algorithm, Spaces(env.observation_space, env.action_space))
    line = refused(lambda: save_policy(policy, tmp_path / "policy.pt"))
    assert "the type Eyes cannot be kept in a file; keep the zip" in line
    assert not list(tmp_path.iterdir())
