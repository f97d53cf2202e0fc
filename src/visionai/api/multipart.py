"""Reading a multipart form as it arrives: nothing is spooled and nothing is kept.

Litestar's own forms are collected in memory or in temporary files before a handler sees them, which is not the way to
receive 100 GB.
"""

from collections.abc import AsyncIterator
from typing import TypeAlias

from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from visionai.errors import BadInput

FIELD_BYTES = 64 << 10
BLOCK = 1 << 20
MAX_PARTS = 100

Event: TypeAlias = MultipartSegment | bytes | bytearray | None


class Part:
    """One part. Its body is read once, before the next part is asked for; what is not read is skipped."""

    def __init__(self, segment: MultipartSegment, events: AsyncIterator[Event]) -> None:
        self.name: str = segment.name or ""
        self.file_name: str | None = segment.filename
        self._events = events

    async def blocks(self) -> AsyncIterator[bytes]:
        """The body in blocks of about 1 MiB."""
        block = bytearray()
        async for event in self._events:
            if event is None:
                break
            assert not isinstance(event, MultipartSegment)
            block += event
            if len(block) >= BLOCK:
                yield bytes(block)
                block.clear()
        if block:
            yield bytes(block)

    async def text(self) -> str:
        body = b""
        async for block in self.blocks():
            body += block
            if len(body) > FIELD_BYTES:
                raise BadInput.field(self.name, f"is longer than {FIELD_BYTES:,} bytes")
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise BadInput.field(self.name, "is not UTF-8") from None


async def parts(content_type: str, body: AsyncIterator[bytes]) -> AsyncIterator[Part]:
    """The parts of a form in their order. Raises BadInput if it is none, or if it ends too early."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise BadInput.field("Content-Type", "must be multipart/form-data with a boundary")
    events = _events(options["boundary"], body)
    async for event in events:
        if isinstance(event, MultipartSegment):
            yield Part(event, events)


async def _events(boundary: str, body: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    try:
        with PushMultipartParser(boundary, max_segment_count=MAX_PARTS) as parser:
            async for chunk in body:
                if chunk:
                    for event in parser.parse(chunk):
                        yield event
    except MultipartError as e:
        raise BadInput.field("body", f"is not a whole multipart form ({e})") from e
