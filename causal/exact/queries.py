"""Exact answers about one step of a discrete model: P(y | z), E[y | z], and P(y | do(x)) for all x at once.

Nothing here samples. A model is compiled once into one table for each variable; a question is a sum
of a product of tables, and what is kept of it is how to answer it, not the answer."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..arrays import Array
from ..errors import InputError, did_you_mean
from ..model.elimination import Factor
from ..model.scm import SCM

Given = Mapping[str, float]
Treatment = str | Sequence[str] | Mapping[str, Sequence[float]]


def distribution(model: SCM, *names: str, given: Given | None = None, step: int = 0) -> Array:
    """P(names | given) at one step, for episodes that reach it: one axis for each name, in the order of `model.tables.support`.

    Seeing is `given`; doing is `distribution(model.do(...), ...)`. Raises InputError if `given` has
    probability zero."""
    check_names(model, names)
    joint = model.tables.slice(names, step == 0, _evidence(model, given, step))
    total = joint.sum()
    if total <= 0:
        raise _never(model, given)
    return np.asarray(joint / total)


def expectation(model: SCM, name: str, given: Given | None = None, step: int = 0) -> float:
    """E[name | given] at one step, for episodes that reach it.

    Raises InputError if `given` has probability zero.
    """
    check_names(model, (name,))
    evidence = _evidence(model, given, step)
    total = model.tables.slice((), step == 0, evidence)
    if total <= 0:
        raise _never(model, given)
    return float(model.tables.slice((), step == 0, evidence, mean=name) / total)


def effect(
    model: SCM,
    outcome: str | Sequence[str],
    treatment: Treatment,
    given: Given | None = None,
    step: int = 0,
) -> Array:
    """P(outcome | do(treatment), given) at one step, for all values of the treatment at once: its axis, then the outcome's.

    Several outcomes or treatments have an axis each, in their order. An intervention holds at every
    step, as that of `model.do`, so that some values may end every episode before the step. A
    mapping, such as {"x": [0, 2]}, names the values to be done: its axis has these alone, in their
    order. Raises InputError if one of the variables is named twice, or if `given`, or an episode so
    long, has probability zero under one of the interventions; the message names it."""
    treatments = (treatment,) if isinstance(treatment, str) else tuple(treatment)
    names = (*treatments, outcome) if isinstance(outcome, str) else (*treatments, *outcome)
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
        done = (
            dict(treatment)
            if isinstance(treatment, Mapping)
            else {name: model.tables.support(name).tolist() for name in treatments}
        )
        raise _never(model, given, _under(done, np.argwhere(total <= 0)[0]))
    return np.asarray(joint / total)


def _places(model: SCM, name: str, values: Sequence[float]) -> list[int]:
    """The places of some values in the support of a variable."""
    return [int(model.tables.indicator(name, value).table.argmax()) for value in values]


def _under(done: Mapping[str, Sequence[float]], places: Array) -> str:
    what = [
        f"{name}={values[place]:g}"
        for (name, values), place in zip(done.items(), places, strict=False)
    ]
    return f" under do({', '.join(what)}); name the values that can be done, as in {{{next(iter(done))!r}: [...]}}"


def _evidence(
    model: SCM, given: Given | None, step: int, held: tuple[str, ...] = ()
) -> tuple[Factor, ...]:
    """What is given, and what the step carries over from the step before."""
    if not 0 <= step < model.horizon:
        raise InputError(
            f"{type(model).__name__} has steps 0 to {model.horizon - 1}, and step {step} was "
            "asked for"
        )
    check_names(model, given or ())
    indicators = (model.tables.indicator(name, value) for name, value in (given or {}).items())
    return (*indicators, *model.tables.message(step, held))


def _never(model: SCM, given: Given | None, when: str = "") -> InputError:
    evidence = (
        ", ".join(f"{name}={value:g}" for name, value in (given or {}).items())
        or "an episode so long"
    )
    return InputError(f"{evidence} has probability zero in {type(model).__name__}{when}")


def check_names(model: SCM, names: Iterable[str]) -> None:
    """Raise InputError if a name is not a variable of the model."""
    for name in names:
        if name not in model.variables:
            raise InputError(
                f"{name!r} is not a variable of {type(model).__name__}; "
                f"{did_you_mean(name, model.variables)}"
            )
