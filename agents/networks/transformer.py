"""Causal transformers with a leading axis of seeds."""

from collections.abc import Iterable, Sequence

import numpy as np
from torch import Tensor, nn
from torch.nn.functional import layer_norm, scaled_dot_product_attention

from .perceptrons import Perceptrons

WIDER = 4  # times as many units between the two layers of a block's network as outside


class Block(nn.Module):
    """Attention to the tokens up to each, and a network for each token, both added to it after
    layer norm.

    The gain and bias of layer norm are left out, for the layer of weights that follows has them.
    """

    def __init__(self, ask: Perceptrons, answer: Perceptrons, think: Perceptrons, heads: int):
        super().__init__()
        self.ask, self.answer, self.think, self.heads = ask, answer, think, heads

    @staticmethod
    def drawn(width: int, heads: int, rngs: Sequence[np.random.Generator]) -> "Block":
        """One for each generator."""
        sizes = [width, 3 * width], [width, width], [width, WIDER * width, width]
        ask, answer, think = (Perceptrons.drawn(each, rngs) for each in sizes)
        return Block(ask, answer, think, heads)

    def forward(self, tokens: Tensor, last: bool = False) -> Tensor:
        """Tokens (seeds, windows, steps, width) to as many, or only to those of the last step."""
        seeds, windows, steps, width = tokens.shape
        asked = self.ask(_normal(tokens).reshape(seeds, -1, width)).reshape(
            seeds * windows, steps, 3 * self.heads, -1
        )
        query, key, value = asked.transpose(1, 2).chunk(3, dim=1)
        if last:
            query, tokens = query[:, :, -1:], tokens[:, :, -1:]
        found = scaled_dot_product_attention(query, key, value, is_causal=not last)
        rows = tokens.reshape(seeds, -1, width) + self.answer(
            found.transpose(1, 2).reshape(seeds, -1, width)
        )
        return (rows + self.think(_normal(rows))).reshape(tokens.shape)  # type: ignore[no-any-return]

    def only(self, members: Sequence[int]) -> "Block":
        """A copy of some members, on the CPU."""
        return Block(
            self.ask.only(members), self.answer.only(members), self.think.only(members), self.heads
        )


class Transformer(nn.Module):
    """Blocks, and a layer from what they make of a token to outputs."""

    def __init__(self, blocks: Iterable[Block], head: Perceptrons):
        super().__init__()
        self.blocks, self.head = nn.ModuleList(blocks), head

    @staticmethod
    def drawn(
        width: int, outputs: int, layers: int, heads: int, rngs: Sequence[np.random.Generator]
    ) -> "Transformer":
        """One for each generator."""
        return Transformer(
            [Block.drawn(width, heads, rngs) for _ in range(layers)],
            Perceptrons.drawn([width, outputs], rngs),
        )

    def forward(self, tokens: Tensor, last: bool = False) -> Tensor:
        """Tokens (seeds, windows, steps, width) to (seeds, windows, steps, outputs), or only to
        those of the last step.
        """
        for i, block in enumerate(self.blocks, 1):
            tokens = block(tokens, last and i == len(self.blocks))
        rows = _normal(tokens).reshape(len(tokens), -1, tokens.shape[3])
        return self.head(rows).reshape(*tokens.shape[:3], -1)  # type: ignore[no-any-return]

    def only(self, members: Sequence[int]) -> "Transformer":
        """A copy of some members, on the CPU."""
        return Transformer([block.only(members) for block in self.blocks], self.head.only(members))  # type: ignore[operator]


def _normal(tokens: Tensor) -> Tensor:
    return layer_norm(tokens, tokens.shape[-1:])
