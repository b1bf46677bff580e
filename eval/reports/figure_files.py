"""Figures as files: PNG for a page, SVG and PDF for a paper, the same bytes each time."""

import io

import matplotlib
from matplotlib.figure import Figure

KINDS = ("png", "svg", "pdf")
UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}  # matplotlib writes the time


def figure_files(figure: Figure, name: str, dpi: int = 200) -> dict[str, bytes]:
    """A figure as files NAME.png, NAME.svg and NAME.pdf; `dpi` is the resolution of the first."""
    return {f"{name}.{kind}": image(figure, kind, dpi) for kind in KINDS}


def image(figure: Figure, kind: str, dpi: int = 200) -> bytes:
    """A figure as a file of one kind."""
    buffer = io.BytesIO()
    # letters stay letters in a PDF (type 42), as publishers ask
    with matplotlib.rc_context({"svg.hashsalt": "dosuite", "pdf.fonttype": 42}):
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=UNDATED.get(kind))
    return buffer.getvalue()
