"""How formulas and queries are written, as text and in LaTeX."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from .formula import Formula, Fraction, Probability, Product, Sum


class Style(NamedTuple):
    """The marks of one way of writing."""

    name: Callable[[str], str]
    total: Callable[[str], str]
    fraction: str
    bar: str
    do: str


def _latex_name(name: str) -> str:
    stem = name.rstrip("'")
    plain = (
        stem
        if re.fullmatch("[A-Za-z]", stem)
        else r"\text{" + re.sub(r"([&%$#_{}])", r"\\\1", stem) + "}"
    )
    return plain + name[len(stem) :]


def _text_sum(names: str) -> str:
    return f"Σ_{names} " if re.fullmatch(r"[\w']+", names) else f"Σ_{{{names}}} "


TEXT = Style(str, _text_sum, "[{}] / [{}]", " | ", "do({})")
LATEX = Style(
    _latex_name,
    lambda names: rf"\sum_{{{names}}} ",
    r"\frac{{{}}}{{{}}}",
    r" \mid ",
    r"\mathrm{{do}}({})",
)


def write_query(y: Sequence[str], x: Sequence[str], z: Sequence[str], style: Style = TEXT) -> str:
    """P(y | do(x), z)."""
    done = style.do.format(", ".join(map(style.name, x)))
    given = ", ".join([*([done] if x else []), *map(style.name, z)])
    return f"P({', '.join(map(style.name, y))}{style.bar if given else ''}{given})"


def write(
    what: Formula, order: Sequence[str], style: Style = TEXT, taken: Collection[str] = ()
) -> str:
    """The formula, with names in the given order;

    one that is summed over, and already `taken` outside the sum, gets a prime.
    """
    return _write(what, order, style, {name: name for name in {*what.names, *taken}})


def _write(what: Formula, order: Sequence[str], style: Style, shown: Mapping[str, str]) -> str:
    def named(names: Collection[str], nearest_first: bool = False) -> str:
        return ", ".join(
            style.name(shown[name])
            for name in sorted(names, key=order.index, reverse=nearest_first)
        )

    if isinstance(what, Probability):
        given = [style.do.format(named(what.done))] if what.done else []
        given += (
            [named(what.given - what.done, nearest_first=True)] if what.given - what.done else []
        )
        return f"{what.source}({named(what.of)}{style.bar if given else ''}{', '.join(given)})"
    if isinstance(what, Fraction):
        return style.fraction.format(
            _write(what.above, order, style, shown), _write(what.below, order, style, shown)
        )
    if isinstance(what, Product):
        factors = sorted(what.factors, key=lambda factor: _place(factor, order))
        texts = [_write(factor, order, style, shown) for factor in factors]
        open_ended = [isinstance(factor, Sum) for factor in factors[:-1]] + [False]
        return (
            " ".join(
                f"[{text}]" if ends else text for text, ends in zip(texts, open_ended, strict=True)
            )
            or "1"
        )
    shown = {**shown, **{name: _unused(name, shown.values()) for name in what.over}}
    return style.total(named(what.over)) + _write(what.what, order, style, shown)


def _place(factor: Formula, order: Sequence[str]) -> tuple[int, int]:
    """Causes first, and what is not a plain probability after those that are."""
    names = factor.of if isinstance(factor, Probability) else factor.names
    return isinstance(factor, Fraction) + 2 * isinstance(factor, Sum), max(
        map(order.index, names), default=0
    )


def _unused(name: str, taken: Collection[str]) -> str:
    return _unused(name + "'", taken) if name in taken else name
