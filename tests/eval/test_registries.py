"""A metric, a reference policy and a regime are each written once, and the rest follows."""

import io
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from dosuite.agents import agent_classes
from dosuite.causal import InputError, World, uniform_policy, value
from dosuite.envs import make_model
from dosuite.envs.logs.collect import SHARES
from dosuite.envs.regimes import OFFLINE, ONLINE, Regime
from dosuite.eval import Run
from dosuite.eval.reports import report, tables
from dosuite.eval.runs.reference_values import (
    REFERENCES,
    Line,
    reference,
    reference_agents,
    references,
)
from dosuite.eval.runs.scored_rows import empty_row
from dosuite.eval.scores import metrics
from dosuite.eval.scores.metrics import METRICS, RETURN, ActionValues, Over, metric, recorded_metric

WORLD = "IceCreamShorts-v0"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """The registries as they were, after each test."""
    known_metrics, known_references = dict(METRICS), dict(REFERENCES)
    yield
    METRICS.clear()
    METRICS.update(known_metrics)
    REFERENCES.clear()
    REFERENCES.update(known_references)
    references.cache_clear()


def rows() -> pd.DataFrame:
    """The rows of the reference policies on the ice cream and on its twin."""
    runs = [
        Run(WORLD, agent, "exact", 1, 0, variant)
        for agent in ("confused", "causal")
        for variant in ("", "twin")
    ]
    return pd.DataFrame([row for run in runs for row in run.rows()])


def frames(of: pd.DataFrame) -> dict[str, pd.DataFrame]:
    sections = report.report_sections(of, tables.summary(of))
    return {table.name: table.frame for section in sections for table in section.tables}


def test_a_metric_of_runs_is_one_function() -> None:
    @metric("twice", "2J", "2J is twice J.", Over.RUNS, "scores", RETURN, digits=3)
    def twice(runs: pd.DataFrame) -> "pd.Series[float]":
        return 2 * runs["value"]

    scored = rows()
    frame = frames(scored)["scores"].set_index("agent")
    assert frame.columns[-1] == "2J"
    assert frame["2J"].to_dict() == {"causal (exact)": "0.950", "confused (exact)": "0.550"}
    assert "twice" in set(tables.summary(scored)["metric"])
    assert "2J is twice J." in report.definitions()
    console = Console(file=io.StringIO(), width=110)
    report.print_tables(scored, console)
    assert isinstance(console.file, io.StringIO)
    assert "0.950" in console.file.getvalue()


def test_a_metric_of_shifts_and_one_of_twins_are_one_function_each() -> None:
    @metric("r_least", "R_least", "R_least is the least regret.", Over.SHIFTS, "shifts")
    def least(shifts: object) -> object:
        return shifts["regret"].min()  # type: ignore[index]

    @metric("worse", "worse twin", "", Over.TWINS, "scores")
    def worse(pairs: pd.DataFrame) -> "pd.Series[float]":
        return pairs[["chance_score", "twin_score"]].min(axis=1)

    found = frames(rows())
    assert found["shifts"].set_index("agent")["R_least"].to_dict() == {
        "causal (exact)": "0.00",
        "confused (exact)": "0.00",
    }
    assert found["scores"].set_index("agent")["worse twin"].to_dict() == {
        "causal (exact)": "1.00",
        "confused (exact)": "-1.00",
    }


def test_a_metric_of_action_values_is_one_function_and_a_column_of_the_results() -> None:
    @metric("ice_max", "ICE_max", "", Over.ACTIONS, "calibration", RETURN, digits=3)
    def largest(values: ActionValues) -> float:
        return float(abs(values.believed - values.doing).max())

    before = rows().drop(columns="ice_max")
    assert report.results_fault(before) == "it lacks ice_max"
    assert report.results_fault(rows()) == ""
    frame = frames(rows())["calibration"].set_index("agent")
    assert frame["ICE_max"].to_dict() == {"causal (exact)": "0.000", "confused (exact)": "0.340"}


def test_a_section_that_the_report_lacks_is_refused() -> None:
    with pytest.raises(InputError, match="no section 'score' for x; did you mean 'scores'"):
        recorded_metric("x", "X", "", "score")


def test_metrics_have_definitions_without_docstrings() -> None:
    """With `python -OO` there are no docstrings."""
    sentences = report.definitions()
    assert all(sentence.endswith(".") for sentence in sentences)
    for text in ("CS = ", "CS_chance = ", "CS_tb = ", "NR = ", "R_mean", "xReg", "kappa = ", "IQM"):
        assert any(text in sentence for sentence in sentences)
    for each in metrics.all_metrics():
        shown = any(each.label.lower() in sentence.lower() for sentence in sentences)
        assert shown or each.name == "twin_score"


def test_a_reference_policy_is_one_function() -> None:
    @reference("j_lazy", "lazy", "half of chance", line=Line("lazy", "#000000", ":"))
    def lazy(model: World, world: World) -> float:
        return value(world, uniform_policy(world)) / 2

    references.cache_clear()
    scored = rows()
    assert scored["j_lazy"].notna().all()
    assert list(empty_row()).index("j_lazy") == list(empty_row()).index("promised") + 1
    assert "J_lazy is half of chance." in report.definitions()
    figure = report.FIGURES["causal_score"](scored)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert any("lazy" in text for text in texts)


def test_reference_agents_exist_and_have_the_value_of_their_column() -> None:
    for column, each in REFERENCES.items():
        if each.agent:
            assert each.agent in agent_classes()
            if each.agent != "behaviour":  # whose agent knows only the context
                row = Run(WORLD, each.agent, "exact", 1, 0).rows()[0]
                assert row["value"] == pytest.approx(row[column])
    assert reference_agents() == ("confused", "causal", "uniform", "behaviour")


def test_a_worlds_own_value_of_no_reference_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(WORLD)
    monkeypatch.setattr(type(model), "values_in", lambda self, world: {"j_bst": 1.0})
    references.cache_clear()
    with pytest.raises(InputError, match=r"values_in gives 'j_bst'.*did you mean 'j_best'"):
        references(model, model)


def test_regimes_equal_their_texts() -> None:
    assert {"observe": 1}[Regime.OBSERVE] == 1
    assert (*OFFLINE, *ONLINE) == ("observe", "mixed", "intervene", "counterfactual")
    assert SHARES == {"observe": 0.0, "mixed": 0.5, "intervene": 1.0}
    learned_in = {regime for kind in agent_classes().values() for regime in kind.learns}
    assert learned_in <= set(Regime)


def test_a_regime_and_its_text_make_the_same_run() -> None:
    run = Run(WORLD, "naive", Regime.OBSERVE, 50, 0)
    text = Run(WORLD, "naive", "observe", 50, 0)
    assert (run, run.key, type(run.regime)) == (text, text.key, str)
    assert run._rng.random() == text._rng.random()


def test_every_regime_has_a_look_of_its_own() -> None:
    for look in ("label", "colour"):
        assert len({getattr(regime, look) for regime in Regime}) == len(Regime)
    shown = [regime for regime in Regime if regime.legend]
    assert len({regime.marker for regime in shown}) == len(shown) == len(Regime) - 1


def test_the_interval_has_one_stratum_and_the_same_generator_by_default() -> None:
    values = np.random.default_rng(3).normal(size=12)
    assert metrics.interval(values) == metrics.interval(
        values, np.zeros(12), np.random.default_rng(0)
    )
