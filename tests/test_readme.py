"""The README's Python runs as printed, and the numbers in its comments are what it computes."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from places import ROOT

from dosuite.causal.partial_identification import Bounds

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")


def statements(block: str) -> list[tuple[ast.stmt, str]]:
    """The statements of a block, each with the comment at the end of its last line."""
    lines = block.splitlines()
    parts = []
    for statement in ast.parse(block).body:
        _, _, comment = lines[(statement.end_lineno or 1) - 1].partition("  # ")
        parts.append((statement, comment))
    return parts


def says(comment: str, result: Any) -> bool:
    """Whether a comment that begins with a number, or with two in brackets, gives the result."""
    printed = comment.split("]")[0] if comment.startswith("[") else comment.split()[0]
    first = NUMBERS.findall(printed)
    if isinstance(result, Bounds):
        result = (result.low, result.high)
    values = [float(result)] if len(first) == 1 else [float(end) for end in result]
    digits = [len(text.partition(".")[2]) for text in first]
    return [f"{value:.{n}f}" for value, n in zip(values, digits, strict=True)] == first


def test_every_block_runs_and_gives_the_printed_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "readme"}
    checked = 0
    for block in BLOCKS:
        short = re.sub(r"\.learn\(\d[\d_]*\)", ".learn(64)", block)
        short = short.replace('PPO("MlpPolicy", ', 'PPO("MlpPolicy", n_steps=64, env=')
        for statement, comment in statements(short):
            if isinstance(statement, ast.Expr) and re.match(r"-?\d|\[-?\d", comment):
                code = compile(ast.Expression(statement.value), "README.md", "eval")
                assert says(comment, eval(code, names)), comment
                checked += 1
            else:
                exec(compile(ast.Module([statement], []), "README.md", "exec"), names)
    assert checked > 5


def test_a_wrong_number_in_a_comment_is_noticed() -> None:
    assert says("0.615, seeing", 0.6151)
    assert not says("0.616, seeing", 0.6151)
    assert says("[0.4, 0.9], sharp", (0.4, 0.9))
