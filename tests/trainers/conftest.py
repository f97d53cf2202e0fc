from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from visionai.trainers.testing import Server


@pytest.fixture
def serve() -> Iterator[Callable[[type[Server]], Server]]:
    """Starts servers of any kind; they end with the test."""
    running: list[Server] = []

    def start(kind: type[Server] = Server) -> Server:
        running.append(kind())
        return running[-1]

    yield start
    for server in running:
        server.close()
