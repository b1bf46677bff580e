"""The worlds of the speed benchmark: small, large, wide, and on a grid."""

from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Distribution,
    Exactly,
    World,
    action,
    context,
    latent,
    reward,
    terminal,
)


class IceCreamDays(World):
    """Give a passer-by an ice cream (1) or not (0), on eight days with persistent heat.

    Shorts are observed before acting and earn 1 whatever is given; an ice cream costs 0.2.

        heat_tm1 --> heat --> shorts --> pay <-- ice_cream <-- heat

    Observation: Discrete(2). Action: Discrete(2).
    """

    horizon: int = 8

    @latent.starting(Bernoulli(0.5))
    def heat(self, heat_tm1: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.8 * heat_tm1)

    @context
    def shorts(self, heat: Array) -> Bernoulli:
        return Bernoulli(0.05 + 0.85 * heat)

    @action
    def ice_cream(self, heat: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.8 * heat)

    @reward
    def pay(self, ice_cream: Array, shorts: Array) -> Exactly:
        return Exactly(shorts - 0.2 * ice_cream)


@dataclass(frozen=True)
class Link:
    """The mechanism of a binary variable that mostly follows its causes."""

    causes: tuple[str, ...]
    role: str = "latent"
    starting: Distribution | None = None  # at the first step, if a cause lies one step earlier

    def __call__(self, *causes: Array) -> Bernoulli:
        """The distribution, given arrays of the causes' values."""
        return Bernoulli(0.1 + 0.8 * sum(causes) / len(causes))


@cache
def wide(variables: int) -> World:
    """IceCreamDays with `variables` variables, at least 4.

    The heat also reaches the shorts through a chain of rumours. Heat confounds each rumour with the
    next; the last but one persists as the heat does, and the log's ice cream follows the first.
    """
    rumours = [f"rumour_{i}" for i in range(variables - 4)]
    mechanisms = {}
    for before, name in zip(["heat", *rumours], rumours, strict=False):
        mechanisms[name] = Link((before, "heat"))
    if len(rumours) > 1:
        lasting = rumours[-2]
        causes = (f"{lasting}_tm1", *mechanisms[lasting].causes)
        mechanisms[lasting] = Link(causes, starting=Bernoulli(0.5))
    if rumours:
        mechanisms["shorts"] = Link(("heat", rumours[-1]), "context")
        mechanisms["ice_cream"] = Link(("heat", rumours[0]), "action")
    attributes = {"__module__": __name__, **mechanisms}
    world = type(f"IceCreamDays{variables}", (IceCreamDays,), attributes)
    return cast(World, world())


def _moves(level: Array, down: Array, up: Array, levels: int) -> Categorical:
    """Move one level down, one up, or stay; `down` and `up` are probabilities (n,).

    At the ends, moving further means to stay.
    """
    one_hot = np.eye(levels)
    lower = one_hot[np.maximum(level - 1, 0)]
    higher = one_hot[np.minimum(level + 1, levels - 1)]
    stay = (1 - down - up)[:, None] * one_hot[level]
    return Categorical(down[:, None] * lower + up[:, None] * higher + stay)


