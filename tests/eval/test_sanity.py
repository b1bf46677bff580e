"""Where nothing is confounded:

what is asked of agents in controls and in classic control, and how it is judged.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from dosuite.agents import agent_classes
from dosuite.causal import value
from dosuite.envs import make_model
from dosuite.eval import Run, execute
from dosuite.eval.claims import classic_control as classic
from dosuite.eval.claims import sanity
from dosuite.eval.runs.reference_values import references
from dosuite.eval.runs.run import OFFLINE, ONLINE, acts_there

ICE = "IceCreamShorts-v0"


def rows_of(**columns: object) -> pd.DataFrame:
    """Rows of two seeds of an agent in a control where the best policy earns 1, the worst 0, the
    behaviour 0.5.
    """
    about = {
        "environment": "World-v0",
        "agent": "naive",
        "regime": "observe",
        "budget": 1,
        "world": "",
        "status": "ok",
        "note": "",
    }
    known = {
        "j_causal": 1.0,
        "j_confused": 1.0,
        "j_worst": 0.0,
        "j_behaviour": 0.5,
        "j_uniform": 0.4,
        "value": 1.0,
    }
    return pd.DataFrame({**about, **known, **columns}, index=range(2))


# Controls.


def test_every_agent_has_a_run_in_the_control_of_a_family_whose_actions_it_takes() -> None:
    families = "IceCreamShorts", "AirlinePricing"
    found = {
        (run.environment, run.agent, run.regime in OFFLINE)
        for run in sanity.control_runs(families, (), 1, 100, 100)
        if run.regime != "exact"
    }
    for world in (f"{family}-v0" for family in families):
        for name, kind in agent_classes().items():
            there = kind.learns != ("exact",) and acts_there(
                name, make_model(world, variant="control")
            )
            for offline, regimes in ((True, OFFLINE), (False, ONLINE)):
                assert ((world, name, offline) in found) == (
                    there and bool({*regimes} & {*kind.learns})
                )


def test_a_world_whose_best_policy_has_a_memory_asks_for_no_memory() -> None:
    runs = sanity.control_runs(["Tiger"], ["naive"], 1, 2_000, 1)
    rows = sanity.with_memoryless_values(pd.DataFrame([row for run in runs for row in run.rows()]))
    control = make_model(runs[0].environment, variant="control")
    assert rows["j_causal"].tolist() == pytest.approx(
        [value(control, control.causal_policy())] * len(rows)
    )
    assert references(control, control)["j_causal"] > rows["j_causal"].iloc[0] + 1


@pytest.mark.parametrize(
    ("agent", "regret"), [("causal", 0.0), ("uniform", 0.5), ("behaviour", 0.5)]
)
def test_the_regret_of_a_reference_policy_is_what_its_value_says(agent: str, regret: float) -> None:
    rows = pd.DataFrame(Run(ICE, agent, "exact", 1, 0, "control").rows())
    assert sanity.control_regret(rows[rows["world"] == ""]).tolist() == pytest.approx([regret])


def test_the_regret_of_a_clone_is_measured_from_the_behaviour_policy() -> None:
    assert sanity.control_regret(rows_of(agent="bc", value=0.4)).tolist() == pytest.approx(
        [0.1, 0.1]
    )
    assert sanity.control_regret(rows_of(agent="bc:hidden=8", value=0.5)).tolist() == [0.0, 0.0]


def test_a_worst_policy_that_is_not_known_is_the_worst_that_is() -> None:
    assert sanity.control_regret(rows_of(j_worst=np.nan, value=0.7)).tolist() == pytest.approx(
        [0.5, 0.5]
    )


@pytest.mark.parametrize(
    ("columns", "verdict"),
    [
        ({"value": 0.99}, "reached"),
        ({"value": 0.97}, "missed"),
        ({"value": [0.99, 0.93]}, "undecided"),
        ({"value": 0.9, "j_confused": 0.9}, "log short"),
        ({"value": 0.8, "j_confused": 0.9}, "missed"),
        ({"value": 0.9, "j_confused": 0.9, "regime": "intervene"}, "missed"),
        ({"value": np.nan, "status": "failed", "note": "FloatingPointError: diverged"}, "failed"),
        ({"value": np.nan, "status": "failed", "note": "it counts"}, "refuses"),
        ({"value": 0.4, "note": "no instrument: plays uniformly"}, "abstains"),
        ({"value": 0.4, "note": ["no instrument: plays uniformly", ""]}, "missed"),
    ],
)
def test_the_verdict_on_a_pair_of_agent_and_control(
    columns: dict[str, object], verdict: str
) -> None:
    assert sanity.control_scores(rows_of(**columns))["verdict"].tolist() == [verdict]


def test_the_tables_of_two_agents_in_one_control(tmp_path: Path) -> None:
    runs = sanity.control_runs(["IceCream"], ["naive", "bc", "iv"], 2, 500, 100)
    assert {run.variant for run in runs} == {"control"}
    rows = execute(runs, tmp_path, 1, quiet=True)
    controls, open_, every = sanity.control_sections(sanity.control_scores(rows), {})
    counts = controls.tables[0].frame.set_index("agent")
    assert counts.loc[["naive", "bc"], "reached"].tolist() == ["1", "1"]
    assert counts.loc["iv", "abstains"] == "1"
    assert "Of 2 pairs of an agent and a control 2 reached, 0 missed" in controls.sentences[1]
    assert open_.tables == []
    assert every.tables[0].frame["verdict"].tolist() == ["reached", "abstains", "reached"]


def test_what_leaves_no_run_is_refused() -> None:
    assert "no family is called Nowhere" in refused(
        lambda: sanity.control_runs(["Nowhere"], [], 1, 10, 10)
    )


# Classic control.

SMALL = [course._replace(episodes=10) for course in classic.COURSES]
every_course = pytest.mark.parametrize(
    "course", SMALL, ids=[course.environment for course in SMALL]
)


@every_course
def test_equal_seeds_give_equal_logs(course: classic.Course) -> None:
    one, same, other = (classic.mixed_log(course, seed) for seed in (3, 3, 4))
    for name in one.columns:
        assert np.array_equal(one[name], same[name])
    assert not np.array_equal(one["action"][:50], other["action"][:50])


@every_course
def test_a_log_is_whole_episodes_in_order(course: classic.Course) -> None:
    data = classic.mixed_log(course)
    last = np.flatnonzero(data["terminated"] | data["truncated"])
    assert len(last) == course.episodes
    first = np.array([0, *last[:-1] + 1])
    assert np.array_equal(np.flatnonzero(data["step"] == 0), first)
    within = np.setdiff1d(np.arange(len(data)), last)
    assert np.array_equal(data["observation"][within + 1], data["next_observation"][within])
    assert np.array_equal(
        data["episode"], np.repeat(np.arange(course.episodes), np.diff([*first, len(data)]))
    )
    assert all(
        data.action_space.contains(
            np.asarray(action, data.action_space.dtype).reshape(data.action_space.shape)
        )
        for action in data["action"]
    )


@every_course
def test_a_log_is_of_mixed_quality_and_its_controller_is_good(course: classic.Course) -> None:
    data = classic.mixed_log(course)
    returns = np.bincount(data["episode"], data["reward"]).reshape(-1, len(course.levels)).mean(0)
    least = next(
        target.least
        for target in classic.TARGETS
        if target.environment == course.environment and target.least
    )
    assert returns[0] >= least
    assert returns[-1] < min(2 * least, least / 4)


def test_what_is_tried_is_the_policy_in_the_same_episodes() -> None:
    course = SMALL[0]
    calm = np.zeros(classic.TRIALS)
    rng = np.random.default_rng(0)
    rows, returns = classic.rolled_out(
        course.environment,
        lambda seen, _: course.controller(seen, calm, rng),
        classic.TRIALS,
        classic.FIRST_TRIAL,
    )
    assert returns.tolist() == [500.0] * classic.TRIALS
    assert len(rows["reward"]) == 500 * classic.TRIALS


def test_an_agent_is_held_against_its_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classic, "COURSES", SMALL)
    monkeypatch.setattr(classic, "TRIALS", 3)
    targets = [
        classic.Target("CartPole-v1", "bc:updates=3", least, "why") for least in (1.0, 501.0, None)
    ]
    found = classic.target_scores(targets, 2)
    assert found["reached"].tolist() == ["yes", "no", ""]
    assert found["iqm"].nunique() == 1
    (table,) = sanity.classic_section(found).tables
    assert table.frame["at least"].tolist() == ["1", "501", "-"]
