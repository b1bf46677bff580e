"""A hidden confounder with two proxies: no adjustment removes the confounding, but proximal
inference does.
"""

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
    logged,
    reward,
    shift,
)

RECOVERY = np.array([[0.80, 0.20], [0.95, 0.45]])  # P(recovery | drug, severe)


class ProxyClinic(World):
    """Give the old drug (0) or the new one (1); a recovery earns 1.

    Severe cases were given the new drug, so in the log fewer patients recover with it. Severity is
    not logged, but two proxies of it are: whether the patient was referred, and whether the patient
    had a fever. Adjusting for either or for both removes part of the confounding; the outcome
    bridge of proximal inference, which uses one proxy as an instrument for the other, removes all
    of it.

        referred <-- severe --> fever
                     |    |
             drug <--+    +--> recovery <-- drug

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 0, since E[recovery | drug=0] = 0.74 > E[recovery | drug=1] = 0.5.
    Way out: proxies.
    Best: 1, since E[recovery | do(drug=1)] = 0.7 > E[recovery | do(drug=0)] = 0.5.

    Source: the graph is that of Miao, Geng and Tchetgen Tchetgen (2018); the numbers are ours.
    """

    held_out: ClassVar[Ranges] = {"severe": (0.1, 0.9)}

    accuracy: float = 0.8  # P(fever = severe)

    @latent
    def severe(self) -> Bernoulli:
        return Bernoulli(0.5)

    @logged
    def referred(self, severe: Array) -> Bernoulli:
        return Bernoulli(0.15 + 0.70 * severe)

    @logged
    def fever(self, severe: Array) -> Bernoulli:
        return Bernoulli(np.where(severe == 1, self.accuracy, 1.0 - self.accuracy))

    @action
    def drug(self, severe: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.8 * severe)

    @reward
    def recovery(self, drug: Array, severe: Array) -> Bernoulli:
        return Bernoulli(RECOVERY[drug, severe])

    @shift
    def severe_wave(self) -> World:
        return self.do(severe=Bernoulli(0.9))

    @shift
    def mild(self) -> World:
        return self.do(severe=Bernoulli(0.1))

    @shift
    def resistance(self) -> World:
        """The new drug no longer works: the confused policy wins."""
        return self.do(recovery=_resistant)


class Chart(ProxyClinic):
    """Both proxies are seen before acting. They carry information about the severity, and the new
    drug is best whatever they show.

    Observation: MultiDiscrete([2, 2]), referred and fever. Otherwise as ProxyClinic.

    Trap: 1 0 0 1, since promised = 0.6613 > J(confused) = 0.642.
    Way out: proxies.
    Best: 1 1 1 1, since J(causal) = 0.7 > J(behaviour) = 0.62.

    Source: as ProxyClinic.
    """

    @context
    def referred(self, severe: Array) -> Bernoulli:
        return Bernoulli(0.15 + 0.70 * severe)

    @context
    def fever(self, severe: Array) -> Bernoulli:
        return Bernoulli(np.where(severe == 1, self.accuracy, 1.0 - self.accuracy))


def _resistant(drug: Array, severe: Array) -> Bernoulli:
    return Bernoulli(np.where(severe == 1, 0.20 - 0.10 * drug, 0.80))
