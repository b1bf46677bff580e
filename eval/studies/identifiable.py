"""Do learners that are told the graph act where it identifies the effect, and abstain elsewhere?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dosuite.agents import Policy
from dosuite.causal import World, certificate
from dosuite.envs import context_mean, make_model, members

from ..reports.panels import FONT, GREY, INK, WRONG, legend, mark, panels
from ..runs.kept_policies import kept_policy
from ..runs.run import Run
from ..runs.scored_rows import where_of
from ..scores import metrics
from .study import Size, Study
from .verdicts import Check, Finding, below, compared, finding, seed_interval

ACT, EXPERIMENT, ABSTAIN = "act", "experiment", "abstain"
EITHER = "do either"
RESOLVED = 1e-6  # the largest regret over compatible worlds that counts as agreement
UTILITY = 0.9  # of the oracle's, where the effect is identified
SOLVED = 0.05  # mean regret on the controls
AGENTS = ("identify", "back-door", "iv", "proximal")
SOME = (
    "IceCreamShorts-v0",
    "NapkinClinic-v0",
    "ProxyClinic-v0",
    "EncourageIV-v0",
    "TarFrontdoor-v0:table=Causality",
    "SimpsonClinic-v0:study=KidneyStones",
)
ROWS = 20_000  # of a log
SEEDS: Mapping[Size, int] = {Size.SMALL: 3, Size.DEFAULT: 10, Size.FULL: 20}


@dataclass(frozen=True)
class Identifiable(Study):
    """Learners with the graph in worlds of one step, judged by what the graph identifies.

    What is right in a world is read off its certificate: to "act" if the effect is identified, to
    "experiment" if compatible worlds disagree about the best action, and else to "do either", for
    bounds decide which action is best though the effect is not identified.
    """

    name: str = "identifiable"
    question: str = "Do learners that are told the graph act only where it identifies the effect?"
    hypothesis: str = (
        "Yes: where it is identified they recover the best policy, and where compatible worlds "
        "disagree about the best action they abstain, playing uniformly."
    )
    criterion: str = (
        "For each learner that is told the graph: in worlds where compatible worlds disagree, no "
        "run plays anything but uniformly; and in worlds where the effect is identified, the mean "
        "utility over worlds, 0 for always abstaining and 1 for the best policy, is above .9 by "
        "its 95 % interval over seeds. No verdict if the mean regret on the controls is not below "
        ".05, or if there are no worlds of one of the kinds."
    )
    budget: Mapping[Size, str] = field(
        default_factory=lambda: {
            Size.SMALL: f"{len(SOME)} worlds, 3 seeds, logs of 2e4 rows; a minute",
            Size.DEFAULT: "all worlds of one step, 10 seeds, logs of 2e4 rows",
            Size.FULL: "all worlds of one step, 20 seeds, logs of 2e4 rows",
        }
    )

    def runs(self, size: Size) -> list[Run]:
        worlds = SOME if size is Size.SMALL else _one_step_worlds()
        return [
            Run(world, agent, "observe", ROWS, seed, variant)
            for world in worlds
            for agent in AGENTS
            for variant in ("", "control")
            for seed in range(SEEDS[size])
        ]

    def table(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """A row for each run.

        Columns: `where`, `variant`, `agent`, `seed`; `right`, what the certificate of the world
        calls for ("act", "experiment" or "do either", or "abstain" if there is no answer); `did`,
        "act" or "abstain", empty if the kept policy is gone; `utility`, 0 for the uniform policy
        and 1 for the best; and `regret`, from 0 to 1.
        """
        deployed = metrics.deployment(rows)
        scored = deployed.assign(
            where=[where_of(row) for _, row in deployed.iterrows()],
            utility=metrics.chance_score(deployed),
            regret=metrics.normalised_regret(deployed),
        )
        scored["right"] = [right_in(row["where"], row["variant"]) for _, row in scored.iterrows()]
        scored["did"] = [_did(row, folder) for _, row in scored.iterrows()]
        columns = ["where", "variant", "agent", "seed", "right", "did", "utility", "regret"]
        return scored[columns].reset_index(drop=True)

    def findings(self, table: pd.DataFrame) -> list[Finding]:
        """A verdict for each agent."""
        return [_judged(str(agent), part) for agent, part in table.groupby("agent")]

    def figure(self, table: pd.DataFrame) -> Figure:
        """The mean utility of each agent in each world, in the colour of what is right there."""
        shown = table[table["variant"] == ""]
        worlds = list(dict.fromkeys(shown.sort_values(["right", "where"])["where"]))
        agents = list(dict.fromkeys(shown["agent"]))
        height = 0.2 * len(worlds) + 1.0
        figure, ((*row,),) = panels(1, max(1, len(agents)), height)
        colours = {ACT: INK, EXPERIMENT: WRONG, EITHER: GREY, ABSTAIN: "white"}
        for axes, agent in zip(row, agents, strict=False):
            own = shown[shown["agent"] == agent].groupby(["where", "right"])["utility"].mean()
            for (where, right), utility in own.items():
                axes.plot([utility], [worlds.index(where)], "o", color=colours[right])
            axes.axvline(0.0, color=GREY, linewidth=0.8)
            axes.set_yticks(range(len(worlds)), worlds if axes is row[0] else [], fontsize=FONT - 2)
            axes.set_title(agent, loc="left", fontsize=FONT, color=INK)
            axes.set_xlabel("utility", fontsize=FONT)
        marks = [
            mark(f"right: {name}", color=colour, marker="o") for name, colour in colours.items()
        ]
        legend(figure, marks, 4)
        return figure

    def headline(self, table: pd.DataFrame) -> str:
        """How often all agents act where worlds that fit the log disagree, and where they agree."""
        shown = table[table["variant"] == ""]
        wrong, right = (shown[shown["right"] == kind]["did"] == ACT for kind in (EXPERIMENT, ACT))
        return (
            f"Learners that are told the graph act in {wrong.sum()} of {len(wrong)} runs where "
            "worlds with the same log disagree about the best action, and in "
            f"{right.sum()} of {len(right)} where the effect is identified."
        )

    def paragraph(self, table: pd.DataFrame) -> str:
        """How often each agent acts where it should and where it should not."""
        return "\n".join(_sentences(table[table["variant"] == ""]))


def _one_step_worlds() -> list[str]:
    """The members of the catalogue with one step and actions that can be counted."""
    models = {text: make_model(text) for text, _ in members()}
    return [text for text, model in models.items() if model.horizon == 1 and _counts(model)]


def _counts(model: World) -> bool:
    return model.action_bounds is None


@lru_cache(maxsize=256)
def right_in(where: str, variant: str) -> str:
    """What someone who knows the log's law and the graph of a world should do there."""
    known = certificate(make_model(where, variant=variant))
    if known.identified:
        return ACT
    if known.minimax_regret is None:
        return ABSTAIN
    return EITHER if known.minimax_regret.value <= RESOLVED else EXPERIMENT


