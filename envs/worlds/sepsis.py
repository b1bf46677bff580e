"""Sepsis, treated by a physician who knows who is diabetic."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
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
from dosuite.causal.model.elimination import conditional

SIZES = (3, 3, 2, 5)  # values of heart rate, blood pressure, oxygen and glucose
NORMAL = (1, 1, 1, 2)
RATE = BLOOD = np.array(
    [0.25, 0.5, 0.25]
)  # laws of the first state, before the patients who are not to be treated are turned away
OXYGEN = np.array([0.2, 0.8])
GLUCOSE = np.array(
    [[0.05, 0.15, 0.6, 0.15, 0.05], [0.01, 0.05, 0.15, 0.6, 0.19]]
)  # without and with diabetes
ON, WITHDRAWN, OFF = 0, 1, 2  # what is done with a treatment
DISCOUNT = 0.99  # with which physician and learners plan
SWEEPS = 500  # of value iteration
MISTAKES = 0.05  # share of the physician's actions that are another than the best


def _abnormal(*readings: Array) -> Array:
    return np.asarray(
        sum(1 * (reading != normal) for reading, normal in zip(readings, NORMAL, strict=True))
    )


def _outcome(abnormal: Array, treated: Array) -> Array:
    """Of readings with `abnormal` among them, and treatments that are all 0 if there is none."""
    return np.asarray(1 * ((abnormal == 0) & (treated == 0)) - (abnormal >= 3))


@cache
def _admitted(diabetic: float) -> Array:
    """The law of diabetes and of the first readings, (2, 3, 3, 2, 5);

    who is well or dying is not admitted.
    """
    diabetes = np.array([1.0 - diabetic, diabetic])
    law = np.einsum("d,h,b,o,dg->dhbog", diabetes, RATE, BLOOD, OXYGEN, GLUCOSE)
    law = law * (_outcome(_abnormal(*np.indices(SIZES)), np.zeros(1)) == 0)
    return np.asarray(law / law.sum())


@cache
def _first(reading: int) -> Array:
    """The law of a first reading (1 heart rate ...

    4 glucose) given diabetes and those before it, which is the same for any share.
    """
    law = _admitted(0.5).sum(tuple(range(reading + 1, 5)))
    return conditional(
        law, unseen=1.0 / law.shape[-1]
    )  # which is where three readings before are abnormal


def _done(on: Array, given: Array) -> Array:
    return np.where(given == 1, ON, np.where(on == 1, WITHDRAWN, OFF))


def _moves(levels: int, moves: Mapping[tuple[int, int], float]) -> Array:
    """A law (levels, levels) of the next level:

    the probability of each move, and otherwise none.
    """
    law = np.zeros((levels, levels))
    for move, probability in moves.items():
        law[move] += probability
    return np.asarray(law + np.diag(1.0 - law.sum(1)))


def _drift(levels: int, probability: float) -> Array:
    """A level up and a level down, with this probability each."""
    return _moves(
        levels,
        {(i, j): probability for i in range(levels) for j in (i - 1, i + 1) if 0 <= j < levels},
    )


@cache
def _heart_rate() -> Array:
    """By what is done with antibiotics: (3, 3, 3)."""
    return np.stack([_moves(3, {(2, 1): 0.5}), _moves(3, {(1, 2): 0.1}), _drift(3, 0.1)])


@cache
def _oxygen() -> Array:
    """By what is done with ventilation: (3, 2, 2)."""
    return np.stack([_moves(2, {(0, 1): 0.7}), _moves(2, {(1, 0): 0.1}), _drift(2, 0.1)])


@cache
def _blood_pressure() -> Array:
    """By what is done with antibiotics and with vasopressors, and by diabetes: (3, 3, 2, 3, 3)."""
    antibiotics = np.stack([_moves(3, {(2, 1): 0.5}), _moves(3, {(1, 2): 0.1}), np.eye(3)])
    given = (
        _moves(3, {(0, 1): 0.7, (1, 2): 0.7}),
        _moves(3, {(0, 1): 0.5, (0, 2): 0.4, (1, 2): 0.9}),
    )
    withdrawn = tuple(_moves(3, {(1, 0): fall, (2, 1): fall}) for fall in (0.1, 0.05))
    law = np.einsum(
        "aij,vdjk->avdik", antibiotics, np.stack([given, withdrawn, (np.eye(3), np.eye(3))])
    )
    law[OFF, OFF] = _drift(3, 0.1)
    return np.asarray(law)


@cache
def _glucose(fault: bool) -> Array:
    """By vasopressors and by diabetes: (2, 2, 5, 5)."""
    fall, rise = (
        {(i, i - 1): 0.1 for i in range(1, 5)},
        {(i, min(1 if fault else 4, i + 1)): 0.1 for i in range(5)},
    )
    healthy = _moves(5, fall) + _moves(5, rise) - np.eye(5)
    raised = _moves(5, {(i, i + 1): 0.5 for i in range(4)})
    return np.stack([[healthy, _drift(5, 0.3)], [np.eye(5), raised]])


@cache
def _physician(fault: bool) -> Array:
    """The behaviour policy: what is best for who sees everything and discounts by 0.99, and a
    mistake now and then.

    By diabetes, the treatments that are on and the readings: (2, 2, 2, 2, 3, 3, 2, 5, 8).
    """
    treatments = np.array(
        [(a, e, v) for a in (0, 1) for e in (0, 1) for v in (0, 1)]
    )  # what is on, or given
    on, given, diabetes = treatments[:, None, None], treatments[None, :, None], np.arange(2)
    antibiotics, ventilation, vasopressors = (_done(on[..., i], given[..., i]) for i in range(3))
    shape = 8, 8, 2
    rate, oxygen = (
        np.broadcast_to(law, (*shape, *law.shape[-2:]))
        for law in (_heart_rate()[antibiotics], _oxygen()[ventilation])
    )
    pressure = _blood_pressure()[antibiotics, vasopressors, diabetes]
    glucose = np.broadcast_to(_glucose(fault)[given[..., 2], diabetes], (*shape, 5, 5))
    law = np.einsum(
        "xydij,xydkl,xydmn,xydop->xydikmojlnp", rate, pressure, oxygen, glucose, optimize=True
    ).reshape(*shape, 90, 90)
    abnormal = _abnormal(*np.indices(SIZES)).ravel()
    gain = _outcome(abnormal, treatments.sum(1)[:, None])  # of the state after, by what was given
    going_on = law * (gain == 0)[None, :, None, None, :]
    now = np.einsum("xydij,yj->xydi", law, gain)
    worth = np.zeros((8, 2, 90))
    for _ in range(SWEEPS):
        later = np.einsum("xydij,ydj->xydi", going_on, worth)
        values = now + DISCOUNT * later
        worth = values.max(1)
    best = values.transpose(2, 0, 3, 1).argmax(-1).reshape(2, 2, 2, 2, *SIZES)
    return np.asarray(MISTAKES / 7 + (1.0 - MISTAKES - MISTAKES / 7) * np.eye(8)[best])


def _planned(process: Process) -> Array:
    """The policy (C, A) that is best in a process without end, future rewards discounted by 0.99."""
    return greedy(replace(process, horizon=SWEEPS, discount=DISCOUNT).plan())


class SepsisDiabetes(World):
    """Give a patient with sepsis antibiotics, ventilation and vasopressors, or not, until he is
    well or dead.

    Vasopressors raise the blood pressure of diabetics more, and their glucose too. The physician
    knows who is diabetic and how high the glucose is, and treats accordingly; the log has neither.
    In it vasopressors do well, for those to whom they were given. A patient dies (-1) when three of
    heart rate, blood pressure, oxygen and glucose are abnormal, and leaves (+1) when all are normal
    without treatment.

        diabetes, glucose --> treatment --> heart_rate_after, blood_pressure_after, oxygen_after,
        glucose_after --> outcome diabetes --> blood_pressure_after, glucose_after

    Observation: MultiDiscrete([3, 3, 2, 2, 2, 2]): heart rate, blood pressure, oxygen, and whether
    on antibiotics, on ventilation, on vasopressors. Action: Discrete(8), 4 antibiotics + 2
    ventilation + vasopressors. 20 steps at most; the reward is -1, 0 or 1, and J is the return of
    an episode. With `fault`, as in the published program, glucose that rises in a patient without
    diabetes becomes 1 (low).

    Physician and learners plan as in the source, without end and discounting by 0.99. J(causal) is
    that of the plan made from a log of uniformly random actions: a reference, and no optimum, for
    who remembers the past could do better.

    Trap: since promised = 0.7066 > J(causal) > J(confused) = 0.1110 > J(uniform).
    Way out: interventions.
    Best: since J(behaviour) = 0.3170 > J(causal) = 0.2399 > J(uniform) = -0.7588.
    Twin: none, because in the log what follows depends on the whole past, and so it would have to
    in the twin.

    Source: Oberst and Sontag (2019), section 5 and their published simulator.
    """

    horizon: int = 20
    fault: bool = True
    # P(diabetes) among all who come, before those who are not to be treated are turned away
    diabetic: float = 0.2

    @latent.starting(lambda self: Categorical(_admitted(self.diabetic).sum((1, 2, 3, 4))))
    def diabetes(self, diabetes_tm1: Array) -> Exactly:
        return Exactly(diabetes_tm1)

    @context.starting(lambda self, diabetes: Categorical(_first(1)[diabetes]))
    def heart_rate(self, heart_rate_after_tm1: Array) -> Exactly:
        return Exactly(heart_rate_after_tm1)

    @context.starting(
        lambda self, diabetes, heart_rate: Categorical(_first(2)[diabetes, heart_rate])
    )
    def blood_pressure(self, blood_pressure_after_tm1: Array) -> Exactly:
        return Exactly(blood_pressure_after_tm1)

    @context.starting(
        lambda self, diabetes, heart_rate, blood_pressure: Categorical(
            _first(3)[diabetes, heart_rate, blood_pressure]
        )
    )
    def oxygen(self, oxygen_after_tm1: Array) -> Exactly:
        return Exactly(oxygen_after_tm1)

    @latent.starting(
        lambda self, diabetes, heart_rate, blood_pressure, oxygen: Categorical(
            _first(4)[diabetes, heart_rate, blood_pressure, oxygen]
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
    ) -> Categorical:
        state = (
            diabetes,
            on_antibiotics,
            on_ventilation,
            on_vasopressors,
            heart_rate,
            blood_pressure,
            oxygen,
            glucose,
        )
        return Categorical(_physician(self.fault)[state])

    @latent
    def heart_rate_after(
        self, heart_rate: Array, on_antibiotics: Array, treatment: Array
    ) -> Categorical:
        return Categorical(_heart_rate()[_done(on_antibiotics, treatment // 4), heart_rate])

    @latent
    def blood_pressure_after(
        self,
        blood_pressure: Array,
        on_antibiotics: Array,
        on_vasopressors: Array,
        treatment: Array,
        diabetes: Array,
    ) -> Categorical:
        antibiotics, vasopressors = (
            _done(on_antibiotics, treatment // 4),
            _done(on_vasopressors, treatment % 2),
        )
        return Categorical(_blood_pressure()[antibiotics, vasopressors, diabetes, blood_pressure])

    @latent
    def oxygen_after(self, oxygen: Array, on_ventilation: Array, treatment: Array) -> Categorical:
        return Categorical(_oxygen()[_done(on_ventilation, treatment // 2 % 2), oxygen])

    @latent
    def glucose_after(self, glucose: Array, treatment: Array, diabetes: Array) -> Categorical:
        return Categorical(_glucose(self.fault)[treatment % 2, diabetes, glucose])

    @reward
    def outcome(
        self,
        heart_rate_after: Array,
        blood_pressure_after: Array,
        oxygen_after: Array,
        glucose_after: Array,
        treatment: Array,
    ) -> Exactly:
        abnormal = _abnormal(heart_rate_after, blood_pressure_after, oxygen_after, glucose_after)
        return Exactly(_outcome(abnormal, treatment))

    @terminal
    def over(self, outcome: Array) -> Exactly:
        return Exactly(abs(outcome))

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        return {"Published": {}, "Repaired": {"fault": False}}

    def confused_policy(self) -> Array:
        """The plan in the process that the log shows."""
        return _planned(log_process(self))

    def promised_value(self) -> float:
        return log_process(self).value(self.confused_policy())

    def causal_policy(self) -> Array:
        """The plan in the process that uniformly random actions show."""
        return _planned(do_process(self))

    def values_in(self, world: World) -> Mapping[str, float]:
        """J(best) is that of the better plan, made here or in `world`, and J(worst) that of the
        plan for the lowest return there.

        With the intent there are too many states to be solved at once.
        """
        shown = do_process(world)
        best = max(value(world, policy) for policy in (self.causal_policy(), _planned(shown)))
        worst = value(world, _planned(replace(shown, reward=-shown.reward)))
        return {"j_best": best, "j_worst": worst, "j_intent": np.nan}

    def twin(self) -> None:
        return None

    @shift
    def half_diabetic(self) -> World:
        return replace(self, diabetic=0.5)

    @shift
    def mostly_diabetic(self) -> World:
        return replace(self, diabetic=0.8)


class GlucoseSeen(SepsisDiabetes):
    """The glucose is measured, and only diabetes is hidden: most of the confusion goes.

        diabetes --> treatment --> heart_rate_after, blood_pressure_after, oxygen_after,
        glucose_after --> outcome diabetes --> blood_pressure_after, glucose_after

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
            _first(4)[diabetes, heart_rate, blood_pressure, oxygen]
        )
    )
    def glucose(self, glucose_after_tm1: Array) -> Exactly:
        return Exactly(glucose_after_tm1)
