"""Causal graphs: of one step (`SCM.graph`) and unrolled over time, d-separation, and sets that
close the back door.

A graph of one step has a node for each variable with the attribute `role`; `x_tm1` is `x` one step
earlier. That is all an agent gets that asks for the graph: no mechanism."""

import networkx as nx

LAG = "_tm1"  # x_tm1 is x one step earlier

Graph = nx.DiGraph  # of names; unrolled: of pairs (name, step)
Node = tuple[str, int]


def with_role(graph: "Graph[str]", *roles: str) -> tuple[str, ...]:
    """The variables of one step that have one of the roles, in the order of the graph."""
    return tuple(
        name for name in graph if graph.nodes[name]["role"] in roles and not name.endswith(LAG)
    )


def unroll(graph: "Graph[str]", steps: int) -> "Graph[Node]":
    """The graph of `steps` consecutive steps, somewhere in an episode:

    nodes are pairs (name, step), with the role of the name.
    """
    unrolled: Graph[Node] = nx.DiGraph()
    names = [name for name in graph if not name.endswith(LAG)]
    unrolled.add_nodes_from(
        ((name, step), {"role": graph.nodes[name].get("role", "")})
        for step in range(steps)
        for name in names
    )
    for cause, effect in graph.edges:
        lag = cause.endswith(LAG)
        unrolled.add_edges_from(
            ((cause.removesuffix(LAG), step - lag), (effect, step))
            for step in range(int(lag), steps)
        )
    return unrolled


def is_markov(graph: "Graph[str]") -> bool:
    """Whether context and action d-separate what follows from what came before, when a memoryless
    policy acts.
    """
    (act,) = with_role(graph, "action")
    contexts = with_role(graph, "context")
    acted = graph.copy()
    acted.remove_edges_from(list(graph.in_edges(act)))
    acted.add_edges_from((name, act) for name in contexts)
    unrolled = unroll(acted, 3)
    future = _outcomes(graph, 1)
    past = {node for node in unrolled if node[1] == 0}
    return bool(nx.is_d_separator(unrolled, future, past, {(name, 1) for name in (*contexts, act)}))


def as_text(graph: "Graph[str]") -> str:
    """The graph as lines of text, one for each variable, causes first: its role, its name and what
    it causes.

    A hidden common cause without a name, as in `ADMG.dag`, is a line x <-> y.
    """
    lines = []
    for name in nx.lexicographical_topological_sort(graph, key=list(graph).index):
        role, nameless = graph.nodes[name]["role"], "arc" in graph.nodes[name]
        if (effects := list(graph.successors(name))) and not nameless:
            lines.append(f"{role:>9}  {name} -> {', '.join(effects)}")
        elif not name.endswith(LAG):
            lines.append(f"{role:>9}  {name}")
    return "\n".join(lines)


def _outcomes(graph: "Graph[str]", step: int) -> set[Node]:
    """What an action leads to: reward and end of the step, and the next contexts."""
    return {(name, step) for name in with_role(graph, "reward", "terminal")} | {
        (name, step + 1)
        for name in with_role(graph, "context")
        if any(cause.endswith(LAG) for cause in nx.ancestors(graph, name))
    }
