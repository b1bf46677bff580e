"""What `dosuite show` prints of the worlds whose numbers take long, kept in the file `shown.json`.

A test computes the texts again. Rewrite the file after a change of numbers or of words:

    python -m dosuite.eval.cli.kept_shows
"""

import json
from functools import cache
from pathlib import Path

from dosuite.causal import World
from dosuite.envs import make_model, world_classes
from dosuite.envs.files import replacing

FILE = Path(__file__).with_name("shown.json")
WIDTH = 110  # columns of the texts
# worlds that take more than half a second of CPU; `dosuite show` computes all others
SLOW = (
    "AirlinePricing-v0",
    "AirlinePricing-Prestige-v0",
    "CoinEnd-v0",
    "ConfoundedRiver-MarkovRiver-v0",
    "CopycatCar-v0",
    "CorrelatedNoiseLQ-v0",
    "CorrelatedNoiseLQ-Pendulum-v0",
    "DelusionBox-v0",
    "GenotypeClinic-Cross-v0",
    "MentorFollow-v0",
    "MonsterShield-v0",
    "SepsisDiabetes-v0",
    "SepsisDiabetes-GlucoseSeen-v0",
    "TreeHarvest-v0",
)


def kept_show(environment: str, model: World) -> str:
    """The tables and the certificate of a world with its own settings; "" if they are not kept."""
    if ":" in environment:
        return ""
    names = [name for name in _kept() if world_classes()[name] is type(model)]
    return "\n".join(_kept()[names[0]]) if names else ""


def computed_show(model: World) -> list[str]:
    """The lines that `dosuite show` prints of a world below its graph, without colours."""
    from .options import console
    from .world_tables import print_certificate, print_values

    width, console.width = console.width, WIDTH
    try:
        with console.capture() as capture:
            print_values(model, model, "")
            print_certificate(model)
    finally:
        console.width = width
    return [line.rstrip() for line in capture.get().splitlines()]


@cache
def _kept() -> dict[str, list[str]]:
    texts: dict[str, list[str]] = json.loads(FILE.read_text(encoding="utf-8"))
    return texts


def write_shows() -> None:
    """Compute the texts of all slow worlds and write the file."""
    texts = {name: computed_show(make_model(name)) for name in SLOW}
    with replacing(FILE) as temporary:
        text = json.dumps(texts, indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_shows()
