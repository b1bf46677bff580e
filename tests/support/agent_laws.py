"""What the laws of agents share."""

import pytest
from countable import TABULAR
from places import THROWAWAY_FILE

from dosuite.causal import (
    World,
)
from dosuite.envs import make_model

THROWAWAY = {
    name: make_model(f"{THROWAWAY_FILE}:{name}") for name in ("Relay", "Survivors", "Gauge")
}


RELAY, GAUGE = THROWAWAY["Relay"], THROWAWAY["Gauge"]


THERMO = make_model("IceCreamShorts-Thermo-v0")


ICE = make_model("IceCreamShorts-v0")


MODELS: dict[str, World] = TABULAR


every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
