"""Policies of one seed's networks, and the file that keeps one."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from minari.serialization import deserialize_space, serialize_space
from torch import Tensor

from confoundry.causal import Array, InputError, greedy
from confoundry.envs import Space

from .agent import Policy
from .batched import Perceptrons
from .networks import features


class NetworkPolicy(Policy):
    """Acts by the logits of a network, or where there are none, takes the action of the largest value.

    Where there are several networks of values, the least is the value of an action.
    """

    def __init__(self, space: Space, values: Perceptrons, logits: Perceptrons | None = None):
        self.space, self.values, self.logits = space, values, logits

    def probabilities(self, observations: Array) -> Array:
        """Softmax of the logits; without logits 1 for the best action, and ties are shared."""
        if self.logits is None:
            return greedy(self.action_values(observations))
        return np.asarray(self._outputs(self.logits, observations)[0].softmax(1).numpy())

    def action_values(self, observations: Array) -> Array:
        """The networks' outputs."""
        return np.asarray(self._outputs(self.values, observations).amin(0).numpy())

    @torch.no_grad()
    def _outputs(self, networks: Perceptrons, observations: Array) -> Tensor:
        seen = features(self.space, observations)
        return networks(seen.expand(len(networks), -1, -1)).double()  # type: ignore[no-any-return]

    def save(self, path: str | Path) -> Path:
        """Write the policy to one file, which is whole or as it was. Returns the path."""
        path = Path(path)
        parts = {"values": self.values, "logits": self.logits}
        networks = {name: [layer.detach() for layer in part.layers] for name, part in parts.items() if part is not None}
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        torch.save({"space": serialize_space(self.space), "networks": networks, "note": self.note}, temporary)
        os.replace(temporary, path)
        return path

    @staticmethod
    def load(path: str | Path) -> "NetworkPolicy":
        """Read a policy that `save` wrote; it acts as the saved one does. Raises InputError if the file holds none."""
        try:
            about: dict[str, Any] = torch.load(path, weights_only=True)
            networks = {name: Perceptrons(layers) for name, layers in about["networks"].items()}
            policy = NetworkPolicy(deserialize_space(about["space"]), networks["values"], networks.get("logits"))
            policy.note = about["note"]
        except FileNotFoundError:
            raise InputError(f"there is no file {path}; a policy is written by its method save") from None
        except Exception:  # a file of another kind can raise anything
            raise InputError(f"{path} is not a saved policy; a policy is written by its method save") from None
        return policy