def _did(row: Any, folder: Path) -> str:
    policy = kept_policy(folder, row["run"])
    if policy is None:
        return ""
    return did(make_model(row["where"], variant=row["variant"]), policy)


def did(model: World, policy: Policy) -> str:
    """Whether a policy acts, or abstains: it plays all actions equally often in every context."""
    table = context_mean(model, policy.probabilities)
    return ABSTAIN if np.ptp(table, axis=1).max() <= metrics.NEGLIGIBLE else ACT


def _judged(agent: str, part: pd.DataFrame) -> Finding:
    world, control = part[part["variant"] == ""], part[part["variant"] == "control"]
    unclear = world[world["right"] == EXPERIMENT]
    clear = world[(world["right"] == ACT) & world["utility"].notna()]
    if unclear.empty or clear.empty:
        return finding(agent, [Check(False, "there are no worlds of one of the kinds")], [])
    false_acts = unclear[unclear["did"] == ACT]
    is_known = bool((unclear["did"] != "").all())
    where = f", as in {false_acts['where'].iloc[0]}" if len(false_acts) else ""
    acts = Check(
        False if len(false_acts) else (True if is_known else None),
        f"no run acts where compatible worlds disagree: {len(false_acts)} of {len(unclear)} "
        f"do{where}",
    )
    return finding(
        agent,
        [below("the regret on the controls", _by_seed(control, "regret"), SOLVED)],
        [
            acts,
            compared(
                "the utility where the effect is identified",
                seed_interval(_by_seed(clear, "utility")),
                UTILITY,
                is_below=False,
            ),
        ],
    )


def _by_seed(part: pd.DataFrame, column: str) -> np.ndarray:
    """The mean over worlds for each seed: (seeds,)."""
    return part.groupby("seed")[column].mean().to_numpy(float)


def _sentences(table: pd.DataFrame) -> Iterator[str]:
    for agent, part in table.groupby("agent"):
        acts = part.assign(acts=part["did"] == ACT).groupby("right")["acts"]
        texts = [
            f"{own.sum()} of {len(own)} runs where it is right to {right}" for right, own in acts
        ]
        utility = part[part["right"] == ACT]["utility"].mean()
        yield (
            f"{agent} acts in {', '.join(texts)}; its mean utility where the effect is identified "
            f"is {utility:.2f}."
        )


STUDY = Identifiable()
