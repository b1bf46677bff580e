"""What the benchmark asks of a model:

shifts, twin, control, reference policies and the certificate.
"""

from .certificates import Certificate, Confounding, Promise, certificate
from .twins import mixed_behaviour, unconfounded
from .world import World

__all__ = [
    "Certificate",
    "Confounding",
    "Promise",
    "World",
    "certificate",
    "mixed_behaviour",
    "unconfounded",
]
