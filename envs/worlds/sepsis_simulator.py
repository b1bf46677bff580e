"""The published sepsis simulator of Oberst and Sontag (2019) as tables: its laws, and the plan of
its physician. A helper of the sepsis worlds that defines no world.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from dosuite.causal import Array, Categorical, Distribution
from dosuite.causal.model.elimination import conditional

# The published simulator, in the order in which it applies its effects: antibiotics, ventilation,
# vasopressors, and fluctuations of what no treatment has just moved. A reading is the number of its
# level: heart rate and blood pressure are low (0), normal (1) or high (2), oxygen is low (0) or
# normal (1), and glucose goes from very low (0) over normal (2) to very high (4).
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


def abnormal_readings(*readings: Array) -> Array:
    """How many of the four readings are not normal; the arrays are broadcast."""
    count: Array = np.asarray(0)
    for reading, normal in zip(readings, NORMAL, strict=True):
        count = count + (reading != normal)
    return np.asarray(count)


def outcome_of(abnormal: Array, treated: Array) -> Array:
    """1 if nothing is abnormal and the patient is without treatment (`treated` 0), -1 if at least
    three readings are abnormal, else 0.
    """
    well = (abnormal == 0) & (treated == 0)
    dead = abnormal >= 3
    return np.asarray(1 * well - dead)


@cache
def admitted(diabetic: float) -> Array:
    """P(diabetes, first readings), shape (2, 3, 3, 2, 5), among patients who are neither well nor
    dead. `diabetic` is P(diabetes) among all who come.
    """
    diabetes = np.array([1.0 - diabetic, diabetic])
    law = np.einsum("d,h,b,o,dg->dhbog", diabetes, RATE, BLOOD, OXYGEN, GLUCOSE)
    untreated = np.zeros(1)
    law = law * (outcome_of(abnormal_readings(*np.indices(SIZES)), untreated) == 0)
    return np.asarray(law / law.sum())


@cache
def first_reading(reading: int) -> Array:
    """P(first reading | diabetes, the readings before it): shape (2, ..., levels).

    `reading` counts from 1 (heart rate) to 4 (glucose). The share of diabetics cancels. Uniform
    where the condition has probability 0, which is where three readings are abnormal already.
    """
    law = admitted(0.5).sum(tuple(range(reading + 1, 5)))
    return conditional(law, unseen=1.0 / law.shape[-1])


def phase(on: Array, given: Array) -> Array:
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
def heart_rate_moves() -> Array:
    """Transitions of the heart rate by the phase of antibiotics: (3, 3, 3)."""
    on = _moves(3, {(2, 1): 0.5})
    withdrawn = _moves(3, {(1, 2): 0.1})
    return np.stack([on, withdrawn, _drift(3, 0.1)])


@cache
def oxygen_moves() -> Array:
    """Transitions of the oxygen by the phase of ventilation: (3, 2, 2)."""
    on = _moves(2, {(0, 1): 0.7})
    withdrawn = _moves(2, {(1, 0): 0.1})
    return np.stack([on, withdrawn, _drift(2, 0.1)])


@cache
def blood_pressure_moves() -> Array:
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
def glucose_moves(fault: bool) -> Array:
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
    antibiotics, ventilation, vasopressors = (phase(on[..., i], given[..., i]) for i in range(3))
    rate, oxygen = (
        np.broadcast_to(law, (*shape, *law.shape[-2:]))
        for law in (heart_rate_moves()[antibiotics], oxygen_moves()[ventilation])
    )
    pressure = blood_pressure_moves()[antibiotics, vasopressors, diabetes]
    glucose = np.broadcast_to(glucose_moves(fault)[given[..., 2], diabetes], (*shape, 5, 5))
    # Given treatments and diabetes, the four readings move independently.
    law = np.einsum(
        "xydij,xydkl,xydmn,xydop->xydikmojlnp", rate, pressure, oxygen, glucose, optimize=True
    )
    return np.asarray(law.reshape(*shape, STATES, STATES))


@cache
def physician_policy(fault: bool) -> Array:
    """The behaviour policy P(action | diabetes, treatments on, readings): shape (1440, 8), a row
    for each cell of `PHYSICIAN_SEES`.

    The plan of a physician who sees everything, found by value iteration without a horizon and with
    a discount of 0.99; each of the other seven actions is taken by mistake with probability 0.05/7.
    """
    treatments = np.array(list(np.ndindex(2, 2, 2)))
    law = _transitions(treatments, fault)
    abnormal = abnormal_readings(*np.indices(SIZES)).ravel()
    gain = outcome_of(abnormal, treatments.sum(1)[:, None])  # (given, state after)
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
        return Categorical(physician_policy(self.fault)[self.cell])

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
