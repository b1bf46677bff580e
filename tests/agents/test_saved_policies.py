"""A policy saves to one file and loads back acting identically, whoever has learned it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from learning import OFFLINE, few, learn
from places import THROWAWAY_FILE
from refusals import refused

from dosuite.agents import ContinuousPolicy, Policy, agent_classes, load_policy, save_policy
from dosuite.causal import Array, World
from dosuite.envs import all_observations, make_model

torch.set_num_threads(1)

THERMO, AIRLINE = make_model("IceCreamShorts-Thermo-v0"), make_model("AirlinePricing-v0")
RELAY, GAUGE = (make_model(f"{THROWAWAY_FILE}:{name}") for name in ("Relay", "Gauge"))
STEPS = 6  # of an episode that is played

every_agent_and_regime = pytest.mark.parametrize(
    ("name", "regime"),
    [
        (name, regime)
        for name, kind in agent_classes().items()
        for regime in kind.learns
        if regime != "mixed" or "observe" not in kind.learns
    ],
)


def shown(model: World) -> Array:
    if model not in (GAUGE, AIRLINE, AIRLINE.with_intent()):
        return all_observations(model)
    return np.random.default_rng(0).uniform(1, 7, size=(20, len(model.contexts))).astype(np.float32)


def conduct(policy: Policy, model: World) -> list[Array]:
    """What a policy believes, says and does."""
    observations, rng = shown(model), np.random.default_rng(1)
    player = policy.play(len(observations), np.random.default_rng(2))
    played = [
        player(rng.permutation(observations), rng.normal(size=len(observations)))
        for _ in range(STEPS)
    ]
    said = (
        []
        if isinstance(policy, ContinuousPolicy)
        else [policy.probabilities(observations), policy.action_values(observations)]
    )
    return [*played, policy.act(observations, rng), *(array for array in said if array is not None)]


def assert_acts_alike(one: Policy, other: Policy, model: World) -> None:
    for mine, theirs in zip(conduct(one, model), conduct(other, model), strict=True):
        assert np.array_equal(mine, theirs)
    assert one.note == other.note


@pytest.mark.long
@every_agent_and_regime
def test_a_policy_that_is_saved_acts_the_same_when_it_is_loaded(
    name: str, regime: str, tmp_path: Path
) -> None:
    kind = agent_classes()[name]
    for model in (*(THERMO, RELAY) * kind.counts_actions, *(AIRLINE,) * kind.acts_in_a_box):
        seen = model.with_intent() if regime == "counterfactual" else model
        policy = learn(name, model, regime, 300, **few(name))
        assert save_policy(policy, tmp_path / "policy.pt") == tmp_path / "policy.pt"
        loaded = load_policy(tmp_path / "policy.pt")
        assert type(loaded) is type(policy)
        assert_acts_alike(loaded, policy, seen)
    assert [path.name for path in tmp_path.iterdir()] == ["policy.pt"]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, kind in agent_classes().items()
        if kind.trains_seeds_together() and "observe" in kind.learns
    ],
)
def test_networks_over_a_box_are_saved_too(name: str, tmp_path: Path) -> None:
    model = AIRLINE if agent_classes()[name].acts_in_a_box and name != "bc" else GAUGE
    policy = learn(name, model, OFFLINE[0], 300, **few(name))
    assert_acts_alike(load_policy(save_policy(policy, tmp_path / "policy.pt")), policy, model)


def loaded_conduct(path: Path) -> list[Array]:
    return conduct(load_policy(path), GAUGE)


def test_a_policy_acts_the_same_in_another_process(
    elsewhere: Callable[..., Any], tmp_path: Path
) -> None:
    path = save_policy(learn("iql", GAUGE, rows=300, updates=7), tmp_path / "policy.pt")
    for mine, theirs in zip(
        elsewhere(partial(loaded_conduct, path)), loaded_conduct(path), strict=True
    ):
        assert np.array_equal(mine, theirs)


def test_a_file_that_keeps_no_policy_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.pt"
    assert "there is no file" in refused(lambda: load_policy(path))
    whole = save_policy(learn("naive", THERMO), path).read_bytes()
    for content in (b"", b"nothing", whole[: len(whole) // 2]):
        path.write_bytes(content)
        assert "is not a saved policy" in refused(lambda: load_policy(path))
    for other in (
        {"weights": 3},
        [1, 2],
        {"class": "os:system", "arguments": {"command": "true"}},
        {"class": "builtins:int"},
    ):
        torch.save(other, path)
        assert "is not a saved policy" in refused(lambda: load_policy(path))


class Oracle(Policy):
    """A policy with a part that no file can keep."""

    def __init__(self, asked: Callable[[Array], Array]):
        self.asked = asked

    def probabilities(self, observations: Array) -> Array:
        return self.asked(observations)


def test_what_no_file_can_keep_is_refused_and_leaves_none(tmp_path: Path) -> None:
    assert "the type Oracle cannot be kept" in refused(
        lambda: save_policy(Oracle(np.eye(2).__getitem__), tmp_path / "policy.pt")
    )
    assert not list(tmp_path.iterdir())
