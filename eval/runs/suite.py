"""The grid of runs: in worker processes, each run once, with results that survive being killed."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dosuite.agents import make_agent
from dosuite.agents.networks.features import device_named
from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean
from dosuite.envs import make_model, members, world_classes
from dosuite.envs.plugins import names_file
from dosuite.envs.registry import world_class, world_id
from dosuite.envs.settings import parse, unparse

from .run import OFFLINE, Run, acts_there, rows_together

REFERENCE_AGENTS = ("confused", "causal", "uniform", "behaviour")
AGENTS = (
    "bc",
    "naive",
    "back-door",
    "dqn@observe",
    "dqn@intervene",
    "ppo@intervene",
    "ppo@counterfactual",
)
MAIN = ("IceCreamShorts", "SimpsonClinic", "GreedyCasino", "ConfoundedRiver")
SUITES = ("main", "families", "full")
ORDER = ["environment", "member", "variant", "regime", "agent", "budget", "seed", "world"]


def suite_environments(suite: str) -> list[str]:
    """The environments of a suite: "main", four that are quickly learned in; "families", one of
    each family; "full", all members.

    Raises InputError if there is no such suite.
    """
    if suite not in SUITES:
        raise InputError(f"{suite!r} is not a suite; {did_you_mean(suite, SUITES)}")
    if suite == "full":
        return [text for text, _ in members()]
    heads = {
        name: cls for name, cls in world_classes().items() if name.count("-") == 1
    }  # a family and its version
    firsts = [
        unparse(name, dict(next(iter(cls.members().values()), {}))) for name, cls in heads.items()
    ]
    return [text for text in firsts if suite == "families" or text.partition("-")[0] in MAIN]


def grid(
    environments: Sequence[str],
    agents: Sequence[str],
    seeds: int,
    offline_budget: int,
    online_budget: int,
    log: str = "",
    controls: bool = False,
    device: str = "",
) -> list[Run]:
    """Every agent on every environment, its twin and if asked for its control, with each seed; each
    reference policy once, and each policy that a user brings.

    An agent is written `agent@regime`; without a regime it learns in each that it can, but for
    mixed logs. It is left out where it cannot take the actions. A log that is given is learned from
    instead of one that is collected, and has no twin. Agents with a setting `device` learn on the
    `device`. Raises InputError if anything does not exist, or no agent is left."""
    if seeds < 1:
        raise InputError(f"a suite needs at least one seed, and got {seeds}")
    agents = [_on_device(text, device) for text in agents] if device else agents
    runs, acting = [], False
    for environment in map(_with_version, environments):
        model = make_model(environment)
        has_twin = model.twin() is not None and not log
        pairs = [
            pair
            for text in agents
            for pair in _agent_and_regimes(text, bool(log))
            if acts_there(pair[0], model)
        ]
        acting = acting or bool(pairs)
        for variant in ("", *["twin"] * has_twin, *["control"] * controls):
            runs += [
                run
                for run in (
                    Run(environment, name, "exact", 1, 0, variant) for name in REFERENCE_AGENTS
                )
                if run.has_answer()
            ]
            for agent, regime in pairs:
                budget = (
                    1
                    if regime == "given"
                    else offline_budget
                    if regime in OFFLINE
                    else online_budget
                )
                tries = 1 if regime == "given" else seeds
                runs += [
                    Run(environment, agent, regime, budget, seed, variant, log)
                    for seed in range(tries)
                ]
    if agents and not acting:
        raise InputError(
            f"none of {', '.join(agents)} takes such actions as those of {', '.join(environments)}"
        )
    return runs


def _with_version(environment: str) -> str:
    name, settings = parse(environment)
    return environment if names_file(name) else unparse(world_id(world_class(name)), settings)


def _on_device(text: str, device: str) -> str:
    agent, at, regime = text.rpartition("@") if "@" in text else (text, "", "")
    if not hasattr(make_agent(agent), "device"):
        return text
    device_named(device)
    name, settings = parse(agent)
    return unparse(name, {"device": device, **settings}) + at + regime


def _agent_and_regimes(text: str, offline: bool) -> list[tuple[str, str]]:
    agent, at, regime = text.rpartition("@")
    if at:
        return [(agent, regime)]
    regimes = [
        regime
        for regime in make_agent(text).learns
        if regime != "mixed" and (regime in OFFLINE or not offline)
    ]
    if not regimes:
        raise InputError(f"{text} does not learn from a log")
    return [(text, regime) for regime in regimes]


def execute(runs: Iterable[Run], folder: Path, workers: int, quiet: bool = False) -> pd.DataFrame:
    """Do the runs that have no result in `folder` yet, and return and write the rows of all as
    `results.parquet`.

    Each run has a file of its own under `folder/runs`, which is whole or not there. Runs that
    differ in nothing but their seeds are done together where their agent can learn so."""
    unique = {run.key: run for run in runs}
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    missing = [run for key, run in unique.items() if not _is_done(_path(folder, key))]
    groups = _together(missing)
    done = Parallel(n_jobs=min(workers, max(len(groups), 1)), return_as="generator_unordered")(
        delayed(_do)(group, folder) for group in groups
    )
    _watch(done, len(missing), quiet)
    rows = pd.concat([pd.read_parquet(_path(folder, key)) for key in unique], ignore_index=True)
    rows = rows.sort_values(ORDER, ignore_index=True, kind="stable")
    _write(rows, folder / "results.parquet")
    return rows


def _together(runs: Iterable[Run]) -> list[list[Run]]:
    groups: dict[Run, list[Run]] = {}
    for run in runs:
        groups.setdefault(replace(run, seed=0) if run.joined else run, []).append(run)
    return list(groups.values())


def _do(runs: Sequence[Run], folder: Path) -> int:
    """Do runs that differ in nothing but their seeds. Returns how many they are."""
    for run, rows in zip(runs, rows_together(runs), strict=True):
        _write(pd.DataFrame(rows), _path(folder, run.key))
    return len(runs)


def _is_done(path: Path) -> bool:
    """Whether a run has a result. One that failed, or whose file is damaged, has none."""
    try:
        return bool((pd.read_parquet(path, columns=["status"])["status"] == "ok").all())
    except (OSError, ValueError):
        return False


def _path(folder: Path, key: str) -> Path:
    return folder / "runs" / f"{key}.parquet"


def _write(rows: pd.DataFrame, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    rows.to_parquet(temporary, index=False)
    os.replace(temporary, path)


def _watch(done: Iterable[int], total: int, quiet: bool) -> None:
    columns = TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, disable=quiet or total == 0) as progress:
        bar = progress.add_task("", total=total)
        for runs in done:
            progress.advance(bar, runs)
