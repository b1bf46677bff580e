"""The settings that all agents with networks of this package have in common."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import ceil
from typing import Any

import torch
from torch import Tensor

from dosuite.causal import InputError

from ..agent import Agent
from ..settings import at_least_one, at_most, not_negative, one_of, positive

OPTIMISERS = ("adam", "sgd")
MOMENTUM = 0.9  # of sgd
MOST_LAYERS = 32
MOST_UPDATES = 10**9


@dataclass(frozen=True)
class NetworkAgent(Agent):
    """An agent that trains networks. Raises InputError if a setting is out of range.

    It takes `updates` steps of the optimiser on a log, whatever its size: a fixed amount of
    computation. With `epochs` it takes ceil(epochs * rows / batch) instead, so that it draws as
    many rows as so many passes over the log have.
    """

    batch: int = 256  # rows of a minibatch
    rate: float = 1e-3  # learning rate
    hidden: int = 32  # units in each hidden layer
    device: str = "cpu"  # or cuda
    depth: int = 2  # hidden layers
    optimiser: str = "adam"  # or sgd, with momentum 0.9
    # of all parameters: at each step they shrink by the factor 1 - rate * decay with adam
    # (Loshchilov and Hutter, 2019); with sgd, decay times a parameter is added to its gradient
    decay: float = 0.0
    updates: int = 800  # steps of the optimiser on a log
    epochs: float = 0.0  # passes over the log, in place of `updates`; 0 for none

    def __post_init__(self) -> None:
        at_least_one(self, "batch", "hidden", "depth", "updates")
        at_most(self, MOST_LAYERS, "depth")
        at_most(self, MOST_UPDATES, "updates")
        positive(self, "rate")
        not_negative(self, "decay", "epochs")
        one_of(self, "optimiser", OPTIMISERS)
        if self.epochs and self.updates != _default(type(self), "updates"):
            raise InputError(
                f"{self.name}: give updates or epochs, and not both; they are {self.updates} and "
                f"{self.epochs}"
            )

    @property
    def layers(self) -> list[int]:
        """The units of the hidden layers."""
        return [self.hidden] * self.depth

    def updates_on(self, rows: int) -> int:
        """The number of steps of the optimiser on a log of so many rows."""
        if not self.epochs:
            return self.updates
        updates = ceil(self.epochs * rows / self.batch)
        if updates > MOST_UPDATES:
            raise InputError(
                f"{self.name}: {self.epochs} epochs are {updates} updates, of at most "
                f"{MOST_UPDATES}; give fewer"
            )
        return updates

    def optimiser_of(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], fused: bool
    ) -> torch.optim.Optimizer:
        """The optimiser of parameters, or of groups of them, as torch takes them.

        A fused one updates each tensor by one operation.
        """
        kind, arguments = self.optimiser_kind
        return kind(parameters, lr=self.rate, fused=fused, **arguments)  # type: ignore[no-any-return]

    @property
    def optimiser_kind(self) -> tuple[Any, dict[str, Any]]:
        """The class of the optimiser, and its arguments but the learning rate."""
        if self.optimiser == "sgd":
            return torch.optim.SGD, {"momentum": MOMENTUM, "weight_decay": self.decay}
        if self.decay:
            return torch.optim.AdamW, {"weight_decay": self.decay}
        return torch.optim.Adam, {}


def _default(agent: type[NetworkAgent], name: str) -> object:
    return next(field.default for field in fields(agent) if field.name == name)
