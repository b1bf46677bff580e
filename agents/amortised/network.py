"""A set-transformer that reads the rows of a log, and answers queries about its world.

Rows attend to one another, and queries to rows. Nothing depends on the order of the rows. Rows that
are equal have equal tokens, so that each distinct row is read once and its number of copies is a
weight in every attention: the answers are those that reading each copy would give.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from dosuite.causal import Array, InputError
from dosuite.causal.arrays import Floats
from dosuite.envs.files import replacing

from .prior import FEATURES

WIDTH, HEADS, LAYERS = 32, 4, 2
WIDENING = 4  # hidden units of a feed-forward network, in widths of a token


class Attention(nn.Module):
    """A pre-norm block: targets attend to sources, and then a feed-forward network.

    Source: Lee et al. (2019), Set Transformer, equation 6 (MAB), with the norms in front.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ask = nn.Linear(width, width)
        self.tell = nn.Linear(width, 2 * width)
        self.answer = nn.Linear(width, width)
        self.widen = nn.Linear(width, WIDENING * width)
        self.narrow = nn.Linear(WIDENING * width, width)

    def forward(self, targets: Tensor, sources: Tensor, log_counts: Tensor) -> Tensor:
        """Tokens (worlds, targets, width) and (worlds, sources, width) to as many as the targets.

        `log_counts` is (worlds, 1, 1, sources): a source with count k weighs as k copies of it.
        """
        key, value = self.tell(_normalised(sources)).chunk(2, dim=2)
        query = _by_head(self.ask(_normalised(targets)))
        # written out: for so few tokens this is faster than torch's fused attention
        scores = query @ _by_head(key).mT / (key.shape[2] / HEADS) ** 0.5 + log_counts
        attended = scores.softmax(dim=3) @ _by_head(value)
        targets = targets + self.answer(attended.transpose(1, 2).flatten(2))
        return targets + self.narrow(self.widen(_normalised(targets)).relu())  # type: ignore[no-any-return]


class SetTransformer(nn.Module):
    """Blocks of attention among the rows, one of the queries to the rows, and a linear layer."""

    def __init__(self, width: int = WIDTH) -> None:
        """`width` is that of a token, a multiple of HEADS."""
        super().__init__()
        self.of_row = nn.Linear(FEATURES + 1, width)
        self.of_query = nn.Linear(2 + 1, width)
        self.among_rows = nn.ModuleList(Attention(width) for _ in range(LAYERS))
        self.to_rows = Attention(width)
        self.head = nn.Linear(width, 1)

    def forward(self, rows: Tensor, counts: Tensor, queries: Tensor) -> Tensor:
        """The answers, probabilities (worlds, queries).

        Rows are (worlds, n, FEATURES) and occur `counts` (worlds, n) times, which may be fractions
        and may be 0; queries are (worlds, queries, 2).
        """
        size = (counts.sum(1).log10() - 3.0)[:, None, None]
        log_counts = counts.log()[:, None, None, :]
        tokens = self.of_row(_with(rows, size))
        for block in self.among_rows:
            tokens = block(tokens, tokens, log_counts)
        asked = self.to_rows(self.of_query(_with(queries, size)), tokens, log_counts)
        return self.head(_normalised(asked)).squeeze(2).sigmoid()  # type: ignore[no-any-return]

    def answers(self, rows: Array, counts: Array, queries: Array) -> Floats:
        """`forward` on arrays, without gradients."""
        with torch.no_grad():
            return self(*map(as_tensor, (rows, counts, queries))).double().numpy()  # type: ignore[no-any-return]


def drawn(seed: int, width: int = WIDTH) -> SetTransformer:
    """A network with initial weights drawn by a seed; torch's own generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SetTransformer(width)


def save(network: SetTransformer, path: Path) -> None:
    """Write the weights as an .npz of float16."""
    weights = {name: part.half().numpy() for name, part in network.state_dict().items()}
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **weights)


def load(path: Path) -> SetTransformer:
    """The network whose weights are in a file. Raises InputError if they are not there."""
    network = drawn(0)
    try:
        with np.load(path, allow_pickle=False) as stored:
            weights = {name: torch.as_tensor(stored[name]).float() for name in stored.files}
        network.load_state_dict(weights)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(
            f"{path} has no weights of a set-transformer; train some with "
            f"python -m dosuite.agents.amortised train --out {path}"
        ) from error
    return network


def as_tensor(array: Array) -> Tensor:
    """An array as a tensor of float32."""
    return torch.as_tensor(np.ascontiguousarray(array, dtype=np.float32))


def _with(features: Tensor, size: Tensor) -> Tensor:
    """Features with the size of the log as one more."""
    return torch.cat([features, size.expand(-1, features.shape[1], -1)], dim=2)


def _by_head(tokens: Tensor) -> Tensor:
    """(worlds, n, width) to (worlds, HEADS, n, width / HEADS)."""
    worlds, count, _ = tokens.shape
    return tokens.reshape(worlds, count, HEADS, -1).transpose(1, 2)


def _normalised(tokens: Tensor) -> Tensor:
    return layer_norm(tokens, tokens.shape[-1:])
