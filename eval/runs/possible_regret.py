"""The regret that a policy can have in any world with the graph and the log of its own."""

from dataclasses import replace
from functools import lru_cache
from math import prod

from dosuite.agents import Policy
from dosuite.causal import InputError, NotDiscreteError, TooLargeError, World
from dosuite.causal.world.certificates import Certificate, certificate
from dosuite.envs import context_mean

from ..scores.identifiability import PossibleRegret
from ..scores.metrics import Over, metrics_over

MOST_PAIRS = 64  # of a context and an action; with more, bounds take longer than a second


def regret_metrics(model: World, policy: Policy) -> dict[str, float]:
    """Every metric of the regret that a policy can have, by column; empty where there is none."""
    regret = possible_regret(model, policy)
    if regret is None:
        return {}
    return {each.name: each.compute(regret) for each in metrics_over(Over.REGRETS)}


def regret_columns() -> list[str]:
    """The columns of `regret_metrics`."""
    return [each.name for each in metrics_over(Over.REGRETS)]


def possible_regret(model: World, policy: Policy) -> PossibleRegret | None:
    """The largest regret over all worlds with the graph and the observational law of `model`.

    None if it has several steps, if it is not discrete, if policies are valued in another world
    than the logged one, if the policy sees the intent or a nuisance, or if the bounds are too
    costly, and for a random policy without a table. Where the bounds are not sharp the regrets are
    upper bounds.
    """
    known = _certificate(replace(model, observation=""))
    if known is None or known.intervals is None or known.minimax_regret is None:
        return None
    confused = known.confused_regret
    if confused is None:
        return None
    try:
        table = context_mean(model, policy.probabilities)
    except NotDiscreteError:  # it is random, and has no table
        return None
    # a regret is at least 0, and a linear programme may miss that by its tolerance
    numbers = known.intervals.regret(table), known.minimax_regret.value, confused
    return PossibleRegret(*(max(0.0, number) for number in numbers))


@lru_cache(maxsize=64)
def _certificate(model: World) -> Certificate | None:
    """The certificate of a world of one step; None where nothing bounds its regret."""
    elsewhere = model.deployment or model.nuisance_strength or model.observe_intent
    if model.horizon > 1 or elsewhere or model.action_bounds is not None:
        return None
    try:
        names = (*model.contexts, model.action)
        if prod(len(model.tables.support(name)) for name in names) > MOST_PAIRS:
            return None
        return certificate(model)
    except (NotDiscreteError, TooLargeError, InputError):
        return None
