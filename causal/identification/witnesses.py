"""Witnesses that a quantity is not identified:

two models with the same log, in which it differs.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import Array
from ..graphs.admg import Pair
from ..model.elimination import Factor, check_size, eliminate
from ..tolerances import DIFFERENCE
from .id_algorithm import Hedge

FLIP = 0.125  # probability that a bit on its way from a root of the hedge to an outcome is turned
SEEDS = 100


@dataclass(frozen=True)
class TabularModel:
    """A discrete model as tables:

    P(variable | causes) for each variable, hidden ones among them. Its own axis is the last.
    """

    tables: Mapping[str, Factor]

    def law(self, names: Collection[str], do: Collection[str] = ()) -> Factor:
        """P(names | do(...)) for every value of what is done: axes `names`, then `do`."""
        needed, todo = set[str](), list(names)
        while todo:
            if (name := todo.pop()) not in needed and name not in do:
                needed.add(name)
                todo += self.tables[name].names
        blank = [Factor((name,), np.ones(self.tables[name].table.shape[-1])) for name in do]
        axes = (*names, *do)
        return Factor(
            axes,
            eliminate(
                [*(self.tables[name] for name in self.tables if name in needed), *blank], axes
            ),
        )


def witness(hedge: Hedge) -> tuple[TabularModel, TabularModel]:
    """Two positive models on the hedge's graph with the same law of its variables and different P(y | do(x), z).

    On the outer forest a variable is the parity of its parents and of its bidirected edges, which
    are fair coins; in the second model the inner forest is deaf to the rest of the outer one. What
    the roots say is passed on to y with errors. Source: Shpitser and Pearl (2006), theorems 3 and
    4. Where it must be seen through z, how it is passed on is drawn at random. Raises TooLargeError
    if the tables would be too large."""
    if set(hedge.z) == set(hedge.exchanged):
        return _worlds(hedge, _routes(hedge))
    for seed in range(SEEDS):
        one, other = _worlds(hedge, _random_channels(hedge, np.random.default_rng(seed)))
        if gap(hedge, one, other) > DIFFERENCE:
            return one, other
    raise AssertionError(f"found no witness against this: {hedge}")


def gap(hedge: Hedge, one: TabularModel, other: TabularModel) -> float:
    """The largest difference between two models in P(y | do(x), z)."""
    of_y = tuple(range(len(hedge.y)))
    joints = [world.law((*hedge.y, *hedge.z), hedge.x).table for world in (one, other)]
    p, q = (joint / joint.sum(of_y, keepdims=True) for joint in joints)
    return float(abs(p - q).max())


class _Channel(NamedTuple):
    """P(bit = 1 | own parity, causes):

    what a variable passes on of what it hears. The first axis is the parity.
    """

    causes: tuple[str, ...]
    table: Array


def _worlds(hedge: Hedge, channels: Mapping[str, _Channel]) -> tuple[TabularModel, TabularModel]:
    return _world(hedge, channels, deaf=False), _world(hedge, channels, deaf=True)


def _world(hedge: Hedge, channels: Mapping[str, _Channel], deaf: bool) -> TabularModel:
    """The value of a variable is its parity, unless it is a root or off the hedge, and its bit, if
    it has a channel.
    """
    sizes = _sizes(hedge, set(channels))
    tables = {
        coin: Factor((coin,), np.full(2, 0.5)) for coin in sizes if coin not in hedge.graph.nodes
    }
    for name in hedge.graph.nodes:
        forest = hedge.inner if deaf and name in hedge.inner.nodes else hedge.outer
        heard = [cause for cause, effect in forest.directed if effect == name]
        coins = [_coin(pair) for pair in forest.bidirected if name in pair]
        passed = channels[name].causes if name in channels else ()
        causes = tuple(dict.fromkeys((*heard, *coins, *passed)))
        shape = [sizes[cause] for cause in causes]
        grid = dict(zip(causes, np.indices(shape), strict=True))
        bits = [grid[coin] for coin in coins] + [
            grid[cause] // (2 if cause in channels else 1) for cause in heard
        ]
        parity = sum(bits, np.zeros(shape, dtype=int)) % 2
        law = np.eye(2)[parity] if _has_parity(hedge, name) else np.ones((*shape, 1))
        if name in channels:
            one = channels[name].table[(parity, *(grid[cause] for cause in passed))]
            law = (law[..., :, None] * np.stack([1 - one, one], -1)[..., None, :]).reshape(
                *shape, -1
            )
        tables[name] = Factor((*causes, name), law)
    return TabularModel(tables)


def _sizes(hedge: Hedge, channels: Collection[str]) -> dict[str, int]:
    sizes = {
        name: (1 + _has_parity(hedge, name)) * (1 + (name in channels))
        for name in hedge.graph.nodes
    }
    coins = [_coin(pair) for pair in hedge.outer.bidirected]
    return sizes | dict.fromkeys([*coins, *(_noise(pair) for pair in hedge.graph.bidirected)], 2)


def _has_parity(hedge: Hedge, name: str) -> bool:
    return name in hedge.outer.nodes and name not in hedge.roots


def _coin(pair: Pair) -> str:
    return f"{pair[0]} <-> {pair[1]}"


def _noise(pair: Pair) -> str:
    return f"{pair[0]} <-> {pair[1]}, apart from the hedge"


def _routes(hedge: Hedge) -> dict[str, _Channel]:
    """Channels from the roots to y, along shortest paths that x does not cut;

    who is off them, and off the hedge, is a coin.
    """
    graph = hedge.graph.cut(into={*hedge.x, *hedge.exchanged})
    following, reached = dict[str, str](), list(hedge.y)
    for effect in reached:  # which grows meanwhile
        for cause in sorted(
            cause
            for cause, its_effect in graph.directed
            if its_effect == effect and cause not in reached
        ):
            following[cause] = effect
            reached.append(cause)
    passed: dict[str, set[str]] = {
        name: set() for name in hedge.graph.nodes if not _has_parity(hedge, name)
    }
    for root in hedge.roots:
        name = root
        while name not in hedge.y:
            passed.setdefault(following[name], set()).add(name)
            name = following[name]
    sizes = _sizes(hedge, passed)
    return {
        name: _parity_channel(tuple(sorted(causes)), name in hedge.roots, sizes)
        for name, causes in passed.items()
    }


def _parity_channel(causes: tuple[str, ...], is_root: bool, sizes: Mapping[str, int]) -> _Channel:
    shape = (2, *(sizes[cause] for cause in causes))
    if not causes and not is_root:
        return _Channel(causes, np.full(shape, 0.5))
    own, *bits = np.indices(shape) % 2
    return _Channel(causes, np.where(sum(bits, own * is_root) % 2 == 1, 1.0 - FLIP, FLIP))


def _random_channels(hedge: Hedge, rng: np.random.Generator) -> dict[str, _Channel]:
    """Channels from every cause, seen or hidden, of all that causes y and z."""
    graph, names = hedge.graph, hedge.graph.nodes
    sizes, relevant = _sizes(hedge, names), hedge.graph.ancestors((*hedge.y, *hedge.z))
    channels = {}
    for name in names:
        causes = [cause for cause, effect in graph.directed if effect == name] + [
            _noise(pair) for pair in graph.bidirected if name in pair
        ]
        causes = sorted(causes) if name in relevant else []
        shape = (2, *(sizes[cause] for cause in causes))
        check_size(shape, f"the mechanism of {name}, in a witness")
        channels[name] = _Channel(tuple(causes), rng.choice([FLIP, 1.0 - FLIP], shape))
    return channels
