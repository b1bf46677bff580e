"""The law of a model pushed forward, step by step, through its table."""

import numpy as np

from dosuite.causal import Array, World, uniform_policy
from dosuite.causal.exact import StepTable


def probabilities(bits: int, threshold: Array) -> Array:
    """The probability of each pick, given the law."""
    size, cells = 2 ** (32 - bits), len(threshold) // 2
    below = (threshold[::2] >> np.uint64(32)).astype(np.int64) - np.arange(cells) % 2**bits * size
    return np.stack([below, size - below], axis=1).ravel() / 2.0**32


def joints(model: World, table: StepTable, steps: int) -> list[Array]:
    """P(contexts, action, logged, reward) of each step by table, when the actions are drawn
    uniformly and nothing has ended.
    """
    actions = uniform_policy(model).shape[1]
    width = actions << table.step.bits + 1
    law = np.bincount(
        table.start_row // width, probabilities(table.start.bits, table.start.threshold)
    )
    picks = np.arange(len(table.row))
    now = {}
    for name in model.contexts:
        now[name] = np.zeros(max(table.row.max(), table.start_row.max()) // width + 1)
        now[name][table.start_row // width] = table.start_contexts[name]
        now[name][table.row // width] = table.contexts[name]
    columns = {name: now[name][picks // width] for name in model.contexts}
    columns |= (
        {model.action: picks // (2 << table.step.bits) % actions}
        | table.logged
        | {model.reward: table.reward}
    )
    found = []
    for _ in range(steps):
        law = np.pad(law, (0, len(picks) // width))[: len(picks) // width]
        weight = (
            law[picks // width] * probabilities(table.step.bits, table.step.threshold) / actions
        )
        found.append(histogram(model, columns, weight) / weight.sum())
        going = weight if table.terminated is None else weight * ~table.terminated
        law = np.bincount(table.row // width, going)
    return found


def histogram(model: World, columns: dict[str, Array], weight: Array) -> Array:
    supports = [model.tables.support(name) for name in columns]
    places = [
        np.abs(support - column[:, None]).argmin(1)
        for support, column in zip(supports, columns.values(), strict=True)
    ]
    shape = [len(support) for support in supports]
    return np.bincount(np.ravel_multi_index(places, shape), weight, int(np.prod(shape))).reshape(
        shape
    )
