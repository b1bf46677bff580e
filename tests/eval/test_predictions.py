"""The predictions across families: their exact figures, and that a claim can fail."""

from pathlib import Path

import numpy as np
import pytest
from printed import printed

from dosuite.causal.exact import greedy
from dosuite.envs import make_model
from dosuite.eval.claims.agent_predictions import hidden_causes
from dosuite.eval.claims.data_predictions import MORE_SEEDS, SIZES, slope, slope_evidence
from dosuite.eval.claims.imitation_predictions import (
    clone_evidence,
    expert_evidence,
    experts,
    push_clones,
)
from dosuite.eval.claims.label_price import pooled_process, pooling_threshold
from dosuite.eval.claims.laboratory import ICE, Lab
from dosuite.eval.claims.predictions import PREDICTIONS
from dosuite.eval.cli.claims import MOST, predictions

FIGURES = {
    "EncourageIV-VitaminA-v0:hardy=0.0": ".027",
    "Door-v0": ".058",
    "EncourageIV-v0": ".195",
    "MBiasClinic-v0": ".413",
    "NapkinClinic-v0": ".80",
    "SimpsonClinic-v0": ".852",
    "TransportClinic-TwoLogs-v0": ".964",
    "ProxyClinic-v0": "1.2",
    "SelectionGate-v0": "1.46",
    "ConfoundedRiver-v0": "1.73",
    "GreedyCasino-v0:casino=Rigged": "2.0",
    "IceCreamShorts-v0": "2.4",
    "SlateExposure-v0": "6.29",
    "TarFrontdoor-v0": "16.8",
}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(seeds=2, recorded=20_000, practice=20_000, folder=tmp_path, workers=1)


@pytest.mark.parametrize("world", FIGURES)
def test_so_many_interventions_without_a_label_set_a_log_right(world: str) -> None:
    assert printed([pooling_threshold(make_model(world).deployed())], FIGURES[world])


@pytest.mark.parametrize("world", ["SimpsonClinic-v0", "SlateExposure-v0"])
def test_the_pooled_plan_turns_at_the_threshold(world: str) -> None:
    model = make_model(world)
    threshold = pooling_threshold(model)
    below, above = (
        greedy(pooled_process(model, times * threshold).plan()) for times in (0.999, 1.001)
    )
    assert not np.array_equal(below, model.causal_policy())
    assert np.array_equal(above, model.causal_policy())
    assert np.array_equal(greedy(pooled_process(model, 1e-6).plan()), model.confused_policy())


def test_where_the_log_is_right_no_interventions_are_needed() -> None:
    assert pooling_threshold(make_model("MediatorTrap-v0")) == 0.0


def test_a_slope_is_that_of_the_logarithms() -> None:
    errors = np.outer(np.array(SIZES, float) ** -0.5, [3.0, np.nan, -3.0])
    assert slope(SIZES, errors) == pytest.approx(-0.5)
    assert slope(SIZES, np.ones((len(SIZES), 2))) == pytest.approx(0.0)


def test_the_error_of_a_confused_learner_stays(lab: Lab) -> None:
    lab.seeds = 1
    found = slope_evidence(lab, ICE, "naive", "observe", 0.0)
    assert found.holds
    assert "bias 0.68" in found.numbers
    assert len(lab.runs) == len(SIZES) * MORE_SEEDS


def test_a_claim_holds_or_does_not(lab: Lab) -> None:
    assert lab.claim(ICE, "maximin", "0").holds
    assert not lab.claim(ICE, "maximin", "1").holds
    assert all(one.holds for one in hidden_causes(lab))


def test_better_experts_hurt_and_worse_ones_do_not() -> None:
    model = make_model("DelusionBox-v0:slip=0.05"), make_model("DelusionBox-v0:slip=0.2")
    assert not expert_evidence("DelusionBox-v0", dict(zip("ab", model, strict=True))).holds
    (box, tiger) = experts(None)  # type: ignore[arg-type]
    assert box.holds
    assert tiger.holds
    assert "bench_good 7.00 -6.50" in tiger.numbers


def test_the_better_clone_is_the_worse_driver() -> None:
    model = make_model("CorrelatedNoiseLQ-v0")
    clones = push_clones(model)  # type: ignore[arg-type]
    assert printed(clones.offline, "-3.35 -11.00")
    assert printed(clones.earned, "-79.65 -17.92")
    assert clone_evidence("", clones).holds
    assert not clone_evidence("", clones._replace(offline=clones.offline[::-1])).holds


def test_every_prediction_says_what_it_is() -> None:
    assert [prediction.number for prediction in PREDICTIONS] == list(range(1, MOST + 1))
    assert all(prediction.statement.endswith(".") for prediction in PREDICTIONS)
    assert PREDICTIONS[7].section([]).title.startswith("8. The better the expert")


def test_the_command_prints_and_writes_the_predictions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions(only=[5, 8], seeds=2, rows=4000, steps=1000, out=tmp_path, workers=1)
    text = capsys.readouterr().out
    assert text.count("It holds.") == 2
    assert (tmp_path / "predictions.html").exists()
    assert "## 5. Adjustment is not causality" in (tmp_path / "predictions.md").read_text()
