"""What every store promises; local is the first."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionai.errors import Conflict, Forbidden, Locked, NotFound, StorageFull
from visionai.storage.base import Stat
from visionai.storage.local import LocalStorage


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(tmp_path: Path, clock: Clock) -> LocalStorage:
    return LocalStorage(tmp_path, "secret", clock=clock)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def broken(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    raise ConnectionError("the client has left")


async def read(storage: LocalStorage, key: str, **window: int) -> bytes:
    return b"".join([chunk async for chunk in storage.get(key, **window)])


async def test_what_is_put_is_got_whole_and_in_part(storage):
    stat = await storage.put("a/b", chunks(b"hello ", b"world"))
    assert (stat.key, stat.size) == ("a/b", 11)
    assert await read(storage, "a/b") == b"hello world"
    assert await read(storage, "a/b", offset=6, length=3) == b"wor"
    assert await storage.sha256("a/b") == hashlib.sha256(b"hello world").hexdigest()


async def test_what_would_take_the_last_of_the_disk_is_refused_and_not_kept(tmp_path):
    """The reserve is the database's: what is running can go on reporting."""
    storage = LocalStorage(tmp_path, "secret", keep_free=1 << 60)
    assert "Free some space" in storage.short_of_room()
    with pytest.raises(StorageFull):
        await storage.put("k", chunks(b"new"))
    assert await storage.stat("k") is None
    assert LocalStorage(tmp_path, "secret").short_of_room() is None


async def test_a_put_that_breaks_off_leaves_what_was_there(storage):
    await storage.put("k", chunks(b"old"))
    with pytest.raises(ConnectionError):
        await storage.put("k", broken(b"new"))
    assert await read(storage, "k") == b"old"
    assert list((storage.root / ".incoming").iterdir()) == []


async def test_deleting_what_is_not_there_is_no_error(storage):
    await storage.delete("nothing")
    assert await storage.stat("nothing") is None
    with pytest.raises(NotFound):
        await read(storage, "nothing")


async def test_a_prefix_is_listed_and_deleted(storage):
    for key in ("p/1", "p/q/2", "r/3"):
        await storage.put(key, chunks(b"x"))
    assert [s.key async for s in storage.list("p/")] == ["p/1", "p/q/2"]
    await storage.delete_prefix("p/")
    assert [s.key async for s in storage.list("p/")] == []
    assert await storage.stat("r/3") is not None


