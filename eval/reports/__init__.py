"""The report: tables, figures, the page."""
