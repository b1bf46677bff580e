"""A hidden common cause is a back door that no set closes, unless it lies on another path."""

from dosuite.causal import parse_graph
from dosuite.causal.graphs import adjustment_sets, is_adjustment_set


def test_a_hidden_cause_of_both_cannot_be_adjusted_for() -> None:
    bow = parse_graph("z -> y; x -> y; x <-> y")
    assert list(adjustment_sets(bow, "x", "y")) == []
    assert not is_adjustment_set(bow, "x", "y", "z")


def test_a_hidden_cause_of_an_observed_one_is_closed_by_that() -> None:
    graph = parse_graph("z -> y; x -> y; x <-> z")
    assert list(adjustment_sets(graph, "x", "y")) == [frozenset("z")]
    assert not is_adjustment_set(graph, "x", "y", ())
