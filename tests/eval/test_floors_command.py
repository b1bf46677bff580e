"""`dosuite floors`: the table of pairs, and the check that no static agent exceeds a floor."""

import sys

import numpy as np
import pytest

from dosuite.causal import floor, frontier
from dosuite.envs import make_model
from dosuite.eval.claims import floors as claims
from dosuite.eval.cli.main import main

ICE = "IceCreamShorts-v0"
TABLE = """\
               best in other    floor   regret    error         rows
IceCreamShorts-v0
  twin       0.4750   0.6150   0.4450   0.1000   0.1700  exact     6
  hedge      0.4750   0.7075   0.4913   0.1000   0.2163  exact     4
CopycatCar-v0
  twin     none: none is declared, and none is computed for several steps
  hedge    none: CopycatCar.shove is continuous, and exact answers need finitely
           many values
"""


def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["dosuite", "floors", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0), capsys.readouterr().out


def test_the_table_holds_every_pair_or_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = call(monkeypatch, capsys, ICE, "CopycatCar-v0")
    assert (code, text) == (0, TABLE)


@pytest.mark.parametrize("kind", claims.KINDS)
def test_the_rows_close_half_of_the_gap(kind: str) -> None:
    pair = claims.pair_floor(ICE, kind)
    world, other = make_model(ICE), make_model(ICE, variant=kind)
    curve = frontier(world, other, most=10)
    half = (floor(world, other).value + np.mean(pair.best)) / 2
    assert curve.low[int(pair.rows)] >= half - 1e-12
    assert curve.high[int(pair.rows) - 1] < half


def test_a_check_counts_the_scores(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = {"naive": claims.KINDS, "back-door": ("hedge",)}
    monkeypatch.setattr(claims, "_static_agents", lambda text: kinds)
    code, text = call(monkeypatch, capsys, ICE, "--check", "--seeds", "2", "--rows", "50")
    assert code == 0
    assert text.startswith("6 scores of 2 agents in 2 pairs: 0 above the floor; the nearest")


def test_a_check_fails_if_a_score_is_above_the_floor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(claims, "_static_agents", lambda text: {"naive": ("twin",)})
    told = {"pair_value": 0.5, "pair_std_error": 0.0, "floor": 0.445}
    monkeypatch.setattr(claims, "pair_columns", lambda pair, policy: told)
    code, text = call(monkeypatch, capsys, ICE, "--check", "--seeds", "1", "--rows", "50")
    assert code == 1
    assert "IceCreamShorts-v0 twin naive seed 0: leak: it earns 0.5000 on average" in text
