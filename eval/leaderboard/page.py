"""The page and the JSON file of the leaderboard."""

import base64
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure

from dosuite.envs.files import replacing

from ..reports.page import printable
from ..reports.panels import COLOURS, FONT, GREY
from ..scores.bootstrap import Interval
from .entries import Entry
from .standings import (
    SCORES,
    THRESHOLDS,
    Cell,
    Improvement,
    Profile,
    cells,
    improvements,
    profiles,
)
from .tracks import Track

STYLES = ("-", "--", ":")  # with the colours enough for the 24 lines of a track
SHOWN = ["environment", "member", "variant", "budget", "seed", "value", "std_error"]
SHOWN += ["j_confused", "j_causal", *SCORES, "verified"]


@dataclass(frozen=True)
class Board:
    """All that the page and the JSON file show."""

    entries: Sequence[Entry]
    cells: Sequence[Cell]
    improvements: Sequence[Improvement]
    profiles: Sequence[Profile]

    def families(self, track: Track) -> dict[str, list[Cell]]:
        """The cells of a track by family."""
        families: dict[str, list[Cell]] = {}
        for cell in self.cells:
            if cell.track is track:
                families.setdefault(cell.family, []).append(cell)
        return families

    def lines(self, track: Track) -> list[str]:
        """The lines of a track that have a profile."""
        return [profile.line for profile in self.profiles if profile.track is track]

    def probabilities(self, track: Track) -> dict[tuple[str, str], Improvement]:
        """The comparisons of a track, by both lines."""
        return {(each.first, each.second): each for each in self.improvements_of(track)}

    def improvements_of(self, track: Track) -> Iterable[Improvement]:
        """The comparisons of a track."""
        return (each for each in self.improvements if each.track is track)


def board_of(entries: Sequence[Entry]) -> Board:
    """The board of entries."""
    runs = pd.concat([entry.runs for entry in entries], ignore_index=True)
    return Board(entries, cells(runs), improvements(runs), profiles(runs))


def write_board(board: Board, path: Path) -> Path:
    """Write the page to `path`, and the same numbers beside it as JSON; return the latter's
    path.
    """
    other = path.with_suffix(".json")
    numbers = json.dumps(as_json(board), indent=1, allow_nan=False)
    for file, text in ((path, as_page(board)), (other, numbers)):
        with replacing(file) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return other


def as_page(board: Board) -> str:
    """The page, which loads nothing from anywhere."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"interval": _interval_text, "number": _number, "plain": printable}
    text = Path(__file__).with_name("leaderboard.html").read_text(encoding="utf-8")
    return environment.from_string(text).render(
        board=board,
        tracks=[track for track in Track if board.families(track)],
        headings=SCORES,
        shown=SHOWN,
        rows_of=_rows_of,
        bar=_bar,
        image=_profile_image,
        version=version("dosuite"),
    )


def as_json(board: Board) -> dict[str, Any]:
    """The board as JSON has it; numbers that are not defined are null."""
    return {
        "version": version("dosuite"),
        "entries": [
            {"name": entry.name, "file": entry.file, "about": entry.about, "notes": entry.notes}
            for entry in board.entries
        ],
        "cells": [
            {
                "track": cell.track.value,
                "family": cell.family,
                "entry": cell.entry,
                "agent": cell.agent,
                "scores": {name: _json_interval(score) for name, score in cell.scores.items()},
                "verified": cell.verdict,
                "rows": [dict(zip(SHOWN, row, strict=True)) for row in _rows_of(cell, True)],
            }
            for cell in board.cells
        ],
        "improvements": [
            {
                "track": each.track.value,
                "first": each.first,
                "second": each.second,
                "worlds": each.worlds,
                "probability": _json_interval(each.probability),
            }
            for each in board.improvements
        ],
        "thresholds": THRESHOLDS.round(9).tolist(),
        "profiles": [
            {
                "track": each.track.value,
                "line": each.line,
                "share": each.share.round(9).tolist(),
                "low": each.low.round(9).tolist(),
                "high": each.high.round(9).tolist(),
            }
            for each in board.profiles
        ],
    }


def _rows_of(cell: Cell, plain: bool = False) -> list[list[Any]]:
    """The rows of a cell as texts; with `plain` as numbers, None where they are not defined."""
    rows = []
    for record in cell.runs[SHOWN].to_numpy(object):
        if plain:
            rows.append([_json_value(value) for value in record])
        else:
            rows.append([_number(value) if _is_float(value) else value for value in record])
    return rows


def _is_float(value: Any) -> bool:
    return isinstance(value, float | np.floating)


def _json_value(value: Any) -> Any:
    if _is_float(value):
        return None if np.isnan(value) else float(value)
    return int(value) if isinstance(value, int | np.integer) else value


def _json_interval(score: Interval) -> dict[str, float | None]:
    return dict(zip(("estimate", "low", "high"), map(_json_value, score), strict=True))


def _number(value: float, digits: int = 3) -> str:
    return "" if np.isnan(value) else f"{value:z.{digits}f}"


def _interval_text(score: Interval, digits: int = 2) -> str:
    """ "0.48 [0.41, 0.55]"; "-" where it is not defined."""
    middle, low, high = score
    if np.isnan(middle):
        return "–"  # noqa: RUF001
    return f"{middle:z.{digits}f} [{low:z.{digits}f}, {high:z.{digits}f}]"


def _bar(score: Interval) -> dict[str, str] | None:
    """Where a score and its interval stand between the ends of a bar, -0.5 and 1.5, in percent."""
    if np.isnan(score[0]):
        return None
    middle, low, high = (min(max((value + 0.5) / 2, 0.0), 1.0) * 100 for value in score)
    return {"left": f"{low:.1f}", "width": f"{max(high - low, 0.8):.1f}", "at": f"{middle:.1f}"}


def _profile_image(board: Board, track: Track) -> str:
    """The performance profiles of a track, as SVG in base64."""
    curves = [each for each in board.profiles if each.track is track]
    figure = Figure(figsize=(4.4, 2.8 + 0.19 * len(curves)), layout="constrained")
    axes = figure.subplots()
    for number, each in enumerate(curves):
        colour, style = COLOURS[number % 8], STYLES[number // 8 % 3]
        axes.plot(THRESHOLDS, each.share, color=colour, linestyle=style, linewidth=1.5)
        axes.fill_between(THRESHOLDS, each.low, each.high, color=colour, alpha=0.12, linewidth=0)
        axes.plot([], [], color=colour, linestyle=style, label=f"{number + 1} {each.line}")
    for x in (0.0, 1.0):
        axes.axvline(x, color=GREY, linewidth=0.8, zorder=0)
    axes.set_xlabel("score: 0 confused, 1 causal", fontsize=FONT)
    axes.set_ylabel("share of runs above it", fontsize=FONT)
    axes.set_ylim(-0.02, 1.02)
    axes.tick_params(labelsize=FONT)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower left", frameon=False, fontsize=FONT)
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "dosuite", "text.parse_math": False}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return base64.b64encode(buffer.getvalue()).decode()
