"""Logs in which a common effect ties together what has nothing to do with each other:

a covariate, and a gate.
"""

from dataclasses import replace

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
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

    The worried take the drug, and come to the check-up; so do the fit, who recover. Among those who
    came, who is not worried must be fit: so without the drug they recover more often, although the
    drug helps everybody alike. Over all patients nothing confounds the drug, and whoever forgets
    what he sees is right.

        worried --> drug --> recovery <-- fit
           |                               |
           +----------> checkup <----------+

    Observation: Discrete(2), the check-up. Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 1 0, since E[recovery | drug=0, checkup=1] = 0.7046 > E[recovery | drug=1, checkup=1] = 0.6088.
    Way out: ignore checkup.
    Best: 1 1, since J(causal) = 0.6 > J(confused) = 0.452 and E[recovery | drug=1] = 0.6 > E[recovery | drug=0] = 0.4.

    Source: the M-bias of Greenland (2003); story and numbers are ours.
    """

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
        """Half of the patients are called to the check-up, whoever they are."""
        return self.do(checkup=Bernoulli(0.5))

    @shift
    def both_needed(self) -> World:
        """Only who is both worried and fit comes to the check-up."""
        return self.do(checkup=_both)

    @shift
    def worry_spreads(self) -> World:
        return self.do(worried=Bernoulli(0.95))

    @shift
    def stronger_drug(self) -> World:
        return replace(self, effect=0.24)

    @shift
    def harmful_drug(self) -> World:
        """The drug harms everybody: the confused policy wins."""
        return replace(self, effect=-0.05)


class SelectionGate(World):
    """Play safe (0) or take a risk (1); a win earns 1.

    Whoever took a risk and won tells the story, and whoever took it and lost hardly ever does. So
    in the log, which is made of stories, risks nearly always pay. Nothing confounds them, and no
    adjustment helps: who is missing was left out for what came of it.

        risk --> win --> told
          |               ^
          +---------------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 1, since E[win | risk=1, told=1] = 0.885 > E[win | risk=0, told=1] = 0.5.
    Way out: interventions.
    Best: 0, since E[win | do(risk=0)] = 0.5 > E[win | do(risk=1)] = 0.3.

    Source: survivorship, as in the bombers of Wald (1943); the numbers are ours.
    """

    selectivity: float = 1.0  # from 0, where everybody tells his story, to 1

    @action
    def risk(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def win(self, risk: Array) -> Bernoulli:
        return Bernoulli(np.where(risk == 1, 0.3, 0.5))

    @selection
    def told(self, risk: Array, win: Array) -> Bernoulli:
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
        """From the world in which everybody tells his story (0) to the model itself (1)."""
        return (
            self.do(told=1)
            if strength == 0
            else replace(self, selectivity=strength * self.selectivity)
        )


def _both(worried: Array, fit: Array) -> Bernoulli:
    return Bernoulli(np.where(worried + fit == 2, 0.98, 0.02))


def _rarely(risk: Array) -> Bernoulli:
    return Bernoulli(np.where(risk == 1, 0.1, 0.5))


def _often(risk: Array) -> Bernoulli:
    return Bernoulli(np.where(risk == 1, 0.6, 0.3))
