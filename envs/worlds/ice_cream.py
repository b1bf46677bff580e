"""Ice cream does not put anyone in shorts."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    Ranges,
    World,
    action,
    context,
    latent,
    logged,
    reward,
    shift,
)


class IceCreamShorts(World):
    """Give a passer-by an ice cream (1) or not (0); shorts earn 1, an ice cream costs 0.2.

    Heat sells ice cream and bares knees. In the log ice cream was given on hot days, so the two go
    together; giving out ice cream does not change anyone's clothes. That it has no effect on
    clothes is a number (`effect` = 0), not a missing arrow: the graph alone does not rule an effect
    out.

        ice_cream <-- heat --> shorts
            |                    ^ |
            +---- effect = 0 ----+ +--> pay <-- ice_cream

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is in [-0.2, 1].

    Trap: 1, since E[pay | ice_cream=1] = 0.615 > E[pay | ice_cream=0] = 0.135.
    Way out: interventions.
    Best: 0, since E[pay | do(ice_cream=0)] = 0.475 > E[pay | do(ice_cream=1)] = 0.275.

    Source: the example of Kirk and Krueger (2022).
    """

    held_out: ClassVar[Ranges] = {"heat": (0.05, 0.95), "effect": (-0.05, 0.05)}

    confounding: float = 0.8  # P(ice cream | hot) - P(ice cream | cold), in the log
    effect: float = 0.0  # of an ice cream on P(shorts)

    @latent
    def heat(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action
    def ice_cream(self, heat: Array) -> Bernoulli:
        return Bernoulli(0.5 + self.confounding * (heat - 0.5))

    @logged
    def shorts(self, heat: Array, ice_cream: Array) -> Bernoulli:
        return Bernoulli(0.05 + 0.85 * heat + self.effect * ice_cream)

    @reward
    def pay(self, ice_cream: Array, shorts: Array) -> Exactly:
        return Exactly(shorts - 0.2 * ice_cream)

    @shift
    def cold_snap(self) -> World:
        return self.do(heat=Bernoulli(0.1))

    @shift
    def heat_wave(self) -> World:
        return self.do(heat=Bernoulli(0.95))

    @shift
    def ice_cream_chill(self) -> World:
        return replace(self, effect=-0.05)

    @shift
    def causal_twin(self) -> World:
        """Ice cream does put people in shorts: the confused policy wins."""
        return self.do(shorts=_persuaded)


class Thermo(IceCreamShorts):
    """A thermometer shows the heat, with errors. As `reliability` grows, the confused beliefs
    improve gradually and the confused policy in one step.

    Observation: Discrete(2), the reading. Otherwise as IceCreamShorts.

    Trap: 1 1, since promised = 0.558 > J(confused) = 0.275.
    Way out: interventions.
    Best: 0 0, since J(causal) = 0.475 > J(uniform) = 0.375.

    Source: as IceCreamShorts.
    """

    reliability: float = 0.8  # P(reading = heat)

    @context
    def reading(self, heat: Array) -> Bernoulli:
        return Bernoulli(np.where(heat == 1, self.reliability, 1.0 - self.reliability))


class Domains(IceCreamShorts):
    """On some days ice cream is banned (domain 1) or mandatory (domain 2): rows with these labels
    are as good as interventions.

    If the labels are ignored, the pooled log stays confused until most days are of these kinds.

    Trap: 1, since E[pay | ice_cream=1] = 0.547 > E[pay | ice_cream=0] = 0.203.
    Way out: interventions.
    Best: 0, since E[pay | domain=1] = 0.475 > E[pay | domain=2] = 0.275.

    Source: as IceCreamShorts.
    """

    interventional: float = 0.2  # share of days that are not normal, half of them banned

    @logged
    def domain(self) -> Categorical:
        return Categorical(
            np.array([1.0 - self.interventional, self.interventional / 2, self.interventional / 2])
        )

    @action
    def ice_cream(self, heat: Array, domain: Array) -> Bernoulli:
        normal = 0.5 + self.confounding * (heat - 0.5)
        return Bernoulli(np.where(domain == 0, normal, domain == 2))


class DiscountDay(IceCreamShorts):
    """On discount days people buy more ice cream: an instrument, which bounds the effect but leaves
    its sign open.

    Trap: 1, since E[pay | ice_cream=1] > E[pay | ice_cream=0].
    Way out: interventions.
    Best: 0, since E[shorts | discount_day=1] = 0.475 = E[shorts | discount_day=0].

    Source: as IceCreamShorts.
    """

    @logged
    def discount_day(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action
    def ice_cream(self, heat: Array, discount_day: Array) -> Bernoulli:
        normal = 0.5 + self.confounding * (heat - 0.5)
        return Bernoulli(np.where(discount_day == 1, np.where(heat == 1, 0.98, 0.6), normal))


class NoOverlap(IceCreamShorts):
    """The heat is in the log, but ice cream is given on all hot days and on no others: without
    overlap, observing the confounder does not help.

    Trap: 1, since E[pay | ice_cream=1] = 0.7 > E[pay | ice_cream=0] = 0.05.
    Way out: interventions.
    Best: 0, since E[pay | do(ice_cream=0)] = 0.475 > E[pay | do(ice_cream=1)] = 0.275.

    Source: as IceCreamShorts.
    """

    confounding: float = 1.0

    @logged
    def heat(self) -> Bernoulli:
        return Bernoulli(0.5)


class Twin(IceCreamShorts):
    """Ice cream makes people feel hot, and people who feel hot wear shorts: heat is a mediator, and
    seeing is doing.

    Heat, ice cream and shorts have the joint law of IceCreamShorts, so that not even a log of the
    heat distinguishes the two worlds.

        ice_cream --> heat --> shorts --> pay <-- ice_cream

    Trap: 1, since E[pay | ice_cream=1] = 0.615 > E[pay | ice_cream=0] = 0.135.
    Way out: none needed.
    Best: 1, since E[pay | do(ice_cream=1)] = 0.615 > E[pay | do(ice_cream=0)] = 0.135.

    Source: as IceCreamShorts.
    """

    held_out: ClassVar[Ranges] = {"effect": (-0.05, 0.05)}  # heat has a cause

    @latent
    def heat(self, ice_cream: Array) -> Bernoulli:
        return Bernoulli(0.5 + self.confounding * (ice_cream - 0.5))

    @action
    def ice_cream(self) -> Bernoulli:
        return Bernoulli(0.5)

    def twin(self) -> World:
        return IceCreamShorts(confounding=self.confounding, effect=self.effect)


def _persuaded(heat: Array, ice_cream: Array) -> Bernoulli:
    return Bernoulli(0.05 + 0.55 * heat + 0.39 * ice_cream)
