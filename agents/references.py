"""The exact reference policies:

they are read off the model, and mark the scale on which agents are scored.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dosuite.causal import behaviour_policy, uniform_policy
from dosuite.causal.exact import do_process, log_process
from dosuite.envs import all_observations

from .agent import Agent, Exact, Policy, TabularPolicy


@dataclass(frozen=True)
class Confused(Agent):
    """The associational learner after an endless log:

    it plans in the process that the log shows.
    """

    name: ClassVar[str] = "confused"
    learns: ClassVar[tuple[str, ...]] = ("exact",)

    def learn(self, source: Exact, rng: np.random.Generator) -> Policy:
        """The confused policy of the model."""
        return TabularPolicy(
            source.model.confused_policy(),
            all_observations(source.model),
            log_process(source.model),
        )


@dataclass(frozen=True)
class Causal(Agent):
    """The best memoryless policy under intervention, in the world where policies are valued."""

    name: ClassVar[str] = "causal"
    learns: ClassVar[tuple[str, ...]] = ("exact",)

    def learn(self, source: Exact, rng: np.random.Generator) -> Policy:
        """The causal policy of the model."""
        world = source.model.deployed()
        return TabularPolicy(world.causal_policy(), all_observations(world), do_process(world))


@dataclass(frozen=True)
class Uniform(Agent):
    """Every action alike."""

    name: ClassVar[str] = "uniform"
    learns: ClassVar[tuple[str, ...]] = ("exact",)

    def learn(self, source: Exact, rng: np.random.Generator) -> Policy:
        """The uniform policy of the model."""
        return TabularPolicy(uniform_policy(source.model), all_observations(source.model))


@dataclass(frozen=True)
class Behaviour(Agent):
    """The behaviour policy as far as its contexts go:

    P(action | context), latents summed out. Perfect cloning ends here.
    """

    name: ClassVar[str] = "behaviour"
    learns: ClassVar[tuple[str, ...]] = ("exact",)

    def learn(self, source: Exact, rng: np.random.Generator) -> Policy:
        """The propensity of the model."""
        return TabularPolicy(behaviour_policy(source.model), all_observations(source.model))
