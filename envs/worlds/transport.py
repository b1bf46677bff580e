"""A trial in one clinic, and patients in another: results that must be transported."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Ranges,
    World,
    action,
    context,
    latent,
    logged,
    reward,
    shift,
)

Rates = tuple[tuple[float, ...], ...]


def _between(here: Sequence[float], there: Sequence[float], share: float) -> tuple[float, ...]:
    """Linear interpolation from `here` (share 0) to `there` (share 1), entry by entry."""
    mixed = (1.0 - share) * np.array(here) + share * np.array(there)
    return tuple(mixed.tolist())


class TransportClinic(World):
    """Give a drug (1) or not (0) in a clinic that is not the one of the log; a recovery earns 1.

    The log is a trial: the drug was given by the toss of a coin. It helps patients who lack a
    marker and harms those who have it, and in the trial few have it. In the clinic where J is
    measured most do. Recovery given the drug and the marker has the same law in both clinics, so
    whoever knows how common the marker is there can compute the effect there from the trial:
    P*(recovery | do(drug)) = sum over markers of P(recovery | drug, marker) P*(marker).

        marker --> recovery <-- drug
          ^
          S, the domain

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1. J is measured in
    the shift `target`.

    Trap: 1, since promised = 0.59 > J(confused) = 0.2875.
    Way out: transport.
    Best: 0, since E[recovery | drug=1] = 0.59 > E[recovery | drug=0] = 0.48 and J(causal) = 0.425 >
    J(confused).
    Twin: none, because nothing hidden causes the drug, and where the log is written seeing is
    doing.

    Source: the transport formula of Pearl and Bareinboim (2011); the numbers are ours.
    """

    deployment: ClassVar[str] = "target"

    held_out: ClassVar[Ranges] = {"marker": (0.55, 0.95)}

    here: tuple[float, ...] = (0.2,)  # P(marker) where the log is written
    there: tuple[float, ...] = (0.75,)  # P(marker) in the target
    rates: Rates = ((0.50, 0.40), (0.70, 0.15))  # P(recovery | drug, marker)

    @logged
    def marker(self) -> Bernoulli:
        return Bernoulli(self.here[0])

    @action
    def drug(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def recovery(self, drug: Array, marker: Array) -> Bernoulli:
        return Bernoulli(np.array(self.rates)[drug, marker])

    @shift
    def target(self) -> World:
        """The clinic in which J is measured."""
        return replace(self, here=self.there)

    @shift
    def rare_marker(self) -> World:
        """One patient in ten has the marker: where the drug harms those who have it, the confused
        policy wins.
        """
        return self.deployed().do(marker=Bernoulli(0.1))

    @shift
    def common_marker(self) -> World:
        return self.deployed().do(marker=Bernoulli(0.9))

    def dialled(self, strength: float) -> World:
        """The target lies between the clinic of the log (strength 0) and the model's own target
        (1).
        """
        return replace(self, there=_between(self.here, self.there, strength))


class Sighted(TransportClinic):
    """The marker is seen before acting: what is best for a patient with the marker is best in
    either clinic.

    Observation: Discrete(2), the marker. Otherwise as TransportClinic.

    Trap: 1 0, since promised = 0.64 > J(confused) = 0.475.
    Way out: none needed.
    Best: 1 0, since J(causal) = 0.475 = J(confused).
    Twin: none, because nothing hidden causes the drug, and where the log is written seeing is
    doing.

    Source: as TransportClinic.
    """

    @context
    def marker(self) -> Bernoulli:
        return Bernoulli(self.here[0])


class Response(TransportClinic):
    """The marker is measured after the drug, and is how the drug works. In the target the drug
    changes the marker less.

        drug --> marker --> recovery
          |        ^           ^
          |        S           |
          +--------------------+

    Otherwise as TransportClinic.

    Trap: 1, since promised = 0.55 > J(confused) = 0.225.
    Way out: transport.
    Best: 0, since E[recovery | drug=1] = 0.55 > E[recovery | drug=0] = 0.28 and J(causal) = 0.32 >
    J(confused).
    Twin: none, because nothing hidden causes the drug, and where the log is written seeing is
    doing.

    Source: as TransportClinic.
    """

    here: tuple[float, ...] = (0.2, 0.8)  # P(marker | drug) where the log is written
    there: tuple[float, ...] = (0.3, 0.15)  # P(marker | drug) in the target
    rates: Rates = ((0.20, 0.60), (0.15, 0.65))

    held_out: ClassVar[Ranges] = {}  # marker has a cause

    @logged
    def marker(self, drug: Array) -> Bernoulli:
        return Bernoulli(np.array(self.here)[drug])


class Outcome(TransportClinic):
    """The patients of the two clinics do not differ, but the effect of the drug does: no trial in
    one clinic identifies the effect in the other.

        marker --> recovery <-- drug
                      ^
                      S

    Otherwise as TransportClinic. Without the marker the drug does harm in the target.

    Trap: 1, since promised = 0.59 > J(confused) = 0.35.
    Way out: trials in the target.
    Best: 0, since E[recovery | drug=1] = 0.59 > E[recovery | drug=0] = 0.48 and J(causal) = 0.48 >
    J(confused).
    Twin: none, because nothing hidden causes the drug, and where the log is written seeing is
    doing.

    Source: as TransportClinic.
    """

    there: tuple[float, ...] = (0.2,)
    rates_there: Rates = ((0.50, 0.40), (0.40, 0.15))  # P(recovery | drug, marker) in the target

    @shift
    def target(self) -> World:
        return replace(self, here=self.there, rates=self.rates_there)

    def dialled(self, strength: float) -> World:
        there = _between(self.here, self.there, strength)
        rates_there = tuple(
            _between(here, target, strength)
            for here, target in zip(self.rates, self.rates_there, strict=True)
        )
        return replace(self, there=there, rates_there=rates_there)


class TwoLogs(TransportClinic):
    """Half of the log comes from the trial (domain 0) and half from the target itself (domain 1),
    where fit patients take the drug.

    The trial identifies the effect of the drug at each value of the marker, and the rows of the
    target show how common the marker is there. Neither part alone identifies the effect in the
    target; together they do.

        domain --> marker --> recovery <-- fit
          |                      ^          |
          +-------> drug --------+          |
                     ^----------------------+

    Otherwise as TransportClinic. J is measured where the domain is 1.

    Trap: 1, since E[recovery | drug=1, domain=1] = 0.4225 > E[recovery | drug=0, domain=1] = 0.29
    and J(confused) = 0.2875.
    Way out: transport.
    Best: 0, since E[recovery | drug=1, domain=0] = 0.59 > E[recovery | drug=0, domain=0] = 0.48 and
    J(causal) = 0.425 > J(confused).

    Source: as TransportClinic; the fusion of logs is that of Bareinboim and Pearl (2016).
    """

    held_out: ClassVar[Ranges] = {"fit": (0.1, 0.9), "fitness": (0.05, 0.15)}

    # P(recovery) of a fit patient minus the average, and of the average minus an unfit patient
    fitness: float = 0.15

    @logged
    def domain(self) -> Bernoulli:
        return Bernoulli(0.5)

    @latent
    def fit(self) -> Bernoulli:
        return Bernoulli(0.5)

    @logged
    def marker(self, domain: Array) -> Bernoulli:
        return Bernoulli(np.where(domain == 1, self.there[0], self.here[0]))

    @action
    def drug(self, domain: Array, fit: Array) -> Bernoulli:
        return Bernoulli(np.where(domain == 1, 0.05 + 0.90 * fit, 0.5))

    @reward
    def recovery(self, drug: Array, marker: Array, fit: Array) -> Bernoulli:
        return Bernoulli(np.array(self.rates)[drug, marker] + self.fitness * (2 * fit - 1))

    @shift
    def target(self) -> World:
        return self.do(domain=1)

    def dialled(self, strength: float) -> World:
        """The generic dial: the behaviour policy, in both clinics, mixed with its own marginal."""
        return World.dialled(self, strength)
