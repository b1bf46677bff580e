"""The criteria of the studies of shifts and of identification, on small tables in which they hold
and fail."""

import numpy as np
import pandas as pd
import pytest

from dosuite.agents import TabularPolicy
from dosuite.causal import uniform_policy
from dosuite.envs import make_model, observation_space
from dosuite.eval.studies import identifiable, reversal
from dosuite.eval.studies.verdicts import Word


def shifted(static: float, causal: float, control: float) -> pd.DataFrame:
    """Regrets along a dial that exceed the analytic ones by so much, and that on the control."""
    rng = np.random.default_rng(0)
    lines = []
    for seed in range(4):
        head = {"where": "W", "seed": seed, "variant": ""}
        for at in (0.0, 0.5, 1.0):
            exact = {"static": 1 - at, "causal": 0.2 * at}
            for learner, excess in (("static", static), ("causal", causal)):
                analytic = exact[learner]
                regret = analytic + excess * at + 0.001 * rng.normal()
                lines.append(
                    head
                    | {"learner": learner, "dial": "heat", "at": at}
                    | {"regret": regret, "analytic": analytic}
                )
        of_control = {"variant": "control", "learner": "static", "dial": "", "at": np.nan}
        lines.append(head | of_control | {"regret": control, "analytic": 0.0})
    return pd.DataFrame(lines)


@pytest.mark.parametrize(
    ("rows", "word", "reason"),
    [
        (shifted(0.0, 0.0, 0.0), Word.SUPPORTS, "3 more clauses"),
        (shifted(-0.3, 0.0, 0.0), Word.AGAINST, "the static learner's excess at heat = 0.5"),
        (shifted(0.0, 0.3, 0.0), Word.AGAINST, "the causal learner's excess at heat = 0.5"),
        (shifted(0.0, 0.0, 0.3), Word.NO_VERDICT, "Learner untrained"),
    ],
)
def test_the_criterion_of_reversal(rows: pd.DataFrame, word: Word, reason: str) -> None:
    (said,) = reversal.STUDY.findings(rows)
    assert said.word is word
    assert reason in said.reason


def test_reversal_writes_its_paragraph_from_the_numbers_and_draws_them() -> None:
    rows = shifted(-0.3, 0.0, 0.0)
    text = reversal.STUDY.paragraph(rows)
    assert "over 3 shifts and points of dials" in text
    assert "at most 0.301 from the analytic one" in text
    assert reversal.STUDY.figure(rows).axes[0].get_xlabel() == "heat"
    head = reversal.STUDY.headline(rows)
    assert "In 3 shifts and points of dials of 1 world, the regret" in head
    assert "at most 0.301 from that of the confused policy" in head
    assert "practised is at most 0.00" in head


def told(did_unclear: str, utility: float, regret: float = 0.0) -> pd.DataFrame:
    """An agent in a world where acting is right, one where it is not, and a control."""
    worlds = [
        {"where": "A", "variant": "", "right": "act", "did": "act", "utility": utility},
        {"where": "B", "variant": "", "right": "experiment", "did": did_unclear, "utility": 0.0},
        {"where": "A", "variant": "control", "right": "act", "did": "act", "utility": 1.0},
    ]
    lines = [
        row | {"agent": "identify", "seed": seed, "regret": regret}
        for row in worlds
        for seed in range(4)
    ]
    return pd.DataFrame(lines)


@pytest.mark.parametrize(
    ("rows", "word", "reason"),
    [
        (told("abstain", 1.0), Word.SUPPORTS, "0 of 4"),
        (told("act", 1.0), Word.AGAINST, "4 of 4 do, as in B"),
        (told("", 1.0), Word.NO_VERDICT, "leave it open"),
        (told("abstain", 0.5), Word.AGAINST, "the utility"),
        (told("abstain", 1.0, regret=0.5), Word.NO_VERDICT, "Learner untrained"),
        (told("abstain", 1.0).query("where == 'A'"), Word.NO_VERDICT, "no worlds of one"),
    ],
)
def test_the_criterion_of_identifiable(rows: pd.DataFrame, word: Word, reason: str) -> None:
    (said,) = identifiable.STUDY.findings(rows)
    assert said.word is word
    assert reason in said.reason


def test_identifiable_writes_its_paragraph_from_the_numbers_and_draws_them() -> None:
    rows = told("act", 1.0)
    text = identifiable.STUDY.paragraph(rows)
    assert (
        "acts in 4 of 4 runs where it is right to act, 4 of 4 runs where it is right to exp" in text
    )
    assert identifiable.STUDY.figure(rows).axes[0].get_title(loc="left") == "identify"
    head = identifiable.STUDY.headline(rows)
    assert "act in 4 of 4 runs where worlds with the same log disagree" in head
    assert "act in 0 of 4 runs" in identifiable.STUDY.headline(told("abstain", 1.0))


@pytest.mark.parametrize(
    ("world", "right"),
    [
        ("IceCreamShorts-v0", "experiment"),
        ("NapkinClinic-v0", "act"),
        ("EncourageIV-v0", "do either"),
    ],
)
def test_what_is_right_is_read_off_the_certificate(world: str, right: str) -> None:
    assert identifiable.right_in(world, "") == right


def test_only_the_uniform_policy_abstains() -> None:
    model = make_model("IceCreamShorts-Thermo-v0")
    space, table = observation_space(model), uniform_policy(model)
    assert identifiable.did(model, TabularPolicy(table, space)) == "abstain"
    table = table.copy()
    table[1] = [0.4, 0.6]
    assert identifiable.did(model, TabularPolicy(table, space)) == "act"
