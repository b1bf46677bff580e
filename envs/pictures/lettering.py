"""The letters in the nodes of a causal graph, and the widths that they need, in inches."""

from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from dosuite.causal import LAG

NAME, ROLE = 10.0, 6.5  # sizes of letters, in points
BARE, FILLED = 0.42, 0.7  # heights of a node without and with a value
LEAST_WIDTH = 0.66  # of a node with a value
PAD = 0.1  # between a node's text and its border


def label(name: str) -> str:
    """The name of a variable as it is written into a node."""
    return name.replace(LAG, " (t-1)")


def weight(role: str) -> str:
    """The weight of the letters of a name."""
    return "bold" if role in ("action", "reward") else "normal"


def width_of(name: str, role: str, height: float) -> float:
    """The width of a node. It does not depend on the value in the node."""
    least = LEAST_WIDTH if height == FILLED else 0.0
    return max(length(label(name), NAME, weight(role)), length(role, ROLE), least) + 2 * PAD


@lru_cache(maxsize=4096)
def length(text: str, size: float, weight: str = "normal") -> float:
    """The printed length of a text."""
    if not text.strip():
        return 0.0
    path = TextPath((0, 0), text, size, prop=FontProperties(weight=weight))
    return float(path.get_extents().width) / 72
