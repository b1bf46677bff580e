"""The three leading findings of the suite, picked from results of studies and written in words."""

from collections.abc import Mapping
from typing import NamedTuple

from .kept import Results

# Each question of the suite, and the studies that answer it, the most direct one first. The order
# is fixed here, so that no study is picked for what it found.
TOPICS: Mapping[str, tuple[str, ...]] = {
    "Does more static data or a larger network cure it?": (
        "static-scale",
        "predict-control",
        "reversal",
    ),
    "Do interventions or labels cure it, and at what price?": (
        "labels",
        "diversity",
        "test-time",
    ),
    "What does pre-training do to that price?": ("fine-tune", "worlds-scale"),
}


class Leading(NamedTuple):
    """A leading finding: one question of the suite, and the study that answers it."""

    topic: str
    results: Results

    @property
    def answer(self) -> str:
        """The headline of the study and its verdict."""
        judged = self.results.judged
        return f"{judged.headline} The verdict on the hypothesis: {judged.tally}."

    @property
    def command(self) -> str:
        """The command that shows the results in the package."""
        return f"dosuite study {self.results.study.name} --kept"

    def __str__(self) -> str:
        """An item of a list in Markdown, as the README has it."""
        return f"- **{self.topic}** {self.answer} `{self.command}`"


def leading_findings(found: Mapping[str, Results]) -> list[Leading]:
    """A finding for each question that one of some results, by study, answers.

    Stale results answer nothing. For each question the first study of its list counts, whatever its
    verdict.
    """
    findings = []
    for topic, names in TOPICS.items():
        fresh = [found[name] for name in names if name in found and not found[name].is_stale]
        if fresh:
            findings.append(Leading(topic, fresh[0]))
    return findings
