"""The effect of the action within one step of a log, as an identification query, and its answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from ..arrays import Array
from ..exact.confounding import NEXT, outcomes, rows
from ..graphs.admg import ADMG
from ..graphs.conversion import AnyGraph, as_dag, latent_projection
from ..graphs.d_separation import back_doors
from ..graphs.step_graph import LAG, only_action, unroll, with_role
from ..model.elimination import Factor
from ..model.scm import SCM, check_model
from .data_fusion import recover
from .estimand import Estimand
from .evaluation import EmptyCellError
from .formula import Probability, Set, product, total
from .id_algorithm import Hedge, estimand, identify
from .query import as_query

MOST_ADJUSTED = 3  # variables in an adjustment set that the answer lists


@dataclass(frozen=True, eq=False)
class Answer:
    """What the graph says about an effect.

    Either formulas for it, which are equal; or a hedge, so that it is not identified; or neither:
    no formula was found, and there may be one.
    """

    sets: tuple[tuple[str, ...], ...]  # adjustment sets
    estimands: tuple[Estimand, ...]  # one for each set, and the general one
    hedge: Hedge | None


@dataclass(frozen=True, eq=False)
class ActionEffect:
    """P(y | do(x), z) in one step of the log: the effect of its action, given the context.

    The graph has the variables of the step, the next contexts as `next x`, and the ends of earlier
    steps; all other causes are latent.
    """

    graph: ADMG
    x: str
    y: tuple[str, ...]  # the reward, the end of the episode, and the next contexts
    z: tuple[str, ...]  # the contexts
    survived: tuple[str, ...]  # ends of earlier steps, which did not happen in an episode so long

    @staticmethod
    def of(model: SCM) -> "ActionEffect":
        """The effect in a model: in its only step, or in a step with a long past."""
        check_model(model)
        return ActionEffect.of_graph(model.graph, model.horizon)

    @staticmethod
    def of_graph(graph: AnyGraph, horizon: int) -> "ActionEffect":
        """The effect in a graph of one step, as `SCM.graph` is, of a task of `horizon` steps.

        Raises InputError unless the graph has one node of role action."""
        graph = as_dag(graph)
        names = [name for name in graph if not name.endswith(LAG)]
        x = only_action(graph)
        contexts, ends = with_role(graph, "context"), with_role(graph, "terminal")
        y = (*with_role(graph, "reward"), *ends)
        if horizon == 1:
            return ActionEffect(latent_projection(graph.subgraph(names)), x, y, contexts, ())
        # A path between two variables of a step leads at most len(graph) steps back.
        step = len(graph)
        labels = {(name, step): name for name in names}
        labels |= {(name, step + 1): NEXT + name for name in contexts}
        survived = {
            (name, earlier): f"{name}[{earlier}]" for name in ends for earlier in range(step)
        }
        projected = _projected(unroll(graph, step + 2), labels | survived)
        following = tuple(NEXT + name for name in contexts)
        return ActionEffect(projected, x, y + following, contexts, tuple(survived.values()))

    def back_doors(self, among: Sequence[str] | None = None) -> tuple[tuple[str, ...], ...]:
        """The minimal sets that with the contexts close every back-door path, small ones first.

        They have variables of `among`, by default the logged ones. The log itself conditions on
        selection, and on episodes that have not ended.
        """
        if among is None:
            among = self._with_role("logged")
        given = (*self.z, *self.survived, *self._with_role("selection"))
        return tuple(back_doors(self.graph.dag, self.x, self.y, given, among))

    def answer(self) -> Answer:
        """What the graph says about the effect.

        Formulas are in the law of the recorded rows, if rows are selected.
        """
        selections = self._with_role("selection")
        if selections:
            return self._answer_if_selected(selections[0])
        sets = tuple(s for s in self.back_doors() if len(s) <= MOST_ADJUSTED)
        general = identify(self.graph, self.y, self.x, self.z + self.survived)
        if isinstance(general, Hedge):
            return Answer(sets, (), general)
        estimands = [self._adjusted(s) for s in sets]
        if not self.survived:
            estimands.append(general)
        return Answer(sets, tuple(estimands), None)

    def _with_role(self, role: str) -> list[str]:
        return [name for name in self.graph.nodes if self.graph.roles[name] == role]

    def _answer_if_selected(self, selection: str) -> Answer:
        if any(cause == selection for cause, _ in self.graph.directed):
            return Answer((), (), None)
        recovered = recover(self.graph, self.y, self.x, selection, self.z)
        everyone = self.graph.sub(Set(self.graph.nodes) - {selection})
        effect = identify(everyone, self.y, self.x, self.z)
        hedge = effect if isinstance(effect, Hedge) else None
        return Answer((), (recovered,) if recovered else (), hedge)

    def _adjusted(self, chosen: tuple[str, ...]) -> Estimand:
        """The sum over s of P(s | z) P(y | x, s, z)."""
        s, y, z = Set(chosen), Set(self.y), Set(self.z)
        factors = [Probability(y, s | z | {self.x})]
        if s:
            factors.insert(0, Probability(s, z))
        formula = total(s, product(factors))
        return estimand(as_query(self.graph, self.y, self.x, self.z), formula, formula)


def answer(model: SCM) -> Answer:
    """What the graph of a model says about the effect of its action.

    In a model of several steps it is the effect of one step's action on its reward, on the end of
    the episode and on the next context, in the rows of that step.
    """
    return ActionEffect.of(model).answer()


def back_door_set(graph: AnyGraph) -> tuple[str, ...] | None:
    """The smallest set of logged variables that with the contexts closes every back-door path.

    The graph is one of one step, as `SCM.graph` is; the paths are those of the action to the
    reward, the end of the episode and the next contexts. None if there is no such set. Raises
    InputError unless the graph has one node of role action.
    """
    graph = as_dag(graph)
    has_past = any(name.endswith(LAG) for name in graph)
    effect = ActionEffect.of_graph(graph, horizon=2 if has_past else 1)
    sets = effect.back_doors(with_role(graph, "logged"))
    return sets[0] if sets else None


def kernel(model: SCM, formula: Estimand) -> Array:
    """P(outcomes | do(action), contexts) by a formula, on the exact law of the model's log.

    Its axes are the contexts as one, the action, the reward, and all other outcomes as one. It is
    NaN where the formula needs a cell that the log never fills. Raises NotDiscreteError or
    TooLargeError.
    """
    law = Factor(formula.names, rows(model, formula.names))
    axes = (*model.contexts, model.action, *outcomes(model))
    sizes = [len(model.tables.support(name.removeprefix(NEXT))) for name in axes]
    split = len(model.contexts) + 1
    values = np.full(sizes, np.nan)
    for position in _whole_or_each(formula, law, sizes[:split]):
        held = dict(zip(axes, position, strict=False))
        try:
            names, table = formula.evaluate(law, held)
        except EmptyCellError:
            continue
        order = [names.index(name) for name in axes if name not in held]
        values[position] = table.transpose(order)
    others = int(np.prod(sizes[split + 1 :]))
    return values.reshape(-1, sizes[split - 1], sizes[split], others)


def _whole_or_each(formula: Estimand, law: Factor, sizes: list[int]) -> Iterator[tuple[int, ...]]:
    """No position at all if the formula has a value everywhere, else each context and action."""
    try:
        formula.evaluate(law)
    except EmptyCellError:
        yield from np.ndindex(*sizes)
    else:
        yield ()


def _projected(graph: "nx.DiGraph[Any]", labels: dict[tuple[str, int], str]) -> ADMG:
    """The latent projection on the nodes that have a label, which becomes their name."""
    names = {}
    hidden = []
    for node in graph:
        names[node] = labels.get(node, f"{node[0]}[{node[1]}], unseen")
        if node not in labels:
            hidden.append(names[node])
    return latent_projection(nx.relabel_nodes(graph, names), hidden)