async def test_a_file_is_taken_over(storage, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    await storage.put_file("f", source)
    assert await read(storage, "f") == b"bytes"


def query(url: str) -> tuple[str, int, str, str]:
    parts = urlsplit(url)
    values = {name: value[0] for name, value in parse_qs(parts.query).items()}
    key = parts.path.removeprefix("/storage/")
    return key, int(values["expires"]), values["signature"], values.get("download", "")


def test_a_signature_opens_its_own_object_for_its_own_method_until_it_expires(storage, clock):
    key, expires, signature, _ = query(storage.sign("GET", "a/b", expires_in=60))
    storage.verify("GET", key, expires, signature)
    for method, other, until in [("PUT", key, expires), ("GET", "a/c", expires), ("GET", key, expires + 1)]:
        with pytest.raises(Forbidden):
            storage.verify(method, other, until, signature)
    clock.now += 61
    with pytest.raises(Forbidden, match="expired"):
        storage.verify("GET", key, expires, signature)


def test_a_download_cannot_be_renamed(storage):
    key, expires, signature, name = query(storage.sign("GET", "a", expires_in=60, file_name="model.pt"))
    storage.verify("GET", key, expires, signature, name)
    with pytest.raises(Forbidden):
        storage.verify("GET", key, expires, signature, "virus.exe")


@given(
    st.text(max_size=60) | st.lists(st.sampled_from(["..", ".", "a", "", "\\", "\0", "/"]), max_size=6).map("/".join)
)
def test_no_key_leaves_the_folder(key):
    storage = object.__new__(LocalStorage)
    storage.root = Path("/data/storage")
    try:
        path = storage.path(key)
    except NotFound:
        return
    assert path.is_relative_to(storage.root)
    assert ".." not in path.parts


async def test_an_object_is_moved(storage):
    await storage.put("a", chunks(b"one"))
    await storage.put("deep/b", chunks(b"two"))
    await storage.move("a", "deep/b")
    assert await storage.stat("a") is None
    assert await read(storage, "deep/b") == b"one"
    with pytest.raises(NotFound):
        await storage.move("a", "deep/b")


async def test_what_lies_for_long_is_deleted(storage, clock):
    await storage.put("in/old", chunks(b"x"))
    clock.now = (storage.path("in/old")).stat().st_mtime + 10
    await storage.delete_older("in/", 60)
    assert await storage.stat("in/old") is not None
    clock.now += 60
    await storage.delete_older("in/", 60)
    assert await storage.stat("in/old") is None
    await storage.delete_older("nothing/", 60)


async def test_what_comes_in_pieces_is_an_object_once_it_is_complete(storage):
    assert await storage.append("a/b", 0, chunks(b"hello ")) == 6
    assert (await storage.stat("a/b"), await storage.received("a/b")) == (None, 6)
    assert [s async for s in storage.list("a/")] == []
    assert await storage.append("a/b", 6, chunks(b"wor", b"ld")) == 11
    for _ in range(2):
        assert await storage.complete("a/b") == Stat("a/b", 11)
    assert await read(storage, "a/b") == b"hello world"
    with pytest.raises(NotFound):
        await storage.complete("nothing")
    assert await storage.received("nothing") == 0


async def test_a_piece_that_breaks_off_is_not_kept_and_those_before_it_are(storage):
    await storage.append("k", 0, chunks(b"one"))
    with pytest.raises(ConnectionError):
        await storage.append("k", 3, broken(b"two"))
    assert await storage.received("k") == 3
    await storage.append("k", 3, chunks(b"three"))
    await storage.complete("k")
    assert await read(storage, "k") == b"onethree"


async def test_what_was_answered_to_nobody_is_overwritten(storage):
    await storage.append("k", 0, chunks(b"one"))
    await storage.append("k", 3, chunks(b" and a long piece"))
    assert await storage.append("k", 3, chunks(b"two")) == 6
    await storage.complete("k")
    assert await read(storage, "k") == b"onetwo"


async def test_no_piece_leaves_a_gap(storage):
    for offset in (3, 1):
        with pytest.raises(Conflict):
            await storage.append("k", offset, chunks(b"x"))
    await storage.append("k", 0, chunks(b"one"))
    with pytest.raises(Conflict):
        await storage.append("k", 4, chunks(b"x"))
    assert await storage.received("k") == 3


async def test_of_two_pieces_at_once_the_second_is_refused(storage):
    async def interrupted() -> AsyncIterator[bytes]:
        yield b"fi"
        with pytest.raises(Locked):
            await storage.append("k", 0, chunks(b"second"))
        yield b"rst"

    assert await storage.append("k", 0, interrupted()) == 5
    await storage.complete("k")
    assert await read(storage, "k") == b"first"


async def test_a_full_disk_keeps_the_pieces_before_and_takes_the_rest_later(tmp_path):
    await LocalStorage(tmp_path, "secret").append("k", 0, chunks(b"one"))
    with pytest.raises(StorageFull):
        await LocalStorage(tmp_path, "secret", keep_free=1 << 60).append("k", 3, chunks(b"two"))
    assert await LocalStorage(tmp_path, "secret").append("k", 3, chunks(b"two")) == 6


async def test_what_is_being_received_survives_a_restart_and_goes_with_its_prefix(storage):
    await storage.append("p/k", 0, chunks(b"one"))
    storage.forget_incoming()
    assert await storage.received("p/k") == 3
    await storage.delete_prefix("p/")
    assert await storage.received("p/k") == 0
    assert [path for path in storage.root.rglob("*") if path.is_file()] == []


def test_a_signature_is_for_so_many_bytes(storage):
    query = parse_qs(urlsplit(storage.sign("PUT", "a", expires_in=60, size=7)).query)
    expires, signature = int(query["expires"][0]), query["signature"][0]
    storage.verify("PUT", "a", expires, signature, size=7)
    for other in (8, None):
        with pytest.raises(Forbidden):
            storage.verify("PUT", "a", expires, signature, size=other)
