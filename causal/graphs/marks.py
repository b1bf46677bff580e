"""What attributes of nodes and edges mean in graphs of other libraries and in their notations."""

from collections.abc import Mapping
from typing import Any

from ..errors import InputError

HIDDEN = frozenset({"latent", "unobserved", "hidden"})
YES = frozenset({"yes", "true", "1", "1.0", "", "none"})  # an attribute without a value is none
NO = frozenset({"no", "false", "0", "0.0"})


def hides(key: str, value: object) -> bool:
    """Whether the attribute `observed`, or one of `HIDDEN`, says that its node is hidden.

    Raises InputError if its value is neither yes nor no."""
    text = str(value).strip().strip('"').lower()
    if text not in YES | NO:
        raise InputError(f"{key}={value!r} is neither yes nor no")
    return (text in NO) == (key == "observed")


def role_of(name: str, attributes: Mapping[str, Any]) -> str:
    """The role of a node of networkx: "latent" if an attribute or its role says that it is hidden.

    Raises InputError if an attribute that can hide a node is neither yes nor no."""
    role = str(attributes.get("role") or "")
    if role.lower() in HIDDEN:
        return "latent"
    for key in (*sorted(HIDDEN), "observed"):
        if key not in attributes:
            continue
        try:
            is_hidden = hides(key, attributes[key])
        except InputError as error:
            raise InputError(f"the node {name}: {error}") from None
        if is_hidden:
            return "latent"
    return role


def arrow_of(cause: str, effect: str, attributes: Mapping[str, Any]) -> str:
    """The arrow of an edge of networkx: ->, or <- or <-> where its `dir` (of DOT) or `type` (of
    pgmpy) says so.

    Raises InputError if the edge is undirected."""
    direction = str(attributes.get("dir") or "forward").strip('"')
    arrows = {"forward": "->", "back": "<-", "both": "<->"}
    kind = str(attributes.get("type") or "")
    if direction not in arrows or kind == "undirected":
        what = f"dir={direction}" if direction not in arrows else "type=undirected"
        raise InputError(f"the edge of {cause} and {effect} has {what}, which is no causal arrow")
    return "<->" if kind == "bidirected" else arrows[direction]
