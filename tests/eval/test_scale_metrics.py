"""What a larger budget cures: slopes, floors and costs, on tables that are made up."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dosuite.eval import Run
from dosuite.eval.reports import report
from dosuite.eval.reports.scale_tables import scale_tables
from dosuite.eval.scores.scale import DEFINITIONS, deconfusion_costs, scale_laws, verdict

WORLD = "IceCreamShorts-v0"
BUDGETS = (100, 300, 1000, 3000, 10_000)
SEEDS = 8


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    """The rows of one run: a deployment, and shifts."""
    return pd.DataFrame(Run(WORLD, "naive", "observe", 100, 0).rows())


def many(
    real: pd.DataFrame, budgets: tuple[int, ...] = BUDGETS, seeds: int = SEEDS, **columns: Any
) -> pd.DataFrame:
    """The rows at each budget and seed."""
    parts = [real.assign(budget=n, seed=s) for n in budgets for s in range(seeds)]
    return pd.concat(parts, ignore_index=True).assign(**columns)


def with_errors(rows: pd.DataFrame, error: Callable[[Any], Any]) -> pd.DataFrame:
    """The rows with ICE_gap a function of the budget, times noise of 2 %."""
    noise = 1 + 0.02 * np.random.default_rng(0).standard_normal(len(rows))
    return rows.assign(ice_gap=error(rows["budget"]) * noise)


def law_of(rows: pd.DataFrame, error: str = "ICE_gap") -> dict[Any, Any]:
    laws = scale_laws(rows)
    [law] = laws[laws["error"] == error].to_dict("records")
    return law


def test_an_error_that_falls_as_a_power_has_its_slope_and_no_floor(real: pd.DataFrame) -> None:
    law = law_of(with_errors(many(real), lambda n: n**-0.5))
    middle, low, high = law["slope"]
    assert low <= -0.5 <= high
    assert (middle, law["verdict"]) == (pytest.approx(-0.5, abs=0.1), "no floor")
    assert (law["budgets"], law["most"], law["seeds"]) == (len(BUDGETS), BUDGETS[-1], SEEDS)


def test_an_error_that_stays_is_scale_invariant_confusion(real: pd.DataFrame) -> None:
    gap = real["confusion_gap"][0]
    assert gap == pytest.approx(0.68)  # of two actions, 2 * .340
    law = law_of(with_errors(many(real), lambda n: gap + n**-0.5))
    assert law["gap"] == pytest.approx(gap)
    middle, low, high = law["floor"]
    assert 0.25 * gap < low <= middle <= high
    assert law["verdict"] == "scale-invariant"


def test_the_slope_is_that_of_the_last_three_half_decades(real: pd.DataFrame) -> None:
    law = law_of(with_errors(many(real), lambda n: np.where(n < 300, 50.0, n**-0.2)))
    assert law["slope"][0] == pytest.approx(-0.2, abs=0.1)


@pytest.mark.parametrize(
    ("floor", "seeds", "said"),
    [
        ((0.5, 0.3, 0.6), 8, "scale-invariant"),
        ((0.5, 0.2, 0.6), 8, "open"),
        ((0.1, 0.0, 0.2), 8, "no floor"),
        ((0.5, 0.3, 0.6), 2, "too few seeds"),
    ],
)
def test_the_verdict_is_by_the_interval(
    floor: tuple[float, float, float], seeds: int, said: str
) -> None:
    assert verdict(floor, 1.0, seeds) == said


def test_one_budget_and_a_world_without_confusion_have_no_law(real: pd.DataFrame) -> None:
    assert scale_laws(many(real, (100,))).empty
    sure = many(real, j_confused=real["j_causal"][0], confusion_gap=0.0)
    assert set(scale_laws(sure)["error"]) <= {"xReg"}
    assert deconfusion_costs(many(real)).empty  # of an agent that has a log alone
    assert scale_tables(many(real, (100,))) == []


def test_errors_of_the_return_are_beside_those_of_effects(real: pd.DataFrame) -> None:
    """The naive agent is the confused policy, at every size."""
    for error in ("|J_causal - J|", "xReg"):
        law = law_of(many(real), error)
        assert law["floor"] == pytest.approx([law["gap"]] * 3)
        assert law["slope"] == pytest.approx((0, 0, 0))
        assert law["verdict"] == "scale-invariant"
    law = law_of(many(real, value=real["j_causal"][0]), "|J_causal - J|")
    assert (law["floor"], law["verdict"]) == ((0, 0, 0), "no floor")
    assert np.isnan(law["slope"][0])


def acting(real: pd.DataFrame, cured_from: int, **columns: Any) -> pd.DataFrame:
    """Rows of an agent that is right from some budget on."""
    rows = many(real).assign(**{"regime": "intervene", "agent": "thompson", **columns})
    right, wrong = rows["j_causal"], rows["j_confused"]
    return rows.assign(value=np.where(rows["budget"] >= cured_from, right, wrong))


def test_the_cost_is_the_least_budget_from_which_on_the_confusion_is_over(
    real: pd.DataFrame,
) -> None:
    [cost] = deconfusion_costs(acting(real, 1000)).to_dict("records")
    assert (cost["cost"], cost["above"], cost["recorded"]) == (1000, 300, 0)
    relapsed = acting(real, 1000)
    is_it = (relapsed["budget"] == 3000) & (relapsed["seed"] == 0)
    relapsed.loc[is_it, "value"] = relapsed["j_confused"]  # one seed of eight is more than 5 %
    [cost] = deconfusion_costs(relapsed).to_dict("records")
    assert (cost["cost"], cost["above"]) == (10_000, 3000)
    [cost] = deconfusion_costs(acting(real, 10**6)).to_dict("records")
    assert np.isnan(cost["cost"])
    assert cost["above"] == 10_000


def test_a_tenth_of_the_gap_may_be_left(real: pd.DataFrame) -> None:
    for share, cured in ((0.91, True), (0.89, False)):
        value = (1 - share) * real["j_confused"][0] + share * real["j_causal"][0]
        [cost] = deconfusion_costs(acting(real, 1000).assign(value=value)).to_dict("records")
        assert (cost["cost"] == 100) is cured


def test_labels_are_worth_the_interventions_that_they_spare(real: pd.DataFrame) -> None:
    told = acting(real, 300, regime="mixed", agent="fused", needs="labels")
    pooled = acting(real, 3000, regime="mixed", agent="naive")
    costs = deconfusion_costs(pd.concat([told, pooled])).set_index("agent")
    assert (costs.loc["fused", "cost"], costs.loc["fused", "recorded"]) == (150, 150)
    assert costs.loc["fused", "label_value"] == 10
    assert not costs.loc["fused", "is_least"]
    assert costs["label_value"].isna().to_dict() == {"fused": False, "naive": True}
    never = acting(real, 10**6, regime="mixed", agent="naive")
    costs = deconfusion_costs(pd.concat([told, never])).set_index("agent")
    assert costs.loc["fused", "label_value"] == pytest.approx(5000 / 150)
    assert costs.loc["fused", "is_least"]
    assert np.isnan(deconfusion_costs(told)["label_value"][0])


def test_the_tables_and_the_definitions_are_in_the_report(real: pd.DataFrame) -> None:
    told = acting(real, 300, regime="mixed", agent="fused", needs="labels")
    rows = pd.concat([told, acting(real, 10**6, regime="mixed", agent="naive"), many(real)])
    found = {table.name: table.frame for table in scale_tables(rows)}
    shown = found["cost"].set_index("agent")
    assert list(shown.loc["fused (mixed, labels)"])[2:] == ["150", "50", "150", "at least 33.3"]
    assert list(shown.loc["naive (mixed)"])[2:] == ["n/a", "5,000", "n/a", "n/a"]
    laws = found["scaling"].set_index(["agent", "error"])
    assert laws.loc[("naive (offline)", "xReg"), "confusion"] == "scale-invariant"
    assert set(DEFINITIONS) <= set(report.definitions())
