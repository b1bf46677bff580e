"""`dosuite data` and the named logs."""

from pathlib import Path

from commands import Call

from dosuite.envs import Log, named_logs


def test_the_list_has_every_name_and_fits_the_terminal(dosuite: Call) -> None:
    code, out, _ = dosuite("data", "--list")
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == list(named_logs())
    assert max(map(len, lines)) <= 80


def test_a_named_log_is_written(dosuite: Call, tmp_path: Path) -> None:
    name = "IceCreamShorts-mixed-unlabelled-1e3-v0"
    code, out, _ = dosuite("data", name, "--table", "log.csv")
    assert code == 0
    assert named_logs()[name].hash in out
    assert Log.load(tmp_path / "logs" / f"{name}.arrow").content_hash == named_logs()[name].hash
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 1001


def test_all_named_logs_with_a_text_in_their_names_are_written(
    dosuite: Call, tmp_path: Path
) -> None:
    code, _, _ = dosuite("data", "IceCreamShorts-mixed-unlabelled-1e3", "--all", "set")
    assert code == 0
    assert len(list((tmp_path / "set").glob("*.arrow"))) == 1


def test_what_names_nothing_is_refused(dosuite: Call) -> None:
    assert "no named log has 'Ice-Cream'" in dosuite("data", "Ice-Cream", "--list")[2]
    assert "name a log or a world" in dosuite("data")[2]
    assert "--list contradicts --seed" in dosuite("data", "--list", "--seed", 3)[2]
