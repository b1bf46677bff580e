"""What a policy believes of its own value and of its actions, scored against the model."""

import numpy as np

from dosuite.agents import Policy
from dosuite.causal import Array, NotDiscreteError, TooLargeError, World
from dosuite.causal.arrays import Floats
from dosuite.causal.exact import Process, chain, do_process, is_steady, log_process
from dosuite.causal.exact.decision_process import expected, greedy, mean_value
from dosuite.envs import context_mean

from ..scores.metrics import ActionValues, Over, metrics_over


def belief_columns() -> list[str]:
    """The columns of results that hold beliefs, in alphabetical order."""
    return sorted(["believed", *(metric.name for metric in metrics_over(Over.ACTIONS))])


def beliefs(model: World, policy: Policy) -> dict[str, float]:
    """The value that a policy believes it has, and every metric of its action values.

    Of rich observations, the action values are means over all that a context looks like.

    By column; NaN where the policy believes nothing that can be scored.
    """
    columns = dict.fromkeys(belief_columns(), np.nan)
    if policy.remembers and model.horizon > 1:
        return columns
    try:
        process, values = do_process(model), context_mean(model, policy.action_values)
    except (NotDiscreteError, TooLargeError):
        return columns
    columns["believed"] = _believed_value(model, policy, values, process)
    action_values = _action_values(model, policy, values, process)
    if action_values is not None:
        for metric in metrics_over(Over.ACTIONS):
            columns[metric.name] = metric.compute(action_values)
    return columns


def _believed_value(model: World, policy: Policy, values: Array | None, process: Process) -> float:
    """The policy's value in its own model, or under its own action values (C, A)."""
    believed = np.nan
    if policy.process is None and values is None:
        return believed
    table = np.asarray(context_mean(model, policy.probabilities))
    if policy.process is not None:
        believed = policy.process.value(table)
    elif values is not None:
        believed = float(expected(process.start, mean_value(table, values)))
    # infinite if the policy takes an action that its data never shows
    return believed if np.isfinite(believed) else np.nan


def _action_values(
    model: World, policy: Policy, values: Array | None, process: Process
) -> ActionValues | None:
    """The policy's action values beside the true ones, in the contexts that the best policy visits.

    Each is the reward of a step plus the true value of the best policy from the next context on.
    None if the policy has none there, or if the model has no value of a context to go on with.
    """
    if not is_steady(model):
        return None
    best = greedy(process.plan())
    if model.horizon > 1:
        continuation = mean_value(best, process.plan())
    else:
        continuation = np.zeros(len(process.start))
    believed = values if model.horizon == 1 else None
    if policy.process is not None:
        believed = policy.process.backup(continuation)
    doing = process.backup(continuation)
    seeing = log_process(model).backup(continuation)
    weights = chain(model).process(best).visits.sum(1)
    visited: Floats = weights > 0
    if believed is None:
        return None
    if not np.isfinite(np.stack([believed, doing, seeing])[:, visited]).all():
        return None
    return ActionValues(
        believed[visited], doing[visited], seeing[visited], weights[visited] / weights.sum()
    )
