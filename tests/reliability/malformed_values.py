"""Malformed values: what policies return, tables, CSV files, arguments, and command lines."""

import csv
import io
import math
from collections.abc import Callable
from contextlib import chdir
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import patch

import networkx as nx
import numpy as np
import pandas as pd
from gymnasium.spaces import Box
from malformed_mutations import Case, Maker, Rng, mutated_text

from dosuite.causal import InputError, parse_graph
from dosuite.envs import Log, collect, make_model
from dosuite.eval import score

NUMBERS: tuple[Any, ...] = (
    *(0, 1, -1, 2, 10**9, 10**30, 2**63, 0.5, -0.0, 1e308, 5e-324, math.nan, math.inf, -math.inf),
    *(True, 1j, "1", "nan", "", b"1", None, Decimal("0.5"), Decimal("NaN"), Fraction(1, 2)),
    *(np.int8(1), np.uint64(2**64 - 1), np.float16(0.5), np.float32("nan"), np.datetime64("NaT")),
    *(np.ma.masked, pd.NA, pd.NaT, datetime(2020, 1, 1), object(), [], [1], {}, lambda: 1),
)
DTYPES = ("?", "i1", "u8", "i8", "f2", "f4", "f8", "c16", "O", "U3", "S3", "M8[s]", "m8[s]")
SHAPES = ((), (0,), (1,), (2,), (1, 2), (2, 1), (2, 2), (3, 2), (2, 3), (1, 1, 2), (0, 2), (200,))


def outputs(folder: Path) -> Maker:
    """What a table or a function of a user says that a policy does."""
    worlds = [make_model(text) for text in ("SimpsonClinic-v0", "IceCreamShorts-v0")]

    def make(rng: Rng) -> Case:
        world = worlds[rng.integers(len(worlds))]
        given = returned = odd_array(rng)
        choice = rng.random()
        if choice < 0.4:
            given = lambda observations: returned  # noqa: E731
        elif choice < 0.7:
            given, returned = _almost(rng)

        def run() -> str:
            rows = score(world, given)
            return fault_of_scores(world, given, rows) or "other"

        return Case(f"{world} {returned!r} {callable(given)}".encode(), run)

    return make


def fault_of_scores(world: Any, given: Any, rows: pd.DataFrame) -> str:
    """Why a policy must not be scored, or not so: it is no law, or no action for each row."""
    from dosuite.envs import all_observations, choices
    from dosuite.envs.spaces import action_space

    observations, actions = all_observations(world), choices(action_space(world))
    if not np.isfinite(rows["value"]).all():
        return "a value is not finite"
    if callable(given):
        table = np.zeros((len(observations), actions))
        for row in range(len(observations)):
            answer = given(observations[row : row + 1])
            if isinstance(answer, tuple) and len(answer) == 2 and answer[1] is None:
                answer = answer[0]  # as Stable-Baselines3's predict returns it
            if np.size(answer) != 1:
                return f"{answer!r} is not one action"
            number = np.ravel(np.asarray(answer))[0]
            if isinstance(number, str | bytes | complex) or float(number) not in range(actions):
                return f"{answer!r} is not an action"
            table[row, int(number)] = 1
    else:
        if np.asarray(given).dtype.kind in "cSUmM" or np.shape(given) != (
            len(observations),
            actions,
        ):
            return "it is no table of numbers of this shape"
        table = np.asarray(given).astype(float)
        if not ((table >= 0).all() and np.allclose(table.sum(axis=1), 1, atol=1e-5)):
            return "its rows are not distributions"
    clean = score(world, table)
    return "" if np.allclose(clean["value"], rows["value"], atol=1e-5) else "it has another value"


def _almost(rng: Rng) -> tuple[Any, str]:
    """A function that is nearly a policy, and its number."""
    dtype, shape = DTYPES[rng.integers(len(DTYPES))], int(rng.integers(4))
    number = NUMBERS[rng.integers(len(NUMBERS))]
    functions: list[Callable[..., Any]] = [
        lambda o: np.zeros(len(o)).astype(dtype),
        lambda o: [number] * len(o),
        lambda o: np.zeros((len(o), shape)),
        lambda o: np.zeros(len(o) + shape, int),
        lambda o: (np.zeros(len(o), int), None),
        lambda o: (np.zeros(len(o), int), "state"),
        lambda o: iter([0] * len(o)),
        lambda o: pd.Series([number] * len(o)),
        lambda o: np.ma.masked_all(len(o)),  # type: ignore[no-untyped-call]
        lambda o: dict.fromkeys(range(len(o)), 0),
        lambda o: o.fill(0) or [0] * len(o),
        lambda o: [[0], [0, 1]] * len(o),
        lambda o: 1 / 0,
        lambda o: exec("raise SystemExit"),
        lambda o, extra: [0] * len(o),
        lambda: [0],
    ]
    chosen = int(rng.integers(len(functions)))
    return functions[chosen], f"{chosen} {dtype} {shape} {number!r}"


