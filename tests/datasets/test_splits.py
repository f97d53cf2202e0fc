from __future__ import annotations

import random
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from visionai.datasets import splits
from visionai.datasets.faults import FaultBook
from visionai.datasets.splits import Sample, stratified

samples = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 60)), min_size=1, max_size=150).map(
    lambda drawn: [Sample(f"{label}/{i}.png", label, f"{content:064x}") for i, (label, content) in enumerate(drawn)]
)


@given(samples)
def test_copies_are_in_one_split(drawn: list[Sample]) -> None:
    split, sides = stratified(drawn), defaultdict(set)
    for s in drawn:
        sides[s.sha256].add(split[s.file_name])
    assert all(len(side) == 1 for side in sides.values())


@given(samples, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(drawn: list[Sample], order: random.Random) -> None:
    shuffled = drawn.copy()
    order.shuffle(shuffled)
    assert stratified(shuffled) == stratified(drawn)


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 80), min_size=1))
def test_each_class_is_split_80_to_20_and_has_both_where_it_can(counts: dict[str, int]) -> None:
    drawn = [Sample(f"{c}/{i}", c, f"{ord(c):02x}{i:062x}") for c, n in counts.items() for i in range(n)]
    split = stratified(drawn)
    for label, n in counts.items():
        val = sum(split[s.file_name] == "val" for s in drawn if s.label == label)
        if n == 1:
            assert val == 0
        else:
            assert 1 <= val <= n - 1
            assert abs(val - 0.2 * n) <= 1


def test_added_images_hardly_move_the_others() -> None:
    drawn = [Sample(str(i), "a", f"{i:064x}") for i in range(200)]
    before, after = stratified(drawn[:190]), stratified(drawn)
    assert sum(before[name] != after[name] for name in before) <= 8


def test_of_a_given_split_an_image_in_both_counts_to_train() -> None:
    book = FaultBook()
    drawn = [
        Sample("train/a/1", "a", "x", "train"),
        Sample("val/a/2", "a", "x", "val"),
        Sample("val/a/3", "a", "y", "val"),
    ]
    assert splits.given(drawn, book) == {"train/a/1": "train", "val/a/2": "train", "val/a/3": "val"}
    assert [(f.code, f.files) for f in book.faults()] == [("duplicate_across_splits", ["val/a/2"])]
