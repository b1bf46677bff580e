"""Whether the runs of a submission are a whole grid: every seed, agent and variant."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from dosuite.causal import InputError, World
from dosuite.envs import make_model
from dosuite.envs.plugins import names_file
from dosuite.envs.regimes import Budget, Regime
from dosuite.envs.registry import counterpart

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
        learns = Regime(regime).budget is not Budget.NONE
        where = f"{_place(environment, variant)} {agent}@{regime}"
        faults += [f"{where}: {fault}" for fault in _faults_of(there, seeds if learns else 1)]
    return faults


def _faults_of(there: Sequence[int], seeds: int) -> list[str]:
    """What is wrong with the seeds of one agent."""
    counts = Counter(there)
    twice = [seed for seed, count in counts.items() if count > 1]
    missing = [seed for seed in range(seeds) if seed not in counts]
    surplus = [seed for seed in counts if not 0 <= seed < seeds]
    faults = []
    if twice:
        faults.append(f"seed {_listed(twice)} is there twice")
    if missing:
        faults.append(f"seed {_listed(missing)} is missing")
    if surplus:
        faults.append(f"seed {_listed(surplus)} is not one of 0 to {seeds - 1}")
    return faults


def _listed(seeds: Sequence[int]) -> str:
    """The first seed, and how many others there are."""
    rest = f" (and {len(seeds) - 1} more)" if len(seeds) > 1 else ""
    return f"{min(seeds)}{rest}"


def _agent_faults(entries: Sequence[Entry]) -> list[str]:
    """The agents that are missing in a variant or an environment.

    An agent that is in one environment is in all whose actions are of the same kind: counted, or
    numbers.
    """
    models: dict[str, World] = {}
    for environment in {entry.environment: None for entry in entries}:
        model = _model(environment)
        if model is not None:
            models[environment] = model
    everywhere: dict[bool, set[Kind]] = defaultdict(set)
    there: dict[tuple[str, str], set[Kind]] = defaultdict(set)
    for entry in entries:
        if entry.environment in models and entry.regime != Regime.EXACT:
            there[entry.environment, entry.variant].add(_kind(entry))
            everywhere[_counts(models[entry.environment])].add(_kind(entry))
    has_controls = any(entry.variant == "control" for entry in entries)
    told_the_graph = {_kind(entry) for entry in entries if entry.partners == ("hedge",)}
    faults = []
    for environment, model in models.items():
        for variant in _variants(model, has_controls):
            expected = everywhere[_counts(model)]
            if variant == "hedge":  # for those that are told the graph
                expected = expected & told_the_graph
            missing = expected - there[environment, variant]
            for agent, regime, _ in sorted(missing):
                faults.append(f"{_place(environment, variant)}: {agent}@{regime} is missing")
    return faults


def _variants(model: World, has_controls: bool) -> list[str]:
    variants = [""]
    if counterpart(model, "twin") is not None:
        variants.append("twin")
    if counterpart(model, "hedge") is not None:
        variants.append("hedge")
    if has_controls:
        variants.append("control")
    return variants


def _counts(model: World) -> bool:
    """Whether the actions of a model can be counted."""
    return model.action_bounds is None


def _kind(entry: Entry) -> Kind:
    return entry.agent, entry.regime, entry.budget


def _place(environment: str, variant: str) -> str:
    return f"{environment} {variant}".rstrip()


def _model(environment: str) -> World | None:
    """The world of an id; None if it is of a user's file, or unknown."""
    if names_file(name_of(environment)):
        return None
    try:
        return make_model(environment)
    except InputError:
        return None
