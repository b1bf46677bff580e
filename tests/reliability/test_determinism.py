"""A share of `determinism.py`: lanes of other numbers of seeds, and the global generators."""

import numpy as np
import pytest
from determinism import few, touched
from lane_comparisons import data_of, learned_of

from dosuite.agents import make_agent
from dosuite.envs import make_model


@pytest.mark.parametrize("name", ["iql", "dqn"])
def test_the_last_numbers_of_a_seed_do_not_depend_on_the_number_of_seeds(name: str) -> None:
    agent, model = make_agent(few(name), hidden=8), make_model("Tiger-v0:expert=perfect_good")
    sources = [data_of(model, agent, seed) for seed in range(3)]
    together = agent.learn_all(sources, [np.random.default_rng(seed) for seed in range(3)])
    for seed, policy in enumerate(together):
        alone = agent.learn(sources[seed], np.random.default_rng(seed))
        pairs = zip(
            learned_of(policy, sources[seed]), learned_of(alone, sources[seed]), strict=True
        )
        for one, other in pairs:
            assert np.array_equal(one, other)


def test_no_entry_changes_a_global_generator() -> None:
    ran, guilty = touched("IceCreamShorts-v0", ["bc", "ars", "dqn", "naive"])
    assert ran > 6
    assert not guilty
