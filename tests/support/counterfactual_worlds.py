"""What the tests of counterfactuals share."""

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    World,
    action,
    context,
    latent,
    logged,
    reward,
)

EXACT = 1e-12


class Dose(World):
    """Three doses, three outcomes, two mediators in a row, and a latent behind dose and outcome."""

    @latent
    def constitution(self) -> Categorical:
        return Categorical(np.array([0.5, 0.3, 0.2]))

    @context
    def age(self) -> Bernoulli:
        return Bernoulli(0.4)

    @action
    def dose(self, constitution: Array, age: Array) -> Categorical:
        rows = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.0, 0.3, 0.7]])
        return Categorical(np.where(age[:, None] == 1, rows[constitution], rows[2 - constitution]))

    @logged
    def level(self, dose: Array, age: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.35 * dose + 0.1 * age)

    @logged
    def sleep(self, level: Array, constitution: Array) -> Bernoulli:
        return Bernoulli(0.8 - 0.3 * level - 0.1 * constitution)

    @reward
    def health(self, dose: Array, level: Array, sleep: Array, constitution: Array) -> Categorical:
        good = 0.1 + 0.2 * level + 0.2 * sleep + 0.1 * constitution
        bad = 0.05 + 0.1 * dose
        return Categorical(
            np.stack([bad, 1 - good - bad, good], axis=-1), np.array([-1.0, 0.0, 2.5])
        )
