"""What is it worth to know which rows of a log are interventions?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dosuite.causal import Array
from dosuite.envs import make_model

from ..claims.label_price import pooling_threshold
from ..reports.panels import FONT, GREY, INK, WRONG, legend, mark, titled_panels
from ..runs.run import Run
from ..runs.scored_rows import where_of
from ..scores import metrics
from ..scores.bootstrap import Interval
from .flips import Flip, flip_of
from .study import Size, Study
from .verdicts import Check, Finding, compared, counted, finding

CLOSED = 0.1  # of the gap J_best - J_confused: a policy with regret up to this is right
WIDEST = 5.0  # the ratio of the ends of an interval that can still hold a number
EQUIVALENT = 0.15  # to 0, of a slope over log N; without labels it is 1
SOLVED = 0.95  # of the seeds must be right on the control
WITH, WITHOUT = "with labels", "without labels"
AGENTS = {WITH: "fused", WITHOUT: "naive"}
# Without labels: ten numbers of interventions around c N, each so many times the one before. The
# flip is the sharper, the longer the log.
RATIOS = {1000: 2.0, 10_000: 1.5, 100_000: 1.25, 1_000_000: 1.1}
AROUND = np.arange(10) - 4.5
LABELLED = tuple(8 * 2**doubling for doubling in range(8))  # interventions with labels, at every N
ICE = "IceCreamShorts-v0"
WORLDS = ("NapkinClinic-v0", "ProxyClinic-v0", "EncourageIV-v0", "MBiasClinic-v0", ICE)
MORE_WORLDS = (
    "GreedyCasino-v0:casino=Rigged",
    "SimpsonClinic-v0:study=KidneyStones",
    "SlateExposure-v0",
    "TarFrontdoor-v0",
    "Door-v0:expert=noisy_good",
    "EncourageIV-VitaminA-v0:hardy=0.0",
)
GRIDS: Mapping[Size, dict[str, Any]] = {
    Size.SMALL: {"worlds": (ICE,), "recorded": (1000, 10_000), "seeds": {WITH: 20, WITHOUT: 10}},
    Size.DEFAULT: {
        "worlds": WORLDS,
        "recorded": (1000, 10_000, 100_000),
        "seeds": {WITH: 40, WITHOUT: 20},
    },
    Size.FULL: {
        "worlds": (*WORLDS, *MORE_WORLDS),
        "recorded": tuple(RATIOS),
        "seeds": {WITH: 200, WITHOUT: 40},
    },
}


@dataclass(frozen=True)
class Labels(Study):
    """Counting learners on logs of N recorded steps and m interventions, which are labelled or not.

    The flip is the m at which a policy of 90 % of the gap J_best - J_confused becomes likelier than
    not. Without labels all rows are pooled: with infinite logs the flip is at exactly c N, with c
    of the model (see `pooling_threshold`).
    """

    name: str = "labels"
    question: str = "What is one label worth, which says that a row is an intervention?"
    hypothesis: str = (
        "Ever more, the longer the log is: without labels the flip is at m = c N for every number "
        "N of recorded steps, with c in closed form; with labels it is at an m that N does not "
        "change."
    )
    criterion: str = (
        "In every world: without labels, for every N, the 95 % interval over seeds of the flip "
        "holds c N, and its ends differ by a factor of at most 5; with labels, the 95 % interval "
        "of the slope of log flip over log N is within -.15 and .15. No verdict if an interval "
        "holds c N and is wider, or is open at an end, as the numbers that were tried are all too "
        "many or too few; nor if on the control, where pooling is right, less than 95 % of the "
        "seeds are right without labels on the longest log."
    )
    budget: Mapping[Size, str] = field(
        default_factory=lambda: {
            Size.SMALL: "1 world, 10 and 20 seeds, N up to 1e4; half a minute",
            Size.DEFAULT: "5 worlds, 20 seeds without labels and 40 with, N up to 1e5; minutes",
            Size.FULL: "11 worlds, 40 and 200 seeds, N up to 1e6; for a cluster",
        }
    )
    looks: ClassVar[Mapping[str, str]] = {WITHOUT: WRONG, WITH: INK}

    def runs(self, size: Size) -> list[Run]:
        return [run for world in GRIDS[size]["worlds"] for run in _runs(world, **GRIDS[size])]

    def table(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """A row for each run.

        Columns: `where`, the world; `variant`; `labels`, with or without; `recorded` steps N and
        `interventions` m, in expectation; `price`, c; `seed`; and `right`, whether the policy
        closes 90 % of the world's gap.
        """
        deployed = metrics.deployment(rows)
        worlds = deployed[deployed["variant"] == ""]
        gaps = {where_of(row): row["j_best"] - row["j_confused"] for _, row in worlds.iterrows()}
        kinds = {agent: kind for kind, agent in AGENTS.items()}
        lines: list[dict[str, Any]] = []
        for _, row in deployed.iterrows():
            where, kind = where_of(row), kinds[row["agent"]]
            recorded, interventions = parts_of(where, kind)[int(row["budget"])]
            regret = row["j_best"] - row["value"]
            lines.append(
                {
                    "where": where,
                    "variant": row["variant"],
                    "labels": kind,
                    "recorded": recorded,
                    "interventions": interventions,
                    "price": price_of(where),
                    "seed": int(row["seed"]),
                    "right": bool(regret <= CLOSED * gaps[where] + metrics.NEGLIGIBLE),
                }
            )
        return pd.DataFrame(lines)

    def findings(self, table: pd.DataFrame) -> list[Finding]:
        """A verdict for each world, with and without labels."""
        return [
            each for where, part in table.groupby("where") for each in _judged(str(where), part)
        ]

    def figure(self, table: pd.DataFrame) -> Figure:
        """A panel for each world: the flips by the recorded steps, log-log, beside c N."""
        cases = {str(where): part for where, part in table.groupby("where")}
        figure, axes_of = titled_panels(list(cases), 2.4)
        for axes, part in zip(axes_of, cases.values(), strict=True):
            self._draw(axes, part)
        marks = [mark(kind, color=colour, marker="o") for kind, colour in self.looks.items()]
        legend(figure, [*marks, mark("c N in closed form", color=GREY, marker="_")], 3)
        return figure

    def paragraph(self, table: pd.DataFrame) -> str:
        """The flips of every world, and what a label is worth at the longest log."""
        return "\n".join(_sentences(table))

    def headline(self, table: pd.DataFrame) -> str:
        """What a label is worth with the longest logs, over the worlds."""
        longest = int(table["recorded"].max())
        worth = []
        for _, part in table.groupby("where"):
            without, with_them = (_flips(part, kind)[longest] for kind in (WITHOUT, WITH))
            worth.append(without.middle / with_them.middle)
        return (
            f"Beside a log of {longest:,} steps, a labelled intervention is worth "
            f"{min(worth):,.0f} to {max(worth):,.0f} unlabelled ones in "
            f"{counted(len(worth), 'world')}; without labels, interventions outweigh the log at "
            "the share that follows from the model."
        )

    def _draw(self, axes: Axes, part: pd.DataFrame) -> None:
        for kind, colour in self.looks.items():
            for recorded, found in _flips(part, kind).items():
                ends = np.clip([found.low, found.high], found.middle / 10, found.middle * 10)
                axes.plot([recorded] * 2, ends, "-", color=colour, linewidth=1.2)
                axes.plot(recorded, found.middle, "o", color=colour, markersize=4)
        sizes = np.unique(part["recorded"])
        axes.plot(sizes, part["price"].iloc[0] * sizes, "--", color=GREY, linewidth=1.2)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("recorded steps, N", fontsize=FONT)
        axes.set_ylabel("interventions at the flip", fontsize=FONT)


@cache
def price_of(world: str) -> float:
    """The interventions for each recorded step at which pooling flips, c."""
    return pooling_threshold(make_model(world))


def tried(world: str, kind: str, recorded: int) -> list[int]:
    """The numbers of interventions that are tried with a log of so many recorded steps."""
    if kind == WITH:
        return list(LABELLED)
    numbers = price_of(world) * recorded * RATIOS[recorded] ** AROUND
    return sorted({max(1, round(number)) for number in numbers})


def _runs(world: str, recorded: Sequence[int], seeds: Mapping[str, int], **_: Any) -> Iterator[Run]:
    for kind in AGENTS:
        for steps in recorded:
            for number in tried(world, kind, steps):
                for seed in range(seeds[kind]):
                    yield _run(world, kind, steps, number, seed)
    for seed in range(seeds[WITHOUT]):
        longest = recorded[-1]
        yield _run(world, WITHOUT, longest, tried(world, WITHOUT, longest)[0], seed, "control")


def _run(world: str, kind: str, recorded: int, number: int, seed: int, variant: str = "") -> Run:
    budget = recorded + number
    return Run(world, AGENTS[kind], "mixed", budget, seed, variant, share=number / budget)


@cache
def parts_of(world: str, kind: str) -> dict[int, tuple[int, int]]:
    """The recorded steps and the interventions of a log, by the number of its steps."""
    return {
        recorded + number: (recorded, number)
        for recorded in RATIOS
        for number in tried(world, kind, recorded)
    }


def _measured(part: pd.DataFrame, kind: str) -> dict[int, tuple[Flip, Array]]:
    """The flips by recorded steps, with those of resampled seeds."""
    found = {}
    own = part[(part["labels"] == kind) & (part["variant"] == "")]
    for recorded, here in own.groupby("recorded"):
        by_number = {int(str(n)): each["right"] for n, each in here.groupby("interventions")}
        right = [column.to_numpy(float) for column in by_number.values()]
        found[int(str(recorded))] = flip_of(right, np.array([*by_number], dtype=float))
    return found


def _flips(part: pd.DataFrame, kind: str) -> dict[int, Flip]:
    return {recorded: found for recorded, (found, _) in _measured(part, kind).items()}


def _judged(where: str, part: pd.DataFrame) -> Iterator[Finding]:
    control = part.loc[part["variant"] == "control", "right"].mean()
    solved = Check(bool(control >= SOLVED), f"{control:.0%} of the seeds are right on the control")
    price = float(part["price"].iloc[0])
    claims = [_holds(price * n, n, found) for n, found in _flips(part, WITHOUT).items()]
    yield finding(f"{where}, {WITHOUT}", [solved], claims)
    slope = _slope(part)
    ends = [
        compared("the slope of log flip over log N", slope, EQUIVALENT, is_below=True),
        compared("that slope", slope, -EQUIVALENT, is_below=False),
    ]
    yield finding(f"{where}, {WITH}", [solved], ends)


def _holds(exact: float, recorded: int, found: Flip) -> Check:
    """Whether the interval of a flip holds c N; None where it is too wide to say so."""
    holds: bool | None = found.low <= exact <= found.high
    if holds and not found.high <= WIDEST * found.low:
        holds = None
    shown = f"{found.middle:,.0f} [{found.low:,.0f}, {found.high:,.0f}]"
    return Check(holds, f"the flip at {recorded:,} rows is at c N = {exact:,.0f}: {shown}")


def _slope(part: pd.DataFrame) -> Interval:
    """The slope of log flip over log N with labels, and its 95 % bootstrap interval."""
    found = _measured(part, WITH)
    x = np.log([*found])
    weights = (x - x.mean()) / np.square(x - x.mean()).sum()
    middle = np.log([flip.middle for flip, _ in found.values()]) @ weights
    slopes = weights @ np.log([resampled for _, resampled in found.values()])
    low, high = np.quantile(slopes, [0.025, 0.975])
    return float(middle), float(low), float(high)


def _sentences(table: pd.DataFrame) -> Iterator[str]:
    for where, part in table.groupby("where"):
        without, with_them = _flips(part, WITHOUT), _flips(part, WITH)
        longest, price = max(without), part["price"].iloc[0]
        texts = [
            f"{found.low:,.0f} to {found.high:,.0f} interventions at {n:,} rows "
            f"(c N = {price * n:,.0f})"
            for n, found in without.items()
        ]
        labelled = ", ".join(
            f"{found.low:,.0f} to {found.high:,.0f}" for found in with_them.values()
        )
        worth = without[longest].middle / with_them[longest].middle
        yield (
            f"In {where} the flip without labels is at {', '.join(texts)}, and with labels at "
            f"{labelled}; with {longest:,} rows a labelled intervention is worth about "
            f"{worth:,.0f} without labels."
        )


STUDY = Labels()
