"""Objects as files below one folder, with signed paths of this app for those who have no account.

A put is written beside its place, synced and renamed: whoever reads sees a whole object. What is being received grows
in a place of its own, synced after each piece, and is renamed in the end. A signature covers method, key and expiry, so
that a path cannot be stretched to another object.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import hmac
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar
from urllib.parse import quote, urlencode

from visionai import failpoints, locks
from visionai.errors import Conflict, Forbidden, Locked, NotFound, StorageFull
from visionai.ids import uuid7
from visionai.storage.base import Stat

CHUNK = 1 << 20

T = TypeVar("T")


class LocalStorage:
    """``keep_free`` bytes of the disk are left for the database beside it: a put that would take them is refused."""

    def __init__(self, root: Path, secret: str, *, keep_free: int = 0, clock: Callable[[], float] = time.time) -> None:
        self.root = root
        self._keep_free = keep_free
        self._secret = hashlib.sha256(b"storage\0" + secret.encode()).digest()
        self._clock = clock
        self._incoming = root / ".incoming"
        self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._received = root / ".received"

    def forget_incoming(self) -> None:
        """At the start of a process that owns the folder alone: what a killed one was receiving is of no use."""
        for part in self._incoming.iterdir():
            part.unlink(missing_ok=True)

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> Stat:
        path, part = self.path(key), self._incoming / str(uuid7())
        try:
            with _full_disk(), await asyncio.to_thread(part.open, "xb") as f:
                async for chunk in chunks:
                    if (short := self.short_of_room()) is not None:
                        raise StorageFull(short)
                    with _full_disk():
                        await asyncio.to_thread(f.write, chunk)
                    failpoints.reach("storage.receiving")
                with _full_disk():
                    await asyncio.to_thread(_place, f, part, path)
        finally:
            part.unlink(missing_ok=True)
        return Stat(key, path.stat().st_size)

    async def put_file(self, key: str, path: Path) -> Stat:
        target = self.path(key)
        with _full_disk():
            await asyncio.to_thread(self._take_over, path, target)
        return Stat(key, target.stat().st_size)

    async def append(self, key: str, offset: int, chunks: AsyncIterator[bytes]) -> int:
        part = self._part(key)
        with _full_disk(), await asyncio.to_thread(_open_at, part, offset) as f:
            try:
                async for chunk in chunks:
                    if (short := self.short_of_room()) is not None:
                        raise StorageFull(short)
                    await _to_its_end(_write, f, chunk)
                    failpoints.reach("storage.appending")
                await _to_its_end(os.fsync, f.fileno())
            except BaseException:
                f.truncate(offset)  # gives the room back
                raise
            return f.tell()

    async def received(self, key: str) -> int:
        try:
            return self._part(key).stat().st_size
        except FileNotFoundError:
            return 0

    async def complete(self, key: str) -> Stat:
        path = self.path(key)
        try:
            await asyncio.to_thread(self._take_over, self._part(key), path)
        except FileNotFoundError:
            if not path.is_file():
                raise NotFound(f"There is no object {key!r}.") from None
        return Stat(key, path.stat().st_size)

    async def get(self, key: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        try:
            f = await asyncio.to_thread(self.path(key).open, "rb")
        except (FileNotFoundError, IsADirectoryError):
            raise NotFound(f"There is no object {key!r}.") from None
        with f:
            f.seek(offset)
            left = length if length is not None else -1
            while left and (chunk := await asyncio.to_thread(f.read, CHUNK if left < 0 else min(CHUNK, left))):
                left -= len(chunk) if left > 0 else 0
                yield chunk

    async def stat(self, key: str) -> Stat | None:
        path = self.path(key)
        return Stat(key, path.stat().st_size) if path.is_file() else None

    async def sha256(self, key: str) -> str:
        path = self.path(key)
        if not path.is_file():
            raise NotFound(f"There is no object {key!r}.")
        return await asyncio.to_thread(_sha256, path)

    async def move(self, source: str, target: str) -> None:
        try:
            with _full_disk():
                await asyncio.to_thread(self._take_over, self.path(source), self.path(target))
        except FileNotFoundError:
            raise NotFound(f"There is no object {source!r}.") from None

    async def delete_older(self, prefix: str, seconds: float) -> None:
        folder = self.path(prefix.rstrip("/"))
        for path in folder.iterdir() if folder.is_dir() else ():
            if self._clock() - path.stat().st_mtime > seconds:
                path.unlink(missing_ok=True)

    async def delete(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

    async def delete_prefix(self, prefix: str) -> None:
        for folder in (self._part(prefix.rstrip("/")), self.path(prefix.rstrip("/"))):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def list(self, prefix: str) -> AsyncIterator[Stat]:
        folder = self.path(prefix.rstrip("/"))
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file():
                yield Stat(path.relative_to(self.root).as_posix(), path.stat().st_size)

    def sign(
        self, method: str, key: str, *, expires_in: float, base_url: str = "", file_name: str | None = None,
        size: int | None = None,
    ) -> str:  # fmt: skip
        expires = int(self._clock() + expires_in)
        query = {"expires": expires, "signature": self._signature(method, key, expires, file_name or "", size)}
        if file_name is not None:
            query["download"] = file_name
        if size is not None:
            query["size"] = size
        return f"{base_url}/storage/{quote(key)}?{urlencode(query)}"

    def verify(
        self, method: str, key: str, expires: int, signature: str, file_name: str = "", size: int | None = None
    ) -> None:
        """Raises Forbidden unless ``sign`` gave this signature and it has not expired."""
        expected = self._signature(method, key, expires, file_name, size)
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            raise Forbidden("The signature does not fit this address: ask for a new one.", code="signature_invalid")
        if expires < self._clock():
            raise Forbidden("This address has expired: ask for a new one.", code="signature_expired")

    def short_of_room(self) -> str | None:
        free = shutil.disk_usage(self.root).free
        if free >= self._keep_free:
            return None
        return (
            f"The disk is nearly full: {free >> 20} MB are free, {self._keep_free >> 20} MB are kept. Free some space."
        )

    async def check(self) -> None:
        probe = self._incoming / f"check-{uuid7()}"
        try:
            with _full_disk():
                probe.write_bytes(b"ok")
        finally:
            probe.unlink(missing_ok=True)

    def path(self, key: str) -> Path:
        """Where ``key`` lies. Raises NotFound for a key that would leave the folder."""
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or "\\" in key or "\0" in key or any(p.startswith(".") for p in parts):
            raise NotFound(f"There is no object {key!r}.")
        return self.root.joinpath(*parts)

    def _part(self, key: str) -> Path:
        """Where ``key`` grows while it is being received."""
        return self._received / self.path(key).relative_to(self.root)

    def _signature(self, method: str, key: str, expires: int, file_name: str, size: int | None) -> str:
        signed = "\n".join((method, key, str(expires), str(size), file_name))
        return hmac.new(self._secret, signed.encode(), hashlib.sha256).hexdigest()

    def _take_over(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            source.replace(target)
        except OSError as e:
            if e.errno != errno.EXDEV:
                raise
            part = self._incoming / str(uuid7())
            try:
                shutil.copyfile(source, part)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)


class _full_disk:
    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("The disk is full: free some space and try again.") from error


async def _to_its_end(work: Callable[..., T], *arguments: object) -> T:
    """In a thread, and not left before that is done, if cancelled neither: nothing writes to a file that is closed."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _open_at(part: Path, offset: int) -> IO[bytes]:
    """Locked, and cut off at ``offset``. Raises Locked, Conflict."""
    if offset == 0:
        part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(part, os.O_RDWR | (os.O_CREAT if offset == 0 else 0), 0o600)
    except FileNotFoundError:
        raise Conflict("Nothing of it is there any more: begin anew.") from None
    f = os.fdopen(descriptor, "r+b", buffering=0)
    try:
        if not locks.take(f):
            raise Locked("Another request is adding to it: wait for that one.", retry_after=1)
        if os.fstat(f.fileno()).st_size < offset:
            raise Conflict(f"There are fewer than {offset:,} bytes of it.")
        f.truncate(offset)
        f.seek(offset)
    except BaseException:
        f.close()
        raise
    return f


def _write(f: IO[bytes], chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[f.write(rest) :]


def _place(f: IO[bytes], part: Path, path: Path) -> None:
    f.flush()
    os.fsync(f.fileno())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part.replace(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
