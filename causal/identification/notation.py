"""Formulas and queries in writing, as text and in LaTeX."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from .formula import Formula, Fraction, Probability, Product, Sum

Held = Collection[tuple[str, float | str]]  # variables, and the values at which they are held


class Style(NamedTuple):
    """The marks of one way of writing."""

    name: Callable[[str], str]
    total: Callable[[str], str]  # the sum over some names, up to its summand
    fraction: str
    bar: str
    do: str


def _latex_name(name: str) -> str:
    stem = name.rstrip("'")
    primes = name[len(stem) :]
    if re.fullmatch("[A-Za-z](=[0-9.]+)?", stem):
        return stem + primes
    escaped = re.sub(r"([&%$#_{}])", r"\\\1", stem)
    return r"\text{" + escaped + "}" + primes


def _text_sum(names: str) -> str:
    return f"Σ_{names} " if re.fullmatch(r"[\w']+", names) else f"Σ_{{{names}}} "


def _latex_sum(names: str) -> str:
    return rf"\sum_{{{names}}} "


TEXT = Style(str, _text_sum, "[{}] / [{}]", " | ", "do({})")
LATEX = Style(_latex_name, _latex_sum, r"\frac{{{}}}{{{}}}", r" \mid ", r"\mathrm{{do}}({})")


def write_query(
    y: Sequence[str], x: Sequence[str], z: Sequence[str], style: Style = TEXT, held: Held = ()
) -> str:
    """P(y | do(x), z), with x=1 for an x that is held at 1."""
    shown = _shown((*y, *x, *z), held)
    conditions = [style.name(shown[name]) for name in z]
    if x:
        done = ", ".join(style.name(shown[name]) for name in x)
        conditions.insert(0, style.do.format(done))
    outcomes = ", ".join(style.name(name) for name in y)
    return f"P({outcomes}{_given(conditions, style)})"


def write(
    formula: Formula,
    order: Sequence[str],
    style: Style = TEXT,
    outside: Collection[str] = (),
    held: Held = (),
) -> str:
    """The formula, with names in the given order.

    A name that is summed over and occurs in the formula, or `outside` of it, gets a prime.
    """
    shown = _shown({*formula.names, *outside}, held)
    return _Writer(order, style).write(formula, shown)


def _shown(names: Collection[str], held: Held) -> dict[str, str]:
    values = dict(held)
    return {name: f"{name}={values[name]}" if name in values else name for name in names}


def _given(conditions: Sequence[str], style: Style) -> str:
    return style.bar + ", ".join(conditions) if conditions else ""


class _Writer(NamedTuple):
    order: Sequence[str]
    style: Style

    def write(self, formula: Formula, shown: Mapping[str, str]) -> str:
        """The formula; `shown` has the text of each variable that is not summed over inside it."""
        if isinstance(formula, Probability):
            return self._probability(formula, shown)
        if isinstance(formula, Fraction):
            above, below = self.write(formula.above, shown), self.write(formula.below, shown)
            return self.style.fraction.format(above, below)
        if isinstance(formula, Product):
            return self._product(formula, shown)
        taken = set()
        for name, text in shown.items():
            taken.add(name if text.startswith(f"{name}=") else text)
        inside = dict(shown)
        for name in formula.over:
            inside[name] = _unused(name, taken)
        over = self._names(formula.over, inside)
        return self.style.total(over) + self.write(formula.summand, inside)

    def _probability(self, leaf: Probability, shown: Mapping[str, str]) -> str:
        conditions = []
        if leaf.done:
            conditions.append(self.style.do.format(self._names(leaf.done, shown)))
        observed = leaf.given - leaf.done
        if observed:
            conditions.append(self._names(observed, shown, nearest_first=True))
        given = _given(conditions, self.style)
        return f"{leaf.source}({self._names(leaf.of, shown)}{given})"

    def _product(self, formula: Product, shown: Mapping[str, str]) -> str:
        if not formula.factors:
            return "1"
        *others, last = sorted(formula.factors, key=self._place)
        texts = []
        for factor in others:
            text = self.write(factor, shown)
            # a sum reaches to the end of the product unless it is in brackets
            texts.append(f"[{text}]" if isinstance(factor, Sum) else text)
        return " ".join([*texts, self.write(last, shown)])

    def _names(
        self, names: Collection[str], shown: Mapping[str, str], nearest_first: bool = False
    ) -> str:
        ordered = sorted(names, key=self.order.index, reverse=nearest_first)
        return ", ".join(self.style.name(shown[name]) for name in ordered)

    def _place(self, factor: Formula) -> tuple[int, int]:
        """Probabilities first, then fractions, then sums; among these causes first."""
        kind = isinstance(factor, Fraction) + 2 * isinstance(factor, Sum)
        names = factor.of if isinstance(factor, Probability) else factor.names
        return kind, max((self.order.index(name) for name in names), default=0)


def _unused(name: str, taken: Collection[str]) -> str:
    return _unused(name + "'", taken) if name in taken else name
