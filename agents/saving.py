"""Policies in files, as numbers, texts and tensors: no code, and no pickled objects.

A policy is stored as the short name of its class and the arguments of its constructor. Only classes
in STORED are ever built, and files are read with `torch.load(weights_only=True)`, which refuses to
unpickle anything else.
"""

from importlib import import_module
from inspect import signature
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import is_zipfile

import numpy as np
import torch
from gymnasium.spaces import Space
from minari.serialization import deserialize_space, serialize_space
from scipy import sparse
from stable_baselines3.common.policies import BasePolicy
from torch import Tensor, nn

from dosuite.causal import InputError
from dosuite.envs.files import replacing

from .online.stored_networks import packed_network, unpacked_network
from .policy import Policy

FORMAT = 2  # 1, of version 0.1.0, named classes by module

# the classes that a file may hold and the modules that define them; files have only the names, so
# that a class can move
STORED = {
    "TabularPolicy": "dosuite.agents.policy",
    "ValuedPolicy": "dosuite.agents.tabular.counting",
    "NetworkPolicy": "dosuite.agents.networks.network_policy",
    "Mode": "dosuite.agents.networks.network_policy",
    "ClonedMean": "dosuite.agents.offline.behaviour_cloning",
    "DeterministicActor": "dosuite.agents.offline.td3_bc",
    "Priced": "dosuite.agents.offline.deep_iv",
    "LinearPolicy": "dosuite.agents.offline.lagged_iv",
    "SequencePolicy": "dosuite.agents.offline.decision_transformer",
    "SequenceMean": "dosuite.agents.offline.decision_transformer",
    "Sequencer": "dosuite.agents.offline.decision_transformer",
    "Aim": "dosuite.agents.offline.decision_transformer",
    "Transformer": "dosuite.agents.networks.transformer",
    "Block": "dosuite.agents.networks.transformer",
    "WindowScales": "dosuite.agents.networks.windows",
    "Standardisation": "dosuite.agents.networks.rescaling",
    "Perceptrons": "dosuite.agents.networks.perceptrons",
    "ActorPolicy": "dosuite.agents.online.sb3_policies",
    "ValuePolicy": "dosuite.agents.online.sb3_policies",
    "ChosenPolicy": "dosuite.agents.online.sb3_policies",
    "RecurrentPolicy": "dosuite.agents.online.sb3_policies",
    "NormalActorPolicy": "dosuite.agents.online.sb3_policies",
    "ActorOfNumbers": "dosuite.agents.online.sb3_policies",
    "Process": "dosuite.causal.exact",
}


def save_policy(policy: Policy, path: str | Path) -> Path:
    """Write a policy to one file, which replaces an older one as a whole. Returns the path.

    Every object is stored as the arguments of its constructor, read from its attributes of the same
    names. Raises InputError if a part is neither of a class in STORED nor a number, text, array,
    tensor, space or a network of Stable-Baselines3 (see `stored_networks`).
    """
    path = Path(path)
    contents = {"format": FORMAT, "policy": _packed(policy)}
    file = BytesIO()  # where torch writes to a file, a full disk is a RuntimeError
    torch.save(contents, file)
    with replacing(path) as temporary:
        temporary.write_bytes(file.getbuffer())
    return path


def load_policy(path: str | Path) -> Policy:
    """Read a policy that `save_policy` wrote. It acts as the saved one does, on the CPU.

    Raises InputError if the file is missing, holds no policy, or is of another version's format.
    """
    if not Path(path).is_file():
        raise InputError(f"there is no file {path}; a policy is written by save_policy")
    not_saved = f"{path} is not a saved policy; a policy is written by save_policy"
    if not is_zipfile(path):  # as torch writes its files
        raise InputError(not_saved)
    try:
        contents = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, RuntimeError, UnpicklingError) as error:
        raise InputError(not_saved) from error
    _check_format(path, contents, not_saved)
    try:
        policy = _unpacked(contents["policy"])
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, AssertionError) as error:
        raise InputError(not_saved) from error
    if not isinstance(policy, Policy):
        raise InputError(not_saved)
    return policy


def _check_format(path: str | Path, contents: Any, not_saved: str) -> None:
    """Raise InputError if a file is of another format, or has none."""
    is_dict = isinstance(contents, dict)
    if is_dict and {"class", "arguments", "note"} <= set(contents):
        raise InputError(
            f"{path} was saved by version 0.1.0, whose format this version does not read; learn "
            "and save the policy again"
        )
    if not is_dict or not isinstance(contents.get("format"), int) or "policy" not in contents:
        raise InputError(not_saved)
    if contents["format"] != FORMAT:
        raise InputError(
            f"{path} has the format {contents['format']} of saved policies, and this version of "
            f"dosuite reads format {FORMAT}; use the version that wrote it"
        )


def _packed(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, list | tuple | nn.ParameterList | nn.ModuleList):
        return [_packed(part) for part in value]
    if isinstance(value, np.ndarray | np.generic):
        return {"array": torch.as_tensor(np.array(value))}
    if isinstance(value, sparse.csr_array):
        parts = value.data, value.indices, value.indptr, list(value.shape)
        return {"sparse": [_packed(part) for part in parts]}
    if isinstance(value, Space):
        return {"space": serialize_space(value)}
    if isinstance(value, BasePolicy):
        return packed_network(value)
    return _packed_object(value)


def _packed_object(value: Any) -> dict[str, Any]:
    """An object as the arguments of its constructor."""
    kind = type(value)
    if kind.__name__ not in STORED or _stored_class(kind.__name__) is not kind:
        raise InputError(
            f"a policy with a part of the type {kind.__name__} cannot be kept in a file"
        )
    arguments = {name: _packed(getattr(value, name)) for name in signature(kind).parameters}
    return {"class": kind.__name__, "arguments": arguments, "note": getattr(value, "note", "")}


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpacked(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return value["array"].numpy()
    if "sparse" in value:
        *parts, shape = _unpacked(value["sparse"])
        return sparse.csr_array(tuple(parts), shape=tuple(shape))
    if "space" in value:
        return deserialize_space(value["space"])
    if "network" in value:
        return unpacked_network(value)
    return _unpacked_object(value)


def _unpacked_object(value: dict[str, Any]) -> Any:
    """Raises KeyError if the class is not in STORED."""
    kind = _stored_class(value["class"])
    arguments = {name: _unpacked(part) for name, part in value["arguments"].items()}
    instance = kind(**arguments)
    if isinstance(instance, Policy):
        instance.note = value["note"]
    return instance


def _stored_class(name: str) -> Any:
    return getattr(import_module(STORED[name]), name)
