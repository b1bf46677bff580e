"""Compare the rows of `dosuite run` under conditions that must not change them, to the last bit.

The conditions are the hash seed, the number of workers and of threads, the order of the request,
more seeds, and a run that is resumed after half. Prints for each the rows that were compared and
those that differ, and then every public entry that changes a global generator of Python, NumPy or
torch; with `--references`, the reference values of every world, its variants and its shifts that
differ with one and with two threads. Exit status 1 if there are any.

    python tests/reliability/determinism.py --worlds IceCreamShorts-v0 --agents dqn naive
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from dosuite.agents import Agent, Exact, Practice, agent_classes, make_agent
from dosuite.causal import InputError, NotDiscreteError, TooLargeError, World
from dosuite.envs import CausalEnv, CausalVectorEnv, Data, collect, make_model, members
from dosuite.eval import score
from dosuite.eval.runs.reference_values import references
from dosuite.eval.runs.suite import ORDER, execute, grid

WORLDS = ("IceCreamShorts-v0", "ConfoundedRiver-v0", "AirlinePricing-v0")
FEW = {"updates": 6, "steps": 4, "iterations": 2, "starts": 2, "envs": 4, "rollout": 8}
SEEDS, MORE_SEEDS = 2, 5
ROWS = 240  # of a log, and steps of practice


@dataclass(frozen=True)
class Condition:
    """A way to ask for the same rows."""

    name: str
    hash_seed: int = 0
    workers: int = 1
    threads: int = 1
    is_reversed: bool = False
    seeds: int = SEEDS
    is_resumed: bool = False


ORDINARY = Condition("another process")
CONDITIONS = (
    ORDINARY,
    Condition("PYTHONHASHSEED 1", hash_seed=1),
    Condition("4 workers", workers=4),
    Condition("2 threads", threads=2),
    Condition("reversed order", is_reversed=True),
    Condition("5 seeds", seeds=MORE_SEEDS),
    Condition("resumed after half", is_resumed=True),
)


def few(name: str) -> str:
    """The text of an agent that learns in a moment."""
    settings = {field.name for field in fields(agent_classes()[name])}  # type: ignore[arg-type]
    chosen = [f"{key}={number}" for key, number in FEW.items() if key in settings]
    return ":".join(filter(None, (name, ",".join(chosen))))


def rows_of(worlds: list[str], agents: list[str], condition: Condition, folder: Path) -> Any:
    """The rows of a request, in this process."""
    texts = []
    for name in agents:
        only_mixed = agent_classes()[name].learns == ("mixed",)
        texts.append(few(name) + "@mixed" * only_mixed)
    runs = grid(worlds, texts, condition.seeds, ROWS, ROWS)
    if condition.is_reversed:
        runs = runs[::-1]
    if condition.is_resumed:
        execute(runs[: len(runs) // 2], folder, condition.workers, quiet=True)
    rows = execute(runs, folder, condition.workers, quiet=True)
    rows = rows[(rows["seed"] < SEEDS)]
    return rows.sort_values(ORDER, ignore_index=True, kind="stable")


def rows_apart(worlds: list[str], agents: list[str], condition: Condition, folder: Path) -> Any:
    """The same rows, from a process of their own under the condition."""
    request = ["--worlds", *worlds, "--agents", *agents]
    do_apart(condition.name, folder, condition.threads, condition.hash_seed, *request)
    return pd.read_pickle(folder / "rows.pickle")


def do_apart(one: str, folder: Path, threads: int, hash_seed: int = 0, *request: str) -> None:
    """Call this file for one condition, or the references, which write to the folder."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    changed = {**dict.fromkeys(names, str(threads)), "PYTHONHASHSEED": str(hash_seed)}
    command = [sys.executable, __file__, "--one", one, "--out", str(folder), *request]
    subprocess.run(command, env={**os.environ, **changed}, check=True)


def unequal(rows: pd.DataFrame, others: pd.DataFrame) -> list[str]:
    """Where two frames of rows differ in a bit: the agent, the world and the column."""
    if len(rows) != len(others):
        return [f"{len(rows)} rows and {len(others)}"]
    places = []
    for column in rows.columns:
        a, b = rows[column], others[column]
        differs = ~((a == b) | (a.isna() & b.isna())).to_numpy(dtype=bool)
        for row in np.flatnonzero(differs):
            run = rows.iloc[row]
            places.append(f"{run['agent']}@{run['regime']} in {run['environment']}: {column}")
    return list(dict.fromkeys(places))


def compare(worlds: list[str], agents: list[str]) -> Iterator[tuple[str, int, list[str]]]:
    """For each condition its name, the rows compared, and where they differ."""
    with tempfile.TemporaryDirectory() as name:
        ordinary = rows_of(worlds, agents, ORDINARY, Path(name) / "here")
        for number, condition in enumerate(CONDITIONS):
            rows = rows_apart(worlds, agents, condition, Path(name) / str(number))
            yield condition.name, len(rows), unequal(ordinary, rows)


