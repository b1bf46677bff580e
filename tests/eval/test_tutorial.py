"""The tutorial: its blocks run, its commands are understood, and their output is shown."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from markupsafe import Markup

from dosuite.causal import InputError
from dosuite.eval.cli.main import app
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
    page = tutorial.tutorial_page()
    assert "ice_cream=1: seeing 0.615, doing 0.275" in page.body
    assert "no single policy earns more on average than 0.445" in page.body
    assert page.body.count("<svg") == 1


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
