"""What the tests of estimation share."""

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Factor,
    Normal,
    World,
    action,
    latent,
    logged,
    reward,
)
from dosuite.envs.worlds.simpson import SimpsonClinic

Log = dict[str, Array]


class Ward(World):
    """Three treatments; severity and age behind treatment and recovery, which is a number."""

    @logged
    def severity(self) -> Categorical:
        return Categorical(np.array([0.5, 0.3, 0.2]))

    @logged
    def age(self) -> Bernoulli:
        return Bernoulli(0.4)

    @action
    def drug(self, severity: Array, age: Array) -> Categorical:
        rows = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.3, 0.6]])
        return Categorical(np.where(age[:, None] == 1, rows[severity], rows[severity][:, ::-1]))

    @reward
    def recovery(self, severity: Array, age: Array, drug: Array) -> Normal:
        return Normal(2.0 - severity - age + 0.5 * drug * (1 + age), 0.7)


class Market(World):
    """A hidden demand behind price and sales;

    cost and wages move only the price, the season also the sales.
    """

    @latent
    def demand(self) -> Normal:
        return Normal(0.0, 1.0)

    @logged
    def season(self) -> Bernoulli:
        return Bernoulli(0.5)

    @logged
    def cost(self, season: Array) -> Normal:
        return Normal(0.5 * season, 1.0)

    @logged
    def wages(self) -> Normal:
        return Normal(100.0, 20.0)

    @action
    def price(self, demand: Array, cost: Array, wages: Array, season: Array) -> Normal:
        return Normal(demand + cost + 0.02 * wages + season, 0.5)

    @reward
    def sold(self, demand: Array, price: Array, season: Array) -> Normal:
        return Normal(2.0 * demand - 1.5 * price + 3.0 * season, 0.5)


def draw(model: World, n: int = 5_000, seed: int = 0) -> Log:
    return model.sample(n, np.random.default_rng(seed))


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def back_door(law: Factor) -> Array:
    """E[y | do(x)] from a law with the axes (stratum, x, y), y = 0, 1."""
    p = law.table / law.table.sum()
    return np.asarray((p[:, :, 1] / p.sum(2) * p.sum((1, 2))[:, None]).sum(0))


KIDNEY = ("stratum", "treatment", "recovery")


# Refusals, and corners.


def clinic() -> Log:
    """A log in which nobody severe got the new drug."""
    log = draw(SimpsonClinic(), 500)
    return {
        name: column[(log["stratum"] == 0) | (log["treatment"] == 0)]
        for name, column in log.items()
    }
