"""The README's command lines: their options and names exist, and the quick ones run as written."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from commands import Call
from places import ROOT

from dosuite.agents import make_agent
from dosuite.envs import make_model, named_logs
from dosuite.envs.registry import world_classes
from dosuite.eval.cli.main import app
from dosuite.eval.runs import engines
from dosuite.eval.studies.study import studies

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
# what stands for a name in the README, and one that it may stand for
STANDS_FOR = (
    (r"\bstudy NAME", "study labels"),
    (r"results/commands/NAME", "experiment"),
    (r"\bWORLD\b", "IceCreamShorts-v0"),
    (r"\bSEED\b", "0"),
    (r"\$n\b", "100"),
    (r"\$SLURM_ARRAY_TASK_ID|\{k\}", "1"),
    (r"\.\.\.", ""),
)
(EXPERIMENT,) = re.findall(r"^    environments = .*?(?=\n\n)", README, re.MULTILINE | re.DOTALL)
QUICK = ("--version", "cite", "data --list", "list", "study", "study labels --kept")


def commands(text: str) -> Iterator[str]:
    """The command lines in indented blocks and between backticks, without the word dosuite."""
    text = text.replace("\\\n", " ")
    lines = re.findall(r"^ {4,}.*?\b(?<![-/])dosuite (.*)$", text, re.MULTILINE)
    spans = re.findall(r"`dosuite ([^`]+)`", re.sub(r"\n(?=\S)", " ", text))
    for command in [*lines, *spans]:
        known = command.rstrip('"') if command.count('"') % 2 else command  # the end of a string
        for stands, name in STANDS_FOR:
            known = re.sub(stands, name, known)
        yield " ".join(shlex.quote(word) for word in shlex.split(known, comments=True))


COMMANDS = sorted(set(commands(PROSE)))


def check(command: str) -> None:
    """Raise an error if an option, world, agent or study of a command does not exist."""
    group = typer.main.get_group(app)
    name, *words = [word for word in shlex.split(command) if word != "--debug"]
    if name.startswith("--"):
        assert name in {flag for parameter in group.params for flag in (*parameter.opts, "--help")}
        return
    assert name in group.commands
    options = {flag for parameter in group.commands[name].params for flag in parameter.opts}
    if not words or words in [[flag] for flag in (*options, "--help")]:
        return  # a command or its option by its name alone
    given = group.commands[name].make_context(name, words).params
    for text in worlds_of(name, given):
        if not re.search(r"\.(py|toml)\b", text):
            make_model(text)
    for text in texts(given.get("agent")):
        agent, _, regime = text.partition("@")
        if not re.search(r"\.(py|zip|pt|onnx)\b", agent):
            assert regime in ("", *make_agent(agent).learns), text
    if name == "study" and given["name"]:
        assert given["name"] in studies()
    if name == "sanity":
        for text in given["only"] or ():
            assert any(text in world for world in world_classes()), text


def worlds_of(command: str, given: dict[str, Any]) -> list[str]:
    """The worlds that a command names."""
    names = [*texts(given.get("environments")), *texts(given.get("environment"))]
    names += texts(given.get("worlds"))
    if command == "show":
        names = [name for name in names if not name.startswith("Confounded") or "River" in name]
    if command != "data":
        return names
    wanted = given["listed"] or given["every"]
    assert all(any(name in log for log in named_logs()) for name in names if wanted)
    return [name for name in names if not wanted and name not in named_logs()]


def texts(value: Any) -> list[str]:
    return [] if value is None else [value] * bool(value) if isinstance(value, str) else [*value]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_understood(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engines, "find_spec", str)  # as if every extra was installed
    Path("experiment.toml").write_text(EXPERIMENT.replace("    ", ""), encoding="utf-8")
    check(command)


def test_the_commands_of_the_readme_are_found() -> None:
    assert len(COMMANDS) > 40
    assert "run IceCreamShorts-v0 --agent my_agent.py:Greedy:prior=0.5 --trust" in COMMANDS
    assert "run experiment.toml --trust --shard 1/8 --workers 2 --out shards/1" in COMMANDS
    assert any(command.startswith("submission results") for command in COMMANDS)


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("runn", "in {"),
        ("run --sedes 3", "No such option"),
        ("run IceCreamShort-v0", "did you mean 'IceCreamShorts-v0'"),
        ("run IceCreamShorts-v0 --agent naiv", "did you mean 'naive'"),
        ("run --agent ppo@observe", "ppo@observe"),
        ("study labelz", "labelz"),
        ("data Iced --list", "assert False"),
        ("sanity --only Nowhere", "Nowhere"),
    ],
)
def test_what_does_not_exist_is_noticed(command: str, fault: str) -> None:
    with pytest.raises(Exception, match=re.escape(fault)):
        check(command)


@pytest.mark.parametrize("command", QUICK)
def test_a_quick_command_runs(command: str, dosuite: Call) -> None:
    code, output, errors = dosuite(*shlex.split(command))
    assert (code, errors) == (0, "")
    assert output.strip()
