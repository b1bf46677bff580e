"""A world in which a spurious feature changes sides in the deployment."""

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Exactly,
    World,
    action,
    context,
    latent,
    logged,
    reward,
    shift,
)


class ColouredShapes(World):
    """Name the shape.

    The colour goes with it, more in one domain than in the other, and against it in the deployment.
    """

    deployment = "repainted"

    @logged
    def domain(self) -> Bernoulli:
        return Bernoulli(0.5)

    @context
    def shape(self) -> Bernoulli:
        return Bernoulli(0.5)

    @latent
    def name(self, shape: Array) -> Bernoulli:
        return Bernoulli(0.25 + 0.5 * shape)

    @context
    def colour(self, name: Array, domain: Array) -> Bernoulli:
        same = 0.9 - 0.1 * domain
        return Bernoulli(np.where(name == 1, same, 1.0 - same))

    @action
    def guess(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def right(self, guess: Array, name: Array) -> Exactly:
        return Exactly(guess == name)

    @shift
    def repainted(self) -> World:
        return self.do(colour=_otherwise)


def _otherwise(name: Array) -> Bernoulli:
    return Bernoulli(np.where(name == 1, 0.1, 0.9))
