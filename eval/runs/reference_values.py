"""The reference policies: what each is worth in a world, its column, and how figures show it.

To add one, decorate a function of (model, world) with `reference`: the column, the tables, the
lines in the figures, the definitions and the runs of its agent all follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dosuite.causal import InputError, NotDiscreteError, TooLargeError, World, uniform_policy, value
from dosuite.causal.errors import did_you_mean
from dosuite.causal.exact import worst_policy

ValueIn = Callable[[World, World], float]


@dataclass(frozen=True)
class Line:
    """How figures mark a reference value."""

    label: str
    colour: str
    style: str  # of matplotlib
    width: float = 1.6  # points


@dataclass(frozen=True)
class Reference:
    """One reference policy, and the column of its value."""

    column: str
    name: str  # in tables
    definition: str  # of the number in the column
    value: ValueIn  # of the policy that is defined by a model, in a world: the model or a shift
    agent: str  # the reference agent that plays it; "" if there is none
    phrase: str  # in a sentence: "0 is chance"; "" if it never ends a scale
    line: Line | None  # in figures; None leaves it out


REFERENCES: dict[str, Reference] = {}  # by column, in the order of the columns


def reference(
    column: str,
    name: str,
    definition: str,
    agent: str = "",
    phrase: str = "",
    line: Line | None = None,
) -> Callable[[ValueIn], ValueIn]:
    """Register a function (model, world) -> value as that of a reference policy."""

    def register(function: ValueIn) -> ValueIn:
        REFERENCES[column] = Reference(column, name, definition, function, agent, phrase, line)
        return function

    return register


def reference_agents() -> tuple[str, ...]:
    """The agents that play reference policies."""
    return tuple(each.agent for each in REFERENCES.values() if each.agent)


@reference(
    "j_confused",
    "confused",
    "the value of the confused policy, which would be optimal if associations in the log were "
    "effects",
    agent="confused",
    phrase="the confused policy",
    line=Line("confused", "#D55E00", "--"),
)
def _confused(model: World, world: World) -> float:
    return value(world, model.confused_policy())


@reference(
    "j_causal",
    "causal",
    "the value of the causal policy, the best memoryless policy of the deployment, frozen under "
    "shifts",
    agent="causal",
    phrase="the best policy",
    line=Line("causal", "#222222", "-"),
)
def _causal(model: World, world: World) -> float:
    return value(world, model.deployed().causal_policy())


@reference("j_best", "best", "the value of the best memoryless policy of the row's own world")
def _best(model: World, world: World) -> float:
    return value(world, world.causal_policy())


@reference("j_worst", "worst", "the value of the worst memoryless policy of the row's own world")
def _worst(model: World, world: World) -> float:
    return value(world, worst_policy(world))


@reference(
    "j_uniform",
    "uniform",
    "the value of the policy that takes every action with equal probability",
    agent="uniform",
    phrase="chance",
    line=Line("uniform", "#888888", ":"),
)
def _uniform(model: World, world: World) -> float:
    return value(world, uniform_policy(world))


@reference(
    "j_behaviour",
    "behaviour",
    "the mean return of the behaviour policy, which may act on hidden causes",
    agent="behaviour",
    line=Line("the log", "#888888", "-.", 1.1),
)
def _behaviour(model: World, world: World) -> float:
    return value(world)


@reference(
    "j_intent",
    "best with intent",
    "the value of the best memoryless policy that is shown the intent: the action that the "
    "behaviour policy was about to take",
    phrase="the best that sees the intent",
    line=Line("best with intent", "#009E73", "-", 1.1),
)
def _intent(model: World, world: World) -> float:
    return value(world.with_intent(), world.with_intent().causal_policy())


@reference("promised", "promised", "the return that the confused policy expects, given the log")
def _promised(model: World, world: World) -> float:
    return model.promised_value()


@lru_cache(maxsize=256)
def references(model: World, world: World) -> dict[str, float]:
    """The value of every reference policy of `model` in `world`, the model or a shift of it.

    By column; NaN where there is no exact answer. A model's own `values_in` come first. Raises
    InputError if these name a column that does not exist.
    """
    own_values = model.values_in(world)
    unknown = sorted(own_values.keys() - REFERENCES.keys())
    if unknown:
        raise InputError(
            f"{type(model).__name__}.values_in gives {unknown[0]!r}, which is no reference value; "
            f"{did_you_mean(unknown[0], REFERENCES)}"
        )
    values = {}
    for column, each in REFERENCES.items():
        if column in own_values:
            values[column] = own_values[column]
        else:
            values[column] = _value_or_nan(each.value, model, world)
    return values


def _value_or_nan(answer: ValueIn, model: World, world: World) -> float:
    try:
        return answer(model, world)
    except (NotDiscreteError, TooLargeError):
        return np.nan
