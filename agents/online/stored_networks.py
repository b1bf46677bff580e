"""Networks of Stable-Baselines3 as plain data: names, numbers and tensors, without pickled objects.

A network is stored as the name of its class, the arguments of its constructor and its weights. Only
classes that are listed here are ever built. It is stored to act, not to go on training: optimisers
and learning rates are left out.
"""

import math
from inspect import signature
from typing import Any

from gymnasium.spaces import Space
from minari.serialization import deserialize_space, serialize_space
from sb3_contrib.ars.policies import ARSLinearPolicy, ARSPolicy
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from sb3_contrib.crossq.policies import CrossQPolicy
from sb3_contrib.qrdqn.policies import QRDQNPolicy
from sb3_contrib.tqc.policies import TQCPolicy
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.torch_layers import FlattenExtractor, NatureCNN
from stable_baselines3.dqn.policies import DQNPolicy
from stable_baselines3.sac.policies import SACPolicy
from stable_baselines3.td3.policies import TD3Policy
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from dosuite.causal import InputError

from .ars import Searched
from .base import Features
from .sb3_policies import arguments_of

NETWORKS: dict[str, type[BasePolicy]] = {
    "ActorCriticPolicy": ActorCriticPolicy,
    "MaskableActorCriticPolicy": MaskableActorCriticPolicy,
    "RecurrentActorCriticPolicy": RecurrentActorCriticPolicy,
    "DQNPolicy": DQNPolicy,
    "QRDQNPolicy": QRDQNPolicy,
    "SACPolicy": SACPolicy,
    "TD3Policy": TD3Policy,
    "TQCPolicy": TQCPolicy,
    "CrossQPolicy": CrossQPolicy,
    "ARSPolicy": ARSPolicy,
    "ARSLinearPolicy": ARSLinearPolicy,
    "Searched": Searched,
}
PARTS: dict[str, type[nn.Module]] = {
    "Features": Features,
    "FlattenExtractor": FlattenExtractor,
    "NatureCNN": NatureCNN,
    "Tanh": nn.Tanh,
    "ReLU": nn.ReLU,
    "LeakyReLU": nn.LeakyReLU,
    "ELU": nn.ELU,
    "GELU": nn.GELU,
    "SiLU": nn.SiLU,
}
# the operations of torch that make a tensor of a given size
MAKERS = {"empty", "empty_strided", "full", "new_empty", "new_full", "new_ones", "new_zeros"}
MAKERS |= {"ones", "rand", "randn", "zeros"}
COPIES, SLACK = 8, 2**16
OF_TRAINING = ("lr_schedule", "optimizer_class", "optimizer_kwargs")


def packed_network(network: BasePolicy) -> dict[str, Any]:
    """The network as a dict. Raises InputError if a part of it is of a class not listed here."""
    arguments = {
        name: _packed(value)
        for name, value in arguments_of(network).items()
        if name not in OF_TRAINING
    }
    weights = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    return {
        "network": _name_of(type(network), NETWORKS),
        "arguments": arguments,
        "weights": weights,
    }


def unpacked_network(contents: dict[str, Any]) -> BasePolicy:
    """The network that `packed_network` has stored, on the CPU.

    Raises KeyError if a class is not listed here, TypeError or RuntimeError if arguments or weights
    do not fit it, and MemoryError if it would be much larger than its weights.
    """
    kind = NETWORKS[contents["network"]]
    arguments = {name: _unpacked(value) for name, value in contents["arguments"].items()}
    if "lr_schedule" in signature(kind).parameters:
        arguments["lr_schedule"] = _no_learning
    with _OfTheSizeOf(contents["weights"]):
        network = kind(**arguments)
    network.load_state_dict(contents["weights"])
    return network


class _OfTheSizeOf(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Raises MemoryError before tensors are made that have in all many times the entries of some
    weights, since the sizes in a stranger's file may be any.
    """

    def __init__(self, weights: dict[str, Tensor]):
        super().__init__()  # type: ignore[no-untyped-call]
        # initialising takes copies
        self.left = SLACK + COPIES * sum(tensor.numel() for tensor in weights.values())

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count the entries of new tensors, and go on."""
        if func.overloadpacket.__name__ in MAKERS:
            sizes = [part for part in args if isinstance(part, list | tuple)]
            self.left -= math.prod(sizes[0]) if sizes else 0
            if self.left < 0:
                raise MemoryError("the network is larger than its weights")
        return func(*args, **(kwargs or {}))


def _no_learning(progress: float) -> float:
    return 0.0


def _packed(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_packed(part) for part in value]
    if isinstance(value, dict):
        return {"dict": {str(key): _packed(part) for key, part in value.items()}}
    if isinstance(value, Space):
        return {"space": serialize_space(value)}
    if isinstance(value, type):
        return {"class": _name_of(value, PARTS)}
    raise _unknown(type(value))


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpacked(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {key: _unpacked(part) for key, part in value["dict"].items()}
    return deserialize_space(value["space"]) if "space" in value else PARTS[value["class"]]


def _name_of(kind: type, known: dict[str, Any]) -> str:
    name = str(kind.__name__)
    if known.get(name) is not kind:
        raise _unknown(kind)
    return name


def _unknown(kind: type) -> InputError:
    return InputError(
        f"a policy with a part of the type {kind.__name__} cannot be kept in a file; keep the "
        "zip that its algorithm saves"
    )
