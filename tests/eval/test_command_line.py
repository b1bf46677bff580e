"""The command line as a user meets it:

the main job in small, a user's own files, bad input, and SIGKILL.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from commands import Call
from places import ROOT

from dosuite.agents.registry import agent_classes
from dosuite.envs import Log, load_latents, world_classes
from dosuite.eval.cards.paper import paper
from dosuite.eval.runs.suite import suite_environments

TESTS = ROOT / "tests"
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORLD = README.split("# umbrella.py\n")[1].split("```")[0]  # the example world, as printed
AGENT = '''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.agents import Agent, TabularPolicy


@dataclass(frozen=True)
class Always(Agent):
    """Always takes the same action."""

    name: ClassVar[str] = "always"
    learns: ClassVar[tuple[str, ...]] = ("observe",)

    action: int = 0

    def learn(self, source, rng):
        if self.action == 9:
            raise FloatingPointError("diverged")
        return TabularPolicy(np.eye(source.action_space.n)[[self.action]], source.observation_space)
'''


def rows_of(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "results.parquet")


def test_the_list_names_every_environment_and_agent(dosuite: Call) -> None:
    code, out, _ = dosuite("list", "--all")
    assert code == 0
    assert "…" not in out
    names = [*world_classes(), *agent_classes(), "casino=ParadoxicalSwitching"]
    assert {word for line in out.splitlines() for word in line.split()}.issuperset(names)
    for name in (
        "IceCreamShorts-Thermo-v0",
        "casino=Rigged",
        "study=Whickham",
        "ConfoundedRiver-v0",
        "KeysChests-v0",
        "back-door",
        "ppo",
    ):
        assert name in out


def test_the_short_list_is_one_screen_with_every_name(dosuite: Call) -> None:
    code, out, _ = dosuite("list")
    lines = out.splitlines()
    assert code == 0
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert set(out.split()) >= {*world_classes(), *agent_classes()}


def test_show_prints_graph_values_and_shifts(dosuite: Call, tmp_path: Path) -> None:
    code, out, _ = dosuite(
        "show",
        "IceCreamShorts-v0:confounding=0.8",
        "--picture",
        "graph.svg",
        "--steps",
        "steps.png",
    )
    assert code == 0
    for text in (
        "heat -> ice_cream, shorts",
        "0.6150",
        "0.2750",
        "0.4750",
        "cold_snap",
        "-0.0650",
        "0.2304",
    ):
        assert text in out
    assert (tmp_path / "graph.svg").read_text().startswith("<?xml")
    assert (tmp_path / "steps.png").read_bytes().startswith(b"\x89PNG")


def test_data_writes_a_log_that_names_its_origin(dosuite: Call) -> None:
    code, out, _ = dosuite(
        "data", "IceCreamShorts-v0", "--episodes", 50, "--seed", 3, "--out", "ice.arrow"
    )
    log = Log.load("ice.arrow")
    assert code == 0
    assert log.content_hash in out
    assert (len(log), log.origin["world"], log.origin["seed"]) == (50, "IceCreamShorts-v0", 3)
    assert list(load_latents("ice.arrow")) == ["heat"]


def test_the_main_job_in_small_ends_in_a_report(dosuite: Call, tmp_path: Path) -> None:
    agents = [part for name in ("bc", "naive", "back-door") for part in ("--agent", name)]
    code, out, _ = dosuite("run", *agents, "--seeds", 2, "--workers", 1)
    rows = rows_of(tmp_path / "results")
    assert code == 0
    assert "Offline: nobody wins a pair" in out.replace("\n", " ")
    assert rows["environment"].nunique() == len(suite_environments("main")) == 4
    assert set(rows["variant"]) == {"", "twin", "hedge"}
    assert (rows["status"] == "ok").all()
    for name in (
        "report.html",
        "figures/causal_score.png",
        "tables/headline.md",
        "tables/headline.tex",
    ):
        assert (tmp_path / "results" / name).stat().st_size > 0


def test_a_users_agent_and_world_are_run_from_their_files(dosuite: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(AGENT)
    (tmp_path / "world.py").write_text(WORLD)
    code, out, _ = dosuite(
        "run",
        "world.py",
        "IceCreamShorts-v0",
        "--agent",
        "mine.py:Always:action=1",
        "--trust",
        "--seeds",
        1,
        "--workers",
        1,
        "--no-reference",
    )
    rows = rows_of(tmp_path / "results").query(
        "agent == 'mine.py:Always:action=1' and world == '' and variant == ''"
    )
    assert code == 0
    assert dict(zip(rows["environment"], rows["value"], strict=True)) == pytest.approx(
        {"world.py": 0.4, "IceCreamShorts-v0": 0.275}
    )
    # the agent is shown by its name
    assert "always:action=1 (offline)" in out
    for name in ("figures/causal_score.svg", "tables/scores.md", "tables/scores.tex"):
        text = (tmp_path / "results" / name).read_text()
        assert "always:action=1 (offline)" in text
        assert "mine.py" not in text
    latex, _ = paper(rows, tmp_path / "results", tmp_path / "paper.tex").values()
    assert "always:action=1" in latex


@pytest.mark.long
def test_a_changed_file_is_run_again(dosuite: Call, tmp_path: Path) -> None:
    for text, value in (
        (AGENT, 0.475),
        (AGENT.replace("action: int = 0", "action: int = 1"), 0.275),
    ):
        (tmp_path / "changing.py").write_text(text)
        assert (
            dosuite(
                *("run", "IceCreamShorts-v0", "--agent", "changing.py", "--trust"),
                *("--seeds", 1, "--workers", 1, "--no-reference"),
            )[0]
            == 0
        )
        rows = rows_of(tmp_path / "results").query(
            "agent == 'changing.py' and world == '' and variant == ''"
        )
        assert rows["value"].tolist() == pytest.approx([value])


def test_an_agent_that_fails_costs_no_other_run(dosuite: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(AGENT)
    agents = ("--agent", "mine.py:Always:action=9", "--agent", "naive", "--trust")
    code, out, _ = dosuite(
        "run", "IceCreamShorts-v0", *agents, "--seeds", 1, "--workers", 1, "--no-reference"
    )
    rows = rows_of(tmp_path / "results").query("variant == ''")
    failed = rows[rows["status"] == "failed"]
    assert code == 1
    note = failed["note"].item()
    assert note.startswith("FloatingPointError: diverged [traceback: runs/")
    assert (tmp_path / "results" / note.removesuffix("]").split()[-1]).is_file()
    assert "diverged" in out
    assert rows.query("agent == 'naive' and world == ''")["value"].tolist() == pytest.approx(
        [0.275]
    )


BAD = {
    "an unknown environment": ("show IceCreamShort-v0", "IceCreamShorts-v0"),
    "a device that is not there": ("run IceCreamShorts-v0 --agent bc --device abacus", "abacus"),
    "an unknown member": ("show SimpsonClinic-v0:study=Kidney", "KidneyStones"),
    "an unknown knob": ("show IceCreamShorts-v0:confound=1", "confounding"),
    "a knob that drives a probability out of range": (
        "show IceCreamShorts-v0:confounding=3",
        "ice_cream",
    ),
    "a knob that is not a number": ("show IceCreamShorts-v0:confounding=nan", "confounding"),
    "an unknown shift": ("show IceCreamShorts-v0 --shift cold_snpa", "cold_snap"),
    "an unknown variant": ("show IceCreamShorts-v0 --variant twn", "twin"),
    "a twin that is not there": ("show GreedyCasino-v0 --variant twin", "twin"),
    "a picture of another kind": ("show IceCreamShorts-v0 --picture graph.bmp", ".png"),
    "a picture of steps of another kind": ("show IceCreamShorts-v0 --steps steps.svg", ".png"),
    "an unknown agent": ("run IceCreamShorts-v0 --agent niave", "naive"),
    "an agent's unknown setting": ("run IceCreamShorts-v0 --agent dqn:upadtes=3", "updates"),
    "a regime that an agent does not learn in": (
        "run IceCreamShorts-v0 --agent naive@intervene",
        "observe",
    ),
    "a negative budget": ("run IceCreamShorts-v0 --offline-budget -5", "--offline-budget"),
    "no seeds": ("run IceCreamShorts-v0 --seeds 0", "seed"),
    "a file that is not there": (
        "run IceCreamShorts-v0 --agent nobody.py --trust",
        "there is no file nobody.py",
    ),
    "an environment's file that does not import": (
        "show broken.py --trust",
        "broken.py does not import",
    ),
    "a Python file of a world": ("show broken.py", "broken.py is a Python file"),
    "a Python file of a world to record": ("data broken.py", "--trust"),
    "a Python file of an agent": ("run IceCreamShorts-v0 --agent broken.py:X", "--trust"),
    "a zip of a policy": ("run IceCreamShorts-v0 --agent model.zip", "model.zip is a zip"),
    "a Python file in the matrix": ("matrix --only Kidney --agent broken.py:X", "--trust"),
    "no episodes": ("data IceCreamShorts-v0 --episodes 0", "episode"),
    "a name that Minari does not take": (
        "data IceCreamShorts-v0 --episodes 10 --minari no_version",
        "no_version",
    ),
    "an unknown regime": ("data IceCreamShorts-v0 --regime obsreve", "observe"),
    "a truncated log": (
        "run IceCreamShorts-v0 --agent naive --log truncated.arrow",
        "truncated.arrow",
    ),
    "a log of another model": (
        "run IceCreamShorts-v0:confounding=0.5 --agent naive --log whole.arrow",
        "whole.arrow",
    ),
    "a log for who does not learn from one": (
        "run IceCreamShorts-v0 --agent ppo --log whole.arrow",
        "ppo",
    ),
    "no results": ("report --out nowhere", "nowhere"),
    "results that are none": ("report --out bad", "results.parquet"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_line_and_leaves_nothing(
    case: str, dosuite: Call, tmp_path: Path
) -> None:
    dosuite("data", "IceCreamShorts-v0", "--episodes", 100, "--out", "whole.arrow")
    (tmp_path / "truncated.arrow").write_bytes((tmp_path / "whole.arrow").read_bytes()[:-100])
    (tmp_path / "broken.py").write_text("import nothing_of_the_kind\n")
    (tmp_path / "model.zip").write_bytes(b"")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "results.parquet").write_text("not a table")
    before = sorted(tmp_path.rglob("*"))
    command, named = BAD[case]
    code, _, err = dosuite(*command.split())
    assert code == 2
    assert err.count("\n") == 1
    assert named in err
    assert [
        path for path in sorted(tmp_path.rglob("*")) if "__pycache__" not in path.parts
    ] == before


@pytest.mark.long
def test_killed_in_the_middle_it_ends_with_the_same_rows(dosuite: Call, tmp_path: Path) -> None:
    command = [
        "run",
        "IceCreamShorts-v0",
        *("--agent", "bc:updates=30", "--agent", "naive"),
        *("--seeds", "3", "--workers", "1", "--no-reference"),
    ]
    process = subprocess.Popen(
        ["dosuite", *command],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while len(list(tmp_path.glob("results/runs/*.parquet"))) < 3:
        assert process.poll() is None, "it was over before it could be killed"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "results/results.parquet").exists()
    before = len(list(tmp_path.glob("results/runs/*.parquet")))
    assert dosuite(*command)[0] == 0
    assert dosuite(*command, "--out", "undisturbed")[0] == 0
    assert 3 <= before < len(list(tmp_path.glob("undisturbed/runs/*.parquet")))
    pd.testing.assert_frame_equal(rows_of(tmp_path / "results"), rows_of(tmp_path / "undisturbed"))


@pytest.mark.long
def test_one_more_environment_is_one_file(tmp_path: Path) -> None:
    package = tmp_path / "dosuite"
    for floor in ("causal", "envs", "agents", "eval"):
        shutil.copytree(ROOT / floor, package / floor)
    (package / "envs" / "worlds" / "umbrella.py").write_text(WORLD)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def call(*command: str) -> str:
        words = [sys.executable, "-m", *command]
        done = subprocess.run(
            words, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    cli = ("dosuite.eval.cli.main",)
    assert "UmbrellaRain-v0" in call(*cli, "list")
    assert "umbrella" in call(*cli, "show", "UmbrellaRain-v0")
    call(*cli, "run", "UmbrellaRain-v0", "--agent", "naive", "--seeds", "1", "--workers", "1")
    assert set(rows_of(tmp_path / "results")["environment"]) == {"UmbrellaRain-v0"}
    assert "UmbrellaRain" in (tmp_path / "results" / "report.html").read_text()
    laws = [path for floor in ("causal", "envs") for path in TESTS.glob(f"{floor}/test_*_laws.py")]
    tests = [str(path) for path in (TESTS / "envs" / "test_claims.py", *sorted(laws))]
    out = call(
        "pytest",
        "-n0",
        "-p",
        "no:cacheprovider",
        "-k",
        "Umbrella",
        f"--rootdir={tmp_path}",
        "-o",
        f"pythonpath={TESTS / 'support'}",
        "-W",
        "error",
        *tests,
    )
    assert "passed" in out
