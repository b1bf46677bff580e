"""Estimands: how they are written, what they are on a law or a log, and where a cell is empty."""

import numpy as np
import pytest
from graph_worlds import EXACT, FRONT_DOOR, NAPKIN, conditional, distance, known, napkin, unknown
from places import THROWAWAY_FILE

from dosuite.causal import (
    Estimand,
    Factor,
    InputError,
    distribution,
    identify,
    latent_projection,
    parse_graph,
)
from dosuite.causal.identification import Source, TabularModel, empirical, fuse
from dosuite.envs import make_model

# Empty cells.


def test_an_empty_cell_that_the_answer_depends_on_is_an_error_with_its_name() -> None:
    joint = np.array(
        [[[0.1, 0.2], [0.0, 0.0]], [[0.1, 0.1], [0.3, 0.2]]]
    )  # z, x, y: nobody with z = 0 is treated
    found = known("z -> x, y; x -> y", "y", "x")
    with pytest.raises(
        InputError,
        match=r"P\(y \| do\(x\)\) at value number x = 1 is unknown: "
        r".* empty cell where P\(y \| x, z\) is needed",
    ):
        found.evaluate(Factor(tuple("zxy"), joint))
    assert found.evaluate(Factor(tuple("zxy"), joint), {"x": 0}).table == pytest.approx(
        [0.3 / 3 + 0.7 / 2, 0.3 * 2 / 3 + 0.7 / 2]
    )


def test_an_empty_cell_that_does_not_matter_does_not() -> None:
    joint = np.array(
        [[[0.2, 0.2], [0.1, 0.1]], [[0.1, 0.1], [0.1, 0.1]], [[0.0, 0.0], [0.0, 0.0]]]
    )  # z is never 2
    assert known("z -> x, y; x -> y", "y", "x").evaluate(
        Factor(tuple("zxy"), joint)
    ).table == pytest.approx(0.5)


def test_a_longer_formula_answers_where_the_shorter_one_meets_an_empty_cell() -> None:
    rng = np.random.default_rng(0)
    mechanisms = {
        name: rng.dirichlet(np.ones(2), (2,) * k)
        for name, k in (("z", 0), ("x", 1), ("m", 1), ("y", 2))
    }
    mechanisms["x"] = np.array([[1.0, 0.0], [0.4, 0.6]])  # where z = 0, nobody is treated
    axes = {"z": ("z",), "x": ("z", "x"), "m": ("x", "m"), "y": ("m", "z", "y")}
    world = TabularModel({name: Factor(axes[name], table) for name, table in mechanisms.items()})
    found = known("z -> x, y; x -> m -> y", "y", "x")
    assert found.method == "back-door"
    assert (
        distance(found.evaluate(world.law("zxmy")), conditional(world, ("y",), ("x",), ())) < EXACT
    )


def test_a_value_of_a_free_variable_that_has_empty_cells_is_not_used() -> None:
    joint = napkin().law("wrxy").table.copy()
    joint[0, 1] = 0.0  # where w = 0, r is never 1
    found = known(NAPKIN, "y", "x")
    given_0 = joint[:, 0] / joint[:, 0].sum((1, 2), keepdims=True)
    above = np.einsum("w,wxy->xy", joint.sum((1, 2, 3)), given_0)
    assert found.evaluate(Factor(tuple("wrxy"), joint / joint.sum())).table == pytest.approx(
        (above / above.sum(1, keepdims=True)).T
    )


def test_round_off_is_an_empty_cell() -> None:
    joint = np.array([[[0.3, 0.2], [1e-17, 2e-17]], [[0.1, 0.1], [0.2, 0.1]]])
    with pytest.raises(InputError, match="empty cell"):
        known("z -> x, y; x -> y", "y", "x").evaluate(Factor(tuple("zxy"), joint))


