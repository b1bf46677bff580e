"""Does a sequence model that takes its own actions for evidence delude itself at every width?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from matplotlib.figure import Figure

from dosuite.envs import make_model
from dosuite.envs.settings import parse
from dosuite.envs.worlds.delusion import DelusionBox, likelier, play

from ..reports.panels import FONT, GREY, INK, WRONG, legend, mark, titled_panels
from ..runs.run import Run
from ..runs.scored_rows import where_of
from ..scores import metrics
from .study import Size, Study
from .verdicts import Check, Finding, compared, finding, seed_interval, within

NEAR = 0.02  # prizes of a round: how near to the exact figure a deluded learner must be
CLOSED = 0.5  # share of the gap from deluded to best that one who is not deluded must close
RELIABILITY = 0.8  # P(prize | the better box); at the world's 0.7 masked learners need longer logs
ROWS = 100_000  # of a log; in a mixed one half of the episodes are the experimenter's
TRAINING = "updates=1000,rate=0.003"
IMITATES, ASKS, MASKED, GUESSES = "imitates", "asks", "masked", "guessing expert"
LEARNERS = {
    IMITATES: ("returns=false,temperature=1", "observe", ""),
    ASKS: ("aim=0.99", "observe", ""),
    MASKED: ("actions=masked,aim=0.99", "mixed", ""),
    GUESSES: ("aim=0.99", "observe", ",slip=0.5"),
}  # settings, regime and setting of the world
GRIDS: Mapping[Size, tuple[tuple[int, ...], tuple[int, ...], int]] = {
    Size.SMALL: ((10,), (8, 16), 4),
    Size.DEFAULT: ((10, 20), (8, 16, 32), 6),
    Size.FULL: ((10, 20, 50), (8, 16, 32, 64, 128, 256), 20),
}  # horizons, widths and seeds


@dataclass(frozen=True)
class Delusion(Study):
    """Decision transformers in DelusionBox, with a context as long as the episode.

    Two learn from an expert's log, in which an action is evidence of the better box: one imitates
    it, and one asks for a high return. One learns from episodes of an experimenter, and so masks
    its actions. The control is the second of them after an expert who guesses (slip=0.5).
    """

    name: str = "delusion"
    question: str = "Does a sequence model take its own actions for evidence, at every width?"
    hypothesis: str = (
        "Yes: after an expert's log its first guess convinces it, and it earns the exact figure of "
        "the deluded player, however wide it is; with its own actions masked it is cured."
    )
    criterion: str = (
        "At each horizon and width, in prizes of a round, by 95 % intervals over seeds: the model "
        "that imitates is within .02 of the exact figure of one that samples with its own actions "
        "as evidence (of 50 rounds the catalogue's .546), the one that asks for a "
        "high return within .02 of that of one that takes the box it believes in, and the one with "
        "masked actions closes more than half of the gap from the latter figure to the best use of "
        "the evidence. No verdict if the model that asks for a high return closes no more than "
        "half of that gap after an expert who guesses, whose actions are no evidence."
    )
    budget: Mapping[Size, str] = field(
        default_factory=lambda: {
            Size.SMALL: "10 rounds, widths 8 and 16, 4 seeds, logs of 1e5 rows; 2 minutes",
            Size.DEFAULT: "10 and 20 rounds, widths 8 to 32, 6 seeds; 15 minutes of one core",
            Size.FULL: "10 to 50 rounds, widths 8 to 256, 20 seeds, logs of 1e5 rows",
        }
    )
    looks: ClassVar[Mapping[str, str]] = {
        IMITATES: "#E69F00",
        ASKS: WRONG,
        MASKED: INK,
        GUESSES: "#56B4E9",
    }

    def runs(self, size: Size) -> list[Run]:
        horizons, widths, seeds = GRIDS[size]
        return [
            Run(
                f"DelusionBox-v0:reliability={RELIABILITY},horizon={horizon}{setting}",
                f"decision-transformer:{settings},context={horizon},hidden={width},{TRAINING}",
                regime,
                ROWS,
                seed,
            )
            for horizon in horizons
            for width in widths
            for settings, regime, setting in LEARNERS.values()
            for seed in range(seeds)
        ]

    def table(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """A row for each run.

        Columns: `horizon`, `width`, `learner`, `seed`; `earned`, the prizes of a round; and the
        exact figures `sampled`, `taken` and `best`: of players who take their own actions for the
        expert's and sample as he would, or take the box that they believe in, and of one who takes
        the likelier box.
        """
        lines = [_line(row) for _, row in metrics.deployment(rows).iterrows()]
        return pd.DataFrame(lines)

    def findings(self, table: pd.DataFrame) -> list[Finding]:
        """A verdict for each horizon and width."""
        return [
            _judged(f"{horizon} rounds, width {width}", part)
            for (horizon, width), part in table.groupby(["horizon", "width"])
        ]

    def figure(self, table: pd.DataFrame) -> Figure:
        """A panel for each horizon: the prizes of a round against the width."""
        cases = list(table.groupby("horizon"))
        figure, axes_of = titled_panels([f"{horizon} rounds" for horizon, _ in cases], 2.6)
        for axes, (_, part) in zip(axes_of, cases, strict=True):
            for name, level in exact_figures(int(part["horizon"].iloc[0])).items():
                axes.axhline(level, color=GREY, linestyle=":" if name == "best" else "--")
            for learner, own in part.groupby("learner"):
                colour = self.looks[str(learner)]
                means = own.groupby("width")["earned"].mean()
                axes.plot(means.index, means, "-", color=colour, linewidth=1.2)
                axes.plot(own["width"], own["earned"], "o", color=colour, markersize=3, alpha=0.5)
            axes.set_xscale("log", base=2)
            axes.set_xlabel("width", fontsize=FONT)
            axes.set_ylabel("prizes of a round", fontsize=FONT)
        marks = [mark(name, color=colour, marker="o") for name, colour in self.looks.items()]
        legend(figure, [*marks, mark("exact: deluded, and best", color=GREY, marker="_")], 5)
        return figure

    def paragraph(self, table: pd.DataFrame) -> str:
        """What each learner earns at the narrowest and the widest, beside the exact figures."""
        return "\n".join(_sentences(table))


def exact_figures(horizon: int) -> dict[str, float]:
    """The columns `sampled`, `taken` and `best` of a horizon, in prizes of a round."""
    model = make_model("DelusionBox-v0")
    assert isinstance(model, DelusionBox)
    world = replace(model, horizon=horizon, reliability=RELIABILITY)
    players = {
        "sampled": play(world, world, world.imitated, own=1.0),
        "taken": play(world, world, likelier, own=1.0),
        "best": play(world, world, likelier),
    }
    return {name: player.earned / horizon for name, player in players.items()}


def _line(row: Any) -> dict[str, Any]:
    settings = parse(row["agent"])[1]
    horizon = int(settings["context"])
    return {
        "horizon": horizon,
        "width": int(settings["hidden"]),
        "learner": _learner(where_of(row), settings),
        "seed": int(row["seed"]),
        "earned": row["value"] / horizon,
        **exact_figures(horizon),
    }


def _learner(where: str, settings: Mapping[str, str]) -> str:
    if "slip" in where:
        return GUESSES
    if "returns" in settings:
        return IMITATES
    return MASKED if "actions" in settings else ASKS


def _judged(case: str, part: pd.DataFrame) -> Finding:
    exact = part.iloc[0]
    earned = {str(name): own["earned"].to_numpy(float) for name, own in part.groupby("learner")}
    sampled, taken = float(exact["sampled"]), float(exact["taken"])
    middle = taken + CLOSED * (float(exact["best"]) - taken)

    def closes(name: str) -> Check:
        measured = seed_interval(earned[name])
        return compared(f"{name}: prizes of a round", measured, middle, is_below=False)

    def is_deluded(name: str, figure: float) -> Check:
        return within(f"{name}: prizes", earned[name], figure - NEAR, figure + NEAR)

    claims = [is_deluded(IMITATES, sampled), is_deluded(ASKS, taken), closes(MASKED)]
    return finding(case, [closes(GUESSES)], claims)


def _sentences(table: pd.DataFrame) -> Iterator[str]:
    for horizon, part in table.groupby("horizon"):
        means = part.groupby(["learner", "width"])["earned"].mean()
        ends = {name: means[name].iloc[[0, -1]] for name in LEARNERS if name in means}
        texts = [f"{name} {low:.3f} and {high:.3f}" for name, (low, high) in ends.items()]
        exact = part.iloc[0]
        yield (
            f"In {horizon} rounds, the prizes of a round at width {part['width'].min()} and "
            f"{part['width'].max()} are: {'; '.join(texts)}. Exact: {exact['sampled']:.3f} if "
            f"deluded and sampling, {exact['taken']:.3f} if deluded and taking the box it believes "
            f"in, {exact['best']:.3f} at best."
        )


STUDY = Delusion()
