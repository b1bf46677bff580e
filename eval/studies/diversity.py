"""Do more domains, or a leak of counter-examples, cure confusion?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression

from dosuite.causal import Array, World, value
from dosuite.causal.exact import do_process, greedy, log_process
from dosuite.envs import make_model, parse, unparse

from ..claims.label_price import pooling_threshold
from ..reports.panels import FONT, GREY, INK, WRONG, legend, mark, titled_panels
from ..runs.run import Run
from ..scores.bootstrap import Interval
from ..scores.metrics import NEGLIGIBLE
from .study import Size, Study
from .verdicts import LEAST_SEEDS, Check, Finding, below, finding

RIGHT = 0.05  # of the range of values: a policy that loses less is right
WIDEST = 0.15  # of an interval that says where the flip is
NEVER = 1.0  # the share at which an answer flips that no share corrects
RESAMPLES = 1000
SHARES = (0.0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9)
POOLED, LABELLED = "naive", "invariant"
NETWORK = "dqn:hidden=32,updates=800,batch=256"  # pooled, too
NETWORK_CELLS = ((1, "common"), (64, "disjoint"))
ICE, CASINO = "IceCreamShorts-v0", "GreedyCasino-v0:casino=Rigged"
DOOR, ENCOURAGE = "Door-v0", "EncourageIV-v0"
GRIDS: Mapping[Size, dict[str, Any]] = {
    Size.SMALL: {
        "worlds": (ICE,),
        "network_worlds": (ICE,),
        "domains": (1, 8),
        "shares": (0.0, 0.025, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9),
        "rows": 4000,
        "seeds": 6,
    },
    Size.DEFAULT: {
        "worlds": (ICE, CASINO, DOOR, ENCOURAGE),
        "network_worlds": (CASINO,),
        "domains": (1, 4, 64),
        "shares": SHARES,
        "rows": 10_000,
        "seeds": 10,
    },
    Size.FULL: {
        "worlds": (ICE, CASINO, DOOR, ENCOURAGE, "SlateExposure-v0"),
        "network_worlds": (ICE, CASINO, DOOR, ENCOURAGE),
        "domains": (1, 2, 4, 8, 16, 32, 64),
        "shares": SHARES,
        "rows": 100_000,
        "seeds": 20,
    },
}


@dataclass(frozen=True)
class Diversity(Study):
    """Learners on logs from several domains, of whose episodes some share is unconfounded."""

    name: str = "diversity"
    question: str = "How many domains, and how much leak of counter-examples, cure confusion?"
    hypothesis: str = (
        "No number of domains moves the share of unconfounded episodes from which a learner of "
        "the pooled log is right: it is the one at which the best answer flips in the exact law of "
        "the log. With labels, it is the one of the rule of the worst domain: either any share "
        "above 0 is enough or none, and which of the two depends on the domains."
    )
    criterion: str = (
        "In every world, for each learner, number of domains and ranges of the hidden cause: the "
        "share computed from the models lies in the 95 % interval of the measured flip, which is "
        "where the share of seeds that are right, isotonic, crosses one half. The interval is of "
        "resampled seeds, widened to the shares that were run; it leaves the clause open if it is "
        "wider than .15. No verdict if the learner's regret on the control is not below 5 % of the "
        "range of values."
    )
    budget: Mapping[Size, str] = field(
        default_factory=lambda: {
            Size.SMALL: "1 world, 1 and 8 domains, 8 shares, 6 seeds, logs of 4,000 rows; 1 minute",
            Size.DEFAULT: "4 worlds, 1 to 64 domains, 15 shares, 10 seeds, logs of 1e4 rows",
            Size.FULL: "5 worlds, 1 to 64 domains, 15 shares, 20 seeds, logs of 1e5 rows",
        }
    )
    looks: ClassVar[Mapping[str, str]] = {"common": INK, "disjoint": WRONG}

    def runs(self, size: Size) -> list[Run]:
        """Mixed logs of every share; share 0 is the log, and the control is one without leak."""
        grid = GRIDS[size]
        found = []
        for world, domains, ranges, learner in _cells(grid):
            environment, rows = with_domains(world, domains, ranges), grid["rows"]
            for seed in range(grid["seeds"]):
                found.append(Run(environment, learner, "observe", rows, seed, "control"))
                for share in grid["shares"]:
                    regime = "mixed" if share else "observe"
                    leak = share or None
                    found.append(Run(environment, learner, regime, rows, seed, share=leak))
        return found

    def table(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """A row for each run, in the deployment.

        Columns: `where`, the world; `learner`, `domains`, `ranges`, `variant`, `seed`; `share` of
        unconfounded episodes; `right`, 1 if the policy is nearly the best; `regret`, from 0 to 1;
        and `predicted`, the share computed from the models.
        """
        by_key = self._runs_of(set(rows["run"]))
        lines: list[dict[str, Any]] = []
        for _, row in rows[rows["world"] == ""].iterrows():
            run = by_key[row["run"]]
            name, settings = parse(run.environment)
            domains = int(settings.pop("domains", 1))
            ranges = str(settings.pop("domain_ranges", "common"))
            regret = (row["j_best"] - row["value"]) / (row["j_best"] - row["j_worst"])
            line: dict[str, Any] = {
                "where": unparse(name, settings),
                "learner": parse(run.agent)[0],
            }
            line |= {"domains": domains, "ranges": ranges, "variant": run.variant}
            line |= {"seed": run.seed, "share": run.share or 0.0, "right": int(regret < RIGHT)}
            line |= {"regret": regret, "predicted": predicted(run.environment, line["learner"])}
            lines.append(line)
        return pd.DataFrame(lines)

    def _runs_of(self, keys: set[str]) -> dict[str, Run]:
        """The runs with some keys, of which the rows do not tell the share; see `runs`."""
        found: dict[str, Run] = {}
        for size in Size:
            if not keys <= found.keys():
                found |= {run.key: run for run in self.runs(size)}
        return found

    def findings(self, table: pd.DataFrame) -> list[Finding]:
        """A verdict for each world and learner."""
        return [
            _judged(f"{where}, {learner}", part)
            for (where, learner), part in table.groupby(["where", "learner"])
        ]

    def figure(self, table: pd.DataFrame) -> Figure:
        """A panel for each world and learner: where the answer flips, against the domains."""
        cases = list(table[table["variant"] == ""].groupby(["where", "learner"]))
        figure, axes_of = titled_panels([f"{where}, {who}" for (where, who), _ in cases], 2.4)
        for axes, (_, part) in zip(axes_of, cases, strict=True):
            for (domains, ranges), cell in part.groupby(["domains", "ranges"]):
                at, low, high = flip(*_curve(cell))
                x = float(str(domains)) * (1.0 if ranges == "common" else 1.15)
                colour = self.looks[str(ranges)]
                axes.plot([x, x], [low, high], "-", color=colour, linewidth=1.5)
                axes.plot(x, at, "o", color=colour, markersize=4)
                axes.plot(x, cell["predicted"].iloc[0], "_", color=GREY, markersize=14)
            axes.set_xscale("log", base=2)
            axes.set_ylim(-0.04, 1.04)
            axes.set_xlabel("domains", fontsize=FONT)
            axes.set_ylabel("share at the flip", fontsize=FONT)
        marks = [mark(f"{name} ranges", color=c, marker="o") for name, c in self.looks.items()]
        legend(figure, [*marks, mark("computed from the models", color=GREY, marker="_")], 3)
        return figure

    def paragraph(self, table: pd.DataFrame) -> str:
        """The measured flip beside the computed one, in each world and for each learner."""
        return "\n".join(_sentences(table[table["variant"] == ""]))


def with_domains(world: str, domains: int, ranges: str) -> str:
    """The text of a world with so many domains."""
    name, settings = parse(world)
    added = {"domains": domains, "domain_ranges": ranges} if domains > 1 else {}
    return unparse(name, {**settings, **added})


@lru_cache(maxsize=256)
def predicted(environment: str, learner: str) -> float:
    """The share of unconfounded episodes from which a learner with infinite data is right.

    It is that of the pooled law (see `pooling_threshold`, whose c is c / (1 + c) of all episodes),
    or of the rule of the worst domain. NEVER if no share is enough.
    """
    model = make_model(environment).deployed()
    if learner == LABELLED:
        return worst_domain_threshold(model)
    interventions = pooling_threshold(model)
    return interventions / (1.0 + interventions)


def worst_domain_threshold(model: World) -> float:
    """The share from which the action with the greatest mean reward in its worst domain is best.

    A domain is one with or without experiments, in a world without contexts. Its laws differ, so
    that nothing is invariant, and do not depend on the share. So the answer with any experiments is
    the answer with few: 0 stands for any share above 0. NEVER if that answer is wrong, and NaN if
    it is right without experiments alone.
    """
    worlds = [model]
    if "domain" in model.variables:
        worlds = [model.do(domain=number) for number in range(model.domains)]
    seen = np.min([log_process(world).reward for world in worlds], 0)
    done = np.min([do_process(world).reward for world in worlds], 0)
    best = value(model, model.causal_policy()) - NEGLIGIBLE
    if value(model, greedy(np.minimum(seen, done))) >= best:
        return 0.0
    return np.nan if value(model, greedy(seen)) >= best else NEVER


def flip(shares: Array, right: Array) -> Interval:
    """Where the share of right seeds crosses one half, and its 95 % interval.

    `shares` (n,) are increasing and `right` is (seeds, n), 0 or 1. The interval is of resampled
    seeds, widened to the shares that were run, since nothing is known between two of them.
    """
    rng = np.random.default_rng(0)
    picks = rng.integers(len(right), size=(RESAMPLES, len(right)))
    curves, places = np.unique(right[picks].mean(1), axis=0, return_inverse=True)
    crossings = np.array([_crossing(shares, curve) for curve in curves])[places.ravel()]
    low, high = np.quantile(crossings, [0.025, 0.975])
    known = np.append(shares, NEVER)
    below_it = known[np.searchsorted(known, min(low, known[-2]), "right") - 1]
    above_it = known[np.searchsorted(known, high, "left")]
    return _crossing(shares, right.mean(0)), float(below_it), float(above_it)


def _cells(grid: Mapping[str, Any]) -> Iterator[tuple[str, int, str, str]]:
    """The world, number of domains, ranges and learner of each cell of a grid."""
    for world in grid["worlds"]:
        for domains in grid["domains"]:
            for ranges in ("common", "disjoint") if domains > 1 else ("common",):
                for learner in (POOLED, LABELLED):
                    yield world, domains, ranges, learner
    for world in grid["network_worlds"]:
        for domains, ranges in NETWORK_CELLS:
            if domains in grid["domains"]:
                yield world, domains, ranges, NETWORK


def _crossing(shares: Array, curve: Array) -> float:
    """Where an isotonic fit to a curve (n,) crosses one half, by linear interpolation."""
    fitted = isotonic_regression(curve).x
    after = int(np.searchsorted(fitted, 0.5))
    if after == 0:
        return float(shares[0])
    if after == len(shares):
        return NEVER
    return float(np.interp(0.5, fitted[after - 1 : after + 1], shares[after - 1 : after + 1]))


def _curve(cell: pd.DataFrame) -> tuple[Array, Array]:
    wide = cell.pivot_table("right", "seed", "share").dropna()
    return wide.columns.to_numpy(float), wide.to_numpy(float)


def _judged(case: str, part: pd.DataFrame) -> Finding:
    control = part[part["variant"] == "control"].groupby("seed")["regret"].mean()
    solved = below("the regret on the control", control.to_numpy(float), RIGHT)
    cells = part[part["variant"] == ""].groupby(["domains", "ranges"])
    claims = [_claim(f"{number} domains ({ranges})", cell) for (number, ranges), cell in cells]
    return finding(case, [solved], claims)


def _claim(name: str, cell: pd.DataFrame) -> Check:
    at, low, high = flip(*_curve(cell))
    exact = float(cell["predicted"].iloc[0])
    text = f"with {name} the flip is at {exact:.3f}: {at:.3f} [{low:.3g}, {high:.3g}]"
    holds: bool | None = low - NEGLIGIBLE <= exact <= high + NEGLIGIBLE
    if cell["seed"].nunique() < LEAST_SEEDS or np.isnan(exact) or (holds and high - low > WIDEST):
        holds = None
    return Check(holds, text)


def _sentences(table: pd.DataFrame) -> Iterator[str]:
    for (where, learner), part in table.groupby(["where", "learner"]):
        texts: Sequence[str] = [
            f"{at:.3f} [{low:.3g}, {high:.3g}] with {number} domains ({ranges}), computed "
            + (f"{exact:.3f}" if exact < NEVER else "never")
            for (number, ranges), cell in part.groupby(["domains", "ranges"])
            for at, low, high in [flip(*_curve(cell))]
            for exact in [float(cell["predicted"].iloc[0])]
        ]
        yield f"In {where}, {learner} flips at {'; '.join(texts)}."


STUDY = Diversity()
