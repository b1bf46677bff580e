"""The worlds of the catalogue: those that can be counted, for laws that compare with exact answers;
of these the ones so small that a table holds the joint law of a step, for laws about that; and the
continuous ones."""

from math import prod

import pytest

from dosuite.causal import NotDiscreteError, World
from dosuite.envs import members

LARGEST = 2**18  # cells of a joint law of a step


def is_countable(model: World) -> bool:
    """Whether a model has tables."""
    try:
        for name in model.variables:
            model.tables.support(name)
    except NotDiscreteError:
        return False
    return True


def is_tabular(model: World) -> bool:
    """Whether a table holds the joint law of a step."""
    return (
        is_countable(model)
        and prod(len(model.tables.support(name)) for name in model.variables) <= LARGEST
    )


COUNTABLE: dict[str, World] = {text: model for text, model in members() if is_countable(model)}
TABULAR: dict[str, World] = {text: model for text, model in COUNTABLE.items() if is_tabular(model)}
CONTINUOUS: dict[str, World] = {text: model for text, model in members() if text not in COUNTABLE}


def each(models: dict[str, World]) -> pytest.MarkDecorator:
    """A law over models: those whose steps no table holds have their turn less often."""
    marks = {
        text: [pytest.mark.long] if text in COUNTABLE and text not in TABULAR else []
        for text in models
    }
    return pytest.mark.parametrize(
        "model", [pytest.param(model, id=text, marks=marks[text]) for text, model in models.items()]
    )
