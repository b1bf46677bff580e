"""Instrumental variables by two-stage least squares."""

from dataclasses import dataclass
from typing import ClassVar

import networkx as nx
import numpy as np

from dosuite.causal import Array
from dosuite.causal.graphs import with_role
from dosuite.causal.identification import two_stage_least_squares
from dosuite.envs import Data, as_integer

from ..policy import Policy
from .counting import ValuedPolicy, abstain, counts
from .graph_agent import GraphAgent, context_by_context

RESAMPLES = 2  # the fewest allowed; the standard error is not used


@dataclass(frozen=True)
class InstrumentalVariables(GraphAgent):
    """Two-stage least squares in each context with the first instrument of the graph, else uniform.

    An instrument is a logged variable that is no effect of the action, that depends on the action
    given the contexts, and that is independent of the reward given the contexts once the arrows out
    of the action are removed. All but the first value of action and instrument are dummy variables,
    so that a binary action and instrument give Wald's (1940) ratio. This is the effect if it is the
    same for all units; else it is that on the units that the instrument moves.

    Source: Angrist and Pischke (2009), Mostly harmless econometrics, section 4.1.
    """

    name: ClassVar[str] = "iv"
    at_several_steps: ClassVar[str] = "instruments are used in one step only"

    def _one_step(self, data: Data, graph: "nx.DiGraph[str]", rng: np.random.Generator) -> Policy:
        candidates = instruments(graph)
        if not candidates:
            return abstain(data, "no instrument")
        instrument = candidates[0]
        contexts, actions, _ = counts(data).shape
        context_of_row = as_integer(data.observation_space, data["observation"])

        def means(context: int) -> Array:
            rows = context_of_row == context
            action, reward = data["action"][rows], data["reward"][rows]
            return _means(action, reward, data[instrument][rows], actions, rng)

        logged = np.unique(context_of_row)
        values, weak = context_by_context(means, logged, (contexts, actions))
        note = f"instrument {instrument}"
        if weak:
            note += f", which does not tell the actions apart in {weak} contexts"
        return ValuedPolicy(values, data.observation_space, note)


def instruments(graph: "nx.DiGraph[str]") -> tuple[str, ...]:
    """The logged variables of a one-step graph that are instruments for the action's effect."""
    (action,), (reward,) = with_role(graph, "action"), with_role(graph, "reward")
    given = {*with_role(graph, "context", "selection")}
    without_effects = graph.copy()
    without_effects.remove_edges_from(list(graph.out_edges(action)))
    effects = nx.descendants(graph, action)
    return tuple(
        name
        for name in with_role(graph, "logged")
        if name not in effects
        and not nx.is_d_separator(graph, {name}, {action}, given)
        and nx.is_d_separator(without_effects, {name}, {reward}, given)
    )


def _means(
    action: Array, reward: Array, instrument: Array, actions: int, rng: np.random.Generator
) -> Array:
    """E[reward | do(action)] for each action: (A,).

    Raises InputError if the instrument does not tell the actions apart.
    """
    # a dummy variable for each value but the first
    taken = {f"action {a}": (action == a).astype(float) for a in range(1, actions)}
    levels = {
        f"instrument {value}": (instrument == value).astype(float)
        for value in np.unique(instrument)[1:]
    }
    columns = {**taken, **levels, "reward": reward.astype(float)}
    effects = two_stage_least_squares(
        columns, list(taken), "reward", list(levels), rng, resamples=RESAMPLES
    ).value
    # the mean under action 0: the mean reward minus the effects of the actions that were taken
    contributions = zip(effects, taken.values(), strict=True)
    base = reward.mean() - sum(effect * column.mean() for effect, column in contributions)
    return np.asarray(base + np.append(0.0, effects))
