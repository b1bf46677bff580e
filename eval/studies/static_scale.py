"""Does more static data, or a larger network, cure confusion?"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from matplotlib.figure import Figure

from ..reports.panels import GREY, INK, WRONG, legend, mark, titled_panels
from ..runs.run import Run
from ..scores.fits import power_law, slope
from .compute import curve, draw_over, scale_sentence
from .scaling import ADAM, DEEP, IQL, SGD, scaling_runs, scaling_table
from .study import Size, Study
from .verdicts import NEGLIGIBLE_SHARE, Check, Finding, below, compared, counted, finding, within

NEAR = 0.1  # of the gap: how near to it the error must end
FLOOR = 0.25  # of the gap: what the fitted floor must exceed
FALL = -0.3  # the slope of the control's error must lie below it
DIGITS = ":observation=digits"
ICE, RIVER = f"IceCreamShorts-v0{DIGITS}", f"ConfoundedRiver-v0{DIGITS}"
NAPKIN, PROXY = f"NapkinClinic-v0{DIGITS}", f"ProxyClinic-v0{DIGITS}"
CASINO = "GreedyCasino-v0:casino=Rigged,observation=digits"
GRIDS: Mapping[Size, dict[str, Any]] = {
    Size.SMALL: {
        "worlds": (ICE,),
        "rows": (100, 1000, 10_000),
        "learners": {ADAM: (8, 32), SGD: (8, 32)},
        "seeds": 8,
    },
    Size.DEFAULT: {
        "worlds": (ICE, CASINO, NAPKIN, PROXY),
        "rows": (100, 1000, 10_000, 100_000),
        "learners": {ADAM: (4, 64), SGD: (4, 64), IQL: (16,)},
        "seeds": 20,
    },
    Size.FULL: {
        "worlds": (ICE, CASINO, NAPKIN, PROXY, RIVER),
        "rows": (100, 316, 1000, 3162, 10_000, 31_623, 100_000, 316_228, 1_000_000),
        "learners": {
            ADAM: (4, 16, 64, 256, 1024),
            SGD: (4, 16, 64, 256, 1024),
            DEEP: (64, 256),
            IQL: (4, 16, 64, 256, 1024),
        },
        "seeds": 20,
    },
}


@dataclass(frozen=True)
class StaticScale(Study):
    """Value learners on logs of images: rows and widths, on worlds and controls."""

    name: str = "static-scale"
    question: str = "Does more static data, or a larger network, cure causal confusion?"
    hypothesis: str = (
        "No: on a confounded log the error of do-contrasts stays at the confusion gap, while the "
        "network predicts the log ever better, and while the same error vanishes on the control."
    )
    criterion: str = (
        "In every world, for each learner, at its largest width: the predictive loss falls with "
        "the rows N (slope below 0) on the world and on its control; at the largest N the error on "
        "the world is within 10 % of the closed-form gap, as is that of the narrowest network; and "
        "the floor c of the fit a N^-b + c is above .25 of the gap. All by 95 % intervals over "
        "seeds. No verdict if a loss does not fall, or if on the control the error's slope is not "
        "below -.3, or its end not below 5 % of the gap. IceCreamShorts is the pilot: rates and "
        "numbers of updates were chosen on its control."
    )
    budget: Mapping[Size, str] = field(
        default_factory=lambda: {
            Size.SMALL: "1 world, 8 seeds, logs up to 1e4 rows, widths to 32; minutes",
            Size.DEFAULT: "4 worlds, 20 seeds, 3 learners, logs up to 1e5 rows, widths to 64",
            Size.FULL: "5 worlds, 20 seeds, 4 learners, logs up to 1e6 rows, widths to 1,024",
        }
    )
    looks: ClassVar[Mapping[str, str]] = {"": WRONG, "control": INK}

    def runs(self, size: Size) -> list[Run]:
        return scaling_runs(**GRIDS[size])

    def table(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """See `scaling_table`."""
        return scaling_table(rows, folder)

    def findings(self, table: pd.DataFrame) -> list[Finding]:
        """A verdict for each world and learner."""
        return [
            _judged(f"{where}, {learner}", part)
            for (where, learner), part in table.groupby(["where", "learner"])
        ]

    def figure(self, table: pd.DataFrame) -> Figure:
        """A panel for each world and learner: the error against rows, log-log."""
        cases = list(table.groupby(["where", "learner"]))
        titles = [_short(f"{where}, {learner}") for (where, learner), _ in cases]
        figure, axes_of = titled_panels(titles, 2.6)
        for axes, (_, part) in zip(axes_of, cases, strict=True):
            draw_over(axes, part, "rows", self.looks)
        names = {"error on the world": WRONG, "on its control": INK, "gap in closed form": GREY}
        marks = [mark(name, color=colour, marker="o") for name, colour in names.items()]
        legend(figure, [*marks, mark("floor c of the fit", color=WRONG, marker="_")], 4)
        return figure

    def paragraph(self, table: pd.DataFrame) -> str:
        """The gap, and the error at the ends of the curve at the largest width, in each case."""
        return "\n".join(filter(None, _sentences(table)))

    def headline(self, table: pd.DataFrame) -> str:
        """The range of the errors at the end, as shares of the gap, and that on the controls."""
        shares = [
            _widest(part, str(variant)).pipe(_last_share)
            for _, part in table.groupby(["where", "learner"])
            for variant in ("", "control")
        ]
        ends = [
            f"{100 * min(found):.0f} to {100 * max(found):.0f} %"
            for found in (shares[::2], shares[1::2])
        ]
        worlds = counted(table["where"].nunique(), "world")
        return (
            f"With {table['rows'].max():,} rows, the error of the widest static networks ends at "
            f"{ends[0]} of the confusion gap in {worlds}, and at {ends[1]} on the controls."
        )


def _judged(case: str, part: pd.DataFrame) -> Finding:
    world, control = _widest(part, ""), _widest(part, "control")
    gap = float(part["gap"].iloc[0])
    sizes, errors = curve(world, "error", "rows")
    own_sizes, own_errors = curve(control, "error", "rows")
    controls = [
        compared("the control's slope", slope(own_sizes, own_errors), FALL, is_below=True),
        below("the control's error", own_errors[:, -1], NEGLIGIBLE_SHARE * gap),
        *(_learns(name, each) for name, each in (("world", world), ("control", control))),
    ]
    narrow = part[(part["variant"] == "") & (part["width"] == part["width"].min())]
    narrow_ends = curve(narrow, "error", "rows")[1][:, -1]
    around = (1 - NEAR) * gap, (1 + NEAR) * gap
    claims = [
        within("the error at the end", errors[:, -1], *around),
        within("that of the narrowest network", narrow_ends, *around),
        compared("the floor c", power_law(sizes, errors).floor, FLOOR * gap, is_below=False),
    ]
    return finding(case, controls, claims)


def _learns(name: str, part: pd.DataFrame) -> Check:
    """Whether the predictive loss falls with the rows."""
    measured = slope(*curve(part, "loss", "rows"))
    return compared(f"the slope of the loss on the {name}", measured, 0.0, is_below=True)


def _widest(part: pd.DataFrame, variant: str) -> pd.DataFrame:
    is_widest = part["width"] == part["width"].max()
    found: pd.DataFrame = part.loc[is_widest & (part["variant"] == variant)]
    return found


def _short(name: str) -> str:
    """A name without what all cases have in common."""
    return re.sub(r"[:,]observation=digits|-v0|, depth 2", "", name)


def _last_share(part: pd.DataFrame) -> float:
    """The mean error with the most rows, as a share of the gap."""
    last = part[part["rows"] == part["rows"].max()]
    return float((last["error"] / last["gap"]).mean())


def _sentences(table: pd.DataFrame) -> Iterator[str]:
    for (where, learner), part in table.groupby(["where", "learner"]):
        sizes, errors = curve(_widest(part, ""), "error", "rows")
        _, own = curve(_widest(part, "control"), "error", "rows")
        _, losses = curve(_widest(part, ""), "loss", "rows")
        first, last = errors.mean(0)[[0, -1]]
        yield (
            f"In {where} with {learner}, from {sizes[0]:,.0f} to {sizes[-1]:,.0f} rows, the "
            f"error of do-contrasts goes from {first:.3f} to {last:.3f} beside a gap of "
            f"{part['gap'].iloc[0]:.3f} in closed form, and on the control from "
            f"{own.mean(0)[0]:.3f} to {own.mean(0)[-1]:.3f}; the predictive loss falls by a "
            f"factor of {losses.mean(0)[0] / losses.mean(0)[-1]:.1f}."
        )
        yield scale_sentence(part)


STUDY = StaticScale()
