"""Measurements that the package keeps: of the controls, of the matrix, and of the tuning."""

from pathlib import Path

import pandas as pd
import pytest
from places import ROOT
from refusals import refused

from dosuite.eval import Run, execute
from dosuite.eval.claims.kept import (
    MATRIX_SIZE,
    about,
    keep,
    kept_rows,
    mark_of,
    with_best_trials,
)
from dosuite.eval.claims.matrix import matrix_cells
from dosuite.eval.claims.sanity import (
    APPLICABLE,
    MISSED,
    MOST_REGRET,
    REACHED,
    SHORT,
    UNDECIDED,
    control_runs,
    control_scores,
    control_sections,
)
from dosuite.eval.claims.tuning import trial_means, tuning_runs
from dosuite.eval.claims.verdicts import agreement, summary

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def test_the_trials_that_were_selected_are_the_defaults() -> None:
    trials = kept_rows("tune")
    for (agent, settings), _ in trials[trials["selected"]].groupby(["agent", "settings"]):
        assert mark_of(f"{agent}:{settings}" if settings else str(agent)) == mark_of(str(agent))


def test_every_agent_had_as_many_trials() -> None:
    assert len({len(means) for means in trial_means(kept_rows("tune")).values()}) == 1


@pytest.mark.parametrize("command", ["sanity", "matrix"])
def test_kept_results_are_those_of_agents_as_they_are(command: str) -> None:
    assert "have changed since" not in about(kept_rows(command))


def test_kept_cells_are_judged_as_they_would_be_now() -> None:
    cells = {(cell.row.name, cell.column): cell for cell in matrix_cells((), (), *MATRIX_SIZE)}
    for row in kept_rows("matrix").to_dict("records"):
        cell = cells[row["row"], row["class"]]
        assert row["predicted"] == cell.predicted
        assert row["verdict"] == agreement(cell.predicted, row["low"], row["high"])


def test_the_readme_has_the_verdicts_of_the_kept_controls() -> None:
    counts = kept_rows("sanity")["verdict"].value_counts()
    pairs = sum(counts[verdict] for verdict in APPLICABLE if verdict in counts)
    assert f"{pairs} combinations of an agent, a family and a way to learn" in README
    assert f"{counts[REACHED]} have a normalised regret of at most 2 %" in README
    assert (
        f"{counts[SHORT]} are no worse than their log, {counts[MISSED]} miss and "
        f"{counts[UNDECIDED]} are undecided" in README
    )


def test_a_miss_is_shown_beside_the_best_trial_of_its_agent_there() -> None:
    scores = with_best_trials(kept_rows("sanity"))
    trials = kept_rows("tune", ["iql"], ["CoinEnd"])
    shown = scores[(scores["agent"] == "iql") & (scores["environment"] == "CoinEnd-v0")]
    assert shown["best_trial"].item() == trials["regret"].min()
    assert scores.loc[scores["agent"] == "back-door", "best_trial"].isna().all()  # no settings
    missed = scores[scores["verdict"] == MISSED]
    tuned = missed["best_trial"].dropna()
    beyond = (tuned > MOST_REGRET).sum()
    sentence = control_sections(scores, {})[1].sentences[0]
    assert f"misses ({len(missed)}), {len(tuned)} are of agents that were tuned" in sentence
    assert f"in {beyond} of these cases no trial is at most" in sentence
    assert f"{len(tuned)} are of agents that were tuned in the control" in README
    assert f"in {beyond} of these cases none of its ten trials" in README


def test_nothing_is_said_of_trials_where_there_are_none() -> None:
    scores = with_best_trials(kept_rows("sanity"))
    assert scores.loc[~scores["verdict"].isin(APPLICABLE), "best_trial"].isna().all()
    _, section, _ = control_sections(scores[scores["agent"] == "amortised"], {})
    assert section.sentences == []
    assert "best trial" not in section.tables[0].frame


def test_the_readme_has_the_verdicts_of_the_kept_cells() -> None:
    counts = kept_rows("matrix")["verdict"].value_counts()
    agree, disagree, undecided = (
        counts.get(name, 0) for name in ("agrees", "disagrees", "undecided")
    )
    predictions = f"{agree + disagree + undecided} predictions of 0 and 1 in the matrix"
    assert f"{predictions} that an agent here can test were measured again" in README
    assert f"{agree} agree, {disagree} disagree and {undecided} are undecided" in README


