"""An independent library agrees with our exact answers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from countable import COUNTABLE

from dosuite.causal import Array, InputError, World, distribution, effect
from dosuite.eval.bench.bayes_nets import import_pyagrum, in_pyagrum

ONE_STEP = [pytest.param(model, id=text) for text, model in COUNTABLE.items() if model.horizon == 1]


def posterior(net: Any, name: str, evidence: Mapping[str, int]) -> Array:
    engine = import_pyagrum().LazyPropagation(net)
    engine.setEvidence(dict(evidence))
    engine.makeInference()
    return np.asarray(engine.posterior(name).toarray())


@pytest.mark.parametrize("model", ONE_STEP)
def test_seeing_agrees_with_pyagrum(model: World) -> None:
    net = in_pyagrum(model)
    for index, action in enumerate(model.tables.support(model.action)):
        for name in model.order:
            expected = posterior(net, name, {model.action: index})
            assert distribution(model, name, given={model.action: action}) == pytest.approx(
                expected, abs=1e-12
            )


@pytest.mark.parametrize("model", ONE_STEP)
def test_doing_agrees_with_pyagrum(model: World) -> None:
    net = in_pyagrum(model, cut=model.action)
    for index, action in enumerate(model.tables.support(model.action)):
        for name in model.order:
            if name == model.action:
                continue
            expected = posterior(net, name, {model.action: index})
            assert distribution(model.do(**{model.action: action}), name) == pytest.approx(
                expected, abs=1e-12
            )


@pytest.mark.parametrize("model", ONE_STEP)
def test_doing_anything_at_all_values_at_once_agrees_with_pyagrum(model: World) -> None:
    for treatment in model.order:
        net = in_pyagrum(model, cut=treatment)
        for name in model.order:
            if name != treatment:
                rows = [
                    posterior(net, name, {treatment: index})
                    for index in range(len(model.tables.support(treatment)))
                ]
                assert effect(model, name, treatment) == pytest.approx(np.array(rows), abs=1e-12)


@pytest.mark.parametrize("model", ONE_STEP)
def test_evidence_of_probability_zero_is_refused_where_pyagrum_refuses(model: World) -> None:
    name = model.order[0]
    gone = model.do(**{name: 0})
    with pytest.raises(InputError):
        distribution(gone, model.reward, given={name: 1})
