"""What the tests of the predictions share: runs, evidence, and intervals as text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from dosuite.causal import Array

from ..runs.run import Run
from ..runs.suite import execute
from ..scores import metrics
from ..scores.path_dependence import WIDTH
from .matrix import runs_of
from .verdicts import AGREES, agreement

KIDNEY = "SimpsonClinic-v0:study=KidneyStones"
ICE = "IceCreamShorts-v0"
RIGGED = "GreedyCasino-v0:casino=Rigged"
DOOR = "Door-v0:expert=noisy_good"
LOW = "EncourageIV-VitaminA-v0:hardy=0.0"
HIGH = "EncourageIV-VitaminA-v0:hardy=1.0"


@dataclass(frozen=True)
class Evidence:
    """One claim of a prediction, the numbers that test it, and their verdict (see `verdict`)."""

    claim: str
    numbers: str
    verdict: str

    @property
    def holds(self) -> bool:
        """Whether the numbers agree with the claim."""
        return self.verdict == AGREES


@dataclass
class Lab:
    """Does runs, and keeps a list of them."""

    seeds: int
    recorded: int  # steps of a log
    practice: int  # steps of practice; in worlds of one step a tenth of them
    folder: Path
    workers: int
    runs: list[Run] = field(default_factory=list)

    def results(self, runs: Sequence[Run]) -> pd.DataFrame:
        """The deployment's row of each run, in their order."""
        self.runs += runs
        rows = execute(runs, self.folder, self.workers, quiet=True)
        return rows[rows["world"] == ""].set_index("run").loc[[run.key for run in runs]]

    def learned(self, world: str, agent: str, regime: str = "observe") -> pd.DataFrame:
        """The deployment's row of each seed of an agent."""
        runs = runs_of(world, agent, regime, self.seeds, self.recorded, self.practice)
        return self.results(runs)

    def claim(self, world: str, agent: str, predicted: str) -> Evidence:
        """Test that an agent fails in a world (0) or succeeds (1), as in the matrix."""
        scores = metrics.chance_score(self.learned(world, agent))
        interval = seed_interval(scores.to_numpy(float))
        claim = f"{agent} is {'right' if predicted == '1' else 'wrong'} in {world}"
        numbers = f"CS_chance {interval_text(interval)}"
        return Evidence(claim, numbers, agreement(predicted, *interval[1:]))


def right_share(rows: pd.DataFrame) -> float:
    """The share of runs whose policy is as good as the best one."""
    values, best = rows["value"].to_numpy(), rows["j_causal"].to_numpy()
    return float((values >= best - metrics.NEGLIGIBLE).mean())


def share_interval(share: float, count: int) -> metrics.Interval:
    """A share of `count` seeds and its 95 % interval.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    squared = WIDTH**2 / count
    middle = (share + squared / 2) / (1 + squared)
    spread = math.sqrt(squared * (share * (1 - share) + squared / 4)) / (1 + squared)
    return share, middle - spread, middle + spread


def mean_interval(values: Array) -> metrics.Interval:
    """The mean of independent values (n,) and its 95 % interval."""
    middle = float(values.mean())
    spread = WIDTH * float(values.std(ddof=1)) / math.sqrt(len(values))
    return middle, middle - spread, middle + spread


def seed_interval(values: Array) -> metrics.Interval:
    """The interquartile mean over seeds and its interval."""
    return metrics.interval(values)


def interval_text(interval: metrics.Interval, digits: int = 2) -> str:
    """An interval as `middle (low to high)`."""
    middle, low, high = (f"{part:z.{digits}f}" for part in interval)
    return f"{middle} ({low} to {high})"
