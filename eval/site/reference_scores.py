"""What the reference submission says of worlds and agents, as tables and pictures of pages."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property

import pandas as pd

from ..reports.figures import score_panels
from ..reports.page import Table
from ..reports.reference_rows import about_reference, reference_rows
from ..reports.tables import headline, score_table, summary, winners
from ..scores import metrics
from .drawing import as_svg

_POINT = r"^(\S+) \[\1, \1\]"  # an interval without a width


class Scores:
    """The reference rows of some worlds and some agents, which pages show."""

    def __init__(self, worlds: Collection[str], agents: Collection[str]):
        rows = reference_rows()
        self._all = rows
        self._rows = rows[rows["environment"].isin(worlds) | rows["agent"].isin(agents)]

    @cached_property
    def _summary(self) -> pd.DataFrame:
        scores = summary(self._rows)
        return metrics.largest_budget(scores[scores["variant"] == ""])

    def of_world(self, name: str) -> Table | None:
        """The scores of every agent in a world; None if there are none."""
        return self._table("environment", name)

    def of_agent(self, name: str) -> Table | None:
        """The scores of an agent in every world; None if there are none."""
        return self._table("agent", name)

    def _table(self, column: str, name: str) -> Table | None:
        if not (self._rows[column] == name).any():
            return None
        scores = self._summary[self._summary[column] == name]
        table = score_table(column, scores, metrics.headings("scores"))
        return replace(table, frame=table.frame.replace(_POINT, r"\1", regex=True))

    def figure_of(self, world: str) -> Mapping[str, bytes]:
        """The picture of the scores in a world by its path; empty if there are none."""
        rows = self._all[self._all["environment"] == world]
        return {} if rows.empty else {f"images/{world}-scores.svg": as_svg(score_panels(rows))}

    def headline(self) -> Table:
        """The score of every agent on the pairs of twins of every family, agents in rows."""
        return headline(self._all)

    def winners(self) -> list[str]:
        """Which agents win pairs of twins, in sentences."""
        return winners(self._all)

    def about(self) -> str:
        """How the rows were made."""
        about = about_reference()
        return (
            f"The reference submission: {about['seeds']} seeds of each agent, "
            f"{about['budgets']}, dosuite {about['version']}."
        )
