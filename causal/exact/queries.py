"""Exact answers about one step of a discrete model: P(y | z), E[y | z] and P(y | do(x)).

Nothing is sampled. A model is compiled once into one table per variable; a query is a sum of a
product of tables, and the order in which it is summed is kept for the next query of its kind.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..arrays import Array
from ..errors import InputError, did_you_mean, short
from ..graphs.names import Names, as_names, flat_names, one_name
from ..model.elimination import Factor
from ..model.scm import SCM, check_model

Given = Mapping[str, float]
Treatment = str | Sequence[str] | Mapping[str, Sequence[float]]


def distribution(model: SCM, *names: Names, given: Given | None = None, step: int = 0) -> Array:
    """P(names | given) at one step, among episodes that reach it.

    Names come one by one or in a list. Returns an array with one axis for each name; the values
    along an axis are those of `model.tables.support(name)`, ascending. Observing is `given`,
    intervening is `distribution(model.do(...), ...)`. Raises InputError if `given` has probability
    zero, or without names.
    """
    flat = flat_names(names)
    if not flat:
        raise InputError("name a variable or several, as in distribution(model, 'x', 'y')")
    check_names(model, flat)
    if len(set(flat)) < len(flat):
        raise InputError(f"name each variable once, and got {', '.join(flat)}")
    joint = model.tables.slice(flat, step == 0, _evidence(model, given, step))
    total = joint.sum()
    if total <= 0:
        raise _impossible(model, given)
    return np.asarray(joint / total)


def expectation(model: SCM, name: Names, given: Given | None = None, step: int = 0) -> float:
    """E[name | given] at one step, among episodes that reach it.

    Raises InputError if `given` has probability zero.
    """
    name = one_name(name, "an expectation")
    check_names(model, (name,))
    evidence = _evidence(model, given, step)
    total = model.tables.slice((), step == 0, evidence)
    if total <= 0:
        raise _impossible(model, given)
    return float(model.tables.slice((), step == 0, evidence, mean=name) / total)


def effect(
    model: SCM,
    outcome: str | Sequence[str],
    treatment: Treatment,
    given: Given | None = None,
    step: int = 0,
) -> Array:
    """P(outcome | do(treatment), given) at one step, for all values of the treatment at once.

    Returns an array with an axis for each treatment and then one for each outcome, in the order in
    which they are named. A mapping of treatments, such as {"x": [0, 2]}, names the values to set;
    its axis has these only, in this order. An intervention holds at every step, as in `model.do`,
    so that some values may end every episode before the step. Raises InputError if a variable is
    named twice, or if `given`, or an episode that long, has probability zero under one of the
    interventions; the message names it.
    """
    treatments = as_names(treatment)
    names = (*treatments, *as_names(outcome))
    if len(set(names)) < len(names):
        raise InputError(
            f"name each outcome and treatment once, and not as both; got {', '.join(names)}"
        )
    check_names(model, names)
    evidence = _evidence(model, given, step, treatments) if given or step else ()
    joint = model.tables.slice(names, step == 0, evidence, treatments)
    if isinstance(treatment, Mapping):
        joint = joint[np.ix_(*(_places(model, name, values) for name, values in treatment.items()))]
    if not evidence:
        return joint
    total = joint.sum(tuple(range(len(treatments), len(names))), keepdims=True)
    if (total <= 0).any():
        levels: Mapping[str, Sequence[float]] = (
            treatment
            if isinstance(treatment, Mapping)
            else {name: model.tables.support(name).tolist() for name in treatments}
        )
        raise _impossible(model, given, _under(levels, np.argwhere(total <= 0)[0]))
    return np.asarray(joint / total)


def _places(model: SCM, name: str, values: Sequence[float]) -> list[int]:
    """The positions of some values in the support of a variable."""
    if np.ndim(values) != 1 or not len(values):
        raise InputError(f"{name} takes a list of the values to set, and got {values!r}")
    return [int(_indicator(model, name, value).table.argmax()) for value in values]


def _under(levels: Mapping[str, Sequence[float]], cell: Array) -> str:
    """The end of an error message that names the intervention in a cell of the treatments."""
    pairs = zip(levels.items(), cell, strict=False)
    settings = ", ".join(f"{name}={values[place]:g}" for (name, values), place in pairs)
    first = next(iter(levels))
    return f" under do({settings}); name the values that can be done, as in {{{first!r}: [...]}}"


def _evidence(
    model: SCM, given: Given | None, step: int, held: tuple[str, ...] = ()
) -> tuple[Factor, ...]:
    """The factors of a query: indicators of what is given, and the message of the step before."""
    if not isinstance(step, int | np.integer):
        raise InputError(f"a step is a whole number, and {step!r} was asked for")
    if not 0 <= step < model.horizon:
        raise InputError(
            f"{type(model).__name__} has steps 0 to {model.horizon - 1}, and step {step} was "
            "asked for"
        )
    evidence = checked_given(given)
    check_names(model, evidence)
    indicators = [_indicator(model, name, value) for name, value in evidence.items()]
    return (*indicators, *model.tables.message(step, held))


def checked_given(given: Given | None) -> dict[str, float]:
    """The evidence as a dict. Raises InputError unless it maps each variable to one number."""
    if given is not None and not isinstance(given, Mapping):
        raise InputError(f"given maps variables to values, as in {{'x': 1}}, and is {short(given)}")
    evidence = dict(given or {})
    for name, value in evidence.items():
        if np.ndim(value) or np.asarray(value).dtype.kind not in "biuf":
            raise InputError(f"a value of {name} is one number, and {value!r} was given")
    return evidence


def _indicator(model: SCM, name: str, value: float) -> Factor:
    """The factor of the evidence that a variable has a value, which must be one number."""
    if np.ndim(value) or np.asarray(value).dtype.kind not in "biuf":
        raise InputError(f"a value of {name} is one number, and {value!r} was given")
    return model.tables.indicator(name, float(value))


def _impossible(model: SCM, given: Given | None, when: str = "") -> InputError:
    settings = ", ".join(f"{name}={value:g}" for name, value in (given or {}).items())
    evidence = settings or "an episode so long"
    return InputError(f"{evidence} has probability zero in {type(model).__name__}{when}")


def check_names(model: SCM, names: Iterable[str]) -> None:
    """Raise InputError if a name is not a variable of the model, or the model is none."""
    check_model(model)
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"the name of a variable is a text, and {name!r} was given")
        if name not in model.variables:
            raise InputError(
                f"{name!r} is not a variable of {type(model).__name__}; "
                f"{did_you_mean(name, model.variables)}"
            )
