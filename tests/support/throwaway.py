"""Models for the tests alone, with what the catalogue has none of.

They are loaded as a user's file is.
"""

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    Normal,
    World,
    action,
    context,
    latent,
    logged,
    reward,
    selection,
    shift,
    terminal,
)


def _first_charge(model: World, trait: Array) -> Bernoulli:
    return Bernoulli(0.3 + 0.4 * trait)


class Relay(World):
    """All that time can bring:

    a latent that persists, causes one step earlier, two contexts, and an early end.
    """

    horizon: int = 3
    discount: float = 0.9

    @latent.starting(Bernoulli(0.4))
    def trait(self, trait_tm1: Array) -> Exactly:
        return Exactly(trait_tm1)

    @context.starting(_first_charge)
    def charge(self, charge_tm1: Array, push_tm1: Array, trait: Array) -> Categorical:
        up = 0.2 + 0.5 * push_tm1 * trait + 0.2 * (1 - push_tm1)
        at = np.eye(3)
        higher, lower = at[np.minimum(charge_tm1 + 1, 2)], at[np.maximum(charge_tm1 - 1, 0)]
        return Categorical(up[:, None] * higher + (1 - up)[:, None] * lower)

    @context.starting(Bernoulli(0.5))
    def lamp(self, pay_tm1: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.6 * pay_tm1)

    @action
    def push(self, charge: Array, trait: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.5 * trait + 0.1 * charge)

    @logged
    def spark(self, push: Array, charge: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.3 * push + 0.2 * charge)

    @reward
    def pay(self, spark: Array, push: Array, trait: Array) -> Exactly:
        return Exactly(0.5 * spark + 0.5 * (push == trait))

    @terminal
    def burnt(self, spark: Array, push: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.4 * spark * push)

    @shift
    def fireproof(self) -> World:
        return self.do(burnt=0)

    @shift
    def dark(self) -> World:
        return self.do(lamp=Bernoulli(0.1))


class Orchard(World):
    """Harvest (0) or plant (1):

    to plant is best at the first step of two and worthless at the second.
    """

    horizon: int = 2

    @context.starting(Exactly(0))
    def trees(self, trees_tm1: Array, plant_tm1: Array) -> Bernoulli:
        return Bernoulli(np.where(trees_tm1 == 1, 1.0, 0.5 * plant_tm1))

    @action
    def plant(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def apples(self, trees: Array, plant: Array) -> Exactly:
        return Exactly(np.where(trees == 1, 3.2, 1.0 * (plant == 0)))


class Dawn(World):
    """The first step is not like the others:

    to bet on the sun is best, and only because it is discounted least.
    """

    horizon: int = 3
    discount: float = 0.5

    @latent.starting(Bernoulli(0.9))
    def sun(self) -> Bernoulli:
        return Bernoulli(0.3)

    @action
    def bet(self, sun: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.5 * sun)

    @reward
    def win(self, sun: Array, bet: Array) -> Exactly:
        return Exactly(sun == bet)


class Survivors(World):
    """Who has lost is mostly not recorded: selection beside a hidden common cause."""

    @latent
    def luck(self) -> Bernoulli:
        return Bernoulli(0.5)

    @context
    def mood(self, luck: Array) -> Bernoulli:
        return Bernoulli(0.3 + 0.4 * luck)

    @action
    def bet(self, luck: Array, mood: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.4 * luck + 0.2 * mood)

    @reward
    def win(self, luck: Array, bet: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.6 * luck - 0.1 * bet)

    @selection
    def recorded(self, win: Array, bet: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.6 * win + 0.2 * bet)


class Gauge(World):
    """Continuous variables, and a Box of two readings:

    the drug helps the hot and harms the cold.
    """

    @latent
    def fever(self) -> Normal:
        return Normal(0.0, 1.0)

    @context
    def skin(self, fever: Array) -> Normal:
        return Normal(fever, 0.3)

    @context
    def room(self) -> Normal:
        return Normal(0.0, 2.0)

    @action
    def drug(self, fever: Array) -> Bernoulli:
        return Bernoulli(1.0 / (1.0 + np.exp(-2.0 * fever)))

    @logged
    def pulse(self, fever: Array) -> Normal:
        return Normal(60.0 + 10.0 * fever, 5.0)

    @reward
    def relief(self, fever: Array, drug: Array) -> Normal:
        return Normal(fever * (2 * drug - 1), 0.1)
