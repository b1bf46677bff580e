"""What an offline learner asks of the graph:

the effect of an action on what follows it, given the context; and the answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from ..arrays import Array
from ..errors import InputError, NotDiscreteError, TooLargeError
from ..exact.confounding import NEXT, outcomes, rows
from ..graphs.admg import ADMG, latent_projection
from ..graphs.d_separation import back_doors
from ..graphs.step_graph import LAG, unroll, with_role
from ..model.elimination import Factor
from ..model.scm import SCM
from .data_fusion import recover
from .estimand import Estimand
from .formula import Probability, Set, product, total
from .id_algorithm import Hedge, identify

MOST_ADJUSTED = 3  # variables in an adjustment set that is looked for


@dataclass(frozen=True, eq=False)
class Question:
    """P(y | do(x), z) in one step of the log:

    its graph has the step's variables, the next contexts, and hidden causes of them.
    """

    graph: ADMG
    x: str
    y: tuple[str, ...]
    z: tuple[str, ...]  # the contexts
    survived: tuple[str, ...]  # the ends of earlier steps, which did not happen

    @staticmethod
    def of(model: SCM) -> "Question":
        """The question of a model:

        of its one step, or of a step so late that no common cause is out of sight.
        """
        return Question.of_graph(model.graph, model.horizon)

    @staticmethod
    def of_graph(graph: "nx.DiGraph[str]", horizon: int) -> "Question":
        """The same of the graph of one step alone, as `SCM.graph` is."""
        names = [name for name in graph if not name.endswith(LAG)]
        (act,), contexts, ends = (
            with_role(graph, role) for role in ("action", "context", "terminal")
        )
        following = [NEXT + name for name in contexts if horizon > 1]
        ys = (*with_role(graph, "reward"), *ends, *following)
        if horizon == 1:
            return Question(latent_projection(graph.subgraph(names)), act, ys, contexts, ())
        step = len(graph)
        shown = {(name, step): name for name in names} | {
            (name, step + 1): NEXT + name for name in contexts
        }
        survived = {
            (name, earlier): f"{name}[{earlier}]" for name in ends for earlier in range(step)
        }
        return Question(
            _projected(unroll(graph, step + 2), shown | survived),
            act,
            ys,
            contexts,
            tuple(survived.values()),
        )

    def back_doors(self) -> tuple[tuple[str, ...], ...]:
        """The minimal sets, of at most 3 logged variables, that with z close every back-door path;

        a set may be empty.
        """
        logged = [name for name in self.graph.nodes if self.graph.roles[name] == "logged"]
        sets = back_doors(self.graph.dag, self.x, self.y, (*self.z, *self.survived), logged)
        return tuple(chosen for chosen in sets if len(chosen) <= MOST_ADJUSTED)


@dataclass(frozen=True, eq=False)
class Answer:
    """What the graph says:

    formulas for the effect that are equal, or a hedge that there is none, or neither: it is not
    known.
    """

    sets: tuple[tuple[str, ...], ...]  # that may be adjusted for
    estimands: tuple[Estimand, ...]  # one for each set, and the general one
    hedge: Hedge | None


def answer(model: SCM) -> Answer:
    """What the graph of a model says about the effect of its action. If rows are selected, formulas
    are in the law of those kept.

    In a model of several steps the effect is that of one step on its reward and on the next
    context, in the rows of that step."""
    return answered(Question.of(model))


def answered(asked: Question) -> Answer:
    """What the graph of a question says about it."""
    selections = [name for name in asked.graph.nodes if asked.graph.roles[name] == "selection"]
    if selections:
        if any(cause in selections for cause, _ in asked.graph.directed):
            return Answer((), (), None)
        found = recover(asked.graph, asked.y, asked.x, selections[0], asked.z)
        population = identify(
            asked.graph.sub(Set(asked.graph.nodes) - {*selections}), asked.y, asked.x, asked.z
        )
        return Answer(
            (), (found,) if found else (), population if isinstance(population, Hedge) else None
        )
    sets = asked.back_doors()
    adjusted = [_adjusted(asked, chosen) for chosen in sets]
    general = identify(asked.graph, asked.y, asked.x, asked.z + asked.survived)
    if isinstance(general, Hedge):
        return Answer(sets, (), general)
    return Answer(sets, (*adjusted, *([] if asked.survived else [general])), None)


def kernel(model: SCM, estimand: Estimand) -> Array:
    """P(outcomes | do(action), contexts) by a formula, on the exact law of the log: (C, A, rewards, other outcomes), nan if unknown.

    Unknown is what depends on a cell that the log never fills. Raises NotDiscreteError or
    TooLargeError."""
    law = Factor(estimand.names, rows(model, estimand.names))
    axes = (*model.contexts, model.action, *outcomes(model))
    sizes = [len(model.tables.support(name.removeprefix(NEXT))) for name in axes]
    split = len(model.contexts) + 1
    found = np.full(sizes, np.nan)
    for position in _whole_or_each(estimand, law, sizes[:split]):
        try:
            held = dict(zip(axes, position, strict=False))
            names, table = estimand.evaluate(law, held)
            found[position] = table.transpose(
                [names.index(name) for name in axes if name not in held]
            )
        except (NotDiscreteError, TooLargeError):
            raise
        except InputError:
            pass  # an empty cell
    return found.reshape(-1, sizes[split - 1], sizes[split], int(np.prod(sizes[split + 1 :])))


def _whole_or_each(estimand: Estimand, law: Factor, sizes: list[int]) -> Iterator[tuple[int, ...]]:
    """No position at all if the formula has a value everywhere, or else each context and action."""
    try:
        estimand.evaluate(law)
        yield ()
    except (NotDiscreteError, TooLargeError):
        raise
    except InputError:
        yield from np.ndindex(*sizes)


def _projected(graph: "nx.DiGraph[Any]", names: dict[tuple[str, int], str]) -> ADMG:
    """The graph of what is in `names`, by these names;

    latents, and all that is not in it, are hidden.
    """
    labels = {node: names.get(node, f"{node[0]}[{node[1]}], unseen") for node in graph}
    named = nx.relabel_nodes(graph, labels)
    return latent_projection(
        named, hidden=[label for node, label in labels.items() if node not in names]
    )


def _adjusted(asked: Question, chosen: tuple[str, ...]) -> Estimand:
    """The sum over s of P(s | z) P(y | x, s, z)."""
    ys, xs, zs = asked.graph.pick(asked.y, asked.x, asked.z)
    s, z = Set(chosen), Set(zs)
    formula = total(
        s, product([*([Probability(s, z)] if s else []), Probability(Set(ys), s | z | set(xs))])
    )
    return Estimand(ys, xs, zs, formula, formula, asked.graph.nodes)
