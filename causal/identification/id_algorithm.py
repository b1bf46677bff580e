"""Identification: P(y | do(x), z) as a formula in the observed law, or a proof that it has none.

The algorithms are ID and IDC of Shpitser and Pearl (2006); comments give their line numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import NoReturn

from ..errors import InputError
from ..graphs.adjustment import adjustment_sets
from ..graphs.admg import ADMG, Names
from ..graphs.conversion import AnyGraph
from ..graphs.graph_text import written
from .estimand import Estimand
from .formula import Formula, Probability, Set, fraction, leaves, product, shorten, total
from .notation import write_query
from .query import Condition, Query, as_query

# the column of a log that holds the variable of a role, where the log has none of its name
COLUMNS = {"action": "action", "reward": "reward", "terminal": "terminated"}


@dataclass(frozen=True)
class Hedge:
    """The proof that P(y | do(x), z) is not identified: two C-forests with the same roots.

    A C-forest is connected by its bidirected edges; each of its nodes has one child, but for the
    roots, which have none. The roots are ancestors of y or z in the graph without the arrows into
    x. The outer forest meets x and the inner one does not.

    Source: Shpitser and Pearl (2006), definition 6 and theorem 4.
    """

    graph: ADMG
    y: tuple[str, ...]
    x: tuple[str, ...]
    z: tuple[str, ...]
    exchanged: tuple[str, ...]  # those of z for which do(z) and z are the same: IDC, line 1
    outer: ADMG  # F, the C-forest that meets x or `exchanged`
    inner: ADMG  # F', the C-forest inside it that does not

    @property
    def roots(self) -> tuple[str, ...]:
        """R, the nodes that have no child in either C-forest."""
        inner = self.inner
        return tuple(name for name in inner.nodes if inner.descendants([name]) == {name})

    def evaluate(self, law: object = None, at: object = None) -> NoReturn:
        """Raise InputError: without a formula there is no value."""
        query = write_query(self.y, self.x, self.z)
        raise InputError(
            f"{query} is not identified, so no law gives its value; bounds() gives what a table "
            "says of it, and print(answer) the proof"
        )

    def __str__(self) -> str:
        done = [name for name in self.outer.nodes if name in self.x + self.exchanged]
        lines = [
            f"{write_query(self.y, self.x, self.z)} is not identified. A hedge is the proof:",
            f"  F  = {{{_edges(self.outer)}}}",
            f"  F' = {{{_edges(self.inner)}}}",
            f"Both are c-forests with the roots {', '.join(self.roots)}, and F' is without "
            f"{', '.join(done)}.",
        ]
        if self.exchanged:
            rest = tuple(name for name in self.z if name not in self.exchanged)
            query = write_query(self.y, self.x + self.exchanged, rest)
            reason = f"{', '.join(self.exchanged)} may be done as well as seen"
            lines.insert(1, f"It is {query}, for {reason}.")
        return "\n".join(lines)


def identify(graph: AnyGraph, y: Names, x: Condition, z: Condition = ()) -> Estimand | Hedge:
    """P(y | do(x), z) as an estimand, or a hedge if it is not identified. Sound and complete.

    The graph is anything that `as_admg` takes: a text, an ADMG, a graph of networkx, pgmpy, y0 or
    DoWhy, in which the nodes marked as hidden stay hidden, or a model of one step. Where variables
    depend on the step before, `answer(model)` is about the action within a step, and
    `identify(unroll(model.graph, 9), "paid[8]", "act[7]")` about any steps. The first steps of an
    unrolled graph lack the causes before them, so name late ones.

    y, x and z each take one name or several; the evaluated table has its axes in their order. x
    and z also take values by name: `{"x": 1}` holds x at 1, and its axis is left out.

    A chain of 1,000 variables takes some seconds, and so does one of 250 variables in which each
    has a hidden cause in common with the next but one; time grows with the square of the number of
    variables in the first, and with the cube in the second.

    Raises InputError if the sets are not disjoint sets of variables of the graph, if a value is
    neither a finite number nor text, if y is empty, or if the graph has a selection.

    Source: Shpitser and Pearl (2006), Identification of joint interventional distributions in
    recursive semi-Markovian causal models, figure 3 (ID), and Identification of conditional
    interventional distributions, figure 4 (IDC).
    """
    query = as_query(graph, y, x, z)
    admg = query.graph
    if not query.y:
        raise InputError("y is empty; name an outcome")
    selections = [name for name in admg.nodes if admg.roles.get(name) == "selection"]
    if selections:
        raise InputError(
            f"only rows with {selections[0]} = 1 are in the log; recover the effect from them, "
            "or leave it out of the graph"
        )
    exchanged = exchangeable(Set(query.y), Set(query.x), Set(query.z), admg)
    outcomes = Set(query.y).union(query.z) - exchanged
    try:
        # ID of P(y, what is left of z | do(x, exchanged))
        law = identified(outcomes, exchanged.union(query.x), Probability(Set(admg.nodes)), admg)
    except NotIdentified as failure:
        return _hedge(query, exchanged, failure)
    # line 2 of IDC
    formula = law
    if not outcomes.issubset(query.y):
        formula = fraction(law, total(Set(query.y), law))
    others = []
    if query.x and not query.z:
        are_single = len(query.x) == len(query.y) == 1
        for s in islice(adjustment_sets(admg, query.x, query.y), 1):
            seeing = Probability(Set(query.y), Set(query.x))
            others.append(adjusted(query.y, query.x, s) if s or not are_single else seeing)
    return shortest(query, formula, others)


def adjusted(y: Iterable[str], x: Iterable[str], s: Set) -> Formula:
    """Sum over s of P(s) P(y | x, s)."""
    return total(s, product([Probability(s), Probability(Set(y), s.union(x))]))


def shortest(query: Query, formula: Formula, others: Iterable[Formula] = ()) -> Estimand:
    """The estimand with the shortest of these formulas, which are equal, or of `formula` shortened.

    The shortest has the fewest probabilities.
    """
    graph = query.graph

    def independent(a: Set, b: Set, given: Set) -> bool:
        return not b or graph.separated(a, b, given)

    candidates = [formula, *others]
    if not any(isinstance(candidate, Probability) for candidate in candidates):
        candidates.insert(1, shorten(formula, independent))
    short = min(candidates, key=lambda candidate: len(leaves(candidate)))
    return estimand(query, short, formula)


def estimand(query: Query, formula: Formula, longer: Formula) -> Estimand:
    """The estimand of a query by a formula, and by a longer one that is equal to it."""
    graph = query.graph
    aliases = [(name, COLUMNS[role]) for name, role in graph.roles.items() if role in COLUMNS]
    contexts = [name for name, role in graph.roles.items() if role == "context"]
    if len(contexts) == 1:
        aliases.append((contexts[0], "observation"))
    return Estimand(
        query.y, query.x, query.z, formula, longer, graph.nodes, query.held, tuple(aliases)
    )


def exchangeable(y: Set, x: Set, z: Set, G: ADMG) -> Set:
    """The largest part of z for which P(y | do(x), z) is P(y | do(x, part), rest of z)."""
    # line 1 of IDC: rule 2 of do-calculus, for one variable of z after the other
    exchanged = Set()
    while True:
        for name in sorted(z - exchanged):
            done, rest = x | exchanged, z - exchanged - {name}
            if G.cut(into=done, out_of={name}).separated(y, {name}, done | rest):
                exchanged |= {name}
                break
        else:
            return exchanged


class NotIdentified(Exception):
    """Line 5 of ID: `graph` is one district, and so is `rest`, what is left of it without x."""

    def __init__(self, graph: ADMG, rest: Set):
        self.graph, self.rest = graph, rest


def identified(y: Set, x: Set, P: Formula, G: ADMG) -> Formula:
    """P(y | do(x)) as a formula, where P is the law of the variables of G.

    Raises NotIdentified if there is none.
    """
    while True:
        V = Set(G.nodes)
        # Line 1: nothing is done.
        if not x:
            return total(V - y, P)
        # Line 2: only ancestors of y matter.
        ancestors = G.ancestors(y)
        if ancestors != V:
            x, P, G = x & ancestors, total(V - ancestors, P), G.sub(ancestors)
            continue
        # Line 3: what has no effect on y once x is done may be done as well.
        x |= V - x - G.cut(into=x).ancestors(y)
        # Line 4: without x the law is a product over districts.
        S, *others = G.sub(V - x).districts
        if others:
            factors = [identified(district, V - district, P, G) for district in (S, *others)]
            return total(V - y - x, product(factors))
        # Line 5: the whole graph is one district, and S is inside it: a hedge.
        if len(G.districts) == 1:
            raise NotIdentified(G, S)
        district = G.district(min(S))
        # Tian and Pearl (2002): the law of a district is the product of P(v | what precedes v); of
        # that only the rest of v's district and the parents of both matter.
        Q = product(_conditional(V, P, v, G.pillow(v)) for v in G.nodes if v in district)
        # Line 6: S is a district of the graph.
        if district == S:
            return total(S - y, Q)
        # Line 7: S is part of a district; go on in the law of that.
        x, P, G = x & district, Q, G.sub(district)


def _conditional(V: Set, P: Formula, name: str, given: Set) -> Formula:
    """P(name | given), where P is the law of V."""
    return fraction(total(V - given - {name}, P), total(V - given, P))


def _hedge(query: Query, exchanged: Set, failure: NotIdentified) -> Hedge:
    outer = _forest(failure.graph, failure.rest)
    return Hedge(
        graph=query.graph,
        y=query.y,
        x=query.x,
        z=query.z,
        exchanged=tuple(name for name in query.z if name in exchanged),
        outer=outer,
        inner=outer.sub(failure.rest),
    )


def _forest(graph: ADMG, rest: Set) -> ADMG:
    """A C-forest of a graph that is one district, with a C-forest of `rest` inside it.

    One child is kept for each node, which is in `rest` if the node is, and a spanning tree of the
    bidirected edges that is first one of `rest`.
    """
    child: dict[str, str] = {}
    for cause, effect in sorted(graph.directed):
        if cause not in rest or effect in rest:
            child[cause] = effect
    tree = set()
    reached = {min(rest)}
    while len(reached) < len(graph.nodes):
        # edges with one end in the tree
        pairs = sorted(pair for pair in graph.bidirected if len(reached.intersection(pair)) == 1)
        inside = [pair for pair in pairs if rest.issuperset(pair)]
        pair = (inside or pairs)[0]
        tree.add(pair)
        reached.update(pair)
    return ADMG(graph.nodes, frozenset(child.items()), frozenset(tree), graph.roles)


def _edges(forest: ADMG) -> str:
    """The edges as `parse_graph` reads them."""
    name = {node: written(node, forest.nodes, len(forest.nodes) == 1) for node in forest.nodes}
    if len(forest.nodes) == 1:
        return name[forest.nodes[0]]
    arrows = [f"{name[cause]} -> {name[effect]}" for cause, effect in sorted(forest.directed)]
    arcs = [f"{name[one]} <-> {name[other]}" for one, other in sorted(forest.bidirected)]
    return "; ".join(arrows + arcs)
