"""Shortcuts turned off from outside, by replacing functions and emptying caches."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import Any
from unittest.mock import patch

from dosuite.causal.exact import (
    markov_chain,
    policies,
    reachable,
    twin_network,
)
from dosuite.causal.model import elimination
from dosuite.causal.model.elimination import Factor
from dosuite.causal.model.sampling_laws import SamplingLaws
from dosuite.causal.model.tables import Tables

Off = AbstractContextManager[None]


class Forgetful(dict[Any, Any]):
    """A memory that says that it has nothing."""

    def __contains__(self, key: object) -> bool:
        return False


def _modules() -> list[Any]:
    floors = ("dosuite.causal", "dosuite.envs.worlds", "dosuite.envs.gym", "dosuite.eval.runs")
    return [module for name, module in sorted(sys.modules.items()) if name.startswith(floors)]


def _owners() -> Iterator[tuple[Any, str, Any]]:
    """Every attribute of a module or of a class of the package: owner, name, value."""
    classes: dict[int, type] = {}
    for module in _modules():
        for name, thing in list(vars(module).items()):
            yield module, name, thing
            if isinstance(thing, type) and thing.__module__.startswith("dosuite."):
                classes[id(thing)] = thing
    for cls in classes.values():
        for name, thing in list(vars(cls).items()):
            yield cls, name, thing


def forget() -> None:
    """Empty the caches of all functions."""
    for _, _, thing in _owners():
        if hasattr(thing, "cache_clear"):
            thing.cache_clear()


@contextmanager
def patched(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    """Attributes replaced, with empty caches before and after."""
    forget()
    try:
        with ExitStack() as stack:
            for owner, name, thing in changes:
                stack.enter_context(patch.object(owner, name, thing))
            yield
    finally:
        forget()


def without_function_caches() -> Off:
    """Every function with a cache is replaced by the function without."""
    changes = []
    for owner, name, thing in _owners():
        if hasattr(thing, "cache_clear"):
            plain = thing.__wrapped__
            changes.append((owner, name, staticmethod(plain) if isinstance(owner, type) else plain))
    return patched(*changes)


# Districts are told apart by identity, so that those of one model must stay the same objects.
KEPT = {"districts"}


def without_cached_properties() -> Off:
    """Every cached property of models, tables, graphs and formulas is computed at each access."""
    changes = []
    for owner, name, thing in _owners():
        is_cached = isinstance(thing, cached_property) and name not in KEPT
        if is_cached and owner.__module__.startswith("dosuite.causal"):
            changes.append((owner, name, property(thing.func)))
    return patched(*changes)


def without_kept_tables() -> Off:
    """`Tables` keeps neither factors nor plans."""
    ordinary = Tables.__init__

    def forgetful(self: Tables, model: Any) -> None:
        ordinary(self, model)
        self._factors, self._mean_factors, self._plans = Forgetful(), Forgetful(), Forgetful()

    return patched((Tables, "__init__", forgetful))


def without_pruning() -> Off:
    """A sum over a step has the factors of all variables, whatever the question is about."""

    def all_factors(
        self: Tables, keep: Any, first: bool, extra: Any, cut: tuple[str, ...], mean: str
    ) -> list[Factor]:
        factors = [self.factor(name, first) for name in self.model.order if name not in cut]
        if mean:
            factors.append(Factor((mean,), self.support(mean)))
        return factors

    return patched((Tables, "_needed", all_factors))


def with_another_order() -> Off:
    """Names are summed out one by one, in reverse alphabetical order."""

    def reversed_order(scopes: Any, keep: Any, size: Any) -> Iterator[tuple[str, Any]]:
        neighbours = {name: {name} for name in size}
        for scope in scopes:
            for name in scope:
                neighbours[name] |= set(scope)
        for name in sorted(set(size) - set(keep), reverse=True):
            others = neighbours.pop(name) - {name}
            for other in others:
                neighbours[other] = (neighbours[other] | others) - {name}
            yield name, tuple(sorted(others))

    return patched((elimination, "_order", reversed_order), (elimination, "AT_ONCE", 0))


def with_one_product() -> Off:
    """All factors are multiplied in one call of einsum, without an order."""
    return patched((elimination, "AT_ONCE", 2**60), (elimination, "MOST_FACTORS", 26))


def with_sparse_chains() -> Off:
    """Chains of several steps are sparse, however small."""
    return patched((markov_chain, "MOST_DENSE", 0))


def with_dense_chains() -> Off:
    """Chains are tables, however large."""
    return patched((markov_chain, "MOST_DENSE", 2**60))


def without_squaring() -> Off:
    """Chains are applied step by step, and worlds are valued one by one."""
    return patched((markov_chain, "SMALL", 0), (policies, "SMALL", 0))


def without_merging() -> Off:
    """Equal outcomes of a step stay apart, in sparse chains of all sizes."""

    def only_columns(self: Any, names: Any) -> Any:
        columns = {name: column for name, column in self.columns.items() if name in names}
        return replace(self, columns=columns)

    return patched((reachable.Outcomes, "merge", only_columns), (markov_chain, "MOST_DENSE", 0))


def without_plans() -> Off:
    """The best and the worst policy are found by trying all."""
    return patched((policies, "_stationary_plan", lambda model, best: None))


def without_lookups() -> Off:
    """Variables are sampled by calling their mechanisms."""
    return patched((SamplingLaws, "lookups", property(lambda self: {})))


def without_equal_variables() -> Off:
    """Variables that are always equal in two worlds are kept apart in the twin network."""

    def itself(self: Any) -> dict[Any, Any]:
        events = product(range(len(self.worlds)))
        return {(w, name): (w, name) for (w,) in events for name in self.worlds[w].order}

    return patched((twin_network.Worlds, "_originals", property(itself)))
