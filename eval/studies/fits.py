"""The power laws of `..scores.fits`, which studies fit to their curves."""

from ..scores.fits import PowerLaw as PowerLaw
from ..scores.fits import power_law as power_law
from ..scores.fits import slope as slope
