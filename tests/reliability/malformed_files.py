"""Damaged files: logs, latents, saved policies, models in zips, and rows of results."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from malformed_mutations import Case, Maker, Rng, mutated_bytes

from dosuite.agents import Policy, TabularPolicy, load_policy, make_agent, save_policy
from dosuite.agents.user_policy import as_policy
from dosuite.causal import InputError
from dosuite.envs import Log, all_observations, collect, load_latents, make_model
from dosuite.envs.logs.latents import latents_path
from dosuite.envs.trust import trusting
from dosuite.eval import execute, grid

WORLDS = ("IceCreamShorts-v0", "ConfoundedRiver-v0", "AirlinePricing-v0")


def logs(folder: Path) -> Maker:
    """Log files, damaged in their bytes, their columns or their description."""
    paths = _log_files(folder)
    originals = [Log.load(path) for path in paths]
    data = [path.read_bytes() for path in paths]
    bad = folder / "bad.arrow"

    def make(rng: Rng) -> Case:
        chosen, other = rng.integers(len(data), size=2)
        if rng.random() < 0.6:
            content = mutated_bytes(rng, data[chosen], data[other])
        else:
            content = _edited_arrow(rng, data[chosen])

        def run() -> str:
            bad.write_bytes(content)
            log = Log.load(bad)
            log.view(0)
            same = [original for original in originals if _equal_logs(log, original)]
            return "equal" if same else "a changed log is accepted"

        return Case(content, run, ".arrow")

    return make


def latents(folder: Path) -> Maker:
    """The files of the latents of a log."""
    paths = _log_files(folder)[:2]
    # copies, since the columns are mapped from files that are written over
    originals = [
        {name: column.copy() for name, column in load_latents(path).items()} for path in paths
    ]
    data = [latents_path(path).read_bytes() for path in paths]

    def make(rng: Rng) -> Case:
        chosen = int(rng.integers(2))
        if rng.random() < 0.7:
            content = mutated_bytes(rng, data[chosen], data[1 - chosen])
        else:
            content = _edited_arrow(rng, data[chosen])

        def run() -> str:
            latents_path(paths[chosen]).write_bytes(content)
            columns = load_latents(paths[chosen])
            is_same = _equal_columns(columns, originals[chosen])
            return "equal" if is_same else "changed latents are accepted"

        return Case(content, run, ".arrow")

    return make


def policies(folder: Path) -> Maker:
    """Policies that `save_policy` has written."""
    world = make_model("ConfoundedRiver-v0")
    observations = all_observations(world)
    table = np.random.default_rng(0).dirichlet(np.ones(2), len(observations))
    network = make_agent("bc:updates=3,hidden=4").learn(collect(world, 20, 0).view(0), 0)
    table_policy: Policy = TabularPolicy(table, observations)
    paths = [
        save_policy(policy, folder / f"{number}.pt")
        for number, policy in enumerate((table_policy, network))
    ]
    answers = [_answers(load_policy(path), observations) for path in paths]
    data = [path.read_bytes() for path in paths]
    bad = folder / "bad.pt"

    def make(rng: Rng) -> Case:
        chosen = int(rng.integers(2))
        if rng.random() < 0.7:
            content = mutated_bytes(rng, data[chosen], data[1 - chosen])
        else:
            content = _edited_policy(rng, data[chosen])

        def run() -> str:
            bad.write_bytes(content)
            is_same = _answers(load_policy(bad), observations) in answers
            return "equal" if is_same else "a changed policy is accepted"

        return Case(content, run, ".pt")

    return make


def zips(folder: Path) -> Maker:
    """Models of Stable-Baselines3, read as a user's policy."""
    from stable_baselines3 import DQN, PPO

    from dosuite.agents import Spaces
    from dosuite.envs import BatchedVecEnv, CausalVectorEnv, action_space, observation_space

    world = make_model("ConfoundedRiver-v0")
    observations = all_observations(world)
    spaces = Spaces(observation_space(world), action_space(world))
    env = BatchedVecEnv(CausalVectorEnv("ConfoundedRiver-v0", 2))
    small = {"net_arch": [4]}
    models = [
        PPO("MlpPolicy", env, n_steps=8, batch_size=8, policy_kwargs=small, seed=0),
        DQN("MlpPolicy", env, buffer_size=10, policy_kwargs=small, seed=0),
    ]
    data, answers = [], []
    for number, model in enumerate(models):
        path = folder / f"{number}.zip"
        model.save(path)
        data.append(path.read_bytes())
        with trusting():
            answers.append(_answers(as_policy(path, spaces), observations))
    bad = folder / "bad.zip"

    def make(rng: Rng) -> Case:
        chosen = int(rng.integers(2))
        if rng.random() < 0.7:
            content = mutated_bytes(rng, data[chosen], data[1 - chosen])
        else:
            content = _edited_zip(rng, data[chosen], data[1 - chosen])

        def run() -> str:
            bad.write_bytes(content)
            policy = as_policy(bad, spaces)
            is_same = _answers(policy, observations) in answers
            return "equal" if is_same else "a changed model is accepted"

        return Case(content, run, ".zip")

    return make


