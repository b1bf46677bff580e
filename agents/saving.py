"""Policies in files, as numbers, texts and tensors: no code, and no pickled objects.

A policy is stored as the short name of its class and the arguments of its constructor. Only classes
in STORED are ever built, and files are read with `torch.load(weights_only=True)`, which refuses to
unpickle anything else. A seal, the hash of all bytes before it, tells whether a file was damaged;
it does not tell who wrote it.
"""

import io
from hashlib import blake2b
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np
import torch
from gymnasium.spaces import Space
from minari.serialization import deserialize_space, serialize_space
from scipy import sparse
from stable_baselines3.common.policies import BasePolicy
from torch import Tensor, nn

from dosuite.causal import InputError
from dosuite.envs.files import replacing

from .archives import is_torchscript
from .online.stored_networks import packed_network, unpacked_network
from .policy import Policy

FORMAT = 3  # 1, of version 0.1.0, named classes by module; 2 had no seal
SEAL = b"dosuite-seal:"  # begins the comment of the zip, which ends with the hash

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
    write_sealed({"format": FORMAT, "policy": _packed(policy)}, path)
    return path


def write_sealed(contents: dict[str, Any], path: Path) -> None:
    """Write numbers, texts and tensors to a file, with a seal."""
    buffer = io.BytesIO()
    torch.save(contents, buffer)
    content = buffer.getvalue()
    with replacing(path) as temporary:
        temporary.write_bytes(content[:-2] + _comment(content[:-2]))


def _comment(content: bytes) -> bytes:
    """The end of a zip, its comment with the length before it, which seals what is before."""
    seal = SEAL + blake2b(content, digest_size=16).hexdigest().encode()
    return len(seal).to_bytes(2, "little") + seal


LENGTH = len(_comment(b""))


def load_policy(path: str | Path) -> Policy:
    """Read a policy that `save_policy` wrote. It acts as the saved one does, on the CPU.

    Raises InputError if the file is missing, damaged, too large (see `archives`), holds no policy,
    or is of another version's format.
    """
    if not Path(path).is_file():
        raise InputError(f"there is no file {path}; a policy is written by save_policy")
    not_saved = f"{path} is not a saved policy; a policy is written by save_policy"
    if is_torchscript(path):
        raise InputError(f"{path} is TorchScript, and not a saved policy; give its path to `score`")
    content = Path(path).read_bytes()
    _check_members(content, not_saved)
    is_sealed = content[-LENGTH:] == _comment(content[:-LENGTH])
    if not is_sealed and SEAL in content[-2 * LENGTH :]:
        raise InputError(f"{path} is damaged: its bytes are not those that its seal was made of")
    try:
        contents = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except Exception as error:  # the reader of damaged bytes raises errors of any type
        raise InputError(not_saved) from error
    _check_format(path, contents, not_saved)
    if not is_sealed:
        raise InputError(f"{path} is damaged: a saved policy ends with its seal")
    _check_tensors(contents, not_saved)
    try:
        policy = _unpacked(contents["policy"])
    except (
        *(KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError),
        *(RuntimeError, AssertionError, MemoryError),
    ) as error:
        raise InputError(not_saved) from error
    if not isinstance(policy, Policy):
        raise InputError(not_saved)
    return policy


def _check_members(content: bytes, not_saved: str) -> None:
    """Raise InputError if the bytes are no zip, or one whose members are packed: torch packs none,
    so that a file holds no more than its size.
    """
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            is_plain = all(each.compress_type == ZIP_STORED for each in archive.infolist())
    except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(not_saved) from error
    if not is_plain:
        raise InputError(not_saved)


def _check_tensors(value: Any, not_saved: str) -> None:
    """Raise InputError if a tensor has more entries than bytes in the file, as by a stride of 0."""
    if isinstance(value, Tensor):
        is_whole = value.numel() * value.element_size() <= value.untyped_storage().nbytes()
        if value.layout != torch.strided or not is_whole:
            raise InputError(not_saved)
    elif isinstance(value, dict):
        for part in value.values():
            _check_tensors(part, not_saved)
    elif isinstance(value, list | tuple):
        for part in value:
            _check_tensors(part, not_saved)


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
