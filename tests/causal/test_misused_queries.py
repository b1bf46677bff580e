"""What is no name, no value or no table is refused in one line by every function that takes one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from dosuite import causal
from dosuite.causal import Factor, exact, graphs, identification, identify, partial_identification
from dosuite.envs import make_model

# without types: the point is what users write without them
ICE: Any = make_model("IceCreamShorts-v0")
CLASS: Any = type(ICE)
COLD = ICE.do(ice_cream=1)
TABLE = np.full((2, 2), 0.25)
LAW = Factor(("x", "y"), TABLE)
FRAME = pd.DataFrame({"x": [0, 1, 0, 1], "y": [0, 1, 1, 0], "z": [0, 0, 1, 1]})
TYPES = partial_identification.ResponseTypes({"x": (), "y": ("x",)}, [("x", "y")], LAW)
SEEING: Any = identify("x -> y", "y", "x")

c: Any = causal
e: Any = exact
g: Any = graphs
i: Any = identification
p: Any = partial_identification


@pytest.mark.parametrize(
    "value", [None, np.nan, np.inf, [1], np.arange(2), (1, 0), {"a": 1}, object(), 1j]
)
def test_a_value_is_a_finite_number_or_a_text(value: Any) -> None:
    line = "x is held at one value"
    assert line in refused(lambda: identify("x -> y", "y", {"x": value}))
    assert line in refused(lambda: SEEING.evaluate(LAW, at={"x": value}))
    four = Factor(("x", "y", "z", "w"), np.full((2, 2, 2, 2), 1 / 16))
    assert "w is held at" in refused(lambda: i.wald(four, "z", "x", "y", {"w": value}))


def quantity(do: Any) -> Any:
    return do(x=1)["y"]


REFUSED: dict[str, list[Callable[[], object]]] = {
    "is a class; give an instance, IceCreamShorts()": [
        lambda: c.distribution(CLASS, "pay"),
        lambda: c.effect(CLASS, "pay", "ice_cream"),
        lambda: c.counterfactual(CLASS, ICE, "pay"),
        lambda: c.response_types(CLASS),
        lambda: c.value(CLASS, TABLE),
        lambda: c.certificate(CLASS),
    ],
    "name a variable or several": [
        lambda: c.distribution(ICE),
        lambda: c.distribution(ICE, []),
        lambda: c.distribution(ICE, given={"shorts": 1}),
    ],
    # laws of the outcome given the treatment, of which the weights are not known
    "the entries of the last two axes add to 2": [
        lambda: p.manski([[0.5, 0.5], [0.25, 0.75]]),
        lambda: p.manski([[[0.25, 0.25], [0.25, 0.25]], [[0.5, 0.5], [0.25, 0.75]]]),
        lambda: p.balke_pearl([[[0.5, 0.5], [0.25, 0.75]], [[0.5, 0.5], [0.5, 0.5]]]),
    ],
    "both treatment and outcome": [lambda: i.ipw(FRAME, "x", "x", ["z"], 0)],
    "'x' is the treatment, which is not adjusted for": [
        lambda: i.ipw(FRAME, "x", "y", ["x"], 0),
        lambda: i.aipw(FRAME, "x", "y", ["z"], ["z", "x"], 0),
    ],
    "'y' is the outcome": [lambda: i.ipw(FRAME, "x", "y", ["z", "y"], 0)],
    "needs 2 rows or more": [
        lambda: i.ipw(FRAME.head(1), "x", "y", ["z"], 0),
        lambda: i.plug_in(FRAME.head(1), ["x"], lambda law: law.table, 0),
    ],
    "a model is an instance of a class of SCM, and got": [
        lambda: c.response_types(FRAME),
        lambda: c.distribution(FRAME, "x"),
        lambda: c.distribution("IceCreamShorts-v0", "pay"),
        lambda: c.expectation(None, "pay"),
        lambda: c.counterfactual(ICE, "x", "pay"),
        lambda: c.behaviour_policy(FRAME),
        lambda: c.uniform_policy(None),
        lambda: c.certificate(None),
        lambda: i.answer(FRAME),
    ],
    "bounds are of a quantity on response types": [
        lambda: c.bounds(ICE),
        lambda: c.bounds(ICE, quantity),
        lambda: p.PotentialOutcomes(ICE),
    ],
    "bounds need a quantity": [lambda: c.bounds(TYPES)],
    "a quantity is a function of potential outcomes": [lambda: c.bounds(TYPES, "y")],
    "the quantity raised": [
        lambda: c.bounds(TYPES, lambda: 1),
        lambda: c.bounds(TYPES, lambda do: do(x=1).y),
        lambda: c.bounds(TYPES, lambda do: do(1)["y"]),
    ],
    "`known` lists pairs": [
        lambda: c.bounds(TYPES, quantity, 3),
        lambda: c.bounds(TYPES, quantity, [quantity]),
    ],
    "an expectation in `known`": [lambda: c.bounds(TYPES, quantity, [(quantity, None)])],
    "given maps variables to values": [
        lambda: c.counterfactual(ICE, COLD, "pay", given="drug"),
        lambda: e.counterfactual_mean(ICE, COLD, "pay", given="a", coupling="bounds"),
        lambda: c.distribution(ICE, "pay", given=["shorts"]),
        lambda: i.wald(FRAME, "z", "x", "y", given="w"),
    ],
    "a value of ice_cream is one number": [
        lambda: c.counterfactual(ICE, COLD, "pay", given={"ice_cream": None}),
        lambda: c.counterfactual(ICE, COLD, "pay", given={"ice_cream": [1]}),
    ],
    "None is not a coupling": [
        lambda: c.counterfactual(ICE, COLD, "pay", coupling=None),
        lambda: e.effect_on_treated(ICE, coupling=None),
        lambda: e.natural_effects(ICE, coupling=None),
        lambda: e.counterfactual_process(ICE, coupling=None),
    ],
    "has no setting 'confoundin'; did you mean 'confounding'?": [lambda: CLASS(confoundin=0.3)],
    "takes its settings by name": [lambda: CLASS(0.3)],
    "the table": [
        lambda: p.manski([1, 2]),
        lambda: p.manski(1),
        lambda: p.manski([["a", "b"], ["c", "d"]]),
        lambda: p.manski([[1, 2], [3]]),
        lambda: p.manski(None),
        lambda: p.manski(LAW),
        lambda: p.manski(FRAME),
        lambda: p.balke_pearl([[["a", "b"], ["a", "b"]]]),
        lambda: p.balke_pearl([[1], [1, 2]]),
        lambda: p.balke_pearl(None),
        lambda: p.necessity(LAW, [0.5, 0.5]),
        lambda: p.necessity(None, [0.5, 0.5]),
        lambda: i.outcome_bridge([1, 2]),
        lambda: i.outcome_bridge("a"),
        lambda: i.proximal_means(TABLE),
        lambda: c.lookup(ICE, "ice_cream", ("shorts",), None),
        lambda: c.lookup(ICE, "ice_cream", ("shorts",), np.ones((5, 5))),
    ],
    "`values` has": [
        lambda: p.manski(TABLE, [1]),
        lambda: i.outcome_bridge(np.full((2, 2, 2, 2), 1 / 16), [1]),
    ],
    "values has an entry that is not a finite number": [lambda: p.manski(TABLE, [1, np.nan])],
    "values must hold numbers": [lambda: p.manski(TABLE, [1, None])],
    "P(y=1 | do(x))": [lambda: p.necessity(TABLE, 0.5), lambda: p.necessity(TABLE, ["a", "b"])],
    "the intervals": [
        lambda: p.contrast(None),
        lambda: p.contrast(TABLE, 5),
        lambda: p.contrast(np.zeros((2, 3))),
    ],
    "is not identified, so no law gives its value": [
        lambda: identify("x -> y; x <-> y", "y", "x").evaluate(LAW)
    ],
    "at maps variables to values": [lambda: SEEING.evaluate(LAW, at=["x"])],
    "a witness is made of a Hedge": [lambda: i.witness(SEEING), lambda: i.witness(None)],
    "is one variable": [
        lambda: i.instruments("z -> x -> y", ["x", "z"], "y"),
        lambda: i.wald(FRAME, ["z", "x"], "x", "y"),
        lambda: c.expectation(ICE, ["pay", "shorts"]),
        lambda: e.counterfactual_mean(ICE, COLD, []),
    ],
    "a law is a Source": [
        lambda: i.fuse("x -> y", "y", "x", None),
        lambda: i.fuse("x -> y", "y", "x", "P"),
    ],
    "both tables are Factors": [
        lambda: i.reweighted(TABLE, LAW),
        lambda: i.reweighted(LAW, TABLE),
    ],
    "x has 3 values in one table": [lambda: i.reweighted(LAW, Factor(("x",), np.ones(3)))],
    "a column is named by a text": [
        lambda: i.ipw(FRAME, None, "y", "z", 0),
        lambda: i.ipw(FRAME, "x", ["y"], "z", 0),
    ],
    "the functional is a function": [lambda: i.plug_in(FRAME, ["x", "y"], None, 0)],
    "`parents` maps": [lambda: p.ResponseTypes(["x"], [], LAW)],
    "`latents` lists": [lambda: p.ResponseTypes({"x": (), "y": ("x",)}, None, LAW)],
    "`supports` maps": [lambda: p.ResponseTypes({"x": (), "y": ("x",)}, [], LAW, 3)],
    "the values of x are a list of numbers": [
        lambda: p.ResponseTypes({"x": (), "y": ("x",)}, [], LAW, {"x": None})
    ],
    "`supports` has 'q'": [lambda: p.ResponseTypes({"x": (), "y": ("x",)}, [], LAW, {"q": [1]})],
    "takes a Process": [lambda: p.interval_values(ICE)],
    "'nope' is not a variable": [
        lambda: c.response_types(ICE, "nope"),
        lambda: c.lookup(ICE, "nope", ("shorts",), TABLE),
        lambda: c.lookup(ICE, "ice_cream", ("nope",), TABLE),
    ],
    "a policy is a table": [lambda: c.value(ICE, "x")],
    "the dial goes from 0 to 1": [lambda: ICE.dial(None)],
    "None is not a shift": [lambda: ICE.shifted(None)],
    "unroll takes a number of steps": [
        lambda: g.unroll("x -> y", None),
        lambda: g.unroll("x -> y", -1),
    ],
    "must hold numbers": [
        lambda: c.Bernoulli("a"),
        lambda: c.Normal(None, 1),
        lambda: c.Uniform(None, 1),
        lambda: c.Exactly(None),
    ],
}


@pytest.mark.parametrize(
    ("line", "request_"), [(line, ask) for line, asks in REFUSED.items() for ask in asks]
)
def test_it_is_refused_in_one_line(line: str, request_: Callable[[], object]) -> None:
    assert line in refused(request_)


def test_names_in_a_list_are_names() -> None:
    names = ("ice_cream", "pay")
    assert np.array_equal(c.distribution(ICE, list(names)), c.distribution(ICE, *names))
    assert c.expectation(ICE, ["pay"]) == c.expectation(ICE, "pay")
    assert np.array_equal(
        c.counterfactual(ICE, COLD, names), c.counterfactual(ICE, COLD, "ice_cream", "pay")
    )
    assert e.natural_effects(ICE, ["shorts"]) == e.natural_effects(ICE, "shorts")
    assert c.response_types(ICE, names).order == c.response_types(ICE, *names).order
    law = Factor(("z", "x", "y"), np.arange(1.0, 9.0).reshape(2, 2, 2))
    assert i.wald(law, ["z"], ("x",), "y") == i.wald(law, "z", "x", "y")
    assert p.ResponseTypes({"drug": (), "y": "drug"}, ["drug"], Factor(("drug", "y"), TABLE))


def test_response_types_take_any_graph() -> None:
    assert p.ResponseTypes.of("x -> y; x <-> y", LAW).latents == [("x", "y")]
