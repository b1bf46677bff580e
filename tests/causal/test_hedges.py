"""The hedge of a world has its graph and its log, and another best policy."""

import pickle

import numpy as np
import pytest
from countable import CONTINUOUS, COUNTABLE

from dosuite.causal import InputError, World, distribution, floor, latent_projection
from dosuite.causal.exact import do_process
from dosuite.causal.identification import answer
from dosuite.causal.world.intervals import intervals
from dosuite.envs import make_model
from dosuite.envs.worlds.ice_cream import IceCreamShorts

WITHOUT_HEDGE = {
    "a continuous variable": "AirlinePricing-v0",
    "the graph and the log identify the effect of the action": "MediatorTrap-v0",
    "the graph and the log identify the effect of each step's action": "CoinEnd-v0",
    "an episode has 50 steps": "DelusionBox-v0",
    "the log is selected": "SelectionGate-v0",
    "several latents join checkup, drug, recovery": "MBiasClinic-v0",
    "one policy is best in every world": "EncourageIV-v0",
}
PAIRS = {
    text: (model, hedge)
    for text, model in COUNTABLE.items()
    if model.horizon == 1 and (hedge := model.hedge())
}
every_pair = pytest.mark.parametrize(("world", "hedge"), PAIRS.values(), ids=PAIRS)


def visible(model: World) -> tuple[str, ...]:
    return model.names("context", "action", "logged", "reward", "terminal")


def test_most_worlds_that_are_not_identified_have_a_hedge() -> None:
    one_step = [
        text
        for text, model in COUNTABLE.items()
        if model.horizon == 1 and answer(model).hedge is not None
    ]
    assert len(PAIRS) > 20
    assert len(set(one_step) & set(PAIRS)) > 0.6 * len(one_step)


@every_pair
def test_a_hedge_has_the_same_log_and_graph(world: World, hedge: World) -> None:
    names = visible(world)
    assert visible(hedge) == names
    here, there = distribution(world, *names), distribution(hedge, *names)
    np.testing.assert_allclose(there, here, atol=1e-12)
    graphs = [latent_projection(each.graph.subgraph(each.variables)) for each in (world, hedge)]
    assert graphs[0].directed == graphs[1].directed
    assert set(map(frozenset, graphs[0].bidirected)) == set(map(frozenset, graphs[1].bidirected))


@every_pair
def test_a_hedge_has_another_best_policy(world: World, hedge: World) -> None:
    limit = floor(world.deployed(), hedge.deployed())
    assert limit.exact
    assert limit.regret > 1e-9
    assert limit.error.max() > 1e-3


@every_pair
def test_the_effects_of_a_hedge_are_within_the_bounds(world: World, hedge: World) -> None:
    mean = do_process(hedge).reward
    ranges = intervals(world, np.full(mean.shape, np.nan))
    occurs = ~np.isnan(ranges.low)
    assert (mean >= ranges.low - 1e-9)[occurs].all()
    assert (mean <= ranges.high + 1e-9)[occurs].all()


@every_pair
def test_a_hedge_is_a_model_like_any_other(world: World, hedge: World) -> None:
    assert pickle.loads(pickle.dumps(hedge)) == hedge
    assert world.with_intent().hedge() == hedge.with_intent()
    units = hedge.sample(50, 0)
    assert set(units) == set(world.variables)


def test_no_pair_of_a_bow_has_a_greater_floor_than_that_of_the_hedge() -> None:
    """The hedge of RandomSCM, against the corners of the box of Manski's bounds."""
    world = make_model("RandomSCM-v0")
    hedge = world.hedge()
    assert hedge is not None
    here = do_process(world).reward[0]
    ranges = intervals(world, np.full((1, 2), np.nan))
    ends = np.concatenate([ranges.low, ranges.high])
    greatest = max(
        (here.max() + max(a, b)) / 2 - max(here[0] + a, here[1] + b) / 2
        for a in ends[:, 0]
        for b in ends[:, 1]
    )
    assert floor(world, hedge).regret == pytest.approx(greatest)


@pytest.mark.parametrize(("reason", "text"), WITHOUT_HEDGE.items(), ids=WITHOUT_HEDGE)
def test_a_world_without_a_hedge_says_why(reason: str, text: str) -> None:
    world = make_model(text)
    assert world.hedge() is None
    assert reason.replace("a continuous variable", "is continuous") in world.hedge_reason()


@pytest.mark.parametrize("world", (COUNTABLE | CONTINUOUS).values(), ids=COUNTABLE | CONTINUOUS)
def test_there_is_a_hedge_or_a_reason_in_one_line(world: World) -> None:
    reason = world.hedge_reason()
    assert (reason == "") == (world.hedge() is not None)
    assert "\n" not in reason


def test_a_latent_takes_new_values_only_where_all_its_effects_are_new() -> None:
    world = IceCreamShorts()
    with pytest.raises(InputError, match="heat cannot be"):
        world.do(heat=2)
    hedge = world.hedge()
    assert hedge is not None
    assert hedge.tables.support("heat").tolist() == [0, 1, 2, 3]
