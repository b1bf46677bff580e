"""Instruments of a graph, and Wald's ratio on a table."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from graph_worlds import random_world
from refusals import refused

from dosuite.causal import Factor, distribution, parse_graph
from dosuite.causal.identification import instruments, two_stage_least_squares, wald
from dosuite.envs import make_model


def compliance() -> Factor:
    """P(c, z, x, y): a quarter always treated, a half compliers and a quarter never treated, whose
    outcomes change by 0.1, 0.3 and 0.5 where c = 0, and by twice that where c = 1.
    """
    share, effects = np.array([0.25, 0.5, 0.25]), np.array([0.1, 0.3, 0.5])
    table = np.zeros((2, 2, 2, 2))
    for c in (0, 1):
        for z in (0, 1):
            for kind, x in enumerate((1, z, 0)):
                y = 0.1 * kind + effects[kind] * (1 + c) * x / 2
                table[c, z, x] += share[kind] * np.array([1 - y, y]) * (0.6, 0.4)[c] * 0.5
    return Factor(("c", "z", "x", "y"), table)


def test_the_ratio_of_wald_is_the_effect_on_compliers() -> None:
    law = compliance()
    assert wald(law, "z", "x", "y", {"c": 0}) == pytest.approx(0.15)
    assert wald(law, "z", "x", "y", {"c": 1}) == pytest.approx(0.30)
    assert wald(law, "z", "x", "y") == pytest.approx(0.6 * 0.15 + 0.4 * 0.30)


def test_the_ratio_of_wald_by_hand() -> None:
    """E[y | z] is 0.3 and 0.45, E[x | z] is 0.2 and 0.7: 0.15 / 0.5."""
    law = np.array([[[0.6, 0.2], [0.1, 0.1]], [[0.25, 0.05], [0.30, 0.40]]]) / 2
    assert wald(Factor(("z", "x", "y"), law), "z", "x", "y") == pytest.approx(0.3)
    counts = np.rint(law * 40).astype(int)
    assert wald(Factor(("z", "x", "y"), counts), "z", "x", "y") == pytest.approx(0.3)
    cells = np.repeat(np.argwhere(counts), counts.ravel(), axis=0)
    frame = pd.DataFrame(cells, columns=["z", "x", "y"])
    frame["dose"] = 5.0 * frame["x"]
    assert wald(frame, "z", "x", "y") == pytest.approx(0.3)
    assert wald(frame, "z", "dose", "y") == pytest.approx(0.06)
    (slope,), _ = two_stage_least_squares(frame, "dose", "y", "z", 0)
    assert wald(frame, "z", "dose", "y") == pytest.approx(slope)


@pytest.mark.parametrize(
    ("world", "ratio"),
    [
        ("EncourageIV-v0", 0.25),  # every patient gains 0.25
        ("EncourageIV-VitaminA-v0", 0.00323),  # 0.0026 more survive, and 0.8 take the vitamin
        ("EncourageIV-Lipid-v0", 0.7598),
    ],
)
def test_the_ratio_of_wald_in_the_catalogue(world: str, ratio: float) -> None:
    model = make_model(world)
    (instrument,) = instruments(model, model.action, model.reward)
    assert instrument == ("encouraged", ())
    names = ("encouraged", model.action, model.reward)
    law = Factor(names, distribution(model, *names))
    assert wald(law, *names) == pytest.approx(ratio, abs=5e-5)


def test_what_is_no_instrument_of_a_table_is_refused() -> None:
    law = compliance()
    independent = law.table.sum(1, keepdims=True).repeat(2, 1) / 2
    assert "z is no relevant instrument" in refused(
        lambda: wald(Factor(law.names, independent), "z", "x", "y")
    )
    three = np.concatenate([law.table, law.table[:, :1]], 1)
    assert "z has 3 values" in refused(
        lambda: wald(Factor(law.names, three / three.sum()), "z", "x", "y")
    )
    one = law.table.copy()
    one[:, 1] = 0
    assert "no row has value number z = 1" in refused(
        lambda: wald(Factor(law.names, one / one.sum()), "z", "x", "y")
    )
    assert "c has the values number 0 to 1" in refused(lambda: wald(law, "z", "x", "y", {"c": 2}))
    assert "name each variable once" in refused(lambda: wald(law, "z", "x", "x"))
    words = {"z": [0, 1, 0, 1], "x": ["a", "b", "a", "a"], "y": [0, 1, 0, 1]}
    assert "not numbers" in refused(lambda: wald(words, "z", "x", "y"))


# Graphs.


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ("z -> x -> y; x <-> y", {"z": ()}),
        ("z -> x -> m -> y; x <-> y", {"z": ()}),
        ("z -> x -> y; x <-> y; z -> y", {}),  # not excluded
        ("z -> x -> y; x <-> y; z <-> y", {}),  # not exogenous
        ("z; x -> y; x <-> y", {}),  # not relevant
        ("z <-> x; x -> y; x <-> y", {"z": ()}),  # relevant by a common cause
        ("w -> z -> x -> y; w -> y; x <-> y", {"z": ("w",)}),  # Brito and Pearl (2002), figure 1
        ("z -> x -> y; z -> w -> y; x <-> y", {"z": ("w",)}),
        ("z -> x -> y; z -> w -> y; x <-> y; w <-> y", {}),
        ("p -> z -> x -> y; x <-> y", {"p": (), "z": ()}),
        ("x -> y; x -> z; x <-> y", {}),  # caused by the action
    ],
)
def test_the_instruments_of_a_graph(graph: str, expected: dict[str, Any]) -> None:
    found = dict(instruments(parse_graph(graph), "x", "y"))
    assert {name: found.get(name) for name in expected} == expected
    assert set(found) - set(expected) <= {"w"} if expected else not found


def test_a_context_that_is_always_given() -> None:
    graph = parse_graph("c -> z -> x -> y; c -> y; x <-> y")
    assert dict(instruments(graph, "x", "y", given="c")) == {"z": ("c",)}
    assert instruments(parse_graph("z -> x -> y; x -> c; x <-> y"), "x", "y", given="c") == ()


def test_a_variable_is_listed_with_a_set_that_is_one() -> None:
    """By the definition; and what is not listed has no set that is a minimal separator."""
    listed = 0
    for seed in range(150):
        graph, _ = random_world(np.random.default_rng(seed))
        x, y = graph.nodes[-2:]
        found = dict(instruments(graph, x, y))
        cut, effects = graph.cut(out_of={x}), graph.descendants([x])
        for name, given in found.items():
            assert effects.isdisjoint({name, *given})
            assert cut.separated(name, y, given)
            assert not graph.separated(name, x, given)
        listed += len(found)
        for name in set(graph.nodes) - effects - {y} - set(found):
            others = sorted(set(graph.nodes) - effects - {y, name})
            for size in range(len(others) + 1):
                sets = [s for s in combinations(others, size) if cut.separated(name, y, s)]
                if sets:  # of the fewest members, and so minimal
                    assert all(graph.separated(name, x, s) for s in sets)
                    break
    assert listed > 20


def test_names_that_do_not_fit_are_refused() -> None:
    graph = parse_graph("z -> x -> y")
    assert "not a variable" in refused(lambda: instruments(graph, "x", "w"))
    assert "named twice" in refused(lambda: instruments(graph, "x", "x"))
