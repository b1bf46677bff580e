"""Structural causal models, written as classes: methods are variables, their parameters are their
causes.

`IceCreamShorts().do(ice_cream=1).sample(1000, rng)` is an experiment; without the `do` it is the
log."""

from functools import cached_property

import numpy as np

from ..arrays import Array
from ..graphs.step_graph import LAG
from . import noise
from .distributions import Exactly
from .structure import Columns, Structure
from .tables import Tables, shared
from .validation import check


class SCM(Structure):
    """A structural causal model. Subclass it; annotated fields are its knobs and become keyword
    arguments.

    A parameter `x_tm1` of a mechanism is `x` one step earlier. Models are immutable, hashable and
    picklable. Raises InputError when the class is made if the model is not well formed, and when an
    object is made if a knob has the wrong type or drives a probability out of [0, 1]."""

    def __post_init__(self) -> None:
        check(self)

    def sample(self, n: int, rng: np.random.Generator) -> Columns:
        """Every variable of `n` units: arrays of shape (n,), or (n, horizon) if the horizon is
        longer than one step.

        The process is run to its horizon; what follows a terminal step is to be ignored. The noise
        is a function of one number drawn from `rng`, so that equal generators give the same units
        under every `do`."""
        ids = noise.units(int(rng.integers(2**63)), np.arange(n))
        steps: list[Columns] = []
        for step in range(self.horizon):
            steps.append(self.step(ids, step, steps[-1] if steps else None))
        if self.horizon == 1:
            return steps[0]
        return {
            name: np.stack([values[name] for values in steps], axis=1) for name in self.variables
        }

    def step(
        self,
        ids: noise.Units,
        step: int | Array,
        past: Columns | None,
        known: Columns | None = None,
        names: tuple[str, ...] | None = None,
    ) -> Columns:
        """The variables `names` (all, if not given) of one step of a batch: arrays of shape (n,).

        `past` holds the step before, and is None at the first step; `known` holds what is already
        known of this one."""
        values, clock = dict(known or {}), noise.clock(step)
        for name in self.order if names is None else names:
            if name in values:
                continue
            variable = self.variables[name]
            mechanism = variable.first if past is None else variable.later
            causes = [
                past[c.removesuffix(LAG)] if past and c.endswith(LAG) else values[c]
                for c in mechanism.causes
            ]
            law, rows = self.tables.law(name, past is None, causes)
            still = isinstance(law, Exactly)
            values[name] = law.sample(
                np.empty(len(ids)) if still else noise.at(ids, variable.stream, clock), rows
            )
        return values

    @cached_property
    def tables(self) -> Tables:
        """The conditional probability tables of the model, which equal models share."""
        return shared(self)
