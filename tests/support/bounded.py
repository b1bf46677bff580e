"""Graphs, tables and quantities that bounds are about."""

from collections.abc import Mapping, Sequence

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Exactly,
    Factor,
    ResponseTypes,
    World,
    action,
    bounds,
    context,
    latent,
    reward,
)
from dosuite.causal.partial_identification import TypeMixture, UnitQuantity

ATTAINED = 1e-7

Parents = Mapping[str, tuple[str, ...]]

BOW: Parents = {"x": (), "y": ("x",)}
INSTRUMENT: Parents = {"z": (), "d": ("z",), "y": ("d",)}
FRONT_DOOR: Parents = {"x": (), "m": ("x",), "y": ("m",)}
CLINIC: Parents = {"age": (), "drug": ("age",), "cure": ("age", "drug")}
TRIO: Parents = {"a": (), "b": ("a",), "c": ("b",)}

# Balke and Pearl (1997), section 5: counts of (capsules assigned z, taken d, survived y).
VITAMIN_A = np.array([[[74, 11514], [0, 0]], [[34, 2385], [12, 9663]]])
# Balke and Pearl (1997), section 5, the Lipid Research Clinics trial: counts of (assigned z, taken
# d, response y).
LIPID = np.array([[[158, 14], [0, 0]], [[52, 12], [23, 78]]])
# The influenza trial of McDonald, Hiu and Tierney (1992), as in the documentation of the R package
# noncompliance.
INFLUENZA = np.array([[[99, 1027], [30, 233]], [[84, 935], [31, 422]]])


def mean_of(y: str, **interventions: float) -> UnitQuantity:
    return lambda do: do(**interventions)[y]


def effect_of(x: str, y: str) -> UnitQuantity:
    return lambda do: do(**{x: 1})[y] - do(**{x: 0})[y]


def typed(
    parents: Parents,
    latents: Sequence[Sequence[str]],
    table: Array,
    supports: Mapping[str, Array] | None = None,
) -> ResponseTypes:
    """The response types of a table whose axes are in the order of `parents`."""
    return ResponseTypes(parents, latents, Factor(tuple(parents), table), supports)


def random_truth(
    parents: Parents, latents: Sequence[tuple[str, ...]], sizes: tuple[int, ...], seed: int
) -> TypeMixture:
    """A random model with these sizes:

    a law over the response types of each district, now and then with few types.
    """
    rng = np.random.default_rng(seed)
    shape = typed(parents, latents, np.ones(sizes))
    laws = tuple(
        rng.dirichlet(np.full(district.size, 0.1 if seed % 2 else 1.0))
        for district in shape.districts
    )
    return TypeMixture(shape, laws)


def ends(types: ResponseTypes, quantity: UnitQuantity) -> list[float]:
    found = bounds(types, quantity)
    return [found.low, found.high]


class Memory(World):
    """A trait that persists: in the log only the gifted reach the second floor."""

    horizon: int = 2

    @latent.starting(Bernoulli(0.5))
    def gift(self, gift_tm1: Array) -> Exactly:
        return Exactly(gift_tm1)

    @context.starting(Exactly(0))
    def floor(self, climb_tm1: Array) -> Exactly:
        return Exactly(climb_tm1)

    @action
    def climb(self, gift: Array) -> Exactly:
        return Exactly(gift)

    @reward
    def prize(self, floor: Array, gift: Array, climb: Array) -> Exactly:
        return Exactly(floor * gift * climb)
