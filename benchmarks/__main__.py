"""Measure the app and the price of the platform, and print a table with the aim beside each figure.

``small`` takes some five minutes on two cores, ``full`` some twelve and gives narrower intervals. Everything runs in a
scratch directory, on this machine alone. A missed aim is shown and does not fail: these are figures, not tests.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import zipfile
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks import images, large, price, reports, startup, watchers
from benchmarks.stats import Figure
from visionai.demo import write_digits


class Size(msgspec.Struct, frozen=True):
    starts: int
    pairs: int
    epochs: int
    load_seconds: float
    watched_events: int
    large_rounds: int
    image_rounds: int


SIZES = {
    "small": Size(starts=3, pairs=3, epochs=3, load_seconds=3.0, watched_events=10, large_rounds=1, image_rounds=1),
    "full": Size(starts=10, pairs=10, epochs=6, load_seconds=10.0, watched_events=60, large_rounds=5, image_rounds=3),
}


def main() -> int:
    name = sys.argv[1] if len(sys.argv) == 2 else "small"
    if name not in SIZES:
        sys.stderr.write(f"{__doc__}\nChoose one of: {', '.join(SIZES)}\n")
        return 2
    size = SIZES[name]
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the same for both sides of each comparison
    with tempfile.TemporaryDirectory(prefix="visionai-bench-") as scratch:
        folder = Path(scratch)
        archive = write_digits(folder / "digits.zip")
        with zipfile.ZipFile(archive) as digits:
            digits.extractall(folder)
        figures = [
            *startup.measure(folder, starts=size.starts),
            *reports.measure(folder, pairs=size.pairs, seconds=size.load_seconds),
            *watchers.measure(folder, events=size.watched_events),
            *large.measure(folder, rounds=size.large_rounds, seconds=5.0 * size.large_rounds),
            *images.measure(folder, rounds=size.image_rounds),
            *price.measure(folder, archive, folder / "digits", pairs=size.pairs, epochs=size.epochs),
        ]
    show(name, size, figures)
    return 0


def show(name: str, size: Size, figures: list[Figure]) -> None:
    table = Table(
        title=f"BENCH={name}: {size.starts} starts; {size.pairs} pairs of {size.epochs} epochs"
        f" and of {size.load_seconds:.0f} s of load",
        title_justify="left",
    )
    for heading in ("figure", "median", "95 % interval", "aim", ""):
        table.add_column(heading, justify="left" if heading in ("figure", "") else "right")
    for figure in figures:
        table.add_row(*figure.row())
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(table)
    machine = f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {platform.platform()}"
    console.print(f"{machine}, Python {platform.python_version()}")


if __name__ == "__main__":
    sys.exit(main())
