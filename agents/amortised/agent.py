"""The agent that was trained on a population of worlds, and reads the log of an unseen one."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean
from dosuite.causal.exact import greedy
from dosuite.envs import Data

from ..agent import OfflineAgent
from ..policy import Policy, TabularPolicy
from ..tabular.counting import ValuedPolicy, abstain, check_countable
from .network import SetTransformer, load
from .prior import TARGETS
from .reading import read, unfit

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Amortised(OfflineAgent):
    """A set-transformer that was trained on a population of worlds reads the log, and is greedy.

    For each context c and action x it answers what it was trained to: E(y | do(x), c) with the
    target "intervene", E(y | x, c) with "observe", and the probability that x is the best action
    with "best". The answer is close to the posterior mean, given the log, under the prior of its
    training: random worlds of seven graphs, each equally likely, in which the confused policy loses
    (`dosuite.envs.worlds.random_scm`). Where the log does not decide, the prior does: it bets that
    seeing is not doing, and loses in a twin. The names of the logged variables and the graph are
    not read. Outside the prior (several steps, more than two contexts, actions or values, more than
    two logged variables) it plays uniformly.

    `weights` is a file that `python -m dosuite.agents.amortised train` has written; without it, the
    ones of the package are used.

    Source: Robertson et al. (2025), Do-PFN, for the targets; Lee et al. (2023), DPT, for "best";
    Lee et al. (2019), Set Transformer, for the network.
    """

    name: ClassVar[str] = "amortised"
    learns: ClassVar[tuple[str, ...]] = ("observe",)

    target: str = "intervene"
    weights: str = ""

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise InputError(
                f"amortised has no target {self.target!r}; {did_you_mean(self.target, TARGETS)}"
            )

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        """Read the log; nothing is trained.

        Raises InputError if the observations cannot be counted, or the file of weights is missing.
        """
        check_countable(source, self.name)
        why = unfit(source)
        if why:
            return abstain(source, why)
        network = _network(self.weights or str(HERE / f"{self.target}.npz"))
        reading = read(source)
        answers = network.answers(reading.rows[None], reading.counts[None], reading.queries[None])[
            0
        ]
        if self.target == "best":
            return TabularPolicy(greedy(answers.reshape(-1, 2)), source.observation_space)
        return ValuedPolicy(reading.rewards(answers), source.observation_space)


@cache
def _network(path: str) -> SetTransformer:
    return load(Path(path))
