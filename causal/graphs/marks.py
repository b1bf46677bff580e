"""What attributes of nodes and edges mean in graphs of other libraries and in their notations."""

import re
from collections.abc import Mapping
from typing import Any

from ..errors import InputError

HIDDEN = frozenset({"latent", "unobserved", "hidden", "unmeasured"})
YES = frozenset({"yes", "true", "1", "1.0", "", "none"})  # an attribute without a value is none
NO = frozenset({"no", "false", "0", "0.0"})
KINDS = ("role", "type", "kind", "status")  # attributes whose value says what a node or edge is
TOLD_HIDDEN = re.compile(rf"\b({'|'.join(sorted(HIDDEN))})\b", re.I)
APART = frozenset({"dashed", "dotted", "invis"})  # styles that can say that something is hidden

ARROWS = {"forward": "->", "back": "<-", "both": "<->"}  # by `dir` of DOT
BIDIRECTED = frozenset({"bidirected", "bidirectional", "<->", "<-->"})
NO_ARROWS = frozenset(
    {"undirected", "--", "---", "circle", "o->", "o-o", "o--", "<-o", "--o", "partially directed"}
)


def hides(key: str, value: object) -> bool:
    """Whether the attribute `observed`, or one of `HIDDEN`, says that its node is hidden.

    Raises InputError if its value is neither yes nor no."""
    text = _text(value)
    if text not in YES | NO:
        raise InputError(f"{key}={value!r} is neither yes nor no")
    return (text in NO) == (key == "observed")


def role_of(name: str, attributes: Mapping[Any, Any]) -> str:
    """The role of a node: "latent" if an attribute says that it is hidden.

    Raises InputError if an attribute that can hide a node is neither yes nor no, or if only its
    drawing or its label can mean that it is hidden."""
    marks = _by_key(attributes)
    if any(_text(marks.get(kind)) in HIDDEN for kind in KINDS):
        return "latent"
    explicit = [key for key in (*sorted(HIDDEN), "observed") if key in marks]
    try:
        if any(hides(key, marks[key]) for key in explicit):
            return "latent"
    except InputError as error:
        raise InputError(f"the node {name}: {error}") from None
    label = str(marks.get("label") or "")
    drawn = APART & _words(marks.get("style"))
    if not explicit and (drawn or TOLD_HIDDEN.search(label)):
        what = f"is {min(drawn)}" if drawn else f"has the label {label!r}"
        raise InputError(
            f"the node {name} {what}; write latent=true if it is hidden, or else observed=yes"
        )
    return str(attributes.get("role") or "")


def arrow_of(cause: str, effect: str, attributes: Mapping[Any, Any]) -> str:
    """The arrow of an edge: ->, or <- or <-> where its `dir` (of DOT), its `type` (of pgmpy) or
    `bidirected` says so.

    Raises InputError if the edge is undirected, or if only its drawing can mean that it is <->."""
    marks = _by_key(attributes)
    direction = _text(marks.get("dir") or "forward")
    kinds = {_text(marks[kind]) for kind in KINDS if kind in marks}
    no_arrow = [f"type={kind}" for kind in sorted(kinds & NO_ARROWS)]
    if direction not in ARROWS:
        no_arrow.append(f"dir={direction}")
    if marks.get("arrowhead") in ("none", '"none"') and direction == "forward":
        no_arrow.append("arrowhead=none")
    if no_arrow:
        raise InputError(
            f"the edge of {cause} and {effect} has {no_arrow[0]}, which is no causal arrow"
        )
    is_marked = "bidirected" in marks and hides("bidirected", marks["bidirected"])
    arrow = "<->" if kinds & BIDIRECTED or is_marked else ARROWS[direction]
    unclear = APART & _words(marks.get("style"))
    if arrow == "<->" or "dir" in marks:  # dashed is how such an edge is drawn
        unclear &= {"invis"}
    if unclear:
        raise InputError(
            f"the edge of {cause} and {effect} is {min(unclear)}; write <-> (dir=both) if it is a "
            "hidden common cause, or leave the style out"
        )
    return arrow


def _by_key(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """The attributes by lower-case key, without "is_" before it."""
    return {str(key).lower().removeprefix("is_"): value for key, value in attributes.items()}


def _text(value: object) -> str:
    return str(value).strip().strip('"').lower()


def _words(style: object) -> set[str]:
    return {word.strip() for word in _text(style).split(",")}
