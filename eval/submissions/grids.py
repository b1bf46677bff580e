"""Whether the runs of a submission are a whole grid: every seed, agent and variant."""

from collections import defaultdict
from collections.abc import Iterable

from dosuite.causal import InputError, World
from dosuite.envs import make_model
from dosuite.envs.plugins import names_file
from dosuite.envs.regimes import Budget, Regime

from .manifest import Entry, name_of

Kind = tuple[str, str, int]  # an agent, a regime and a budget


def seeds_of(entries: Iterable[Entry]) -> int:
    """The number of seeds of a grid that ends with the largest seed; 1 if no run learns."""
    return max((entry.seed for entry in entries), default=0) + 1


def grid_faults(entries: Iterable[Entry], seeds: int) -> list[str]:
    """What is missing in a grid with the seeds 0 to `seeds` - 1, and what is there twice."""
    listed = [entry for entry in entries if entry.regime in tuple(Regime)]
    return [*_seed_faults(listed, seeds), *_agent_faults(listed)]


def _seed_faults(entries: Iterable[Entry], seeds: int) -> list[str]:
    groups: dict[tuple[str, str, Kind], list[int]] = defaultdict(list)
    for entry in entries:
        groups[entry.environment, entry.variant, _kind(entry)].append(entry.seed)
    faults = []
    for (environment, variant, (agent, regime, _)), there in groups.items():
        where = " ".join(filter(None, (environment, variant, f"{agent}@{regime}")))
        wanted = range(1 if Regime(regime).budget is Budget.NONE else seeds)
        twice = sorted({seed for seed in there if there.count(seed) > 1})
        missing = sorted(set(wanted) - set(there))
        surplus = sorted(set(there) - set(wanted))
        faults += [f"{where}: seed {seed} is there twice" for seed in twice]
        faults += [f"{where}: seed {seed} is missing" for seed in missing]
        faults += [f"{where}: seed {seed} is not one of 0 to {len(wanted) - 1}" for seed in surplus]
    return faults


def _agent_faults(entries: list[Entry]) -> list[str]:
    """The agents that are missing in a variant or an environment.

    An agent that is in one environment is in all whose actions are of the same kind: counted, or
    numbers.
    """
    models = {entry.environment: _model(entry.environment) for entry in entries}
    learners = [entry for entry in entries if entry.regime != Regime.EXACT]
    everywhere: dict[bool, set[Kind]] = defaultdict(set)
    there: dict[tuple[str, str], set[Kind]] = defaultdict(set)
    for entry in learners:
        model = models[entry.environment]
        there[entry.environment, entry.variant].add(_kind(entry))
        if model is not None:
            everywhere[model.action_bounds is None].add(_kind(entry))
    has_controls = any(entry.variant == "control" for entry in entries)
    faults = []
    for environment, model in models.items():
        if model is None:
            continue
        kinds = everywhere[model.action_bounds is None]
        variants = ["", *(["twin"] if model.twin() is not None else [])]
        for variant in variants + ["control"] * has_controls:
            for agent, regime, _ in sorted(kinds - there[environment, variant]):
                where = " ".join(filter(None, (environment, variant)))
                faults.append(f"{where}: {agent}@{regime} is missing")
    return faults


def _kind(entry: Entry) -> Kind:
    return entry.agent, entry.regime, entry.budget


def _model(environment: str) -> World | None:
    """The world of an id; None if it is of a user's file, or unknown."""
    if names_file(name_of(environment)):
        return None
    try:
        return make_model(environment)
    except InputError:
        return None
