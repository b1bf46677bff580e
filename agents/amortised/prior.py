"""The prior that the network is trained on: random worlds of seven graphs, and logs of them.

A world has a context of two values or none, an action 0 or 1, a reward 0 or 1, and up to two logged
variables of two values. A log of it is a table of counts, one for each row that can occur.
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from dosuite.causal.arrays import Array, Floats
from dosuite.envs.worlds.random_scm import TEMPLATES, RandomSCM, drawn_tables, law_of

MOST_LOGGED = 2  # logged variables
FEATURES = 3 + MOST_LOGGED  # of a row: context, action, reward, logged variables
TARGETS = ("observe", "intervene", "best")
FEWEST, MOST = 30, 30_000  # rows of a log that the network is trained on


class Worlds(NamedTuple):
    """Many worlds of one graph: what their logs look like, and what the network is to answer."""

    rows: Floats  # the features of each row that can occur: (cells, FEATURES)
    queries: Floats  # context and action of each query: (queries, 2)
    laws: Floats  # the probability of each row in a log: (worlds, cells)
    targets: dict[str, Floats]  # the answer to each query: (worlds, queries)


def worlds(kind: type[RandomSCM], rng: np.random.Generator, count: int) -> Worlds:
    """Draw `count` worlds of a graph from its prior.

    Targets: "observe" is E(y | x, c), "intervene" is E(y | do(x), c), and "best" is 1 for the
    action with the largest E(y | do(x), c) and 0 for the other one.
    """
    tables = drawn_tables(kind, rng, count)
    roles = {name: getattr(kind, name).role for name in kind.drawn}
    contexts = [name for name in kind.drawn if roles[name] == "context"]
    logged = [name for name in kind.drawn if roles[name] == "logged"]
    observed = (*contexts, *logged, "x", "y")
    laws = law_of(kind, tables, observed).reshape(count, -1)
    acted = law_of(kind, tables, (*contexts, "x", "y"), acted=True)
    seen = law_of(kind, tables, (*contexts, "x", "y"))
    effects = (acted[..., 1] / acted.sum(-1)).reshape(count, -1)
    by_context = effects.reshape(count, -1, 2)
    best = by_context == by_context.max(2, keepdims=True)
    targets = {
        "observe": (seen[..., 1] / seen.sum(-1)).reshape(count, -1),
        "intervene": effects,
        "best": best.reshape(count, -1).astype(float),
    }
    return Worlds(_rows(len(contexts), len(logged)), queries(2 ** len(contexts)), laws, targets)


def _rows(contexts: int, logged: int) -> Floats:
    """The features of all rows, in the order of `law_of`: contexts, logged variables, x, y."""
    cells = np.array(list(product((0, 1), repeat=contexts + logged + 2)))
    context = cells[:, :contexts]
    return features(context, cells[:, -2], cells[:, -1], cells[:, contexts:-2])


def features(context: Array, action: Array, reward: Array, logged: Array) -> Floats:
    """Rows as numbers: -1 for 0, 1 for 1, and 0 for a variable that the world does not have.

    `context` is (n, 0 or 1), `logged` (n, 0 to 2), and the others (n,). Returns (n, FEATURES).
    """
    rows = np.zeros((len(action), FEATURES))
    rows[:, : context.shape[1]] = 2 * context - 1
    rows[:, 1], rows[:, 2] = 2 * action - 1, 2 * reward - 1
    rows[:, 3 : 3 + logged.shape[1]] = 2 * logged - 1
    return rows


def queries(contexts: int) -> Floats:
    """The features of each context and action, context by context: (contexts * 2, 2)."""
    values = (0,) if contexts == 1 else (-1, 1)
    return np.array(list(product(values, (-1, 1))), dtype=float)


class Batch(NamedTuple):
    """Logs of several worlds with equally many distinct rows and queries."""

    rows: Floats  # (worlds, cells, FEATURES)
    counts: Floats  # how often each row occurs: (worlds, cells)
    queries: Floats  # (worlds, queries, 2)
    targets: Floats  # (worlds, queries)


def minibatch(
    pools: Sequence[Worlds], target: str, rng: np.random.Generator, count: int
) -> list[Batch]:
    """New logs of `count` worlds of each pool, with the answers to the target.

    The numbers of rows are log-uniform between 30 and 30,000. Batches of one shape are joined.
    """
    by_shape: dict[tuple[int, int], list[Batch]] = {}
    for pool in pools:
        batch = logs(pool, target, rng, rng.integers(len(pool.laws), size=count))
        shape = batch.counts.shape[1], batch.targets.shape[1]
        by_shape.setdefault(shape, []).append(batch)
    return [Batch(*map(np.concatenate, zip(*same, strict=True))) for same in by_shape.values()]


def logs(pool: Worlds, target: str, rng: np.random.Generator, chosen: Array) -> Batch:
    """A new log of each world of a pool that is `chosen`, by its number."""
    count = len(chosen)
    sizes = np.exp(rng.uniform(np.log(FEWEST), np.log(MOST), count)).astype(np.int64)
    drawn = rng.multinomial(sizes, pool.laws[chosen] / pool.laws[chosen].sum(1, keepdims=True))
    return Batch(
        np.broadcast_to(pool.rows, (count, *pool.rows.shape)),
        drawn.astype(float),
        np.broadcast_to(pool.queries, (count, *pool.queries.shape)),
        pool.targets[target][chosen],
    )


def pools(rng: np.random.Generator, count: int) -> list[Worlds]:
    """`count` worlds of each of the seven graphs."""
    return [worlds(kind, rng, count) for kind in TEMPLATES]
