"""Does pre-training over ever more worlds cure confusion?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dosuite.agents.amortised.evaluation import (
    HeldOut,
    answers_of,
    held_out,
    line_of,
    posterior_means,
)
from dosuite.agents.amortised.prior import worlds
from dosuite.agents.amortised.training import train
from dosuite.causal.arrays import Floats
from dosuite.envs.worlds.random_scm import RandomSCM

from ..reports.panels import FONT, GREY, INK, WRONG, legend, mark, titled_panels
from .compute import curve
from .study import Size
from .units import Unit, UnitStudy
from .verdicts import Check, Finding, below, compared, finding, seed_interval, within

NEAR = 0.2  # of the gap: how near to it the observational error must stay
EXCESS = 0.1  # of the gap: how near to the floor the interventional error must come
TAUGHT = 0.25  # of the gap: the error against their own target of observational networks
IN_TWINS = 0.5  # of the gap: the interventional error in twins must stay above it
LEAK = 0.01  # how far from one half the rate of best actions on the pair may be
OBSERVE, INTERVENE = "observe", "intervene"
UNSEEN, LOG = 300, 1000  # worlds, and rows of the log of each
PRIOR = 200_000  # worlds by which the posterior mean is computed
BATCH = 64  # worlds of a minibatch
# numbers of worlds, widths, seeds and steps of the optimiser
GRIDS: Mapping[Size, tuple[tuple[int, ...], tuple[int, ...], int, int]] = {
    Size.SMALL: ((10, 1000), (8,), 3, 600),
    Size.DEFAULT: ((10, 100, 1000, 10_000), (8, 32), 4, 1500),
    Size.FULL: ((10, 100, 1000, 10_000, 100_000), (8, 16, 32, 64, 128), 10, 20_000),
}


@dataclass(frozen=True)
class Network(Unit):
    """A set-transformer, pre-trained on so many worlds, in unseen ones and in their twins."""

    target: str
    worlds: int
    width: int
    seed: int
    steps: int

    def cost(self) -> float:
        """About how many seconds it takes."""
        return self.steps * (4e-3 + 1.4e-4 * self.width)

    def rows(self) -> list[dict[str, Any]]:
        """One row: see `WorldsScale.table`."""
        rng = np.random.default_rng([self.seed, self.worlds])
        pool = worlds(RandomSCM, rng, self.worlds)
        network, _ = train(
            [pool], self.target, self.steps, self.seed, width=self.width, count=BATCH
        )
        head = {name: getattr(self, name) for name in ("worlds", "width", "seed")}
        answers = answers_of(network, _unseen().readings)
        return [{"answers": self.target} | head | _measured(answers)]


@dataclass(frozen=True)
class References(Unit):
    """The posterior mean given the log, and E(y | x, c), in the same worlds."""

    prior: int = PRIOR  # worlds of the prior, weighted by the likelihood of the log

    def cost(self) -> float:
        """About how many seconds it takes."""
        return 3e-5 * self.prior

    def rows(self) -> list[dict[str, Any]]:
        """Two rows: see `WorldsScale.table`."""
        means, _ = posterior_means(
            worlds(RandomSCM, np.random.default_rng(1), self.prior), _unseen()
        )
        head = {"worlds": 0, "width": 0, "seed": 0}
        both = {"posterior": means, "association": _unseen().seen}
        return [{"answers": name} | head | _measured(answers) for name, answers in both.items()]


@dataclass(frozen=True)
class WorldsScale(UnitStudy):
    """The network of the agent `amortised`, trained on 10 to 1e5 random worlds of the bow graph.

    In the bow graph the posterior mean can be computed, below whose error no learner comes on the
    average over worlds of the prior.
    """

    name: str = "worlds-scale"
    question: str = "Does pre-training over ever more worlds cure confusion?"
    hypothesis: str = (
        "Only if the worlds are labelled with what interventions do, and only as far as the prior "
        "knows: observational targets stay at the confusion gap, interventional ones go to the "
        "posterior's floor, and in twins, which have the same logs, they lose what they won."
    )
    criterion: str = (
        "At each width, by 95 % intervals over seeds, in unseen worlds: at every number of worlds "
        "the error of networks with observational targets against E(y | do(x), c) is within 20 % "
        "of the confusion gap, the same error of E(y | x, c); at the largest number that of "
        "networks with interventional targets exceeds the posterior's by less than 10 % of the "
        "gap, while in twins it is above half of the gap; and the rate of best actions on a world "
        "and its twin together is within .01 of one half. No verdict if at the largest number the "
        "error of observational networks against their own target is not below 25 % of the gap."
    )
    budget: Mapping[Size, str] = field(
        default_factory=lambda: {
            Size.SMALL: "10 and 1000 worlds, width 8, 3 seeds, 600 steps; 2 minutes",
            Size.DEFAULT: "10 to 1e4 worlds, widths 8 and 32, 4 seeds; 25 minutes of one core",
            Size.FULL: "10 to 1e5 worlds, widths 8 to 128, 10 seeds, 2e4 steps; for a cluster",
        }
    )
    looks: ClassVar[Mapping[str, str]] = {OBSERVE: WRONG, INTERVENE: INK}

    def units(self, size: Size) -> Sequence[Unit]:
        numbers, widths, seeds, steps = GRIDS[size]
        networks = [
            Network(target, number, width, seed, steps)
            for number in numbers
            for width in widths
            for target in (OBSERVE, INTERVENE)
            for seed in range(seeds)
        ]
        return [References(), *networks]

    def table(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """A row for each network, and two for the references.

        Columns: `answers`, "observe" or "intervene" for the networks by their target, "posterior"
        or "association"; `worlds`, `width`, `seed`; `error` and `in_twins`, root mean squares
        against E(y | do(x), c) in the worlds and their twins; `to_seen`, against E(y | x, c); and
        `right` and `right_in_twins`, how often the action of the largest answer is best.
        """
        return rows.drop(columns="status")

    def findings(self, table: pd.DataFrame) -> list[Finding]:
        """A verdict for each width."""
        networks = table[table["width"] > 0]
        return [
            _judged(f"width {width}", part, _reference(table, "posterior"), _gap(table))
            for width, part in networks.groupby("width")
        ]

    def figure(self, table: pd.DataFrame) -> Figure:
        """A panel for each width: the error against the number of worlds, log-log."""
        cases = list(table[table["width"] > 0].groupby("width"))
        figure, axes_of = titled_panels([f"width {width}" for width, _ in cases], 2.6)
        for axes, (_, part) in zip(axes_of, cases, strict=True):
            axes.axhline(_gap(table), color=GREY, linestyle="--", linewidth=1.2)
            axes.axhline(_reference(table, "posterior"), color=GREY, linestyle=":", linewidth=1.2)
            self._draw(axes, part)
        names = {"observational targets": WRONG, "interventional targets": INK}
        marks = [mark(name, color=colour, marker="o") for name, colour in names.items()]
        marks.append(mark("interventional, in twins", color=INK, marker="x"))
        legend(figure, [*marks, mark("gap, and posterior", color=GREY, marker="_")], 4)
        return figure

    def headline(self, table: pd.DataFrame) -> str:
        """The errors of the widest networks."""
        return [*_sentences(table)][-1]

    def paragraph(self, table: pd.DataFrame) -> str:
        """The errors at the ends of the curves, beside the gap and the posterior's."""
        return "\n".join(_sentences(table))

    def _draw(self, axes: Axes, part: pd.DataFrame) -> None:
        for target, colour in self.looks.items():
            numbers, errors = curve(part[part["answers"] == target], "error", "worlds")
            axes.plot(numbers, errors.mean(0), "-o", color=colour, linewidth=1.2, markersize=4)
            axes.plot(numbers, errors.T, ".", color=colour, markersize=2, alpha=0.5)
        numbers, errors = curve(part[part["answers"] == INTERVENE], "in_twins", "worlds")
        axes.plot(numbers, errors.mean(0), "--x", color=INK, linewidth=0.8, markersize=4)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("worlds", fontsize=FONT)
        axes.set_ylabel("error of E(y | do(x), c)", fontsize=FONT)


