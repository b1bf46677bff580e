"""What made the results in a folder: the commands, their seeds and runs, the code, and when."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ..runs.requests import Record, records, shown_runs
from .page import Section, Table

TITLE = "8. What made these results"
COLUMNS = ["command", "runs", "seeds", "begun (UTC)", "last (UTC)", "dosuite", "code"]


def made_section(folder: Path) -> Section | None:
    """The commands of a folder, and where they ran; None if none is recorded there."""
    found = records(folder)
    if not found:
        return None
    rows = pd.DataFrame([_row(record) for record in found], columns=COLUMNS)
    table = Table("commands", rows)
    return Section(TITLE, _sentences(found), [table], on_terminal=False)


def _row(record: Record) -> list[str]:
    seeds = sorted({line.seed for line in record.runs if line.regime != "exact"})
    shard = f" (shard {record.shard})" if record.shard else ""
    return [
        record.command + shard,
        str(len(record.runs)),
        "-" if not seeds else f"{seeds[0]} to {seeds[-1]}",
        record.begun[:16],
        record.last[:16],
        str(record.machine.get("dosuite", "")),
        record.code,
    ]


def _sentences(found: Sequence[Record]) -> list[str]:
    last = found[-1]
    facts = ", ".join(f"{name} {fact}" for name, fact in last.machine.items())
    sentences = [f"The last command ran on this machine: {facts}."]
    shown = shown_runs(found)
    old = sum(len(record.runs) for record in found if record.code != last.code)
    if old:
        sentences.append(
            f"{old} runs of other versions of the code or of a library are not shown; do their "
            "commands again."
        )
    asked = {line.key for record in found if record.code == last.code for line in record.runs}
    if replaced := len(asked - shown.keys()):
        sentences.append(
            f"{replaced} runs are not shown, since a later command asked for them with another "
            "log, or with another version of a file."
        )
    return [*sentences, "Each command can be given again: dosuite run FOLDER/commands/NAME.toml."]
