"""Smoking, tar and cancer: a hidden genotype, and a logged mediator that identifies the effect."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    InputError,
    Ranges,
    World,
    action,
    latent,
    logged,
    reward,
    shift,
)
from dosuite.causal.errors import did_you_mean


class Numbers(NamedTuple):
    """The probabilities of one member."""

    smoking: tuple[float, float]  # P(smoking | genotype)
    tar: tuple[float, float]  # P(tar | smoking)
    # P(cancer | tar, genotype): a row for each value of tar
    cancer: tuple[tuple[float, float], tuple[float, float]]


class TarFrontdoor(World):
    """Tell a person to smoke (1) or to abstain (0); a life without cancer earns 1.

    A genotype makes people smoke and gives them cancer; smoking leaves tar, and tar slightly lowers
    the risk of cancer. In the log smokers have cancer far more often. The whole effect of smoking
    goes through tar, which is in the log: the effect of smoking on tar, and the effect of tar
    within smokers and within non-smokers, identify the effect (the front-door formula).

        smoking <-- genotype --> health
            |                      ^
            +-------> tar ---------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 0, since E[health | smoking=0] = 0.9025 > E[health | smoking=1] = 0.1475.
    Way out: the graph.
    Best: 1, since E[health | do(smoking=1)] = 0.5475 > E[health | do(smoking=0)] = 0.5025.

    Source: Pearl, Causality (2009), table 3.1; Primer has the table of Pearl, Glymour and Jewell,
    Causal Inference in Statistics: A Primer, section 3.4, in which tar and genotype have the
    opposite effects; Amplified is our own."""

    held_out: ClassVar[Ranges] = {"genotype": (0.1, 0.9)}

    table: str = "Causality"
    tar_reversed: bool = False  # exchange the risks with tar and without tar

    published: ClassVar[Mapping[str, Numbers]] = {
        "Causality": Numbers((0.05, 0.95), (0.05, 0.95), ((1 / 18, 17 / 18), (1 / 180, 161 / 180))),
        "Amplified": Numbers((0.1, 0.9), (0.1, 0.9), ((0.15, 0.85), (0.01, 0.71))),
        "Primer": Numbers((0.05, 0.95), (0.05, 0.95), ((17 / 18, 1 / 18), (179 / 180, 19 / 180))),
    }

    @property
    def numbers(self) -> Numbers:
        """The numbers of this member. Raises InputError if the table is not known."""
        if self.table not in self.published:
            raise InputError(
                f"{self.table!r} is not a table; {did_you_mean(self.table, self.published)}"
            )
        return self.published[self.table]

    @latent
    def genotype(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action
    def smoking(self, genotype: Array) -> Bernoulli:
        return Bernoulli(np.array(self.numbers.smoking)[genotype])

    @logged
    def tar(self, smoking: Array) -> Bernoulli:
        return Bernoulli(np.array(self.numbers.tar)[smoking])

    @reward
    def health(self, tar: Array, genotype: Array) -> Bernoulli:
        cancer = np.array(self.numbers.cancer)[1 - tar if self.tar_reversed else tar, genotype]
        return Bernoulli(1.0 - cancer)

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        return {table: {"table": table} for table in cls.published}

    @shift
    def genotype_common(self) -> World:
        return self.do(genotype=Bernoulli(0.9))

    @shift
    def genotype_rare(self) -> World:
        return self.do(genotype=Bernoulli(0.1))

    @shift
    def filter_tips(self) -> World:
        return self.do(tar=_filtered)

    @shift
    def no_tar_path(self) -> World:
        """Smoking leaves no more tar than abstaining, and has no effect at all."""
        return self.do(tar=Bernoulli(0.05))

    @shift
    def tar_harmful(self) -> World:
        """The effect of tar is reversed: the confused policy wins."""
        return replace(self, tar_reversed=not self.tar_reversed)


def _filtered(smoking: Array) -> Bernoulli:
    return Bernoulli(0.05 + 0.25 * smoking)