# Reference values of every world.


def reference_values(folder: Path) -> None:
    """Write the reference values of every world, its variants and its shifts to a folder."""
    found: dict[str, float] = {}
    for world, _ in members():
        for variant in ("", "twin", "control"):
            with suppress(InputError):
                model = make_model(world, variant=variant)
                for shift in ("", *model.shifts()):
                    played = model.shifted(shift) if shift else model.deployed()
                    for name, value in references(model, played).items():
                        found[f"{world} {variant} {shift}: {name}"] = value
    pd.Series(found).to_pickle(folder / "references.pickle")


def references_that_differ() -> tuple[int, list[str]]:
    """The number of reference values, and those that differ with one and with two threads."""
    with tempfile.TemporaryDirectory() as name:
        found = []
        for threads in (1, 2):
            folder = Path(name) / str(threads)
            folder.mkdir()
            do_apart("references", folder, threads)
            found.append(pd.read_pickle(folder / "references.pickle"))
    one, two = found
    same = (one == two) | (one.isna() & two.isna())
    return len(one), list(one.index[~same])


# The global generators.


def state() -> tuple[Any, ...]:
    """The state of the global generators of Python, NumPy and torch."""
    of_numpy = repr(np.random.get_state(legacy=False))  # noqa: NPY002
    return random.getstate(), of_numpy, torch.get_rng_state().numpy().tobytes()


def entries(world: str, agents: list[str]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The public entries by name, each as a call."""
    model = make_model(world)
    yield "collect", partial(collect, model, 20, 0)
    yield "step", partial(_step, CausalEnv(model), 0)
    yield "step of a batch", partial(_step, CausalVectorEnv(model, 3), 0)
    if model.action_bounds is None:
        yield "score", partial(score, model, lambda observations: np.zeros(len(observations), int))
    for name in agents:
        agent = make_agent(few(name))
        for regime in agent.learns:
            yield f"{name}@{regime}", partial(_learn, agent, model, regime)


def _step(env: Any, seed: int) -> None:
    env.reset(seed=seed)
    env.action_space.seed(seed)
    env.step(env.action_space.sample())


def _learn(agent: Agent, model: World, regime: str) -> None:
    shown = model.with_intent() if regime == "counterfactual" else model
    log = collect(model, -(-ROWS // model.horizon), 0, "mixed" if regime == "mixed" else "observe")
    graph = model.graph.copy() if "graph" in agent.needs else None
    data = log.view(np.random.default_rng(0), "labels" in agent.needs, graph)
    sources: dict[str, Data | Exact | Practice] = {"exact": Exact(model)}
    sources["observe"] = sources["mixed"] = data
    practice = Practice(partial(_reset, shown), ROWS, model.discount, data)
    sources["intervene"] = sources["counterfactual"] = practice
    agent.learn(sources[regime], 0)


def _reset(model: World, count: int) -> CausalVectorEnv:
    env = CausalVectorEnv(model, count)
    env.reset(seed=0)
    return env


def touched(world: str, agents: list[str]) -> tuple[int, list[str]]:
    """The number of entries that ran, and those that changed a global generator."""
    ran, guilty = 0, []
    for name, call in entries(world, agents):
        before = state()
        try:
            call()
        except (InputError, NotDiscreteError, TooLargeError):
            pass  # it does not act in such a world
        else:
            ran += 1
        if state() != before:
            guilty.append(name)
    return ran, guilty


def main() -> int:
    """Compare, print, and return the exit status."""
    layout = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS))
    parser.add_argument("--agents", nargs="+", default=list(agent_classes()))
    parser.add_argument("--references", action="store_true", help="of every world; ten minutes")
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    learners = [name for name in options.agents if agent_classes()[name].learns != ("exact",)]
    if options.one == "references":
        reference_values(options.out)
        return 0
    if options.one:
        (condition,) = [one for one in CONDITIONS if one.name == options.one]
        rows = rows_of(options.worlds, learners, condition, options.out)
        rows.to_pickle(options.out / "rows.pickle")
        return 0
    failures = 0
    print(f"{'condition':22s}  rows  places that differ")
    for name, count, places in compare(options.worlds, learners):
        failures += len(places)
        print(f"{name:22s} {count:5d}  {len(places)} {'; '.join(places[:5])}", flush=True)
    for world in options.worlds:
        ran, guilty = touched(world, options.agents)
        failures += len(guilty)
        print(f"global generators in {world}: {ran} entries, changed by {guilty or 'none'}")
    if options.references:
        count, places = references_that_differ()
        failures += len(places)
        print(f"references with 1 and 2 threads: {count}, {len(places)} differ {places[:5]}")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
