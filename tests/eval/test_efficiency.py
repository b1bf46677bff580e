"""Interventional efficiency: the rows that the frontier needs over those that an agent used."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from dosuite.causal import InputError, frontier
from dosuite.causal.world import Frontier
from dosuite.envs import make_model
from dosuite.eval import Run
from dosuite.eval.runs.run import outcomes
from dosuite.eval.scores.efficiency import interventional_efficiency

ICE = "IceCreamShorts-v0"
CURVE = np.array([0.4, 0.45, 0.5, 0.52])  # of 0 to 3 rows
HAND_MADE = {(ICE, ""): Frontier(CURVE, CURVE)}


def rows(regime: str, budget: int, here: float, there: float, seed: int = 0) -> pd.DataFrame:
    """Both runs of a pair."""
    head = {"environment": ICE, "member": "", "agent": "a", "regime": regime, "budget": budget}
    tail = {"seed": seed, "world": "", "status": "ok"}
    values = {"": here, "twin": there}
    return pd.DataFrame(
        [{**head, **tail, "variant": variant, "value": value} for variant, value in values.items()]
    )


@pytest.mark.parametrize(
    ("regime", "budget", "value", "needed", "efficiency"),
    [
        ("intervene", 10, 0.39, 0, 0.0),  # below the floor
        ("intervene", 10, 0.45, 1, 0.1),
        ("intervene", 10, 0.46, 2, 0.2),
        ("intervene", 2, 0.52, 3, 1.5),  # it chose its actions better than at random
        ("mixed", 10, 0.46, 2, 0.4),  # half of the rows are interventions
        ("intervene", 10, 0.53, np.inf, np.nan),
    ],
)
def test_it_is_the_rows_needed_over_those_used(
    regime: str, budget: int, value: float, needed: float, efficiency: float
) -> None:
    (score,) = interventional_efficiency(
        rows(regime, budget, value - 0.1, value + 0.1), HAND_MADE
    ).to_dict("records")
    assert score["pair_value"] == pytest.approx(value)
    assert score["rows_needed"] == needed
    assert score["efficiency"] == pytest.approx(efficiency, nan_ok=True)


def test_the_value_is_the_mean_over_seeds_at_each_budget() -> None:
    frame = pd.concat(
        [
            rows("intervene", 10, 0.4, 0.4),
            rows("intervene", 10, 0.5, 0.5, seed=1),
            rows("intervene", 20, 0.5, 0.5),
            rows("observe", 20, 0.5, 0.5),
            rows("mixed", 20, 0.5, 0.5)[:1],  # without the twin
        ]
    )
    scores = interventional_efficiency(frame, HAND_MADE)
    assert scores["rows_used"].tolist() == [10, 20]
    assert scores["efficiency"].tolist() == [0.1, 0.1]
    assert interventional_efficiency(frame, {}).empty
    with pytest.raises(InputError, match="occurs twice"):
        interventional_efficiency(pd.concat([frame, frame]), HAND_MADE)
    with pytest.raises(InputError, match="share"):
        interventional_efficiency(frame, HAND_MADE, share=0)


def test_no_agent_needs_fewer_rows_of_an_experiment_than_the_frontier() -> None:
    """Agents that learn from mixed logs, whose interventions are as uniform as the frontier's."""
    runs = [
        Run(ICE, agent, "mixed", budget, seed, variant)
        for agent, budget, seed, variant in product(
            ("fused", "naive"), (8, 24), range(12), ("", "twin")
        )
    ]
    frame = pd.DataFrame([row for run in runs for out in outcomes([run]) for row in out.rows])
    scores = interventional_efficiency(frame, {(ICE, ""): frontier(make_model(ICE), most=20)})
    assert len(scores) == 4
    assert (scores["efficiency"] <= 1).all()
    assert scores.set_index(["agent", "budget"])["efficiency"].max() > 0
