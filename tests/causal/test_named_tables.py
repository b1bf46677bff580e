"""Tables that meet a graph have names, so that the order of axes and of nodes does not matter."""

from types import SimpleNamespace

import numpy as np
import pytest
from bounded import VITAMIN_A, effect_of, ends, random_truth
from refusals import refused

from dosuite.causal import Array, Factor, ResponseTypes, parse_graph

GRAPH = parse_graph("z -> d -> y; d <-> y")
NAMES = ("z", "d", "y")


def samples(counts: Array) -> dict[str, Array]:
    """A row for each unit of a table of counts."""
    cells = np.repeat(np.argwhere(counts >= 0), counts.ravel(), axis=0)
    return dict(zip(NAMES, cells.T, strict=True))


class Frame:
    """As much of a pandas frame as a conversion may use."""

    def __init__(self, columns: dict[str, Array]):
        self.columns = list(columns)
        self._columns = columns

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> Array:
        return self._columns[name]


class Labelled(SimpleNamespace):
    """As much of an xarray DataArray as a conversion may use."""

    dims: tuple[str, ...]
    values: Array

    def __array__(self, dtype: type | None = None, copy: bool | None = None) -> Array:
        return np.asarray(self.values, dtype=dtype)


def test_equal_graphs_give_equal_bounds_whatever_the_order_of_nodes_and_axes() -> None:
    one, other = parse_graph("a, b -> y; b <-> y"), parse_graph("b, a -> y; b <-> y")
    assert one == other
    assert one.nodes != other.nodes
    table = random_truth({"a": (), "b": (), "y": ("a", "b")}, [("b", "y")], (2, 2, 2), 0).table()
    swapped = Factor(("b", "y", "a"), np.transpose(table.table, (1, 2, 0)))
    effects = [
        ends(ResponseTypes.of(graph, named), effect_of("b", "y"))
        for graph in (one, other)
        for named in (table, swapped)
    ]
    assert np.ptp(effects, axis=0).max() < 1e-9


def test_samples_and_labelled_arrays_are_tables_too() -> None:
    columns = samples(VITAMIN_A)
    labelled = Labelled(dims=("y", "z", "d"), values=np.moveaxis(VITAMIN_A, 2, 0))
    expected = ends(ResponseTypes.of(GRAPH, Factor(NAMES, VITAMIN_A)), effect_of("d", "y"))
    ignored = {"row": np.arange(len(columns["z"]))}
    for data in (columns, Frame(columns | ignored), labelled):
        types = ResponseTypes.of(GRAPH, data)
        assert ends(types, effect_of("d", "y")) == pytest.approx(expected, abs=1e-9)


def test_values_come_from_samples_and_coordinates() -> None:
    graph = parse_graph("x -> y; x <-> y")
    columns = {"x": np.array([3, 5, 3, 5]), "y": np.array([0.0, 2.5, 2.5, 2.5])}
    by_samples = ResponseTypes.of(graph, columns)
    table = np.array([[0.25, 0.25], [0.0, 0.5]])
    coords = {"x": np.array([3, 5]), "y": np.array([0.0, 2.5])}
    by_coordinates = ResponseTypes.of(graph, Labelled(dims=("x", "y"), values=table, coords=coords))
    for types in (by_samples, by_coordinates):
        assert types.supports["x"].tolist() == [3, 5]
        assert types.supports["y"].tolist() == [0.0, 2.5]
        assert types.joint is not None
        assert types.joint.table == pytest.approx(table)
    declared = ResponseTypes.of(graph, columns, {"x": np.array([3, 4, 5])})
    assert declared.joint is not None
    assert declared.joint.table[1].tolist() == [0.0, 0.0]


def test_an_array_without_names_is_refused_with_the_way_to_name_it() -> None:
    said = refused(lambda: ResponseTypes.of(GRAPH, VITAMIN_A))
    assert "Factor(('z', 'd', 'y'), table)" in said
    assert "shape (2, 2, 2)" in said


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (-0.1, "-0.1 at x=1, y=0, which is negative"),
        (np.nan, "nan at x=1, y=0, which is not finite"),
        (np.inf, "inf at x=1, y=0, which is not finite"),
        (0.4, "sums to 1.15"),
    ],
)
def test_a_table_that_is_no_law_is_refused_with_its_cell(entry: float, words: str) -> None:
    table = np.full((2, 2), 0.25)
    table[1, 0] = entry
    graph = parse_graph("x -> y")
    assert words in refused(lambda: ResponseTypes.of(graph, Factor(("x", "y"), table)))


def test_tables_and_samples_that_do_not_fit_are_refused() -> None:
    graph = parse_graph("x -> y")
    even = np.full((2, 2), 0.25)

    def said(data: object) -> str:
        return refused(lambda: ResponseTypes.of(graph, data))

    assert "did you mean 'y'?" in said(Factor(("x", "yy"), even))
    assert "two axes of one name" in said(Factor(("x", "x"), even))
    assert "has 1 names and 2 axes" in said(Factor(("x",), even))
    assert "no weight" in said(Factor(("x", "y"), np.zeros((2, 2))))
    assert "no axis for y" in said(Factor(("x",), np.array([0.5, 0.5])))
    assert "nan in row 1" in said({"x": np.array([0, np.nan]), "y": np.array([0, 1])})
    assert "one number in each row" in said({"x": np.array(["no"]), "y": np.array([0])})
    assert "columns of 1, 2 rows" in said({"x": np.array([0, 1]), "y": np.array([0])})
    assert "no column" in said({"a": np.array([0, 1])})
    columns = {"x": np.array([0, 2]), "y": np.array([0, 1])}
    assert "x' holds 2 in row 1" in refused(
        lambda: ResponseTypes.of(graph, columns, {"x": np.array([0, 1])})
    )
