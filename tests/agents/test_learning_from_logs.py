"""`Agent.learn` takes a log as well as its view, a seed as well as a generator, and checks both."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from learning import few, source_of
from refusals import refused

from dosuite.agents import (
    Agent,
    OfflineAgent,
    Policy,
    Practice,
    TabularPolicy,
    agent_classes,
    make_agent,
)
from dosuite.causal import World
from dosuite.envs import Data, all_observations, collect, make_model

torch.set_num_threads(1)

ICE, AIRLINE = make_model("IceCreamShorts-Thermo-v0"), make_model("AirlinePricing-v0")
OFFLINE = {
    name: kind for name, kind in agent_classes().items() if {"observe", "mixed"} & {*kind.learns}
}
GRAPHLESS = [name for name, kind in OFFLINE.items() if "graph" not in kind.needs]
ONLINE = [name for name in agent_classes() if name not in OFFLINE]


def world_of(name: str) -> World:
    return ICE if agent_classes()[name].counts_actions else AIRLINE


def acts(policy: Policy, model: World) -> np.ndarray[Any, Any]:
    if model is AIRLINE:
        rows = np.random.default_rng(0).uniform(1, 7, size=(20, 2)).astype(np.float32)
        return policy.act(rows, np.random.default_rng(1))
    return policy.probabilities(all_observations(model))


@pytest.mark.parametrize("name", GRAPHLESS)
def test_a_log_gives_the_policy_of_its_default_view(name: str) -> None:
    agent, model = make_agent(name, **few(name)), world_of(name)
    regime = "mixed" if "mixed" in agent.learns else "observe"
    log = collect(model, 300, 3, regime)
    view = log.view(np.random.default_rng(0), labels="labels" in agent.needs)
    of_log, of_view = agent.learn(log, 5), agent.learn(view, np.random.default_rng(5))
    assert np.array_equal(acts(of_log, model), acts(of_view, model))
    assert of_log.note == of_view.note


@pytest.mark.parametrize("name", [name for name in OFFLINE if name not in GRAPHLESS])
def test_an_agent_that_needs_the_graph_says_how_to_add_it(name: str) -> None:
    line = refused(lambda: make_agent(name).learn(collect(ICE, 50, 0)))
    assert line == (
        f"{name} needs the graph, and a log has none; learn from log.view(graph=world.graph)"
    )


@pytest.mark.parametrize("text", ["fused", "decision-transformer:actions=masked"])
def test_a_view_without_labels_is_refused_by_who_needs_them(text: str) -> None:
    view = collect(ICE, 50, 0, "mixed").view(np.random.default_rng(0))
    assert "needs the labels of a log" in refused(lambda: make_agent(text).learn(view))


@pytest.mark.parametrize("name", ["ppo", "q-learning", "causal", "naive"])
def test_a_source_of_another_kind_is_refused(name: str) -> None:
    source: Any = collect(ICE, 50, 0) if name != "naive" else source_of(ICE, frozenset(), "exact")
    line = refused(lambda: make_agent(name).learn(source))
    assert line.startswith(f"{name} learns from ")
    assert line.endswith(f"and got {type(source).__name__}")


@dataclass(frozen=True)
class Frequent(Agent):
    """Takes the most frequent action, as the README shows an agent."""

    name: ClassVar[str] = "frequent"
    learns: ClassVar[tuple[str, ...]] = ("observe",)

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        counts = np.bincount(source["action"], minlength=2)
        return TabularPolicy(np.eye(2)[[np.argmax(counts)]], source.observation_space)


class Direct(OfflineAgent):
    """Overrides `learn` itself, as agents did before there was `learn_from`."""

    name = "direct"

    def learn(self, source: Any, rng: Any = 0) -> Policy:
        return Frequent().learn_from(source, rng)

    def learn_from(self, source: Data, rng: np.random.Generator) -> Policy:
        raise AssertionError("it is not asked")


def test_a_users_agent_learns_from_a_log_too() -> None:
    ice = make_model("IceCreamShorts-v0")
    log = collect(ice, 200, 0)
    view = log.view(np.random.default_rng(0))
    of_log, of_view = Frequent().learn(log), Frequent().learn(view, 3)
    assert np.array_equal(acts(of_log, ice), acts(of_view, ice))


def test_an_agent_that_overrides_learn_goes_on_working() -> None:
    ice = make_model("IceCreamShorts-v0")
    view = collect(ice, 200, 0).view(np.random.default_rng(0))
    assert np.array_equal(acts(Direct().learn(view), ice), acts(Frequent().learn(view), ice))
    (policy,) = Direct().learn_all([view], [np.random.default_rng(0)])
    assert isinstance(policy, Policy)


def test_learning_all_seeds_is_a_loop_unless_an_agent_overrides_it() -> None:
    view = collect(make_model("IceCreamShorts-v0"), 200, 0).view(np.random.default_rng(0))
    source: Any = Practice(lambda count: pytest.fail("it acts"), 10, 1.0)
    policies = Frequent().learn_all([view, source], [np.random.default_rng(0)] * 2)
    assert isinstance(policies[0], TabularPolicy)
    assert isinstance(policies[1], Exception)
    assert not Frequent.trains_seeds_together()
    together = {name for name, kind in agent_classes().items() if kind.trains_seeds_together()}
    assert {"iql", "dqn", "bc", "naive", "deep-iv", "irm"} <= together
    at_once = {"dqn-lanes", "ppo-lanes"}
    assert at_once <= together
    assert not (together - at_once) & {"maximin", "iv", "latent", "lagged-iv", *ONLINE}
