"""Sharp bounds on effects that are not identified."""

from .causation import necessity, necessity_and_sufficiency, sufficiency
from .guarantees import Guarantee, Payoffs, interval_values
from .response_types import ResponseTypes, response_types
from .sharp_bounds import Bounds, balke_pearl, bounds, contrast, manski
from .unit_responses import PotentialOutcomes, TypeMixture, UnitQuantity

__all__ = [
    "Bounds",
    "Guarantee",
    "Payoffs",
    "PotentialOutcomes",
    "ResponseTypes",
    "TypeMixture",
    "UnitQuantity",
    "balke_pearl",
    "bounds",
    "contrast",
    "interval_values",
    "manski",
    "necessity",
    "necessity_and_sufficiency",
    "response_types",
    "sufficiency",
]
