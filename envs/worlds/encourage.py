"""Trials with noncompliance: patients are encouraged at random to take a treatment, and choose
themselves. The encouragement is an instrument, which bounds the effect.
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
    Ranges,
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
    """The joint law of success without treatment (rows) and with it (columns) that has these
    marginals, (2,) each, and in which the treatment helps the most patients: (2, 2).
    """
    helped = min(untreated[0], treated[1])
    without_success = [untreated[0] - helped, helped]
    with_success = [treated[0] - untreated[0] + helped, treated[1] - helped]
    return np.array([without_success, with_success])


class EncourageIV(World):
    """Treat a patient (1) or not (0); a success earns 1.

    A few patients, chosen at random, are encouraged to take the treatment, and most of them do. Of
    the others the severely ill take it and hardly anyone else, so in the log the treated patients
    fare worse. The encouragement affects success only through the treatment. This does not identify
    the effect, but bounds it tightly enough to determine its sign.

        encouraged --> treatment <-- patient --> success
                           |                        ^
                           +------------------------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 0, since E[success | treatment=0] = 0.5834 > E[success | treatment=1] = 0.4870.
    Way out: bounds.
    Best: 1, since E[success | do(treatment=1)] = 0.7625 > E[success | do(treatment=0)] = 0.5125.

    Source: the instrument of Balke and Pearl (1997); the numbers are ours.
    """

    held_out: ClassVar[Ranges] = {"patient": (0.1, 0.6)}

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
    """Give a child vitamin A (1) or not (0); a survival earns 1. A published trial, in which only
    children to whom the capsule was offered could take it.

    A patient has one of 16 response types: whether the child takes the capsule without and with an
    offer, and whether it survives without and with the capsule. The trial leaves open only what the
    capsule would do to children who refuse it. In the low world it kills all of them, and in the
    high one (`hardy` = 1) none; the log is the same. Children who took the capsule survive more
    often, and the Wald ratio (the effect of the offer on survival divided by its effect on
    treatment) is positive in both worlds.

    Observation: Discrete(1). Action: Discrete(2). Otherwise as EncourageIV.

    Trap: 1, since E[success | treatment=1] = 0.99876 > E[success | treatment=0] = 0.99229.
    Way out: interventions.
    Best: 0, since E[success | do(treatment=0)] = 0.993614 > E[success | do(treatment=1)] =
    0.798991.

    Source: the counts of Sommer and Zeger (1991); the two worlds attain the bounds of Balke and
    Pearl (1997)."""

    hardy: float = 0.0  # share of the refusers who would survive the treatment

    # Not encouraged, encouraged.
    counts: ClassVar[tuple[Arm, Arm]] = (((74, 11514), (0, 0)), ((34, 2385), (12, 9663)))

    @latent
    def patient(self) -> Categorical:
        """The response type, a number of four bits: treatment without and with encouragement,
        success without and with treatment (most significant first).

        Among the compliers the treatment helps as many as the counts allow.
        """
        # P(treatment, success) in each arm. Without encouragement nobody is treated.
        (untreated, _), (refusers, treated) = (np.array(arm) / np.sum(arm) for arm in self.counts)
        never = np.outer(refusers, [1.0 - self.hardy, self.hardy])
        # Compliers are untreated without encouragement, as the refusers are.
        compliers = _most_helped(untreated - refusers, treated)
        always_takers_and_defiers = np.zeros(8)
        parts = [never.ravel(), compliers.ravel(), always_takers_and_defiers]
        return Categorical(np.concatenate(parts))

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
        """The world in which the treatment does the opposite to the refusers, so that the other
        action is the best.
        """
        return replace(self, hardy=float(self.causal_policy()[0, 0]))

    @shift
    def hard_cases(self) -> World:
        """Six patients in ten would refuse the treatment."""
        never, others = np.split(self.patient().p, [4])
        mixed = np.concatenate([0.6 * never / never.sum(), 0.4 * others / others.sum()])
        return self.do(patient=Categorical(mixed))

    @shift
    def backlash(self) -> World:
        """The two potential outcomes of every patient are exchanged."""
        return self.do(success=_exchanged)


class Lipid(VitaminA):
    """Give a patient cholestyramine (1) or not (0); a large fall of the cholesterol earns 1. A
    published trial whose log is not misleading.

    The bounds leave the size of the effect open but not its sign, and the difference of the naive
    means has the same sign.

    Observation: Discrete(1). Action: Discrete(2). Otherwise as VitaminA; the table does not give
    the sizes of the arms, which are taken as equal.

    Trap: 1, since promised = 0.773 > E[success | treatment=0] = 0.111.
    Way out: none needed.
    Best: 1, since E[success | do(treatment=1)] = 0.473 > E[success | do(treatment=0)] = 0.081.
    Twin: none, because in every world with this graph and log the treatment is best, and so it
    would be if seeing were doing.

    Source: the table of the Lipid Research Clinics trial in Balke and Pearl (1997), whose bounds
    `hardy` = 0 and 1 attain."""

    counts: ClassVar[tuple[Arm, Arm]] = (((0.919, 0.081), (0, 0)), ((0.315, 0.073), (0.139, 0.473)))

    def twin(self) -> None:
        return None


def _harmed(treatment: Array, patient: Array) -> Bernoulli:
    return Bernoulli(np.array([[0.65, 0.10], [0.40, 0.35]])[treatment, patient])


def _exchanged(treatment: Array, patient: Array) -> Exactly:
    return Exactly(patient >> treatment & 1)
