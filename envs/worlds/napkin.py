"""The napkin graph: a clinic whose log identifies the effect, but by no adjustment and by no
mediator.
"""

from typing import ClassVar

import numpy as np

from dosuite.causal import Array, Bernoulli, Ranges, World, action, latent, logged, reward, shift


class NapkinClinic(World):
    """Operate (1) or not (0); a recovery earns 1.

    An orderly doctor flags frail patients, a contrary one robust patients, and flagged patients are
    referred. The orderly doctor then operates on those who are referred, and the contrary one on
    the others. So in the log frail patients are operated on more often, and an adjustment for the
    flag, for the referral, or for both, leaves the confounding. The effect is identified because
    the referral depends on the flag alone:
    P(recovery | do(operation)) = sum over flags f of P(f) P(operation, recovery | referral, f),
    divided by the same sum of P(f) P(operation | referral, f), for either referral.

        flag --> referral --> operation --> recovery
        contrary --> flag, operation
        frail --> flag, recovery

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 0, since E[recovery | operation=0] = 0.6356 > E[recovery | operation=1] = 0.4556.
    Way out: the graph.
    Best: 1, since E[recovery | do(operation=1)] = 0.65 > E[recovery | do(operation=0)] = 0.425.

    Source: the napkin problem of Pearl and Mackenzie, The Book of Why (2018), chapter 7; story and
    numbers are ours."""

    held_out: ClassVar[Ranges] = {"frail": (0.1, 0.9)}

    @latent
    def contrary(self) -> Bernoulli:
        return Bernoulli(0.5)

    @latent
    def frail(self) -> Bernoulli:
        return Bernoulli(0.5)

    @logged
    def flag(self, contrary: Array, frail: Array) -> Bernoulli:
        return Bernoulli(np.where(contrary != frail, 0.9, 0.1))

    @logged
    def referral(self, flag: Array) -> Bernoulli:
        return Bernoulli(np.where(flag == 1, 0.95, 0.05))

    @action
    def operation(self, referral: Array, contrary: Array) -> Bernoulli:
        return Bernoulli(np.where(referral != contrary, 0.95, 0.05))

    @reward
    def recovery(self, operation: Array, frail: Array) -> Bernoulli:
        return Bernoulli(np.array([[0.75, 0.10], [0.95, 0.35]])[operation, frail])

    @shift
    def frail_common(self) -> World:
        return self.do(frail=Bernoulli(0.9))

    @shift
    def frail_rare(self) -> World:
        return self.do(frail=Bernoulli(0.1))

    @shift
    def backfire(self) -> World:
        """The operation harms: the confused policy wins."""
        return self.do(recovery=_harmed)


def _harmed(operation: Array, frail: Array) -> Bernoulli:
    return Bernoulli(np.array([[0.75, 0.10], [0.70, 0.05]])[operation, frail])
