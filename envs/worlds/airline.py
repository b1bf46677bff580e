"""A ticket costs more when more people want to fly, so that in the log expensive tickets sell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Categorical,
    Distribution,
    Exactly,
    InputError,
    Normal,
    Ranges,
    Uniform,
    World,
    action,
    context,
    latent,
    logged,
    reward,
    shift,
)

NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)  # Gauss-Legendre quadrature on [-1, 1]
PANELS = 200  # intervals of the time, before those at which a policy jumps are split

Number = Array | float
Function = Callable[[Array, Array], Array]  # of time and customer


def season(time: Array) -> Array:
    """psi(t) of the simulation of Hartford et al. (2017): the effect of the time of the year, from
    0 to 10, on both price and sales. The smaller it is, the more a price deters.
    """
    from_middle = time - 5.0
    bump = from_middle**4 / 600.0 + np.exp(-4.0 * from_middle**2)
    return np.asarray(2.0 * (bump + time / 10.0 - 2.0))


class AirlinePricing(World):
    """Set the price of a flight, given the time of the year and the type of customer; the reward is
    the sales plus a margin on the price.

    Events that nobody recorded, such as a congress in town, raise both the demand and the price
    that the airline used to ask. So in the log an expensive ticket sells better than it would if
    its price were set as high on purpose. The cost of fuel moves the price alone.

        time, fuel, event --> price --> sales <-- time, customer, event
                                |         |
                                +-> revenue

    Observation: Box (2,), the time in [0, 10] and the customer, a whole number from 1 to 7. Action:
    Box (1,), a price in [10, 30]; the prices of the log have no bounds. One step; the reward is the
    sales, scaled to a standard deviation of 1 about their mean, plus 0.04 for each unit of price
    above 20, and J is its mean.

    For the confused policy and for the best one the revenue is linear in the price, so both ask 10
    or 30. J(uniform) is the value of a price drawn uniformly from [10, 30], J(worst) that of the
    worst price at each time and for each customer. A policy that also sees the intent, the price
    that the airline would ask, learns about the event; the event does not change the effect of a
    price, and so the policy earns no more.

    Trap: since promised = 0.654 > J(causal) > J(uniform) = -0.232 and J(behaviour) = -0.103 >
    J(confused) = -0.117.
    Way out: the instrument fuel.
    Best: since J(causal) = 0.162 = J(intent).

    Source: the simulated airline demand of Hartford et al. (2017). The error of the sales is in
    units of the scaled sales, since in units of the unscaled ones the confounding is negligible;
    the margin and the bounds are ours."""

    action_bounds: ClassVar[tuple[float, float]] = (10.0, 30.0)

    held_out: ClassVar[Ranges] = {"sensitivity": (0.8, 1.2)}

    rho: float = 0.5  # correlation of the event and the error of the sales
    sensitivity: float = 1.0  # of the sales to the price; 1 is the published one

    def __post_init__(self) -> None:
        super().__post_init__()
        if abs(self.rho) > 1:
            raise InputError(f"rho is a correlation, from -1 to 1, and got {self.rho}")

    @context
    def time(self) -> Uniform:
        return Uniform(0.0, 10.0)

    @context
    def customer(self) -> Categorical:
        return Categorical(np.full(7, 1 / 7), np.arange(1, 8))

    @logged
    def fuel(self) -> Normal:
        return Normal(0.0, 1.0)

    @latent
    def event(self) -> Normal:
        return Normal(0.0, 1.0)

    @action
    def price(self, time: Array, fuel: Array, event: Array) -> Exactly:
        # Hartford et al.: p = 25 + (z + 3) psi(t) + v.
        return Exactly(25.0 + (fuel + 3.0) * season(time) + event)

    @logged
    def sales(self, time: Array, customer: Array, price: Array, event: Array) -> Normal:
        # Hartford et al.: y = 100 + (10 + p) s psi(t) - 2 p + e, with corr(e, v) = rho;
        # here y is shifted and scaled.
        demand = customer * season(time)
        mean = (10.0 * demand + self.sensitivity * (demand - 2.0) * price + 292.1) / 158.0
        return Normal(mean + self.rho * event, np.sqrt(1.0 - self.rho**2))

    @reward
    def revenue(self, price: Array, sales: Array) -> Exactly:
        return Exactly(sales + 0.04 * (price - 20.0))

    @shift
    def holiday(self) -> World:
        return self.do(time=Uniform(4.5, 5.5))

    @shift
    def off_season(self) -> World:
        return self.do(time=Uniform(1.0, 4.0))

    @shift
    def late(self) -> World:
        return self.do(time=Uniform(8.0, 10.0))

    @shift
    def price_sensitive(self) -> World:
        return replace(self, sensitivity=1.5 * self.sensitivity)

    @shift
    def thrifty_customers(self) -> World:
        return self.do(customer=7)

    @shift
    def easy_customers(self) -> World:
        """Customers whom a price hardly deters: the confused policy asks what the best one asks."""
        return self.do(customer=1)

    def twin(self) -> World | None:
        return Prestige(rho=self.rho, sensitivity=self.sensitivity) if self.rho else None

    def dialled(self, strength: float) -> World:
        """The world whose correlation `rho` is this share of the model's."""
        return replace(self, rho=strength * self.rho)

    def doing(
        self, price: Number, time: Array, customer: Array, fuel: Number = 0.0, event: Number = 0.0
    ) -> Array:
        """E[revenue | time, customer, fuel, event, do(price)]: (n,).

        Linear in price, fuel and event; fuel and event default to their means.
        """
        sales = self._mean(
            "sales", time=time, customer=customer, price=price, fuel=fuel, event=event
        )
        return self._mean("revenue", price=price, sales=sales)

    def seeing(self, price: Number, time: Array, customer: Array) -> Array:
        """E[revenue | time, customer, price] in the log: (n,).

        Price, fuel and event are jointly normal given the time. So the price enters twice: by its
        effect, and by what it tells about fuel and event.
        """
        law = self._law("price", time=time, fuel=0, event=0)
        # How much a unit of fuel and a unit of the event move the price.
        by_fuel = self._mean("price", time=time, fuel=1, event=0) - law.mean()
        by_event = self._mean("price", time=time, fuel=0, event=1) - law.mean()
        own = law.std if isinstance(law, Normal) else 0.0
        # E[fuel | price] = cov(fuel, price) / var(price) (price - mean), and likewise the event.
        excess = (price - law.mean()) / (by_fuel**2 + by_event**2 + own**2)
        return self.doing(price, time, customer, by_fuel * excess, by_event * excess)

    def best_price(self, time: Array, customer: Array) -> Array:
        """The price in the bounds with the highest mean revenue under do(price): (n,)."""
        low, high = self.action_bounds
        return np.where(self._by_doing(time, customer) > 0, high, low)

    def confused_price(self, time: Array, customer: Array) -> Array:
        """The price in the bounds that goes with the highest mean revenue in the log: (n,)."""
        low, high = self.action_bounds
        return np.where(self._by_seeing(time, customer) > 0, high, low)

    def values_in(self, world: World) -> Mapping[str, float]:
        """Exact values, by quadrature over the time."""
        # sums, since the rounding of long products of vectors depends on the number of threads
        assert isinstance(world, AirlinePricing)
        low, high = self.action_bounds
        jumps = (self._by_seeing, self._by_doing, world._by_doing)
        time, customer, weight = world._quadrature(*jumps)
        best = world.best_price(time, customer)
        prices: dict[str, Number] = {
            "j_confused": self.confused_price(time, customer),
            "j_causal": self.best_price(time, customer),
            "j_intent": best,
            "j_best": best,
            "j_worst": low + high - best,
            "j_uniform": (low + high) / 2,
            "j_behaviour": world._mean("price", time=time, fuel=0, event=0),
        }
        values = {
            name: float((weight * world.doing(price, time, customer)).sum())
            for name, price in prices.items()
        }
        time, customer, weight = self._quadrature(self._by_seeing)
        believed = self.seeing(self.confused_price(time, customer), time, customer)
        values["promised"] = float((weight * believed).sum())
        return values

    def _law(self, name: str, **values: Number) -> Distribution:
        """The law of a variable, given the values of its causes."""
        mechanism = self.variables[name].first
        return mechanism.law(*(values[cause] for cause in mechanism.causes))

    def _mean(self, name: str, **values: Number) -> Array:
        """The mean of a variable, given the values of its causes: (n,)."""
        return self._law(name, **values).mean()

    def _by_doing(self, time: Array, customer: Array) -> Array:
        """Mean revenue of the highest price minus that of the lowest, under do(price): (n,)."""
        low, high = self.action_bounds
        return self.doing(high, time, customer) - self.doing(low, time, customer)

    def _by_seeing(self, time: Array, customer: Array) -> Array:
        """Mean revenue of the highest price minus that of the lowest, in the log: (n,)."""
        low, high = self.action_bounds
        return self.seeing(high, time, customer) - self.seeing(low, time, customer)

    def _quadrature(self, *jumps: Function) -> tuple[Array, Array, Array]:
        """Times, customers and weights, each (n,), to average a function of time and customer that
        is smooth except where one of `jumps` is 0.
        """
        law = self.variables["time"].first.law()
        assert isinstance(law, Uniform)
        times, customers, weights = [], [], []
        _, types, shares = self.variables["customer"].first.law().branches(1)
        for customer, share in zip(types, shares, strict=True):
            # Split the time where a policy jumps, so that each panel is smooth.
            edges = np.linspace(law.low, law.high, PANELS + 1)
            zeros = [_zeros(jump, edges, customer) for jump in jumps]
            edges = np.sort(np.concatenate([edges, *zeros]))
            # Gauss-Legendre nodes and weights of each panel.
            width = np.diff(edges)[:, None]
            middle = (edges[1:] + edges[:-1])[:, None] / 2
            time = (middle + width / 2 * NODES).ravel()
            weight = (width / 2 * WEIGHTS).ravel()
            times.append(time)
            customers.append(np.full(len(time), customer))
            weights.append(share * weight / (edges[-1] - edges[0]))
        return np.concatenate(times), np.concatenate(customers), np.concatenate(weights)


