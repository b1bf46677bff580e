"""Is what a learner does where its log says nothing an accident of its seed?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dosuite.agents import Policy
from dosuite.causal import Array, World, behaviour_policy
from dosuite.causal.exact import log_process
from dosuite.envs import make_model, shown_contexts, with_bank

from ..reports.panels import FONT, GREY, INK, WRONG, legend, mark, titled_panels
from ..runs.kept_policies import kept_policy
from ..runs.run import Run
from ..runs.scored_rows import where_of
from ..scores.path_dependence import (
    BIMODAL,
    functional_disagreement,
    jackknife,
    path_dependence,
    sarle,
)
from .study import Size, Study
from .verdicts import Check, Finding, below, compared, finding

SAME = 0.05  # disagreements that differ by less are equal
TRAINED = 0.1  # distance from what infinite data would teach, in distribution
EXEMPLARS = 30  # images of each context in which policies are compared
UNSEEN, SEEN = "unseen", "seen"  # whether the shifted contexts are in the log
# Each source with the settings that fix the others, and the seed of the log.
SOURCES: Mapping[str, tuple[str, int | None]] = {
    "initialisation": ("order=0", 0),
    "order": ("initial=0", 0),
    "sample": ("initial=0,order=0", None),
}
LEARNERS = {
    "dqn": "dqn:hidden=32,updates=600,batch=128",
    "iql": "iql:hidden=32,updates=600,batch=128",
    "bc": "bc:hidden=32,updates=600,batch=128",
}


class Shift(NamedTuple):
    """A world, and contexts there that differ from those of its log."""

    world: str
    name: str  # of a shift; "" is the deployment
    bank: str  # of the images there; "" are those of the log
    kind: str  # UNSEEN or SEEN


ICE = Shift("IceCreamShorts-v0:observation=digits", "", "test", UNSEEN)
BIAS = Shift("MBiasClinic-v0:observation=digits", "", "test", UNSEEN)
BIAS_SEEN = Shift("MBiasClinic-v0:observation=digits", "no_collider", "", SEEN)
PROXY = Shift("ProxyClinic-v0:observation=nuisance[strength=0.9]", "nuisance_flipped", "", SEEN)
COIN = Shift("CoinEnd-v0", "", "", UNSEEN)
GRIDS: Mapping[Size, tuple[tuple[Shift, ...], tuple[str, ...], int]] = {
    Size.SMALL: ((ICE,), ("dqn",), 12),
    Size.DEFAULT: ((BIAS, BIAS_SEEN, PROXY, COIN), ("dqn", "bc"), 100),
    Size.FULL: ((ICE, BIAS, BIAS_SEEN, PROXY, COIN), ("dqn", "iql", "bc"), 100),
}
ROWS = 2000
EVERY = tuple(dict.fromkeys(shift for shifts, _, _ in GRIDS.values() for shift in shifts))


@dataclass(frozen=True)
class Paths(Study):
    """Learners that differ in one source of their seed alone, on contexts of the log and others."""

    name: str = "paths"
    question: str = "Is what a learner does in contexts that its log lacks an accident of its seed?"
    hypothesis: str = (
        "Yes: with equal data, and equally good in the log, learners that differ in their initial "
        "network, the order of their minibatches or the sample of rows disagree more in contexts "
        "that the log lacks than in its own; where a shift shows the contexts of the log in other "
        "frequencies, they do not, however confounded it is."
    )
    criterion: str = (
        "In every shift, for each learner and each source of the seed: where contexts are unseen, "
        "the path dependence FD_shift / max(FD_log, .01) is above 1; where they are those of the "
        "log, FD_shift - FD_log is below .05. FD is the mean total variation distance between the "
        "policies of two seeds. By 95 % jackknife intervals over seeds. No verdict if in the log "
        "the mean distance of the policies from what infinite data teach (the confused policy, and "
        "for bc the behaviour policy) is not below .1. The spread and Sarle's coefficient of the "
        "values are shown, and not judged."
    )
    budget: Mapping[Size, str] = field(
        default_factory=lambda: {
            Size.SMALL: "1 shift, 1 learner, 12 seeds of each source; 1 minute",
            Size.DEFAULT: "4 shifts of 3 worlds, 2 learners, 100 seeds of each source",
            Size.FULL: "5 shifts of 4 worlds, 3 learners, 100 seeds of each source",
        }
    )
    looks: ClassVar[Mapping[str, str]] = {UNSEEN: WRONG, SEEN: INK}

    def runs(self, size: Size) -> list[Run]:
        """A learner varies one source, and all its seeds learn at once."""
        shifts, learners, seeds = GRIDS[size]
        return [
            Run(world, f"{LEARNERS[name]},{fixed}", "observe", ROWS, seed, log_seed=log_seed)
            for world in dict.fromkeys(shift.world for shift in shifts)
            for name in learners
            for fixed, log_seed in SOURCES.values()
            for seed in range(seeds)
        ]

    def table(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """A row for each shift, learner, source and seed.

        Columns: `where`, the world and its shift; `kind`, whether its contexts are UNSEEN or SEEN
        in the log; `learner`, `source`, `seed`; `value` in the shift; `distance` from what infinite
        data teach, in the log; `log` and `shift`, the disagreement of all seeds, and `log_without`
        and `shift_without`, that of all but this one.
        """
        lines: list[dict[str, Any]] = []
        for (_, agent), part in rows.groupby(["environment", "agent"]):
            learner, source = _named(str(agent))
            for shift in EVERY:
                there = part[[where_of(row) == shift.world for _, row in part.iterrows()]]
                there = there[there["world"] == shift.name].sort_values("seed")
                policies = [kept_policy(folder, key) for key in there["run"]]
                kept = [policy is not None for policy in policies]
                there, known = there[kept], [policy for policy in policies if policy is not None]
                if len(known) > 1:
                    head = {"where": _place(shift), "kind": shift.kind}
                    head |= {"learner": learner, "source": source}
                    lines += _lines(head, shift, learner, there, known)
        return pd.DataFrame(lines)

    def findings(self, table: pd.DataFrame) -> list[Finding]:
        """A verdict for each shift and learner."""
        return [
            _judged(f"{where}, {learner}", part)
            for (where, learner), part in table.groupby(["where", "learner"])
        ]

    def figure(self, table: pd.DataFrame) -> Figure:
        """A panel for each shift and learner: disagreement in the log, and in the shift."""
        cases = list(table.groupby(["where", "learner"]))
        figure, axes_of = titled_panels([f"{where}, {who}" for (where, who), _ in cases], 2.4)
        for axes, (_, part) in zip(axes_of, cases, strict=True):
            ends = part.groupby("source")[["log", "shift"]].first()
            places = np.arange(len(ends))
            axes.bar(places - 0.2, ends["log"], 0.4, color=GREY)
            axes.bar(places + 0.2, ends["shift"], 0.4, color=self.looks[part["kind"].iloc[0]])
            axes.set_xticks(places, list(ends.index), fontsize=FONT)
            axes.set_ylabel("disagreement of two seeds", fontsize=FONT)
        marks = [mark(f"{kind} contexts", color=c, marker="s") for kind, c in self.looks.items()]
        legend(figure, [mark("in the log", color=GREY, marker="s"), *marks], 3)
        return figure

    def paragraph(self, table: pd.DataFrame) -> str:
        """The disagreements, and the spread and bimodality of values, in each case."""
        return "\n".join(_sentences(table))


def shown(model: World, weights: Array) -> tuple[Array, Array]:
    """What contexts look like, (n, ...), and the frequency of each row, from those of contexts."""
    exemplars = shown_contexts(model)[:, :EXEMPLARS]
    count = exemplars.shape[1]
    return exemplars.reshape(-1, *exemplars.shape[2:]), np.repeat(weights / count, count)


def frequencies(model: World) -> Array:
    """How often each context occurs where the behaviour policy acts: (C,)."""
    return np.asarray(log_process(model).visits.sum(1))


def _lines(
    head: Mapping[str, Any],
    shift: Shift,
    learner: str,
    rows: pd.DataFrame,
    policies: list[Policy],
) -> Iterator[dict[str, Any]]:
    """The rows of the table of one case: `rows` are those of its runs in the shift."""
    model = make_model(shift.world)
    there = model.shifted(shift.name) if shift.name else model.deployed()
    there = with_bank(there, shift.bank) if shift.bank else there
    tables: list[Array] = []
    disagreements: dict[str, Array] = {}
    for name, world in (("log", model), ("shift", there)):
        observations, weights = shown(world, frequencies(world))
        tables.append(np.stack([policy.probabilities(observations) for policy in policies]))
        disagreements |= _disagreements(name, tables[-1], weights)
    observations, weights = shown(model, frequencies(model))
    taught = behaviour_policy(model) if learner == "bc" else model.confused_policy()
    expected = np.repeat(taught, len(observations) // len(taught), axis=0)
    distances = abs(tables[0] - expected).sum(2) @ weights / weights.sum() / 2
    column = "test_value" if shift.bank else "value"
    for place, (_, row) in enumerate(rows.iterrows()):
        own = {name: np.atleast_1d(part)[place] for name, part in disagreements.items()}
        line = {"seed": int(row["seed"]), "value": row[column], "distance": distances[place]}
        yield {**head, **line, **own}


def _disagreements(name: str, table: Array, weights: Array) -> dict[str, Array]:
    """The disagreement of all seeds, repeated, and without each: (seeds,) each."""
    seeds = len(table)
    whole = np.full(seeds, functional_disagreement(table, weights))
    without = [functional_disagreement(np.delete(table, i, 0), weights) for i in range(seeds)]
    return {name: whole, f"{name}_without": np.array(without)}


def _judged(case: str, part: pd.DataFrame) -> Finding:
    distance = part.groupby("seed")["distance"].mean().to_numpy(float)
    trained = below("the distance from what infinite data teach", distance, TRAINED)
    claims = [_claim(str(source), own) for source, own in part.groupby("source")]
    return finding(case, [trained], claims)


def _claim(source: str, own: pd.DataFrame) -> Check:
    log, shift = float(own["log"].iloc[0]), float(own["shift"].iloc[0])
    pairs = own[["shift_without", "log_without"]].to_numpy(float)
    if own["kind"].iloc[0] == UNSEEN:
        ratios = np.array([path_dependence(*pair) for pair in pairs])
        measured = jackknife(path_dependence(shift, log), ratios)
        return compared(f"the path dependence on the {source}", measured, 1.0, is_below=False)
    measured = jackknife(shift - log, pairs[:, 0] - pairs[:, 1])
    return compared(f"what the shift adds to that on the {source}", measured, SAME, is_below=True)


def _sentences(table: pd.DataFrame) -> Iterator[str]:
    for (where, learner), part in table.groupby(["where", "learner"]):
        texts = []
        for source, own in part.groupby("source"):
            values = own["value"].to_numpy(float)
            coefficient = sarle(values)
            peaks = "one value" if np.isnan(coefficient) else f"Sarle {coefficient:.2f}"
            peaks += ", bimodal" if coefficient > BIMODAL else ""
            texts.append(
                f"{own['log'].iloc[0]:.3f} in the log and {own['shift'].iloc[0]:.3f} in the shift "
                f"by {source} (values there: SD {values.std(ddof=1):.3f}, {peaks})"
            )
        yield f"In {where}, two seeds of {learner} disagree by {'; '.join(texts)}."


def _named(agent: str) -> tuple[str, str]:
    """The learner and the source that vary in the text of an agent."""
    for learner, text in LEARNERS.items():
        for source, (fixed, _) in SOURCES.items():
            if agent == f"{text},{fixed}":
                return learner, source
    return agent, ""


def _place(shift: Shift) -> str:
    what = ", ".join(filter(None, (shift.name, f"{shift.bank} images" if shift.bank else "")))
    return f"{shift.world} ({what or 'deployment'})"


STUDY = Paths()
