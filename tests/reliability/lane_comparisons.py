"""Many units and many seeds at once against one by one: environments, logs and agents."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from turned_off import patched

from dosuite.agents import agent_classes, make_agent
from dosuite.causal import (
    InputError,
    NotDiscreteError,
    TooLargeError,
    World,
)
from dosuite.causal.exact import (
    reachable,
)
from dosuite.envs import CausalEnv, CausalVectorEnv, collect
from dosuite.envs.gym import by_table, by_variable
from dosuite.envs.logs import shuffle

Array = NDArray[Any]
Pairs = Iterator[tuple[str, Any, Any]]  # an answer's name, the ordinary answer, and the other


def step_tables(model: World) -> Pairs:
    """The law in the alias tables of a step against the transitions that they were made from."""
    compiled = by_table.compiled(model)
    if compiled is None:
        return
    names = model.names("logged", "reward", "terminal")
    acts = np.arange(len(model.tables.support(model.action)))
    states = reachable.reachable_states(model, names, acts, 2**18)
    table = compiled.table
    pairs = states.expanded * len(acts)
    share = _shares(table.step, pairs)
    place = np.arange(len(share)) // (2 << table.step.bits)
    for title, ordinary, number in (
        ("reward", table.reward, states.transitions.columns[model.reward]),
        ("next state", table.row // (len(acts) << table.step.bits + 1), states.next_state),
    ):
        by_picks = np.bincount(place, share * ordinary, pairs)
        by_law = np.bincount(states.transitions.origin, states.transitions.weight * number, pairs)
        scale = max(1.0, float(np.abs(number).max()))
        yield title, by_picks / scale, by_law / scale


def _shares(alias: Any, count: int) -> Array:
    """The probability of each pick, given its distribution."""
    size = 2.0 ** (32 - alias.bits)
    cell = np.arange(len(alias.threshold) // 2) % (1 << alias.bits)
    first = (alias.threshold[::2] >> np.uint64(32)).astype(float) - cell * size
    return np.stack([first, size - first], axis=1).ravel() / 2.0**32


def _random_actions(env: Any, steps: int) -> list[Array]:
    space = env.action_space
    space.seed(0)
    return [space.sample() for _ in range(steps)]


def single_units(model: World) -> Pairs:
    """A batch of four environments against four single ones, by table and by variable."""
    for paired in (False, True):
        batch = CausalVectorEnv(model, 4, paired=paired)
        batched = _trace(batch, 3 * model.horizon if model.horizon < 40 else 60)
        for unit in range(4):
            alone = _trace_alone(CausalEnv(model, paired=paired), unit, batched)
            for name in ("observation", "reward", "ended"):
                ordinary = np.asarray([row[name][unit] for row in batched], float)
                yield f"{name} {unit}", ordinary, [np.asarray(row[name], float) for row in alone]


def _trace(env: CausalVectorEnv, steps: int) -> list[dict[str, Any]]:
    observation, _ = env.reset(seed=0)
    rows = [{"observation": observation.copy(), "reward": np.zeros(4), "ended": np.zeros(4)}]
    for actions in _random_actions(env, steps):
        observation, reward, terminated, truncated, _ = env.step(actions)
        ended = terminated | truncated
        row = {"observation": observation.copy(), "reward": reward.copy(), "ended": ended.copy()}
        rows.append({**row, "action": actions})
    return rows


def _trace_alone(env: CausalEnv, unit: int, batched: list[dict[str, Any]]) -> list[dict[str, Any]]:
    observation, _ = env.reset(seed=unit)
    rows: list[dict[str, Any]] = [{"observation": observation, "reward": 0.0, "ended": False}]
    for row in batched[1:]:
        observation, reward, terminated, truncated, _ = env.step(row["action"][unit])
        ended = terminated or truncated
        if ended:  # a batch shows the first observation of the next episode at once
            observation, _ = env.reset()
        rows.append({"observation": observation, "reward": reward, "ended": ended})
    return rows


def whole_steps(model: World) -> Pairs:
    """Steps of the variables that are shown or read later, against steps of all variables."""
    ordinary = _trace(CausalVectorEnv(model, 4, paired=True), 40)
    with patched((by_variable, "_needed", lambda model: set(model.variables))):
        other = _trace(CausalVectorEnv(model, 4, paired=True), 40)
    for name in ("observation", "reward", "ended"):
        yield name, [row[name] for row in ordinary], [row[name] for row in other]


def blocks(model: World) -> Pairs:
    """Random words generated in blocks against word by word."""
    if by_table.compiled(model) is None:
        return
    ordinary = _trace(CausalVectorEnv(model, 4), 40)
    with patched((by_table, "BLOCK", 1)):
        other = _trace(CausalVectorEnv(model, 4), 40)
    for name in ("observation", "reward", "ended"):
        yield name, [row[name] for row in ordinary], [row[name] for row in other]


# The shortcuts of agents.

FEW = {"updates": 6, "steps": 4, "iterations": 2, "restarts": 2, "hidden": 8}
ROWS = 300


def _agents(model: World, counts: bool) -> Iterator[tuple[str, Any]]:
    """The offline agents that can act in a world: those that count, or those with networks."""
    for name, cls in agent_classes().items():
        acts = cls.counts_actions if model.action_bounds is None else cls.acts_in_a_box
        if "observe" not in cls.learns or not acts:
            continue
        if ("agents.tabular" in cls.__module__) != counts:
            continue
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        settings: dict[str, Any] = {key: few for key, few in FEW.items() if key in known}
        yield name, make_agent(name, **settings)


def data_of(model: World, agent: Any, seed: int) -> Any:
    log = collect(model, -(-ROWS // model.horizon), seed)
    graph = model.graph.copy() if "graph" in agent.needs else None
    return log.view(np.random.default_rng(seed), "labels" in agent.needs, graph)


def learned_of(policy: Any, data: Any) -> list[Array]:
    """What a policy does and believes on the first observations of a log."""
    if isinstance(policy, Exception):
        return [np.zeros(0)]
    observations = data["observation"][:50]
    try:
        rows = [np.asarray(policy.probabilities(observations))]
    except NotDiscreteError:
        rows = [np.asarray(policy.act(observations, np.random.default_rng(0)))]
    values = policy.action_values(observations)
    return rows if values is None else [*rows, np.asarray(values)]


def seeds_as_lanes(model: World, counts: bool) -> Pairs:
    """Three seeds that learn at once against one by one."""
    for name, agent in _agents(model, counts):
        sources = [data_of(model, agent, seed) for seed in range(3)]
        rngs = [np.random.default_rng(seed) for seed in range(3)]
        try:
            together = agent.learn_all(sources, rngs)
        except InputError:
            continue
        for seed, policy in enumerate(together):
            try:
                alone = agent.learn(sources[seed], np.random.default_rng(seed))
            except (InputError, NotDiscreteError, TooLargeError, FloatingPointError):
                continue
            pairs = zip(
                learned_of(policy, sources[seed]), learned_of(alone, sources[seed]), strict=True
            )
            for one, other in pairs:
                yield f"{name} {seed}", one, other


def in_pieces(model: World) -> Pairs:
    """Logs that agents count at once against logs read 50 rows at a time."""
    for name, agent in _agents(model, counts=True):
        data = data_of(model, agent, 0)
        try:
            ordinary = learned_of(agent.learn(data, 0), data)
            with ExitStack() as stack:
                for module in _log_modules():
                    stack.enter_context(patch.object(module, "ROWS", 50))
                other = learned_of(agent.learn(data, 0), data)
        except (InputError, NotDiscreteError, TooLargeError):
            continue
        for one, two in zip(ordinary, other, strict=True):
            yield name, one, two


def _log_modules() -> list[Any]:
    import dosuite.envs.logs.checks as checks
    import dosuite.envs.logs.log as log

    return [checks, log, shuffle]
