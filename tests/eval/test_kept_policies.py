"""A run keeps its policy in a file, except for references and classes that no file can keep."""

from pathlib import Path

from dosuite.agents import load_policy
from dosuite.envs import all_observations, make_model
from dosuite.eval import Run
from dosuite.eval.runs.kept_policies import policy_path
from dosuite.eval.runs.suite import execute

ICE = "IceCreamShorts-v0"
USER = """
from dataclasses import dataclass
from dosuite.agents.agent import OfflineAgent
from dosuite.agents import Policy
import numpy as np


class First(Policy):
    def probabilities(self, observations):
        return np.eye(2)[np.zeros(len(observations), int)]


@dataclass(frozen=True)
class Mine(OfflineAgent):
    def learn_from(self, source, rng):
        return First()
"""


def test_a_kept_policy_earns_what_its_row_says(tmp_path: Path) -> None:
    runs = [Run(ICE, "naive", "observe", 100, 0, variant) for variant in ("", "twin")]
    reference = Run(ICE, "causal", "exact", 1, 0)
    execute([*runs, reference], tmp_path, 1, quiet=True, policies=True)
    one, twin = (policy_path(tmp_path, run.key) for run in runs)
    assert one.read_bytes() == twin.read_bytes()  # they learned once
    assert not policy_path(tmp_path, reference.key).exists()
    run = Run(ICE, str(one), "given", 1, 0)
    learned, given = ([row["value"] for row in each.rows()] for each in (runs[0], run))
    assert learned == given
    assert load_policy(one).probabilities(all_observations(make_model(ICE))).shape == (1, 2)


def test_without_policies_none_is_kept(tmp_path: Path) -> None:
    execute([Run(ICE, "naive", "observe", 100, 0)], tmp_path, 1, quiet=True)
    assert not (tmp_path / "policies").exists()


def test_a_policy_of_a_users_class_does_not_fail_its_run(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(USER)
    run = Run(ICE, f"{path}:Mine", "observe", 10, 0)
    rows = execute([run], tmp_path, 1, quiet=True, policies=True)
    assert set(rows["status"]) == {"ok"}
    assert not policy_path(tmp_path, run.key).exists()
