"""`dosuite floors`."""

from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from .options import MOST_SEEDS, MOST_STEPS, Trust, console, print_plain

if TYPE_CHECKING:
    from ..claims.floors import PairFloor

WIDTH = 80
HEADINGS = ("", "best", "in other", "floor", "regret", "error", "", "rows")
WIDTHS = (8, 9, 9, 9, 9, 9, 7, 6)


def floors(
    worlds: Annotated[
        list[str] | None, typer.Argument(help="Worlds; without any, all and their members.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Let every static agent learn, and compare.")
    ] = False,
    seeds: Annotated[int, typer.Option(min=1, max=MOST_SEEDS, help="Seeds of the check.")] = 5,
    rows: Annotated[
        int, typer.Option(min=1, max=MOST_STEPS, help="Recorded steps of a log of the check.")
    ] = 200,
    trust: Trust = False,
) -> None:
    """What no learner exceeds that has one log of two worlds: the world and its twin or hedge.

    The two have the same log, and a hedge the same graph too. For each pair: the best value in the
    world and in the other, the most that one policy earns on average in both (the floor), its
    regret, the least mean error of an effect, and the rows of an experiment that halve the regret.
    """
    from dosuite.envs import make_model, members
    from dosuite.envs.trust import set_trust

    from ..claims.floors import pair_floors

    set_trust(trust)
    for text in worlds or ():
        make_model(text)  # raises if there is no such world
    texts = worlds or [text for text, _ in members()]
    if check:
        _check(texts, seeds, rows)
        return
    print_plain(_line(HEADINGS))
    before = ""
    for pair in pair_floors(texts):
        if pair.world != before:
            print_plain(pair.world)
        before = pair.world
        print_plain(_text(pair))


def _check(worlds: list[str], seeds: int, rows: int) -> None:
    """Print every score above a floor, their number and the least distance.

    Exits with code 1 if there are any.
    """
    from ..claims.floors import distances

    scores = []
    with console.status("") as status:
        for score in distances(worlds, seeds, rows):
            status.update(f"{score.world} {score.agent}")
            scores.append(score)
            if score.leak:
                run = f"{score.world} {score.kind} {score.agent} seed {score.seed}"
                print_plain(f"{run}: {score.leak}")
    if not scores:
        print_plain("No agent has a score against a floor there.")
        return
    leaks = sum(bool(score.leak) for score in scores)
    pairs = {(score.world, score.kind) for score in scores}
    agents = {score.agent for score in scores}
    nearest = min(scores, key=lambda score: score.distance)
    print_plain(
        f"{len(scores)} scores of {len(agents)} agents in {len(pairs)} pairs: {leaks} above the "
        f"floor; the nearest to it is {nearest.distance:.3g} below it ({nearest.agent} in "
        f"{nearest.world} and its {nearest.kind})."
    )
    if leaks:
        raise typer.Exit(1)


def _line(cells: tuple[str, ...]) -> str:
    first, *rest = (cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True))
    return (f"  {first.strip():<{WIDTHS[0]}}" + "".join(rest)).rstrip()


def _text(pair: "PairFloor") -> str:
    """A line of the table, or the reason why there is no floor in as many lines as it needs."""
    if pair.reason:
        text = f"  {pair.kind:<{WIDTHS[0]}} none: {pair.reason}"
        return fill(text, WIDTH, subsequent_indent=" " * (WIDTHS[0] + 3), break_on_hyphens=False)
    return _line((pair.kind, *pair.cells()))
