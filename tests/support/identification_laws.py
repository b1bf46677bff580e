"""What the tests of identification share."""

from collections import Counter

from graph_worlds import (
    EXACT,
    distance,
)

from dosuite.causal import (
    Hedge,
)
from dosuite.causal.identification import witness
from dosuite.causal.identification.witnesses import gap

# The laws.


def check_hedge(hedge: Hedge) -> None:
    """It is one by its definition, and two positive models with one log show it."""
    for forest in (hedge.outer, hedge.inner):
        assert len(forest.districts) == 1
        assert len(forest.bidirected) == len(forest.nodes) - 1
        children = Counter(cause for cause, _ in forest.directed)
        assert all(children[name] == (name not in hedge.roots) for name in forest.nodes)
    done = {*hedge.x, *hedge.exchanged}
    assert hedge.outer.directed <= hedge.graph.directed
    assert hedge.outer.bidirected <= hedge.graph.bidirected
    assert set(hedge.inner.nodes) < set(hedge.outer.nodes)
    assert done.isdisjoint(hedge.inner.nodes)
    assert done.intersection(hedge.outer.nodes)
    assert hedge.graph.cut(into=done).ancestors({*hedge.y, *hedge.z} - done).issuperset(hedge.roots)
    one, other = witness(hedge)
    law = one.law(hedge.graph.nodes)
    assert law.table.min() > 0
    assert distance(law, other.law(hedge.graph.nodes).table) < EXACT
    assert gap(hedge, one, other) > 1e-6
