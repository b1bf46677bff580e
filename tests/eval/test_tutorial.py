"""The tutorial: its blocks run, its commands are understood, and their output is shown."""

import re
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from commands import Call
from markupsafe import Markup

from dosuite.agents import make_agent
from dosuite.causal import InputError
from dosuite.eval import score
from dosuite.eval.cli.main import app
from dosuite.eval.runs import suite
from dosuite.eval.site import tutorial

BLOCK = """# Title

## A & section

```python
x = {"a": 1}
print("<seen>")
x["a"] + 1
```

```python file.py
y = 2
```

```python
from pathlib import Path

assert Path("file.py").read_text() == "y = 2\\n"
assert x == {"a": 1}
```
"""

SOURCE = tutorial.SOURCE.read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+) ?([\w.]*)(?: ?needs=(\w+))?\n(.*?)^```", re.DOTALL | re.MULTILINE)
# the blocks that need a library, and before them those that write the log
BLOCKS: dict[str, list[tuple[str, str, str]]] = {
    library: [
        (language, file, code)
        for language, file, needed, code in FENCE.findall(SOURCE)
        if needed == library or code.startswith("$ dosuite data")
    ]
    for library in ("d3rlpy", "torchrl")
}


def check_options(block: str) -> Markup:
    """Raise an error of Typer if a command of a block has a wrong option; nothing is run."""
    commands = typer.main.get_group(app).commands
    for line in block.splitlines():
        program, name, *words = shlex.split(line.removeprefix("$ "))
        assert program == "dosuite"
        commands[name].make_context(name, words)
    return Markup()


def test_every_block_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tutorial, "_commands", check_options)
    monkeypatch.setattr(tutorial, "find_spec", lambda library: None)  # tested below
    page = tutorial.tutorial_page()
    assert page.body.count("It was not run here, where torchrl is not installed.") == 3
    assert "ice_cream=1: seeing 0.615, doing 0.275" in page.body
    assert "no single policy earns more on average than 0.445" in page.body
    assert page.body.count("<svg") == 1


@pytest.mark.parametrize("library", ["d3rlpy", "torchrl"])
@pytest.mark.filterwarnings("ignore")  # of libraries that are no dependency
def test_an_agent_of_another_library_learns_from_a_named_log(
    library: str, dosuite: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed")
    monkeypatch.setattr(suite, "_needs_child", lambda group: False)  # it would import torch again
    names: dict[str, Any] = {"make_agent": make_agent, "score": score}
    for language, file, block in BLOCKS[library]:
        if file:
            Path(file).write_text(block, encoding="utf-8")
        elif language == "console":
            for line in block.splitlines():
                words = shlex.split(line.removeprefix("$ dosuite "))
                # a shard of all runs is the same without the report
                whole = ("--shard", "1/1", "--workers", "1") if words[0] == "run" else ()
                code, _, errors = dosuite(*words, *whole)
                assert code == 0, errors
        else:
            shown = str(tutorial._python(block, names))
            assert "0.475" in shown  # after the log of an experiment
    rows = pd.read_parquet("others/results.parquet").query("regime == 'observe' and world == ''")
    assert list(rows["status"]) == ["ok", "ok"]
    assert list(rows["value"].round(9)) == [0.275, 0.275]


def test_a_wrong_option_is_noticed() -> None:
    with pytest.raises(Exception, match="No such option"):
        check_options("$ dosuite run --sedes 3")


def test_a_block_is_shown_with_what_it_prints_and_its_last_value() -> None:
    page = tutorial.tutorial_page(BLOCK)
    assert "<pre class='output'>&lt;seen&gt;</pre><pre class='output'>2</pre>" in page.body
    assert "The file file.py:" in page.body
    assert '<h2 id="a-section">' in page.body
    assert re.search(r'<a href="#a-section">A &amp; section</a>', page.body)


def test_a_block_that_fails_is_named() -> None:
    with pytest.raises(InputError, match="at line 3 failed: ZeroDivisionError"):
        tutorial.tutorial_page("text\n\n```python\n1 / 0\n```\n")


def test_a_command_that_fails_is_named() -> None:
    with pytest.raises(InputError, match=r"at line 1 failed: InputError: \$ false"):
        tutorial.tutorial_page("```console\n$ false\n```\n")


def test_it_leaves_the_folder_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tutorial.tutorial_page("```python a.py\n```\n")
    assert list(tmp_path.iterdir()) == []
    assert Path.cwd() == tmp_path
