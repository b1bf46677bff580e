"""Compare every exact answer with the same answer when one shortcut is turned off.

Each shortcut is turned off from outside: a function is replaced, a cache is emptied or bypassed, a
slower public path is taken, or the answer is found by `step_enumeration`. Prints for each shortcut
the worlds, the answers compared, the largest difference and the seconds; the difference is divided
by the larger answer where that is above 1. Exit status 1 if one is above what its row allows. A
comparison of one model that takes longer than `--limit` seconds is left out and counted.

    python tests/reliability/shortcuts.py --worlds ConfoundedRiver SimpsonClinic
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import turned_off
from exact_answers import MISSING
from exact_comparisons import (
    beliefs_apart,
    by_patch,
    can_be_dense,
    cells_of_noise,
    enumerated,
    extremes,
    has_steps,
    is_small,
    is_tiny,
    one_by_one,
    programmes,
    separations,
    shortened,
    units,
)
from lane_comparisons import (
    blocks,
    in_pieces,
    seeds_as_lanes,
    single_units,
    step_tables,
    whole_steps,
)

from dosuite.causal import (
    World,
)
from dosuite.envs import make_model, members

Pairs = Iterator[tuple[str, Any, Any]]  # an answer's name, the ordinary answer, and the other

EXACT = 1e-12


@dataclass(frozen=True)
class Shortcut:
    """A shortcut, and the comparison of answers with it and without it."""

    name: str
    compare: Callable[[World], Pairs]
    allowed: float = EXACT
    why: str = ""  # the allowed difference is larger
    shifted: bool = True  # whether variants and shifts are compared too


SHORTCUTS = [
    Shortcut("closed forms, against enumeration", enumerated),
    Shortcut("function caches", by_patch(turned_off.without_function_caches, applies=is_small)),
    Shortcut(
        "cached properties",
        by_patch(turned_off.without_cached_properties, applies=is_tiny),
        shifted=False,
    ),
    Shortcut("kept factors and plans", by_patch(turned_off.without_kept_tables)),
    Shortcut(
        "pruning of irrelevant variables", by_patch(turned_off.without_pruning, applies=is_small)
    ),
    Shortcut("elimination order", by_patch(turned_off.with_another_order, applies=is_small)),
    Shortcut(
        "elimination, against one product", by_patch(turned_off.with_one_product, applies=is_small)
    ),
    Shortcut(
        "dense chains, against sparse", by_patch(turned_off.with_sparse_chains, applies=has_steps)
    ),
    Shortcut(
        "sparse chains, against dense", by_patch(turned_off.with_dense_chains, applies=can_be_dense)
    ),
    Shortcut("powers by squaring", by_patch(turned_off.without_squaring, applies=has_steps)),
    Shortcut("policies and worlds at once", one_by_one),
    Shortcut(
        "merged outcomes", by_patch(turned_off.without_merging, applies=has_steps), shifted=False
    ),
    Shortcut(
        "best policy by planning",
        by_patch(turned_off.without_plans, extremes),
        allowed=1e-9,
        why="policies whose returns differ by less are taken for equally good",
    ),
    Shortcut("merged beliefs", beliefs_apart),
    Shortcut("sampling by look-up", by_patch(turned_off.without_lookups, units)),
    Shortcut("short formulas", shortened),
    Shortcut("d-separation in projections", separations, shifted=False),
    Shortcut("equal variables in twin networks", by_patch(turned_off.without_equal_variables)),
    Shortcut("twin networks, against all units", cells_of_noise),
    Shortcut(
        "closed bounds, against programmes",
        programmes,
        allowed=1e-9,
        why="a linear programme is solved to the solver's tolerance",
    ),
    Shortcut(
        "step tables",
        step_tables,
        allowed=1e-9,
        why="probabilities are whole multiples of 2**-32",
    ),
    Shortcut("batched units, against single ones", single_units),
    Shortcut("words in blocks", blocks),
    Shortcut("steps of needed variables", whole_steps),
    Shortcut("seeds at once, counting agents", partial(seeds_as_lanes, counts=True), shifted=False),
    Shortcut("seeds at once, networks", partial(seeds_as_lanes, counts=False), shifted=False),
    Shortcut("logs in pieces", in_pieces, shifted=False),
]


@dataclass
class Tally:
    """What has been compared of one shortcut."""

    worlds: set[str] = field(default_factory=set)
    compared: int = 0
    largest: float = 0.0
    where: str = ""
    seconds: float = 0.0
    left_out: int = 0  # comparisons of a model that took too long

    def add(self, world: str, name: str, ordinary: Any, other: Any) -> None:
        """Compare two answers."""
        gap = difference(ordinary, other)
        self.worlds.add(world.partition(" ")[0])
        self.compared += int(np.size(ordinary))
        if gap > self.largest:
            self.largest, self.where = gap, f"{world}: {name}"


def difference(ordinary: Any, other: Any) -> float:
    """The largest difference of two answers, relative where they are above 1.

    Infinite where one is NaN and the other is not, or where their shapes differ.
    """
    a, b = np.asarray(ordinary, dtype=float), np.asarray(other, dtype=float)
    if a.shape != b.shape:
        return np.inf
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        gap = np.where(same, 0.0, abs(a - b) / np.maximum(1.0, np.maximum(abs(a), abs(b))))
    return float(np.nan_to_num(gap, nan=np.inf).max(initial=0.0))


def models(world: str, shifted: bool) -> Iterator[tuple[str, World]]:
    """A world with its variants and the shifts of itself, by name."""
    model = make_model(world)
    yield world, model
    if not shifted:
        return
    twin = model.twin()
    if twin is not None:
        yield f"{world} twin", twin
    with suppress(*MISSING):
        yield f"{world} control", model.control()
    for name in model.shifts():
        yield f"{world} shifted: {name}", model.shifted(name)


class TooSlowError(BaseException):
    """A comparison took longer than its limit. No handler of exceptions on the way takes it."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise TooSlowError in what takes longer; 0 is no limit."""

    def stop(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGALRM, stop) if seconds else None
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        if seconds:
            signal.signal(signal.SIGALRM, before)


