"""The criterion of the study of paths, on small tables in which it holds and fails."""

import numpy as np
import pandas as pd
import pytest

from dosuite.agents import TabularPolicy
from dosuite.envs import make_model
from dosuite.eval.scores.path_dependence import functional_disagreement
from dosuite.eval.studies import paths
from dosuite.eval.studies.verdicts import Word

SEEDS = 30


def disagreeing(kind: str, shift: float, log: float = 0.05, distance: float = 0.02) -> pd.DataFrame:
    """Seeds that take action 1 in a share of contexts, so that they disagree as much as asked."""
    rng = np.random.default_rng(0)
    lines = []
    for source in paths.SOURCES:
        head = {"where": "W", "kind": kind, "learner": "dqn", "source": source}
        columns: dict[str, np.ndarray] = {}
        for name, wanted in (("log", log), ("shift", shift)):
            # two actions of probability p disagree with probability 2 p (1 - p)
            p = (1 - np.sqrt(1 - 2 * wanted)) / 2
            act = (rng.random((SEEDS, 200)) < p).astype(float)
            policies = np.stack([1 - act, act], -1)
            columns |= paths._disagreements(name, policies, np.ones(200))
        own = {"value": np.linspace(0, 1, SEEDS), "distance": np.full(SEEDS, distance)}
        lines.append(pd.DataFrame({**head, "seed": range(SEEDS), **own, **columns}))
    return pd.concat(lines, ignore_index=True)


@pytest.mark.parametrize(
    ("rows", "word", "reason"),
    [
        (disagreeing("unseen", 0.3), Word.SUPPORTS, "path dependence"),
        (disagreeing("unseen", 0.02), Word.AGAINST, "path dependence"),
        (disagreeing("unseen", 0.05), Word.NO_VERDICT, "leave it open"),
        (disagreeing("seen", 0.05), Word.SUPPORTS, "what the shift adds"),
        (disagreeing("seen", 0.3), Word.AGAINST, "what the shift adds"),
        (disagreeing("seen", 0.05, distance=0.4), Word.NO_VERDICT, "Learner untrained"),
    ],
)
def test_the_criterion_of_paths(rows: pd.DataFrame, word: Word, reason: str) -> None:
    (said,) = paths.STUDY.findings(rows)
    assert said.word is word
    assert reason in said.reason


def test_paths_writes_its_paragraph_from_the_numbers_and_draws_them() -> None:
    rows = disagreeing("unseen", 0.3)
    rows["value"] = np.repeat([[0.0, 1.0]], len(rows) // 2, axis=0).ravel()
    text = paths.STUDY.paragraph(rows)
    assert "two seeds of dqn disagree by 0.0" in text
    assert "bimodal" in text
    assert paths.STUDY.figure(rows).axes[0].get_ylabel() == "disagreement of two seeds"


def test_the_contexts_of_a_shift_are_as_frequent_as_they_are_there() -> None:
    world = make_model(paths.COIN.world)
    log, there = paths.frequencies(world), paths.frequencies(world.deployed())
    assert there[log == 0].sum() / there.sum() > 0.5  # the coin lies where it never lay
    observations, weights = paths.shown(world, log)
    assert len(observations) == len(weights)
    # two policies that differ where the log never is
    tables = np.zeros((2, len(log), 4))
    tables[0, :, 0] = tables[1, :, 0] = 1
    tables[1, log == 0] = [0, 1, 0, 0]
    policies = [TabularPolicy(table, observations) for table in tables]
    acts = np.stack([policy.probabilities(observations) for policy in policies])
    assert functional_disagreement(acts, weights) == 0
    assert functional_disagreement(acts, there) > 0.5
