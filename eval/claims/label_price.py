"""The price of missing labels.

How many interventions correct a log that does not say which of its rows are interventions?
"""

from dataclasses import replace

import numpy as np

from dosuite.causal import World, behaviour_policy, uniform_policy, value
from dosuite.causal.exact import Process, do_process, greedy, log_process

from ..scores.metrics import NEGLIGIBLE

# the interventions for each recorded step that are searched
LEAST, MOST = 1e-6, 1e6
PRECISION = 1e-9  # relative


def pooling_threshold(model: World) -> float:
    """The interventions for each recorded step from which the plan in the pooled log is optimal.

    Interventions have uniform actions, and in several steps their number is the same in each
    context. The result is 0 if none are needed. The plan under interventions must be optimal.
    """
    best = value(model, model.causal_policy()) - NEGLIGIBLE

    def is_optimal(interventions: float) -> bool:
        plan = pooled_process(model, interventions).plan()
        return value(model, greedy(plan)) >= best

    if is_optimal(LEAST):
        return 0.0
    # bisection on the logarithm
    low, high = LEAST, MOST
    while high / low > 1 + PRECISION:
        middle = np.sqrt(low * high)
        if is_optimal(middle):
            high = middle
        else:
            low = middle
    return float(high)


def pooled_process(model: World, interventions: float) -> Process:
    """The process that an infinite log without labels shows.

    Each of its recorded steps is joined by `interventions` steps with uniform actions.
    """
    seeing, doing = log_process(model), do_process(model)
    recorded = behaviour_policy(model)
    added = interventions * uniform_policy(model)
    # the share of recorded steps among those with a context and an action
    weight = recorded / (recorded + added)
    transition = weight[..., None] * seeing.transition + (1 - weight[..., None]) * doing.transition
    return replace(
        seeing,
        reward=weight * seeing.reward + (1 - weight) * doing.reward,
        transition=transition,
        visits=recorded + added,
    )
