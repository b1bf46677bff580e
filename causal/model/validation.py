"""What makes a model well formed, and one line for whatever does not."""

from dataclasses import fields

import networkx as nx
import numpy as np

from ..errors import InputError, did_you_mean
from ..graphs.step_graph import LAG
from .structure import Structure
from .tables import shared


def check(model: Structure) -> None:
    """Raise InputError, naming what to change, if a model is not well formed."""
    _check_fields(model)
    _check_variables(model)
    shared(model).check()


def _check_fields(model: Structure) -> None:
    for field in fields(model):
        value, wanted = getattr(model, field.name), type(field.default)
        good = isinstance(value, wanted) or (
            wanted is float and isinstance(value, int) and not isinstance(value, bool)
        )
        if not good:
            raise InputError(
                f"{type(model).__name__}: {field.name} must be of type {wanted.__name__}, and "
                f"got {value!r}"
            )
        if wanted is float and not np.isfinite(value):
            raise InputError(
                f"{type(model).__name__}: {field.name} must be finite, and got {value}"
            )
    if model.horizon < 1 or model.burn_in < 0 or not 0 < model.discount <= 1:
        raise InputError(
            f"{type(model).__name__}: horizon must be at least 1, burn_in at least 0 and "
            "discount in (0, 1]"
        )


def _check_variables(model: Structure) -> None:
    kind = type(model).__name__
    roles = [variable.role for variable in model.variables.values()]
    for role, most in (("action", 1), ("reward", 1), ("terminal", 1), ("selection", 1)):
        count = roles.count(role)
        if count > most or (count == 0 and role in ("action", "reward")):
            raise InputError(
                f"{kind} has {count} variables marked @{role}; make it one: "
                f"{', '.join(model.names(role)) or 'there is none'}"
            )
    if model.horizon > 1 and "selection" in roles:
        raise InputError(
            f"{kind} has a horizon of {model.horizon}; @selection needs a horizon of 1"
        )
    if model.burn_in and (model.horizon == 1 or "terminal" in roles):
        raise InputError(
            f"{kind} has a burn_in of {model.burn_in}; it needs a horizon above 1 and no @terminal"
        )
    for name, variable in model.variables.items():
        for cause in variable.first.causes + variable.later.causes:
            if cause.removesuffix(LAG) not in model.variables:
                raise InputError(
                    f"{name} depends on {cause!r}, which is not a variable of {kind}; "
                    f"{did_you_mean(cause, model.variables)}"
                )
        for cause in variable.first.causes:
            if cause.endswith(LAG):
                raise InputError(
                    f"{kind}.{name} depends on {cause} at the first step: write "
                    f"@{variable.role}.starting(law)"
                )
    for variable in (
        model.variables.values()
    ):  # two graphs, for a cause of the first step may be an effect later
        for mechanism in (variable.first, variable.later):
            if variable.name in mechanism.causes:
                raise InputError(
                    f"{kind}.{variable.name} is its own cause; remove the parameter {variable.name}"
                )
    try:
        cycle = nx.find_cycle(model.graph.subgraph(model.variables))
        raise InputError(
            f"{kind} has a cycle: {' -> '.join([edge[0] for edge in cycle] + [cycle[0][0]])}"
        )
    except nx.NetworkXNoCycle:
        pass
    for name in set(nx.descendants(model.graph, model.action)) & set(model.contexts):
        raise InputError(
            f"the context {name} is caused by the action {model.action} of the same step; use "
            f"{model.action}{LAG}"
        )