def run_rows(folder: Path) -> Maker:
    """The files `runs/*.parquet`, from which a run that was broken off goes on."""
    from dosuite.eval.runs.store import is_done

    paths = _results(folder)[1]
    originals = [pd.read_parquet(path) for path in paths]
    data = [path.read_bytes() for path in paths]

    def make(rng: Rng) -> Case:
        chosen, other = (int(number) for number in rng.integers(len(data), size=2))
        if rng.random() < 0.6:
            content = mutated_bytes(rng, data[chosen], data[other])
        else:
            content = _edited_parquet(rng, originals[chosen])

        def run() -> str:
            paths[chosen].write_bytes(content)
            if not is_done(paths[chosen]):
                raise InputError("it is done again")
            is_same = pd.read_parquet(paths[chosen]).equals(originals[chosen])
            return "equal" if is_same else "changed rows are accepted"

        return Case(content, run, ".parquet")

    return make


def results(folder: Path) -> Maker:
    """The file `results.parquet`, from which the report is made."""
    from rich.console import Console

    from dosuite.eval.cli.run import results_in as read
    from dosuite.eval.reports.report import print_tables
    from dosuite.eval.runs.scored_rows import UNSEALED

    path = _results(folder)[0]
    original, data = pd.read_parquet(path), path.read_bytes()
    other = _results(folder)[1][0].read_bytes()
    console = Console(file=io.StringIO())

    def make(rng: Rng) -> Case:
        if rng.random() < 0.4:
            content = mutated_bytes(rng, data, other)
        else:
            content = _edited_parquet(rng, original)

        def run() -> str:
            path.write_bytes(content)
            rows = read(path.parent)
            print_tables(rows, console)
            if rows.equals(original[rows.columns]):  # some columns are not reported
                return "equal"
            # a table without a seal may be one that the user has put together
            return "other" if UNSEALED in rows.attrs else "changed rows are reported"

        return Case(content, run, ".parquet")

    return make


def _log_files(folder: Path) -> list[Path]:
    paths = []
    for number, world in enumerate(WORLDS):
        log = collect(make_model(world), 25, number, "mixed", 0.4)
        paths.append(log.save(folder / f"{number}.arrow"))
    return paths


def _results(folder: Path) -> tuple[Path, list[Path]]:
    """The file of the results of a few runs, and the files of the runs."""
    if not (folder / "results.parquet").exists():
        runs = grid(["IceCreamShorts-v0"], ["naive", "back-door"], 2, 100, 100)
        execute(runs, folder, 1, quiet=True)
    return folder / "results.parquet", sorted((folder / "runs").glob("*.parquet"))


def _equal_logs(log: Log, other: Log) -> bool:
    is_same_task = log._task() == other._task() and dict(log.origin) == dict(other.origin)
    return is_same_task and _equal_columns(log.columns, other.columns)


def _equal_columns(columns: Any, others: Any) -> bool:
    return set(columns) == set(others) and all(
        columns[name].dtype == others[name].dtype
        and np.array_equal(columns[name], others[name], equal_nan=others[name].dtype.kind == "f")
        for name in columns
    )


def _answers(policy: Policy, observations: Any) -> tuple[str, str, bytes]:
    rounded = np.round(policy.probabilities(observations), 9)
    return type(policy).__name__, policy.note, rounded.tobytes()


