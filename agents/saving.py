"""The file that keeps a policy:

the arguments that made it, as tensors, numbers and texts, and no code.
"""

import importlib
import os
from inspect import signature
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Space
from minari.serialization import deserialize_space, serialize_space
from scipy import sparse
from stable_baselines3.common.base_class import BaseAlgorithm
from torch import Tensor, nn

from dosuite.causal import InputError

from .agent import Policy

PACKAGES = ("dosuite.", "stable_baselines3.", "sb3_contrib.")  # whose classes a file may name


def save_policy(policy: Policy, path: str | Path) -> Path:
    """Write a policy to one file, which is whole or as it was. Returns the path.

    An object of a class of this package is kept as the arguments of its constructor, which are its
    attributes of the same names; an algorithm of Stable-Baselines3 as the zip that it writes
    itself. Raises InputError if a part of the policy is neither that nor a number, text, array,
    tensor or space."""
    path = Path(path)
    contents = _packed(policy)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    torch.save(contents, temporary)
    os.replace(temporary, path)
    return path


def load_policy(path: str | Path) -> Policy:
    """Read a policy that `save_policy` wrote; it acts as the saved one does, on the CPU. Raises
    InputError if the file holds none.

    Only the zip of an algorithm of Stable-Baselines3 can hold code: load such a policy from whom
    you trust."""
    try:
        policy = _unpacked(torch.load(path, weights_only=True, map_location="cpu"))
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; a policy is written by save_policy") from None
    except Exception:  # a file of another kind can raise anything
        policy = None
    if not isinstance(policy, Policy):
        raise InputError(f"{path} is not a saved policy; a policy is written by save_policy")
    return policy


def _packed(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, list | tuple | nn.ParameterList | nn.ModuleList):
        return [_packed(part) for part in value]
    kind = type(value)
    if isinstance(value, np.ndarray | np.generic):
        return {"array": torch.as_tensor(np.array(value))}
    if isinstance(value, sparse.csr_array):
        return {
            "sparse": [
                _packed(part)
                for part in (value.data, value.indices, value.indptr, list(value.shape))
            ]
        }
    if isinstance(value, Space):
        return {"space": serialize_space(value)}
    if isinstance(value, BaseAlgorithm):
        file = BytesIO()
        value.save(file)
        return {
            "zip": torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8),
            "class": _name(kind),
        }
    if not kind.__module__.startswith(PACKAGES):
        raise InputError(
            f"a policy with a part of the type {kind.__name__} cannot be kept in a file"
        )
    arguments = {name: _packed(getattr(value, name)) for name in signature(kind).parameters}
    return {"class": _name(kind), "arguments": arguments, "note": getattr(value, "note", "")}


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
    made = _named(value["class"])
    if "zip" in value:
        return made.load(BytesIO(value["zip"].numpy().tobytes()), device="cpu")
    found = made(**{name: _unpacked(part) for name, part in value["arguments"].items()})
    if isinstance(found, Policy):
        found.note = value["note"]
    return found


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _named(text: str) -> Any:
    module, _, name = text.partition(":")
    found = getattr(importlib.import_module(module), name) if module.startswith(PACKAGES) else None
    if not isinstance(found, type):
        raise ValueError(text)
    return found
