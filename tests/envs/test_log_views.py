"""The laws of what a learner is handed of a log:

its own copy, in no order that tells, of nothing that it should not know.
"""

import gc
import types
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from places import THROWAWAY_FILE
from scipy.stats import binom

from dosuite.agents import make_agent
from dosuite.causal import Array, InputError, World
from dosuite.causal.model.mechanisms import Mechanism
from dosuite.envs import Data, Log, collect, load_latents, make_model
from dosuite.envs.logs.log import LABELS

SEED = 918_273_645
RELAY, GAUGE = (make_model(f"{THROWAWAY_FILE}:{name}") for name in ("Relay", "Gauge"))
ICE, CLINIC = make_model("IceCreamShorts-v0"), make_model("SimpsonClinic-v0")


def view(log: Log, seed: int = 0, labels: bool = False) -> Data:
    return log.view(np.random.default_rng(seed), labels)


def pieces(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Shuffle and hand out a log in pieces of so many rows."""
    monkeypatch.setattr("dosuite.envs.logs.shuffle.ROWS", rows)
    monkeypatch.setattr("dosuite.envs.logs.log.ROWS", rows)


def equal(columns: Mapping[str, Array], others: Mapping[str, Array]) -> bool:
    same = all(
        np.array_equal(column, others[name], equal_nan=True) for name, column in columns.items()
    )
    return same and columns.keys() == others.keys()


def together(*logs: Log, renumber: bool) -> Log:
    """One log after another, as somebody may put them together."""
    columns = {
        name: np.concatenate([log.columns[name] for log in logs]) for name in logs[0].columns
    }
    if renumber:
        columns["episode"] = np.cumsum(columns["step"] == 0) - 1
    return replace(logs[0], columns=columns, latents={})


# The order of the episodes.


def test_without_labels_the_labels_are_gone_and_the_episodes_shuffled() -> None:
    model = make_model("IceCreamShorts-Domains-v0")
    for log, name in (
        (collect(model, 300, SEED, "mixed"), "shorts"),
        (collect(RELAY, 300, SEED, "mixed"), "spark"),
    ):
        told = view(log, labels=True)
        untold = view(log)
        assert told.columns.keys() == log.columns.keys()
        assert all(np.array_equal(told[column], log.columns[column]) for column in log.columns)
        assert told.columns.keys() - untold.columns.keys() == set(LABELS) & log.columns.keys()
        assert not set(untold.logged) & set(LABELS)
        keys = [name, "observation", "action", "reward", "next_observation", "terminated", "step"]
        ours, theirs = [courses(data, keys) for data in (log.columns, untold.columns)]
        assert ours != theirs
        assert sorted(ours) == sorted(theirs)
        order = [view(log, seed)["reward"].tolist() for seed in (0, 0, 1)]
        assert order[0] == order[1] != order[2]


def courses(columns: Any, names: list[str]) -> list[str]:
    """The episodes as text, in the order in which they come."""
    starts = np.flatnonzero(columns["step"] == 0)[1:]
    return [
        repr([part.tolist() for part in parts])
        for parts in zip(*(np.split(columns[name], starts) for name in names), strict=True)
    ]


@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize("model", [ICE, RELAY, GAUGE], ids=lambda model: type(model).__name__)
def test_in_pieces_it_is_the_same_episodes_in_an_order_that_depends_on_the_generator_alone(
    model: World, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = collect(model, 300, SEED, "mixed")
    mapped, names = (
        Log.load(log.save(tmp_path / "log.arrow")),
        [name for name in log.columns if name not in (*LABELS, "episode")],
    )
    pieces(monkeypatch, rows)
    data = view(log)
    assert (
        sorted(courses(data.columns, names))
        == sorted(courses(log.columns, names))
        != courses(data.columns, names)
    )
    assert np.array_equal(data["episode"], np.cumsum(data["step"] == 0) - 1)
    for other in (view(mapped), view(mapped, labels=True)):
        assert all(
            column.dtype == log.columns[name].dtype for name, column in other.columns.items()
        )
    assert equal(view(mapped).columns, data.columns)
    assert equal(view(mapped, labels=True).columns, log.columns)
    assert [len(part) for part in data.chunks()][:-1] == [rows] * ((len(log) - 1) // rows)


@pytest.mark.parametrize("rows", [2, 3, 100])
def test_every_order_of_the_episodes_is_as_likely(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces(monkeypatch, rows)
    log = collect(ICE, 4, SEED)
    log = replace(log, columns={**log.columns, "reward": np.arange(4.0)})
    found = Counter(tuple(view(log, seed)["reward"]) for seed in range(2_400))
    assert len(found) == 24
    assert binom.cdf(min(found.values()), 2_400, 1 / 24) > 1e-5
    assert binom.sf(max(found.values()) - 1, 2_400, 1 / 24) > 1e-5


@pytest.mark.parametrize("renumber", [True, False])
@pytest.mark.parametrize("rows", [50, 10**6])
def test_the_order_tells_nothing_of_the_regime_of_logs_that_were_put_together(
    renumber: bool, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces(monkeypatch, rows)
    count = 2_000
    log = together(
        *(collect(ICE, count // 2, SEED, regime) for regime in ("observe", "intervene")),
        renumber=renumber,
    )
    log = replace(log, columns={**log.columns, "reward": np.arange(float(count))})
    for one in (log, Log.load(log.save(tmp_path / "log.arrow"))):
        regime = log.columns["regime"][view(one)["reward"].astype(int)]
        assert one.episodes == count
        assert abs(np.corrcoef(regime, np.arange(count))[0, 1]) < 4 / np.sqrt(count)
        assert abs(np.corrcoef(regime, np.arange(count) % 2)[0, 1]) < 4 / np.sqrt(count)
        assert abs(np.corrcoef(regime[1:], regime[:-1])[0, 1]) < 4 / np.sqrt(count)
    assert abs(np.corrcoef(log.columns["regime"], np.arange(count))[0, 1]) > 0.8


# Nothing leaks.


def reachable(root: object) -> Iterator[Any]:
    """Every object that can be reached from another, but through modules, types and the globals of
    functions.
    """
    seen: set[int] = set()
    stack = [root]
    while stack:
        thing = stack.pop()
        if id(thing) in seen or isinstance(thing, types.ModuleType | type):
            continue
        seen.add(id(thing))
        yield thing
        if isinstance(thing, types.FunctionType):
            stack += [thing.__closure__, thing.__defaults__, thing.__kwdefaults__]
        elif isinstance(thing, np.ndarray):
            stack += [thing.base, *(thing.ravel().tolist() if thing.dtype == object else ())]
        else:
            stack += gc.get_referents(thing)


def leaks(data: Data, log: Log, world: str, path: Path) -> list[str]:
    """What can be reached from what a learner is handed, and should not be."""
    secrets = (str(SEED), log.content_hash, world, str(path))
    found = []
    for thing in reachable(data):
        if isinstance(
            thing, World | Log | Mechanism | Path | pa.Array | pa.Buffer | pa.Table | memoryview
        ):
            found.append(type(thing).__name__)
        if isinstance(thing, str) and any(secret in thing for secret in secrets):
            found.append(thing)
        if isinstance(thing, int) and thing == SEED:
            found.append("the seed")
    return found


def handed_out(tmp_path: Path) -> Iterator[tuple[Data, Log, str, Path]]:
    """All ways in which a learner is handed a log."""
    for world, model in {"IceCreamShorts-v0": ICE, "Relay": RELAY, "Gauge": GAUGE}.items():
        log = collect(model, 50, SEED, "mixed", origin={"world": world})
        path = log.save(tmp_path / f"{world}.arrow")
        for one in (log, Log.load(path)):
            for labels in (False, True):
                yield (
                    one.view(np.random.default_rng(0), labels, model.graph.copy()),
                    one,
                    world,
                    path,
                )


def test_from_what_a_learner_is_handed_no_model_log_seed_or_name_can_be_reached(
    tmp_path: Path,
) -> None:
    for data, log, world, path in handed_out(tmp_path):
        assert leaks(data, log, world, path) == []
        assert not load_latents(path).keys() & data.columns.keys()


def test_a_planted_leak_is_reached(tmp_path: Path) -> None:
    data, log, world, path = next(handed_out(tmp_path))
    assert data.graph is not None
    plants: list[tuple[Any, str]] = [
        (ICE, "IceCreamShorts"),
        (log, "Log"),
        (SEED, "the seed"),
        (f"log of {world}", f"log of {world}"),
    ]
    plants.append((lambda: log, "Log"))  # in a closure
    for plant, name in plants:
        data.graph.nodes["heat"]["plant"] = plant
        assert name in leaks(data, log, world, path)


# It is the learner's own.


@pytest.mark.parametrize("labels", [False, True])
def test_what_a_learner_does_to_its_data_changes_no_log_no_file_and_no_other_learners_data(
    labels: bool, tmp_path: Path
) -> None:
    log = collect(RELAY, 50, SEED)
    path = log.save(tmp_path / "log.arrow")
    whole, before = path.read_bytes(), {name: column.copy() for name, column in log.columns.items()}
    for one in (log, Log.load(path)):
        mine, yours = view(one, labels=labels), view(one, labels=labels)
        untouched = {name: column.copy() for name, column in yours.columns.items()}
        for column in mine.columns.values():
            column[...] = 0
        assert equal(one.columns, before)
        assert equal(yours.columns, untouched)
    assert path.read_bytes() == whole


def test_the_copy_of_a_mapped_log_is_mapped_from_files_that_vanish(tmp_path: Path) -> None:
    data = view(Log.load(collect(RELAY, 50, SEED).save(tmp_path / "log.arrow")))
    assert not any(column.flags.owndata for column in data.columns.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.arrow", "log.latents.arrow"]


def test_a_copy_for_which_there_is_no_room_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log.load(collect(RELAY, 50, SEED).save(tmp_path / "log.arrow"))
    monkeypatch.setattr(
        "os.posix_fallocate",
        lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")),
        raising=False,
    )
    for labels in (False, True):
        with pytest.raises(
            InputError, match=r"log\.arrow cannot be copied for a learner: No space left on device"
        ):
            view(log, labels=labels)


# Learning from it.


@pytest.mark.parametrize(
    ("name", "model"),
    [(name, model) for name in ("bc:updates=20", "naive:updates=20") for model in (RELAY, GAUGE)]
    + [("back-door", CLINIC)],
)
def test_from_pieces_of_a_mapped_log_agents_learn_what_they_learn_in_memory(
    name: str, model: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = collect(model, 500, SEED)
    whole = log.view(np.random.default_rng(0), graph=model.graph)
    mapped = view(Log.load(log.save(tmp_path / "log.arrow")))
    pieces(monkeypatch, 11)
    policies = [
        make_agent(name).learn(data, np.random.default_rng(0))
        for data in (whole, replace(mapped, graph=model.graph))
    ]
    one, other = (policy.probabilities(whole["observation"]) for policy in policies)
    assert np.array_equal(one, other)