def test_the_results_of_an_agent_replace_its_own_and_stand_beside_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def done(agents: list[str], seeds: int) -> pd.DataFrame:
        monkeypatch.setattr("dosuite.eval.claims.kept.SANITY_SEEDS", seeds)
        monkeypatch.setattr("dosuite.eval.claims.kept.SANITY_BUDGETS", {100})
        folder = tmp_path / str(seeds)
        runs = control_runs(["IceCream"], agents, seeds, 100, 100)
        file = keep("sanity", _ran(runs, folder), tmp_path)
        return pd.read_csv(file, keep_default_na=False)

    first = done(["maximin", "adjust-all"], 2)
    assert set(first["seeds"]) == {2}
    second = done(["maximin"], 3)
    assert dict(zip(second["agent"], second["seeds"], strict=True)) == {
        "adjust-all": 2,
        "maximin": 3,
    }
    assert set(second["mark"]) == {mark_of("adjust-all"), mark_of("maximin")}
    scores = control_scores(pd.read_parquet(tmp_path / "3" / "results.parquet"))
    assert second.set_index("agent").loc["maximin", "iqm"] == pytest.approx(scores["iqm"][0])


def test_the_trials_of_an_agent_replace_all_of_its_own(tmp_path: Path) -> None:
    def settings(agent: str, trials: int) -> dict[str, int]:
        folder = tmp_path / f"{agent}-{trials}"
        runs = tuning_runs(["IceCream"], [agent], trials, 1, 100, 100)
        kept = pd.read_csv(keep("tune", _ran(runs, folder), tmp_path), keep_default_na=False)
        return {str(name): len(set(part)) for name, part in kept.groupby("agent")["settings"]}

    assert settings("thompson", 1) == {"thompson": 1}
    assert settings("bc", 3) == {"bc": 3, "thompson": 1}
    assert settings("bc", 2) == {"bc": 2, "thompson": 1}


def _ran(runs: list[Run], folder: Path) -> Path:
    execute(runs, folder, 1, quiet=True).to_parquet(folder / "results.parquet")
    return folder


def test_a_mark_is_of_all_settings() -> None:
    assert mark_of("bc") == mark_of("bc:batch=1024")
    assert mark_of("bc") != mark_of("bc:batch=512")


def test_a_folder_without_results_or_with_others_is_refused(tmp_path: Path) -> None:
    assert "no results.parquet" in refused(lambda: keep("sanity", tmp_path, tmp_path))
    assert not list(tmp_path.iterdir())
    few = _ran(control_runs(["IceCream"], ["maximin"], 1, 100, 100), tmp_path / "few")
    assert "default size" in refused(lambda: keep("sanity", few, tmp_path))
    assert "no cell" in refused(lambda: keep("matrix", few, tmp_path))
    confounded = _ran([Run("IceCreamShorts-v0", "bc", "observe", 50, 0)], tmp_path / "other")
    assert "controls" in refused(lambda: keep("sanity", confounded, tmp_path))
    assert "controls" in refused(lambda: keep("tune", confounded, tmp_path))
    assert not list(tmp_path.glob("*.csv"))


def test_what_is_not_kept_is_named() -> None:
    assert "no results of typo in the package; there are" in refused(
        lambda: kept_rows("sanity", ["cql", "typo"])
    )
    assert "no family" in refused(lambda: kept_rows("sanity", ["cql"], ["nowhere"]))


def test_an_agent_that_is_gone_or_has_changed_is_said() -> None:
    frame = pd.DataFrame({"agent": ["gone", "bc", "naive"], "date": "2026-01-01"})
    marks = ["0", mark_of("bc:batch=3"), mark_of("naive")]
    assert about(frame.assign(mark=marks)).endswith("settings of gone, bc have changed since.")


def test_what_two_notes_share_is_said_once() -> None:
    notes = ["practised 64 steps", "practised 64 steps; has not converged", ""]
    assert summary(pd.Series(notes[:2])) == "practised 64 steps; has not converged"
    assert summary(pd.Series([notes[0], ""])) == "practised 64 steps"
    assert summary(pd.Series([*notes, ""])) == ""  # the most frequent of three
