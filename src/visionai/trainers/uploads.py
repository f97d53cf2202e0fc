"""Artifacts on their way to storage, one by one in a thread of their own: a large file delays no heartbeat."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from visionai.trainers.client import Refused, Unreachable, UrlExpired
from visionai.trainers.contract import ArtifactKind, ArtifactRequest, ArtifactTicket
from visionai.trainers.delivery import Delivery, say

MOST_REFUSALS = 5


class _Pending(msgspec.Struct):
    kind: ArtifactKind
    name: str
    file: Path
    epoch: int | None
    told: Callable[[], bool]


class Uploads:
    """``add`` returns at once; what is uploaded is the file as it was then, whatever happens to its path later.

    Of one kind and name only the newest waits: a checkpoint that a newer one overtakes is not sent.
    """

    def __init__(self, delivery: Delivery, outbox: Path) -> None:
        self.lost: list[str] = []
        """Kinds of artifacts that were given up: storage refused them again and again."""
        self._delivery, self._outbox = delivery, outbox
        self._numbers = itertools.count()
        self._waiting: deque[_Pending] = deque()
        self._busy = self._closed = False
        self._changed = threading.Condition()
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uploads", daemon=True)

    def start(self) -> None:
        shutil.rmtree(self._outbox, ignore_errors=True)
        self._outbox.mkdir(parents=True)
        self._thread.start()

    def add(self, kind: ArtifactKind, path: Path, name: str, epoch: int | None, told: Callable[[], bool]) -> None:
        """It is sent at once, but completed only when ``told``: what it holds has been reported. Another attempt goes
        on from a checkpoint, and epochs before it that nobody heard of would be missing for good."""
        copy = self._outbox / f"{next(self._numbers)}-{name}"
        try:
            os.link(path, copy)  # writers replace files, they never write into them
        except OSError:
            shutil.copyfile(path, copy)
        with self._changed:
            for old in [p for p in self._waiting if (p.kind, p.name) == (kind, name)]:
                self._waiting.remove(old)
                old.file.unlink(missing_ok=True)
            self._waiting.append(_Pending(kind, name, copy, epoch, told))
            self._changed.notify_all()

    def look_again(self) -> None:
        """Something more was told, or there is no hope."""
        with self._changed:
            self._changed.notify_all()

    def idle(self) -> bool:
        with self._changed:
            return not self._waiting and not self._busy

    def hurry(self) -> None:
        self._hurry.set()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        self._hurry.set()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                item, self._busy = self._waiting.popleft(), True
            try:
                if not self._upload(item) and not self._delivery.abandoned:
                    self.lost.append(item.kind)
            except Exception as e:
                say(f"{item.name} was not uploaded: {type(e).__name__}: {e}")
                self.lost.append(item.kind)
            finally:
                item.file.unlink(missing_ok=True)
                with self._changed:
                    self._busy = False

    def _upload(self, item: _Pending) -> bool:
        """Ask for URLs, send, complete; from the start again when a URL was refused. False if it is given up."""
        with item.file.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = item.file.stat().st_size
        request = ArtifactRequest(item.kind, item.name, size, sha256, item.epoch, self._delivery.next_seq())
        backoff, sent = self._delivery.backoff(), set[tuple[str, int]]()
        while backoff.failures <= MOST_REFUSALS:
            answer = self._delivery.post("artifacts", request, self._hurry)
            if answer is None:
                return False
            ticket = msgspec.json.decode(answer, type=ArtifactTicket)
            try:
                self._send_ranges(item.file, ticket, sent)
            except (UrlExpired, Refused) as e:
                self._delivery.complain(f"{item.name} was refused by storage, asking for another URL: {e}")
                self._delivery.clock.wait(self._hurry, backoff.next())
                continue
            with self._changed:
                self._changed.wait_for(lambda: item.told() or self._closed or self._delivery.abandoned)
            if self._closed or self._delivery.abandoned:
                return False
            return self._delivery.post(f"artifacts/{ticket.id}/complete", None, self._hurry) is not None
        return False

    def _send_ranges(self, file: Path, ticket: ArtifactTicket, sent: set[tuple[str, int]]) -> None:
        """PUT every range that has not arrived yet, waiting for a network that is away."""
        for upload in ticket.uploads:
            backoff = self._delivery.backoff()
            while (ticket.id, upload.offset) not in sent and not self._delivery.abandoned:
                try:
                    self._delivery.client.upload(
                        upload.url, upload.headers, file, offset=upload.offset, length=upload.length
                    )
                    sent.add((ticket.id, upload.offset))
                except Unreachable as e:
                    self._delivery.complain(f"{file.name} could not be sent, trying again: {e}")
                    self._delivery.clock.wait(self._hurry, backoff.next(e.retry_after))
