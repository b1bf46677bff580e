"""The part of a study's file that must not change after its runs."""

import ast
from collections.abc import Callable
from functools import partial

SHOWING = {"figure", "paragraph", "headline"}  # methods of a study that draw and word results
JUDGING = {"runs", "units", "rows", "table", "findings"}  # `rows` is of a unit
EMPTY: tuple[object, ...] = (None, [])  # fields that some versions of Python add


def judging_code(source: str) -> str:
    """The code of a study's file without imports and without what only draws and words results.

    What is drawn and worded may change after the runs; what is run, measured and judged may not.
    The text is the syntax tree, which is the same in every version of Python.
    """
    tree = ast.parse(source)
    tree.body = [part for part in tree.body if not isinstance(part, ast.Import | ast.ImportFrom)]
    _drop(tree, lambda function: function.name in SHOWING)
    while _drop(tree, partial(_is_unused, used=_names(tree))):
        pass
    return repr(_shape(tree))


def _shape(part: object) -> object:
    """A syntax tree as nested tuples of names and constants, without what is empty.

    `ast.dump` and `ast.unparse` differ between versions of Python, which add empty fields and quote
    texts in other ways.
    """
    if isinstance(part, list):
        return tuple(map(_shape, part))
    if not isinstance(part, ast.AST):
        return repr(part)
    fields = [(name, _shape(value)) for name, value in ast.iter_fields(part) if value not in EMPTY]
    return type(part).__name__, *fields


def _is_unused(function: ast.FunctionDef, used: set[str]) -> bool:
    is_registered = bool(function.decorator_list)  # such as a mechanism of a world
    return not is_registered and function.name not in used | JUDGING


def _names(tree: ast.AST) -> set[str]:
    """The names and attributes that code refers to."""
    nodes = list(ast.walk(tree))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in nodes if isinstance(node, ast.Name)}


def _drop(tree: ast.Module, is_dropped: Callable[[ast.FunctionDef], bool]) -> bool:
    """Remove functions and methods; whether there were any."""
    found = False
    classes = [part for part in tree.body if isinstance(part, ast.ClassDef)]
    scopes: list[ast.Module | ast.ClassDef] = [tree, *classes]
    for scope in scopes:
        kept: list[ast.stmt] = [
            part
            for part in scope.body
            if not (isinstance(part, ast.FunctionDef) and is_dropped(part))
        ]
        found |= len(kept) < len(scope.body)
        scope.body = kept
    return found
