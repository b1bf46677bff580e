"""Errors over parameters and compute, on small tables in which they are known."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from dosuite.agents import TabularPolicy, make_agent
from dosuite.causal import uniform_policy
from dosuite.envs import collect, make_model, observation_space
from dosuite.eval.studies.compute import draw_over, errors_over, has_scale, scale_of, scale_sentence

GAP = 0.68


def table() -> pd.DataFrame:
    """Errors that stay at the gap on the world, and fall as 1 / compute on the control."""
    lines = []
    for variant in ("", "control"):
        for width in (4, 16, 64):
            for rows in (100, 1000):
                parameters, compute = 10.0 * width, 60.0 * width * rows
                loss = 1 / rows + (0.5 if width == 16 else 0.0)  # the middle one predicts worst
                error = GAP if variant == "" else 1e3 / compute
                for seed in range(4):
                    lines.append(
                        (variant, width, rows, seed, error, GAP, loss, parameters, compute)
                    )
    columns = ["variant", "width", "rows", "seed", "error", "gap", "loss", "parameters", "compute"]
    return pd.DataFrame(lines, columns=columns)


def test_parameters_and_compute_are_those_of_the_network() -> None:
    model = make_model("IceCreamShorts-v0")
    agent = make_agent("dqn:hidden=3,depth=1,updates=2,batch=5")
    policy = agent.learn(collect(model, episodes=20, seed=0), 0)
    inputs = 1  # the only context there is
    parameters = (inputs + 1) * 3 + (3 + 1) * 2
    known = scale_of(policy, {"updates": 2, "batch": 5})
    assert known == {"parameters": parameters, "compute": 6 * parameters * 2 * 5}
    counted = TabularPolicy(uniform_policy(model), observation_space(model))
    for other in (None, counted):
        assert np.isnan(list(scale_of(other, {"updates": 2, "batch": 5}).values())).all()


def test_each_curve_is_of_the_configurations_that_it_says() -> None:
    world = table().query("variant == ''")
    assert errors_over(world, "rows")[0].tolist() == [100, 1000]
    assert errors_over(world, "parameters")[0].tolist() == [40, 160, 640]
    # width 16 predicts worse than width 4, and width 64 no better
    assert errors_over(world, "compute")[0].tolist() == [60 * 4 * 100, 60 * 4 * 1000]
    sizes, errors = errors_over(table().query("variant == 'control'"), "compute")
    np.testing.assert_allclose(errors, np.tile(1e3 / sizes, (4, 1)))


def test_the_sentence_has_the_slopes_and_the_floor() -> None:
    text = scale_sentence(table())
    assert "over 40 to 640 parameters it is 0.00 [0.00, 0.00] on the world" in text
    assert "with a floor of 0.680 [0.680, 0.680] and -1.00 [-1.00, -1.00] on the control" in text
    assert "over 2.4e+04 to 2.4e+05 operations of training" in text


@pytest.mark.parametrize(
    "rows",
    [
        table().drop(columns="compute"),
        table().query("width == 4"),
        table().assign(parameters=np.nan),
    ],
)
def test_without_sizes_nothing_is_said(rows: pd.DataFrame) -> None:
    assert not has_scale(rows)
    assert scale_sentence(rows) == ""


def test_a_world_in_which_no_larger_network_predicts_better_has_no_slope() -> None:
    assert "unknown on the world" in scale_sentence(table().assign(loss=1.0))


def test_the_curves_are_drawn_with_the_gap() -> None:
    axes = Figure().subplots()
    draw_over(axes, table(), "parameters", {"": "red", "control": "black"})
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlabel() == "parameters"
    assert GAP in [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--"]  # type: ignore[index]
