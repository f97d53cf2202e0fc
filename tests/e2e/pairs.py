"""All pairs: few rows of which every two values of different dimensions stand together in at least one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

Row = dict[str, Any]
Pair = tuple[tuple[str, Any], tuple[str, Any]]


def combine(
    dimensions: Mapping[str, Sequence[Any]],
    fits: Callable[[Any, Any], bool] = lambda first, second: True,
    whole: Sequence[str] = (),
) -> list[Row]:
    """Rows with a value of every dimension, the same ones for the same dimensions.

    Every pair is in one of them, and so is every combination of the dimensions named in ``whole``. ``fits`` says of a
    value of the first dimension and one of the second whether they go together; each value needs one that does.
    """
    names = list(dimensions)
    first, second = names[:2]

    def may(row: Row) -> bool:
        """Whether there is a row like this one: what it says of the first two may not leave the other without any."""
        of_first = [row[first]] if first in row else dimensions[first]
        of_second = [row[second]] if second in row else dimensions[second]
        return any(fits(a, b) for a, b in product(of_first, of_second))

    missing = dict.fromkeys(pair for pair in _pairs(dimensions) if may(dict(pair)))
    begun = [dict(zip(whole, values, strict=True)) for values in product(*(dimensions[name] for name in whole))]
    begun = [row for row in begun if whole and may(row)]
    rows = []
    while begun or missing:
        row = begun.pop(0) if begun else dict(next(iter(missing)))
        for name in names:
            if name not in row:
                able = [value for value in dimensions[name] if may({**row, name: value})]
                row[name] = max(able, key=lambda value: _new(missing, names, row, name, value))
        rows.append({name: row[name] for name in names})
        for pair in combinations(rows[-1].items(), 2):
            missing.pop(pair, None)
    return rows


def _pairs(dimensions: Mapping[str, Sequence[Any]]) -> list[Pair]:
    return [
        ((a, x), (b, y)) for a, b in combinations(dimensions, 2) for x, y in product(dimensions[a], dimensions[b])
    ]  # fmt: skip


def _new(missing: Mapping[Pair, None], names: Sequence[str], row: Row, name: str, value: Any) -> int:
    """How many pairs that are missing this value would make with what the row has already."""
    at = names.index(name)
    return sum(
        (((other, its), (name, value)) if names.index(other) < at else ((name, value), (other, its))) in missing
        for other, its in row.items()
    )
