"""Optimiser, depth, width, updates or epochs, and weight decay, of every agent with networks."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from batched_agents import AIRLINE, GAUGE, data_of, every_agent, quick, rngs
from refusals import refused

from dosuite.agents import NetworkPolicy, Policy, agent_classes, make_agent
from dosuite.agents.networks.network_agent import NetworkAgent
from dosuite.agents.saving import _packed

NETWORKS = [name for name, kind in agent_classes().items() if issubclass(kind, NetworkAgent)]
every_network = pytest.mark.parametrize("name", NETWORKS)
torch.set_num_threads(1)


def weights(policy: Any) -> bytes:
    assert isinstance(policy, Policy), policy
    return repr(_packed(policy)).encode()


def learned(name: str, seeds: tuple[int, ...] = (0, 1), **settings: Any) -> list[Any]:
    kind = agent_classes()[name]
    model = GAUGE if kind.counts_actions else AIRLINE
    data = data_of(model, 0, rows=60)
    policies: list[Any] = quick(name, **settings).learn_all([data] * len(seeds), rngs(seeds))
    return policies


@every_network
def test_the_settings_are_those_of_one_class(name: str) -> None:
    shared = {field.name: type(field.default) for field in fields(NetworkAgent)}
    own = {field.name: type(field.default) for field in fields(agent_classes()[name])}  # type: ignore[arg-type]
    assert {key: own[key] for key in shared} == shared


@every_agent
def test_each_setting_changes_what_is_learned(name: str) -> None:
    each: list[dict[str, Any]] = [{"optimiser": "sgd"}, {"depth": 3}, {"decay": 0.5}, {"hidden": 4}]
    found = {weights(learned(name, (0,), **settings)[0]) for settings in [{}, *each]}
    assert len(found) == 1 + len(each)


@every_agent
@pytest.mark.parametrize("settings", [{"optimiser": "sgd"}, {"optimiser": "adam"}], ids=str)
def test_seeds_learn_what_they_learn_alone(name: str, settings: dict[str, Any]) -> None:
    settings = {"depth": 3, "decay": 0.5, **settings}
    together, alone = learned(name, **settings)[1], learned(name, (1,), **settings)[0]
    assert weights(together) == weights(alone)


@every_agent
def test_epochs_are_as_many_updates_as_draw_the_log_so_often(name: str) -> None:
    agent: Any = quick(name)
    default = type(agent)().updates
    by_epochs = replace(agent, updates=default, epochs=1.5)
    assert by_epochs.updates_on(60) == 18  # ceil(1.5 * 60 / 5)
    by_updates = learned(name, updates=18)
    found = learned(name, updates=default, epochs=1.5)
    if name not in ("irm", "group-dro"):  # these draw a batch of each of their domains
        assert weights(found[0]) == weights(by_updates[0])


def test_seeds_with_longer_logs_take_more_updates_than_the_others() -> None:
    agent: Any = make_agent("fqi", batch=5, hidden=8, epochs=1)
    logs = [data_of(GAUGE, seed, rows) for seed, rows in ((0, 40), (1, 60), (2, 40))]
    together = agent.learn_all(logs, rngs((0, 1, 2)))
    for seed, log in enumerate(logs):
        assert weights(together[seed]) == weights(agent.learn(log, np.random.default_rng(seed)))


def test_a_perceptron_has_the_depth_and_width_that_it_is_given() -> None:
    (policy,) = learned("cql", (0,), depth=3, hidden=6)
    assert isinstance(policy, NetworkPolicy)
    assert policy.values is not None
    shapes = [tuple(layer.shape[1:]) for layer in policy.values.layers]
    assert [shape[1] for shape in shapes[::2]] == [6, 6, 6, 2]


def test_weight_decay_shrinks_weights_by_the_stated_factor() -> None:
    """Without a gradient a step of AdamW multiplies by 1 - rate * decay, and momentum adds up."""
    agent: Any = make_agent("dqn", rate=0.1, decay=0.5)
    value = torch.ones(64)
    value.grad = torch.zeros(64)
    agent.optimiser_of([value], fused=True).step()
    assert value[0].item() == pytest.approx(1 - 0.1 * 0.5)
    value, sgd = torch.ones(64), make_agent("dqn", rate=0.1, optimiser="sgd")
    optimiser = sgd.optimiser_of([value], fused=True)  # type: ignore[attr-defined]
    for expected in (0.9, 0.9 - 0.1 * 1.9):
        value.grad = torch.ones(64)
        optimiser.step()
        assert value[0].item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("bc:optimiser=adma", "bc: optimiser must be adam or sgd, and is adma"),
        ("cql:depth=0", "cql: depth must be at least 1, and is 0"),
        ("cql:depth=33", "cql: depth must be at most 32, and is 33"),
        ("cql:hidden=16385", "cql: hidden must be at most 16384, and is 16385"),
        ("fqi:decay=-1", "fqi: decay must be at least 0, and is -1.0"),
        ("fqi:epochs=-1", "fqi: epochs must be at least 0, and is -1.0"),
        (
            "dqn:epochs=2,updates=10",
            "dqn: give updates or epochs, and not both; they are 10 and 2.0",
        ),
        ("dqn:updates=1000000001", "dqn: updates must be at most 1000000000, and is 1000000001"),
    ],
)
def test_settings_out_of_range_are_refused(text: str, line: str) -> None:
    assert refused(lambda: make_agent(text)) == line


def test_more_epochs_than_can_be_counted_are_refused() -> None:
    agent: Any = make_agent("dqn", epochs=1e300)
    assert refused(lambda: agent.updates_on(10)).endswith(
        "updates, of at most 1000000000; give fewer"
    )
