"""A trial in one clinic, and patients in another."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from dosuite.causal import Array, Bernoulli, World, action, context, latent, logged, reward, shift

Rates = tuple[tuple[float, ...], ...]


def _between(here: Sequence[float], there: Sequence[float], share: float) -> tuple[float, ...]:
    return tuple(((1.0 - share) * np.array(here) + share * np.array(there)).tolist())


class TransportClinic(World):
    """Give a drug (1) or not (0) in a clinic that is not the one of the log; a recovery earns 1.

    The log is a trial: the drug was given by the toss of a coin. It helps those who lack a marker
    and harms those who have it, and in the trial few have it. In the clinic where J is measured
    most do. Recovery given the drug and the marker is the same in both, so the trial tells what the
    drug does there to who knows how common the marker is there.

        marker --> recovery <-- drug
          ^
          S, the domain

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1. J is measured in
    the shift `target`.

    Trap: 1, since promised = 0.59 > J(confused) = 0.2875.
    Way out: transport.
    Best: 0, since E[recovery | drug=1] = 0.59 > E[recovery | drug=0] = 0.48 and J(causal) = 0.425 > J(confused).
    Twin: none, because nothing hidden causes the drug, and where the log is written seeing is doing.

    Source: the transport formula of Pearl and Bareinboim (2011); the numbers are ours.
    """

    deployment: ClassVar[str] = "target"

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
        """The clinic in which policies are valued."""
        return replace(self, here=self.there)

    @shift
    def rare_marker(self) -> World:
        """One in ten has the marker:

        where the drug harms those who have it, the confused policy wins.
        """
        return self.deployed().do(marker=Bernoulli(0.1))

    @shift
    def common_marker(self) -> World:
        return self.deployed().do(marker=Bernoulli(0.9))

    def dialled(self, strength: float) -> World:
        """The target comes as close to the clinic of the log as `strength` leaves it:

        at 0 they are alike.
        """
        return replace(self, there=_between(self.here, self.there, strength))


class Sighted(TransportClinic):
    """The marker is seen before acting: what is best for a patient with the marker is best for him
    in either clinic.

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
    """The marker is measured after the drug, and is how the drug works. In the other clinic the
    drug brings about less of it.

        drug --> marker --> recovery
          |        ^           ^
          |        S           |
          +--------------------+

    Otherwise as TransportClinic.

    Trap: 1, since promised = 0.55 > J(confused) = 0.225.
    Way out: transport.
    Best: 0, since E[recovery | drug=1] = 0.55 > E[recovery | drug=0] = 0.28 and J(causal) = 0.32 > J(confused).
    Twin: none, because nothing hidden causes the drug, and where the log is written seeing is doing.

    Source: as TransportClinic.
    """

    here: tuple[float, ...] = (0.2, 0.8)  # P(marker | drug) where the log is written
    there: tuple[float, ...] = (0.3, 0.15)  # P(marker | drug) in the target
    rates: Rates = ((0.20, 0.60), (0.15, 0.65))

    @logged
    def marker(self, drug: Array) -> Bernoulli:
        return Bernoulli(np.array(self.here)[drug])


class Outcome(TransportClinic):
    """The patients are alike, and what the drug does to them is not: no trial elsewhere tells what
    it does here.

        marker --> recovery <-- drug
                      ^
                      S

    Otherwise as TransportClinic. Without the marker the drug does harm in the target.

    Trap: 1, since promised = 0.59 > J(confused) = 0.35.
    Way out: trials in the target.
    Best: 0, since E[recovery | drug=1] = 0.59 > E[recovery | drug=0] = 0.48 and J(causal) = 0.48 > J(confused).
    Twin: none, because nothing hidden causes the drug, and where the log is written seeing is doing.

    Source: as TransportClinic.
    """

    there: tuple[float, ...] = (0.2,)
    rates_there: Rates = ((0.50, 0.40), (0.40, 0.15))  # P(recovery | drug, marker) in the target

    @shift
    def target(self) -> World:
        return replace(self, here=self.there, rates=self.rates_there)

    def dialled(self, strength: float) -> World:
        rates = (
            _between(here, there, strength)
            for here, there in zip(self.rates, self.rates_there, strict=True)
        )
        return replace(
            self, there=_between(self.here, self.there, strength), rates_there=tuple(rates)
        )


class TwoLogs(TransportClinic):
    """The log is half of the trial (domain 0) and half of the target itself (domain 1), where the
    fit take the drug.

    The trial tells what the drug does at each value of the marker, the rows of the target how
    common the marker is there. Neither tells what the drug does there, and together they do.

        domain --> marker --> recovery <-- fit
          |                      ^          |
          +-------> drug --------+          |
                     ^----------------------+

    Otherwise as TransportClinic. J is measured where the domain is 1.

    Trap: 1, since E[recovery | drug=1, domain=1] = 0.4225 > E[recovery | drug=0, domain=1] = 0.29 and J(confused) = 0.2875.
    Way out: transport.
    Best: 0, since E[recovery | drug=1, domain=0] = 0.59 > E[recovery | drug=0, domain=0] = 0.48 and J(causal) = 0.425 > J(confused).

    Source: as TransportClinic; the fusion of logs is that of Bareinboim and Pearl (2016).
    """

    fitness: float = (
        0.15  # by how much the fit recover more often, and others less often, than all together
    )

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
        """The behaviour policy of the log, in both clinics together, mixed with its own marginal."""
        return World.dialled(self, strength)
