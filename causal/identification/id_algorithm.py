"""Identification:

P(y | do(x), z) as a formula in the observed law, from the graph alone, or a hedge as the proof that
there is none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from ..errors import InputError
from ..graphs.adjustment import adjustment_sets
from ..graphs.admg import ADMG, Names
from .estimand import Estimand
from .formula import Formula, Probability, Set, fraction, leaves, product, shorten, total
from .notation import write_query


@dataclass(frozen=True)
class Hedge:
    """The proof that P(y | do(x), z) is not identified: two c-forests with the same roots, of which only one meets x.

    A c-forest is connected by its bidirected edges, and each of its nodes has one child, but for
    the roots, which have none. The roots cause y or z by ways that x does not cut. Source: Shpitser
    and Pearl (2006), definition 6 and theorem 4."""

    graph: ADMG
    y: tuple[str, ...]
    x: tuple[str, ...]
    z: tuple[str, ...]
    exchanged: tuple[str, ...]  # those of z that may be done as well as seen: IDC, line 1
    outer: ADMG  # F, the c-forest that meets x or what is exchanged
    inner: ADMG  # F', the one inside it that does not

    @property
    def roots(self) -> tuple[str, ...]:
        """R, the nodes that have no child in either c-forest."""
        return tuple(name for name in self.inner.nodes if len(self.inner.descendants([name])) == 1)

    def __str__(self) -> str:
        done = [name for name in self.outer.nodes if name in self.x + self.exchanged]
        rest = tuple(name for name in self.z if name not in self.exchanged)
        lines = [
            f"{write_query(self.y, self.x, self.z)} is not identified. A hedge is the proof:",
            f"  F  = {{{_edges(self.outer)}}}",
            f"  F' = {{{_edges(self.inner)}}}",
            f"Both are c-forests with the roots {', '.join(self.roots)}, and F' is without "
            f"{', '.join(done)}.",
        ]
        if self.exchanged:
            exchanged = f"{', '.join(self.exchanged)} may be done as well as seen"
            lines.insert(
                1, f"It is {write_query(self.y, self.x + self.exchanged, rest)}, for {exchanged}."
            )
        return "\n".join(lines)


def identify(graph: ADMG, y: Names, x: Names, z: Names = ()) -> Estimand | Hedge:
    """P(y | do(x), z) as an estimand, or a hedge if it is not identified. Sound and complete.

    Raises InputError if the sets are not disjoint sets of variables of the graph, if y is empty, or
    if the graph has a selection.
    Source: Shpitser and Pearl (2006), Identification of joint interventional distributions in
    recursive semi-Markovian causal models, figure 3, and Identification of conditional
    interventional distributions, figure 4; comments are line numbers."""
    ys, xs, zs = graph.pick(y, x, z)
    if not ys:
        raise InputError("y is empty; name an outcome")
    if selections := [name for name in graph.nodes if graph.roles.get(name) == "selection"]:
        raise InputError(
            f"only rows with {selections[0]} = 1 are in the log; recover the effect from them, "
            "or leave it out of the graph"
        )
    exchanged = exchangeable(Set(ys), Set(xs), Set(zs), graph)
    outcomes, done = Set(ys).union(zs) - exchanged, exchanged.union(xs)
    try:
        law = identified(outcomes, done, Probability(Set(graph.nodes)), graph)
    except NotIdentified as fail:
        outer = _forest(fail.graph, fail.rest)
        return Hedge(
            graph,
            ys,
            xs,
            zs,
            tuple(name for name in zs if name in exchanged),
            outer,
            outer.sub(fail.rest),
        )
    formula = fraction(law, total(Set(ys), law)) if outcomes.difference(ys) else law  # IDC 2
    sets = islice(adjustment_sets(graph, xs, ys), 1 if xs and not zs else 0)
    return shortest(graph, ys, xs, zs, formula, [adjusted(ys, xs, s) for s in sets])


def adjusted(y: Iterable[str], x: Iterable[str], s: Set) -> Formula:
    """Sum over s of P(s) P(y | x, s)."""
    return total(s, product([Probability(s), Probability(Set(y), s.union(x))]))


def shortest(
    graph: ADMG,
    y: tuple[str, ...],
    x: tuple[str, ...],
    z: tuple[str, ...],
    formula: Formula,
    others: Iterable[Formula] = (),
) -> Estimand:
    """The estimand with the shortest of the formula, what it can be shortened to, and others that
    are equal to it.
    """
    short = shorten(formula, lambda a, b, given: not b or graph.separated(a, b, given))
    return Estimand(
        y,
        x,
        z,
        min((formula, short, *others), key=lambda what: len(leaves(what))),
        formula,
        graph.nodes,
    )


def exchangeable(y: Set, x: Set, z: Set, G: ADMG) -> Set:
    """Those of z that may be done as well as seen."""
    for name in sorted(z):  # IDC 1
        if G.cut(into=x, out_of={name}).separated(y, {name}, x | z - {name}):
            return exchangeable(y, x | {name}, z - {name}, G) | {name}
    return Set()


class NotIdentified(Exception):
    """Line 5: the graph is one district, and so is what is left of it without the treatment."""

    def __init__(self, graph: ADMG, rest: Set):
        self.graph, self.rest = graph, rest


def identified(y: Set, x: Set, P: Formula, G: ADMG) -> Formula:
    V = Set(G.nodes)
    if not x:  # 1
        return total(V - y, P)
    ancestors = G.ancestors(y)
    if ancestors != V:  # 2
        return identified(y, x & ancestors, total(V - ancestors, P), G.sub(ancestors))
    w = V - x - G.cut(into=x).ancestors(y)
    if w:  # 3
        return identified(y, x | w, P, G)
    S, *others = G.sub(V - x).districts
    if others:  # 4
        return total(V - y - x, product(identified(S, V - S, P, G) for S in (S, *others)))
    if len(G.districts) == 1:  # 5
        raise NotIdentified(G, S)
    district = G.district(min(S))
    Q = product(_conditional(V, P, name, G.pillow(name)) for name in G.nodes if name in district)
    if district == S:  # 6
        return total(S - y, Q)
    return identified(y, x & district, Q, G.sub(district))  # 7


def _conditional(V: Set, P: Formula, name: str, given: Set) -> Formula:
    """P(name | given), where P is a law of V that may have been derived."""
    return fraction(total(V - given - {name}, P), total(V - given, P))


def _forest(graph: ADMG, rest: Set) -> ADMG:
    """One child for each node, inside `rest` for those of it, and a tree of bidirected edges that
    begins with one of `rest`.
    """
    child: dict[str, str] = {}
    for cause, effect in sorted(graph.directed):
        if cause not in rest or effect in rest:
            child[cause] = effect
    tree, reached = set(), {min(rest)}
    while pairs := sorted(
        pair for pair in graph.bidirected if len(reached.intersection(pair)) == 1
    ):
        pair = next((pair for pair in pairs if rest.issuperset(pair)), pairs[0])
        tree.add(pair)
        reached.update(pair)
    return ADMG(graph.nodes, frozenset(child.items()), frozenset(tree), graph.roles)


def _edges(forest: ADMG) -> str:
    arrows = [f"{cause} -> {effect}" for cause, effect in sorted(forest.directed)]
    alone = [name for name in forest.nodes if len(forest.nodes) == 1]
    return ", ".join(
        alone + arrows + [f"{one} <-> {other}" for one, other in sorted(forest.bidirected)]
    )
