"""Formulas in known laws: sums, products and fractions of P(a | b), kept short by algebra.

Every rule holds where P is positive. Elsewhere a shorter formula may have a value where a longer
one has none. That value is right: the two agree on positive laws, and both sides are continuous."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

Set = frozenset[str]
Independence = Callable[[Set, Set, Set], bool]  # of two sets, given a third


@dataclass(frozen=True)
class Probability:
    """P(of | given), in the law `source`; `done` is the part of `given` that was done."""

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
    """A product; without factors, it is 1. Make one with `product`."""

    factors: "tuple[Formula, ...]"

    @cached_property
    def names(self) -> Set:
        """The variables that the value depends on."""
        return frozenset().union(*(factor.names for factor in self.factors))


@dataclass(frozen=True)
class Sum:
    """A sum over all values of some variables. Make one with `total`."""

    over: Set
    summand: "Formula"

    @cached_property
    def names(self) -> Set:
        """The variables that the value depends on."""
        return self.summand.names - self.over


@dataclass(frozen=True)
class Fraction:
    """A quotient, which is a conditional probability. Make one with `fraction`."""

    above: "Formula"
    below: "Formula"

    @cached_property
    def names(self) -> Set:
        """The variables that the value depends on."""
        return self.above.names | self.below.names


Formula = Probability | Product | Sum | Fraction
ONE = Product(())


def product(factors: "Iterable[Formula]") -> Formula:
    """A product, in which no factor is a product.

    P(a | b) P(c | a, b) becomes P(a, c | b), and a factor that a fraction divides by cancels.
    """
    parts = [part for factor in factors for part in factors_of(factor)]
    while (merged := _first_chain(parts)) is not None:
        chain, p, q = merged
        parts = [*factors_of(chain), *_without(parts, p, q)]
    return parts[0] if len(parts) == 1 else Product(tuple(parts))


def factors_of(formula: Formula) -> tuple[Formula, ...]:
    """The factors of a product; any other formula is its own factor."""
    return formula.factors if isinstance(formula, Product) else (formula,)


def fraction(above: Formula, below: Formula) -> Formula:
    """A quotient without common factors; P(a, b | c) / P(b | c) becomes P(a | b, c)."""
    common = [factor for factor in factors_of(above) if factor in factors_of(below)]
    above = product(factor for factor in factors_of(above) if factor not in common)
    below = product(factor for factor in factors_of(below) if factor not in common)
    if below == ONE:
        return above
    if isinstance(above, Probability) and isinstance(below, Probability):
        is_marginal = below == replace(above, of=below.of)
        if is_marginal:
            return replace(above, of=above.of - below.of, given=above.given | below.of)
    return Fraction(above, below)


def total(over: Collection[str], summand: Formula) -> Formula:
    """The sum over names that the summand depends on, carried out where it gives 1.

    Factors that share none of the names are summed separately.
    """
    over = frozenset(over)
    factors = factors_of(summand)
    while (step := _first_sum(over, factors)) is not None:
        names, summed, factor = step
        over -= names
        factors = factors_of(product([summed, *_without(factors, factor)]))
    sums = []
    for names, group in _groups(over, factors):
        # the factors of a product are no chains, and neither are some of them
        part = group[0] if len(group) == 1 else Product(tuple(group))
        sums.append(Sum(names, part) if names else part)
    return product(sums)


def shorten(formula: Formula, independent: Independence) -> Formula:
    """The formula with more sums carried out, by independences that hold in the law.

    Source: Tikka and Karvanen (2017), section 4.
    """
    is_short = False  # whether no factor of the summand can be made shorter
    while isinstance(formula, Sum):
        summand = formula.summand if is_short else shorten(formula.summand, independent)
        factors = factors_of(summand)
        merged = _first_merged(factors, formula.over, independent)
        if merged is None:
            return total(formula.over, product(factors))
        pair, p, q = merged
        formula = total(formula.over, product([pair, *_without(factors, p, q)]))
        is_short = isinstance(formula, Sum) and all(
            isinstance(factor, Probability) for factor in factors_of(formula.summand)
        )
    if isinstance(formula, Probability):
        return formula
    if isinstance(formula, Product):
        return product(shorten(factor, independent) for factor in formula.factors)
    above, below = shorten(formula.above, independent), shorten(formula.below, independent)
    return fraction(above, below)


def leaves(formula: Formula) -> list[Probability]:
    """The probabilities in a formula, each as often as it is written."""
    if isinstance(formula, Probability):
        return [formula]
    if isinstance(formula, Fraction):
        return leaves(formula.above) + leaves(formula.below)
    if isinstance(formula, Sum):
        return leaves(formula.summand)
    return [leaf for factor in formula.factors for leaf in leaves(factor)]


def translated(formula: Formula, leaf: Callable[[Probability], Formula]) -> Formula:
    """The formula with every probability replaced by what `leaf` gives for it."""
    if isinstance(formula, Probability):
        return leaf(formula)
    if isinstance(formula, Fraction):
        return Fraction(translated(formula.above, leaf), translated(formula.below, leaf))
    if isinstance(formula, Sum):
        return Sum(formula.over, translated(formula.summand, leaf))
    return Product(tuple(translated(factor, leaf) for factor in formula.factors))


def _without(factors: Iterable[Formula], *removed: Formula) -> list[Formula]:
    """The factors that are none of these objects; equal ones stay."""
    return [factor for factor in factors if not any(factor is other for other in removed)]


def _first_chain(parts: list[Formula]) -> tuple[Formula, Formula, Formula] | None:
    """The first two factors of a list that make a chain, after their product."""
    fractions = [q for q, part in enumerate(parts) if isinstance(part, Fraction)]
    given: dict[Set, list[int]] = {}
    for q, part in enumerate(parts):
        if isinstance(part, Probability):
            given.setdefault(part.given, []).append(q)
    for i, p in enumerate(parts):
        # only these can go on where p ends
        follow = given.get(p.names, []) if isinstance(p, Probability) else []
        for j in sorted([*follow, *fractions]):
            merged = _chain(p, parts[j]) if i != j else None
            if merged is not None:
                return merged, p, parts[j]
    return None


def _first_sum(over: Set, factors: Sequence[Formula]) -> tuple[Set, Formula, Formula] | None:
    """The first name of `over` whose sum over the one factor that has it can be carried out: the
    names that are then done, the sum, and the factor."""
    if len(factors) == 1 and isinstance(factors[0], Probability):
        # All at once: the rest of a marginal is a marginal.
        law = factors[0]
        names = law.of & over
        if not names:
            return None
        return names, (replace(law, of=law.of - names) if law.of - names else ONE), law
    owners: dict[str, list[Formula]] = {}
    for factor in factors:
        for name in over & factor.names:
            owners.setdefault(name, []).append(factor)
    for name in sorted(owners):
        if len(owners[name]) == 1:
            summed = _sum_out(name, owners[name][0])
            if summed is not None:
                return Set((name,)), summed, owners[name][0]
    return None


def _first_merged(
    factors: Sequence[Formula], over: Set, independent: Independence
) -> tuple[Formula, Formula, Formula] | None:
    """The first two factors under a sum that an independence makes one, after that one."""
    conditions: dict[str, list[int]] = {}
    for j, q in enumerate(factors):
        if isinstance(q, Probability):
            for name in q.given & over:
                conditions.setdefault(name, []).append(j)
    for i, p in enumerate(factors):
        if isinstance(p, Probability):
            for j in sorted({j for name in p.of & over for j in conditions.get(name, [])}):
                merged = _merged(p, factors[j], over, independent) if i != j else None
                if merged is not None:
                    return merged, p, factors[j]
    return None


def _chain(p: Formula, q: Formula) -> Formula | None:
    """P(a | b) P(c | a, b) as P(a, c | b); (f / g) (h / f) as h / g; f (h / f g) as h / g."""
    if isinstance(p, Probability) and isinstance(q, Probability):
        is_chain = q.given == p.names and q.source == p.source
        return replace(p, of=p.of | q.of) if is_chain else None
    if not isinstance(q, Fraction):
        return None
    if isinstance(p, Fraction) and p.above == q.below:
        return fraction(q.above, p.below)
    divisors = list(factors_of(q.below))
    if p in divisors:
        divisors.remove(p)
        return fraction(q.above, product(divisors))
    return None


def _sum_out(name: str, factor: Formula) -> Formula | None:
    """The sum of one factor over one name, if it is no longer than the factor."""
    if isinstance(factor, Probability) and name in factor.of:
        rest = factor.of - {name}
        return replace(factor, of=rest) if rest else ONE
    if isinstance(factor, Fraction) and name not in factor.below.names:
        return fraction(total({name}, factor.above), factor.below)
    if isinstance(factor, Sum):
        return total(factor.over | {name}, factor.summand)
    return None


def _groups(over: Set, factors: Iterable[Formula]) -> list[tuple[Set, list[Formula]]]:
    """Factors that share names of `over`, directly or through others, with these names."""
    groups: list[tuple[Set, list[Formula]]] = []
    for factor in factors:
        names = over & factor.names
        separate: list[tuple[Set, list[Formula]]] = []
        linked: list[Formula] = []
        for group_names, group in groups:
            if group_names & factor.names:
                names |= group_names
                linked += group
            else:
                separate.append((group_names, group))
        groups = [*separate, (names, [*linked, factor])]
    return groups


def _merged(p: Formula, q: Formula, over: Set, independent: Independence) -> Formula | None:
    """P(a | b) P(c | d) as P(a, c | b, d - a), if the two are equal.

    None if they are not, or if no name of a that is summed over is in d: nothing would be gained.
    """
    if not isinstance(p, Probability) or not isinstance(q, Probability):
        return None
    if not p.of & q.given & over or q.of & p.names:
        return None
    if p.source != q.source or p.done or q.done:
        return None
    # P(a | b) = P(a | b, d - a) and P(c | d) = P(c | d, a, b)
    p_is_equal = independent(p.of, q.given - p.names, p.given)
    if not p_is_equal or not independent(q.of, p.names - q.given, q.given):
        return None
    return replace(p, of=p.of | q.of, given=p.given | q.given - p.of)