def _edited_arrow(rng: Rng, data: bytes) -> bytes:
    """A log with other columns or another description, and the old hashes."""
    table = pa.ipc.open_file(pa.BufferReader(data)).read_all()
    about = json.loads(table.schema.metadata[b"dosuite"])
    name = table.column_names[int(rng.integers(table.num_columns))]
    place = table.column_names.index(name)
    choice = int(rng.integers(7))
    if choice == 0:
        table = table.drop_columns([name])
    elif choice == 1:
        names = [odd_text(rng) if other == name else other for other in table.column_names]
        table = table.rename_columns(names)
    elif choice == 2:
        table = table.slice(int(rng.integers(5)), int(rng.integers(30)))
    elif choice == 3:
        columns = [
            pa.array([odd_text(rng)] * len(table)),
            pa.array([None] * len(table), pa.float64()),
            pa.array([[1], [2, 3]] * len(table))[: len(table)],
            pa.array(rng.permutation(len(table))),
            pa.array(np.full(len(table), [np.nan, np.inf, -1e300][rng.integers(3)])),
        ]
        table = table.set_column(place, name, columns[int(rng.integers(len(columns)))])
    elif choice == 4:
        about = edited(rng, about)
    elif choice == 5:
        table = table.append_column(odd_text(rng), pa.array(np.arange(len(table))))
    else:
        text = json.dumps(about)[: int(rng.integers(40))]
        return _arrow_bytes(table.replace_schema_metadata({b"dosuite": text.encode()}))
    described = {b"dosuite": json.dumps(about).encode()}
    return _arrow_bytes(table.replace_schema_metadata(described))


def _arrow_bytes(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _edited_parquet(rng: Rng, rows: pd.DataFrame) -> bytes:
    """Rows of another schema."""
    rows = rows.copy()
    name = rows.columns[int(rng.integers(rows.shape[1]))]
    choice = int(rng.integers(6))
    if choice == 0:
        rows = rows.drop(columns=name)
    elif choice == 1:
        rows = rows.rename(columns={name: odd_text(rng)})
    elif choice == 2:
        rows = rows.iloc[:0]
    elif choice == 3:
        rows[name] = [str(value) + "?" for value in rows[name]]
    elif choice == 4:
        rows[name] = [[1, 2]] * len(rows)
    else:
        rows[name] = [b"\xff"] * len(rows)
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _edited_policy(rng: Rng, data: bytes) -> bytes:
    contents = torch.load(io.BytesIO(data), weights_only=True)
    buffer = io.BytesIO()
    torch.save(edited(rng, contents), buffer)
    return buffer.getvalue()


def _edited_zip(rng: Rng, data: bytes, other: bytes) -> bytes:
    """A zip with a member that is missing, of another model, or mutated, with right checksums."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(io.BytesIO(other)) as second:
        members = {name: archive.read(name) for name in archive.namelist()}
        name = list(members)[int(rng.integers(len(members)))]
        choice = int(rng.integers(3))
        if choice == 0:
            del members[name]
        elif choice == 1:
            members[name] = second.read(name) if name in second.namelist() else b""
        else:
            members[name] = members[name][: int(rng.integers(len(members[name]) + 1))]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        for name, content in members.items():
            written.writestr(name, content)
    return buffer.getvalue()


def odd_text(rng: Rng) -> str:
    """A name that nobody expects."""
    texts = ("", "reward ", "é", "\0", "x" * 300, "../x", "=1+1", "1")
    return texts[rng.integers(len(texts))]


def edited(rng: Rng, value: Any) -> Any:
    """A copy of nested data with one part replaced by one of another type or size."""
    if isinstance(value, dict) and value and rng.random() < 0.95:
        key = list(value)[int(rng.integers(len(value)))]
        if rng.random() < 0.15:
            return {name: part for name, part in value.items() if name != key}
        return {**value, key: edited(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.95:
        place = int(rng.integers(len(value)))
        return [*value[:place], edited(rng, value[place]), *value[place + 1 :]]
    if isinstance(value, torch.Tensor) and rng.random() < 0.7:
        return _edited_tensor(rng, value)
    numbers = (None, True, -1, 10**20, 0.5, 1e308)
    odd: tuple[Any, ...] = (*numbers, "", "x", [], {}, [1, "a"], {"class": "Mode"})
    return odd[rng.integers(len(odd))]


def _edited_tensor(rng: Rng, tensor: torch.Tensor) -> torch.Tensor:
    edits: list[Callable[[torch.Tensor], torch.Tensor]] = [
        lambda t: t[:-1] if t.ndim else t[None],
        lambda t: t.double() * float("nan"),
        lambda t: t + 1,
        lambda t: t.to(torch.complex64),
        lambda t: t[..., None],
        lambda t: t.half() * 1e9,
    ]
    return edits[rng.integers(len(edits))](tensor)
