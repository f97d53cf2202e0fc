"""The seam: what any object store can do, in generic verbs. Key layout is ``keys``; nothing here knows a job.

Errors: NotFound for a key that is not there, StorageFull when there is no room. A put is all or nothing: a reader
sees the old object or the new one, never half of one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import msgspec


class Stat(msgspec.Struct, frozen=True):
    key: str
    size: int


class Storage(Protocol):
    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> Stat: ...

    async def put_file(self, key: str, path: Path) -> Stat:
        """Take over a local file (moved where that is possible: it may be gone afterwards)."""
        ...

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]: ...

    async def stat(self, key: str) -> Stat | None: ...

    async def sha256(self, key: str) -> str:
        """Of the bytes as they are stored now."""
        ...

    async def move(self, source: str, target: str) -> None:
        """Raises NotFound. What was at ``target`` is replaced."""
        ...

    async def delete_older(self, prefix: str, seconds: float) -> None:
        """What has lain below ``prefix`` unchanged for longer than this."""
        ...

    async def delete(self, key: str) -> None:
        """Deleting what is not there is no error."""
        ...

    async def delete_prefix(self, prefix: str) -> None: ...

    def list(self, prefix: str) -> AsyncIterator[Stat]: ...

    def sign(
        self, method: str, key: str, *, expires_in: float, base_url: str = "", file_name: str | None = None,
        size: int | None = None,
    ) -> str:  # fmt: skip
        """A URL that allows ``method`` (GET or PUT, of ``size`` bytes) on exactly this key until it expires.

        Local storage gives a path of this app, after ``base_url``; a remote store its own address. With
        ``file_name`` the answer is a download of that name.
        """
        ...

    def short_of_room(self) -> str | None:
        """Why nothing should be begun that stores much, in words; None while there is room."""
        ...

    async def check(self) -> None:
        """Raise what is wrong if the store does not answer."""
        ...
