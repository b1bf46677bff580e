"""A clinic whose doctor knows the patients' genotype, so that in the log a drug looks harmful."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    Ranges,
    World,
    action,
    context,
    latent,
    logged,
    reward,
    shift,
    terminal,
)
from dosuite.causal.exact import plan_with_memory

CURED, DEAD = 0, 3
STATES = 4

# A probability for each genotype (rows) and drug (columns, the weak one first).
Rates = tuple[tuple[float, float], tuple[float, float]]


def _prevalence(model: "GenotypeClinic") -> Bernoulli:
    return Bernoulli(model.prevalence)


class GenotypeClinic(World):
    """Give a patient the weak drug (0) or the strong one (1), day by day; a cure earns 1, a death
    costs 1.

    A patient is moderately (1) or severely ill (2), and each day improves by one state, worsens by
    one state, or stays. Half of the patients have a genotype that hinders recovery. The doctor sees
    it and gives them the strong drug, which is better for both genotypes; so in the log patients
    who get the strong drug recover less often. The genotype never changes, so that a patient's past
    is evidence of it. But a confused planner with a memory takes its own choice of a drug for the
    doctor's, as further evidence, and becomes more certain of its error.

        genotype --> strong
        genotype, state, strong --> becomes --> recovery, over
        becomes_tm1 --> state

    Observation: Discrete(4), the state: cured 0, dead 3. Action: Discrete(2). At most 10 steps,
    until cured or dead; the reward of a step is -1, 0 or 1, and J is the return of an episode.
    J(causal) is that of the best memoryless policy, and here of the best that remembers too.

    Trap: either 0 0 either, since promised = 0.662 > J(uniform) = 0.303 > J(confused) = 0.0936.
    Way out: interventions.
    Best: either 1 1 either, since J(causal) = 0.5163 > J(behaviour) = 0.4977.
    Twin: none, because in the log the next state depends on the whole past, and so it would have to
    in the twin.

    Source: the numbers are ours.
    """

    held_out: ClassVar[Ranges] = {"prevalence": (0.2, 0.8)}

    horizon: int = 10
    prevalence: float = 0.5  # P(the hindering genotype)
    improve: Rates = ((0.55, 0.65), (0.15, 0.40))
    worsen: Rates = ((0.10, 0.15), (0.45, 0.25))
    doctor: float = 0.9  # P(strong | hindering) = 1 - P(strong | not), in the log

    @latent.starting(_prevalence)
    def genotype(self, genotype_tm1: Array) -> Exactly:
        return Exactly(genotype_tm1)

    @context.starting(Categorical(np.array([0.0, 0.5, 0.5, 0.0])))
    def state(self, becomes_tm1: Array) -> Exactly:
        return Exactly(becomes_tm1)

    @action
    def strong(self, genotype: Array) -> Bernoulli:
        return Bernoulli(np.where(genotype == 1, self.doctor, 1.0 - self.doctor))

    @logged
    def becomes(self, state: Array, strong: Array, genotype: Array) -> Categorical:
        ill = (state != CURED) & (state != DEAD)
        better = ill * np.array(self.improve)[genotype, strong]
        worse = ill * np.array(self.worsen)[genotype, strong]
        at = np.eye(STATES)
        lower, higher = at[np.maximum(state - 1, CURED)], at[np.minimum(state + 1, DEAD)]
        moves = better[:, None] * lower + worse[:, None] * higher
        return Categorical(moves + (1.0 - better - worse)[:, None] * at[state])

    @reward
    def recovery(self, becomes: Array) -> Exactly:
        return Exactly(np.select([becomes == CURED, becomes == DEAD], [1.0, -1.0], 0.0))

    @terminal
    def over(self, becomes: Array) -> Exactly:
        return Exactly(((becomes == CURED) | (becomes == DEAD)).astype(int))

    def twin(self) -> None:
        return None

    @shift
    def severe_epidemic(self) -> World:
        return replace(self, prevalence=0.9)

    @shift
    def mild_epidemic(self) -> World:
        return replace(self, prevalence=0.1)

    @shift
    def drug_resistance(self) -> World:
        """With the hindering genotype the strong drug has the effect of the weak one."""
        (improve_0, (improve_1, _)), (worsen_0, (worsen_1, _)) = self.improve, self.worsen
        return replace(
            self,
            improve=(improve_0, (improve_1, improve_1)),
            worsen=(worsen_0, (worsen_1, worsen_1)),
        )

    @shift
    def toxic_batch(self) -> World:
        """The strong drug is harmful: the confused policy wins."""
        (improve_0, _), (improve_1, _) = self.improve
        (worsen_0, _), (worsen_1, _) = self.worsen
        return replace(
            self,
            improve=((improve_0, 0.35), (improve_1, 0.10)),
            worsen=((worsen_0, 0.35), (worsen_1, 0.60)),
        )


class Cross(GenotypeClinic):
    """Each genotype needs a different drug, the hindering one the strong drug, and the doctor gives
    the right one.

    In the log both drugs do well, but a drug chosen by state alone suits only one of the genotypes.
    The confused policy is optimal among those without a memory, and earns a third of what it
    promises. A policy that remembers the patient's past earns more, if its planner does not take
    its own choices for the doctor's.

        genotype --> strong
        genotype, state, strong --> becomes --> recovery, over
        becomes_tm1 --> state

    Otherwise as GenotypeClinic. J(causal) and J(best) are the values of planners with a memory.

    Trap: either 0 0 either, since promised = 0.756 > J(confused) = 0.2671.
    Way out: intent.
    Best: with a memory, since J(behaviour) = 0.7290 > J(causal) = 0.4521 > J(confused).
    Twin: none, because in the log the next state depends on the whole past, and so it would have to
    in the twin.

    Source: the numbers are ours.
    """

    prevalence: float = 0.4
    improve: Rates = ((0.60, 0.15), (0.15, 0.60))
    worsen: Rates = ((0.10, 0.40), (0.40, 0.10))

    def values_in(self, world: World) -> Mapping[str, float]:
        """J(causal) and J(best): the values in `world` of plans with a memory, made under
        interventions in this world and in `world`.
        """
        _, causal = plan_with_memory(self, world)
        best, _ = plan_with_memory(world)
        return {"j_causal": causal, "j_best": best}

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        return {"GoodDoctor": {}, "BadDoctor": {"doctor": 0.1}}
