"""Malformed inputs are refused in one line, or accepted as what they say."""

from pathlib import Path
from typing import Any

import malformed
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from malformed_texts import fault_of_graph, fault_of_settings

from dosuite.agents import make_agent
from dosuite.causal import ADMG, InputError, parse_graph
from dosuite.envs import make_model, parse, unparse, world_text
from dosuite.eval import score

few = settings(derandomize=True, max_examples=60, deadline=None, database=None)

NAMES = some.text('ab o8."\\->;,\n{}[]=#/é🙂\u2028\ud800', min_size=1, max_size=8)
# those that need no network and no run
KINDS = (
    *("logs", "latents", "graph texts", "agents", "worlds", "classes", "policies' outputs"),
    *("frames", "CSV files", "arguments", "command line"),
)
SIGNS = some.sampled_from(
    ["->", "<->", "<-", "--", ";", "\n", ",", '"', "{", "}", "[", "]", "=", "x", "y", " ", "latent"]
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_a_share_of_the_malformed_inputs(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(malformed, "SECONDS", 60)  # the machine of a test may be busy
    maker = malformed.KINDS[kind][0](tmp_path)
    for number in range(27):
        case = malformed.made(kind, maker, 1, number)
        name, fault = malformed.outcome(case)
        assert name not in malformed.FAULTS, f"{number}: {case.content[:300]!r} {fault}"


@few
@given(some.lists(some.tuples(NAMES, NAMES), max_size=5), some.lists(NAMES, max_size=3))
def test_a_printed_graph_is_read_as_the_same(edges: list[tuple[str, str]], more: list[str]) -> None:
    names = sorted({*more, *(name for edge in edges for name in edge)})
    place = {name: number for number, name in enumerate(names)}
    directed = frozenset(edge for edge in edges if place[edge[0]] < place[edge[1]])
    bidirected = frozenset((b, a) for a, b in edges if place[b] < place[a])
    graph = ADMG(tuple(names), directed, bidirected)
    assert parse_graph(str(graph)) == graph


@few
@given(some.lists(SIGNS, max_size=30).map("".join))
def test_any_text_is_no_graph_or_the_one_it_shows(text: str) -> None:
    try:
        graph = parse_graph(text)
    except InputError:
        return
    assert fault_of_graph(text, graph) == ""


@few
@given(some.sampled_from(["dqn", "iql", "naive", "ppo"]), NAMES, NAMES)
def test_settings_of_agents_are_theirs_or_refused(name: str, key: str, value: str) -> None:
    text = f"{name}:{key}={value}"
    try:
        agent = make_agent(text)
    except InputError:
        return
    assert fault_of_settings(text, agent, name) == ""


@few
@given(some.floats())
def test_a_knob_is_read_back_or_refused(value: float) -> None:
    try:
        model = make_model(f"IceCreamShorts-v0:confounding={value!r}")
    except InputError:
        return
    assert model.confounding == value  # type: ignore[attr-defined]
    assert make_model(world_text(model)) == model


@few
@given(some.dictionaries(some.from_regex(r"\A[a-z_]{1,6}\Z"), some.integers(), max_size=3))
def test_settings_are_parsed_as_they_are_written(pairs: dict[str, int]) -> None:
    texts = {key: str(value) for key, value in pairs.items()}
    assert parse(unparse("name", texts)) == ("name", texts)


@few
@given(some.lists(some.lists(some.floats(width=16), min_size=1, max_size=3), max_size=2))
def test_a_table_is_scored_only_if_it_is_a_policy(rows: list[list[float]]) -> None:
    is_policy = (
        len(rows) == 1 and len(rows[0]) == 2 and min(rows[0]) >= 0 and abs(sum(rows[0]) - 1) <= 1e-6
    )
    table: Any = np.array(rows) if len(rows) == 1 else rows
    if not is_policy:
        with pytest.raises(InputError):
            score("IceCreamShorts-v0", table)
