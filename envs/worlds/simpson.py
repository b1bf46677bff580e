"""Five published tables in which a treatment looks worse overall and is better in every stratum, or
nearly every one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    InputError,
    Ranges,
    World,
    action,
    context,
    logged,
    reward,
    shift,
)
from dosuite.causal.errors import did_you_mean

Cell = tuple[int, int]  # successes, total
Stratum = tuple[Cell, Cell]  # treatment 0, treatment 1


def _survivors(
    deaths: Sequence[Sequence[int]], cases: Sequence[Sequence[int]]
) -> tuple[Stratum, ...]:
    """Survivals and totals by stratum, from deaths and cases, each given as two sequences over the
    strata, for treatment 0 and for treatment 1.
    """
    arms = []
    for arm_deaths, arm_cases in zip(deaths, cases, strict=True):
        arms.append([(n - d, n) for d, n in zip(arm_deaths, arm_cases, strict=True)])
    zero, one = arms
    return tuple(zip(zero, one, strict=True))


# Charig et al. (1986). Small and large stones; percutaneous nephrolithotomy (0), open surgery (1);
# successes.
KIDNEY_STONES: tuple[Stratum, ...] = (((234, 270), (81, 87)), ((55, 80), (192, 263)))
# Bickel et al. (1975). Departments A to F; women (0), men (1); admissions.
BERKELEY: tuple[Stratum, ...] = (
    ((89, 108), (512, 825)),
    ((17, 25), (353, 560)),
    ((202, 593), (120, 325)),
    ((131, 375), (138, 417)),
    ((94, 393), (53, 191)),
    ((24, 341), (22, 373)),
)
# Appleton et al. (1996). Ages 18-24, 25-34, ..., 65-74, 75+; non-smokers (0), smokers (1); alive
# after 20 years.
WHICKHAM: tuple[Stratum, ...] = (
    ((61, 62), (53, 55)),
    ((152, 157), (121, 124)),
    ((114, 121), (95, 109)),
    ((66, 78), (103, 130)),
    ((81, 121), (64, 115)),
    ((28, 129), (7, 36)),
    ((0, 64), (0, 13)),
)
# von Kuegelgen et al. (2021). Ages 0-9, 10-19, ..., 70-79, 80+; China on 17 February (0), Italy on
# 9 March 2020 (1); survivals.
COVID_CFR = _survivors(
    deaths=((0, 1, 7, 18, 38, 130, 309, 312, 208), (0, 0, 0, 0, 1, 3, 37, 114, 202)),
    cases=(
        (416, 549, 3619, 7600, 8571, 10008, 8583, 3918, 1408),
        (43, 85, 296, 470, 891, 1453, 1471, 1785, 1532),
    ),
)
# Neal, Introduction to Causal Inference, table 1.1. Mild and severe condition; treatment A (0), B
# (1); survivals.
NEAL_COVID_27 = _survivors(deaths=((210, 30), (5, 100)), cases=((1400, 100), (50, 500)))

STUDIES: Mapping[str, tuple[Stratum, ...]] = {
    "KidneyStones": KIDNEY_STONES,
    "Berkeley": BERKELEY,
    "Whickham": WHICKHAM,
    "CovidCFR": COVID_CFR,
    "NealCovid27": NEAL_COVID_27,
}


class SimpsonClinic(World):
    """Choose between two treatments, with the counts of five published tables; a recovery earns 1.

    Severe cases were given the better treatment, so in the log fewer patients recover with it. The
    stratum (the size of the stone, the age, the department) is in the log, and adjusting for it
    removes the confounding; a policy does not see it.

        treatment <-- stratum --> recovery
            |                        ^
            +------------------------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 0, since E[recovery | treatment=0] = 0.825714 > E[recovery | treatment=1] = 0.78.
    Way out: adjust for stratum.
    Best: 1, since E[recovery | do(treatment=1)] = 0.832546 > E[recovery | do(treatment=0)] =
    0.778875.

    Source: the counts of Charig et al. (1986) and of the other studies, named beside each table.
    """

    held_out: ClassVar[Ranges] = {"stratum": (0.1, 0.9)}

    study: str = "KidneyStones"
    flipped: bool = False  # in the log every patient was given the other treatment

    @property
    def counts(self) -> Array:
        """Successes and totals: (strata, 2 treatments, 2). Raises InputError if the study is not
        known.
        """
        if self.study not in STUDIES:
            raise InputError(f"{self.study!r} is not a study; {did_you_mean(self.study, STUDIES)}")
        return np.array(STUDIES[self.study])

    @logged
    def stratum(self) -> Categorical:
        patients = self.counts[:, :, 1].sum(1)
        return Categorical(patients / patients.sum())

    @action
    def treatment(self, stratum: Array) -> Bernoulli:
        patients = self.counts[stratum, :, 1]
        return Bernoulli(patients[:, 0 if self.flipped else 1] / patients.sum(1))

    @reward
    def recovery(self, stratum: Array, treatment: Array) -> Bernoulli:
        successes, patients = self.counts[stratum, treatment].T
        return Bernoulli(successes / patients)

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        return {study: {"study": study} for study in STUDIES}

    def twin(self) -> World | None:
        return BloodPressure(study=self.study, flipped=self.flipped)

    @shift
    def case_mix_05(self) -> World:
        """5 % of the patients are of the first stratum."""
        return self._case_mix(0.05)

    @shift
    def case_mix_20(self) -> World:
        return self._case_mix(0.20)

    @shift
    def case_mix_50(self) -> World:
        return self._case_mix(0.50)

    @shift
    def case_mix_80(self) -> World:
        return self._case_mix(0.80)

    @shift
    def case_mix_95(self) -> World:
        return self._case_mix(0.95)

    @shift
    def logs_flipped(self) -> World:
        """Only the behaviour policy changes, so that a learner that was right for the wrong reason
        fails on a new log.
        """
        return replace(self, flipped=not self.flipped)

    def _case_mix(self, first: float) -> World:
        """The world in which the first stratum has probability `first`, and the others share the
        rest in their old proportions.
        """
        patients = self.counts[:, :, 1].sum(1)
        others = patients[1:] / patients[1:].sum()
        return self.do(stratum=Categorical(np.array([first, *(1.0 - first) * others])))


class Sighted(SimpsonClinic):
    """The stratum is seen before acting, so that nothing is confounded: a sanity check.

        treatment <-- stratum --> recovery
            |                        ^
            +------------------------+

    Observation: Discrete(strata), two of them in KidneyStones. Otherwise as SimpsonClinic.

    Trap: 1 1, since promised = J(confused) = 0.832546.
    Way out: none needed.
    Best: 1 1, since J(causal) = 0.832546 > J(behaviour) = 0.802857.
    Twin: none, because every cause of the treatment is seen.

    Source: as SimpsonClinic.
    """

    @context
    def stratum(self) -> Categorical:
        patients = self.counts[:, :, 1].sum(1)
        return Categorical(patients / patients.sum())

    def twin(self) -> None:
        return None


class BloodPressure(SimpsonClinic):
    """The same counts, but the stratum is measured after the treatment, and is an effect of it.

    Seeing is doing, and adjusting for the stratum removes the part of the effect that goes through
    it.

        treatment --> stratum --> recovery
            |                        ^
            +------------------------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 0, since E[recovery | treatment=0] = 0.825714 > E[recovery | treatment=1] = 0.78.
    Way out: none needed.
    Best: 0, since E[recovery | do(treatment=0)] = 0.825714 > E[recovery | do(treatment=1)] = 0.78.

    Source: Pearl, Glymour and Jewell, Causal Inference in Statistics: A Primer, table 1.2; the
    counts are those of SimpsonClinic."""

    held_out: ClassVar[Ranges] = {}  # stratum has a cause

    @logged
    def stratum(self, treatment: Array) -> Categorical:
        patients = self.counts[:, treatment, 1].T
        return Categorical(patients / patients.sum(1, keepdims=True))

    @action
    def treatment(self) -> Bernoulli:
        patients = self.counts[:, :, 1].sum(0)
        return Bernoulli(patients[0 if self.flipped else 1] / patients.sum())

    def twin(self) -> World:
        return SimpsonClinic(study=self.study, flipped=self.flipped)
