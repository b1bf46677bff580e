"""The log of a user's world is not taken for that of another file's world of the same name."""

from pathlib import Path

from refusals import refused

from dosuite.envs import collect, make_model
from dosuite.eval import Run

WORLD = """from dosuite.envs.worlds.ice_cream import IceCreamShorts


class Mine(IceCreamShorts):
    \"\"\"Mine.\"\"\"
"""


def test_a_log_of_another_file_is_refused(tmp_path: Path) -> None:
    files = [tmp_path / name / "world.py" for name in ("one", "same", "other")]
    for file in files:
        file.parent.mkdir()
        file.write_text(WORLD + "    version = 0\n" * (file.parent.name == "other"))
    one, same, other = map(str, files)
    log = str(tmp_path / "log.arrow")
    collect(make_model(one), 50, 0, path=log)
    for world in (one, same):
        assert {row["status"] for row in Run(world, "naive", "observe", 50, 0, log=log).rows()} == {
            "ok"
        }
    line = refused(lambda: Run(other, "naive", "observe", 50, 0, log=log).key)
    assert "as another file, or this one before it was changed, defines it" in line
