"""Tables in LaTeX: numbers right-aligned with true minus signs, and the best in bold."""

import re
from collections.abc import Sequence

import numpy as np

from dosuite.causal import Array

from .page import Table

ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}
# what may stand in a column of numbers: "-0.48 [-0.50, -0.41]", "0.3 (estimated, se 0.01)", "n/a"
NUMBER = re.compile(r"-?[\d,]+(\.\d+)?( \[[-\d., ]+\])?( \(estimated, se [\d.]+\))?")
NO_NUMBER = re.compile(r"n/a|-|\d+ of \d+")
SIGN = re.compile(r"-(?=\d)")


def escaped(text: str) -> str:
    """A text in which no character has a meaning to LaTeX."""
    return "".join(ESCAPES.get(sign, sign) for sign in text)


def tabular(table: Table) -> str:
    """A table as a `tabular` for the package booktabs.

    A grouped table names its groups in lines of their own, and not in every row.
    """
    names = list(table.frame.columns)
    texts = table.frame.to_numpy(str)
    numeric = [_is_numeric(texts[:, k]) for k in range(len(names))]
    first = 1 if table.grouped else 0
    heading = [escaped(name) for name in names[first:]]
    lines = [
        rf"\begin{{tabular}}{{{''.join('lr'[is_number] for is_number in numeric[first:])}}}",
        r"\toprule",
        f"{' & '.join(heading)} " r"\\",
        r"\midrule",
        *_body(table, texts, numeric, first),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _body(table: Table, texts: Array, numeric: Sequence[bool], first: int) -> list[str]:
    lines = []
    bold = table.best()
    width = texts.shape[1] - first
    for y, row in enumerate(texts):
        if table.grouped and (y == 0 or row[0] != texts[y - 1, 0]):
            lines += [r"\addlinespace"] if y else []
            lines.append(rf"\multicolumn{{{width}}}{{l}}{{\textit{{{escaped(row[0])}}}}} \\")
        cells = [_cell(row[k], numeric[k], bold[y, k]) for k in range(first, len(row))]
        lines.append(f"{' & '.join(cells)} " r"\\")
    return lines


def _cell(text: str, is_number: bool, is_bold: bool) -> str:
    if not is_number:
        return escaped(text)
    if text == "-":
        return "--"
    number = SIGN.sub(r"$-$", escaped(text))
    if not is_bold:
        return number
    value, bracket, interval = number.partition(" [")
    return rf"\textbf{{{value}}}{bracket}{interval}"


def _is_numeric(column: Array) -> bool:
    """Whether a column has numbers, and nothing that is not a number or says that there is none."""
    numbers = np.array([bool(NUMBER.fullmatch(text)) for text in column], bool)
    others = [bool(NO_NUMBER.fullmatch(text)) for text in column[~numbers]]
    counts = any(" of " in text for text in column[~numbers])
    return all(others) and (bool(numbers.any()) or counts)
