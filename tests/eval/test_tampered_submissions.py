"""What is changed in a submission is found and named, and an honest one is accepted."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from submitted import CLINIC, ICE, Parts, parts_of, small_submission

from dosuite.agents import Policy, TabularPolicy, save_policy
from dosuite.envs import all_observations, make_model
from dosuite.eval.runs.scored_rows import empty_row
from dosuite.eval.submissions.check import NOT_RESCORED, OK, WRONG
from dosuite.eval.submissions.rescoring import rescored
from dosuite.eval.submissions.submission import run_of


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    folder = tmp_path_factory.mktemp("results")
    return parts_of(small_submission(folder), tmp_path_factory.mktemp("parts"))


def saved(policy: Policy, folder: Path) -> bytes:
    return save_policy(policy, folder / "policy.pt").read_bytes()


def test_an_honest_submission_is_accepted(honest: Parts, tmp_path: Path) -> None:
    verdicts = honest.checked(tmp_path)
    assert {verdict.status for verdict in verdicts} == {OK}
    assert {verdict.key for verdict in verdicts} == {"", *honest.manifest.runs}


def a_changed_value(parts: Parts) -> Parts:
    key = parts.key("naive")
    row = next(row for row in parts.rows.to_dict("records") if row["run"] == key)
    return parts.with_cell(key, "value", row["value"] + 1e-6)


def a_changed_reference(parts: Parts) -> Parts:
    return parts.with_cell(parts.key("naive"), "j_best", 0.25)


def a_changed_value_of_a_reference_policy(parts: Parts) -> Parts:
    return parts.with_cell(parts.key("causal"), "value", 0.99)


def a_changed_belief(parts: Parts) -> Parts:
    return parts.with_cell(parts.key("naive"), "believed", 0.25)


def a_policy_swapped_in_the_file_alone(parts: Parts) -> Parts:
    other = parts.policies[parts.key("bc")]
    return replace(parts, policies={**parts.policies, parts.key("naive"): other})


def a_policy_swapped_with_its_hash(parts: Parts) -> Parts:
    one, other = parts.key("naive", 0, "", CLINIC), parts.key("bc", 0, "", CLINIC)
    policies = parts.policies
    return parts.with_policy(one, policies[other]).with_policy(other, policies[one])


def a_policy_of_another_world(parts: Parts) -> Parts:
    other = parts.policies[parts.key("naive")]
    return parts.with_policy(parts.key("naive", 0, "", CLINIC), other)


def a_seed_left_out(parts: Parts) -> Parts:
    key = parts.key("naive", 1)
    runs = {each: entry for each, entry in parts.manifest.runs.items() if each != key}
    manifest = replace(parts.manifest, runs=runs)
    policies = {each: content for each, content in parts.policies.items() if each != key}
    return Parts(manifest, parts.rows[parts.rows["run"] != key], policies)


def rows_of_a_run_left_out(parts: Parts) -> Parts:
    return replace(parts, rows=parts.rows[parts.rows["run"] != parts.key("naive", 1)])


def an_agent_left_out_of_a_world(parts: Parts) -> Parts:
    for seed in (0, 1):
        for variant in ("", "twin"):
            key = parts.key("bc", seed, variant)
            runs = {each: entry for each, entry in parts.manifest.runs.items() if each != key}
            manifest = replace(parts.manifest, runs=runs)
            parts = Parts(manifest, parts.rows[parts.rows["run"] != key], parts.policies)
    return parts


def a_hedge_left_out(parts: Parts) -> Parts:
    for seed in (0, 1):
        key = parts.key("back-door", seed, "hedge")
        runs = {each: entry for each, entry in parts.manifest.runs.items() if each != key}
        manifest = replace(parts.manifest, runs=runs)
        parts = Parts(manifest, parts.rows[parts.rows["run"] != key], parts.policies)
    return parts


def a_reference_left_out(parts: Parts) -> Parts:
    key = parts.key("causal")
    runs = {each: entry for each, entry in parts.manifest.runs.items() if each != key}
    manifest = replace(parts.manifest, runs=runs)
    return Parts(manifest, parts.rows[parts.rows["run"] != key], parts.policies)


def a_shift_left_out(parts: Parts) -> Parts:
    rows = parts.rows
    last = rows.index[rows["run"] == parts.key("naive")][-1]
    return replace(parts, rows=rows.drop(index=last))


def a_seed_twice(parts: Parts) -> Parts:
    """Seed 0 in the place of seed 1, under the key of seed 1."""
    zero, one = parts.key("naive"), parts.key("naive", 1)
    rows = parts.rows[parts.rows["run"] != one]
    copied = rows[rows["run"] == zero].assign(run=one)
    entry = parts.manifest.runs[zero]
    changed = replace(parts, rows=pd.concat([rows, copied], ignore_index=True))
    return changed.with_entry(one, lambda _: entry).with_policy(one, parts.policies[zero])


def rows_twice(parts: Parts) -> Parts:
    rows = parts.rows
    copied = rows[rows["run"] == parts.key("naive")]
    return replace(parts, rows=pd.concat([rows, copied], ignore_index=True))


def mixed_versions(parts: Parts) -> Parts:
    key = parts.key("naive")
    return parts.renamed(key, run_of(parts.manifest.runs[key]).key_under(b"older code"))


def another_hash_of_a_log(parts: Parts) -> Parts:
    return parts.with_entry(parts.key("naive"), lambda entry: replace(entry, log="0" * 32))


def a_changed_seed(parts: Parts) -> Parts:
    key = parts.key("naive", 1)
    rows = parts.rows.copy()
    rows.loc[rows["run"] == key, "seed"] = 7
    return replace(parts, rows=rows).with_entry(key, lambda entry: replace(entry, seed=7))


def a_changed_seed_in_the_rows_alone(parts: Parts) -> Parts:
    return parts.with_cell(parts.key("naive", 1), "seed", 7)


def a_hidden_graph(parts: Parts) -> Parts:
    key = parts.key("back-door")
    rows = parts.rows.copy()
    rows.loc[rows["run"] == key, "needs"] = ""
    return replace(parts, rows=rows).with_entry(key, lambda entry: replace(entry, needs=""))


def an_unknown_environment(parts: Parts) -> Parts:
    key = parts.key("naive")
    rows = parts.rows.copy()
    rows.loc[rows["run"] == key, "environment"] = "Nowhere-v0"
    changed = replace(parts, rows=rows)
    return changed.with_entry(key, lambda entry: replace(entry, environment="Nowhere-v0"))


def another_version(parts: Parts) -> Parts:
    versions = {**parts.manifest.versions, "dosuite": "9.9"}
    return replace(parts, manifest=replace(parts.manifest, versions=versions))


def another_hash_of_the_worlds(parts: Parts) -> Parts:
    return replace(parts, manifest=replace(parts.manifest, worlds="00"))


def a_run_that_is_not_named(parts: Parts) -> Parts:
    return replace(parts, manifest=replace(parts.manifest, runs={}))


TAMPERED: dict[Callable[[Parts], Parts], str] = {
    a_changed_value: "value is",
    a_changed_reference: "j_best is 0.25",
    a_changed_value_of_a_reference_policy: "value is 0.99",
    a_changed_belief: "believed is 0.25",
    a_policy_swapped_in_the_file_alone: "its policy is not the file that the manifest names",
    a_policy_swapped_with_its_hash: "value is",
    a_policy_of_another_world: "value is",
    a_seed_left_out: "IceCreamShorts-v0 naive@observe: seed 1 is missing",
    rows_of_a_run_left_out: "its rows are missing",
    an_agent_left_out_of_a_world: "IceCreamShorts-v0 twin: bc@observe is missing",
    a_hedge_left_out: "hedge: back-door@observe is missing",
    a_reference_left_out: "the reference causal is missing",
    a_shift_left_out: "is missing",
    a_seed_twice: "seed 0 is there twice",
    rows_twice: "a shift is there twice",
    mixed_versions: "runs are of other code or versions",
    another_hash_of_a_log: "the hash of its log",
    a_changed_seed: "seed 7 is not one of 0 to 1",
    a_changed_seed_in_the_rows_alone: "its seed is 7 in the rows and 1 in the manifest",
    a_hidden_graph: "it is listed as told nothing, and back-door is told graph",
    an_unknown_environment: "there is no environment 'Nowhere-v0'",
    another_version: "runs are of other code or versions than it names",
    another_hash_of_the_worlds: "its hash of the worlds' code",
    a_run_that_is_not_named: "the manifest does not name it",
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
def test_what_is_changed_is_named(
    honest: Parts, tamper: Callable[[Parts], Parts], tmp_path: Path
) -> None:
    wrong = [verdict for verdict in tamper(honest).checked(tmp_path) if verdict.status == WRONG]
    assert wrong
    assert any(TAMPERED[tamper] in str(verdict) for verdict in wrong), wrong


def with_runs(
    parts: Parts,
    policies: dict[str, Policy],
    agent: str,
    folder: Path,
    needs: str = "",
) -> Parts:
    """The parts with runs of an agent of the author's, one policy for each variant of ICE.

    In the other world there are rows that failed.
    """
    peer = "back-door" if needs else "naive"  # learns from the same logs
    for entry, log in [(entry, entry.log) for entry in parts.manifest.runs.values()]:
        if entry.agent != peer:
            continue
        key = f"{len(parts.manifest.runs):020x}"
        mine = replace(entry, agent=agent, needs=needs, log="", policy="")
        environment, _, member = entry.environment.partition(":")
        head = {**vars(mine), "environment": environment, "member": member, "run": key}
        head |= {"agent_name": "", "log_rows": 0}  # it has no log before a practice
        rows = [empty_row() | {"status": "failed", "note": "no policy"}]
        is_kept = entry.environment == ICE and entry.variant in policies
        if is_kept:
            rows = rescored(mine, policies[entry.variant])
        table = pd.DataFrame([head | row for row in rows])[list(parts.rows.columns)]
        runs = {**parts.manifest.runs, key: replace(mine, log=log)}
        parts = replace(
            parts,
            rows=pd.concat([parts.rows, table], ignore_index=True),
            manifest=replace(parts.manifest, runs=runs),
        )
        if is_kept:
            parts = parts.with_policy(key, saved(policies[entry.variant], folder))
    return parts


@pytest.mark.parametrize(("partner", "needs"), [("twin", ""), ("hedge", "graph")])
def test_a_run_that_knew_in_which_world_it_was_is_above_the_floor(
    honest: Parts, tmp_path: Path, partner: str, needs: str
) -> None:
    policies: dict[str, Policy] = {}
    for variant in ("", partner):
        model = make_model(ICE, variant=variant)
        policies[variant] = TabularPolicy(model.causal_policy(), all_observations(model))
    cheating = with_runs(honest, policies, "cheat.py:Cheat", tmp_path, needs)
    wrong = [verdict for verdict in cheating.checked(tmp_path) if verdict.status == WRONG]
    assert len(wrong) == 4
    assert all("leak: it earns" in verdict.why for verdict in wrong)
    assert all(f"a world and its {partner}" in verdict.why for verdict in wrong)


def test_an_agent_of_the_authors_is_scored_without_its_code(honest: Parts, tmp_path: Path) -> None:
    model = make_model(ICE)
    policy = TabularPolicy(model.causal_policy(), all_observations(model))
    policies: dict[str, Policy] = {"": policy, "twin": policy}
    verdicts = with_runs(honest, policies, "nowhere.py:Mine", tmp_path).checked(tmp_path)
    mine = [verdict for verdict in verdicts if "nowhere.py" in verdict.subject]
    assert Counter(verdict.status for verdict in mine) == {OK: 4, NOT_RESCORED: 4}
    assert {verdict.why for verdict in mine} == {"", "the run failed: no policy"}


@pytest.mark.parametrize(
    ("table", "why"),
    [([[2.0, -1.0]], "its probabilities are negative"), ([[1.0, 0.0, 0.0]], "the shape (1, 3)")],
)
def test_a_table_that_is_no_law_is_found(
    honest: Parts, tmp_path: Path, table: list[list[float]], why: str
) -> None:
    content = saved(TabularPolicy(np.array(table), all_observations(make_model(ICE))), tmp_path)
    changed = honest.with_policy(honest.key("naive"), content)
    wrong = [verdict for verdict in changed.checked(tmp_path) if verdict.status == WRONG]
    assert any(why in verdict.why for verdict in wrong)


def test_a_policy_that_was_not_kept_is_not_scored(honest: Parts, tmp_path: Path) -> None:
    changed = honest
    for variant in ("", "twin"):
        key = honest.key("naive", 0, variant)
        changed = changed.with_entry(key, lambda entry: replace(entry, policy=""))
        policies = {each: text for each, text in changed.policies.items() if each != key}
        changed = replace(changed, policies=policies)
    verdicts = [verdict for verdict in changed.checked(tmp_path) if verdict.status != OK]
    assert [verdict.status for verdict in verdicts] == [NOT_RESCORED] * 2
    assert verdicts[0].why == "its policy is not in the file"


def without_policies(parts: Parts, agent: str) -> Parts:
    """A submission without the policies of the runs of an agent with the seed 0."""
    for variant in ("", "twin"):
        key = parts.key(agent, 0, variant)
        parts = parts.with_entry(key, lambda entry: replace(entry, policy=""))
        policies = {each: text for each, text in parts.policies.items() if each != key}
        parts = replace(parts, policies=policies)
    return parts


@pytest.mark.parametrize(
    ("column", "number", "why"),
    [("value", 0.6, "leak: "), ("pair_value", 0.9, "leak: "), ("j_causal", 0.4, "j_causal is 0.4")],
)
def test_what_no_policy_earns_is_found_without_the_policy(
    honest: Parts, tmp_path: Path, column: str, number: float, why: str
) -> None:
    changed = without_policies(honest, "naive")
    for variant in ("", "twin"):
        changed = changed.with_cell(honest.key("naive", 0, variant), column, number)
    wrong = [verdict for verdict in changed.checked(tmp_path) if verdict.status == WRONG]
    assert len(wrong) == 2
    assert all(why in verdict.why for verdict in wrong)


@pytest.mark.parametrize(
    ("status", "why"), [("failed", "say that it failed"), ("great", "neither")]
)
def test_a_run_that_scored_is_not_hidden_as_one_that_failed(
    honest: Parts, tmp_path: Path, status: str, why: str
) -> None:
    changed = honest.with_cell(honest.key("naive"), "status", status)
    (wrong,) = [verdict for verdict in changed.checked(tmp_path) if verdict.status == WRONG]
    assert re.search(why, wrong.why)


def test_a_policy_of_no_run_is_named(honest: Parts, tmp_path: Path) -> None:
    policies = {**honest.policies, "a" * 20: honest.policies[honest.key("naive")]}
    wrong = [each for each in replace(honest, policies=policies).checked(tmp_path) if each.why]
    assert [verdict.subject for verdict in wrong] == ["the manifest"]
    assert "a" * 20 in wrong[0].why


def test_a_standard_error_that_hides_a_leak_is_found_without_the_policy(
    honest: Parts, tmp_path: Path
) -> None:
    changed = without_policies(honest, "naive")
    for variant in ("", "twin"):
        key = honest.key("naive", 0, variant)
        for column, number in {"value": 0.6, "exact": False, "std_error": 1.0}.items():
            changed = changed.with_cell(key, column, number)
    wrong = [verdict for verdict in changed.checked(tmp_path) if verdict.status == WRONG]
    assert len(wrong) == 2
    assert all("std_error is 1.0, and at most 0 in" in verdict.why for verdict in wrong)
