"""The reduced campaign: each scenario with real processes, three at a time, as they mostly wait.

``make chaos`` runs it by hand, and with ``CHAOS=full`` all of it. docs/outcomes.md says what comes of what.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from campaign import scratch
from scenarios import SCENARIOS, Impossible, Record

AT_ONCE = 3
SMALL = [name for name, scenario in SCENARIOS.items() if scenario.small]
OUTCOMES = Path(__file__).parents[2] / "docs/outcomes.md"


class Played(Record):
    """Keeps what it has to say, for the one who asks why it failed."""

    def __init__(self, name: str, seed: int) -> None:
        super().__init__(seed, full=False, say=self._say)
        self.name = name
        self.lines = [f"seed {seed}; to repeat: make chaos CHAOS=small SEED={seed}"]

    def _say(self, line: str) -> None:
        self.lines.append(line)

    def play(self) -> Played:
        with scratch() as folder:
            SCENARIOS[self.name].play(folder, self)
        return self


@pytest.fixture(scope="module")
def playing(request: pytest.FixtureRequest) -> Iterator[dict[str, tuple[Played, Future[Played]]]]:
    seed = int(os.environ.get("SEED") or random.randrange(10**6))
    wanted = [item.callspec.params["name"] for item in request.session.items if hasattr(item, "callspec")
              and item.callspec.params.get("name") in SMALL]  # fmt: skip
    with ThreadPoolExecutor(AT_ONCE) as pool:
        played = [Played(name, seed) for name in SMALL if name in wanted]
        yield {record.name: (record, pool.submit(record.play)) for record in played}


@pytest.mark.process
@pytest.mark.parametrize("name", SMALL)
def test_it_ends_as_the_table_says(name: str, playing: dict[str, tuple[Played, Future[Played]]]) -> None:
    record, future = playing[name]
    try:
        future.result()
    except Impossible as e:
        pytest.skip(str(e))
    finally:
        print("\n".join(record.lines))
    assert record.shown == SCENARIOS[name].rows


def test_the_table_holds_what_the_scenarios_show_and_nothing_else() -> None:
    table = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| `([a-z-]+)`(, full)? \|$", OUTCOMES.read_text(), re.MULTILINE)
    assert {name: (seen, bool(full)) for _, _, seen, name, full in table} == {
        name: (seen, not scenario.small) for scenario in SCENARIOS.values() for name, seen in scenario.rows.items()
    }
    assert all(what and comes_of_it.endswith(".") for what, comes_of_it, *_ in table)
