"""Formulas in laws that are known: sums, products and fractions of P(a | b), kept short by algebra.

Every rule holds where P is positive. Where it is not, a shorter formula may have a value where a
longer one has none, and it is the right one: the two agree on positive laws, and both sides are
continuous."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations

Set = frozenset[str]


@dataclass(frozen=True)
class Probability:
    """P(of | given), in the law `source`; some of what is given may have been `done`."""

    of: Set
    given: Set = frozenset()
    done: Set = frozenset()
    source: str = "P"

    @cached_property
    def names(self) -> Set:
        """The variables that the value depends on."""
        return self.of | self.given


@dataclass(frozen=True)
class Product:
    """A product; of no factors, it is 1. Make one with `product`."""

    factors: "tuple[Formula, ...]"

    @cached_property
    def names(self) -> Set:
        """The variables that the value depends on."""
        return frozenset().union(*(factor.names for factor in self.factors))


@dataclass(frozen=True)
class Sum:
    """A sum over all values of some variables. Make one with `total`."""

    over: Set
    what: "Formula"

    @cached_property
    def names(self) -> Set:
        """The variables that the value depends on."""
        return self.what.names - self.over


@dataclass(frozen=True)
class Fraction:
    """A conditional probability, as a quotient. Make one with `fraction`."""

    above: "Formula"
    below: "Formula"

    @cached_property
    def names(self) -> Set:
        """The variables that the value depends on."""
        return self.above.names | self.below.names


Formula = Probability | Product | Sum | Fraction
ONE = Product(())


def product(factors: "Iterable[Formula]") -> Formula:
    """A product without products in it;

    P(a | b) P(c | a, b) becomes P(a, c | b), and so on with fractions.
    """
    found = [part for factor in factors for part in factors_of(factor)]
    for p, q in permutations(found, 2):
        if (merged := _chain(p, q)) is not None:
            return product(
                [merged, *(factor for factor in found if factor is not p and factor is not q)]
            )
    return found[0] if len(found) == 1 else Product(tuple(found))


def factors_of(what: Formula) -> tuple[Formula, ...]:
    """The factors of a product, or the one that anything else is."""
    return what.factors if isinstance(what, Product) else (what,)


def _chain(p: Formula, q: Formula) -> Formula | None:
    if (
        isinstance(p, Probability)
        and isinstance(q, Probability)
        and q.given == p.names
        and q.source == p.source
    ):
        return replace(p, of=p.of | q.of)
    if isinstance(p, Fraction) and isinstance(q, Fraction) and p.above == q.below:
        return fraction(q.above, p.below)
    return None


def fraction(above: Formula, below: Formula) -> Formula:
    """A quotient without common factors; P(a, b | c) / P(b | c) becomes P(a | b, c)."""
    common = [factor for factor in factors_of(above) if factor in factors_of(below)]
    above, below = (
        product(factor for factor in factors_of(side) if factor not in common)
        for side in (above, below)
    )
    if below == ONE:
        return above
    if (
        isinstance(above, Probability)
        and isinstance(below, Probability)
        and below == replace(above, of=below.of)
    ):
        return replace(above, of=above.of - below.of, given=above.given | below.of)
    return Fraction(above, below)


def total(over: Collection[str], what: Formula) -> Formula:
    """The sum over names that `what` depends on, carried out where it is 1;

    factors that share none of them are summed apart.
    """
    over, factors = frozenset(over), factors_of(what)
    for name in sorted(over):
        having = [factor for factor in factors if name in factor.names]
        if len(having) == 1 and (summed := _sum_out(name, having[0])) is not None:
            return total(
                over - {name},
                product([summed, *(factor for factor in factors if factor is not having[0])]),
            )
    return product(
        Sum(inside, product(group)) if inside else product(group)
        for inside, group in _groups(over, factors)
    )


def _sum_out(name: str, factor: Formula) -> Formula | None:
    """The sum of one factor over one name, if it is no longer than the factor."""
    if isinstance(factor, Probability) and name in factor.of:
        return replace(factor, of=factor.of - {name}) if factor.of != {name} else ONE
    if isinstance(factor, Fraction) and name not in factor.below.names:
        return fraction(total({name}, factor.above), factor.below)
    return total(factor.over | {name}, factor.what) if isinstance(factor, Sum) else None


def _groups(over: Set, factors: Iterable[Formula]) -> list[tuple[Set, list[Formula]]]:
    """Factors that share names of `over`, directly or through others, and these names."""
    groups: list[tuple[Set, list[Formula]]] = []
    for factor in factors:
        linked = [group for group in groups if group[0] & factor.names]
        groups = [group for group in groups if not group[0] & factor.names]
        inside = (over & factor.names).union(*(names for names, _ in linked))
        groups.append((inside, [*(part for _, parts in linked for part in parts), factor]))
    return groups


def shorten(what: Formula, independent: Callable[[Set, Set, Set], bool]) -> Formula:
    """The formula with sums carried out by `independent(a, b, given)`, too:

    Tikka and Karvanen (2017), section 4.
    """
    if isinstance(what, Product):
        return product(shorten(factor, independent) for factor in what.factors)
    if isinstance(what, Fraction):
        return fraction(shorten(what.above, independent), shorten(what.below, independent))
    if isinstance(what, Probability):
        return what
    factors = factors_of(shorten(what.what, independent))
    for p, q in permutations(factors, 2):
        if (merged := _merged(p, q, what.over, independent)) is not None:
            rest = [factor for factor in factors if factor is not p and factor is not q]
            return shorten(total(what.over, product([merged, *rest])), independent)
    return total(what.over, product(factors))


def _merged(
    p: Formula, q: Formula, over: Set, independent: Callable[[Set, Set, Set], bool]
) -> Formula | None:
    """P(a | b) P(c | d) as P(a, c | b, d) if that is so, and a name of a can then be summed out."""
    if (
        not (isinstance(p, Probability) and isinstance(q, Probability) and p.of & q.given & over)
        or q.of & p.names
    ):
        return None
    if p.source != q.source or p.done or q.done:
        return None
    alike = independent(p.of, q.given - p.names, p.given) and independent(
        q.of, p.names - q.given, q.given
    )
    return replace(p, of=p.of | q.of, given=p.given | q.given - p.of) if alike else None


def leaves(what: Formula) -> list[Probability]:
    """The probabilities that a formula is made of, each as often as it is written."""
    if isinstance(what, Probability):
        return [what]
    parts = (
        what.factors
        if isinstance(what, Product)
        else (what.above, what.below)
        if isinstance(what, Fraction)
        else (what.what,)
    )
    return [leaf for part in parts for leaf in leaves(part)]


def translated(what: Formula, leaf: Callable[[Probability], Formula]) -> Formula:
    """The formula with every probability replaced."""
    if isinstance(what, Probability):
        return leaf(what)
    if isinstance(what, Fraction):
        return Fraction(translated(what.above, leaf), translated(what.below, leaf))
    if isinstance(what, Sum):
        return Sum(what.over, translated(what.what, leaf))
    return Product(tuple(translated(factor, leaf) for factor in what.factors))
