"""An agent whose `learn` returns no policy fails in one line that says so."""

from pathlib import Path

from dosuite.eval import Run

AGENT = """from dataclasses import dataclass

from dosuite.agents.agent import OfflineAgent


@dataclass(frozen=True)
class Naive(OfflineAgent):
    def learn_from(self, source, rng):
        return lambda o: [0] * len(o)
"""


def test_learn_must_return_a_policy(tmp_path: Path) -> None:
    path = tmp_path / "ag.py"
    path.write_text(AGENT)
    (row,) = Run("IceCreamShorts-v0", f"{path}:Naive", "observe", 10, 0).rows()
    assert row["status"] == "failed"
    assert row["note"].startswith("learn must return a Policy, and that of ")
    assert row["note"].endswith("returned a function")
