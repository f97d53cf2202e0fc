"""What comes again and again is logged at the first time and ever more seldom after it."""

from __future__ import annotations

import pytest
import structlog

from visionai.observability import Seldom


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def through(seldom: Seldom, event: str) -> structlog.typing.EventDict | None:
    try:
        return seldom(None, "warning", {"event": event})
    except structlog.DropEvent:
        return None


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seldom(clock: Clock) -> Seldom:
    return Seldom(frozenset({"away", "lost"}), over="back", clock=clock)


def test_an_event_every_second_is_let_through_at_doubling_intervals_with_what_was_left_out(seldom, clock):
    said = {}
    for second in range(130):
        clock.now = 100.0 + second
        if (event := through(seldom, "away")) is not None:
            said[second] = event.get("left_out", 0)
    assert said == {0: 0, 1: 0, 3: 1, 7: 3, 15: 7, 31: 15, 63: 31, 127: 63}


def test_after_the_end_the_next_one_is_a_first_one(seldom, clock):
    for _ in range(3):
        through(seldom, "away")
    assert through(seldom, "away") is None
    assert through(seldom, "back") == {"event": "back"}
    assert through(seldom, "away") == {"event": "away"}


def test_each_event_counts_for_itself_and_others_pass(seldom):
    assert through(seldom, "away")
    assert through(seldom, "lost")
    assert all(through(seldom, "other") for _ in range(5))
