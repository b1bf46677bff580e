"""Causal graphs of one step (`SCM.graph`), and the same unrolled over several steps.

A graph of one step has a node for each variable, with the attribute `role`; the node `x_tm1` is `x`
one step earlier. An agent that asks for the causal graph gets this and no mechanism."""

import networkx as nx

from ..errors import InputError
from .conversion import AnyGraph, as_dag
from .names import LAG as LAG

Node = tuple[str, int]  # of an unrolled graph: the name and the step
StepGraph = nx.DiGraph
UnrolledGraph = nx.DiGraph


def with_role(graph: AnyGraph, *roles: str) -> tuple[str, ...]:
    """The variables of one step that have one of the roles, in the order of the graph."""
    dag = as_dag(graph)
    names = []
    for name in dag:
        if dag.nodes[name].get("role") in roles and not name.endswith(LAG):
            names.append(name)
    return tuple(names)


def only_action(graph: AnyGraph) -> str:
    """The variable of role action. Raises InputError unless there is exactly one."""
    actions = with_role(graph, "action")
    if len(actions) != 1:
        raise InputError(
            f"the graph has {len(actions)} nodes with the role action, and needs one: give its "
            "nodes an attribute `role`, such as action, reward, context or logged"
        )
    return actions[0]


def unroll(graph: AnyGraph, steps: int) -> "UnrolledGraph[Node]":
    """The graph of `steps` consecutive steps: its nodes are pairs (name, step) with the name's
    role.

    Step 0 can be any step of an episode; its causes one step earlier are left out."""
    if not isinstance(steps, int) or steps < 1:
        raise InputError(f"unroll takes a number of steps of at least 1, and got {steps!r}")
    dag = as_dag(graph)
    unrolled: UnrolledGraph[Node] = nx.DiGraph()
    for step in range(steps):
        for name in dag:
            if not name.endswith(LAG):
                unrolled.add_node((name, step), role=dag.nodes[name].get("role", ""))
    for cause, effect in dag.edges:
        lag = int(cause.endswith(LAG))
        name = cause.removesuffix(LAG)
        for step in range(lag, steps):
            unrolled.add_edge((name, step - lag), (effect, step))
    return unrolled


def is_markov(graph: AnyGraph) -> bool:
    """Whether the process is a Markov decision process in its contexts, under any memoryless
    policy: the context and the action d-separate what follows from the step before.

    Raises InputError unless the graph has one node of role action."""
    # Replace the behaviour policy by one that depends on the contexts alone.
    dag = as_dag(graph)
    action = only_action(dag)
    contexts = with_role(dag, "context")
    acted = dag.copy()
    acted.remove_edges_from(list(dag.in_edges(action)))
    acted.add_edges_from((name, action) for name in contexts)

    unrolled = unroll(acted, 3)
    past = {node for node in unrolled if node[1] == 0}
    present = {(name, 1) for name in (*contexts, action)}
    return bool(nx.is_d_separator(unrolled, _outcomes(dag, step=1), past, present))


def as_text(graph: AnyGraph) -> str:
    """The graph as lines of text, one for each variable, causes first: its role, its name and its
    effects.

    A hidden common cause without a name, as in `ADMG.dag`, is a line x <-> y."""
    dag = as_dag(graph)
    lines = []
    for name in nx.lexicographical_topological_sort(dag, key=list(dag).index):
        role = dag.nodes[name]["role"]
        is_bidirected_edge = "arc" in dag.nodes[name]
        effects = list(dag.successors(name))
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
