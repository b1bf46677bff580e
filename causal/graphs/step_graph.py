"""Causal graphs of one step (`SCM.graph`), and the same unrolled over several steps.

A graph of one step has a node for each variable, with the attribute `role`; the node `x_tm1` is `x`
one step earlier. An agent that asks for the causal graph gets this and no mechanism."""

import networkx as nx

LAG = "_tm1"  # the suffix of a variable one step earlier: "time minus 1"

Node = tuple[str, int]  # of an unrolled graph: the name and the step
StepGraph = nx.DiGraph
UnrolledGraph = nx.DiGraph


def with_role(graph: "StepGraph[str]", *roles: str) -> tuple[str, ...]:
    """The variables of one step that have one of the roles, in the order of the graph."""
    names = []
    for name in graph:
        if graph.nodes[name].get("role") in roles and not name.endswith(LAG):
            names.append(name)
    return tuple(names)


def unroll(graph: "StepGraph[str]", steps: int) -> "UnrolledGraph[Node]":
    """The graph of `steps` consecutive steps: its nodes are pairs (name, step) with the name's
    role.

    Step 0 can be any step of an episode; its causes one step earlier are left out."""
    unrolled: UnrolledGraph[Node] = nx.DiGraph()
    for step in range(steps):
        for name in graph:
            if not name.endswith(LAG):
                unrolled.add_node((name, step), role=graph.nodes[name].get("role", ""))
    for cause, effect in graph.edges:
        lag = int(cause.endswith(LAG))
        name = cause.removesuffix(LAG)
        for step in range(lag, steps):
            unrolled.add_edge((name, step - lag), (effect, step))
    return unrolled


def is_markov(graph: "StepGraph[str]") -> bool:
    """Whether the process is a Markov decision process in its contexts, under any memoryless
    policy: the context and the action d-separate what follows from the step before."""
    # Replace the behaviour policy by one that depends on the contexts alone.
    (action,) = with_role(graph, "action")
    contexts = with_role(graph, "context")
    acted = graph.copy()
    acted.remove_edges_from(list(graph.in_edges(action)))
    acted.add_edges_from((name, action) for name in contexts)

    unrolled = unroll(acted, 3)
    past = {node for node in unrolled if node[1] == 0}
    present = {(name, 1) for name in (*contexts, action)}
    return bool(nx.is_d_separator(unrolled, _outcomes(graph, step=1), past, present))


def as_text(graph: "StepGraph[str]") -> str:
    """The graph as lines of text, one for each variable, causes first: its role, its name and its
    effects.

    A hidden common cause without a name, as in `ADMG.dag`, is a line x <-> y."""
    lines = []
    for name in nx.lexicographical_topological_sort(graph, key=list(graph).index):
        role = graph.nodes[name]["role"]
        is_bidirected_edge = "arc" in graph.nodes[name]
        effects = list(graph.successors(name))
        if effects and not is_bidirected_edge:
            lines.append(f"{role:>9}  {name} -> {', '.join(effects)}")
        elif not name.endswith(LAG):
            lines.append(f"{role:>9}  {name}")
    return "\n".join(lines)


def _outcomes(graph: "StepGraph[str]", step: int) -> set[Node]:
    """The reward and the end of a step, and the next contexts, without those that depend on no step
    before."""
    outcomes = {(name, step) for name in with_role(graph, "reward", "terminal")}
    for name in with_role(graph, "context"):
        if any(cause.endswith(LAG) for cause in nx.ancestors(graph, name)):
            outcomes.add((name, step + 1))
    return outcomes
