"""Learning curves: their rows, their figure in the report, and the files of trackers."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from commands import Call

from dosuite.eval.reports import trackers
from dosuite.eval.reports.learning_curves import curves, curves_figure, curves_section
from dosuite.eval.reports.trackers import log_curves, run_name

COMMAND = ("run", "IceCreamShorts-v0", "--seeds", 1, "--offline-budget", 64, "--workers", 1)
DQN = "dqn:points=2,updates=8,batch=8,hidden=4@observe"


def row(agent: str, regime: str, seed: int, budget: int, **columns: Any) -> dict[str, Any]:
    head = {"environment": "W-v0", "member": "", "variant": "", "world": "", "status": "ok"}
    how = {"agent": agent, "regime": regime, "seed": seed, "budget": budget, "needs": ""}
    reference = {"j_causal": 3.0, "j_uniform": 1.0, "j_confused": 0.0, "j_worst": 0.0}
    return {**head, **how, **reference, "run": f"{agent}{seed}", "kappa": np.nan, **columns}


ROWS = pd.DataFrame(
    [
        row("ppo", "intervene", 0, 64, value=3.0, value_at_0=1.0, value_at_32=2.0),
        row("ppo", "intervene", 1, 64, value=2.0, value_at_0=1.0, value_at_32=1.0),
        row("dqn", "observe", 0, 500, value=0.0, kappa=1.0, value_at_0=1.0, value_at_4=0.0)
        | {"kappa_at_0": 0.2, "kappa_at_4": 0.9},
        row("bc", "observe", 0, 500, value=0.0),
    ]
)


def test_a_curve_goes_from_before_the_training_to_its_end() -> None:
    found = curves(ROWS)
    assert set(found["agent"]) == {"ppo", "dqn"}
    ppo = found[(found["agent"] == "ppo") & (found["seed"] == 0)]
    assert list(ppo["step"]) == [0, 32, 64]
    assert list(ppo["share"]) == [0.0, 0.5, 1.0]
    assert list(ppo["score"]) == [0.0, 0.5, 1.0]
    dqn = found[found["agent"] == "dqn"]
    assert list(dqn["step"]) == [0, 4, 8]  # updates, not rows of the log
    assert list(dqn["kappa"]) == [0.2, 0.9, 1.0]


def test_a_rollout_beyond_the_budget_is_one_point() -> None:
    beyond = row("ppo", "intervene", 0, 50, value=2.0, value_at_0=1.0, value_at_64=2.0)
    assert list(curves(pd.DataFrame([beyond]))["step"]) == [0, 64]


def test_the_figure_has_the_means_of_the_seeds() -> None:
    score, kappa = curves_figure(curves(ROWS)).axes
    drawn = [list(np.asarray(line.get_ydata(), float)) for line in score.lines]
    assert [0.0, 0.25, 0.75] in drawn
    assert [0.2, 0.9, 1.0] in [list(np.asarray(line.get_ydata(), float)) for line in kappa.lines]
    assert curves_section(curves(ROWS[ROWS["agent"] == "bc"])) is None


def test_runs_of_a_tracker_have_different_and_harmless_names() -> None:
    found = curves(ROWS)
    names = {run_name(run.iloc[0]) for _, run in found.groupby("run")}
    assert len(names) == 3
    assert "W-v0/ppo@intervene_64/seed_1" in names
    own = run_name({**ROWS.iloc[0], "agent": "../a.py:My Agent"})
    assert own == "W-v0/a.py_My_Agent@intervene_64/seed_0"


def test_a_tracker_that_is_missing_or_has_nothing_to_show(
    dosuite: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, errors = dosuite(*COMMAND, "--agent", DQN, "--log-to", "tensorbord")
    assert "did you mean 'tensorboard'" in errors
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    _, _, errors = dosuite(*COMMAND, "--agent", DQN, "--log-to", "tensorboard")
    assert "pip install 'dosuite[tensorboard]'" in errors
    monkeypatch.setattr(trackers, "find_spec", lambda name: object())
    _, _, errors = dosuite(*COMMAND, "--agent", "bc", "--log-to", "wandb")
    assert "dqn:points=7" in errors
    assert not Path("results").exists()


@pytest.mark.long
def test_the_report_shows_the_curves(dosuite: Call) -> None:
    code, _, errors = dosuite(*COMMAND, "--agent", DQN)
    assert code == 0, errors
    assert "How do they learn?" in Path("results/report.html").read_text()
    assert Path("results/figures/learning_curves.png").read_bytes()[1:4] == b"PNG"
    table = pd.read_csv("results/tables/learning_curves.csv")
    assert list(table["step"]) == [0, 2, 4, 8] * 2  # in the world and in its twin


@pytest.mark.filterwarnings("ignore")  # of libraries that are no dependency
def test_tensorboard_reads_the_curves(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = curves(ROWS)
    for _ in range(2):  # a second time, nothing is there twice
        place = log_curves(found, tmp_path, "tensorboard")
    assert len(list(place.rglob("events*"))) == 3
    read = EventAccumulator(str(place / "W-v0/dqn@observe_500/seed_0")).Reload()
    assert set(read.Tags()["scalars"]) == {"value", "score", "kappa"}
    kappas = [(event.step, round(event.value, 6)) for event in read.Scalars("kappa")]
    assert kappas == [(0, 0.2), (4, 0.9), (8, 1.0)]


@pytest.mark.filterwarnings("ignore")  # of libraries that are no dependency
def test_wandb_keeps_the_curves_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("wandb", reason="the extra wandb is not installed")
    monkeypatch.delenv("WANDB_MODE", raising=False)
    found = curves(ROWS)
    dqn = found[found["agent"] == "dqn"]
    for _ in range(2):  # a second time, nothing is there twice
        place = log_curves(dqn, tmp_path, "wandb")
    assert capsys.readouterr() == ("", "")
    (file,) = place.rglob("*.wandb")
    first, *history = records_of_wandb(file)
    assert first["name"] == "W-v0/dqn@observe_500/seed_0"
    assert history == [
        {"_step": 0, "value": 1.0, "score": 0.0, "kappa": 0.2},
        {"_step": 4, "value": 0.0, "score": -0.5, "kappa": 0.9},
        {"_step": 8, "value": 0.0, "score": -0.5, "kappa": 1.0},
    ]


def records_of_wandb(file: Path) -> Iterator[dict[str, Any]]:
    """The name of the run in a file of wandb, and its scalars by step."""
    protocol = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    for block in blocks_of_wandb(file.read_bytes()):
        record = protocol.Record()
        record.ParseFromString(block)
        if record.HasField("run"):
            yield {"name": record.run.display_name}
        if record.HasField("history"):
            items = record.history.item
            read = {item.key or item.nested_key[0]: json.loads(item.value_json) for item in items}
            yield {name: read[name] for name in ("_step", "value", "score", "kappa")}


def blocks_of_wandb(content: bytes) -> Iterator[bytes]:
    """The records of a file of wandb: LevelDB's format of logs, behind 7 bytes."""
    at, record = 7, b""
    while at + 7 <= len(content):
        left = 32768 - at % 32768
        if left < 7:
            at += left  # no header fits in the rest of a block
            continue
        size, kind = struct.unpack("<HB", content[at + 4 : at + 7])
        record += content[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # a whole record, or the last part of one
            yield record
            record = b""