class Prestige(AirlinePricing):
    """Customers who pay more than season and cost of fuel explain think better of the flight, so
    that expensive tickets do sell.

    The log has the law of that of AirlinePricing, and nothing hidden moves both price and sales.

        time, fuel, event --> price --> sales <-- time, customer, fuel
                                |         |
                                +-> revenue

    Otherwise as AirlinePricing.

    Trap: since J(causal) > J(confused) = 3.326 > promised = 0.654.
    Way out: adjust for fuel.
    Best: since J(causal) = 5.542 > J(uniform) = 0.877.

    Source: as AirlinePricing.
    """

    @logged
    def sales(self, time: Array, customer: Array, price: Array, fuel: Array) -> Normal:
        explained: Exactly = super().price(time, fuel, 0.0)
        sold: Normal = super().sales(time, customer, price, price - explained.value)
        return sold

    def dialled(self, strength: float) -> World:
        """The world in which this share of the fuel's part in the price is due to fuel, and the
        rest is noise of the same variance.
        """
        return self.do(price=Blurred(strength))

    def twin(self) -> World | None:
        return AirlinePricing(rho=self.rho, sensitivity=self.sensitivity) if self.rho else None


@dataclass(frozen=True)
class Blurred:
    """A mechanism of the price, with the same law at each time, in which the cost of fuel has only
    the share `strength` of its effect.
    """

    strength: float
    causes: ClassVar[tuple[str, ...]] = ("time", "fuel", "event")

    def __call__(self, time: Array, fuel: Array, event: Array) -> Normal:
        blur = np.sqrt(1.0 - self.strength**2) * abs(season(time))
        return Normal(25.0 + (self.strength * fuel + 3.0) * season(time) + event, blur)


def _zeros(function: Function, edges: Array, customer: Array) -> list[float]:
    """The times between the first and the last edge at which a function changes its sign."""
    from scipy.optimize import brentq  # slow to import

    positive = function(edges, customer) > 0
    before_change = np.flatnonzero(positive[1:] != positive[:-1])
    return [
        float(brentq(lambda time: float(function(time, customer)), edges[i], edges[i + 1]))
        for i in before_change
    ]
