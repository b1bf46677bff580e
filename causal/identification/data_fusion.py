"""Effects from several laws: experiments, other domains, and logs in which rows were selected."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np

from ..errors import InputError, short
from ..graphs.adjustment import back_door_graph, forbidden
from ..graphs.admg import ADMG, Names
from ..graphs.conversion import AnyGraph, latent_projection
from ..graphs.d_separation import separators
from ..graphs.names import as_names, listed, one_name
from ..model.elimination import Factor, spread
from .estimand import Estimand
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
from .query import Condition, Query, as_query


@dataclass(frozen=True)
class Source:
    """A known law, named `name`: of the variables `measured`, under do(`done`), in a domain.

    `done` is empty for a law that was only observed. In the domain of the law the mechanisms of
    `differs` may be others than in the target domain. `measured` is None if all variables of the
    graph were measured; what is done counts as measured.
    """

    name: str = "P"
    done: Names = ()
    differs: Names = ()
    measured: Names | None = None


@dataclass(frozen=True)
class _Law:
    """A source on a graph: the names of a `Source` as sets of the graph's nodes."""

    name: str
    done: Set
    differs: Set
    measured: Set  # without `done`


def fuse(
    graph: AnyGraph, y: Names, x: Condition, sources: Sequence[Source], z: Condition = ()
) -> Estimand | None:
    """P(y | do(x), z) in the target domain from several laws, or None if no formula was found.

    Evaluate it on a mapping from the names of the sources to their laws. A source with `done` is a
    surrogate experiment; one with `differs` is a domain of a selection diagram in which S-nodes
    point to those variables. Sound; complete without z if every source measured all variables.

    Raises InputError if the names do not fit, or if two sources have the same name.

    Source: Bareinboim and Pearl (2012), z-identification, and (2013), transportability; Lee,
    Correa and Bareinboim (2020).
    """
    query = as_query(graph, y, x, z)
    sources = [sources] if isinstance(sources, Source) else listed(sources)
    for source in sources:
        if not isinstance(source, Source):
            raise InputError(f"a law is a Source, and got {short(source)}")
    if len({source.name for source in sources}) < len(sources):
        names = ", ".join(source.name for source in sources)
        raise InputError(f"two of the laws {names} have one name; give each its own")
    laws = [_law(source, query.graph) for source in sources]
    for visible in _visible_sets(query, laws):
        reduced_query, reduced_laws = _projected(query, laws, visible)
        try:
            return _fused(reduced_query, reduced_laws)
        except NotIdentified:
            continue
    return None


def _law(source: Source, graph: ADMG) -> _Law:
    done, differs = as_names(source.done), as_names(source.differs)
    measured = graph.nodes if source.measured is None else as_names(source.measured)
    for names in (done, differs, measured):
        graph.pick(names)  # or the error
    return _Law(source.name, Set(done), Set(differs), Set(measured) - set(done))


def _visible_sets(query: Query, laws: Sequence[_Law]) -> list[Set]:
    """Sets of variables to which the graph is reduced in turn; all others become latent.

    First all that some source measured; then those that one of the sources measured, since a
    district of the smaller graph may be known where those of the larger graph are not.
    """
    queried = Set(query.y).union(query.x, query.z)
    by_law = [queried | law.measured | law.done for law in laws]
    candidates = [queried.union(*by_law), *by_law, queried]
    return list(dict.fromkeys(candidates))


def _projected(query: Query, laws: Sequence[_Law], visible: Set) -> tuple[Query, list[_Law]]:
    """The query and the laws on the graph of the visible variables.

    Experiments on a hidden variable are left out. Where the mechanism of a hidden variable differs,
    those of the visible variables that it causes do.
    """
    graph = query.graph
    hidden = Set(graph.nodes) - visible
    if not hidden:
        return query, list(laws)
    projected = []
    for law in laws:
        if law.done <= visible:
            effects = _effects_through(graph, law.differs & hidden, hidden)
            differs = law.differs & visible | effects
            projected.append(_Law(law.name, law.done, differs, law.measured & visible))
    return replace(query, graph=_without(graph, hidden)), projected


def _without(graph: ADMG, hidden: Set) -> ADMG:
    """The latent projection of a graph on the nodes that are not hidden."""
    return latent_projection(graph.dag, hidden) if hidden else graph


def _effects_through(graph: ADMG, causes: Set, hidden: Set) -> Set:
    """The nodes that are caused directly, or by paths through hidden nodes alone."""
    effects = {effect for cause, effect in graph.directed if cause in causes}
    further = Set(effects & hidden)
    if not further:
        return Set(effects)
    return Set(effects - hidden) | _effects_through(graph, further, hidden)


def _fused(query: Query, laws: Sequence[_Law]) -> Estimand:
    """The estimand of a query. Raises NotIdentified if the laws do not give it."""
    y, x, z = Set(query.y), Set(query.x), Set(query.z)
    # as in IDC: P(y, what is left of z | do(x, exchanged)), divided by its sum over y
    exchanged = exchangeable(y, x, z, query.graph)
    outcomes = y | z - exchanged
    law = _by_districts(outcomes, x | exchanged, query.graph, laws)
    return shortest(query, fraction(law, total(y, law)) if outcomes - y else law)


def _by_districts(y: Set, x: Set, graph: ADMG, laws: Sequence[_Law]) -> Formula:
    """P(y | do(x)): the product over the districts without x, each from the first law that has it.

    Lines 2 to 4 of ID. Only ancestors of y, once x is done, matter.
    """
    inside = graph.cut(into=x).ancestors(y) - x
    factors = [_district(S, graph, laws) for S in graph.sub(inside).districts]
    return total(inside - y, product(factors))