def test_a_condition_that_cannot_be_seen_has_no_answer() -> None:
    found = known("x -> z; w -> z, y; x -> y; w <-> y", "y", "x", "z")
    w, x = np.full(2, 0.5), np.full(2, 0.5)
    z = np.zeros((2, 2, 2))
    z[..., 0] = 1.0  # z is never 1
    y = np.random.default_rng(0).dirichlet(np.ones(2), (2, 2))
    joint = np.einsum("w,x,wxz,wxy->wxzy", w, x, z, y)
    with pytest.raises(InputError, match="z = 1"):
        found.evaluate(Factor(tuple("wxzy"), joint))
    assert found.evaluate(Factor(tuple("wxzy"), joint), {"z": 0}).table.sum(0) == pytest.approx(1.0)


# Formulas, questions and logs.


@pytest.mark.parametrize(
    ("graph", "text", "method"),
    [
        ("x -> y", "P(y | x)", "seeing"),
        ("z -> x, y; x -> y", "Σ_z P(z) P(y | x, z)", "back-door"),
        ("z -> x, y; x -> m -> y", "Σ_z P(z) P(y | x, z)", "back-door"),
        ("z1 -> z2 -> x -> y; z1 -> y; z2 <-> z1", "Σ_z1 P(z1) P(y | x, z1)", "back-door"),
        (FRONT_DOOR, "Σ_z P(z | x) Σ_x' P(x') P(y | z, x')", "front-door"),
        ("x -> z1 -> z2 -> y; x <-> y", "Σ_z2 P(z2 | x) Σ_x' P(x') P(y | z2, x')", "front-door"),
        (
            "x -> z -> y; x <-> y; w -> x, z, y",
            "Σ_{w, z} P(w) P(z | x, w) Σ_x' P(x' | w) P(y | z, x', w)",
            "general",
        ),
    ],
)
def test_an_estimand_is_the_back_door_or_the_front_door_formula_where_it_is_one(
    graph: str, text: str, method: str
) -> None:
    found = known(graph, "y", "x")
    assert str(found) == f"P(y | do(x)) = {text}"
    assert found.method == method


def test_the_front_door_formula_in_latex() -> None:
    latex = known(FRONT_DOOR, "y", "x").latex
    assert (
        latex == r"P(y \mid \mathrm{do}(x)) = \sum_{z} P(z \mid x) \sum_{x'} P(x') P(y \mid z, x')"
    )
    assert r"\frac{\sum_{w} " in known(NAPKIN, "y", "x").latex


def test_a_hedge_is_written_as_a_proof() -> None:
    assert str(unknown("x -> y; x <-> y", "y", "x")).splitlines() == [
        "P(y | do(x)) is not identified. A hedge is the proof:",
        "  F  = {x -> y; x <-> y}",
        "  F' = {y}",
        "Both are c-forests with the roots y, and F' is without x.",
    ]
    exchanged = str(unknown("x -> y; x <-> y; z -> y", "y", "x", "z"))
    assert "It is P(y | do(x, z)), for z may be done as well as seen." in exchanged


def test_questions_that_are_not_ones_are_refused() -> None:
    graph = parse_graph(FRONT_DOOR)
    for y, x, z, what in (
        ("y", "x", "x", "named twice"),
        ("q", "x", (), "not a variable"),
        ((), "x", (), "y is empty"),
    ):
        with pytest.raises(InputError, match=what):
            identify(graph, y, x, z)


def test_a_log_with_a_selection_is_not_taken_for_the_law() -> None:
    with pytest.raises(InputError, match="only rows with recorded = 1 are in the log"):
        identify(
            latent_projection(make_model(f"{THROWAWAY_FILE}:Survivors").graph),
            "win",
            "bet",
        )
    with pytest.raises(InputError, match="two of the laws P, P have one name"):
        fuse(parse_graph(FRONT_DOOR), "y", "x", [Source(), Source(done="x")])


