"""Logs that condition on a common effect of two independent causes: a covariate, and a selection of
rows.
"""

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
    reward,
    selection,
    shift,
)


class MBiasClinic(World):
    """Give a drug (1) or not (0), knowing whether the patient has been to a check-up; a recovery
    earns 1.

    Worried patients take the drug and come to the check-up; fit patients come too, and recover.
    Among those who came, a patient who is not worried must be fit: so those without the drug
    recover more often, although the drug helps every patient equally. Over all patients nothing
    confounds the drug, and a learner that ignores the check-up is right.

        worried --> drug --> recovery <-- fit
           |                               |
           +----------> checkup <----------+

    Observation: Discrete(2), the check-up. Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 1 0, since E[recovery | drug=0, checkup=1] = 0.7046 > E[recovery | drug=1, checkup=1] =
    0.6088.
    Way out: ignore checkup.
    Best: 1 1, since J(causal) = 0.6 > J(confused) = 0.452 and E[recovery | drug=1] = 0.6 >
    E[recovery | drug=0] = 0.4.

    Source: the M-bias of Greenland (2003); story and numbers are ours.
    """

    held_out: ClassVar[Ranges] = {"effect": (0.05, 0.24), "worried": (0.1, 0.9), "fit": (0.1, 0.9)}

    effect: float = 0.2  # of the drug on P(recovery)

    @latent
    def worried(self) -> Bernoulli:
        return Bernoulli(0.5)

    @latent
    def fit(self) -> Bernoulli:
        return Bernoulli(0.5)

    @context
    def checkup(self, worried: Array, fit: Array) -> Bernoulli:
        return Bernoulli(np.where(worried + fit > 0, 0.98, 0.02))

    @action
    def drug(self, worried: Array) -> Bernoulli:
        return Bernoulli(np.where(worried == 1, 0.95, 0.05))

    @reward
    def recovery(self, drug: Array, fit: Array) -> Bernoulli:
        return Bernoulli(0.05 + self.effect * drug + 0.7 * fit)

    @shift
    def no_collider(self) -> World:
        """Half of the patients come to the check-up, independently of worry and fitness."""
        return self.do(checkup=Bernoulli(0.5))

    @shift
    def both_needed(self) -> World:
        """Only patients who are both worried and fit come to the check-up."""
        return self.do(checkup=_both)

    @shift
    def worry_spreads(self) -> World:
        return self.do(worried=Bernoulli(0.95))

    @shift
    def stronger_drug(self) -> World:
        return replace(self, effect=0.24)

    @shift
    def harmful_drug(self) -> World:
        """The drug harms every patient: the confused policy wins."""
        return replace(self, effect=-0.05)


class SelectionGate(World):
    """Play safe (0) or take a risk (1); a win earns 1.

    People who took a risk and won tell the story, and people who took it and lost hardly ever do.
    So in the log, which consists of these stories, risks nearly always pay. Nothing confounds the
    choice, and no adjustment helps: rows are missing because of their outcome.

        risk --> win --> told
          |               ^
          +---------------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 1, since E[win | risk=1, told=1] = 0.885 > E[win | risk=0, told=1] = 0.5.
    Way out: interventions.
    Best: 0, since E[win | do(risk=0)] = 0.5 > E[win | do(risk=1)] = 0.3.

    Source: survivorship, as in the bombers of Wald (1943); the numbers are ours.
    """

    held_out: ClassVar[Ranges] = {"gamble": (0.1, 0.45)}

    gamble: float = 0.3  # P(win | risk)
    selectivity: float = 1.0  # 0: every story is told; 1: the table of `told`

    @action
    def risk(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def win(self, risk: Array) -> Bernoulli:
        return Bernoulli(np.where(risk == 1, self.gamble, 0.5))

    @selection
    def told(self, risk: Array, win: Array) -> Bernoulli:
        # P(told | risk, win) at selectivity 1.
        silent = 1.0 - np.array([[0.5, 0.5], [0.05, 0.90]])[risk, win]
        return Bernoulli(1.0 - self.selectivity * silent)

    @shift
    def winners_worse(self) -> World:
        """Risks pay even less."""
        return self.do(win=_rarely)

    @shift
    def risk_pays(self) -> World:
        """Risks pay after all: the confused policy wins."""
        return self.do(win=_often)

    def dialled(self, strength: float) -> World:
        """The world between the control, in which every story is told (0), and the model itself
        (1).
        """
        if strength == 0:
            return self.do(told=1)
        return replace(self, selectivity=strength * self.selectivity)


def _both(worried: Array, fit: Array) -> Bernoulli:
    return Bernoulli(np.where(worried + fit == 2, 0.98, 0.02))


def _rarely(risk: Array) -> Bernoulli:
    return Bernoulli(np.where(risk == 1, 0.1, 0.5))


def _often(risk: Array) -> Bernoulli:
    return Bernoulli(np.where(risk == 1, 0.6, 0.3))
