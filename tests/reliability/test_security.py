"""No submitter's file is unpickled without trust, and no name leads out of a folder."""

import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch

from dosuite.causal import InputError
from dosuite.eval import score
from dosuite.eval.cli.data import _file_name
from dosuite.eval.cli.main import main

ICE = "IceCreamShorts-v0"


@pytest.fixture
def no_pickles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way to unpickle anything ends the test."""

    def fail(*arguments: Any, **settings: Any) -> NoReturn:
        pytest.fail("a file was unpickled")

    safe = torch.load

    def load(*arguments: Any, **settings: Any) -> Any:
        return safe(*arguments, **settings) if settings.get("weights_only") is True else fail()

    for module in (pickle, pytest.importorskip("cloudpickle")):
        monkeypatch.setattr(module, "load", fail)
        monkeypatch.setattr(module, "loads", fail)
    monkeypatch.setattr(torch, "load", load)


def hostile(folder: Path) -> list[str]:
    """Files that hold pickled objects, under every name that a policy or a world may have."""
    content = pickle.dumps(Path("owned"))
    paths = [folder / name for name in ("a.zip", "b.pt", "c.onnx", "d.pkl")]
    for path in paths:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("data", content)
            archive.writestr("archive/data.pkl", content)
    for name in ("raw.zip", "raw.pt", "raw.onnx"):
        (folder / name).write_bytes(content)
        paths.append(folder / name)
    (folder / "code.py").write_text("raise SystemExit('it ran')\n")
    return [*map(str, paths), str(folder / "code.py"), f"{folder / 'code.py'}:choose"]


@pytest.mark.usefixtures("no_pickles")
def test_no_file_of_a_submitter_is_unpickled_without_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in hostile(tmp_path):
        monkeypatch.setattr(sys, "argv", ["dosuite", "run", ICE, "--agent", path, "--seeds", "1"])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1
        with pytest.raises(InputError):
            score(ICE, path)


def test_no_world_leads_its_log_out_of_the_folder() -> None:
    for world in ("../../w.py:W", "/etc/passwd.py", "a/../../b.py:C:knob=1", "..", "w:x=../../y"):
        name = _file_name(world, "", "observe", 0)
        assert (Path("logs") / name).resolve().parent == Path("logs").resolve()
