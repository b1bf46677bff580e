"""Laws that a formula is evaluated on: tables with names, DataArrays, or columns of data.

Each is converted to a product of factors, with the values along the axes where they are known.
Without values, an axis has the values 0, 1, 2 and so on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from ..arrays import Array
from ..errors import InputError
from ..graphs.names import as_names
from ..model.elimination import Factor, check_size, eliminate
from .columns import ColumnData, check_has, coded, columns_of

SUMS_TO_ONE = 1e-6  # by which the sum of a normalised table may differ from 1

UNIT = Factor((), np.ones(()))


class DataArray(Protocol):
    """An array with named dimensions, as in xarray."""

    @property
    def dims(self) -> tuple[Any, ...]:
        """A name for each axis."""
        ...

    @property
    def values(self) -> Any:
        """The entries."""
        ...


Table: TypeAlias = Factor | Sequence[Factor] | DataArray
OneLaw: TypeAlias = Table | ColumnData
Laws: TypeAlias = OneLaw | Mapping[str, OneLaw]


@dataclass(frozen=True)
class NamedLaw:
    """A law as the product of its factors; `values` has the values of axes that are labelled."""

    factors: tuple[Factor, ...]
    values: Mapping[str, Array]

    @property
    def names(self) -> frozenset[str]:
        """The variables that the law has."""
        return frozenset(name for factor in self.factors for name in factor.names)


def empirical(data: ColumnData, names: str | Sequence[str]) -> Factor:
    """The empirical law of discrete columns: an axis for each name, its values ascending.

    Raises InputError if a column is missing or empty, and TooLargeError if the table is too large.
    """
    columns = columns_of(data)
    names = as_names(names)
    check_has(columns, names)
    codes = {name: coded(columns, name) for name in names}
    return _counted(codes)


def named_laws(
    laws: Laws,
    needs: Mapping[str, Collection[str]],
    query: Collection[str],
    aliases: Mapping[str, str],
) -> dict[str, NamedLaw]:
    """Each law by its name; one that is not named is P.

    Of columns, the variables that `needs` lists for their law are tabulated. In several data sets
    a variable has the values that occur in any of them, also if it is only in the `query`. A
    variable without a column of its own has the one that `aliases` names. Raises InputError if a
    law cannot be read.
    """
    named_already = _are_named(laws)
    sources: Any = laws if named_already else {"P": laws}
    data = {
        source: _with_aliases(_columns_of(law), aliases)
        for source, law in sources.items()
        if not _is_table(law)
    }
    wanted = set(query).union(*needs.values())
    values = _joint_values(data, wanted)
    named = {}
    for source, law in sources.items():
        if source in data:
            named[source] = _tabulated(data[source], needs.get(source, ()), values)
        else:
            named[source] = _from_table(law)
    return named


def check_entries(factor: Factor, values: Mapping[str, Array]) -> None:
    """Raise InputError, naming the cell, if an entry is negative or not finite."""
    bad = ~(factor.table >= 0) | np.isinf(factor.table)
    if bad.any():
        cell = np.argwhere(bad)[0]
        where = at_cell(factor.names, cell, values)
        names, entry = ", ".join(factor.names), factor.table[tuple(cell)]
        raise InputError(
            f"the table of {names} has {entry:.6g} at {where}; an entry is a probability or a count"
        )


def check_normalised(source: str, law: NamedLaw, done: Collection[str]) -> None:
    """Raise InputError unless a law has counts, or probabilities that sum to 1.

    Those of an experiment sum to 1 in all, or for each value of what was done.
    """
    if all((factor.table == np.rint(factor.table)).all() for factor in law.factors):
        return
    axes = tuple(sorted(law.names.intersection(done)))
    sums = eliminate([*law.factors, UNIT], axes)
    if abs(sums.sum() - 1) <= SUMS_TO_ONE:
        return
    bad = (abs(sums - 1) > SUMS_TO_ONE) & ((sums > 0) | (sums.ndim == 0))
    if bad.any():
        cell = np.argwhere(bad)[0]
        where = f" at {at_cell(axes, cell, law.values)}" if axes else ""
        raise InputError(
            f"the law {source} sums to {sums[tuple(cell)]:.6g}{where}; give probabilities that "
            "sum to 1, or counts"
        )


def at_cell(names: Sequence[str], cell: Sequence[int], values: Mapping[str, Array]) -> str:
    """A cell of a table in words, such as `x=1, y=0`."""
    parts = []
    for name, position in zip(names, cell, strict=True):
        label = values[name][position] if name in values else position
        parts.append(f"{name}={label}")
    return ", ".join(parts) or "its only entry"


def _are_named(laws: object) -> bool:
    """Whether these are laws by name, and not one law; a mapping of arrays is one of columns."""
    if not isinstance(laws, Mapping) or not laws:
        return False
    return all(_is_table(law) or _has_columns(law) for law in laws.values())


def _is_table(law: object) -> bool:
    if isinstance(law, Factor) or _is_data_array(law):
        return True
    is_sequence = isinstance(law, list | tuple)
    return is_sequence and all(isinstance(factor, Factor) for factor in law)  # type: ignore[attr-defined]


def _is_data_array(law: object) -> bool:
    return isinstance(getattr(law, "dims", None), tuple) and hasattr(law, "values")


def _has_columns(law: object) -> bool:
    return isinstance(law, Mapping) or getattr(law, "columns", None) is not None


def _from_table(law: Any) -> NamedLaw:
    values: dict[str, Array] = {}
    if _is_data_array(law):
        names = tuple(str(name) for name in law.dims)
        coordinates = getattr(law, "coords", {})
        for name in law.dims:
            if name in coordinates:
                values[str(name)] = np.asarray(coordinates[name])
        factors = (Factor(names, law.values),)
    else:
        factors = (law,) if isinstance(law, Factor) else tuple(law)
    checked = tuple(_checked(factor) for factor in factors)
    for factor in checked:
        check_entries(factor, values)
    return NamedLaw(checked, values)


def _checked(factor: Factor) -> Factor:
    """The factor as an array of numbers, with a name for each axis."""
    names, table = as_names(factor.names), np.asarray(factor.table)
    if table.dtype.kind not in "iufb":
        raise InputError(f"the table of {', '.join(names)} must hold numbers")
    if len(names) != table.ndim:
        raise InputError(
            f"the table of {', '.join(names)} has {len(names)} names and {table.ndim} axes; "
            "name each axis"
        )
    if len(set(names)) < len(names):
        raise InputError(f"the table of {', '.join(names)} has two axes of one name")
    return Factor(names, table.astype(float, copy=False))


def _columns_of(law: Any) -> Mapping[str, Any]:
    if isinstance(law, np.ndarray | list | tuple):
        raise InputError(
            "an array does not say which axis is which variable; name them, as in "
            "Factor(('x', 'y'), array)"
        )
    return columns_of(law)


def _with_aliases(columns: Mapping[str, Any], aliases: Mapping[str, str]) -> Mapping[str, Any]:
    renamed = dict(columns)
    for name, alias in aliases.items():
        if name not in columns and alias in columns:
            renamed[name] = columns[alias]
    return renamed


def _tabulated(
    columns: Mapping[str, Any], names: Collection[str], values: Mapping[str, Array]
) -> NamedLaw:
    """The empirical law of some columns, on the values of each that occur in any data set."""
    check_has(columns, sorted(names))
    codes = {}
    for name in sorted(names):
        own, positions = coded(columns, name)
        codes[name] = values[name], _places(own, values[name])[positions]
    return NamedLaw((_counted(codes),) if codes else (), values)


def _joint_values(
    data: Mapping[str, Mapping[str, Any]], names: Collection[str]
) -> dict[str, Array]:
    """The values of each variable in any of the data sets, ascending."""
    values: dict[str, Array] = {}
    for columns in data.values():
        for name in sorted(names):
            if name in columns:
                own, _ = coded(columns, name)
                if name in values:
                    own = np.unique(np.concatenate([values[name], own]), axis=0)
                values[name] = own
    return values


def _places(own: Array, everywhere: Array) -> Array:
    """The position of each of its own values among those that occur anywhere."""
    _, positions = np.unique(np.concatenate([everywhere, own]), axis=0, return_inverse=True)
    return positions.reshape(-1)[len(everywhere) :]


def _counted(codes: Mapping[str, tuple[Array, Array]]) -> Factor:
    """The relative frequencies of columns, given the values and the positions of each."""
    names = tuple(codes)
    sizes = [len(values) for values, _ in codes.values()]
    check_size(sizes, f"the law of {', '.join(names)}")
    positions = tuple(places for _, places in codes.values())
    cells = np.ravel_multi_index(positions, sizes)
    counts = np.bincount(cells, minlength=int(np.prod(sizes)))
    return Factor(names, counts.reshape(sizes) / len(cells))
