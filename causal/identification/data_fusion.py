"""Effects from several laws:

experiments on other variables, other domains, and logs in which not every row was recorded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from ..errors import InputError
from ..graphs.adjustment import back_door_graph, forbidden
from ..graphs.admg import ADMG, Names
from ..graphs.d_separation import separators
from ..model.elimination import Factor
from .estimand import Estimand
from .evaluation import Cells
from .formula import Formula, Probability, Set, fraction, product, total, translated
from .id_algorithm import (
    Hedge,
    NotIdentified,
    adjusted,
    exchangeable,
    identified,
    identify,
    shortest,
)


@dataclass(frozen=True)
class Source:
    """A law that is known:

    of all variables of the graph, after `done`, where the mechanisms of `differs` are not the
    target's.
    """

    name: str = "P"
    done: Names = ()
    differs: Names = ()


def fuse(
    graph: ADMG, y: Names, x: Names, sources: Sequence[Source], z: Names = ()
) -> Estimand | None:
    """P(y | do(x), z) in the target domain from several laws, each given to `evaluate` by its name; None if they do not tell it.

    A source with `done` is a surrogate experiment, one with `differs` a domain of a selection
    diagram whose S-nodes point to these. Sound, and complete without z. Raises InputError if the
    names do not fit, or if two sources have the same one. Source: Bareinboim and Pearl (2012),
    z-identification, and (2013), transportability; Lee, Correa and Bareinboim (2020)."""
    ys, xs, zs = graph.pick(y, x, z)
    if len({source.name for source in sources}) < len(sources):
        raise InputError(
            f"two of the laws {', '.join(source.name for source in sources)} have one name; give "
            "each its own"
        )
    exchanged = exchangeable(Set(ys), Set(xs), Set(zs), graph)
    outcomes = Set(ys).union(zs) - exchanged
    try:
        law = _fused(outcomes, exchanged.union(xs), graph, sources)
    except NotIdentified:
        return None
    return shortest(
        graph, ys, xs, zs, fraction(law, total(Set(ys), law)) if outcomes.difference(ys) else law
    )


def _fused(y: Set, x: Set, graph: ADMG, sources: Sequence[Source]) -> Formula:
    """The districts that are left without x, each from the first law that tells it."""
    inside = graph.cut(into=x).ancestors(y) - x
    return total(
        inside - y, product(_district(S, graph, sources) for S in graph.sub(inside).districts)
    )


def _district(S: Set, graph: ADMG, sources: Sequence[Source]) -> Formula:
    for source in sources:
        (done,), (differs,) = graph.pick(source.done), graph.pick(source.differs)
        V = Set(graph.nodes).difference(done)
        if S <= V and S.isdisjoint(differs):
            try:
                return identified(
                    S, V - S, Probability(V, Set(done), Set(done), source.name), graph.sub(V)
                )
            except NotIdentified:
                pass
    raise NotIdentified(graph, S)


def recover(
    graph: ADMG, y: Names, x: Names, selection: str, z: Names = (), known: Names = ()
) -> Estimand | None:
    """P(y | do(x), z) in the population from the law P of the rows that were recorded, those with `selection` = 1.

    The law of the variables `known` is known in the population, too: give it to `evaluate` as P*. None if no formula is found
    whose every P(a | b) is known, or has a independent of the selection given b: the formula of `identify`, or for an empty z any
    of adjustment. None is looked for if the selection has effects of its own. Complete for P(y | z) with nothing known.
    Source: Bareinboim, Tian and Pearl (2014); Correa and Bareinboim (2017); for adjustment Correa, Tian and Bareinboim (2018).
    """
    if any(cause == selection for cause, _ in graph.directed):
        return None  # what the selection causes is not the same among those who were not selected
    rest = graph.sub(Set(graph.nodes) - {selection})
    found = identify(rest, y, x, z)
    if isinstance(found, Hedge):
        return None
    population = Set(graph.pick(known)[0])

    def recovered(leaf: Probability) -> Probability:
        if not graph.separated(leaf.of, selection, leaf.given) and not leaf.names <= population:
            raise NotIdentified(graph, leaf.names)
        return (
            leaf if graph.separated(leaf.of, selection, leaf.given) else replace(leaf, source="P*")
        )

    for formula in chain(
        (found.formula, found.longer),
        () if found.z else _adjusted(graph, found.y, found.x, selection, population),
    ):
        try:
            told = translated(formula, recovered)
            return Estimand(found.y, found.x, found.z, told, told, graph.nodes)
        except NotIdentified:
            pass
    return None


def _adjusted(
    graph: ADMG, y: tuple[str, ...], x: tuple[str, ...], selection: str, population: Set
) -> Iterator[Formula]:
    """An adjustment formula for each way in which its parts may be known, if there is one: with a
    set that separates y from x.

    The law of the set is that of the recorded rows or is known in the population, and the set
    separates y from the selection, too, unless the law of all of them is known."""
    dag = back_door_graph(graph, x, y).dag
    allowed = set(graph.nodes).difference(x, y, {selection}, forbidden(graph, x, y))
    recorded = {name for name in allowed if graph.separated(name, selection)}
    for among, apart in (
        (recorded, (*x, selection)),
        (allowed & population, (*x, selection)),
        (allowed & population, x),
    ):
        found = separators(dag, y, apart, (), among) if apart else iter(())
        yield from (adjusted(y, x, s) for s in islice(found, 1))


def reweighted(law: Factor, recorded: Factor) -> Factor:
    """The law of the population from that of the recorded rows, and the probability that a row is,
    given some of its variables.

    Both need not be normalised. Raises InputError if rows of some kind are never recorded, or if a
    variable is missing."""
    if missing := [name for name in recorded.names if name not in law.names]:
        raise InputError(
            f"the law has no {missing[0]!r}, on which it depends which rows are recorded"
        )
    if (recorded.table <= 0).any():
        raise InputError(
            f"rows with some values of {', '.join(recorded.names)} are never recorded, so "
            "nothing is known of them"
        )
    weights = Cells(recorded.names, recorded.table, recorded.table).spread(law.names).value
    return Factor(law.names, law.table / weights / (law.table / weights).sum())
