"""What is confusion worth under shift?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dosuite.envs import make_model

from ..leaderboard.held_out import drawn_world
from ..reports.panels import FONT, INK, WRONG, legend, mark, titled_panels
from ..runs.kept_policies import kept_policy
from ..runs.policy_value import policy_value
from ..runs.reference_values import references
from ..runs.run import Run
from ..runs.scored_rows import where_of
from ..scores import metrics
from .study import Size, Study
from .verdicts import Check, Finding, below, counted, finding, within

MARGIN = 0.05  # of the range of values: differences of regret below it count as none
POINTS = 7  # of a dial
STATIC, CAUSAL = "static", "causal"
LEARNERS = {
    STATIC: ("dqn:hidden=32,updates=2000", "observe", 20_000),
    CAUSAL: ("dqn-lanes", "intervene", 5000),
}  # agent, regime and rows of the log or steps of practice
GRIDS: Mapping[Size, tuple[Sequence[str], int]] = {
    Size.SMALL: (("MBiasClinic-v0", "SlateExposure-v0"), 4),
    Size.DEFAULT: (("MBiasClinic-v0", "SlateExposure-v0", "ConfoundedRiver-v0"), 10),
    Size.FULL: (
        (
            "MBiasClinic-v0",
            "SlateExposure-v0",
            "ConfoundedRiver-v0",
            "NapkinClinic-v0",
            "IceCreamShorts-v0",
            "GreedyCasino-v0:casino=Rigged",
        ),
        20,
    ),
}


@dataclass(frozen=True)
class Reversal(Study):
    """Frozen policies in every shift of a world, and along each dial from which worlds are drawn.

    A dial is a knob or a law in `World.held_out`, turned from one end of its range to the other.
    """

    name: str = "reversal"
    question: str = "What is causal confusion worth under shift?"
    hypothesis: str = (
        "As much as the analytic answer says: a static learner, frozen, has the regret of the "
        "confused policy in every shift, and one that practised that of the causal policy."
    )
    criterion: str = (
        "In every world, in each shift and at each point of each dial, the 95 % interval over "
        "seeds of the regret, in units of the range of values there, lies within .05 of the "
        "analytic one: that of the confused policy for the static learner, and that of the causal "
        "policy, frozen, for the one that practised. No verdict if the static learner's regret on "
        "the control is not below .05."
    )
    budget: Mapping[Size, str] = field(
        default_factory=lambda: {
            Size.SMALL: "2 worlds, 4 seeds, logs of 2e4 rows; a minute",
            Size.DEFAULT: "3 worlds, 10 seeds, logs of 2e4 rows",
            Size.FULL: "6 worlds, 20 seeds, logs of 2e4 rows",
        }
    )
    looks: ClassVar[Mapping[str, str]] = {STATIC: WRONG, CAUSAL: INK}

    def runs(self, size: Size) -> list[Run]:
        worlds, seeds = GRIDS[size]
        variants = {STATIC: ("", "control"), CAUSAL: ("",)}
        return [
            Run(world, agent, regime, budget, seed, variant)
            for world in worlds
            for learner, (agent, regime, budget) in LEARNERS.items()
            for variant in variants[learner]
            for seed in range(seeds)
        ]

    def table(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """A row for each run, and each shift or point of a dial.

        Columns: `where`, the world; `variant`, `learner`, `seed`; `dial`, the name of a shift, of
        a dial, or "" for the deployment; `at`, the value of the dial; and `regret` beside
        `analytic`, from 0, the best policy there, to 1, the worst.
        """
        lines: list[dict[str, Any]] = []
        for _, row in rows.iterrows():
            head = _head(row)
            lines.append(head | {"dial": row["world"], "at": np.nan} | _regrets(row, head))
            if not row["world"] and not row["variant"]:
                lines += _on_dials(row, head, folder)
        return pd.DataFrame(lines)

    def findings(self, table: pd.DataFrame) -> list[Finding]:
        """A verdict for each world."""
        return [_judged(str(where), part) for where, part in table.groupby("where")]

    def figure(self, table: pd.DataFrame) -> Figure:
        """A panel for each dial: the regret of every seed, and the analytic one."""
        dials = list(table[table["at"].notna()].groupby(["where", "dial"]))
        figure, axes_of = titled_panels([str(where) for (where, _), _ in dials], 2.4)
        for axes, ((_, dial), part) in zip(axes_of, dials, strict=True):
            for learner, colour in self.looks.items():
                own = part[part["learner"] == learner]
                exact = own.groupby("at")["analytic"].mean()
                axes.plot(exact.index, exact, "-", color=colour, linewidth=1.2)
                axes.plot(own["at"], own["regret"], "o", color=colour, markersize=3, alpha=0.5)
            axes.set_xlabel(str(dial), fontsize=FONT)
            axes.set_ylabel("regret", fontsize=FONT)
        looks = (("static learner", WRONG), ("one that practised", INK))
        legend(figure, [mark(name, color=colour, marker="o") for name, colour in looks], 2)
        return figure

    def headline(self, table: pd.DataFrame) -> str:
        """The largest regret of each learner, and how far it is from the analytic one."""
        means = _means(table[table["variant"] == ""])
        far = (means["regret"] - means["analytic"]).abs().groupby("learner").max()
        most = means["regret"].groupby("learner").max()
        places = len(means.xs(STATIC, level="learner"))
        worlds = counted(table["where"].nunique(), "world")
        return (
            f"In {places} shifts and points of dials of {worlds}, the "
            f"regret of a frozen static learner is at most {far[STATIC]:.3f} from that of the "
            f"confused policy in closed form, and reaches {most[STATIC]:.2f}; that of one that "
            f"practised is at most {far[CAUSAL]:.3f} from that of the causal policy."
        )

    def paragraph(self, table: pd.DataFrame) -> str:
        """The range of regrets over the shifts and dials of every world."""
        return "\n".join(_sentences(table[table["variant"] == ""]))


def _head(row: Any) -> dict[str, Any]:
    learner = STATIC if row["regime"] == LEARNERS[STATIC][1] else CAUSAL
    return {
        "where": where_of(row),
        "variant": row["variant"],
        "learner": learner,
        "seed": int(row["seed"]),
    }


def _regrets(row: Any, head: Mapping[str, Any]) -> dict[str, float]:
    """The regret of a run in a world, and that of the reference policy it should equal."""
    scale = row["j_best"] - row["j_worst"]
    if scale <= metrics.NEGLIGIBLE:  # all policies are worth the same there
        return {"regret": 0.0, "analytic": 0.0}
    exact = row["j_confused"] if head["learner"] == STATIC else row["j_causal"]
    return {
        "regret": (row["j_best"] - row["value"]) / scale,
        "analytic": (row["j_best"] - exact) / scale,
    }


def _on_dials(row: Any, head: Mapping[str, Any], folder: Path) -> Iterator[dict[str, Any]]:
    """The regrets of the kept policy of a run along the dials of its world."""
    policy = kept_policy(folder, row["run"])
    if policy is None:
        return
    model = make_model(head["where"])
    for dial, ends in sorted(model.held_out.items()):
        for at in np.linspace(*ends, POINTS):
            world = drawn_world(model, {dial: float(at)})
            values = references(model, world) | policy_value(world, policy)._asdict()
            yield {**head, "dial": dial, "at": float(at), **_regrets(values, head)}


def _judged(case: str, part: pd.DataFrame) -> Finding:
    control = part[(part["variant"] == "control") & (part["dial"] == "")]
    solved = below("the regret on the control", control["regret"].to_numpy(float), MARGIN)
    return finding(case, [solved], [*_claims(part[part["variant"] == ""])])


def _claims(part: pd.DataFrame) -> Iterator[Check]:
    """A check for each learner in each shift and at each point of a dial."""
    for (learner, dial, _), here in part.groupby(["learner", "dial", "at"], dropna=False):
        excess = (here["regret"] - here["analytic"]).to_numpy(float)
        place = dial or "the deployment"
        value = here["at"].iloc[0]
        where = place if np.isnan(value) else f"{place} = {value:.3g}"
        yield within(f"the {learner} learner's excess at {where}", excess, -MARGIN, MARGIN)


def _means(table: pd.DataFrame) -> pd.DataFrame:
    """The regrets, means over seeds, of each learner at each place."""
    places = table.groupby(["learner", "where", "dial", "at"], dropna=False)
    return places[["regret", "analytic"]].mean()


def _sentences(table: pd.DataFrame) -> Iterator[str]:
    for where, part in table.groupby("where"):
        means = _means(part)
        texts = []
        for learner, here in means.groupby("learner"):
            far = (here["regret"] - here["analytic"]).abs().max()
            texts.append(
                f"the regret of the {learner} learner is between {here['regret'].min():.2f} and "
                f"{here['regret'].max():.2f}, at most {far:.3f} from the analytic one"
            )
        points = len(means) // 2
        yield f"In {where}, over {points} shifts and points of dials, {'; '.join(texts)}."


STUDY = Reversal()
