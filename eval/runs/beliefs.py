"""What a policy believes of its own value and of its actions, scored against the model."""

import numpy as np

from dosuite.agents import Policy
from dosuite.causal import Array, NotDiscreteError, TooLargeError, World
from dosuite.causal.arrays import Floats
from dosuite.causal.exact import Process, chain, do_process, is_steady, log_process
from dosuite.causal.exact.decision_process import expected, greedy, mean_value
from dosuite.envs import context_mean, shown_contexts

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
        process, values = do_process(model), _values_of_contexts(model, policy)
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
    table = context_mean(model, policy.probabilities)
    if policy.process is not None:
        believed = policy.process.value(table)
    elif values is not None:
        believed = float(expected(process.start, mean_value(table, values)))
    # infinite if the policy takes an action that its data never shows
    return believed if np.isfinite(believed) else np.nan


def _values_of_contexts(model: World, policy: Policy) -> Array | None:
    """The mean action values over all that each context looks like, (C, A), if there are any."""
    if policy.action_values(shown_contexts(model)[:1, 0]) is None:
        return None
    return context_mean(model, lambda seen: np.asarray(policy.action_values(seen)))


def _action_values(
    model: World, policy: Policy, values: Array | None, process: Process
) -> ActionValues | None:
    """The policy's action values beside the true ones, in the contexts that the best policy visits.

    Each is the reward of a step plus the true value V* of the best policy from the next context on.
    A policy with a process of its own gives that backup; one that only has action values Q, such as
    a network, gives `one_step_backup`. None if the policy has none there, or if the model has no
    value of a context to go on with.
    """
    if not is_steady(model):
        return None
    best = greedy(process.plan())
    if model.horizon > 1:
        continuation = mean_value(best, process.plan())
    else:
        continuation = np.zeros(len(process.start))
    logged = log_process(model)
    if policy.process is not None:
        believed: Floats | None = policy.process.backup(continuation)
    else:
        believed = values
        if believed is not None and model.horizon > 1:
            table = context_mean(model, policy.probabilities)
            believed = one_step_backup(believed, table, logged, continuation)
    doing = process.backup(continuation)
    seeing = logged.backup(continuation)
    weights = chain(model).process(best).visits.sum(1)
    visited: Floats = weights > 0
    if believed is None:
        return None
    if not np.isfinite(np.stack([believed, doing, seeing])[:, visited]).all():
        return None
    return ActionValues(
        believed[visited], doing[visited], seeing[visited], weights[visited] / weights.sum()
    )


def one_step_backup(
    values: Floats, policy: Floats, logged: Process, continuation: Floats
) -> Floats:
    """What action values Q say of one step followed by `continuation` (C,): (C, A).

    Q holds what its learner believes of all later steps too, V_Q(o) = sum_a pi(a | o) Q(o, a). That
    is taken out, under the transitions P of the log, and the continuation V is put in its place:

        Q(o, a) + discount sum_o' P(o' | o, a) (V(o') - V_Q(o')).

    If Q solves the Bellman equation of the log exactly, this is the backup of V in the log; if it
    solves that of acting, V_Q and V are equal and it is the backup of V under interventions.
    `values` and `policy` are (C, A). It is -inf where the log has no data.
    """
    excess = continuation - mean_value(policy, values)
    backed_up = values + logged.discount * logged.following(excess)
    return np.where(logged.visits > 0, backed_up, -np.inf)
