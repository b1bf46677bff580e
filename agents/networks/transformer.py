"""Causal transformers with a leading axis of seeds."""

from collections.abc import Iterable, Sequence

import numpy as np
from torch import Tensor, nn
from torch.nn.functional import layer_norm, scaled_dot_product_attention

from .perceptrons import Perceptrons

WIDENING = 4  # hidden units of a block's feed-forward network, in widths of a token


class Block(nn.Module):
    """A pre-norm transformer block: causal self-attention and a feed-forward network.

    Both are residual. Layer norm has no gain and bias of its own, since the linear layer after it
    has them.
    """

    def __init__(self, ask: Perceptrons, answer: Perceptrons, think: Perceptrons, heads: int):
        """`ask` makes queries, keys and values, `answer` mixes heads, `think` is the network."""
        super().__init__()
        self.ask = ask
        self.answer = answer
        self.think = think
        self.heads = heads

    @staticmethod
    def drawn(width: int, heads: int, rngs: Sequence[np.random.Generator]) -> "Block":
        """A block for each generator."""
        ask = Perceptrons.drawn([width, 3 * width], rngs)
        answer = Perceptrons.drawn([width, width], rngs)
        think = Perceptrons.drawn([width, WIDENING * width, width], rngs)
        return Block(ask, answer, think, heads)

    def forward(self, tokens: Tensor, last: bool = False) -> Tensor:
        """Map tokens (seeds, windows, steps, width) to as many, or with `last` to the last ones."""
        seeds, windows, steps, width = tokens.shape
        # queries, keys and values: (seeds * windows, heads, steps, width / heads) each
        normalised = _normalised(tokens).reshape(seeds, -1, width)
        projected = self.ask(normalised)
        by_step = projected.reshape(seeds * windows, steps, 3 * self.heads, -1)
        by_head = by_step.transpose(1, 2)
        query, key, value = by_head.chunk(3, dim=1)
        if last:
            query = query[:, :, -1:]
            tokens = tokens[:, :, -1:]
        attended = scaled_dot_product_attention(query, key, value, is_causal=not last)
        # heads back to rows: (seeds, windows * steps, width)
        attended = attended.transpose(1, 2)
        attended = attended.reshape(seeds, -1, width)
        # two residual steps
        rows = tokens.reshape(seeds, -1, width)
        rows = rows + self.answer(attended)
        rows = rows + self.think(_normalised(rows))
        return rows.reshape(tokens.shape)  # type: ignore[no-any-return]

    def only(self, members: Sequence[int]) -> "Block":
        """A copy of some members, on the CPU."""
        ask = self.ask.only(members)
        answer = self.answer.only(members)
        think = self.think.only(members)
        return Block(ask, answer, think, self.heads)


class Transformer(nn.Module):
    """Blocks, and a linear layer from their tokens to outputs."""

    def __init__(self, blocks: Iterable[Block], head: Perceptrons):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.head = head

    @staticmethod
    def drawn(
        width: int, outputs: int, layers: int, heads: int, rngs: Sequence[np.random.Generator]
    ) -> "Transformer":
        """A transformer for each generator."""
        blocks = [Block.drawn(width, heads, rngs) for _ in range(layers)]
        return Transformer(blocks, Perceptrons.drawn([width, outputs], rngs))

    def forward(self, tokens: Tensor, last: bool = False) -> Tensor:
        """Map tokens (seeds, windows, steps, width) to outputs (seeds, windows, steps, outputs).

        With `last`, only the outputs of the last step are computed.
        """
        for i, block in enumerate(self.blocks, 1):
            is_final = i == len(self.blocks)
            tokens = block(tokens, last and is_final)
        seeds, windows, steps, width = tokens.shape
        rows = _normalised(tokens).reshape(seeds, -1, width)
        outputs = self.head(rows)
        return outputs.reshape(seeds, windows, steps, -1)  # type: ignore[no-any-return]

    def only(self, members: Sequence[int]) -> "Transformer":
        """A copy of some members, on the CPU."""
        blocks = [block.only(members) for block in self.blocks]  # type: ignore[operator]
        return Transformer(blocks, self.head.only(members))


def _normalised(tokens: Tensor) -> Tensor:
    return layer_norm(tokens, tokens.shape[-1:])
