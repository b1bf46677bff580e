"""Summaries of all agents, read from their source files without importing them.

Most agents import torch or Stable-Baselines3, which takes seconds. Listing the agents, and finding
the module of one of them, needs only names, docstrings and constant class attributes, which `ast`
reads in milliseconds.
"""

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent
ROOT_CLASS = "Agent"


class AgentSummary(NamedTuple):
    """An agent as `dosuite list` shows it."""

    name: str
    learns: tuple[str, ...]  # regimes
    summary: str  # first line of the docstring
    needs: tuple[str, ...] = ()  # sorted


@dataclass(frozen=True)
class ClassSource:
    """A class as its source file defines it."""

    class_name: str
    module: str  # dotted path within the package: "offline.iql"
    bases: tuple[str, ...]  # class names
    summary: str  # first line of the docstring
    constants: dict[str, Any] = field(hash=False)  # class attributes with literal values


def agent_summaries() -> list[AgentSummary]:
    """A summary of every agent, sorted by name."""
    summaries = []
    for name, source in agent_sources().items():
        learns = _inherited(source, "learns", ())
        needs = _inherited(source, "needs", frozenset())
        summaries.append(AgentSummary(name, learns, source.summary, tuple(sorted(needs))))
    return sorted(summaries)


@cache
def agent_sources() -> dict[str, ClassSource]:
    """The class of every agent, by the agent's name."""
    agents = [source for source in _classes().values() if _is_agent(source)]
    return {source.constants["name"]: source for source in agents if "name" in source.constants}


@cache
def _classes() -> dict[str, ClassSource]:
    """All classes of the package by class name; of two with one name, the last one read."""
    classes = {}
    for path in sorted(FOLDER.rglob("*.py")):
        module = ".".join(path.relative_to(FOLDER).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                classes[node.name] = _class_source(node, module)
    return classes


def _class_source(node: ast.ClassDef, module: str) -> ClassSource:
    bases = tuple(base.id for base in node.bases if isinstance(base, ast.Name))
    docstring = ast.get_docstring(node) or ""
    constants = {}
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            value = _literal(statement.value)
            if value is not None:
                constants[statement.target.id] = value
    return ClassSource(node.name, module, bases, docstring.partition("\n")[0], constants)


def _literal(node: ast.expr | None) -> Any:
    """The value of a literal or of `frozenset({...})`; None for any other expression."""
    if node is None:
        return None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id != "frozenset":
            return None
        return frozenset(_literal(node.args[0]) if node.args else ())
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _is_agent(source: ClassSource) -> bool:
    return any(
        base == ROOT_CLASS or (base in _classes() and _is_agent(_classes()[base]))
        for base in source.bases
    )


def _inherited(source: ClassSource, attribute: str, default: Any) -> Any:
    """A class attribute, looked up in the class and then, depth first, in its bases."""
    if attribute in source.constants:
        return source.constants[attribute]
    for base in source.bases:
        if base in _classes():
            value = _inherited(_classes()[base], attribute, None)
            if value is not None:
                return value
    return default
