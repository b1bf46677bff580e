"""What the tests of linear-Gaussian models share."""

import numpy as np

from dosuite.causal import (
    Array,
    Exactly,
    Normal,
    World,
    action,
    context,
    latent,
    logged,
    reward,
)
from dosuite.causal.exact import LinearGaussian


class Homework(World):
    """Encouragement, homework and exam score, in standard deviations:

    Pearl, Glymour and Jewell, Primer, figure 4.1.
    """

    @action
    def encouragement(self) -> Normal:
        return Normal(0.0, 1.0)

    @logged
    def homework(self, encouragement: Array) -> Normal:
        return Normal(0.5 * encouragement, 1.0)

    @reward
    def score(self, encouragement: Array, homework: Array) -> Normal:
        return Normal(0.7 * encouragement + 0.4 * homework, 1.0)


class Market(World):
    """A hidden demand behind price and sales, a cost that moves only the price, and a sum without
    noise.
    """

    @latent
    def demand(self) -> Normal:
        return Normal(10.0, 2.0)

    @context
    def season(self, demand: Array) -> Normal:
        return Normal(demand - 10.0, 0.5)

    @logged
    def cost(self) -> Normal:
        return Normal(3.0, 1.5)

    @action
    def price(self, cost: Array, demand: Array) -> Normal:
        return Normal(2.0 + 0.8 * cost + 0.5 * demand, 0.3)

    @logged
    def sold(self, price: Array, demand: Array) -> Normal:
        return Normal(4.0 - 1.5 * price + 2.0 * demand, 1.0)

    @reward
    def margin(self, price: Array, cost: Array, sold: Array) -> Exactly:
        return Exactly(price - cost + 0.1 * sold)


def _start(model: World) -> Normal:
    return Normal(1.0, 0.5)


class Plant(World):
    """A persistent wind, a gain on what is seen, and a first step with laws of its own."""

    horizon: int = 5

    @latent.starting(Normal(0.0, 1.0))
    def wind(self, wind_tm1: Array) -> Normal:
        return Normal(0.9 * wind_tm1, 0.4)

    @context.starting(_start)
    def tilt(self, tilt_tm1: Array, push_tm1: Array, wind_tm1: Array) -> Normal:
        return Normal(1.1 * tilt_tm1 + 0.5 * push_tm1 + 0.3 * wind_tm1, 0.1)

    @action
    def push(self, tilt: Array, wind: Array) -> Normal:
        return Normal(-0.8 * tilt - 0.4 * wind, 0.2)

    @reward
    def comfort(self, tilt: Array, push: Array) -> Exactly:
        return Exactly(-tilt - 0.1 * push)


def draw(model: World, linear: LinearGaussian, n: int, seed: int = 1) -> Array:
    """A sample (n, variables), with the variables in the order of the linear model."""
    columns = {
        name: column.reshape(n, -1)
        for name, column in model.sample(n, np.random.default_rng(seed)).items()
    }
    return np.stack(
        [
            columns[n_][:, 0] if isinstance(n_, str) else columns[n_[0]][:, n_[1]]
            for n_ in linear.names
        ],
        axis=1,
    )
