"""May a static learner that experiments at test time escape?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dosuite.agents.offline.decision_transformer import DecisionTransformer
from dosuite.causal import Array, Bernoulli, Exactly, action, latent, value
from dosuite.envs import collect
from dosuite.envs.worlds.delusion import DelusionBox, play

from ..reports.panels import FONT, GREY, INK, WRONG, legend, mark, panels
from ..runs.policy_value import estimated_by_rollouts
from .study import Size
from .units import Unit, UnitStudy
from .verdicts import Check, Finding, compared, finding, seed_interval, within

NEAR = 0.02  # prizes of a round: how near to the exact figure a deluded learner must be
BEYOND = 0.01  # prizes of a round above the floor that count as none
FIRST = 3  # rounds in which the expert who experiments takes either box
ROWS = 50_000  # of a log
PLAYED = 100_000  # rounds by which a policy is valued
EXPERIMENTS, KNOWS, FORGETS = "experiments", "knows", "experiments, no memory"
# horizons, widths, seeds and steps of the optimiser
GRIDS: Mapping[Size, tuple[tuple[int, ...], tuple[int, ...], int, int]] = {
    Size.SMALL: ((1, 10), (16,), 3, 600),
    Size.DEFAULT: ((1, 5, 10, 20, 50), (32,), 6, 1500),
    Size.FULL: ((1, 2, 5, 10, 20, 30, 40, 50), (16, 32, 64, 128), 20, 4000),
}


class Experimenter(DelusionBox):
    """DelusionBox with another expert, who does not know the better box.

    In the first rounds he takes either box, and afterwards that for which the outcomes so far
    speak. Nothing else differs, so that the values of policies are those of DelusionBox.
    """

    @latent.starting(Exactly(0))
    def rounds(self, rounds_tm1: Array) -> Exactly:
        return Exactly(rounds_tm1 + 1)

    @latent.starting(Exactly(0))
    def tally(self, tally_tm1: Array, box_tm1: Array, prize_tm1: Array) -> Exactly:
        """Outcomes for box 1 minus those for box 0."""
        return Exactly(tally_tm1 + np.where(box_tm1 == prize_tm1, 1, -1))

    @action
    def box(self, rounds: Array, tally: Array) -> Bernoulli:
        return Bernoulli(np.where(rounds < FIRST, 0.5, 0.5 + 0.5 * np.sign(tally)))


@dataclass(frozen=True)
class Imitators(Unit):
    """Sequence models of several seeds that imitate one expert, valued by rollouts."""

    learner: str
    horizon: int
    width: int
    seeds: int
    steps: int

    def cost(self) -> float:
        """About how many seconds it takes."""
        return 8e-5 * self.seeds * self.steps * self.width

    def rows(self) -> list[dict[str, Any]]:
        """A row for each seed: see `TestTime.table`."""
        world = DelusionBox(horizon=self.horizon)
        expert = world if self.learner == KNOWS else Experimenter(horizon=self.horizon)
        logs = [
            collect(expert, ROWS // self.horizon, seed).view(np.random.default_rng(seed))
            for seed in range(self.seeds)
        ]
        agent = DecisionTransformer(
            returns=False,
            temperature=1.0,
            context=1 if self.learner == FORGETS else self.horizon,
            hidden=self.width,
            updates=self.steps,
            rate=0.003,
        )
        policies = agent.learn_all(
            logs, [np.random.default_rng([seed]) for seed in range(len(logs))]
        )
        episodes = PLAYED // self.horizon
        head = {"learner": self.learner, "horizon": self.horizon, "width": self.width}
        rows = []
        for seed, (log, policy) in enumerate(zip(logs, policies, strict=True)):
            if isinstance(policy, Exception):
                raise policy
            earned = estimated_by_rollouts(world, policy, seed, episodes).value / self.horizon
            logged = float(log["reward"].mean())
            rows.append(head | {"seed": seed, "earned": earned, "logged": logged})
        return rows


@dataclass(frozen=True)
class TestTime(UnitStudy):
    """Models that imitate an expert given the whole episode, in DelusionBox.

    The better box is hidden and the same in all rounds, so that a player may find it out. One
    expert knows it. Another takes either box in three rounds, and then the one that did better: his
    log has experiments, and shows what to make of them.
    """

    __test__: ClassVar[bool] = False  # pytest takes the name for that of a test

    name: str = "test-time"
    question: str = "May a static learner that experiments at test time escape?"
    hypothesis: str = (
        "Yes, if the expert's log contains experiments: who imitates an expert that tries the "
        "boxes finds the better one, and who imitates one that knows it takes its own first guess "
        "for knowledge, however much it remembers."
    )
    criterion: str = (
        "At each horizon and width, in prizes of a round, by 95 % intervals over seeds, beside the "
        "exact value of the best policy without a memory (the floor): the model with a memory that "
        "imitates the expert who experiments is above the floor where this expert is, and else not "
        "above it by .01; the same model without a memory, and the one that imitates the expert "
        "who knows, are nowhere above the floor by .01. No verdict if the latter is not within .02 "
        "of the exact figure of a deluded player, since it has then not learned its log."
    )
    budget: Mapping[Size, str] = field(
        default_factory=lambda: {
            Size.SMALL: "1 and 10 rounds, width 16, 3 seeds, logs of 5e4 rows; 2 minutes",
            Size.DEFAULT: "1 to 50 rounds, width 32, 6 seeds; 15 minutes of one core",
            Size.FULL: "1 to 50 rounds, widths 16 to 128, 20 seeds; for a cluster",
        }
    )
    looks: ClassVar[Mapping[str, str]] = {EXPERIMENTS: INK, FORGETS: "#56B4E9", KNOWS: WRONG}

    def units(self, size: Size) -> Sequence[Unit]:
        horizons, widths, seeds, steps = GRIDS[size]
        return [
            Imitators(learner, horizon, width, seeds, steps)
            for horizon in horizons
            for width in widths
            for learner in (EXPERIMENTS, FORGETS, KNOWS)
        ]

    def table(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """A row for each policy.

        Columns: `learner`, by its expert and its memory; `horizon`, `width`, `seed`; and in prizes
        of a round `earned`, `logged` by the expert, and the exact `floor`, of the best policy
        without a memory, and `deluded`, of a player who takes his own actions for the expert's.
        """
        exact = pd.DataFrame([exact_figures(int(horizon)) for horizon in rows["horizon"]])
        return rows.drop(columns="status").join(exact)

    def findings(self, table: pd.DataFrame) -> list[Finding]:
        """A verdict for each horizon and width."""
        return [
            _judged(f"horizon {horizon}, width {width}", part)
            for (horizon, width), part in table.groupby(["horizon", "width"])
        ]

    def figure(self, table: pd.DataFrame) -> Figure:
        """The prizes of a round against the horizon, at the largest width."""
        shown = table[table["width"] == table["width"].max()]
        figure, ((axes,),) = panels(1, 1, 3.2)
        floors = shown.groupby("horizon")["floor"].mean()
        axes.plot(floors.index, floors, "--", color=GREY, linewidth=1.2)
        for learner, colour in self.looks.items():
            own = shown[shown["learner"] == learner]
            means = own.groupby("horizon")["earned"].mean()
            axes.plot(means.index, means, "-", color=colour, linewidth=1.2)
            axes.plot(own["horizon"], own["earned"], "o", color=colour, markersize=3, alpha=0.5)
        axes.set_xlabel("horizon", fontsize=FONT)
        axes.set_ylabel("prizes of a round", fontsize=FONT)
        marks = [
            mark(f"expert {name}", color=colour, marker="o") for name, colour in self.looks.items()
        ]
        legend(figure, [*marks, mark("floor without a memory", color=GREY, marker="_")], 4)
        return figure

    def headline(self, table: pd.DataFrame) -> str:
        """What the widest learners earn at the longest horizon."""
        return [*_sentences(table[table["width"] == table["width"].max()])][-1]

    def paragraph(self, table: pd.DataFrame) -> str:
        """What the learners earn at each horizon, beside the floor and the experts."""
        return "\n".join(_sentences(table[table["width"] == table["width"].max()]))


def exact_figures(horizon: int) -> dict[str, float]:
    """The columns `floor` and `deluded` of a horizon, in prizes of a round."""
    world = DelusionBox(horizon=horizon)
    floor = value(world, world.causal_policy())
    deluded = play(world, world, world.imitated, own=1.0).earned
    return {"floor": floor / horizon, "deluded": deluded / horizon}


def _judged(case: str, part: pd.DataFrame) -> Finding:
    earned = {str(name): own["earned"].to_numpy(float) for name, own in part.groupby("learner")}
    floor, deluded = float(part["floor"].iloc[0]), float(part["deluded"].iloc[0])
    expert = part.loc[part["learner"] == EXPERIMENTS, "logged"].mean()

    def exceeds(name: str, excess: float, is_below: bool) -> Check:
        measured = seed_interval(earned[name] - floor)
        return compared(f"{name}: the excess over the floor", measured, excess, is_below)

    control = within(f"{KNOWS}: prizes", earned[KNOWS], deluded - NEAR, deluded + NEAR)
    is_beyond = expert > floor + BEYOND
    claims = [
        exceeds(EXPERIMENTS, 0.0, False) if is_beyond else exceeds(EXPERIMENTS, BEYOND, True),
        exceeds(KNOWS, BEYOND, True),
        exceeds(FORGETS, BEYOND, True),
    ]
    return finding(case, [control], claims)


def _sentences(table: pd.DataFrame) -> Iterator[str]:
    for horizon, part in table.groupby("horizon"):
        earned = part.groupby("learner")["earned"].mean()
        logged = part.groupby("learner")["logged"].mean()
        yield (
            f"In {horizon} rounds the floor is {part['floor'].iloc[0]:.3f}; imitators of the "
            f"expert who experiments, who earns {logged[EXPERIMENTS]:.3f} himself, earn "
            f"{earned[EXPERIMENTS]:.3f} with a memory and {earned[FORGETS]:.3f} without, and those "
            f"of the expert who knows, who earns {logged[KNOWS]:.3f}, earn {earned[KNOWS]:.3f}."
        )


STUDY = TestTime()
