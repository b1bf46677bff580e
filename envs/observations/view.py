"""How a model's contexts are shown to the agent, and what an agent sees of each context.

A model's field `observation` names the view: "" shows contexts as they are, "digits" as images.
What is shown depends on the context and on fresh randomness that is independent of everything else.
So a policy on rich observations is a random policy on contexts, whose probabilities are averages
over what each context can look like, and its value is as exact as that of a table.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from dosuite.causal import SCM, Array, InputError, NotDiscreteError
from dosuite.causal.arrays import Integers
from dosuite.causal.errors import did_you_mean
from dosuite.causal.model import noise

from ..settings import bracketed, parse, typed, unparse
from ..spaces import Space, all_observations, context_space, unedited

KINDS = {"digits": "digits:Digits", "noise": "noise:Noise"}  # modules of this folder and classes
NUISANCE = "nuisance"  # digits with one more context, which `make_model` adds
CHUNK = 2**14  # observations that a policy is asked about at a time


class View(ABC):
    """A way to show contexts. `space` is that of the observations."""

    space: Space
    finite: ClassVar[bool]  # whether a context has finitely many, equally likely observations
    banks: ClassVar[tuple[str, ...]] = ()  # names of separate sets of exemplars, if there are any

    @abstractmethod
    def show(
        self, contexts: Array, ids: noise.UnitIds, stream: str, step: noise.Numbers = 0
    ) -> Array:
        """Observations (n, ...) of contexts (n,) or (n, contexts), as `context_space` has them.

        The randomness is a function of the ids (n,), the name of the stream and the step.
        """

    def exemplars_of(self, contexts: Array) -> Array:
        """All equally likely observations of each context: (n, exemplars, ...).

        Raises NotDiscreteError if there are infinitely many.
        """
        raise NotDiscreteError(
            "the observations of a context are drawn from a continuous law, and cannot be counted"
        )


class Plain(View):
    """Contexts as they are."""

    finite = True

    def __init__(self, space: Space):
        self.space = space

    def show(
        self, contexts: Array, ids: noise.UnitIds, stream: str, step: noise.Numbers = 0
    ) -> Array:
        return contexts

    def exemplars_of(self, contexts: Array) -> Array:
        return contexts[:, None]


def view_of(model: SCM) -> View:
    """How the contexts of a model are shown.

    Raises InputError if its `observation` names no view, has wrong settings, or needs contexts that
    can be counted.
    """
    return _view_of(unedited(model))


@lru_cache(maxsize=256)
def _view_of(model: SCM) -> View:
    text = getattr(model, "observation", "")
    if not text:
        return Plain(context_space(model))
    name, settings = parse(text)
    if name not in KINDS:
        if name == NUISANCE:
            raise InputError(f'make_model adds a nuisance: make_model(ID, observation="{name}")')
        known = [*KINDS, NUISANCE]
        raise InputError(f"{text!r} is not an observation; {did_you_mean(name, known)}")
    module, _, class_name = KINDS[name].partition(":")
    kind: Any = getattr(import_module(f".{module}", __package__), class_name)
    try:
        supports = tuple(model.tables.support(context) for context in model.contexts)
    except NotDiscreteError as error:
        raise InputError(
            f"the observation {name} needs contexts that can be counted, and those of "
            f"{type(model).__name__} are numbers; leave the observation out"
        ) from error
    view: View = kind(supports, **typed(kind, settings))
    return view


def observation_space(model: SCM) -> Space:
    """The space of what the agent sees of a model: that of the unedited model, for every shift."""
    return view_of(model).space


def shown_contexts(model: SCM) -> Array:
    """All equally likely observations of each context: (C, exemplars, ...).

    Contexts are in the order of `all_observations`. Raises NotDiscreteError if they, or what they
    look like, cannot be counted.
    """
    return view_of(model).exemplars_of(all_observations(model))


def every_observation(model: SCM) -> Array:
    """All that the contexts of a model can look like, in every bank: (exemplars * C, ...).

    Row i is of context i % C. Raises NotDiscreteError as `shown_contexts` does.
    """
    banks = view_of(model).banks
    models = [with_bank(model, bank) for bank in banks] if banks else [model]
    parts = []
    for each in models:
        shown = shown_contexts(each)
        parts.append(shown.swapaxes(0, 1).reshape(-1, *shown.shape[2:]))
    return np.concatenate(parts)


def context_mean(model: SCM, answer: Callable[[Array], Array]) -> Array:
    """The mean of an agent's answers over all that each context looks like: (C, ...).

    `answer` takes observations (n, ...) and gives answers (n, ...). Raises NotDiscreteError as
    `shown_contexts` does.
    """
    shown = shown_contexts(model)
    contexts, exemplars = shown.shape[:2]
    observations = shown.reshape(contexts * exemplars, *shown.shape[2:])
    if exemplars == 1:
        return answer(observations)
    starts = range(0, len(observations), CHUNK)
    answers = np.concatenate([answer(observations[i : i + CHUNK]) for i in starts])
    return np.asarray(answers.reshape(contexts, exemplars, *answers.shape[1:]).mean(1))


def with_bank(model: Any, bank: str) -> Any:
    """The model that shows exemplars of another bank; None if its view has no such bank."""
    if bank not in view_of(model).banks:
        return None
    name, settings = parse(model.observation)
    return replace(model, observation=bracketed(unparse(name, settings | {"bank": bank})))


def context_positions(supports: tuple[Array, ...], contexts: Array) -> list[Integers]:
    """The position of each context's value among its possible values: (n,) for each context."""
    columns = contexts.reshape(len(contexts), -1)
    return [
        np.searchsorted(support.astype(columns.dtype), columns[:, i])
        for i, support in enumerate(supports)
    ]