def odd_array(rng: Rng) -> Any:
    """An array, a list or an object of any shape and type."""
    choice = int(rng.integers(6))
    if choice == 0:
        return NUMBERS[rng.integers(len(NUMBERS))]
    if choice == 1:
        return [NUMBERS[number] for number in rng.integers(len(NUMBERS), size=rng.integers(1, 4))]
    if choice == 2:
        return [[0.5, 0.5], [1.0]] if rng.random() < 0.5 else [[0.5, 0.5]] * int(rng.integers(4))
    shape = SHAPES[rng.integers(len(SHAPES))]
    values = rng.choice([0.0, 1.0, 0.5, -1.0, np.nan, np.inf, 1e300], size=shape)
    if choice == 3:
        values = np.full(shape, [0.5, 0.0, 1.0][rng.integers(3)])
    try:
        array: Any = values.astype(DTYPES[rng.integers(len(DTYPES))])
    except ValueError:
        array = values
    if rng.random() < 0.15 and array.ndim == 2:
        return pd.DataFrame(array)
    return array


def frames(folder: Path) -> Maker:
    """Tables in memory, as a log of one's own data."""

    def make(rng: Rng) -> Case:
        rows = 12
        columns: dict[Any, Any] = {
            "observation": np.arange(rows) % 3,
            "action": np.arange(rows) % 2,
            "reward": np.linspace(0, 1, rows),
            "episode": np.arange(rows) // 3,
            "step": np.arange(rows) % 3,
        }
        name = list(columns)[int(rng.integers(5))]
        choice = int(rng.integers(8))
        if choice == 0:
            del columns[name]
        elif choice == 1:
            columns[name] = columns[name].astype(DTYPES[rng.integers(len(DTYPES))])
        elif choice == 2:
            columns[name] = columns[name][: int(rng.integers(rows))]
        elif choice == 3:
            columns[name] = odd_array(rng)
        elif choice == 4:
            columns[NUMBERS[rng.integers(6)]] = columns.pop(name)
        else:
            cells = columns[name].astype(object)
            cells[rng.integers(rows)] = NUMBERS[rng.integers(len(NUMBERS))]
            columns[name] = cells
        if rng.random() < 0.3:
            columns.pop("step", None)

        def run() -> str:
            log = Log.of(as_frame(columns) if choice % 2 else columns)
            return fault_of_log(log, columns) or "other"

        return Case(repr(columns).encode(errors="backslashreplace"), run)

    return make


def as_frame(columns: dict[Any, Any]) -> Any:
    """A frame of the columns, if pandas makes one."""
    try:
        return pd.DataFrame(columns)
    except ValueError:
        return columns


def csv_files(folder: Path) -> Maker:
    """Logs in CSV files, with mutations of their text."""
    lines = [f"{i % 3},{i % 2},{i / 8},{i // 3},{i % 3}" for i in range(9)]
    text = "\n".join(["observation,action,reward,episode,step", *lines, ""])
    path = folder / "log.csv"

    def make(rng: Rng) -> Case:
        mutated = mutated_text(rng, text, text.replace(",", ";"))
        content = mutated.encode(errors="surrogatepass")
        if rng.random() < 0.2:
            content = content.decode("utf-8", "replace").encode("utf-16")

        def run() -> str:
            path.write_bytes(content)
            log = Log.of(path)
            table = list(csv.reader(io.StringIO(content.decode())))
            rows = [row for row in table[1:] if any(cell.strip() for cell in row)]
            if any(len(row) > len(table[0]) for row in rows):
                return "a row has more cells than there are names"
            columns = {
                name: [row[place] for row in rows if place < len(row)]
                for place, name in enumerate(table[0])
            }
            return fault_of_log(log, columns) or "other"

        return Case(content, run, ".csv")

    return make


