"""Patients with sepsis, treated by a physician who knows which of them are diabetic."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dosuite.causal import (
    Array,
    Categorical,
    Exactly,
    World,
    action,
    context,
    latent,
    reward,
    shift,
    terminal,
    value,
)
from dosuite.causal.exact import Process, do_process, greedy, log_process

from .sepsis_simulator import (
    DISCOUNT,
    PHYSICIAN_SEES,
    SWEEPS,
    Physician,
    abnormal_readings,
    admitted,
    blood_pressure_moves,
    first_reading,
    glucose_moves,
    heart_rate_moves,
    outcome_of,
    oxygen_moves,
    phase,
)


def _planned(process: Process) -> Array:
    """The best policy (C, A) of a process without a horizon and with a discount of 0.99."""
    return greedy(replace(process, horizon=SWEEPS, discount=DISCOUNT).plan())


class SepsisDiabetes(World):
    """Give a patient with sepsis antibiotics, ventilation and vasopressors, or not, until the
    patient is well or dead.

    Vasopressors raise the blood pressure of diabetics more, and raise their glucose too. The
    physician knows who is diabetic and how high the glucose is, and treats accordingly; the log has
    neither. In the log vasopressors do well, because they were given to the patients whom they
    help. A patient dies (-1) when three of heart rate, blood pressure, oxygen and glucose are
    abnormal, and leaves (+1) when all are normal without treatment.

        diabetes, glucose --> treatment
        treatment --> heart_rate_after, blood_pressure_after, oxygen_after, glucose_after
        diabetes --> blood_pressure_after, glucose_after
        heart_rate_after, blood_pressure_after, oxygen_after, glucose_after, treatment --> outcome

    Observation: MultiDiscrete([3, 3, 2, 2, 2, 2]): heart rate, blood pressure, oxygen, and whether
    on antibiotics, on ventilation, on vasopressors. Action: Discrete(8), 4 antibiotics + 2
    ventilation + vasopressors. 20 steps at most; the reward is -1, 0 or 1, and J is the return of
    an episode. With `fault`, as in the published program, glucose that rises in a patient without
    diabetes becomes 1 (low).

    The physician and the learners plan as in the source, without a horizon and with a discount of
    0.99. J(causal) is that of the plan made from a log of uniformly random actions: a reference and
    not an optimum, for a policy with a memory could do better.

    Trap: since promised = 0.7066 > J(causal) > J(confused) = 0.1110 > J(uniform).
    Way out: interventions.
    Best: since J(behaviour) = 0.3170 > J(causal) = 0.2399 > J(uniform) = -0.7588.
    Twin: none, because in the log what follows depends on the whole past, and so it would have to
    in the twin.

    Source: Oberst and Sontag (2019), section 5 and their published simulator.
    """

    horizon: int = 20
    fault: bool = True
    # P(diabetes) among all who come, before those who need no treatment or are past it are turned
    # away
    diabetic: float = 0.2

    @latent.starting(lambda self: Categorical(admitted(self.diabetic).sum((1, 2, 3, 4))))
    def diabetes(self, diabetes_tm1: Array) -> Exactly:
        return Exactly(diabetes_tm1)

    @context.starting(lambda self, diabetes: Categorical(first_reading(1)[diabetes]))
    def heart_rate(self, heart_rate_after_tm1: Array) -> Exactly:
        return Exactly(heart_rate_after_tm1)

    @context.starting(
        lambda self, diabetes, heart_rate: Categorical(first_reading(2)[diabetes, heart_rate])
    )
    def blood_pressure(self, blood_pressure_after_tm1: Array) -> Exactly:
        return Exactly(blood_pressure_after_tm1)

    @context.starting(
        lambda self, diabetes, heart_rate, blood_pressure: Categorical(
            first_reading(3)[diabetes, heart_rate, blood_pressure]
        )
    )
    def oxygen(self, oxygen_after_tm1: Array) -> Exactly:
        return Exactly(oxygen_after_tm1)

    @latent.starting(
        lambda self, diabetes, heart_rate, blood_pressure, oxygen: Categorical(
            first_reading(4)[diabetes, heart_rate, blood_pressure, oxygen]
        )
    )
    def glucose(self, glucose_after_tm1: Array) -> Exactly:
        return Exactly(glucose_after_tm1)

    @context.starting(Exactly(0))
    def on_antibiotics(self, treatment_tm1: Array) -> Exactly:
        return Exactly(treatment_tm1 // 4)

    @context.starting(Exactly(0))
    def on_ventilation(self, treatment_tm1: Array) -> Exactly:
        return Exactly(treatment_tm1 // 2 % 2)

    @context.starting(Exactly(0))
    def on_vasopressors(self, treatment_tm1: Array) -> Exactly:
        return Exactly(treatment_tm1 % 2)

    @action
    def treatment(
        self,
        diabetes: Array,
        on_antibiotics: Array,
        on_ventilation: Array,
        on_vasopressors: Array,
        heart_rate: Array,
        blood_pressure: Array,
        oxygen: Array,
        glucose: Array,
    ) -> Physician:
        treated = (on_antibiotics, on_ventilation, on_vasopressors)
        readings = (heart_rate, blood_pressure, oxygen, glucose)
        state = (diabetes, *treated, *readings)
        cell = np.ravel_multi_index(state, PHYSICIAN_SEES)
        return Physician(self.fault, np.asarray(cell))

    @latent
    def heart_rate_after(
        self, heart_rate: Array, on_antibiotics: Array, treatment: Array
    ) -> Categorical:
        return Categorical(heart_rate_moves()[phase(on_antibiotics, treatment // 4), heart_rate])

    @latent
    def blood_pressure_after(
        self,
        blood_pressure: Array,
        on_antibiotics: Array,
        on_vasopressors: Array,
        treatment: Array,
        diabetes: Array,
    ) -> Categorical:
        antibiotics = phase(on_antibiotics, treatment // 4)
        vasopressors = phase(on_vasopressors, treatment % 2)
        return Categorical(
            blood_pressure_moves()[antibiotics, vasopressors, diabetes, blood_pressure]
        )

    @latent
    def oxygen_after(self, oxygen: Array, on_ventilation: Array, treatment: Array) -> Categorical:
        return Categorical(oxygen_moves()[phase(on_ventilation, treatment // 2 % 2), oxygen])

    @latent
    def glucose_after(self, glucose: Array, treatment: Array, diabetes: Array) -> Categorical:
        return Categorical(glucose_moves(self.fault)[treatment % 2, diabetes, glucose])

    @reward
    def outcome(
        self,
        heart_rate_after: Array,
        blood_pressure_after: Array,
        oxygen_after: Array,
        glucose_after: Array,
        treatment: Array,
    ) -> Exactly:
        abnormal = abnormal_readings(
            heart_rate_after, blood_pressure_after, oxygen_after, glucose_after
        )
        return Exactly(outcome_of(abnormal, treatment))

    @terminal
    def over(self, outcome: Array) -> Exactly:
        return Exactly(abs(outcome))

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        return {"Published": {}, "Repaired": {"fault": False}}

    def confused_policy(self) -> Array:
        """The plan made in the process that the log shows: (C, A)."""
        return _planned(log_process(self))

    def promised_value(self) -> float:
        return log_process(self).value(self.confused_policy())

    def causal_policy(self) -> Array:
        """The plan made in the process that uniformly random actions show: (C, A)."""
        return _planned(do_process(self))

    def values_in(self, world: World) -> Mapping[str, float]:
        """J(best) is the better value of two plans, made here and made in `world`; J(worst) is the
        value of the plan for the lowest return in `world`. J(intent) is NaN: with the intent there
        are too many states to solve.
        """
        shown = do_process(world)
        best = max(value(world, policy) for policy in (self.causal_policy(), _planned(shown)))
        worst_policy = _planned(replace(shown, reward=-shown.reward))
        return {"j_best": best, "j_worst": value(world, worst_policy), "j_intent": np.nan}

    def twin(self) -> None:
        return None

    @shift
    def half_diabetic(self) -> World:
        return replace(self, diabetic=0.5)

    @shift
    def mostly_diabetic(self) -> World:
        return replace(self, diabetic=0.8)


class GlucoseSeen(SepsisDiabetes):
    """The glucose is measured, and only diabetes is hidden: most of the confusion disappears.

        diabetes, glucose --> treatment
        treatment --> heart_rate_after, blood_pressure_after, oxygen_after, glucose_after
        diabetes --> blood_pressure_after, glucose_after
        heart_rate_after, blood_pressure_after, oxygen_after, glucose_after, treatment --> outcome

    Observation: MultiDiscrete([3, 3, 2, 5, 2, 2, 2]), with the glucose before the treatments.
    Otherwise as SepsisDiabetes.

    Trap: since promised = 0.6403 > J(confused) = 0.3242.
    Way out: interventions.
    Best: since J(causal) = 0.3564 > J(confused) > J(behaviour) = 0.3170.
    Twin: none, because in the log what follows depends on the whole past, and so it would have to
    in the twin.

    Source: as SepsisDiabetes.
    """

    @context.starting(
        lambda self, diabetes, heart_rate, blood_pressure, oxygen: Categorical(
            first_reading(4)[diabetes, heart_rate, blood_pressure, oxygen]
        )
    )
    def glucose(self, glucose_after_tm1: Array) -> Exactly:
        return Exactly(glucose_after_tm1)