def test_laws_that_do_not_fit_are_refused() -> None:
    found, joint = known(FRONT_DOOR, "y", "x"), Factor(tuple("xzy"), np.full((2, 2, 2), 0.125))
    with pytest.raises(
        InputError, match="the law P has no 'z', which the estimand needs; it has x, y"
    ):
        found.evaluate(Factor(("x", "y"), np.full((2, 2), 0.25)))
    with pytest.raises(InputError, match="'z' cannot be held"):
        found.evaluate(joint, {"z": 0})
    with pytest.raises(InputError, match="x has the values number 0 to 1"):
        found.evaluate(joint, {"x": 2})


def test_an_estimand_is_evaluated_on_a_log() -> None:
    model = make_model("SimpsonClinic-v0")
    columns = model.sample(20_000, np.random.default_rng(0))
    found = identify(latent_projection(model.graph), "recovery", "treatment")
    assert isinstance(found, Estimand)
    answer = found.evaluate(empirical(columns, found.names)).table[1]
    z, x, y = (columns[name] for name in ("stratum", "treatment", "recovery"))
    by_hand = [sum((z == s).mean() * y[(z == s) & (x == a)].mean() for s in (0, 1)) for a in (0, 1)]
    assert answer == pytest.approx(by_hand, abs=1e-12)
    assert answer == pytest.approx([0.778875, 0.832546], abs=0.03)
    for wrong, what in (
        (["stratum", "treatmnt"], "did you mean 'treatment'"),
        (["empty"], "has no rows"),
    ):
        with pytest.raises(InputError, match=what):
            empirical({**columns, "empty": np.zeros(0)}, wrong)


# Published values.


@pytest.mark.parametrize(
    ("study", "effects"),
    [
        ("KidneyStones", (0.778875, 0.832546)),
        ("Berkeley", (0.429955, 0.387319)),
        ("Whickham", (0.740986, 0.696825)),
        ("CovidCFR", (0.972123, 0.980283)),
        ("NealCovid27", (0.806098, 0.870732)),
    ],
)
def test_the_published_tables_of_simpson(study: str, effects: tuple[float, float]) -> None:
    model = make_model(f"SimpsonClinic-v0:study={study}")
    found = identify(latent_projection(model.graph), "recovery", "treatment")
    assert isinstance(found, Estimand)
    law = Factor(found.names, distribution(model, *found.names))
    assert found.evaluate(law).table[1] == pytest.approx(effects, abs=1e-6)


def test_the_front_door_of_smoking_and_cancer() -> None:
    """Pearl, Causality (2009), table 3.1."""
    u, x = np.full(2, 0.5), np.array([[0.95, 0.05], [0.05, 0.95]])
    z, cancer = (
        np.array([[0.95, 0.05], [0.05, 0.95]]),
        np.array([[0.055556, 0.944444], [0.005556, 0.894444]]),
    )
    axes = {"u": ("u",), "x": ("u", "x"), "z": ("x", "z"), "y": ("z", "u", "y")}
    laws = {"u": u, "x": x, "z": z, "y": np.stack([1 - cancer, cancer], -1)}
    world = TabularModel({name: Factor(axes[name], law) for name, law in laws.items()})
    found, joint = known(FRONT_DOOR, "y", "x"), world.law("xzy")
    assert found.evaluate(joint).table[1] == pytest.approx([0.4975, 0.4525], abs=1e-6)
    seen = joint.table.sum(1)
    assert seen[:, 1] / seen.sum(1) == pytest.approx([0.0975, 0.8525], abs=1e-6)
    no_tar = np.array([[0.95, 0.05], [0.95, 0.05]])  # smoking leaves no tar, and the two arms tie
    tie = found.evaluate(
        TabularModel({**world.tables, "z": Factor(("x", "z"), no_tar)}).law("xzy")
    ).table
    assert tie[1, 0] == pytest.approx(tie[1, 1], abs=1e-15)
