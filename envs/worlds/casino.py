"""Slot machines that know what a gambler is about to do."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Exactly,
    InputError,
    Ranges,
    World,
    action,
    latent,
    reward,
    shift,
)
from dosuite.causal.errors import did_you_mean

# P(win): a row for each machine, and the columns (drunk, blinking) = 00, 01, 10, 11.
Payouts = tuple[tuple[float, ...], ...]


class GreedyCasino(World):
    """Play one of two machines; a win earns 1.

    A gambler is drawn to machine (drunk + blinking) mod 2, and the house, which sees whether the
    gambler is drunk and whether the machines blink, lowers the odds of the machine to which the
    gambler is drawn. So a machine wins with probability 0.15 in the log and 0.30 in a trial. No
    policy that ignores its intent wins more; one that does the opposite of its intent wins with
    probability 0.45.

        machine <-- drunk, blinking --> payout
            |                             ^
            +-----------------------------+

    Observation: Discrete(1); with the intent, Discrete(2). Action: Discrete(2). One step; the
    reward is 0 or 1.

    Trap: either, since promised = 0.15 < J(confused) = 0.3.
    Way out: intent.
    Best: either, since E[payout | do(machine=0)] = 0.3 = E[payout | do(machine=1)].
    Twin: none, because the machines win alike in the log, and so they would if seeing were doing.

    Source: Bareinboim, Forney and Pearl (2015), whose casino is Greedy; Rigged is our own.
    """

    held_out: ClassVar[Ranges] = {"drunk": (0.1, 0.9), "blinking": (0.1, 0.9)}

    casino: str = "Greedy"

    houses: ClassVar[Mapping[str, Payouts]] = {
        "Rigged": ((0.6, 0.1, 0.1, 0.5), (0.5, 0.35, 0.35, 0.5)),
        "Greedy": ((0.1, 0.5, 0.4, 0.2), (0.5, 0.1, 0.2, 0.4)),
        "Generous": ((0.5, 0.1, 0.2, 0.4), (0.1, 0.5, 0.4, 0.2)),
        "ParadoxicalSwitching": ((0.4, 0.3, 0.3, 0.4), (0.6, 0.1, 0.2, 0.6)),
        "SometimesSwitch": ((0.5, 0.5, 0.4, 0.2), (0.1, 0.1, 0.2, 0.15)),
        "NoConfounding": ((0.55, 0.55, 0.55, 0.55), (0.45, 0.45, 0.45, 0.45)),
        "InevitableRegret": ((0.0, 1.0, 1.0, 0.0), (1.0, 0.0, 0.0, 1.0)),
    }

    @latent
    def drunk(self) -> Bernoulli:
        return Bernoulli(0.5)

    @latent
    def blinking(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action
    def machine(self, drunk: Array, blinking: Array) -> Exactly:
        return Exactly((drunk + blinking) % 2)

    @reward
    def payout(self, machine: Array, drunk: Array, blinking: Array) -> Bernoulli:
        if self.casino not in self.houses:
            raise InputError(
                f"{self.casino!r} is not a casino; {did_you_mean(self.casino, self.houses)}"
            )
        return Bernoulli(np.array(self.houses[self.casino])[machine, 2 * drunk + blinking])

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        return {casino: {"casino": casino} for casino in cls.houses}

    @shift
    def intent_flip(self) -> World:
        """Gamblers are drawn to the other machine: now it is best to follow the intent."""
        return self.do(machine=_other_machine)

    @shift
    def all_sober(self) -> World:
        return self.do(drunk=0)

    @shift
    def no_blink(self) -> World:
        return self.do(blinking=0)

    @shift
    def honest_house(self) -> World:
        return self.do(payout=Bernoulli(0.3))


class FourArms(GreedyCasino):
    """The casino with four machines, one for each state of gambler and house.

    Observation: Discrete(1); with the intent, Discrete(4). Action: Discrete(4). Otherwise as
    GreedyCasino.

    Trap: either, since promised = 0.2 < J(confused) = 0.4.
    Way out: intent.
    Best: either, since E[payout | do(machine=0)] = 0.4 = E[payout | do(machine=3)].
    Twin: none, because the machines win alike in the log, and so they would if seeing were doing.

    Source: Forney, Pearl and Bareinboim (2017).
    """

    casino: str = "Forney"

    houses: ClassVar[Mapping[str, Payouts]] = {
        "Forney": (
            (0.2, 0.3, 0.5, 0.6),
            (0.6, 0.2, 0.3, 0.5),
            (0.5, 0.6, 0.2, 0.3),
            (0.3, 0.5, 0.6, 0.2),
        ),
    }

    @action
    def machine(self, drunk: Array, blinking: Array) -> Exactly:
        return Exactly(2 * drunk + blinking)

    @shift
    def intent_flip(self) -> World:
        """Gamblers are drawn to the opposite machine: the order of the four is reversed."""
        return self.do(machine=_opposite_machine)


def _other_machine(drunk: Array, blinking: Array) -> Exactly:
    return Exactly(1 - (drunk + blinking) % 2)


def _opposite_machine(drunk: Array, blinking: Array) -> Exactly:
    return Exactly(3 - (2 * drunk + blinking))
