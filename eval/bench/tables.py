"""Measurements as tables for the terminal and as JSON, and the machine they were taken on."""

import json
from collections.abc import Iterable
from typing import Any

from rich import box
from rich.table import Table

from ..runs.machine import machine
from .timing import Growth, Measurement


def ratio_table(measurements: Iterable[Measurement]) -> Table:
    """The ratios, in two lines each: what is measured, and what it is compared with."""
    table = Table("measured, and against", box=box.SIMPLE_HEAD)
    for name in ("a second", "ratio", "at least", "reached"):
        table.add_column(name, justify="right", no_wrap=True)
    for measurement in measurements:
        comparison, rates = measurement.comparison, measurement.rates
        target = "" if comparison.target is None else f"{comparison.target:g}"
        table.add_row(comparison.measured, _short(rates.ours) if rates else "")
        table.add_row(
            f"  {comparison.against}, {measurement.version}",
            _short(rates.peer) if rates else "",
            _short(rates.ratio) if rates else "",
            target,
            _reached(measurement),
        )
    return table


def _reached(measurement: Measurement) -> str:
    if measurement.missing:
        return "missing"
    if measurement.reached is None:
        return ""
    return "yes" if measurement.reached else "no"


def growth_table(growths: Iterable[Growth]) -> Table:
    """The exponents, and the costs at each size."""
    table = Table("cost of", "against", "exponent", "size: milliseconds", box=box.SIMPLE_HEAD)
    for growth in growths:
        curve = growth.curve
        costs = [
            f"{size:,}: {1e3 * seconds:.3g}"
            for size, seconds in zip(curve.sizes, growth.seconds, strict=True)
        ]
        table.add_row(curve.cost, curve.against, f"{growth.exponent:.2f}", ", ".join(costs))
    return table


def _short(number: float) -> str:
    """Three digits, with M for a million."""
    if number >= 1e6:
        return f"{number / 1e6:.3g} M"
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def as_json(measurements: Iterable[Measurement], growths: Iterable[Growth]) -> str:
    """The machine, and flat records of all results."""
    records = {
        "machine": machine(),
        "ratios": [_ratio_record(measurement) for measurement in measurements],
        "growth": [_growth_record(growth) for growth in growths],
    }
    return json.dumps(records, indent=1)


def _ratio_record(measurement: Measurement) -> dict[str, Any]:
    comparison, rates = measurement.comparison, measurement.rates
    return {
        "measured": comparison.measured,
        "against": comparison.against,
        "unit": comparison.unit,
        "target": comparison.target,
        "version": measurement.version,
        "ours": rates.ours if rates else None,
        "peer": rates.peer if rates else None,
        "ratio": rates.ratio if rates else None,
        "lowest": rates.lowest if rates else None,
        "highest": rates.highest if rates else None,
        "reached": measurement.reached,
        "missing": measurement.missing,
    }


def _growth_record(growth: Growth) -> dict[str, Any]:
    return {
        "cost": growth.curve.cost,
        "against": growth.curve.against,
        "sizes": growth.curve.sizes,
        "seconds": growth.seconds,
        "exponent": growth.exponent,
    }
