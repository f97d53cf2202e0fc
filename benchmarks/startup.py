"""How long the app takes until it is ready, and how much memory it then holds."""

from __future__ import annotations

from pathlib import Path

from benchmarks.server import running
from benchmarks.stats import Figure


def measure(folder: Path, *, starts: int) -> list[Figure]:
    first, again, cpu, rss, pss = [], [], [], [], []
    for n in range(starts):
        data_dir = folder / f"start-{n}"
        with running(data_dir) as server:
            first.append(server.ready_seconds)
        with running(data_dir) as server:
            again.append(server.ready_seconds)
            cpu.append(server.ready_cpu)
            measured = server.memory()
            rss.append(measured[0])
            pss.append(measured[1])
    return [
        Figure("app ready, from the command to /readyz", again, "s", aim=2.0),
        Figure("  processor time of it", cpu, "s"),
        Figure("  the same at the very first start (makes the database)", first, "s"),
        Figure("memory of app and embedded Redis when ready, RSS", rss, "MB", aim=200, digits=0),
        Figure("  the same as PSS (shared pages counted once)", pss, "MB", digits=0),
    ]
