"""The seam: what any object store can do, in generic verbs. Key layout is ``keys``; nothing here knows a job.

Errors: NotFound for a key that is not there, StorageFull when there is no room. A put is all or nothing: a reader
sees the old object or the new one, never half of one.

An object that comes in over many requests is *received*: ``append`` piece by piece, then ``complete``; before that it
is there for nobody. A piece is all or nothing as well, and the caller remembers which size was answered last. An object
store makes parts of the pieces (5 MB and more; what is left over is kept beside them until the next piece).
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

    async def append(self, key: str, offset: int, chunks: AsyncIterator[bytes]) -> int:
        """Add a piece to what is being received; the new size, once every byte of it is there for good.

        ``offset`` is what an append answered before, 0 at first. What lies beyond it was answered to nobody and is
        overwritten. Raises Conflict if there is less, Locked while another append to it is at work. Nothing of the
        piece is kept then, nor if ``chunks`` raises.
        """
        ...

    async def received(self, key: str) -> int:
        """How many bytes of an incoming object are there, perhaps some that were answered to nobody; 0 without one."""
        ...

    async def complete(self, key: str) -> Stat:
        """Make what was received the object, without copying it. May be repeated. NotFound if nothing is there."""
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

    async def delete_prefix(self, prefix: str) -> None:
        """And what is being received below it."""
        ...

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
