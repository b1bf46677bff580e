"""Figures as files of the site."""

import io

import matplotlib
from matplotlib.figure import Figure


def as_svg(figure: Figure) -> bytes:
    """A figure as SVG, the same bytes each time."""
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "dosuite", "text.parse_math": False}):
        figure.savefig(file, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return file.getvalue()
