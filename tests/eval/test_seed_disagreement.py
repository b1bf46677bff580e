"""The report of what depends on the seed alone, on policies and returns that are made up."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dosuite.agents import TabularPolicy
from dosuite.envs import every_observation, make_model
from dosuite.eval import Run
from dosuite.eval.reports import report
from dosuite.eval.reports.page import Section
from dosuite.eval.reports.path_tables import DEFINITIONS, FEWEST_SEEDS, TITLE, paths_section
from dosuite.eval.runs.disagreement import disagreement
from dosuite.eval.runs.kept_policies import keep_policy, policy_path

WORLD = "SimpsonClinic-Sighted-v0"
SEEDS = FEWEST_SEEDS
# Ten seeds of each of two policies: two different seeds are of different ones with probability
APART = 10 * 10 / (20 * 19 / 2)


def policies(contexts: tuple[int, ...]) -> list[TabularPolicy]:
    """Policies of two kinds, which disagree in these contexts of the two."""
    over = every_observation(make_model(WORLD))
    one = np.eye(2)[[0, 0]]
    other = one.copy()
    other[list(contexts)] = [0.0, 1.0]
    return [TabularPolicy(other if seed % 2 else one, over) for seed in range(SEEDS)]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Twenty seeds whose returns are of two kinds in the deployment, and all differ in shifts."""
    real = pd.DataFrame(Run(WORLD, "naive", "observe", 100, 0).rows())
    parts = [real.assign(seed=seed, run=f"run{seed}") for seed in range(SEEDS)]
    found = pd.concat(parts, ignore_index=True)
    spread = np.where(found["world"] == "", found["seed"] % 2, found["seed"] / SEEDS)
    return found.assign(value=spread)


def keep(folder: Path) -> None:
    policy_path(folder, "").parent.mkdir()
    for seed, policy in enumerate(policies((1,))):
        keep_policy(policy, folder, f"run{seed}")


def test_disagreement_counts_where_contexts_occur() -> None:
    model = make_model(WORLD)
    share = {name: model.shifted(name).sample(20_000, 0) for name in model.shifts()}
    often = [column[model.contexts[0]].mean() for column in share.values()]
    found = disagreement(model, policies((1,)))
    logged = model.sample(20_000, 0)[model.contexts[0]].mean()
    assert found.in_distribution == pytest.approx(APART * logged, abs=0.01)
    assert found.shifted == pytest.approx(APART * np.mean(often), abs=0.01)
    everywhere = disagreement(model, policies((0, 1)))
    assert everywhere == pytest.approx((APART, APART))
    assert disagreement(model, policies(())) == (0, 0)


def test_the_section_is_of_kept_policies_and_rows(rows: pd.DataFrame, tmp_path: Path) -> None:
    keep(tmp_path)
    section = paths_section(rows, tmp_path)
    assert section is not None
    [shown] = section.tables[0].frame.to_dict("records")
    found = disagreement(make_model(WORLD), policies((1,)))
    assert (shown["environment"], shown["seeds"]) == (WORLD, str(SEEDS))
    assert float(shown["FD"]) == pytest.approx(found.in_distribution, abs=6e-4)
    assert float(shown["PD"]) == pytest.approx(found.shifted / found.in_distribution, abs=6e-4)
    assert float(shown["SD"]) == pytest.approx(0.513, abs=6e-4)  # sqrt(20 / 19) / 2
    assert float(shown["Sarle"]) > 0.7  # 1 for ever more seeds
    assert shown["bimodal"] == "deployment"  # in the shifts returns are spread evenly


def test_the_page_has_the_section_and_the_definitions(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def titles(_: object, __: object, last: list[Section], ___: object) -> dict[str, bytes]:
        return {"report.html": repr([section.title for section in last]).encode()}

    monkeypatch.setattr(report, "_render", titles)  # without its figures
    assert TITLE in report.write_report(rows, tmp_path).read_text()
    assert set(DEFINITIONS) <= set(report.definitions())


def test_what_was_not_kept_is_unknown_and_too_few_seeds_are_not_shown(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    section = paths_section(rows, tmp_path)
    assert section is not None
    [shown] = section.tables[0].frame.to_dict("records")
    assert (shown["FD"], shown["PD"], shown["bimodal"]) == ("n/a", "n/a", "deployment")
    assert paths_section(rows[rows["seed"] < SEEDS - 1], tmp_path) is None
    keep(tmp_path)
    policy_path(tmp_path, "run3").write_bytes(b"damaged")
    again = paths_section(rows, tmp_path)
    assert again is not None
    assert again.tables[0].frame["FD"][0] == "n/a"
