"""The report's table of beliefs has what is believed under `believed`, and J under `earned`."""

import pandas as pd

from dosuite.eval.reports.report import report_sections
from dosuite.eval.reports.tables import summary
from dosuite.eval.runs.run import Run


def test_the_confused_policy_believes_what_the_log_promises() -> None:
    rows = pd.DataFrame(Run("IceCreamShorts-v0", "confused", "exact", 1, 0).rows())
    sections = report_sections(rows, summary(rows))
    (table,) = [table for section in sections for table in section.tables if table.name == "belief"]
    (row,) = table.frame.to_dict("records")
    assert (row["believed"], row["earned"], row["delusion"]) == ("0.615", "0.275", "0.340")
