"""Agents that bound effects, or use instruments, proxies, classes and domains."""

from collections.abc import Mapping

import numpy as np
import pytest
from causal_agents import GREEDY, ICE, KIDNEY, MBIAS, NAPKIN, SEEN, believed, learned
from coloured_shapes import ColouredShapes
from gymnasium import spaces
from learning import learn, table

from dosuite.agents import make_agent
from dosuite.agents.tabular.instrument import instruments
from dosuite.agents.tabular.minimax_regret import projected
from dosuite.agents.tabular.proximal import proxies
from dosuite.causal import (
    Array,
    Factor,
    World,
    distribution,
    latent_projection,
    value,
)
from dosuite.causal.exact import log_process
from dosuite.envs import Data, make_model
from dosuite.envs.worlds.proxy import ProxyClinic

TRIAL = make_model("EncourageIV-v0")


# Bounds.


def test_maximin_believes_in_manskis_lower_bounds() -> None:
    assert believed(
        learned("maximin", make_model("GreedyCasino-v0:casino=Rigged")), GREEDY
    ) == pytest.approx(np.array([[0.275, 0.175]]), abs=SEEN)


REGRETS = {
    "IceCreamShorts-v0": (0.36, 0.64),
    "IceCreamShorts-NoOverlap-v0": (0.275, 0.725),
    "GreedyCasino-v0:casino=Rigged": (0.6, 0.4),
    "EncourageIV-VitaminA-v0:hardy=0.0": (0.973, 0.027),
    "EncourageIV-VitaminA-v0:hardy=1.0": (0.973, 0.027),
}


@pytest.mark.parametrize("world", REGRETS)
def test_the_policy_of_least_regret_is_the_mixture_of_the_exact_bounds(world: str) -> None:
    model = make_model(world)
    assert table(learned("minimax-regret", model), model)[0] == pytest.approx(
        REGRETS[world], abs=SEEN
    )


def test_with_few_types_allowed_the_bounds_are_manskis() -> None:
    model = make_model("GreedyCasino-v0:casino=Rigged")  # where they are sharp
    policy = learned("minimax-regret", model, types=1)
    assert policy.note == "Manski's bounds"
    assert table(policy, model) == pytest.approx(
        table(learned("minimax-regret", model), model), abs=1e-6
    )
    assert learned("minimax-regret", TRIAL, types=1).note == "Manski's bounds"


def rows_of(model: World, columns: Mapping[str, Array]) -> Data:
    """A log of one step with these columns."""
    n = len(columns["action"])
    zeros = dict.fromkeys(("step", "observation", "next_observation"), np.zeros(n, dtype=int))
    ends = {
        "terminated": np.ones(n, dtype=bool),
        "truncated": np.zeros(n, dtype=bool),
        "episode": np.arange(n),
    }
    space = spaces.Discrete(1)
    return Data(
        {**zeros, **ends, **columns},
        model.names("logged"),
        space,
        spaces.Discrete(2),
        1,
        1.0,
        model.graph.copy(),
    )


def test_a_table_that_no_model_has_is_replaced_by_the_nearest() -> None:
    asked = np.repeat(
        [0, 1], 50
    )  # nobody is treated, and all who were asked are well: the asking itself must have done it
    data = rows_of(
        TRIAL,
        {"encouraged": asked, "action": np.zeros(100, dtype=int), "reward": asked.astype(float)},
    )
    note = make_agent("minimax-regret").learn(data, np.random.default_rng(0)).note
    assert note.startswith("bounds from response types, of a table ")
    assert float(note.split()[-5]) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "world", ["IceCreamShorts-DiscountDay-v0", "IceCreamShorts-Thermo-v0", "EncourageIV-v0"]
)
def test_what_the_graph_says_of_a_table_is_made_true_of_a_small_log(world: str) -> None:
    model = make_model(world)
    graph = latent_projection(model.graph)
    names = tuple(model.names("context", "action", "logged", "reward"))
    exact, small = (
        distribution(model, *names),
        np.random.default_rng(0).dirichlet(np.ones(distribution(model, *names).size)),
    )
    assert projected(graph, Factor(names, exact)) == pytest.approx(
        distribution(model, *graph.nodes), abs=1e-12
    )
    once = projected(graph, Factor(names, small.reshape(exact.shape)))
    assert projected(graph, Factor(graph.nodes, once)) == pytest.approx(once, abs=1e-12)
    policy = learn("minimax-regret", model, rows=60)
    assert policy.note.startswith("bounds from response types")


# Instruments, proxies, classes, domains.


def test_instruments_are_found_in_the_graph() -> None:
    assert instruments(TRIAL.graph) == ("encouraged",)
    assert instruments(make_model("IceCreamShorts-DiscountDay-v0").graph) == ("discount_day",)
    assert (
        instruments(NAPKIN.graph)
        == instruments(KIDNEY.graph)
        == instruments(ProxyClinic().graph)
        == ()
    )


def test_the_ratio_of_wald_is_the_effect() -> None:
    values = believed(learned("iv", TRIAL), TRIAL)[0]
    assert values[1] - values[0] == pytest.approx(0.25, abs=0.03)


def test_two_proxies_stand_in_for_what_is_hidden() -> None:
    model = ProxyClinic()
    assert proxies(model.graph) == ("referred", "fever", "severe")
    assert proxies(NAPKIN.graph) is proxies(ICE.graph) is None
    for agent in ("proximal", "latent"):
        policy = learned(agent, model)
        assert believed(policy, model) == pytest.approx(np.array([[0.5, 0.7]]), abs=0.03)
        assert np.array_equal(table(policy, model), model.causal_policy())
    assert believed(learned("adjust-all", model), model) == pytest.approx(
        np.array([[0.628, 0.593]]), abs=SEEN
    )
    assert believed(learned("naive", model), model) == pytest.approx(
        log_process(model).reward, abs=SEEN
    )


def test_classes_are_counted() -> None:
    assert learned("latent", ProxyClinic()).note == "latent classes: 2"
    assert learned("latent", GREEDY).note == "latent classes: 1"
    assert learned("latent", ProxyClinic(), classes=1).note == "latent classes: 1"
    one, naive = (believed(learned(name, MBIAS), MBIAS) for name in ("latent", "naive"))
    assert one == pytest.approx(naive, abs=1e-9)


def test_invariance_finds_the_cause_where_the_colour_misleads() -> None:
    model = ColouredShapes()
    world = model.deployed()
    policy, naive = learned("invariant", model), learned("naive", model)
    assert policy.note == "invariant given context 0"
    assert value(world, table(policy, world)) == pytest.approx(0.75)
    assert value(world, table(naive, world)) < 0.2
    assert np.array_equal(table(policy, world), np.repeat(np.eye(2), 2, axis=0))


def test_where_nothing_is_invariant_the_worst_domain_counts() -> None:
    model = make_model("IceCreamShorts-Domains-v0")
    policy = learned("invariant", model)
    assert policy.note == "nothing is invariant: the worst domain counts"
    assert believed(policy, model) == pytest.approx(np.array([[0.135, 0.275]]), abs=SEEN)


def test_one_domain_is_its_own_worst() -> None:
    assert np.array_equal(table(learned("invariant", MBIAS), MBIAS), MBIAS.confused_policy())
