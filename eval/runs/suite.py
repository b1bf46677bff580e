"""The grid of runs, and its execution: in worker processes, each run once, resumable."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dosuite.agents import make_agent
from dosuite.agents.networks.features import device_named
from dosuite.causal import InputError
from dosuite.causal.counts import whole_number
from dosuite.causal.errors import did_you_mean
from dosuite.envs import make_model, members, world_classes
from dosuite.envs.files import clean, replacing
from dosuite.envs.plugins import names_file
from dosuite.envs.regimes import Budget, Regime
from dosuite.envs.registry import MAIN, counterpart, world_class, world_id
from dosuite.envs.settings import parse, unparse
from dosuite.envs.trust import is_trusting, trusting

from .bundles import Group
from .engines import check_engine, in_engine
from .failure import traceback_name, with_file
from .kept_policies import keep_policy
from .pairs import partners
from .reference_values import reference_agents
from .requests import Request, keep_record, records, shown_runs
from .run import OFFLINE, ONLINE, Run, acts_there, outcomes
from .shards import shard_of
from .store import ORDER as ORDER
from .store import (
    PACK,
    done_in,
    having_rows,
    is_done,
    load_packed,
    pack,
    path_of,
    rows_of,
    save_rows,
    version_of,
)
from .workers import in_workers

AGENTS = (
    "bc",
    "naive",
    "back-door",
    "dqn@observe",
    "dqn@intervene",
    "ppo@intervene",
    "ppo@counterfactual",
)
SUITES = ("main", "families", "full")

Pair = tuple[str, str]  # an agent and a regime


def suite_environments(suite: str) -> list[str]:
    """The environments of a suite: "main", four that are quickly learned in; "families", one of
    each family; "full", all members.

    Raises InputError if there is no such suite.
    """
    if suite not in SUITES:
        raise InputError(f"{suite!r} is not a suite; {did_you_mean(suite, SUITES)}")
    if suite == "full":
        return [text for text, _ in members()]
    environments = []
    for name, cls in world_classes().items():
        # a family has its own name and a version, "SimpsonClinic-v0", and its members a name more
        if name.count("-") == 1:
            first_member = next(iter(cls.members().values()), {})
            environments.append(unparse(name, dict(first_member)))
    if suite == "families":
        return environments
    return [text for text in environments if text.partition("-")[0] in MAIN]


def grid(
    environments: Sequence[str],
    agents: Sequence[str],
    seeds: int,
    offline_budget: int,
    online_budget: int,
    log: str = "",
    controls: bool = False,
    device: str = "",
    log_rows: int | None = None,
) -> list[Run]:
    """The runs of every agent on every environment, its twin and, with `controls`, its control, and
    of the agents that are told the graph on its hedge.

    Agents are run with each seed, reference policies and policies of a user once. An agent is
    written `agent@regime`; without a regime it learns in each that it can, except from mixed logs.
    It is left out where it cannot take the actions. A `log` is learned from in place of a collected
    one, and has no twin. With `log_rows`, agents that have a log before their practice have one of
    so many steps. Agents with a setting `device` learn on the `device`. Raises InputError if
    anything does not exist, or no agent is left.
    """
    whole_number("seeds", seeds, 1)
    if device:
        on_device = [_on_device(text, device) for text in agents]
        if on_device == list(agents):
            raise InputError(
                f"none of {', '.join(agents)} learns a network on a device; leave out "
                f"the device {device!r}"
            )
        agents = on_device
    budgets = {Budget.RECORDED: offline_budget, Budget.PRACTICE: online_budget, Budget.NONE: 1}
    runs: list[Run] = []
    any_acts = False
    for environment in map(_with_version, environments):
        pairs = _agents_there(environment, agents, bool(log))
        any_acts = any_acts or bool(pairs)
        for variant in _variants(environment, bool(log), controls):
            if variant == "hedge":
                told = [pair for pair in pairs if _is_told_the_graph(*pair)]
                runs += _agent_runs(environment, variant, told, seeds, budgets, log, log_rows)
                continue
            runs += _reference_runs(environment, variant)
            runs += _agent_runs(environment, variant, pairs, seeds, budgets, log, log_rows)
    if agents and not any_acts:
        raise InputError(
            f"none of {', '.join(agents)} takes such actions as those of {', '.join(environments)}"
        )
    return runs


def _agents_there(environment: str, agents: Sequence[str], from_log: bool) -> list[Pair]:
    """The agents that can act in an environment, with the regimes that they learn in."""
    model = make_model(environment)
    pairs = [pair for text in agents for pair in _agent_and_regimes(text, from_log)]
    return [(agent, regime) for agent, regime in pairs if acts_there(agent, model)]


def _variants(environment: str, from_log: bool, controls: bool) -> list[str]:
    variants = [""]
    if not from_log and counterpart(make_model(environment), "twin") is not None:
        variants.append("twin")
    if not from_log and counterpart(make_model(environment), "hedge") is not None:
        variants.append("hedge")
    if controls:
        variants.append("control")
    return variants


def _is_told_the_graph(agent: str, regime: str) -> bool:
    """Whether runs learn from the log and the graph alone, and are scored in the hedge too."""
    return partners(regime, make_agent(agent).needs) == ("hedge",)


def _reference_runs(environment: str, variant: str) -> Iterator[Run]:
    """One run of each reference policy that can be computed there."""
    for name in reference_agents():
        run = Run(environment, name, Regime.EXACT, 1, 0, variant)
        if run.has_answer():
            yield run


def _agent_runs(
    environment: str,
    variant: str,
    pairs: Iterable[Pair],
    seeds: int,
    budgets: dict[Budget, int],
    log: str,
    log_rows: int | None,
) -> Iterator[Run]:
    for agent, regime in pairs:
        budget = Regime(regime).budget
        has_log = regime in ONLINE and "log" in make_agent(agent).needs
        rows = log_rows if has_log else None
        for seed in range(1 if budget is Budget.NONE else seeds):
            yield Run(environment, agent, regime, budgets[budget], seed, variant, log, None, rows)


def _with_version(environment: str) -> str:
    name, settings = parse(environment)
    return environment if names_file(name) else unparse(world_id(world_class(name)), settings)


def _on_device(text: str, device: str) -> str:
    """The text of an agent with its setting `device`, where it has one that is not set."""
    agent, at, regime = text.rpartition("@") if "@" in text else (text, "", "")
    if not hasattr(make_agent(agent), "device"):
        return text
    device_named(device)
    name, settings = parse(agent)
    if settings.get("device", device) != device:
        raise InputError(f"{text} names another device than {device!r}; name one of them")
    return unparse(name, {"device": device, **settings}) + at + regime


def _agent_and_regimes(text: str, from_log: bool) -> list[Pair]:
    """The agent of `agent@regime` or `agent`, and the regimes that it is run in."""
    agent, at, named = text.rpartition("@")
    if at:
        return [(agent, named)]
    regimes = [regime for regime in make_agent(text).learns if regime != Regime.MIXED]
    if from_log:
        regimes = [regime for regime in regimes if regime in OFFLINE]
    if not regimes:
        raise InputError(f"{text} does not learn from a log")
    return [(text, regime) for regime in regimes]


def execute(
    runs: Iterable[Run],
    folder: Path,
    workers: int,
    quiet: bool = False,
    policies: bool = False,
    request: Request | None = None,
    engine: str = "",
) -> pd.DataFrame:
    """Do the runs that have no result in `folder` yet, and return the rows of all.

    The file `results.parquet` then has the rows of all runs in the folder, of this request and of
    earlier ones (see `shown_runs`). With `policies`, those that were learned are kept (see
    `kept_policies`). The `request` is recorded; if it names a shard, only its runs are done.

    A run that is done has its own file under `folder/runs`, complete or absent, or is in a pack of
    many (see `store`); one that failed has its traceback beside it. Runs that differ only in their
    seeds are done together where their agent can. A file that is damaged, or of another run, is
    said on stderr and done again. Runs whose worker process died have a row with status "failed".
    With an `engine` ("dask" or "ray"), its workers do the runs: those of a cluster, if the
    environment names one, else so many `workers` on this machine.
    """
    workers = whole_number("workers", workers, 1)
    if engine:
        check_engine(engine)
    request = request or Request()
    of_grid = {run.key: run for run in runs}
    keys = {run: key for key, run in of_grid.items()}
    unique = of_grid
    if request.shard:
        parts = shard_of(_together(of_grid.values()), request.shard)
        unique = {keys[run]: run for part in parts for run in part}
    if not unique:
        raise InputError("there are no runs to do")
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    for place in (folder, folder / "runs"):
        clean(place)
    keep_record(folder, request, of_grid, unique)
    done_before = done_in(folder, unique, load_packed(folder))
    missing = {key: run for key, run in unique.items() if key not in done_before}
    # A file that is no result stays until it is replaced: another process may be replacing it.
    before = {key: version_of(path_of(folder, key)) for key in missing}
    groups = [{keys[run]: run for run in group} for group in _together(missing.values())]
    do = partial(_do_trusting, trust=is_trusting(), policies=policies)
    if engine:
        done = in_engine(engine, do, groups, workers, folder)
    else:
        done = in_workers(partial(do, folder=folder), groups, workers, _needs_child)
    for key, run in _watch(_packing(done, folder), len(missing), quiet):
        if version_of(path_of(folder, key)) == before[key]:
            save_rows(pd.DataFrame(run.died().rows), path_of(folder, key))
    pack(folder)
    others = [key for key in shown_runs(records(folder)) if key not in unique]
    rows = rows_of(folder, [*unique, *having_rows(folder, others)])
    rows = rows.sort_values(ORDER, ignore_index=True, kind="stable")
    save_rows(rows, folder / "results.parquet")
    return rows[rows["run"].isin(unique.keys())].reset_index(drop=True)


def _packing(done: Iterable[tuple[Group, int]], folder: Path) -> Iterator[tuple[Group, int]]:
    """The groups as they are done; in between, their files are packed (see `store`)."""
    waiting = 0
    for group, number in done:
        yield group, number
        waiting += len(group)
        if waiting >= PACK:
            pack(folder)
            waiting = 0


def _together(runs: Iterable[Run]) -> list[list[Run]]:
    """The runs in groups of which each is done at once."""
    groups: dict[Run, list[Run]] = {}
    for run in runs:
        learner = run.learner
        groups.setdefault(replace(learner, seed=0) if run.joined else learner, []).append(run)
    return list(groups.values())


def _do_trusting(runs: Mapping[str, Run], folder: Path, trust: bool, policies: bool) -> int:
    """`_do` in a worker process, which trusts files as the main one does."""
    with trusting(trust):
        return _do(runs, folder, policies)


def _do(runs: Mapping[str, Run], folder: Path, policies: bool) -> int:
    """Do runs that learn together, and return their number.

    `runs` maps the keys that were asked for to the runs. Those that another process has done in the
    meantime are not repeated. Code that is edited while a run learns
    changes its key: such results are refused, since it is not known which code they come from.
    """
    left = {key: run for key, run in runs.items() if not is_done(path_of(folder, key), quiet=True)}
    for key, outcome in zip(left, outcomes([*left.values()]), strict=True):
        if runs[key].key != key:
            raise InputError(
                f"a file that {runs[key].agent} or {runs[key].environment} depends on changed "
                "during the run, or is another one on a worker's machine; run the command again"
            )
        rows = pd.DataFrame(outcome.rows)
        traceback = folder / traceback_name(key)
        if outcome.traceback:
            rows["note"] = [with_file(note, key) for note in rows["note"]]
            with replacing(traceback) as temporary:
                temporary.write_text(outcome.traceback, encoding="utf-8")
        else:
            traceback.unlink(missing_ok=True)  # of an earlier try
        if policies and outcome.policy is not None and runs[key].regime != Regime.EXACT:
            keep_policy(outcome.policy, folder, key)
        save_rows(rows, path_of(folder, key))
    return len(runs)


def _needs_child(group: Mapping[str, Run]) -> bool:
    """Whether runs call code of the user's, which may end the process."""
    return next(iter(group.values())).calls_user_code


def _watch(done: Iterable[tuple[Group, int]], total: int, quiet: bool) -> list[tuple[str, Run]]:
    """Wait for the groups of runs, and show how many runs are done.

    Returns the keys and the runs of the groups whose process died.
    """
    died: list[tuple[str, Run]] = []
    columns = TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, disable=quiet or total == 0) as progress:
        bar = progress.add_task("", total=total)
        for group, runs in done:
            progress.advance(bar, len(group))
            if not runs:
                died.extend(group.items())
    return died
