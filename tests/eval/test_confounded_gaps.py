"""The gaps of the confounded classics, their standard logs, and what the commands print of them."""

from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from refusals import refused
from typer.testing import CliRunner

from dosuite.envs import CLASSICS, Log, from_minari, load_latents
from dosuite.eval.claims import kept_gaps as keeping
from dosuite.eval.claims import standard_logs
from dosuite.eval.claims.confounded_gaps import measured_gap
from dosuite.eval.claims.kept_gaps import kept_gaps, write_gaps
from dosuite.eval.claims.standard_logs import standard_log, with_propensity, written
from dosuite.eval.cli.main import app

NAME = "ConfoundedCartPole-v0"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """CartPole with little to learn from."""
    recipe = replace(CLASSICS[NAME], rows=150, learner="cql:updates=20,batch=32", steps=30)
    monkeypatch.setitem(CLASSICS, NAME, recipe)


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("small")
def test_a_gap_is_that_of_its_policies_and_is_measured_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gap = measured_gap(NAME, 1.0, seeds=2, episodes=2)
    assert gap == measured_gap(NAME, 1.0, seeds=2, episodes=2)
    assert gap.gap == pytest.approx(gap.experimental - gap.confounded)
    assert gap.low <= gap.gap <= gap.high
    assert 1 <= gap.expert <= 30
    monkeypatch.setattr(keeping, "FILE", tmp_path / "gaps.csv")
    write_gaps([gap, replace(gap, strength=0.0)])
    write_gaps([replace(gap, seeds=3)])
    assert [(kept.strength, kept.seeds) for kept in kept_gaps()] == [(1.0, 3), (0.0, 2)]
    assert kept_gaps()[0].gap == pytest.approx(gap.gap, rel=1e-5)


def test_the_kept_gaps_are_those_of_the_recipes_and_vanish_at_strength_0() -> None:
    for gap in kept_gaps():
        recipe = CLASSICS[gap.environment]
        assert (gap.learner, gap.rows) == (recipe.learner, recipe.rows)
        assert gap.strength or gap.low <= 0 <= gap.high


def test_show_and_list_print_the_kept_gaps() -> None:
    listed = printed("list")
    for gap in kept_gaps():
        if gap.strength == 1:
            assert (gap.environment in listed) == gap.is_significant
            assert f"{gap.gap:.1f}" in printed("show", gap.environment)
    result = CliRunner().invoke(app, ["show", NAME, "--variant", "twin"])
    assert result.exit_code == 2
    assert "has no model" in result.output


@pytest.mark.usefixtures("small")
def test_a_standard_log_is_written_from_its_seed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    lines = list(written(tmp_path, [NAME], 3, minari=True))
    assert len(lines) == 2
    for line, regime in zip(lines, ("observe", "intervene"), strict=True):
        log = standard_log(NAME, regime, 3)
        name = f"ConfoundedCartPole-{regime}-v0"
        assert log.content_hash in line
        assert Log.load(tmp_path / f"{name}.arrow").content_hash == log.content_hash
        assert len(load_latents(tmp_path / f"{name}.arrow")["driver"]) == len(log)
        assert from_minari(f"dosuite/{name}").content_hash == log.content_hash
    import minari

    data = minari.load_dataset("dosuite/ConfoundedCartPole-observe-v0")
    assert data.recover_environment().reset(seed=0)[0].shape == (4,)
    assert "did you mean" in refused(lambda: standard_log(f"{NAME}1", "observe", 0))


@pytest.mark.usefixtures("small")
def test_an_unknown_propensity_is_estimated_by_a_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standard_logs, "CLONE", "bc:updates=60,batch=64,rate=0.01")
    log = standard_log(NAME, "observe", 0)
    assert log.origin["propensity"] == "exact"
    columns = {**log.columns, "propensity": np.full(len(log), np.nan)}
    estimated = with_propensity(replace(log, columns=columns))
    assert str(estimated.origin["propensity"]).startswith("estimated")
    assert np.abs(estimated["propensity"] - log["propensity"]).mean() < 0.2


def test_gymnasium_makes_the_classics() -> None:
    env = gymnasium.make(f"dosuite.envs:{NAME}", strength=0.5)
    assert env.reset(seed=0)[1] == {}
    assert env.spec is not None
    assert gymnasium.make(env.spec).reset(seed=0)[1] == {}
    assert gymnasium.make_vec(NAME, 2, vectorization_mode="sync").reset(seed=0)[0].shape == (2, 4)
