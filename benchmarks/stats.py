"""Medians with bootstrap intervals: few, skewed measurements on a machine that does other things too."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import median

import msgspec

RESAMPLES = 10_000


class Figure(msgspec.Struct, frozen=True):
    """One line of the table: measurements, and the most their median should be (None: for information); with
    ``at_least`` the least."""

    name: str
    values: list[float]
    unit: str = ""
    aim: float | None = None
    digits: int = 2
    at_least: bool = False

    def row(self) -> tuple[str, str, str, str, str]:
        middle, (low, high) = median(self.values), interval(self.values)
        if self.aim is None:
            verdict = aim = ""
        else:
            verdict = "met" if (middle >= self.aim if self.at_least else middle <= self.aim) else "MISSED"
            aim = f"{'≥' if self.at_least else '≤'} {self._shown(self.aim)}"
        return self.name, self._shown(middle), f"{low:.{self.digits}f} – {high:.{self.digits}f}", aim, verdict

    def _shown(self, value: float) -> str:
        return f"{value:.{self.digits}f} {self.unit}".rstrip()


def interval(values: Sequence[float], *, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """The percentile bootstrap interval of the median. Of a handful of values it is little less than their range."""
    draw = random.Random(seed)
    medians = sorted(median(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    tail = round((1 - level) / 2 * RESAMPLES)
    return medians[tail], medians[-tail - 1]
