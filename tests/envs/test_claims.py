"""The Trap, the Way out and the Best of every docstring are computed, and true."""

import inspect
import pkgutil
from importlib import import_module

import pytest
from claims import claims, holds

import dosuite.envs.worlds
from dosuite.causal import (
    World,
)


def classes() -> list[type[World]]:
    """Every model class that is written in a module of dosuite.envs.worlds."""
    modules = [
        import_module(f"dosuite.envs.worlds.{module.name}")
        for module in pkgutil.iter_modules(dosuite.envs.worlds.__path__)
    ]
    return [
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, World) and kind.__module__ == module.__name__ and kind._roles
    ]


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_class_says_trap_way_out_and_best(kind: type[World]) -> None:
    assert {"Trap", "Way out", "Best"} <= set(claims(kind))


@pytest.mark.parametrize(
    ("kind", "label"),
    [(kind, label) for kind in classes() for label in claims(kind)],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_claim_is_true(kind: type[World], label: str) -> None:
    assert holds(kind(), label, claims(kind)[label]), (
        f"{kind.__name__}: {label}: {claims(kind)[label]}"
    )


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_who_has_no_twin_says_why(kind: type[World]) -> None:
    assert ("Twin" in claims(kind)) == (kind().twin() is None)
