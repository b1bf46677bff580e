"""A user's file with a broken class, or one that does more than define classes."""

import subprocess
import sys
from pathlib import Path

import pytest
from refusals import refused

from dosuite.agents import make_agent
from dosuite.envs import make_model
from dosuite.envs.plugins import named_in_file

HEAD = """
from dataclasses import dataclass, field
from dosuite.agents import Agent
from dosuite.causal import SCM, Bernoulli, World, action, latent, reward
"""
GOOD = '''
class Good(World):
    """A world."""

    @action
    def act(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def gain(self, act) -> Bernoulli:
        return Bernoulli(0.2 + 0.5 * act)
'''
BROKEN = GOOD.replace("Good", "Broken").replace("0.2 + 0.5 * act", "2 + act")
TWO_ACTIONS = GOOD.replace("Good", "Twice").replace("@reward", "@action")
MUTABLE = """
@dataclass(frozen=True)
class Mutable(Agent):
    name = "mutable"
    learns = ("observe",)
    layers: list = []
"""
AGENT = """
@dataclass(frozen=True)
class Idle(Agent):
    name = "idle"
    learns = ("observe",)

    def learn_from(self, data, rng):
        return None
"""


def written(folder: Path, *parts: str) -> str:
    path = folder / "mine.py"
    path.write_text("".join([HEAD, *parts]))
    return str(path)


@pytest.mark.parametrize("parts", [(GOOD, BROKEN, TWO_ACTIONS), (BROKEN, TWO_ACTIONS, GOOD)])
def test_a_broken_class_does_not_hide_the_others(parts: tuple[str, ...], tmp_path: Path) -> None:
    file = written(tmp_path, *parts, MUTABLE, AGENT, "\nTHREE = 3\n")
    assert type(make_model(f"{file}:Good")).__name__ == "Good"
    assert make_agent(f"{file}:Idle").name == "idle"
    assert named_in_file(f"{file}:THREE") == 3
    for name, fault in (
        ("Broken", "Broken.gain: Bernoulli needs probabilities in [0, 1]"),
        ("Twice", "Twice has 2 variables marked @action"),
    ):
        assert f"{file}: {fault}" in refused(lambda name=name: make_model(f"{file}:{name}"))  # type: ignore[misc]
    assert "Mutable: ValueError: mutable default" in refused(lambda: make_agent(f"{file}:Mutable"))
    # Without a name the only good class is not taken for the one that is meant.
    assert "name one of them" in refused(lambda: make_model(file))
    assert "did you mean 'Broken'?" in refused(lambda: make_model(f"{file}:Broke"))


def test_a_class_that_is_built_on_a_broken_one_is_blamed_on_that(tmp_path: Path) -> None:
    child = "\nclass Child(Broken):\n    pass\n"
    file = written(tmp_path, BROKEN, child, "")
    assert "Broken.gain" in refused(lambda: make_model(f"{file}:Child"))
    file = written(tmp_path, BROKEN, "\nMODEL = Broken()\n")
    assert "Broken.gain" in refused(lambda: make_model(f"{file}:Good"))


def test_the_only_class_is_blamed_without_its_name(tmp_path: Path) -> None:
    assert "Broken.gain" in refused(lambda: make_model(written(tmp_path, BROKEN)))


MESSAGES = {
    "no class": ("", "", "has no World; define a subclass of World there"),
    "no class of this name": ("", ":Mine", "has no World named 'Mine'; define a subclass"),
    "an SCM": (GOOD.replace("(World)", "(SCM)"), "", "Good must subclass World"),
    "several": (GOOD + GOOD.replace("Good", "Better"), "", "several classes, Good, Better; name"),
    "exits": ("import sys\nsys.exit(3)\n", "", "exits when it is imported"),
    "quits": ("raise SystemExit\n", "", "exits when it is imported"),
    "asks": ("x = input('name? ')\n", "", "it reads its input when it is imported"),
    "reads": ("import sys\nx = sys.stdin.read()\n", "", "it reads its input"),
    "reads bytes": ("import sys\nx = sys.stdin.buffer.read()\n", "", "it reads its input"),
    "iterates": ("import sys\nx = list(sys.stdin)\n", "", "it reads its input"),
    "syntax": ("def f(:\n", "", "does not import: SyntaxError"),
    "return": ("return 3\n", "", "does not import: SyntaxError"),
    "NUL": ("x = 1\0\n", "", "does not import: "),
    "raises": ("1 / 0\n", "", "does not import: ZeroDivisionError: division by zero"),
}


@pytest.mark.parametrize(("text", "name", "message"), MESSAGES.values(), ids=MESSAGES)
def test_messages_say_what_to_do(text: str, name: str, message: str, tmp_path: Path) -> None:
    before = sys.stdin
    assert message in refused(lambda: make_model(written(tmp_path, text) + name))
    assert sys.stdin is before


def test_a_file_may_have_future_imports_and_a_docstring(tmp_path: Path) -> None:
    path = tmp_path / "later.py"
    text = '"""Mine."""\nfrom __future__ import annotations\n' + HEAD + GOOD
    path.write_text(text + "\ndef f(x: NoSuchName): ...\n")
    assert type(make_model(str(path))).__doc__ == "A world."


def test_a_file_that_asks_for_its_own_class_is_refused(tmp_path: Path) -> None:
    ask = "\nfrom dosuite.envs import make_model\nmodel = make_model(__file__ + ':Good')\n"
    file = written(tmp_path, GOOD, ask)
    assert "asks for its own classes" in refused(lambda: make_model(f"{file}:Good"))


def test_a_class_of_main_is_named_by_its_file(tmp_path: Path) -> None:
    use = """
from dosuite.envs import collect, make_model
if __name__ == "__main__":
    print(collect(Good(), 5, 0).episodes, type(make_model(__file__ + ":Good", trust=True)).__name__)
    make_model("Good")
"""
    command = [sys.executable, written(tmp_path, GOOD, use)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "5 Good"
    assert "Good is a class of your own: call Good()" in done.stderr


def test_what_there_is_none_of_is_left_out(tmp_path: Path) -> None:
    model = make_model(written(tmp_path, GOOD))
    assert "there are none, so leave it out" in refused(lambda: model.shifted("snow"))
    assert "there are none, so leave it out" in refused(lambda: make_agent("maximin:rate=1"))