def measure(
    shortcuts: list[Shortcut], worlds: list[str], shifted: bool = True, limit: int = 0
) -> list[Tally]:
    """Compare in every world; one tally for each shortcut. A `limit` is in seconds."""
    tallies = [Tally() for _ in shortcuts]
    for world in worlds:
        for title, model in models(world, shifted):
            for shortcut, tally in zip(shortcuts, tallies, strict=True):
                if title != world and not shortcut.shifted:
                    continue
                start = time.perf_counter()
                try:
                    with limited(limit):
                        for name, ordinary, other in shortcut.compare(model):
                            tally.add(title, name, ordinary, other)
                except TooSlowError:
                    tally.left_out += 1
                tally.seconds += time.perf_counter() - start
    return tallies


def table(shortcuts: list[Shortcut], tallies: list[Tally]) -> str:
    """The table that is printed."""
    lines = [f"{'shortcut':36s} worlds  answers   largest  seconds"]
    for shortcut, tally in zip(shortcuts, tallies, strict=True):
        line = f"{shortcut.name:36s} {len(tally.worlds):6d} {tally.compared:8d} "
        line += f"{tally.largest:9.1e} {tally.seconds:8.1f}"
        if tally.largest > shortcut.allowed:
            line += f"  above {shortcut.allowed:g} in {tally.where}"
        elif shortcut.why:
            line += f"  up to {shortcut.allowed:g}: {shortcut.why}"
        if tally.left_out:
            line += f"  {tally.left_out} left out"
        lines.append(line)
    return "\n".join(lines)


def main() -> int:
    """Compare, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--worlds", nargs="*", default=[], help="all by default; parts of names do")
    parser.add_argument("--shortcuts", nargs="*", default=[], help="parts of names; all by default")
    parser.add_argument("--unshifted", action="store_true", help="leave variants and shifts out")
    parser.add_argument("--limit", type=int, default=0, help="seconds of a comparison; 0 is none")
    options = parser.parse_args()
    worlds = [text for text, _ in members() if _wanted(text, options.worlds)]
    shortcuts = [one for one in SHORTCUTS if _wanted(one.name, options.shortcuts)]
    tallies = measure(shortcuts, worlds, not options.unshifted, options.limit)
    print(table(shortcuts, tallies))
    pairs = zip(shortcuts, tallies, strict=True)
    return int(any(tally.largest > shortcut.allowed for shortcut, tally in pairs))


def _wanted(name: str, parts: list[str]) -> bool:
    return not parts or any(part in name for part in parts)


if __name__ == "__main__":
    sys.exit(main())