def fault_of_log(log: Log, table: Any) -> str:
    """Why a log has not the numbers of the table it was made of."""
    for name in ("observation", "action", "reward", "episode", "step"):
        if name not in table:
            if name in ("observation", "action", "reward"):
                return f"there is no {name}"
            continue
        try:
            cells = [float(cell) for cell in np.atleast_1d(table[name])]
        except (TypeError, ValueError):
            return f"{name} is not all numbers"
        wanted = np.broadcast_to(cells, len(log))
        if name == "observation" and isinstance(log.observation_space, Box):
            wanted = wanted.astype(np.float32)
        if name == "episode":
            wanted = np.cumsum(np.append(0, wanted[1:] != wanted[:-1]))
        if not np.array_equal(np.asarray(log[name], float).reshape(len(log)), wanted):
            return f"{name} is {np.asarray(log[name]).tolist()}, and not {wanted.tolist()}"
    return ""


def calls(folder: Path) -> Maker:
    """Public functions with one or two odd arguments."""
    good = _good_calls(folder)

    def make(rng: Rng) -> Case:
        function, arguments = good[rng.integers(len(good))]
        arguments = dict(arguments)
        for name in rng.choice(list(arguments), size=1, replace=False):
            arguments[str(name)] = odd_argument(rng, arguments[str(name)])

        def run() -> str:
            result = function(**arguments)
            return fault_of_result(result) or "other"

        text = f"{getattr(function, '__name__', function)} {arguments!r}"
        return Case(text.encode(errors="backslashreplace"), run)

    return make


def fault_of_result(result: Any) -> str:
    """Whether a number or an array is not finite."""
    if isinstance(result, float | np.ndarray) and np.asarray(result).dtype.kind == "f":
        return "" if np.isfinite(result).all() else f"the answer is {result}"
    return ""


def odd_argument(rng: Rng, usual: Any) -> Any:
    """An argument of the usual one's type that cannot be meant, or one of another type."""
    pool: list[Any] = [*NUMBERS, odd_array(rng), "x" * 1000, "\0", "\ud800", ("x", "y"), set(), int]
    if isinstance(usual, str) and rng.random() < 0.5:
        return mutated_text(rng, usual, "z")
    if isinstance(usual, np.ndarray) and rng.random() < 0.5:
        return odd_array(rng)
    if isinstance(usual, dict) and usual and rng.random() < 0.7:
        key = next(iter(usual))
        return {key: pool[rng.integers(len(pool))]}
    return pool[rng.integers(len(pool))]


