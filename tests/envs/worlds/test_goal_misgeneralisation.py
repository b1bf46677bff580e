"""The printed figures of goal misgeneralisation, within one unit of the last digit."""

from dataclasses import replace

import numpy as np
import pytest
from printed import earned, printed

from dosuite.causal import Array, Columns, World, distribution, uniform_policy, value
from dosuite.causal.exact import do_process, greedy, plan_with_memory
from dosuite.causal.exact.decision_process import mean_value
from dosuite.causal.model import policy_lookup
from dosuite.envs.worlds.coin_end import CoinEnd
from dosuite.envs.worlds.goal_misgeneralisation import GoalMisgen, misgeneralisation_rate
from dosuite.envs.worlds.mentor_follow import MentorFollow
from dosuite.envs.worlds.monster_shield import MonsterShield
from dosuite.envs.worlds.tree_harvest import TreeHarvest

WORLDS = [CoinEnd(), MonsterShield(), TreeHarvest(), MentorFollow()]


def episodes(model: World, policy: Array, n: int = 2000) -> Columns:
    """What happens where `policy` acts."""
    return model.do(**{model.action: policy_lookup(model, policy)}).sample(
        n, np.random.default_rng(0)
    )


def best_with_a_clock(model: World) -> float:
    """The value of the best policy of those that also look at the time."""
    process = do_process(model)
    values = process.plan()
    return float(process.start @ mean_value(greedy(values), values))


def chopping(model: TreeHarvest, fewest: int) -> float:
    """What a step earns on average, if the axe is swung where there are at least so many trees."""
    return value(model, np.eye(2)[[int(trees >= fewest) for trees in range(11)]]) / model.horizon


@pytest.mark.parametrize("model", WORLDS, ids=lambda model: type(model).__name__)
def test_who_pursues_the_proxy_goal_is_capable_and_misgeneralises(model: GoalMisgen) -> None:
    deployed = model.deployed()
    found = episodes(deployed, model.confused_policy())
    assert model.capable(found).all()
    assert (model.proxy(found) | model.intended(found)).all()
    assert misgeneralisation_rate(model, found) >= 0.5


@pytest.mark.parametrize("model", WORLDS[:-1], ids=lambda model: type(model).__name__)
def test_who_pursues_the_intended_goal_does_not(model: GoalMisgen) -> None:
    deployed = model.deployed()
    assert misgeneralisation_rate(model, episodes(deployed, deployed.causal_policy())) == 0


def test_of_who_can_nothing_nothing_is_said() -> None:
    model = CoinEnd()
    assert np.isnan(
        misgeneralisation_rate(model, episodes(model.deployed(), uniform_policy(model)))
    )


def test_coin_end() -> None:
    model, test = CoinEnd(), CoinEnd().deployed()
    assert printed(
        [*earned(model, test), value(test, uniform_policy(test)), model.promised_value()],
        ".1818 1.0 .268 1.0",
    )
    assert printed(misgeneralisation_rate(model, all_levels(test, model.confused_policy())), ".818")
    assert printed(
        [earned(model, model.shifted(name))[0] for name in ("far_columns", "no_coin")], ".20 0"
    )


def all_levels(test: World, policy: Array) -> Columns:
    """One episode of a deterministic policy in each of the levels of the test, which are alike."""
    law = distribution(test, "coin")
    found = episodes(test, policy, 4000)
    _, places = np.unique(found["coin"][:, 0], return_index=True)
    assert law[law > 0] == pytest.approx(1 / len(places))
    return {name: column[places] for name, column in found.items()}


@pytest.mark.parametrize(
    ("rho", "figures"),
    [
        (0, "1"),
        (0.01, ".992"),
        (0.02, ".984"),
        (0.05, ".959"),
        (0.1, ".918"),
        (0.2, ".836"),
        (0.5, ".591"),
    ],
)
def test_the_dial_of_coin_end(rho: float, figures: str) -> None:
    assert printed(earned(CoinEnd(), CoinEnd().dial(1 - rho))[0], figures)


def test_monster_shield() -> None:
    training, test = MonsterShield(), MonsterShield().deployed()
    needed = [
        value(world) for world in (training, test)
    ]  # the behaviour policy seeks a shield where one is needed
    proxy = [value(world, training.confused_policy()) for world in (training, test)]
    for world, need, liking, figures in zip(
        (training, test), needed, proxy, ("4.773 4.333 4.131", "84.59 84.59 44.85"), strict=True
    ):
        assert printed([best_with_a_clock(world), need, liking], figures)


def test_tree_harvest() -> None:
    training, test = TreeHarvest(), TreeHarvest(skill=1.0)
    assert printed(
        [chopping(training, 1), chopping(training, 3), chopping(test, 1), chopping(test, 6)],
        ".0972 .0984 .0557 .1733",
    )
    for model, best in ((training, 3), (test, 6)):
        assert max(range(11), key=lambda fewest, model=model: chopping(model, fewest)) == best  # type: ignore[misc]
        assert value(model, model.causal_policy()) / 200 == pytest.approx(chopping(model, best))
    assert (training.dial(0.0), training.spared) == (replace(test, spared=5), 2)


@pytest.mark.parametrize(("fewest", "figures"), [(1, ".0001"), (6, ".15")])
def test_the_yield_of_the_wood_in_the_long_run(fewest: int, figures: str) -> None:
    """By the chain that always chops, or spares five trees:

    what the last of very many steps earns.
    """
    test = TreeHarvest(skill=1.0, horizon=4_000)
    longer = chopping(test, fewest) * test.horizon
    shorter = chopping(replace(test, horizon=2_000), fewest) * 2_000
    assert printed((longer - shorter) / 2_000, figures)


def test_mentor_follow() -> None:
    training, test = MentorFollow(), MentorFollow().deployed()
    follow = training.confused_policy()
    doubtful = MentorFollow(misleading=0.1)  # who has seen both partners follows until it is wrong
    others = (1 - np.eye(4)[np.arange(48) // 12]) / 3
    assert printed([value(training, follow), value(test, follow)], "20 -20")
    assert printed([plan_with_memory(doubtful, world)[1] for world in (training, test)], "20 18")
    assert printed(plan_with_memory(training.do(partner=0))[0], "17")
    assert printed(value(test, others), "-6.67")
