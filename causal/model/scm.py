"""Structural causal models, written as classes: methods are variables, their parameters are their
causes.

`IceCreamShorts().do(ice_cream=1).sample(1000, rng)` is an experiment; without the `do` it is the
log."""

from functools import cached_property

import numpy as np

from ..arrays import Array
from ..counts import check_memory
from ..errors import InputError
from ..graphs.step_graph import LAG
from . import noise
from .distributions import Exactly
from .structure import Columns, Structure
from .tables import Tables, shared
from .validation import check, check_mechanisms


class SCM(Structure):
    """A structural causal model that can be sampled and, if it is discrete, tabulated.

    Subclass it: annotated fields are its knobs, and methods decorated with a role its variables.
    See `Structure` for how they are read, and for the errors."""

    def __post_init__(self) -> None:
        check(self)

    def _check_mechanisms(self) -> None:
        check_mechanisms(self)

    def sample(self, n: int, rng: np.random.Generator | int) -> Columns:
        """Every variable of `n` units: arrays of shape (n,), or (n, horizon) if the horizon is
        longer than one step.

        The process is run to its horizon; ignore what follows a terminal step. The noise is a
        function of one number drawn from `rng`, so that equal generators give the same units under
        every intervention. An integer is the seed of a generator. Raises InputError if `n` is not a
        whole number of at least 0, or `rng` is neither a generator nor a seed."""
        if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 0:
            raise InputError(f"sample takes n, a whole number of at least 0, and got {n!r}")
        check_memory(f"a sample of {n:,} units", n * self.horizon * len(self.variables))
        ids = noise.units(int(generator(rng).integers(2**63)), np.arange(n))
        steps = [self.step(ids, 0, None)]
        for step in range(1, self.horizon):
            steps.append(self.step(ids, step, steps[-1]))
        if self.horizon == 1:
            return steps[0]
        return {
            name: np.stack([values[name] for values in steps], axis=1) for name in self.variables
        }

    def step(
        self,
        ids: noise.UnitIds,
        step: int | Array,
        past: Columns | None,
        known: Columns | None = None,
        names: tuple[str, ...] | None = None,
    ) -> Columns:
        """The values of the variables `names`, all by default, in one step of a batch: arrays (n,).

        `past` holds the values of the step before, and is None at the first step. `known` holds
        values of this step, which are kept. `names` must be in causal order, and their causes among
        them or known."""
        values = dict(known or {})
        clock = noise.clock(step)
        first = past is None
        for name in self.order if names is None else names:
            if name in values:
                continue
            variable = self.variables[name]
            mechanism = variable.first if first else variable.later
            causes = []
            for cause in mechanism.causes:
                if past is not None and cause.endswith(LAG):
                    causes.append(past[cause.removesuffix(LAG)])
                else:
                    causes.append(values[cause])
            law, rows = self.tables.sampling.law(name, first, causes)
            if isinstance(law, Exactly):
                uniform = np.empty(len(ids))  # not read
            else:
                uniform = noise.at(ids, variable.stream, clock)
            values[name] = law.sample(uniform, rows)
        return values

    @cached_property
    def tables(self) -> Tables:
        """The conditional probability tables of the model; equal models share them."""
        return shared(self)


def check_model(model: object) -> None:
    """Raise InputError unless this is an instance of a model's class."""
    if isinstance(model, type):
        raise InputError(f"{model.__name__} is a class; give an instance, {model.__name__}()")
    if not isinstance(model, SCM):
        raise InputError(
            f"a model is an instance of a class of SCM, and got {type(model).__name__}"
        )


def generator(rng: np.random.Generator | int) -> np.random.Generator:
    """The generator itself, or the one with this seed."""
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
        return np.random.default_rng(int(rng))
    raise InputError(
        "rng must be a numpy.random.Generator or a seed of at least 0, and got "
        f"{type(rng).__name__} {rng!r}"
    )