def _district(S: Set, graph: ADMG, laws: Sequence[_Law]) -> Formula:
    """P(S | do(the rest)) from the first law that identifies it.

    It depends only on S and its parents. A law has it if the mechanisms of S are those of the
    target, and S and its parents were measured or done.
    """
    parents = {cause for cause, effect in graph.directed if effect in S}
    for law in laws:
        V = law.measured
        if not (S <= V and parents <= V | law.done and S.isdisjoint(law.differs)):
            continue
        unmeasured = Set(graph.nodes) - law.done - V
        there = _without(graph.sub(V | unmeasured), unmeasured)
        P = Probability(V, law.done, law.done, law.name)
        try:
            return identified(S, V - S, P, there)
        except NotIdentified:
            continue
    raise NotIdentified(graph, S)


def recover(
    graph: AnyGraph,
    y: Names,
    x: Condition,
    selection: str,
    z: Condition = (),
    known: Names = (),
    measured: Names | None = None,
) -> Estimand | None:
    """P(y | do(x), z) in the population from the recorded rows, those with `selection` = 1.

    P is the law of the recorded rows, in which the variables `measured` are; None means all. The
    law of the variables `known` is known in the whole population, too: give it to `evaluate` as P*.

    The formulas that are tried are that of `identify` and, for an empty z, those of adjustment.
    One is returned if each of its P(a | b) is known in the population, or if a is independent of
    the selection given b, so that the recorded rows show it; else None. None is also returned if
    the selection causes a variable. Complete for P(y | z) if nothing is known of the population.

    Source: Bareinboim, Tian and Pearl (2014); Correa and Bareinboim (2017); for adjustment Correa,
    Tian and Bareinboim (2018).
    """
    query = as_query(graph, y, x, z)
    selection = one_name(selection, "the selection")
    (gate,), population = query.graph.pick([selection], as_names(known))
    recorded = query.graph.nodes if measured is None else as_names(measured)
    query.graph.pick(recorded)  # or the error
    if any(cause == gate for cause, _ in query.graph.directed):
        return None  # its effects are not the same among those who were not selected
    visible = {gate, *recorded, *population, *query.y, *query.x, *query.z}
    reduced = _without(query.graph, Set(query.graph.nodes) - visible)
    population_graph = reduced.sub(Set(reduced.nodes) - {gate})
    effect = identify(population_graph, query.y, query.x, query.z)
    if isinstance(effect, Hedge):
        return None
    tables = _Selected(reduced, gate, Set(recorded), Set(population))
    by_adjustment = () if effect.z else _adjustments(effect, tables)
    for formula in chain((effect.formula, effect.longer), by_adjustment):
        try:
            result = translated(formula, tables.recovered)
        except NotIdentified:
            continue
        return replace(effect, formula=result, longer=result, order=reduced.nodes, held=query.held)
    return None


@dataclass(frozen=True)
class _Selected:
    """A log of selected rows, and what is known of the population."""

    graph: ADMG
    selection: str
    recorded: Set  # variables of the log
    population: Set  # variables whose law is known in the population

    def recovered(self, leaf: Probability) -> Probability:
        """P(a | b) of the population, in the law of the recorded rows, or else in P*.

        Raises NotIdentified if neither has it.
        """
        is_recorded = leaf.names <= self.recorded
        if is_recorded and self.graph.separated(leaf.of, self.selection, leaf.given):
            return leaf
        if leaf.names <= self.population:
            return replace(leaf, source="P*")
        raise NotIdentified(self.graph, leaf.names)


def _adjustments(effect: Estimand, tables: _Selected) -> Iterator[Formula]:
    """An adjustment formula for each way in which its parts may be known, if there is one.

    The set s separates y from x without the causal paths. P(s) is known from the recorded rows,
    if s is independent of the selection, or in the population. P(y | x, s) is known from the
    recorded rows, if s separates y from the selection, too, or in the population.
    """
    y, x, graph, selection = effect.y, effect.x, tables.graph, tables.selection
    dag = back_door_graph(graph, x, y).dag
    allowed = Set(graph.nodes).difference(x, y, {selection}, forbidden(graph, x, y))
    unselected = {name for name in allowed & tables.recorded if graph.separated(name, selection)}
    in_population = set(allowed & tables.population)
    ways = (
        (unselected, (*x, selection)),
        (in_population, (*x, selection)),
        (in_population, x),
    )
    for candidates, apart_from_y in ways:
        if apart_from_y:
            for s in islice(separators(dag, y, apart_from_y, (), candidates), 1):
                yield adjusted(y, x, s)


def reweighted(law: Factor, recorded: Factor) -> Factor:
    """The law of the population, from that of the recorded rows and P(recorded | some variables).

    `recorded` has the probability that a row is recorded, by variables of the law. Neither table
    need be normalised. Raises InputError if it is 0 somewhere, or if a variable is missing.
    """
    for table in (law, recorded):
        if not isinstance(table, Factor):
            raise InputError(f"both tables are Factors, with named axes; got {short(table)}")
    missing = [name for name in recorded.names if name not in law.names]
    if missing:
        raise InputError(
            f"the law has no {missing[0]!r}, on which it depends which rows are recorded"
        )
    for name, size in zip(recorded.names, np.shape(recorded.table), strict=True):
        if size != np.shape(law.table)[law.names.index(name)]:
            raise InputError(
                f"{name} has {size} values in one table and another number in the other"
            )
    if (recorded.table <= 0).any():
        raise InputError(
            f"rows with some values of {', '.join(recorded.names)} are never recorded, so "
            "nothing is known of them"
        )
    weighted = law.table / spread(recorded, law.names)
    return Factor(law.names, weighted / weighted.sum())