@lru_cache(maxsize=1)
def _unseen() -> HeldOut:
    return held_out(RandomSCM, UNSEEN, LOG)


def _measured(answers: Floats) -> dict[str, float]:
    line = line_of(_unseen(), "", answers)
    return {
        "error": line.error,
        "in_twins": line.in_twins,
        "to_seen": float(np.sqrt(np.square(answers - _unseen().seen).mean())),
        "right": line.right,
        "right_in_twins": line.right_in_twins,
    }


def _reference(table: pd.DataFrame, answers: str) -> float:
    return float(table.loc[table["answers"] == answers, "error"].iloc[0])


def _gap(table: pd.DataFrame) -> float:
    return _reference(table, "association")


def _judged(case: str, part: pd.DataFrame, floor: float, gap: float) -> Finding:
    seeing, doing = part[part["answers"] == OBSERVE], part[part["answers"] == INTERVENE]
    taught = curve(seeing, "to_seen", "worlds")[1][:, -1]
    control = below("the observational error against its own target", taught, TAUGHT * gap)
    last = doing[doing["worlds"] == doing["worlds"].max()]
    excess = last["error"].to_numpy(float) - floor
    in_twins = seed_interval(last["in_twins"].to_numpy(float))
    pair = (part["right"] + part["right_in_twins"]).to_numpy(float) / 2
    claims = [
        below("the excess over the posterior's error", excess, EXCESS * gap),
        compared("the error in twins", in_twins, IN_TWINS * gap, is_below=False),
        *_stays(seeing, gap),
        within("the rate of best actions on the pair", pair, 0.5 - LEAK, 0.5 + LEAK),
    ]
    return finding(case, [control], claims)


def _stays(seeing: pd.DataFrame, gap: float) -> Iterator[Check]:
    """Whether the observational error stays at the gap, at each number of worlds."""
    for number, own in seeing.groupby("worlds"):
        name = f"the observational error after {number:,} worlds"
        yield within(name, own["error"].to_numpy(float), (1 - NEAR) * gap, (1 + NEAR) * gap)


def _sentences(table: pd.DataFrame) -> Iterator[str]:
    yield (
        f"In {UNSEEN} unseen worlds the confusion gap is {_gap(table):.3f}, and the error of the "
        f"posterior mean {_reference(table, 'posterior'):.3f}."
    )
    for width, part in table[table["width"] > 0].groupby("width"):
        means = part.groupby(["answers", "worlds"])[["error", "in_twins"]].mean()
        seeing, doing = means.loc[OBSERVE], means.loc[INTERVENE]
        yield (
            f"At width {width}, from {part['worlds'].min():,} to {part['worlds'].max():,} worlds, "
            f"the error goes from {seeing['error'].iloc[0]:.3f} to {seeing['error'].iloc[-1]:.3f} "
            f"with observational targets, from {doing['error'].iloc[0]:.3f} to "
            f"{doing['error'].iloc[-1]:.3f} with interventional ones, and with these in twins from "
            f"{doing['in_twins'].iloc[0]:.3f} to {doing['in_twins'].iloc[-1]:.3f}."
        )


STUDY = WorldsScale()
