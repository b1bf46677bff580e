"""How many steps of acting undo a static pre-training, as a function of its size?"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..reports.panels import FONT, GREY, INK, WRONG, legend, mark, titled_panels
from ..runs.run import Run
from ..runs.scored_rows import VALUE_AT, where_of
from ..scores import metrics
from .least_steps import Practices, ratio_of, slope_of_logs
from .study import Size, Study
from .verdicts import Check, Finding, Word, compared, counted, finding

CLOSED = 0.1  # of the world's gap: regret up to this has closed 90 % of it
COMMON = "start=log,epochs=8,batch=128,envs=32"
VALUES = f"dqn-lanes:{COMMON},starts=1,gradients=2"
LEARNERS = {
    "value": VALUES,
    "value, replays the log": f"{VALUES},replay=both",
    "value, replays the log, told which rows": f"{VALUES},replay=both,labels=true",
    "value, fresh head": f"{VALUES},head=fresh",
    "policy": f"ppo-lanes:{COMMON},rollout=1,passes=4",
}
VARIANTS = ("", "control", "twin")
DIGITS = ":observation=digits"
ICE, NAPKIN = f"IceCreamShorts-v0{DIGITS}", f"NapkinClinic-v0{DIGITS}"
PROXY, ENCOURAGE = f"ProxyClinic-v0{DIGITS}", f"EncourageIV-v0{DIGITS}"
MBIAS = f"MBiasClinic-v0{DIGITS}"
WORLDS = (NAPKIN, PROXY, ENCOURAGE, MBIAS)  # in which actions differ by .2 or more
GRIDS: Mapping[Size, dict[str, Any]] = {
    Size.SMALL: {"worlds": (ICE,), "rows": (0, 100, 1000), "points": 6, "seeds": 6},
    Size.DEFAULT: {"worlds": WORLDS, "rows": (0, 100, 1000, 10_000), "points": 7, "seeds": 20},
    Size.FULL: {
        "worlds": (*WORLDS, ICE),
        "rows": (0, 100, 1000, 10_000, 100_000, 1_000_000),
        "points": 12,
        "seeds": 20,
    },
}
LEAST = 32  # steps at the first point of a practice


@dataclass(frozen=True)
class FineTune(Study):
    """Learners that begin with a log of S rows and practise, scored on the way.

    m*(S) is the least number of steps m such that at m, and at all later points of the practice, at
    least 95 % of the seeds have a regret of at most .1 of the world's gap J_best - J_confused. On
    the control and the twin, where the confused policy is the best one, the gap is the world's too.
    """

    name: str = "fine-tune"
    question: str = "How many steps of acting undo a static pre-training, by its number of rows?"
    hypothesis: str = (
        "None is known. Kirk and Krueger (2022) expect that confusion learned from more data takes "
        "more steps to undo, d log m* / d log S > 0; Stickland that it takes fewer, as a better "
        "representation is tuned faster. 'Supports' means the first, 'against' the second."
    )
    criterion: str = (
        "In every world, for each learner: the 95 % bootstrap interval over seeds of the slope of "
        "log m* over log S, on S > 0, is wholly above 0 (supports) or wholly below (against). An "
        "m* above the last point is only known to be above it; an end of the interval that this "
        "leaves open is infinite. An m* below the first point, 32, counts as 32. No verdict "
        "otherwise; nor if m* on the control is above the last point at any S, 0 included (the "
        "learner is untrained); nor if pre-training on S rows raises m* on the control above m*(0) "
        "(the pipeline is at fault): the interval of log m*(S) / m*(0) is wholly above 0."
    )
    budget: Mapping[Size, str] = field(
        default_factory=lambda: {
            Size.SMALL: "1 world, 6 seeds, S up to 1e3, 2,048 steps; minutes",
            Size.DEFAULT: "4 worlds, 20 seeds, S up to 1e4, 4,096 steps; half an hour on 2 cores",
            Size.FULL: "5 worlds, 20 seeds, S up to 1e6, 131,072 steps; for a cluster",
        }
    )
    looks: ClassVar[Mapping[str, str]] = {"": WRONG, "control": INK, "twin": GREY}

    def runs(self, size: Size) -> list[Run]:
        grid = GRIDS[size]
        points = grid["points"]
        return [
            Run(
                world,
                f"{agent},points={points}",
                "intervene",
                LEAST * 2**points,
                seed,
                variant,
                log_rows=rows,
            )
            for world in grid["worlds"]
            for agent in LEARNERS.values()
            for variant in VARIANTS
            for rows in grid["rows"]
            for seed in range(grid["seeds"])
        ]

    def table(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """A row for each run and each point of its practice.

        Columns: `where`, the world; `variant`, `learner`, `rows` of the log and `seed`; `steps` of
        the practice; and `regret` there, in units of the world's gap.
        """
        deployed = metrics.deployment(rows)
        names = {agent: name for name, agent in LEARNERS.items()}
        gaps = {
            where_of(row): row["j_best"] - row["j_confused"]
            for _, row in deployed[deployed["variant"] == ""].iterrows()
        }
        lines: list[dict[str, Any]] = []
        for _, row in deployed.iterrows():
            head = {
                "where": where_of(row),
                "variant": row["variant"],
                "learner": names[row["agent"].rpartition(",points=")[0]],
                "rows": int(row["log_rows"]),
                "seed": int(row["seed"]),
            }
            for steps, value in _values(row):
                regret = (row["j_best"] - value) / gaps[where_of(row)]
                lines.append(head | {"steps": steps, "regret": regret})
        return pd.DataFrame(lines)

    def findings(self, table: pd.DataFrame) -> list[Finding]:
        """A verdict for each world and learner."""
        return [
            _judged(f"{where}, {learner}", part)
            for (where, learner), part in table.groupby(["where", "learner"])
        ]

    def figure(self, table: pd.DataFrame) -> Figure:
        """A panel for each world and learner: m* by the rows of the log, log-log."""
        cases = list(table.groupby(["where", "learner"]))
        titles = [f"{str(where).partition('-')[0]}: {learner}" for (where, learner), _ in cases]
        figure, axes_of = titled_panels(titles, 2.2)
        for axes, (_, part) in zip(axes_of, cases, strict=True):
            self._draw(axes, part)
        names = {"the world": "", "its control": "control", "its twin": "twin"}
        marks = [mark(name, color=self.looks[kind], marker="o") for name, kind in names.items()]
        above = mark("above the last point", color=INK, marker="^")
        legend(figure, [*marks, above, mark("without a log", color=INK, marker="_")], 5)
        return figure

    def paragraph(self, table: pd.DataFrame) -> str:
        """m* without a log and with each, and its slope, in each world, control and twin."""
        return "\n".join(_sentences(table))

    def headline(self, table: pd.DataFrame) -> str:
        """In how many worlds m* rises or falls with the rows of pre-training, for each learner."""
        texts = []
        for learner, part in table.groupby("learner"):
            words = Counter(each.word for each in self.findings(part))
            ways = ((Word.SUPPORTS, "rises"), (Word.AGAINST, "falls"))
            said = [f"{way} in {words[word]}" for word, way in ways if words[word]]
            texts.append(f"{learner}: {' and '.join(said) or 'no verdict'}")
        worlds = counted(table["where"].nunique(), "world")
        return (
            "With more rows of static pre-training, the number of own steps that close 90 % of the "
            "confusion gap rises (which supports Kirk and Krueger) or falls (which speaks against "
            f"them), in {worlds}: {'; '.join(texts)}."
        )

    def _draw(self, axes: Axes, part: pd.DataFrame) -> None:
        beside = dict(zip(self.looks, (0.85, 1.0, 1.18), strict=True))  # points that would coincide
        for variant, colour in self.looks.items():
            found = practices(part[part["variant"] == variant])
            for rows, each in found.items():
                least, last = each.least(), each.steps[-1]
                height = max(min(least, 1.4 * last), LEAST)
                look = "^" if np.isinf(least) else "o"
                if rows == 0:
                    axes.axhline(height, color=colour, linestyle="--", linewidth=1.0)
                else:
                    axes.plot(rows * beside[variant], height, look, color=colour, markersize=5)
                axes.set_ylim(LEAST / 1.5, 2 * last)
        axes.set_xscale("log")
        axes.set_yscale("log", base=2)
        axes.set_xlabel("rows of the log, S", fontsize=FONT)
        axes.set_ylabel("steps, m*", fontsize=FONT)


def _values(row: Any) -> Iterator[tuple[int, float]]:
    """The steps of the practice of a run, and the value after them, in increasing order."""
    places = [name for name in row.index if name.startswith(VALUE_AT) and not np.isnan(row[name])]
    for name in sorted(places, key=lambda name: int(name.removeprefix(VALUE_AT))):
        yield int(name.removeprefix(VALUE_AT)), row[name]
    yield int(row["budget"]), row["value"]


def practices(part: pd.DataFrame) -> dict[int, Practices]:
    """Which seeds had closed the gap at which points, by the rows of the log, in one variant."""
    found = {}
    for rows, own in part.groupby("rows"):
        wide = own.pivot_table("regret", "seed", "steps")
        closed = wide.to_numpy(float) <= CLOSED + metrics.NEGLIGIBLE
        found[int(str(rows))] = Practices(closed, wide.columns.to_numpy(float))
    return found


def _judged(case: str, part: pd.DataFrame) -> Finding:
    control = practices(part[part["variant"] == "control"])
    claim = compared(
        "the slope of log m* over log S", _slope(part[part["variant"] == ""]), 0.0, is_below=False
    )
    return finding(case, [*_solved(control), *_not_raised(control)], [claim])


def _solved(control: Mapping[int, Practices]) -> Iterator[Check]:
    for rows, each in control.items():
        text = f"m*({rows:,}) on the control is at most {each.steps[-1]:,.0f}: {_text(each)}"
        yield Check(bool(np.isfinite(each.least())), text)


def _not_raised(control: Mapping[int, Practices]) -> Iterator[Check]:
    for rows, each in control.items():
        if rows > 0:
            middle, low, high = ratio_of(each, control[0])
            shown = f"{middle:.3g} [{low:.3g}, {high:.3g}]"
            text = f"{rows:,} rows do not raise m* on the control: log m* / m*(0) is {shown}"
            yield Check(low <= 0, text)


def _slope(part: pd.DataFrame) -> tuple[float, float, float]:
    found = {rows: each for rows, each in practices(part).items() if rows > 0}
    return slope_of_logs(np.array([*found], dtype=float), [*found.values()])


def _text(each: Practices) -> str:
    least = each.least()
    return f"{least:,.0f}" if np.isfinite(least) else f"above {each.steps[-1]:,.0f}"


def _sentences(table: pd.DataFrame) -> Iterator[str]:
    for (where, learner), whole in table.groupby(["where", "learner"]):
        texts = []
        for variant, part in whole.groupby("variant"):
            found = practices(part)
            _, low, high = _slope(part)
            steps = ", ".join(f"{_text(each)} at {rows:,}" for rows, each in found.items())
            texts.append(
                f"on the {str(variant) or 'world'} m* is {steps} rows, with a slope in "
                f"[{low:.2f}, {high:.2f}]"
            )
        yield f"In {where}, {learner}: {'; '.join(texts)}."


STUDY = FineTune()
