"""Instruments: variables that move the action, and the outcome only through it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from ..arrays import Array, Floats
from ..errors import InputError, short
from ..graphs.admg import ADMG, Names
from ..graphs.conversion import AnyGraph, as_admg
from ..graphs.d_separation import MOST_SETS, separators
from ..graphs.names import as_names, one_name
from ..tolerances import ZERO_SINGULAR_VALUE
from .columns import ColumnData, Seed, columns_of, numbers
from .estimators import RESAMPLES, Estimate, distinct_rows, with_errors
from .evaluation import Evaluation, Value
from .formula import Probability, Set
from .laws import Laws


class ConditionalInstrument(NamedTuple):
    """A variable that is an instrument once the variables `given` are held fixed."""

    name: str
    given: tuple[str, ...]


def instruments(
    graph: AnyGraph, action: str, outcome: str, given: Names = ()
) -> tuple[ConditionalInstrument, ...]:
    """The instruments for the total effect of the action on the outcome, in the graph's order.

    z is an instrument given a set s if z and the action are dependent given s, if s separates z
    from the outcome once the arrows out of the action are removed, and if the action causes neither
    z nor a member of s. Each instrument comes with the first such set, small ones first, that
    contains `given` and is minimal; sets of which the dependence on the action needs more members
    are not found (van der Zander, Textor and Liskiewicz 2015, ancestral instruments).

    Raises InputError if the names are not distinct variables of the graph.

    Source: Brito and Pearl (2002), Generalized instrumental variables, definition 1.
    """
    admg = as_admg(graph)
    action, outcome = one_name(action, "the action"), one_name(outcome, "the outcome")
    admg.pick([action], [outcome], as_names(given))  # or the error
    always = as_names(given)
    effects = admg.descendants([action])
    if not effects.isdisjoint(always):
        return ()
    candidates = [name for name in admg.nodes if name not in {*effects, outcome, *always}]
    cut = admg.cut(out_of={action})
    valid = []
    for name in candidates:
        others = Set(candidates) - {name}
        for s in _separating_sets(cut, name, outcome, always, others):
            if not admg.separated(name, action, s):
                valid.append(ConditionalInstrument(name, s))
                break
    return tuple(valid)


def _separating_sets(
    graph: ADMG, name: str, outcome: str, always: tuple[str, ...], allowed: Set
) -> Iterator[tuple[str, ...]]:
    """The minimal sets of allowed nodes that with `always` separate a variable from the outcome."""
    sets = separators(graph.dag, (outcome,), (name,), always, set(allowed))
    for s in sorted(islice(sets, MOST_SETS), key=len):
        yield tuple(node for node in graph.nodes if node in s or node in always)


def wald(
    law: Laws,
    instrument: str,
    action: str,
    outcome: str,
    given: Mapping[str, Value] | None = None,
) -> float:
    """The ratio of Wald: (E[y | z=1] - E[y | z=0]) / (E[x | z=1] - E[x | z=0]), an exact number.

    The law is what `Estimand.evaluate` takes. The instrument z has two values, the smaller of
    which is the 0 of the formula; the action x and the outcome y have numbers as values: those of
    the data or of the coordinates, else 0, 1, 2 and so on. Every expectation is also conditional on
    the values in `given`. It is the effect of one unit of the action where that is the same for all
    units, and with a binary action and monotone response that on the compliers (Imbens and Angrist
    1994).

    Raises InputError if z has not two values, if a condition never occurs, or if the mean of the
    action does not depend on z.

    Source: Wald (1940).
    """
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise InputError(f"given maps variables to values, as in {{'x': 1}}, and is {short(given)}")
    instrument = one_name(instrument, "the instrument")
    action, outcome = one_name(action, "the action"), one_name(outcome, "the outcome")
    names = (instrument, action, outcome, *given)
    if len(set(names)) < len(names):
        raise InputError(f"name each variable once; got {', '.join(names)}")
    on = Evaluation(law, [Probability(Set(names))], names, aliases={})
    if on.size(instrument) != 2:
        raise InputError(
            f"{instrument} has {on.size(instrument)} values, and Wald's ratio needs an instrument "
            "with two; use two_stage_least_squares"
        )
    table = _where(on, (instrument, action, outcome), given)
    weights = table.sum((1, 2))
    action_means = table.sum(2) @ on.numbers(action) / weights
    outcome_means = table.sum(1) @ on.numbers(outcome) / weights
    first_stage = action_means[1] - action_means[0]
    if abs(first_stage) <= ZERO_SINGULAR_VALUE:
        raise InputError(
            f"{instrument} is no relevant instrument: the mean of {action} is {action_means[0]:g} "
            "at both of its values"
        )
    return float((outcome_means[1] - outcome_means[0]) / first_stage)


def _where(on: Evaluation, names: tuple[str, ...], given: Mapping[str, Value]) -> Array:
    """The joint table of some variables where others have the given values.

    Raises InputError if a value of the first variable never occurs there.
    """
    table = on.weight((*given, *names))
    for name, value in given.items():
        table = table[on.position(name, value)]
    weights = table.sum(tuple(range(1, table.ndim)))
    if (weights <= 0).any():
        never = on.label(names[0], int(weights.argmin()))
        conditions = ", ".join(f"{name}={value}" for name, value in given.items())
        raise InputError(f"no row has {never}" + (f" where {conditions}" if given else ""))
    return table


def two_stage_least_squares(
    data: ColumnData,
    treatments: Names,
    outcome: str,
    instruments: Names,
    rng: Seed,
    covariates: Names = (),
    resamples: int = RESAMPLES,
) -> Estimate:
    """The linear effect of each treatment on the outcome, by instruments: (treatments,).

    Covariates and a constant are in both stages. Raises InputError if the instruments do not tell
    the treatments and covariates apart.

    Source: Angrist and Pischke (2009), section 4.1.
    """
    treatments, instruments = as_names(treatments), as_names(instruments)
    covariates, columns = as_names(covariates), columns_of(data)
    regressors = [*treatments, *covariates]
    names = [*regressors, *instruments, outcome]
    distinct, counts = distinct_rows(*(numbers(columns, name) for name in names))
    standard, scales = _standardised(distinct, counts)
    # the columns of `standard` are in the order of names, and then the constant
    constant, y = len(names), len(names) - 1
    in_second = [*range(len(regressors)), constant]
    exogenous = [*range(len(treatments), y), constant]

    def estimate(weights: Floats) -> Floats:
        moments = (standard * weights[:, None]).T @ standard / weights.sum()
        effects, rank = _two_stages(moments, in_second, exogenous, y)
        if rank < len(in_second):
            raise InputError(
                f"{', '.join(instruments) or 'no instrument'} cannot tell apart what "
                f"{', '.join(regressors)} do"
            )
        return np.asarray(effects[: len(treatments)] * scales[-1] / scales[: len(treatments)])

    return with_errors(estimate, counts, rng, resamples)


def _standardised(columns: Sequence[Floats], counts: Floats) -> tuple[Floats, Array]:
    """The columns with mean 0 and deviation 1, and a constant, side by side; and the deviations.

    The constant makes up for the means. A column that is constant keeps its scale.
    """
    centred = [column - (counts @ column) / counts.sum() for column in columns]
    scales = [np.sqrt((counts @ column**2) / counts.sum()) or 1.0 for column in centred]
    scaled = [column / scale for column, scale in zip(centred, scales, strict=True)]
    return np.stack([*scaled, np.ones(len(counts))], axis=1), np.array(scales)


def _two_stages(
    moments: Floats, regressors: list[int], exogenous: list[int], y: int
) -> tuple[Floats, int]:
    """The coefficients of the second stage, from second moments, and the rank of its equations."""
    # First stage: the regressors and the outcome, projected on what is exogenous.
    first, *_ = np.linalg.lstsq(
        moments[np.ix_(exogenous, exogenous)],
        moments[np.ix_(exogenous, [*regressors, y])],
        rcond=ZERO_SINGULAR_VALUE,
    )
    # Moments of the fitted regressors with each other, and, in the last column, with the outcome.
    fitted = moments[np.ix_(exogenous, regressors)].T @ first
    # Second stage: the outcome on the fitted regressors.
    effects, _, rank, _ = np.linalg.lstsq(fitted[:, :-1], fitted[:, -1], rcond=ZERO_SINGULAR_VALUE)
    return effects, int(rank)
