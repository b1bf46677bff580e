"""The checks that every model passes when it is made; each failure is reported in one line."""

from dataclasses import Field, fields
from typing import Any

import networkx as nx
import numpy as np

from ..errors import InputError, NotDiscreteError, did_you_mean
from ..graphs.step_graph import LAG
from .interventions import check_interventions
from .probes import call, check_repeatable, typical_values
from .roles import RoleName
from .structure import Columns, Structure, Variable
from .supports import shared_supports

AT_MOST_ONE: tuple[RoleName, ...] = ("action", "reward", "terminal", "selection")
LARGEST = 1e100  # of a knob, so that squares and sums do not overflow
MOST_STEPS = 1_000_000  # of an episode; a trajectory of all variables is kept in memory
UNITS = 2  # that a mechanism with continuous causes is tried on
NEEDED: tuple[RoleName, ...] = ("action", "reward")


def check(model: Structure) -> None:
    """Raise InputError, naming what to change, if a model is not well formed."""
    for field in fields(model):
        _check_type(model, field)
    _check_numbers(model)
    _check_roles(model)
    for variable in model.variables.values():
        _check_causes(model, variable)
    for variable in model.variables.values():
        _check_not_its_own_cause(model, variable)
    _check_acyclic(model)
    _check_contexts(model)
    check_interventions(model)
    for variable in model.variables.values():
        _check_laws(model, variable)


def check_mechanisms(model: Structure) -> None:
    """Raise InputError if a mechanism is not a function of its parameters alone, unit by unit.

    Mechanisms are called again, with some or all values of their causes."""
    supports = shared_supports(model)
    if not supports.are_finite:
        _try_typical_values(model)
        return
    for variable in model.variables.values():
        for mechanism in dict.fromkeys((variable.first, variable.later)):
            supports.check_repeatable(variable.name, mechanism)


def _check_type(model: Structure, field: "Field[Any]") -> None:
    """A knob has the type of its default; a float may be given as an integer."""
    kind, value, wanted = type(model).__name__, getattr(model, field.name), type(field.default)
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if not (isinstance(value, wanted) or (wanted is float and is_integer)):
        raise InputError(
            f"{kind}: {field.name} must be of type {wanted.__name__}, and got {value!r}"
        )
    if wanted is float and not np.isfinite(value):
        raise InputError(f"{kind}: {field.name} must be finite, and got {value}")
    if wanted is float and abs(value) > LARGEST:
        raise InputError(f"{kind}: {field.name} must be at most {LARGEST:g}, and got {value}")


def _check_numbers(model: Structure) -> None:
    if model.horizon < 1 or model.burn_in < 0 or not 0 < model.discount <= 1:
        raise InputError(
            f"{type(model).__name__}: horizon must be at least 1, burn_in at least 0 and "
            "discount in (0, 1]"
        )
    if max(model.horizon, model.burn_in) > MOST_STEPS:
        raise InputError(
            f"{type(model).__name__}: horizon and burn_in must be at most {MOST_STEPS:,}, and are "
            f"{model.horizon:,} and {model.burn_in:,}"
        )


def _check_roles(model: Structure) -> None:
    """One action, one reward, at most one terminal and one selection, where these make sense."""
    kind = type(model).__name__
    for role in AT_MOST_ONE:
        names = model.names(role)
        if len(names) > 1:
            raise InputError(
                f"{kind} has {len(names)} variables marked @{role}; make it one: {', '.join(names)}"
            )
        if not names and role in NEEDED:
            raise InputError(
                f"{kind} has 0 variables marked @{role}; add one: write @{role} above the method "
                f"that gives its law"
            )
    if model.horizon > 1 and model.names("selection"):
        raise InputError(
            f"{kind} has a horizon of {model.horizon}; @selection needs a horizon of 1"
        )
    if model.burn_in and (model.horizon == 1 or model.names("terminal")):
        raise InputError(
            f"{kind} has a burn_in of {model.burn_in}; it needs a horizon above 1 and no @terminal"
        )


def _check_causes(model: Structure, variable: Variable) -> None:
    """Causes are variables, and at the first step none is one step earlier."""
    kind = type(model).__name__
    for cause in variable.first.causes + variable.later.causes:
        if cause.removesuffix(LAG) not in model.variables:
            raise InputError(
                f"{variable.name} depends on {cause!r}, which is not a variable of {kind}; "
                f"{did_you_mean(cause, model.variables)}"
            )
    for cause in variable.first.causes:
        if cause.endswith(LAG):
            raise InputError(
                f"{kind}.{variable.name} depends on {cause} at the first step: write "
                f"@{variable.role}.starting(law)"
            )


def _check_not_its_own_cause(model: Structure, variable: Variable) -> None:
    if variable.name in variable.first.causes + variable.later.causes:
        raise InputError(
            f"{type(model).__name__}.{variable.name} is its own cause; remove the parameter "
            f"{variable.name}"
        )


def _check_acyclic(model: Structure) -> None:
    """The graph of one step has no cycle; that also keeps the first step and later ones from using
    contrary orders."""
    within_step = model.graph.subgraph(model.variables)
    try:
        cycle = nx.find_cycle(within_step)
    except nx.NetworkXNoCycle:
        return
    names = [*(cause for cause, _ in cycle), cycle[0][0]]
    raise InputError(f"{type(model).__name__} has a cycle: {' -> '.join(names)}")


def _check_contexts(model: Structure) -> None:
    """No context is an effect of the action of its step."""
    effects = nx.descendants(model.graph, model.action)
    caused = [name for name in model.contexts if name in effects]
    if caused:
        raise InputError(
            f"the context {caused[0]} is caused by the action {model.action} of the same step; use "
            f"{model.action}{LAG}"
        )


def _check_laws(model: Structure, variable: Variable) -> None:
    """Every mechanism returns a distribution for all values of its causes, and flags are 0 or 1.

    A mechanism with a continuous cause is left to `check_mechanisms`."""
    supports = shared_supports(model)
    try:
        for mechanism in dict.fromkeys((variable.first, variable.later)):
            supports.law(variable.name, mechanism)
        if variable.role not in ("terminal", "selection"):
            return
        values = supports.of(variable.name)
    except NotDiscreteError:
        return
    if not set(values) <= {0, 1}:
        raise InputError(
            f"{type(model).__name__}.{variable.name} must be 0 or 1, and takes {values.tolist()}"
        )


def _try_typical_values(model: Structure) -> None:
    """Call the mechanisms of a model with continuous causes, whose values have no table, with one
    typical value of each cause: one that has positive probability, or the mean.

    The second round is for the steps after the first. A mechanism may need a function that the file
    defines below the class; then the rest is not tried."""
    past: Columns = {}
    for first in (True, False):
        values: Columns = {}
        for name in model.order:
            variable = model.variables[name]
            mechanism = variable.first if first else variable.later
            where = f"{type(model).__name__}.{name}"
            columns = []
            for cause in mechanism.causes:
                lagged = cause.endswith(LAG)
                columns.append(past[cause.removesuffix(LAG)] if lagged else values[cause])
            try:
                law = call(where, mechanism, columns)
                check_repeatable(where, mechanism, columns, law)
            except InputError as error:
                if isinstance(error.__cause__, NameError):
                    return
                raise
            values[name] = typical_values(law, UNITS)
        past = values
