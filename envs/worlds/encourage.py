"""Trials in which people are asked to take a treatment, and take what they want:

an instrument, and what it bounds.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Distribution,
    Exactly,
    World,
    action,
    latent,
    logged,
    reward,
    shift,
)

Row = tuple[float, float]  # failures, successes
Arm = tuple[Row, Row]  # those who did not take the treatment, those who did


def _most_helped(untreated: Array, treated: Array) -> Array:
    """The joint law of success without and with the treatment, given each of them, in which the
    most are helped: (2, 2).
    """
    helped = min(untreated[0], treated[1])
    return np.array(
        [[untreated[0] - helped, helped], [treated[0] - untreated[0] + helped, treated[1] - helped]]
    )


class EncourageIV(World):
    """Treat a patient (1) or not (0); a success earns 1.

    A few patients, drawn by lot, are asked to take the treatment, and most of them do. Of the
    others the severely ill take it and hardly anybody else, so in the log the treated fare worse.
    To be asked changes nothing but the treatment. That does not tell the effect, but bounds it so
    well that its sign is sure.

        encouraged --> treatment <-- patient --> success
                           |                        ^
                           +------------------------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 0, since E[success | treatment=0] = 0.5834 > E[success | treatment=1] = 0.4870.
    Way out: bounds.
    Best: 1, since E[success | do(treatment=1)] = 0.7625 > E[success | do(treatment=0)] = 0.5125.

    Source: the instrument of Balke and Pearl (1997); the numbers are ours.
    """

    @latent
    def patient(self) -> Distribution:
        return Bernoulli(0.25)  # 1 is severely ill

    @logged
    def encouraged(self) -> Bernoulli:
        return Bernoulli(0.05)

    @action
    def treatment(self, encouraged: Array, patient: Array) -> Distribution:
        return Bernoulli(np.array([[0.02, 0.60], [0.98, 0.90]])[encouraged, patient])

    @reward
    def success(self, treatment: Array, patient: Array) -> Distribution:
        return Bernoulli(np.array([[0.65, 0.10], [0.90, 0.35]])[treatment, patient])

    @shift
    def hard_cases(self) -> World:
        """Six patients in ten are severely ill."""
        return self.do(patient=Bernoulli(0.6))

    @shift
    def backlash(self) -> World:
        """The treatment harms those who are not severely ill: the confused policy wins."""
        return self.do(success=_harmed)


class VitaminA(EncourageIV):
    """Give a child vitamin A (1) or not (0); a survival earns 1. A published trial, in which nobody
    got it who was not offered it.

    A patient is one of 16 response types: whether the child takes the capsule without and with an
    offer, and whether it survives without and with the capsule. The trial tells all that matters
    here but one thing: what the capsule would do to those who refuse it. In the low world it kills
    them all, and in the high one (`hardy` = 1) none; the log is the same. Children who took it
    survive more often, and the ratio of the effects of the offer is positive in both worlds.

    Observation: Discrete(1). Action: Discrete(2). Otherwise as EncourageIV.

    Trap: 1, since E[success | treatment=1] = 0.99876 > E[success | treatment=0] = 0.99229.
    Way out: interventions.
    Best: 0, since E[success | do(treatment=0)] = 0.993614 > E[success | do(treatment=1)] = 0.798991.

    Source: the counts of Sommer and Zeger (1991); the two worlds attain the bounds of Balke and
    Pearl (1997)."""

    hardy: float = 0.0  # share of the refusers who would survive the treatment

    counts: ClassVar[tuple[Arm, Arm]] = (
        ((74, 11514), (0, 0)),
        ((34, 2385), (12, 9663)),
    )  # not encouraged, encouraged

    @latent
    def patient(self) -> Categorical:
        """The response type, a number with the bits treatment(0), treatment(1), success(0),
        success(1).

        Of the compliers as many are helped as the counts allow.
        """
        (untreated, _), (refusers, treated) = (np.array(arm) / np.sum(arm) for arm in self.counts)
        never = np.outer(refusers, [1.0 - self.hardy, self.hardy])
        compliers = _most_helped(untreated - refusers, treated)
        return Categorical(np.concatenate([never.ravel(), compliers.ravel(), np.zeros(8)]))

    @logged
    def encouraged(self) -> Bernoulli:
        people = np.sum(self.counts, (1, 2))
        return Bernoulli(people[1] / people.sum())

    @action
    def treatment(self, encouraged: Array, patient: Array) -> Exactly:
        return Exactly(patient >> (3 - encouraged) & 1)

    @reward
    def success(self, treatment: Array, patient: Array) -> Exactly:
        return Exactly(patient >> (1 - treatment) & 1)

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        return {"low": {"hardy": 0.0}, "high": {"hardy": 1.0}}

    def twin(self) -> World | None:
        """The world in which the refusers make the other action the best."""
        return replace(self, hardy=float(self.causal_policy()[0, 0]))

    @shift
    def hard_cases(self) -> World:
        """Six patients in ten would refuse the treatment."""
        never, others = np.split(self.patient().p, [4])
        return self.do(
            patient=Categorical(
                np.concatenate([0.6 * never / never.sum(), 0.4 * others / others.sum()])
            )
        )

    @shift
    def backlash(self) -> World:
        """What the treatment did to a patient, its absence does, and the other way round."""
        return self.do(success=_exchanged)


class Lipid(VitaminA):
    """Give a patient cholestyramine (1) or not (0); a large fall of the cholesterol earns 1. A
    published trial that misleads nobody.

    The bounds leave the size of the effect open and not its sign, and the naive means have the same
    sign.

    Observation: Discrete(1). Action: Discrete(2). Otherwise as VitaminA; how many patients were in
    each arm is not part of the table, and the arms are taken as equal.

    Trap: 1, since promised = 0.773 > E[success | treatment=0] = 0.111.
    Way out: none needed.
    Best: 1, since E[success | do(treatment=1)] = 0.473 > E[success | do(treatment=0)] = 0.081.
    Twin: none, because in every world with this graph and log the treatment is best, and so it would be if seeing were doing.

    Source: the table of the Lipid Research Clinics trial in Balke and Pearl (1997), whose bounds
    `hardy` = 0 and 1 attain."""

    counts: ClassVar[tuple[Arm, Arm]] = (((0.919, 0.081), (0, 0)), ((0.315, 0.073), (0.139, 0.473)))

    def twin(self) -> None:
        return None


def _harmed(treatment: Array, patient: Array) -> Bernoulli:
    return Bernoulli(np.array([[0.65, 0.10], [0.40, 0.35]])[treatment, patient])


def _exchanged(treatment: Array, patient: Array) -> Exactly:
    return Exactly(patient >> treatment & 1)
