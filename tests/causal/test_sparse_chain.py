"""A large model answered by its rows alone is the model answered by tables."""

import numpy as np
import pytest
from countable import COUNTABLE
from places import THROWAWAY_FILE

from dosuite.causal import World
from dosuite.causal.exact.markov_chain import MOST_DENSE, Chain, _state
from dosuite.causal.exact.sparse_chain import SparseChain
from dosuite.envs import make_model

EXACT = 1e-9


def small(model: World) -> bool:
    """Whether tables can answer, and the log keeps every row."""
    return bool(
        np.prod([len(model.tables.support(name)) for name in _state(model)]) <= MOST_DENSE
        and not model.names("selection")
    )


FAMILIES = COUNTABLE | {
    name: make_model(f"{THROWAWAY_FILE}:{name}") for name in ("Relay", "Orchard", "Dawn")
}
MODELS = {name: model for name, model in FAMILIES.items() if small(model)}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@every_model
@pytest.mark.parametrize("open_loop", [True, False])
def test_values_and_processes_by_rows_are_those_by_tables(model: World, open_loop: bool) -> None:
    for world in (model, model.with_intent()):
        dense, rows = Chain(world, open_loop), SparseChain(world, open_loop)
        contexts, actions, _ = dense.shape
        shape = (2, contexts, actions)
        policies = (
            np.random.default_rng(0).dirichlet(np.ones(actions), shape[:2])
            if open_loop
            else np.ones(shape)
        )
        assert rows.values(policies) == pytest.approx(dense.values(policies), abs=EXACT)
        one, other = dense.process(policies[0]), rows.process(policies[0])
        assert other.visits == pytest.approx(one.visits, abs=EXACT)
        assert other.start == pytest.approx(one.start, abs=EXACT)
        assert other.reward == pytest.approx(one.reward, abs=EXACT)
        if world.horizon > 1:
            assert other.transition.toarray().reshape(one.transition.shape) == pytest.approx(
                one.transition, abs=EXACT
            )
            assert other.plan() == pytest.approx(one.plan(), abs=EXACT)
