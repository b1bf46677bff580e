"""Every agent on images: it learns a policy of them, or refuses them in one line."""

import numpy as np
import pytest
from learning import few, learn

from dosuite.agents import agent_classes, make_agent
from dosuite.causal import InputError, NotDiscreteError
from dosuite.envs import collect, make_model
from dosuite.eval.runs.run import acts_there

MODEL = make_model("IceCreamShorts-Thermo-v0:observation=digits")
ROWS = 300
PAIRS = [
    pytest.param(name, regime, id=f"{name}-{regime}")
    for name, kind in agent_classes().items()
    for regime in kind.learns
    if regime not in ("exact", "counterfactual") and acts_there(name, MODEL)
]


@pytest.mark.long
@pytest.mark.parametrize(("name", "regime"), PAIRS)
def test_an_agent_learns_from_images_or_refuses_them(name: str, regime: str) -> None:
    images = collect(MODEL, 5, 0)["observation"]
    said = ""
    try:
        policy = learn(name, MODEL, regime, ROWS, **few(name))
    except (InputError, NotDiscreteError) as error:
        said = str(error)
    if said:
        assert "\n" not in said
        assert "observation" in said or make_agent(name).needs
        return
    probabilities = policy.probabilities(images)
    assert probabilities.shape == (len(images), 2)
    assert np.allclose(probabilities.sum(1), 1)
