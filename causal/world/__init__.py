"""What the benchmark asks of a model:

shifts, twin, hedge, control, reference policies, the certificate, and the floor of a pair of
worlds.
"""

from .certificates import Certificate, Confounding, Promise, certificate
from .floors import Floor, floor
from .frontier import Frontier, frontier
from .twins import mixed_behaviour, unconfounded
from .world import Ranges, World

__all__ = [
    "Certificate",
    "Confounding",
    "Floor",
    "Frontier",
    "Promise",
    "Ranges",
    "World",
    "certificate",
    "floor",
    "frontier",
    "mixed_behaviour",
    "unconfounded",
]
