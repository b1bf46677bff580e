"""An independent library agrees with our exact answers."""

import warnings
from collections.abc import Mapping

import numpy as np
import pytest

from confoundry.causal import SCM, Array, InputError, distribution, tables
from confoundry.envs import members

with warnings.catch_warnings():  # its import crashes where warnings are errors
    warnings.simplefilter("ignore")
    import pyagrum

ONE_STEP = [pytest.param(model, id=text) for text, model in members() if model.horizon == 1]


def network(model: SCM, cut: str = "") -> "pyagrum.BayesNet":
    """The first step of a model in pyAgrum, without the arrows into `cut`."""
    net = pyagrum.BayesNet()
    for name in model.order:
        net.add(pyagrum.LabelizedVariable(name, name, len(tables(model).support(name))))
    for name in model.order:
        for cause in model.variables[name].first.causes if name != cut else ():
            net.addArc(cause, name)
    for name in model.order:
        size = len(tables(model).support(name))
        if name == cut:
            net.cpt(name)[:] = np.full(size, 1.0 / size)
            continue
        names, table = tables(model).factor(name, first=True)
        order = [names.index(other) for other in reversed(net.cpt(name).names)]  # pyAgrum's arrays are in reverse order
        net.cpt(name)[:] = np.ascontiguousarray(np.transpose(table, order))
    return net


def posterior(net: "pyagrum.BayesNet", name: str, evidence: Mapping[str, int]) -> Array:
    engine = pyagrum.LazyPropagation(net)
    engine.setEvidence(dict(evidence))
    engine.makeInference()
    return np.asarray(engine.posterior(name).toarray())


@pytest.mark.parametrize("model", ONE_STEP)
def test_seeing_agrees_with_pyagrum(model: SCM) -> None:
    net = network(model)
    for index, action in enumerate(tables(model).support(model.action)):
        for name in model.order:
            expected = posterior(net, name, {model.action: index})
            assert distribution(model, name, given={model.action: action}) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("model", ONE_STEP)
def test_doing_agrees_with_pyagrum(model: SCM) -> None:
    net = network(model, cut=model.action)
    for index, action in enumerate(tables(model).support(model.action)):
        for name in model.order:
            if name == model.action:
                continue
            expected = posterior(net, name, {model.action: index})
            assert distribution(model.do(**{model.action: action}), name) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("model", ONE_STEP)
def test_evidence_of_probability_zero_is_refused_where_pyagrum_refuses(model: SCM) -> None:
    name = model.names("latent", "logged", "context")[0]
    gone = model.do(**{name: 0})
    with pytest.raises(InputError):
        distribution(gone, model.reward, given={name: 1})
