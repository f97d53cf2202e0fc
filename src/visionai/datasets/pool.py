"""Looking at many images at once, on all cores, with bounded memory, and in spite of decoders that crash."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from visionai.datasets.images import Looked, Task, look

CHUNK = 32
AHEAD = 4  # chunks per process that wait or are done already


def look_at_all(tasks: list[Task], processes: int | None = None) -> Iterator[Looked]:
    """In the order of ``tasks``. An image that kills its decoder is a fault of that image alone."""
    n = processes or len(os.sched_getaffinity(0))
    chunks = [tasks[i : i + CHUNK] for i in range(0, len(tasks), CHUNK)]
    done = 0
    while done < len(chunks):
        try:
            for looked in _looked_at(chunks[done:], n):
                yield from looked
                done += 1
        except BrokenProcessPool:
            yield from (_alone(task) for task in chunks[done])
            done += 1


def _looked_at(chunks: list[list[Task]], processes: int) -> Iterator[list[Looked]]:
    with _pool(processes) as pool:
        ahead: deque[Future[list[Looked]]] = deque()
        for chunk in chunks:
            ahead.append(pool.submit(_look_at_chunk, chunk))
            if len(ahead) > AHEAD * processes:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _alone(task: Task) -> Looked:
    try:
        with _pool(1) as pool:
            return pool.submit(_look_at_chunk, [task]).result()[0]
    except BrokenProcessPool:
        return Looked(problem="crashes")


def _look_at_chunk(tasks: list[Task]) -> list[Looked]:
    return [look(task) for task in tasks]


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork"))
