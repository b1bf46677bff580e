"""A user's file imports the modules beside it, as `python file.py` does."""

from pathlib import Path

from refusals import refused

from dosuite.envs.plugins import named_in_file


def written(folder: Path, number: int, text: str) -> str:
    folder.mkdir()
    (folder / "rain_helper.py").write_text(f"RAIN = {number}\n")
    (folder / "asks_helper.py").write_text(text)
    return f"{folder / 'asks_helper.py'}:rain"


def test_a_file_imports_what_is_beside_it(tmp_path: Path) -> None:
    where = written(tmp_path / "a", 3, "from rain_helper import RAIN\n\nrain = RAIN\n")
    assert named_in_file(where) == 3


def test_a_function_imports_what_is_beside_it_when_it_is_called(tmp_path: Path) -> None:
    text = "def rain():\n    import rain_helper_of_a_call\n    return rain_helper_of_a_call.RAIN\n"
    where = written(tmp_path / "a", 3, text)
    (tmp_path / "a" / "rain_helper_of_a_call.py").write_text("RAIN = 4\n")
    assert named_in_file(where)() == 4


def test_files_of_two_folders_have_their_own_helpers(tmp_path: Path) -> None:
    text = "from rain_helper import RAIN\n\nrain = RAIN  # {}\n"
    values = [
        named_in_file(written(tmp_path / f"folder_{number}", number, text.format(number)))
        for number in (1, 2)
    ]
    assert values == [1, 2]


def test_a_module_that_is_nowhere_is_named(tmp_path: Path) -> None:
    where = written(tmp_path / "a", 3, "import no_such_helper\n")
    assert "No module named 'no_such_helper'" in refused(lambda: named_in_file(where))
