"""Witnesses that a quantity is not identified: two models with one log, in which it differs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import Array
from ..errors import InputError
from ..graphs.admg import ADMG, Pair
from ..model.elimination import Factor, check_size, eliminate
from .id_algorithm import Hedge

# Two laws differ if their probabilities of some event do by more than this.
PROBABILITY_GAP = 1e-6

FLIP = 0.125  # probability that a bit is inverted on its way from a root of the hedge to an outcome
SEEDS = 100  # random channels that are tried


@dataclass(frozen=True)
class TabularModel:
    """A discrete model as tables P(variable | causes), also of hidden variables.

    In each table the variable's own axis is the last.
    """

    tables: Mapping[str, Factor]

    def law(self, names: Collection[str], do: Collection[str] = ()) -> Factor:
        """P(names | do(...)) for every value of what is done: axes `names`, then `do`."""
        needed = self._ancestors(names, do)
        factors = [self.tables[name] for name in self.tables if name in needed]
        for name in do:
            size = self.tables[name].table.shape[-1]
            factors.append(Factor((name,), np.ones(size)))
        axes = (*names, *do)
        return Factor(axes, eliminate(factors, axes))

    def _ancestors(self, names: Collection[str], do: Collection[str]) -> set[str]:
        """The names and all that causes them, other than through what is done."""
        needed = set[str]()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in needed and name not in do:
                needed.add(name)
                waiting += self.tables[name].names
        return needed


def witness(hedge: Hedge) -> tuple[TabularModel, TabularModel]:
    """Two positive models of the hedge's graph with the same law and different P(y | do(x), z).

    On the outer forest the value of a variable is the parity of its parents and of the fair coins
    that stand for its bidirected edges. In the second model the variables of the inner forest
    ignore the rest of the outer one. With nothing done the roots have the same law in both; under
    do(x) they do not. The parities of the roots are passed on to y with errors.

    Where the difference shows only through z, the channels from the roots are drawn at random until
    it does. Raises TooLargeError if the tables would be too large.

    Source: Shpitser and Pearl (2006), theorems 3 and 4.
    """
    if not isinstance(hedge, Hedge):
        raise InputError(f"a witness is made of a Hedge, and got {type(hedge).__name__}")
    if set(hedge.z) == set(hedge.exchanged):
        return _two_models(hedge, _routes(hedge))
    for seed in range(SEEDS):
        one, other = _two_models(hedge, _random_channels(hedge, np.random.default_rng(seed)))
        if gap(hedge, one, other) > PROBABILITY_GAP:
            return one, other
    raise AssertionError(f"no witness among {SEEDS} random pairs of models; {hedge}")


def gap(hedge: Hedge, one: TabularModel, other: TabularModel) -> float:
    """The largest difference between two models in P(y | do(x), z)."""
    y_axes = tuple(range(len(hedge.y)))
    laws = []
    for model in (one, other):
        joint = model.law((*hedge.y, *hedge.z), hedge.x).table
        laws.append(joint / joint.sum(y_axes, keepdims=True))
    return float(abs(laws[0] - laws[1]).max())


class _Channel(NamedTuple):
    """P(bit = 1 | own parity, causes): the bit that a variable has besides its parity."""

    causes: tuple[str, ...]
    table: Array  # the first axis is the parity


Channels = Mapping[str, _Channel]


def _two_models(hedge: Hedge, channels: Channels) -> tuple[TabularModel, TabularModel]:
    return _model(hedge, channels, ignoring=False), _model(hedge, channels, ignoring=True)


def _model(hedge: Hedge, channels: Channels, ignoring: bool) -> TabularModel:
    """A model; if `ignoring`, the inner forest ignores the rest of the outer one.

    The value of a variable is 2 * parity + bit; without a channel it has no bit, and a root, or a
    variable outside the hedge, has no parity.
    """
    sizes = _sizes(hedge, channels)
    tables = {}
    for name, size in sizes.items():
        if name not in hedge.graph.nodes:
            tables[name] = Factor((name,), np.full(size, 1 / size))
    for name in hedge.graph.nodes:
        forest = hedge.inner if ignoring and name in hedge.inner.nodes else hedge.outer
        tables[name] = _mechanism(hedge, forest, name, channels, sizes)
    return TabularModel(tables)


def _mechanism(
    hedge: Hedge, forest: ADMG, name: str, channels: Channels, sizes: Mapping[str, int]
) -> Factor:
    """P(name | causes), where the parity comes from the parents and the coins in the forest."""
    parents = sorted(cause for cause, effect in forest.directed if effect == name)
    coins = sorted(_coin(pair) for pair in forest.bidirected if name in pair)
    channel = channels.get(name)
    bit_causes = channel.causes if channel else ()
    causes = tuple(dict.fromkeys((*parents, *coins, *bit_causes)))
    shape = [sizes[cause] for cause in causes]
    value = dict(zip(causes, np.indices(shape), strict=True))
    parity = np.zeros(shape, dtype=int)
    for coin in coins:
        parity += value[coin]
    for parent in parents:
        # without its bit, the value of a parent is its parity
        parity += value[parent] // 2 if parent in channels else value[parent]
    parity %= 2
    law = np.eye(2)[parity] if _has_parity(hedge, name) else np.ones((*shape, 1))
    if channel:
        bit_values = [value[cause] for cause in bit_causes]
        one = channel.table[(parity, *bit_values)]
        bit = np.stack([1 - one, one], axis=-1)
        product = law[..., :, None] * bit[..., None, :]
        law = product.reshape(*shape, -1)
    return Factor((*causes, name), law)


def _sizes(hedge: Hedge, with_bit: Collection[str]) -> dict[str, int]:
    """The number of values of each variable, coin and noise."""
    sizes = {}
    for name in hedge.graph.nodes:
        parities = 2 if _has_parity(hedge, name) else 1
        bits = 2 if name in with_bit else 1
        sizes[name] = parities * bits
    for pair in sorted(hedge.outer.bidirected):
        sizes[_coin(pair)] = 2
    for pair in sorted(hedge.graph.bidirected):
        sizes[_noise(pair)] = 2
    return sizes


def _has_parity(hedge: Hedge, name: str) -> bool:
    return name in hedge.outer.nodes and name not in hedge.roots


def _coin(pair: Pair) -> str:
    """The fair coin of a bidirected edge of the outer forest."""
    return f"{pair[0]} <-> {pair[1]}"


def _noise(pair: Pair) -> str:
    """The cause that a bidirected edge of the graph stands for, in addition to the coin."""
    return f"{pair[0]} <-> {pair[1]}, apart from the hedge"


def _routes(hedge: Hedge) -> Channels:
    """Channels that carry the parity of every root to y, along shortest paths that x does not cut.

    The bit of a variable off these paths and off the hedge is a fair coin.
    """
    following = _next_on_shortest_paths(hedge)
    causes: dict[str, set[str]] = {
        name: set() for name in hedge.graph.nodes if not _has_parity(hedge, name)
    }
    for root in hedge.roots:
        name = root
        while name not in hedge.y:
            causes.setdefault(following[name], set()).add(name)
            name = following[name]
    sizes = _sizes(hedge, causes)
    return {
        name: _parity_channel(tuple(sorted(names)), name in hedge.roots, sizes)
        for name, names in causes.items()
    }


def _next_on_shortest_paths(hedge: Hedge) -> dict[str, str]:
    """For each ancestor of y, the next variable on a shortest path to y: breadth-first search."""
    graph = hedge.graph.cut(into={*hedge.x, *hedge.exchanged})
    following = dict[str, str]()
    frontier = list(hedge.y)
    while frontier:
        reached = []
        for effect in frontier:
            for cause in sorted(cause for cause, to in graph.directed if to == effect):
                if cause not in following and cause not in hedge.y:
                    following[cause] = effect
                    reached.append(cause)
        frontier = reached
    return following


def _parity_channel(causes: tuple[str, ...], is_root: bool, sizes: Mapping[str, int]) -> _Channel:
    """The parity of the causes' bits and of a root's own, inverted with probability FLIP."""
    shape = (2, *(sizes[cause] for cause in causes))
    if not causes and not is_root:
        return _Channel(causes, np.full(shape, 0.5))
    own, *bits = np.indices(shape) % 2
    parity = sum(bits, own * is_root) % 2
    return _Channel(causes, np.where(parity == 1, 1.0 - FLIP, FLIP))


def _random_channels(hedge: Hedge, rng: np.random.Generator) -> Channels:
    """Channels from every cause, also hidden ones, of each ancestor of y and z."""
    graph, names = hedge.graph, hedge.graph.nodes
    sizes = _sizes(hedge, names)
    relevant = graph.ancestors((*hedge.y, *hedge.z))
    channels = {}
    for name in names:
        causes: list[str] = []
        if name in relevant:
            causes += [cause for cause, effect in graph.directed if effect == name]
            causes += [_noise(pair) for pair in graph.bidirected if name in pair]
        causes.sort()
        shape = (2, *(sizes[cause] for cause in causes))
        check_size(shape, f"the mechanism of {name}, in a witness")
        channels[name] = _Channel(tuple(causes), rng.choice([FLIP, 1.0 - FLIP], shape))
    return channels