def _good_calls(folder: Path) -> list[tuple[Callable[..., Any], dict[str, Any]]]:
    """Calls of public functions that succeed."""
    from dosuite.causal import exact, graphs, identification, partial_identification
    from dosuite.envs import CausalEnv, CausalVectorEnv, registry

    world = make_model("IceCreamShorts-v0")
    graph = parse_graph("z -> x, y; x -> y; w -> x")
    table = np.full((2, 2), 0.25)
    data = {name: np.arange(200) // 2**bit % 2 for bit, name in enumerate("xyzw")}
    dag: nx.DiGraph[str] = nx.DiGraph([("x", "y"), ("z", "x")])
    policy = np.array([[0.5, 0.5]])
    log = collect(world, 5, 0)
    return [
        (parse_graph, {"text": "x -> y"}),
        (identification.identify, {"graph": graph, "y": "y", "x": "x", "z": ()}),
        (graphs.is_adjustment_set, {"graph": graph, "x": "x", "y": "y", "z": "z"}),
        (lambda **a: list(graphs.adjustment_sets(**a)), {"graph": graph, "x": "x", "y": "y"}),
        (graphs.latent_projection, {"graph": dag, "hidden": "z"}),
        (identification.instruments, {"graph": graph, "action": "x", "outcome": "y"}),
        (exact.value, {"model": world, "policy": policy}),
        (exact.values, {"worlds": [world], "policy": policy}),
        (exact.expectation, {"model": world, "name": "pay", "given": {"shorts": 1}, "step": 0}),
        (
            exact.effect,
            {"model": world, "outcome": "pay", "treatment": "ice_cream", "step": 0},
        ),
        (exact.behaviour_policy, {"model": world}),
        (exact.counterfactual_mean, {"model": world, "world": world, "name": "pay"}),
        (exact.effect_on_treated, {"model": world, "treated": 1, "control": 0}),
        (world.do, {"ice_cream": 1}),
        (world.sample, {"n": 5, "rng": 0}),
        (partial_identification.manski, {"table": table}),
        (partial_identification.necessity, {"observed": table, "experimental": table * 2}),
        (identification.proximal_means, {"joint": np.full((2, 2, 2, 2), 1 / 16)}),
        (
            identification.ipw,
            {
                "data": data,
                "treatment": "x",
                "outcome": "y",
                "given": ["z"],
                "rng": 0,
                "resamples": 3,
            },
        ),
        (identification.empirical, {"data": data, "names": ["x", "y"]}),
        (
            identification.two_stage_least_squares,
            {
                "data": data,
                "treatments": "x",
                "outcome": "y",
                "instruments": "w",
                "rng": 0,
                "resamples": 3,
            },
        ),
        (make_model, {"world": "IceCreamShorts-v0", "variant": "", "shift": ""}),
        (registry.world_class, {"name": "IceCreamShorts-v0"}),
        (collect, {"model": world, "episodes": 3, "seed": 0, "regime": "observe"}),
        (log.view, {"rng": 0}),
        (rollouts_of, {"episodes": 3, "seed": 0}),
        (CausalEnv, {"world": "IceCreamShorts-v0", "confounding": 0.5}),
        (CausalVectorEnv, {"world": "IceCreamShorts-v0", "num_envs": 2}),
        (lambda seed: CausalEnv(world).reset(seed=seed), {"seed": 0}),
        (stepped, {"action": 0}),
        (score, {"world": "IceCreamShorts-v0", "policy": policy}),
        (Log.of, {"table": _table(), "observation": ()}),
        (world.do, {"heat": 1}),
    ]


def rollouts_of(episodes: Any, seed: Any) -> Any:
    """The value by rollouts of a policy that always takes the action 0."""
    from dosuite.envs import CausalEnv, estimated_value

    env = CausalEnv("IceCreamShorts-v0")
    return estimated_value(env, lambda observations: np.zeros(1, int), episodes, seed)


def stepped(action: Any) -> Any:
    """The reward of one step with an action."""
    from dosuite.envs import CausalEnv

    env = CausalEnv("IceCreamShorts-v0")
    env.reset(seed=0)
    return env.step(action)[1]


def _table() -> dict[str, Any]:
    return {"action": np.array([0, 1]), "reward": np.array([0.0, 1.0])}


def commands(folder: Path) -> Maker:
    """Command lines, called in this process; what they accept is neither run nor drawn."""
    from typer.testing import CliRunner

    from dosuite.eval.cli.main import app

    log = str(collect(make_model("IceCreamShorts-v0"), 10, 0).save(folder / "log.arrow"))
    texts = (
        "show IceCreamShorts-v0",
        "show ConfoundedRiver-v0:horizon=2 --variant twin",
        "data IceCreamShorts-v0 --episodes 3 --out OUT.arrow",
        "data IceCreamShorts-v0 --seed 1 --regime mixed --share 0.5 --out OUT.arrow",
        f"run IceCreamShorts-v0 --agent naive --out OUT --log {log}",
        "run --agent bc:updates=3@observe --suite main --seeds 1 --out OUT",
        "run NapkinStudy-v0 --offline-budget 10 --online-budget 9 --workers 1 --out OUT",
        "report --out OUT",
        "list",
        "sanity --world IceCreamShorts-v0",
    )
    lines = [text.replace("OUT", str(folder / "out")).split() for text in texts]
    runner = CliRunner()
    nothing = pd.DataFrame({"status": ["ok"]})

    def make(rng: Rng) -> Case:
        words = list(lines[rng.integers(len(lines))])
        for _ in range(int(rng.integers(1, 3))):
            place = int(rng.integers(len(words)))
            if words[place] != "--out" and not words[place].startswith(str(folder)):
                words[place] = mutated_text(rng, words[place], "nan").replace("/", "")
        if rng.random() < 0.1:
            words[-1] = str(folder / odd_name(rng))

        def run() -> str:
            with (
                chdir(folder),
                patch("dosuite.eval.runs.suite.execute", return_value=nothing),
                patch("dosuite.eval.reports.report.print_tables"),
                patch("dosuite.eval.reports.report.write_report"),
            ):
                result = runner.invoke(app, words)
            if result.exit_code == 0:
                return "other"
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            message = result.stderr.strip().splitlines()
            is_usage = message[:1] and message[0].startswith("Usage:")
            if result.exit_code == 2 and (len(message) == 1 or is_usage):
                raise InputError("refused")
            return f"exit code {result.exit_code}: {result.stderr}"

        return Case(repr(words).encode(), run)

    return make


def odd_name(rng: Rng) -> str:
    """The name of a file or folder that is missing, of another kind, or cannot be."""
    names = (*("", "missing.arrow", "log.arrow", "log.arrow/x"), "x" * 300, "a\0b", "\ud800")
    return names[rng.integers(len(names))]
