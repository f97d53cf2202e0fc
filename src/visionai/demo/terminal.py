"""How the demo looks: on a terminal of 80 columns or more, and in a file or a pipe."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

LABEL = 32

console = Console(highlight=False)


class Split:
    """How long each part took, in seconds, in the order of the parts; a part may have parts of its own."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self.of: dict[str, dict[str, float]] = {}

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.parts[name] = time.monotonic() - begun

    def lines(self) -> list[str]:
        """The parts, each with its own parts indented below it, and the total."""
        lines = []
        for name, seconds in self.parts.items():
            lines.append(f"  {name:<{LABEL}}{seconds:>8.1f} s")
            lines += [f"    {n:<{LABEL - 2}}{s:>8.1f} s" for n, s in self.of.get(name, {}).items()]
        return [*lines, f"  {'in all':<{LABEL}}{sum(self.parts.values()):>8.1f} s"]


def progress(on: Console = console) -> Progress:
    """Steps as lines: the note gives way first where there is little room, the time never."""
    return Progress(
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=12),
        TextColumn("{task.fields[note]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)), console=on, expand=True,
    )  # fmt: skip


@contextlib.contextmanager
def step(shown: Progress, description: str, total: float | None = None) -> Iterator[TaskID]:
    task = shown.add_task(description, total=total, note="")
    yield task
    shown.update(task, total=total or 1, completed=total or 1)


def speech(who: str, colour: str, text: str) -> Table:
    """What somebody says in the chat; its further lines stand below the first."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=10, no_wrap=True)
    grid.add_column()
    grid.add_row(f"  [bold {colour}]{who}[/]", Text(text))
    return grid


EPOCH_HEAD = f"  {'epoch':>5}  {'train loss':>10}  {'val loss':>8}  {'accuracy':>8}"


def epoch_row(data: dict[str, Any]) -> str:
    m = data["metrics"]
    numbers = [m.get(name) for name in ("train/loss", "val/loss", "val/accuracy")]
    train, val, accuracy = ("" if n is None else f"{n:.4f}" for n in numbers)
    return f"  {data['epoch']:>5}  {train:>10}  {val:>8}  {accuracy:>8}"
