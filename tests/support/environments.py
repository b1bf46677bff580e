"""What the laws of environments share."""

from dataclasses import replace

from countable import each
from places import THROWAWAY_FILE

from dosuite.causal import (
    World,
)
from dosuite.envs import (
    make_model,
    members,
)

RELAY, SURVIVORS, GAUGE, GAUGES = (
    f"{THROWAWAY_FILE}:{name}" for name in ("Relay", "Survivors", "Gauge", "Gauge:horizon=3")
)


MODELS = {text: replace(model, horizon=min(model.horizon, 10)) for text, model in members()}


THROWAWAY = {
    text.removeprefix(f"{THROWAWAY_FILE}:"): make_model(text) for text in (RELAY, SURVIVORS, GAUGES)
}


ALL: dict[str, World] = {
    **MODELS,
    **THROWAWAY,
    "Relay, the intent seen": THROWAWAY["Relay"].with_intent(),
}


every_model = each(ALL)
