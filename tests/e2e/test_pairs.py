"""The rows of the matrix cover what they promise, whatever the dimensions are."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pairs import combine

sizes = st.lists(st.integers(1, 5), min_size=2, max_size=5)


@given(sizes, st.data())
def test_every_pair_that_can_be_is_in_a_row_and_no_other(sizes: list[int], data: st.DataObject) -> None:
    dimensions = {f"d{n}": range(size) for n, size in enumerate(sizes)}
    at_random = st.frozensets(st.tuples(st.integers(0, sizes[0] - 1), st.integers(0, sizes[1] - 1)))
    # each value of the first two goes with one of the other at least
    allowed = data.draw(at_random) | {(n % sizes[0], n % sizes[1]) for n in range(max(sizes))}
    whole = [name for name in dimensions if data.draw(st.booleans())]

    def fits(first: int, second: int) -> bool:
        return (first, second) in allowed

    rows = combine(dimensions, fits, whole)

    assert all(fits(row["d0"], row["d1"]) for row in rows)
    every: list[dict[str, Any]] = [
        dict(zip(dimensions, values, strict=True)) for values in product(*dimensions.values())
    ]
    possible = [row for row in every if fits(row["d0"], row["d1"])]
    assert pairs_of(rows) == pairs_of(possible)
    assert wholes_of(rows, whole) == wholes_of(possible, whole)
    assert len(rows) <= len(possible) + len(whole)
    assert rows == combine(dimensions, fits, whole)


def test_it_takes_far_fewer_rows_than_there_are_combinations() -> None:
    rows = combine({name: range(4) for name in "abcdef"})
    assert len(rows) <= 40, "of 4,096"


def pairs_of(rows: list[dict[str, Any]]) -> set[Any]:
    return {pair for row in rows for pair in combinations(row.items(), 2)}


def wholes_of(rows: list[dict[str, Any]], names: list[str]) -> set[Any]:
    return {tuple(row[name] for name in names) for row in rows}
