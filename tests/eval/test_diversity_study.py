"""The criterion of the study of domains, on small tables in which it holds and fails."""

import numpy as np
import pandas as pd
import pytest

from dosuite.envs import make_model
from dosuite.eval.studies import diversity
from dosuite.eval.studies.verdicts import Word

SHARES = (0.0, 0.025, 0.6, 0.65, 0.7, 0.75, 0.8)


def flipping(at: float, predicted: float, control: float = 0.0, seeds: int = 6) -> pd.DataFrame:
    """Seeds that are right from a share on, and their regret on the control."""
    head = {"where": "W", "learner": "naive", "domains": 8, "ranges": "common"}
    lines = [
        head
        | {"variant": "", "seed": seed, "share": share, "right": int(share >= at + 0.01 * seed)}
        | {"regret": 0.0, "predicted": predicted}
        for seed in range(seeds)
        for share in SHARES
    ]
    lines += [
        head
        | {"variant": "control", "seed": seed, "share": 0.0, "right": 1}
        | {"regret": control, "predicted": predicted}
        for seed in range(seeds)
    ]
    return pd.DataFrame(lines)


@pytest.mark.parametrize(
    ("rows", "word", "reason"),
    [
        (flipping(0.67, 0.706), Word.SUPPORTS, "the flip is at 0.706"),
        (flipping(0.62, 0.706), Word.AGAINST, "the flip is at 0.706"),
        (flipping(0.76, 0.706), Word.AGAINST, "the flip is at 0.706"),
        (flipping(-0.03, 0.0), Word.SUPPORTS, "the flip is at 0.000"),
        (flipping(0.9, 1.0), Word.NO_VERDICT, "leave it open"),
        (flipping(0.9, 0.706), Word.AGAINST, "the flip is at 0.706"),
        (flipping(0.3, 0.5), Word.NO_VERDICT, "leave it open"),
        (flipping(0.67, 0.706, control=0.5), Word.NO_VERDICT, "Learner untrained"),
        (flipping(0.67, 0.706, seeds=2), Word.NO_VERDICT, "too few seeds"),
    ],
)
def test_the_criterion_of_diversity(rows: pd.DataFrame, word: Word, reason: str) -> None:
    (said,) = diversity.STUDY.findings(rows)
    assert said.word is word
    assert reason in said.reason


def test_diversity_writes_its_paragraph_from_the_numbers_and_draws_them() -> None:
    rows = flipping(0.67, 0.706)
    text = diversity.STUDY.paragraph(rows)
    assert "[0.65, 0.75] with 8 domains (common), computed 0.706" in text
    assert diversity.STUDY.figure(rows).axes[0].get_xlabel() == "domains"


def test_the_flip_of_noisy_seeds_is_where_half_of_them_are_right() -> None:
    rng = np.random.default_rng(0)
    shares = np.linspace(0, 1, 21)[:-1]
    right = (shares + 0.05 * rng.normal(size=(40, 20)) > 0.5).astype(float)
    at, low, high = diversity.flip(shares, right)
    assert low <= 0.5 <= high
    assert at == pytest.approx(0.5, abs=0.03)
    assert high - low <= 0.1 + 1e-9


def test_domains_do_not_move_the_pooled_threshold_and_decide_the_labelled_one() -> None:
    ice = "IceCreamShorts-v0"
    many = diversity.with_domains(ice, 64, "disjoint")
    exact = 12 / 17  # 1 - .2 / (.85 * .8)
    assert diversity.predicted(ice, "naive") == pytest.approx(exact, abs=1e-6)
    assert diversity.predicted(many, "naive") == pytest.approx(exact, abs=1e-6)
    # E[pay | a] is .135 for 0, and with experiments .275 for 1; with domains 1 is worse somewhere
    assert diversity.worst_domain_threshold(make_model(ice)) == diversity.NEVER
    assert diversity.worst_domain_threshold(make_model(many)) == 0.0
