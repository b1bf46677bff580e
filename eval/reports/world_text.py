"""What is said of a world: its docstring, seeing against doing, and what policies earn."""

from inspect import getdoc

import numpy as np
import pandas as pd

from dosuite.causal import World
from dosuite.causal.exact import chain, do_process, log_process
from dosuite.envs import all_observations, make_model

from ..runs.reference_values import REFERENCES, references
from .rounding import number_text

MOST_CONTEXTS = 12  # shown in the table of seeing and doing
NOT_SHOWN = ("j_worst", "promised")  # reference values that the table leaves out
WAY_OUT = "Way out:"


def title(environment: str, variant: str, model: World) -> str:
    """The docstring of a world's class, or what the model is a variant of."""
    if variant and type(model) is type(make_model(environment)):
        return f"The {variant} of {environment}."
    return getdoc(type(model)) or environment


def way_out(cls: type[World]) -> str:
    """The way out that a world's docstring names."""
    for line in (getdoc(cls) or "").splitlines():
        if line.strip().startswith(WAY_OUT):
            return line.strip().removeprefix(WAY_OUT).strip(" .")
    return ""


def seeing_and_doing(model: World) -> pd.DataFrame:
    """E[reward | action, context] in the log and under intervention, and the behaviour policy.

    A row of texts for each action in each context, up to MOST_CONTEXTS of them. Raises
    NotDiscreteError or TooLargeError if there are no exact values.
    """
    seeing, doing = log_process(model), do_process(model)
    contexts, actions = chain(model).shape[:2]
    observations = all_observations(model)
    visits = np.maximum(seeing.visits.sum(1, keepdims=True), 1e-300)
    behaviour = seeing.visits / visits
    rows = []
    for c in range(min(contexts, MOST_CONTEXTS)):
        for a in range(actions):
            seen, done = seeing.visits[c, a] > 0, doing.visits[c, a] > 0
            rows.append(
                [
                    str(observations[c]),
                    str(a),
                    number_text(behaviour[c, a], 3),
                    number_text(seeing.reward[c, a], 4) if seen else "never seen",
                    number_text(doing.reward[c, a], 4) if done else "never reached",
                ]
            )
    if contexts > MOST_CONTEXTS:
        rows.append(["...", f"{contexts - MOST_CONTEXTS} more contexts", "", "", ""])
    headings = [
        "context",
        model.action,
        "P(action | context)",
        f"E({model.reward} | {model.action})",
        f"E({model.reward} | do({model.action}))",
    ]
    return pd.DataFrame(rows, columns=headings)


def policy_values(model: World, shift: str = "") -> pd.DataFrame:
    """What reference policies earn under a shift, or at deployment and under every shift: texts."""
    shown = [reference for reference in REFERENCES.values() if reference.column not in NOT_SHOWN]
    unshifted = "as in the log" if model.deployment else "deployment"
    if shift:
        shifts = [shift]
    elif model.edits:
        shifts = [""]
    else:
        shifts = ["", *model.shifts()]
    rows = []
    for name in shifts:
        values = references(model, model.shifted(name) if name else model)
        numbers = [number_text(values[reference.column], 4) for reference in shown]
        rows.append([name or unshifted, *numbers])
    return pd.DataFrame(rows, columns=["world", *(reference.name for reference in shown)])


def promise(model: World) -> str:
    """What the confused policy expects to earn, in a sentence; "" if it has no estimate."""
    promised = references(model, model)["promised"]
    if np.isnan(promised):
        return ""
    return f"The confused policy expects to earn {number_text(promised, 4)}."
