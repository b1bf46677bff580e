"""A clinic whose doctor knows what a blood test would tell, and a log that takes his knowledge for
the drug's harm.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
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

Rates = tuple[
    tuple[float, float], tuple[float, float]
]  # a row for each genotype, the weak drug before the strong one


def _prevalence(model: "GenotypeClinic") -> Bernoulli:
    return Bernoulli(model.prevalence)


class GenotypeClinic(World):
    """Give a patient the weak drug (0) or the strong one (1), day by day; to be cured earns 1, to
    die costs 1.

    A patient is moderately (1) or severely ill (2), and each day gets better by a state, worse by a
    state, or neither. Half of the patients have a genotype that hinders recovery. The doctor sees
    it and gives them the strong drug, which does both kinds good; in the log those who get it
    recover less. The genotype never changes, so a patient's past tells of it: but a planner with a
    memory takes its own choice of a drug for the doctor's, and believes the more in what it has
    chosen.

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
        better, worse = (
            ill * np.array(rates)[genotype, strong] for rates in (self.improve, self.worsen)
        )
        at = np.eye(STATES)
        lower, higher = at[np.maximum(state - 1, CURED)], at[np.minimum(state + 1, DEAD)]
        return Categorical(
            better[:, None] * lower
            + worse[:, None] * higher
            + (1.0 - better - worse)[:, None] * at[state]
        )

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
        """Where the genotype hinders, the strong drug does what the weak one does."""
        (better, (as_weak, _)), (worse, (as_weak_too, _)) = self.improve, self.worsen
        return replace(
            self, improve=(better, (as_weak, as_weak)), worsen=(worse, (as_weak_too, as_weak_too))
        )

    @shift
    def toxic_batch(self) -> World:
        """The strong drug is spoilt: the confused policy wins."""
        (i0, _), (i1, _) = self.improve
        (w0, _), (w1, _) = self.worsen
        return replace(self, improve=((i0, 0.35), (i1, 0.10)), worsen=((w0, 0.35), (w1, 0.60)))


class Cross(GenotypeClinic):
    """Each genotype needs a drug of its own, the hindering one the strong, and the doctor gives it.

    In the log both drugs do well, and the one that is chosen by state alone does well to half of
    the patients. Among policies without a memory the confused one is the best there is, and earns a
    third of what it promises; a patient's past is worth more, but only to a planner who does not
    take its own choices for the doctor's.

        genotype --> strong
        genotype, state, strong --> becomes --> recovery, over
        becomes_tm1 --> state

    Otherwise as GenotypeClinic.

    J(causal) and J(best) are those of planners who remember.

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
        """The values of planners with a memory: made here, and made in `world`."""
        return {"j_causal": plan_with_memory(self, world)[1], "j_best": plan_with_memory(world)[0]}

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        return {"GoodDoctor": {}, "BadDoctor": {"doctor": 0.1}}
