"""Patients with sepsis, treated by a physician who knows which of them are diabetic."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np

from dosuite.causal import (
    Array,
    Categorical,
    Distribution,
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

# The published simulator, in the order in which it applies its effects: antibiotics, ventilation,
# vasopressors, and fluctuations of what no treatment has just moved. A reading is the number of its
# level: heart rate, blood pressure and oxygen from low (0) over normal (1) to high (2; oxygen has no
# such level), and glucose from very low (0) over normal (2) to very high (4).
SIZES = (3, 3, 2, 5)  # levels of heart rate, blood pressure, oxygen and glucose
NORMAL = (1, 1, 1, 2)
STATES = 90  # combinations of the four readings

# Laws of the first readings, before patients who need no treatment or are past it are turned away.
RATE = BLOOD = np.array([0.25, 0.5, 0.25])
OXYGEN = np.array([0.2, 0.8])
GLUCOSE = np.array([[0.05, 0.15, 0.6, 0.15, 0.05], [0.01, 0.05, 0.15, 0.6, 0.19]])  # by diabetes

ON, WITHDRAWN, OFF = 0, 1, 2  # phases of a treatment: given, stopped in this step, not given
ACTIONS = 8  # 4 antibiotics + 2 ventilation + vasopressors
DISCOUNT = 0.99  # with which the physician and the learners plan
SWEEPS = 500  # of value iteration
MISTAKES = 0.05  # probability that the physician takes one of the other seven actions

# Axes of the physician's policy: diabetes, the three treatments that are on, the four readings.
PHYSICIAN_SEES = (2, 2, 2, 2, *SIZES)


def _abnormal(*readings: Array) -> Array:
    """How many of the four readings are not normal; the arrays are broadcast."""
    count: Array = np.asarray(0)
    for reading, normal in zip(readings, NORMAL, strict=True):
        count = count + (reading != normal)
    return np.asarray(count)


def _outcome(abnormal: Array, treated: Array) -> Array:
    """1 if nothing is abnormal and the patient is without treatment (`treated` 0), -1 if at least
    three readings are abnormal, else 0.
    """
    well = (abnormal == 0) & (treated == 0)
    dead = abnormal >= 3
    return np.asarray(1 * well - dead)


@cache
def _admitted(diabetic: float) -> Array:
    """P(diabetes, first readings), shape (2, 3, 3, 2, 5), among patients who are neither well nor
    dead. `diabetic` is P(diabetes) among all who come.
    """
    diabetes = np.array([1.0 - diabetic, diabetic])
    law = np.einsum("d,h,b,o,dg->dhbog", diabetes, RATE, BLOOD, OXYGEN, GLUCOSE)
    untreated = np.zeros(1)
    law = law * (_outcome(_abnormal(*np.indices(SIZES)), untreated) == 0)
    return np.asarray(law / law.sum())


@cache
def _first(reading: int) -> Array:
    """P(first reading | diabetes, the readings before it): shape (2, ..., levels).

    `reading` counts from 1 (heart rate) to 4 (glucose). The share of diabetics cancels. Uniform
    where the condition has probability 0, which is where three readings are abnormal already.
    """
    law = _admitted(0.5).sum(tuple(range(reading + 1, 5)))
    return conditional(law, unseen=1.0 / law.shape[-1])


def _phase(on: Array, given: Array) -> Array:
    """The phase of a treatment that was `on` before the step and is `given` in it, each 0 or 1."""
    return np.where(given == 1, ON, np.where(on == 1, WITHDRAWN, OFF))


def _moves(levels: int, moves: Mapping[tuple[int, int], float]) -> Array:
    """A transition matrix (levels, levels): each move (from, to) has its probability, and the rest
    of a row stays.
    """
    law = np.zeros((levels, levels))
    for move, probability in moves.items():
        law[move] += probability
    return np.asarray(law + np.diag(1.0 - law.sum(1)))


def _drift(levels: int, probability: float) -> Array:
    """A fluctuation: up and down by one level, with this probability each."""
    moves = {}
    for level in range(levels):
        for neighbour in (level - 1, level + 1):
            if 0 <= neighbour < levels:
                moves[level, neighbour] = probability
    return _moves(levels, moves)


@cache
def _heart_rate() -> Array:
    """Transitions of the heart rate by the phase of antibiotics: (3, 3, 3)."""
    on = _moves(3, {(2, 1): 0.5})
    withdrawn = _moves(3, {(1, 2): 0.1})
    return np.stack([on, withdrawn, _drift(3, 0.1)])


@cache
def _oxygen() -> Array:
    """Transitions of the oxygen by the phase of ventilation: (3, 2, 2)."""
    on = _moves(2, {(0, 1): 0.7})
    withdrawn = _moves(2, {(1, 0): 0.1})
    return np.stack([on, withdrawn, _drift(2, 0.1)])


@cache
def _blood_pressure() -> Array:
    """Transitions of the blood pressure by the phases of antibiotics and of vasopressors and by
    diabetes: (3, 3, 2, 3, 3). Antibiotics act first.
    """
    still = np.eye(3)
    antibiotics = np.stack([_moves(3, {(2, 1): 0.5}), _moves(3, {(1, 2): 0.1}), still])
    given = (
        _moves(3, {(0, 1): 0.7, (1, 2): 0.7}),
        _moves(3, {(0, 1): 0.5, (0, 2): 0.4, (1, 2): 0.9}),
    )
    withdrawn = tuple(_moves(3, {(1, 0): fall, (2, 1): fall}) for fall in (0.1, 0.05))
    vasopressors = np.stack([given, withdrawn, (still, still)])
    law = np.einsum("aij,vdjk->avdik", antibiotics, vasopressors)
    # It fluctuates only where neither treatment moves it.
    law[OFF, OFF] = _drift(3, 0.1)
    return np.asarray(law)


@cache
def _glucose(fault: bool) -> Array:
    """Transitions of the glucose by vasopressors (given or not) and by diabetes: (2, 2, 5, 5)."""
    # The published program caps the rise of a patient without diabetes at level 1, not at 4.
    highest = 1 if fault else 4
    fall = {(level, level - 1): 0.1 for level in range(1, 5)}
    rise = {(level, min(highest, level + 1)): 0.1 for level in range(5)}
    healthy = _moves(5, fall) + _moves(5, rise) - np.eye(5)
    raised = _moves(5, {(level, level + 1): 0.5 for level in range(4)})
    return np.stack([[healthy, _drift(5, 0.3)], [np.eye(5), raised]])


def _transitions(treatments: Array, fault: bool) -> Array:
    """P(readings after | treatments on, treatments given, diabetes, readings): (8, 8, 2, 90, 90).

    `treatments` lists the eight combinations of antibiotics, ventilation and vasopressors: (8, 3).
    """
    shape = len(treatments), len(treatments), 2
    on, given, diabetes = treatments[:, None, None], treatments[None, :, None], np.arange(2)
    antibiotics, ventilation, vasopressors = (_phase(on[..., i], given[..., i]) for i in range(3))
    rate, oxygen = (
        np.broadcast_to(law, (*shape, *law.shape[-2:]))
        for law in (_heart_rate()[antibiotics], _oxygen()[ventilation])
    )
    pressure = _blood_pressure()[antibiotics, vasopressors, diabetes]
    glucose = np.broadcast_to(_glucose(fault)[given[..., 2], diabetes], (*shape, 5, 5))
    # Given treatments and diabetes, the four readings move independently.
    law = np.einsum(
        "xydij,xydkl,xydmn,xydop->xydikmojlnp", rate, pressure, oxygen, glucose, optimize=True
    )
    return np.asarray(law.reshape(*shape, STATES, STATES))


@cache
def _physician(fault: bool) -> Array:
    """The behaviour policy P(action | diabetes, treatments on, readings): shape (1440, 8), a row for
    each cell of `PHYSICIAN_SEES`.

    The plan of a physician who sees everything, found by value iteration without a horizon and with
    a discount of 0.99; each of the other seven actions is taken by mistake with probability 0.05/7.
    """
    treatments = np.array(list(np.ndindex(2, 2, 2)))
    law = _transitions(treatments, fault)
    abnormal = _abnormal(*np.indices(SIZES)).ravel()
    gain = _outcome(abnormal, treatments.sum(1)[:, None])  # (given, state after)
    # Axes of the values: x treatments on, y treatments given, d diabetes, i readings.
    going_on = law * (gain == 0)[None, :, None, None, :]
    now = np.einsum("xydij,yj->xydi", law, gain)
    best_value = np.zeros((ACTIONS, 2, STATES))
    # Bellman's optimality equation; what is given in this step is on in the next.
    for _ in range(SWEEPS):
        later = np.einsum("xydij,ydj->xydi", going_on, best_value)
        values = now + DISCOUNT * later
        best_value = values.max(1)
    best = values.transpose(2, 0, 3, 1).argmax(-1).ravel()
    other = MISTAKES / 7
    return np.asarray(other + (1.0 - MISTAKES - other) * np.eye(ACTIONS)[best])


@dataclass(frozen=True, eq=False)
class Physician(Distribution):
    """The physician's choice of a treatment for each unit. The plan is made when a probability is
    first needed, so that importing, and checking the class, cost nothing.
    """

    fault: bool
    cell: Array  # (n,), rows of the physician's policy

    @cached_property
    def _law(self) -> Categorical:
        return Categorical(_physician(self.fault)[self.cell])

    @property
    def batch_shape(self) -> tuple[int, ...]:
        return self.cell.shape

    def sample(self, noise: Array, rows: Array | None = None) -> Array:
        return self._law.sample(noise, rows)

    def mean(self) -> Array:
        return self._law.mean()

    def support(self) -> Array:
        return np.arange(ACTIONS)

    def probability(self, values: Array) -> Array:
        return self._law.probability(values)


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

        diabetes, glucose --> treatment --> heart_rate_after, blood_pressure_after, oxygen_after,
        glucose_after --> outcome diabetes --> blood_pressure_after, glucose_after

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
        return Categorical(_heart_rate()[_phase(on_antibiotics, treatment // 4), heart_rate])

    @latent
    def blood_pressure_after(
        self,
        blood_pressure: Array,
        on_antibiotics: Array,
        on_vasopressors: Array,
        treatment: Array,
        diabetes: Array,
    ) -> Categorical:
        antibiotics = _phase(on_antibiotics, treatment // 4)
        vasopressors = _phase(on_vasopressors, treatment % 2)
        return Categorical(_blood_pressure()[antibiotics, vasopressors, diabetes, blood_pressure])

    @latent
    def oxygen_after(self, oxygen: Array, on_ventilation: Array, treatment: Array) -> Categorical:
        return Categorical(_oxygen()[_phase(on_ventilation, treatment // 2 % 2), oxygen])

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
