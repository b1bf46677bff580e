"""Tuning of agents on controls, where nothing is confounded.

Every agent with settings to tune has equally many trials, of which the first has its defaults. The
seeds are disjoint from those of reported results, and every trial is kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd

from dosuite.agents import make_agent
from dosuite.causal import InputError
from dosuite.envs.settings import parse, unparse

from ..reports.page import Section, Table
from ..runs.run import Run
from .sanity import control_regret, control_runs, with_memoryless_values

FIRST_SEED = 1_000_000  # of the trials; results have the seeds from 0 on, and far fewer
DRAWS = 100  # for each trial, of which many may be equal to others or be refused
MOVED = 0.5  # probability that a trial changes the default of a setting
FACTORS: dict[str, tuple[float, ...]] = {  # of the default
    "rate": (0.3, 1.0, 3.0),
    "hidden": (1.0, 2.0),
    "updates": (1.0, 2.0),
    "batch": (0.5, 1.0, 2.0),
    "sync": (1.0, 2.0, 4.0),
    "rollout": (1.0, 4.0),
    "alpha": (0.1, 0.3, 1.0, 3.0),
    "tau": (1.0, 2.0, 4.0),
    "temperature": (0.3, 1.0, 3.0),
    "directions": (1.0, 2.0),
    "spread": (0.3, 1.0, 3.0),
}
VALUES: dict[str, tuple[float, ...]] = {
    "decay": (0.0, 1e-3, 1e-2),
    "entropy": (0.0, 0.01, 0.1),
    "expectile": (0.7, 0.8, 0.9),
    "aim": (0.8, 0.9, 0.99),
}
MARGIN = 0.01  # by which a trial must be better than the defaults
RULE = (
    "Selected is the trial with the least normalised regret: the mean over controls, of which each "
    "is the mean over seeds and regimes. The regret of a run is clipped to 0 and 1, so that no "
    "control decides alone, and is 1 if the run failed. The defaults are kept unless a trial is "
    f"better by {MARGIN}."
)


def trial_settings(agent: str, trials: int) -> list[str]:
    """The texts of an agent with the settings of its trials, the defaults first.

    Each trial keeps the default of each setting with probability 1/2, and else takes the next of
    the other values in FACTORS or VALUES, which come in a random order again and again, so that few
    trials have them all. The generator is seeded by the agent's name. An agent with few such
    settings has fewer trials, and one with none has the defaults only. Raises InputError if the
    agent is written with settings.
    """
    name, given = parse(agent)
    if given:
        raise InputError(f"a tuning starts from the defaults; name {name} without settings")
    rng = np.random.default_rng(int(blake2b(name.encode(), digest_size=8).hexdigest(), 16))
    made = make_agent(name)
    defaults = {field.name: getattr(made, field.name) for field in fields(made)}  # type: ignore[arg-type]
    others = {key: _again_and_again(values, rng) for key, values in _others(defaults)}
    texts = [name]
    for _ in range(DRAWS * trials):
        if not others or len(texts) == trials:
            break
        moved = {key: next(values) for key, values in others.items() if rng.random() < MOVED}
        text = unparse(name, moved)
        if _is_allowed(text) and text not in texts:
            texts.append(text)
    return texts


def _others(defaults: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """For each setting that is tuned, its values but the default."""
    for key, default in defaults.items():
        if not isinstance(default, int | float):
            continue  # a setting of a user's agent that is another thing
        values: list[Any] = list(VALUES.get(key, ()))
        if default and key in FACTORS:  # 0 times a factor is no other value
            values = [_times(default, factor) for factor in FACTORS[key]]
        if others := [value for value in dict.fromkeys(values) if value != default]:
            yield key, others


def _again_and_again(values: Sequence[Any], rng: np.random.Generator) -> Iterator[Any]:
    while True:
        for place in rng.permutation(len(values)):
            yield values[place]


def _times(default: Any, factor: float) -> Any:
    if isinstance(default, int):
        return max(1, round(factor * default))
    return float(f"{factor * default:.3g}")


def _is_allowed(text: str) -> bool:
    try:
        make_agent(text)
    except InputError:
        return False
    return True


def tuning_runs(
    only: Sequence[str], agents: Sequence[str], trials: int, seeds: int, rows: int, steps: int
) -> list[Run]:
    """The runs of all trials on the controls of the families that have a text of `only` in them.

    Raises InputError if nothing is left to run.
    """
    texts = [text for agent in agents for text in trial_settings(agent, trials)]
    runs = control_runs(only, texts, seeds, rows, steps)
    return [
        run if run.regime == "exact" else replace(run, seed=FIRST_SEED + run.seed) for run in runs
    ]


def trial_scores(results: pd.DataFrame) -> pd.DataFrame:
    """A row for each run of each trial, from the results of the runs.

    Columns: `agent`, `regime`, `settings`, `environment`, `budget`, `seed`, `regret` (from 0 to 1,
    and 1 if the run failed), `status`, `note`, and `selected`, whether the trial is the one
    selected (see RULE).
    """
    deployed = with_memoryless_values(results[results["world"] == ""])
    failed = deployed["status"] != "ok"
    regret = control_regret(deployed).clip(0, 1).mask(failed, 1.0)
    agents = deployed["agent"].map(lambda text: parse(text)[0])
    settings = [text[len(name) + 1 :] for text, name in zip(deployed["agent"], agents, strict=True)]
    scored = deployed.assign(agent=agents, settings=settings, regret=regret)
    columns = ["agent", "regime", "settings", "environment", "budget", "seed", "regret"]
    scored = scored[[*columns, "status", "note"]]
    chosen = {agent: _selected(means) for agent, means in trial_means(scored).items()}
    return scored.assign(selected=scored["settings"] == scored["agent"].map(chosen))


def trial_means(scores: pd.DataFrame) -> "dict[str, pd.Series[float]]":
    """By agent, the mean over controls of the regret of each trial, by its settings."""
    by_control = scores.groupby(["agent", "settings", "environment"])["regret"].mean()
    means = by_control.groupby(["agent", "settings"]).mean()
    return {str(agent): part.droplevel(0) for agent, part in means.groupby(level=0)}


def _selected(means: "pd.Series[float]") -> str:
    """The settings of the selected trial; those of the defaults are an empty text."""
    return str(means.idxmin()) if means.min() < means[""] - MARGIN else ""


def budget_sentence(trials: pd.DataFrame) -> str:
    """What each trial was measured by, and what its settings are changes of."""
    budgets = trials.groupby("regime")["budget"].max()
    sizes = " or ".join(f"{budget:,} steps ({regime})" for regime, budget in budgets.items())
    seeds, controls = trials["seed"].nunique(), sorted(set(trials["environment"]))
    return (
        f"Each trial has {seeds} seed{'s' * (seeds > 1)} of {sizes} in each of these controls "
        f"that the agent can act in: {', '.join(controls)}. With so few seeds the NR of a "
        "selected trial is biased downwards; `dosuite sanity --kept` has other seeds. Settings are "
        "changes of the defaults before this tuning; those selected are the defaults now."
    )


def tuning_section(scores: pd.DataFrame, names: Mapping[str, str]) -> Section:
    """The trial selected for each agent, beside its defaults.

    `names` are those of the user's agents (see `own_names`).
    """
    records = []
    for agent, means in trial_means(scores).items():
        part = scores[scores["agent"] == agent]
        settings = part.loc[part["selected"], "settings"].iloc[0]
        records.append(
            {
                "agent": names.get(agent, agent),
                "trials": str(len(means)),
                "controls": str(part["environment"].nunique()),
                "learns": ", ".join(dict.fromkeys(part["regime"])),
                "selected": settings.replace(",", ", ") or "the defaults",
                "NR": f"{means[settings]:.3f}",
                "NR of the defaults": f"{means['']:.3f}",
            }
        )
    return Section("Tuning", [RULE], [Table("tuning", pd.DataFrame(records))])
