"""The report of result rows: tables, figures and one page."""
