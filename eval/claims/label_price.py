"""The price of labels:

how many interventions it takes to set right a log that does not say which rows they are.
"""

from dataclasses import replace

import numpy as np

from dosuite.causal import World, behaviour_policy, uniform_policy, value
from dosuite.causal.exact import Process, do_process, greedy, log_process

from ..metrics import NEGLIGIBLE

LEAST, MOST = 1e-6, 1e6  # interventions for each recorded step
CLOSE = 1e-9  # relative


def pooling_threshold(model: World) -> float:
    """How many interventions with uniform actions, for each recorded step, turn the plan in their
    pooled log into a best policy.

    0 where none are needed. In several steps they are counted in each context alike, and the plan
    under interventions must be a best policy."""
    best = value(model, model.causal_policy()) - NEGLIGIBLE

    def right(interventions: float) -> bool:
        return value(model, greedy(pooled(model, interventions).plan())) >= best

    if right(LEAST):
        return 0.0
    low, high = LEAST, MOST
    while high / low > 1 + CLOSE:
        middle = np.sqrt(low * high)
        low, high = (low, middle) if right(middle) else (middle, high)
    return float(high)


def pooled(model: World, interventions: float) -> Process:
    """The process that a log without labels shows, to each step of which come so many with uniform
    actions.
    """
    seen, done = log_process(model), do_process(model)
    shares = behaviour_policy(model), interventions * uniform_policy(model)
    weight = shares[0] / (shares[0] + shares[1])
    moves = weight[..., None] * seen.transition + (1 - weight[..., None]) * done.transition
    return replace(
        seen,
        reward=weight * seen.reward + (1 - weight) * done.reward,
        transition=moves,
        visits=shares[0] + shares[1],
    )
