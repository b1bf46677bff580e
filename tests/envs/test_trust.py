"""Files that run code when they are opened are refused unless they are trusted."""

from pathlib import Path

import pytest

from dosuite.agents import make_agent
from dosuite.causal import InputError
from dosuite.envs import CausalEnv, make_model
from dosuite.envs.trust import is_trusting, set_trust
from dosuite.eval import score

MARK = "from pathlib import Path\nPath({!r}).write_text('it ran')\n"
WORLD = """
from dosuite.causal import Bernoulli, Exactly, World, action, reward

class Coin(World):
    @action
    def side(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def won(self, side) -> Exactly:
        return Exactly(side)
"""
POLICY = "def choose(observations):\n    return [0] * len(observations)\n"
ICE = "IceCreamShorts-v0"


@pytest.fixture(autouse=True)
def _untrusting() -> None:
    set_trust(False)


def marking(path: Path, text: str) -> str:
    """Write a Python file that leaves a mark beside it when it runs; the path."""
    path.write_text(MARK.format(str(path.with_suffix(".mark"))) + text)
    return str(path)


def test_a_python_file_runs_only_if_it_is_trusted(tmp_path: Path) -> None:
    world = marking(tmp_path / "world.py", WORLD)
    policy = marking(tmp_path / "policy.py", POLICY)
    attempts = (
        lambda: make_model(world),
        lambda: CausalEnv(world),
        lambda: make_agent(f"{policy}:choose"),
        lambda: make_agent(policy),
        lambda: score(ICE, f"{policy}:choose"),
        lambda: score(world, lambda observations: 0),
    )
    for attempt in attempts:
        with pytest.raises(InputError, match=r"is a Python file, which is run .*trust=True"):
            attempt()
    assert not list(tmp_path.glob("*.mark"))
    assert score(ICE, f"{policy}:choose", trust=True)["value"][0] == pytest.approx(0.475)
    assert make_model(world, trust=True).horizon == 1
    assert CausalEnv(world, trust=True).action_space.n == 2
    assert make_agent(f"{policy}:choose", trust=True).learns == ("given",)
    assert not is_trusting()


def test_what_was_once_trusted_is_asked_again(tmp_path: Path) -> None:
    policy = marking(tmp_path / "policy.py", POLICY)
    score(ICE, f"{policy}:choose", trust=True)
    with pytest.raises(InputError, match="--trust"):
        score(ICE, f"{policy}:choose")


def test_a_zip_is_not_unpickled_unless_it_is_trusted(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(b"")
    for attempt in (lambda: make_agent(str(path)), lambda: score(ICE, path)):
        with pytest.raises(InputError, match=r"model\.zip is a zip that is unpickled"):
            attempt()
    with pytest.raises(InputError, match="not a model"):
        score(ICE, path, trust=True)