class SepsisSized(World):
    """A ward with the state space of the sepsis simulator, but other probabilities.

    It has 720 observed states, and twice as many with the hidden diabetes. Treatments take effect
    in the step after they are chosen. Three or more abnormal readings are death and earn -1; no
    abnormal reading without any treatment is discharge and earns 1; both end the episode.

    Observation: MultiDiscrete, the seven contexts. Action: Discrete(8), 4 antibiotics + 2
    ventilation + vasopressors.

    Source: the state space of Oberst and Sontag (2019).
    """

    horizon: int = 20

    @latent.starting(Bernoulli(0.2))
    def diabetes(self, diabetes_tm1: Array) -> Exactly:
        return Exactly(diabetes_tm1)

    @context.starting(Exactly(0))
    def antibiotics(self, treatment_tm1: Array) -> Exactly:
        return Exactly(treatment_tm1 // 4)

    @context.starting(Exactly(0))
    def ventilation(self, treatment_tm1: Array) -> Exactly:
        return Exactly(treatment_tm1 // 2 % 2)

    @context.starting(Exactly(0))
    def vasopressors(self, treatment_tm1: Array) -> Exactly:
        return Exactly(treatment_tm1 % 2)

    @context.starting(Categorical(np.array([0.25, 0.5, 0.25])))
    def heart_rate(self, heart_rate_tm1: Array, antibiotics: Array) -> Categorical:
        down = np.where(antibiotics == 1, 0.5 * (heart_rate_tm1 == 2), 0.1)
        return _moves(heart_rate_tm1, down, 0.1 * (antibiotics == 0), 3)

    @context.starting(Categorical(np.array([0.25, 0.5, 0.25])))
    def blood_pressure(
        self, blood_pressure_tm1: Array, vasopressors: Array, diabetes: Array
    ) -> Categorical:
        up = np.where(vasopressors == 1, 0.7 + 0.2 * diabetes, 0.1)
        return _moves(blood_pressure_tm1, 0.1 * (vasopressors == 0), up, 3)

    @context.starting(Bernoulli(0.8))
    def oxygen(self, oxygen_tm1: Array, ventilation: Array) -> Categorical:
        return _moves(oxygen_tm1, 0.1 * (ventilation == 0), np.where(ventilation == 1, 0.7, 0.1), 2)

    @context.starting(Categorical(np.array([0.05, 0.15, 0.6, 0.15, 0.05])))
    def glucose(self, glucose_tm1: Array, vasopressors: Array, diabetes: Array) -> Categorical:
        drift = 0.1 + 0.2 * diabetes
        return _moves(glucose_tm1, drift, np.where(vasopressors * diabetes == 1, 0.5, drift), 5)

    @action
    def treatment(self, diabetes: Array) -> Categorical:
        return Categorical(np.where(diabetes[:, None] == 1, [0.09, 0.16] * 4, 0.125))

    @latent
    def abnormal(
        self, heart_rate: Array, blood_pressure: Array, oxygen: Array, glucose: Array
    ) -> Exactly:
        return Exactly(
            1 * (heart_rate != 1) + (blood_pressure != 1) + (oxygen == 0) + (glucose != 2)
        )

    @reward
    def outcome(
        self, abnormal: Array, antibiotics: Array, ventilation: Array, vasopressors: Array
    ) -> Exactly:
        untreated = antibiotics + ventilation + vasopressors == 0
        return Exactly(1 * ((abnormal == 0) & untreated) - (abnormal >= 3))

    @terminal
    def over(self, outcome: Array) -> Exactly:
        return Exactly(abs(outcome))


class GridWalk(World):
    """Walk up (0), right (1), down (2) or left (3) on 9 x 5 cells to the coin at the right end.

    The coin earns 1 and ends the episode. Observation: MultiDiscrete, column and row. Action:
    Discrete(4).
    """

    horizon: int = 30
    slip: float = 0.1  # P(the step fails)

    @context.starting(Exactly(0))
    def column(self, column_tm1: Array, move_tm1: Array) -> Categorical:
        return _moves(
            column_tm1, (1 - self.slip) * (move_tm1 == 3), (1 - self.slip) * (move_tm1 == 1), 9
        )

    @context.starting(Exactly(2))
    def row(self, row_tm1: Array, move_tm1: Array) -> Categorical:
        return _moves(
            row_tm1, (1 - self.slip) * (move_tm1 == 0), (1 - self.slip) * (move_tm1 == 2), 5
        )

    @action
    def move(self) -> Categorical:
        return Categorical(np.full(4, 0.25))

    @terminal
    def arrived(self, column: Array, row: Array) -> Exactly:
        return Exactly(1 * ((column == 8) & (row == 2)))

    @reward
    def coin(self, arrived: Array) -> Exactly:
        return Exactly(1.0 * arrived)
