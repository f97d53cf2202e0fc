"""Unpacking what people send: zip and tar (plain, gz, bz2, xz), told apart by content.

No name out of the archive ever becomes a path: files are written under numbers of our own, and the names are data.
So nothing can be written outside the folder, whatever a name holds, and no file system's rules about names apply. An
archive whose names try to leave it is refused all the same: it is hostile or broken.

Only images are unpacked. Archives inside the archive are not opened.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import re
import shutil
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO, Literal, cast

import msgspec

from visionai.datasets import faults
from visionai.datasets.faults import FaultBook
from visionai.operations.work import WorkFailed

CHUNK = 1 << 20
RATIO_FROM = 64 << 20  # below this many bytes no ratio is suspicious
PEEK = 64 << 10
PEEKS = 20
NAME_MAX, FOLDER_MAX = 1000, 200

IMAGE_SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".bmp", ".dib", ".gif", ".webp", ".avif", ".tif", ".tiff",
    ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".tga",
))  # fmt: skip
ARCHIVE_SUFFIXES = frozenset((".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst"))
IGNORED = frozenset(("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"))
PACK_AGAIN = "Pack the folder again as .zip or .tar.gz and upload that."

Report = Callable[[float, str], None]


class Limits(msgspec.Struct, frozen=True):
    members: int
    total_bytes: int
    ratio: int
    keep_free: int = 0
    """Bytes of the disk that stay free whatever is unpacked."""


class File(msgspec.Struct, frozen=True):
    name: str
    """Path inside the archive, ``/`` between folders, NFC."""
    path: Path


class Unpacked(msgspec.Struct):
    images: list[File] = []
    others: list[str] = []
    """Names of files that were not unpacked."""
    folders: list[str] = []
    coco: list[str] = []
    """JSON files that begin like COCO annotations."""


class Entry(msgspec.Struct, frozen=True):
    name: str
    kind: Literal["file", "folder", "special"]
    size: int
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, target: Path, limits: Limits, book: FaultBook, report: Report) -> Unpacked:
    """Unpack the images of ``archive`` below ``target``. Raises WorkFailed with a sentence for the user."""
    found, seen = Unpacked(), set[str]()
    guard = _Guard(limits, archive.stat().st_size, shutil.disk_usage(target).free - limits.keep_free)
    with _sentences():
        for entry in _entries(archive, guard):
            guard.member(entry)
            name = clean_name(entry.name)
            if name is None:
                continue
            if entry.kind == "special":
                book.note(faults.LINKS, name)
            elif entry.kind == "folder":
                found.folders.append(name)
            elif not _usable(name):
                book.note(faults.NAME_UNUSABLE, "".join(c if c.isprintable() else "\ufffd" for c in name[:200]))
            elif name in seen:
                book.note(faults.DUPLICATE_NAME, name)
            else:
                seen.add(name)
                if "\ufffd" in name:
                    book.note(faults.NAME_UNDECODABLE, name)
                _take(entry, name, target, found, book)
                report(guard.share, f"Unpacked {len(found.images):,} images")
    return found


def clean_name(raw: str) -> str | None:
    """The name as we keep it; None for what packers and systems leave behind. Raises WorkFailed if it leads outside."""
    name = raw.replace("\\", "/")
    parts = [p for p in name.split("/") if p not in ("", ".")]
    if name.startswith("/") or re.match(r"[A-Za-z]:/", name) or ".." in parts or "\0" in name:
        raise WorkFailed(
            "unsafe_archive", f"The archive holds a file that points outside of it: {_readable(raw)[:200]!r}.",
            "Pack the folder again with relative paths.",
        )  # fmt: skip
    if not parts or any(p.startswith(".") or p.casefold() in IGNORED for p in parts):
        return None
    return unicodedata.normalize("NFC", _readable("/".join(parts)))


def _usable(name: str) -> bool:
    return (
        len(name) <= NAME_MAX
        and all(len(folder) <= FOLDER_MAX for folder in name.split("/")[:-1])
        and not any(unicodedata.category(c) == "Cc" for c in name)
    )


def _readable(name: str) -> str:
    """tarfile keeps undecodable bytes as lone surrogates, which nothing else can write."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _take(entry: Entry, name: str, target: Path, found: Unpacked, book: FaultBook) -> None:
    suffix = Path(name).suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        path = target / f"{len(found.images):08d}"
        with entry.open() as source, path.open("xb") as f:
            shutil.copyfileobj(source, f, CHUNK)
        found.images.append(File(name, path))
        return
    found.others.append(name)
    if suffix in ARCHIVE_SUFFIXES:
        book.note(faults.NESTED_ARCHIVES, name)
    elif suffix == ".json" and len(found.coco) < PEEKS:
        with entry.open() as source:
            if _like_coco(source.read(PEEK)):
                found.coco.append(name)


def _like_coco(head: bytes) -> bool:
    files = b'"file_name"' in head or b'"annotations"' in head
    return (b'"images"' in head and files) or b'"supercategory"' in head


class _Guard:
    """Counts what comes out of the archive and refuses what is too much, before it is written."""

    def __init__(self, limits: Limits, packed: int, free: int) -> None:
        self._limits, self._packed, self._free = limits, max(packed, 1), free
        self._members = self._bytes = self._streamed = 0
        self.expected = 0
        self.share = 0.0
        """How much of the archive is through, 0–100."""

    def announced(self, members: int, total: int) -> None:
        """What the archive's own directory says: refused before anything is unpacked."""
        self._check(members, total)
        self.expected = total

    def member(self, entry: Entry) -> None:
        self._members += 1
        self._bytes += entry.size
        self._check(self._members, self._bytes)
        if self.expected:
            self.share = min(100.0, 100 * self._bytes / self.expected)

    def streamed(self, count: int) -> None:
        self._streamed += count
        self._check_size(self._streamed)

    def _check(self, members: int, total: int) -> None:
        if members > self._limits.members:
            raise WorkFailed(
                "archive_too_large", f"The archive holds more than {self._limits.members:,} files.",
                "Split it, or ask the operator to raise ARCHIVE_MAX_MEMBERS.",
            )  # fmt: skip
        self._check_size(total)
        if total > self._free:
            raise WorkFailed(
                "storage_full", f"The server has {self._free:,} bytes of disk left, the archive needs more.",
                "Free some space and try again.",
            )  # fmt: skip

    def _check_size(self, total: int) -> None:
        if total > self._limits.total_bytes:
            raise WorkFailed(
                "archive_too_large", f"Unpacked, the archive is larger than {self._limits.total_bytes:,} bytes.",
                "Split it, or ask the operator to raise ARCHIVE_MAX_BYTES.",
            )  # fmt: skip
        if total > RATIO_FROM and total > self._limits.ratio * self._packed:
            raise WorkFailed(
                "archive_bomb", f"Unpacked, the archive is more than {self._limits.ratio} times as large as packed.",
                "Images hardly shrink when packed, so this is a damaged or hostile archive: pack the folder again.",
            )  # fmt: skip


def _entries(archive: Path, guard: _Guard) -> Iterator[Entry]:
    with archive.open("rb") as f:
        head = f.read(512)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_entries(archive, guard)
    for magic, opener in _COMPRESSED.items():
        if head.startswith(magic):
            return _tar_entries(opener(archive), guard)
    if _is_tar(head):
        return _tar_entries(archive.open("rb"), guard)
    raise _not_an_archive(head)


_COMPRESSED: dict[bytes, Callable[[Path], BinaryIO]] = {
    b"\x1f\x8b": cast(Callable[[Path], BinaryIO], gzip.open),
    b"BZh": cast(Callable[[Path], BinaryIO], bz2.open),
    b"\xfd7zXZ\x00": cast(Callable[[Path], BinaryIO], lzma.open),
}


def _zip_entries(archive: Path, guard: _Guard) -> Iterator[Entry]:
    with zipfile.ZipFile(archive) as z:
        infos = z.infolist()
        guard.announced(len(infos), sum(i.file_size for i in infos))
        if any(i.flag_bits & 1 for i in infos):
            raise WorkFailed("encrypted_archive", "The archive is protected by a password.",
                             "Pack it again without one.")  # fmt: skip
        for info in infos:
            mode = info.external_attr >> 16 if info.create_system == 3 else 0
            special = stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR)
            yield Entry(
                name=_zip_name(info),
                kind="special" if special else "folder" if info.orig_filename.endswith("/") else "file",
                size=info.file_size,
                open=lambda info=info: z.open(info),  # type: ignore[misc]
            )


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Names without the UTF-8 flag are in the packer's own code page; zipfile takes them all for cp437."""
    if info.flag_bits & 0x800 or info.orig_filename.isascii():
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    for encoding in ("utf-8", "euc_kr"):  # macOS and Korean Windows; few cp437 names are valid in either
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.orig_filename


class _StrictTarInfo(tarfile.TarInfo):
    """A damaged header or a missing end is an error; tarfile itself takes either for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> tarfile.TarInfo:  # type: ignore[override]
        try:
            return super().fromtarfile(tar)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the end as it should be
            raise
        except tarfile.EmptyHeaderError as e:  # type: ignore[attr-defined]
            raise tarfile.ReadError("its end is missing") from e
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as e:  # type: ignore[attr-defined]
            raise tarfile.ReadError(str(e)) from e


def _tar_entries(stream: IO[bytes], guard: _Guard) -> Iterator[Entry]:
    """One pass: a compressed stream is never wound back."""
    counted = cast(BinaryIO, _Counted(stream, guard))
    with stream, tarfile.open(fileobj=counted, mode="r|", tarinfo=_StrictTarInfo) as tar:
        while (member := tar.next()) is not None:
            if member.size < 0:
                raise tarfile.ReadError("a file in it has a negative size")
            tar.members.clear()  # type: ignore[attr-defined]  # tarfile keeps each header for ever
            yield Entry(
                name=member.name,
                kind="folder" if member.isdir() else "file" if member.isreg() else "special",
                size=member.size if member.isreg() else 0,
                open=lambda member=member: tar.extractfile(member),  # type: ignore[arg-type,misc]
            )


class _Counted:
    """What is read from an archive's stream counts, whatever its headers say of it: also what is only skipped."""

    def __init__(self, stream: IO[bytes], guard: _Guard) -> None:
        self._stream, self._guard = stream, guard

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self._guard.streamed(len(block))
        return block


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _not_an_archive(head: bytes) -> WorkFailed:
    for magic, name in _OTHER_FORMATS.items():
        if head.startswith(magic):
            return WorkFailed("unsupported_archive", f"This is {name}, which cannot be opened here.", PACK_AGAIN)
    return WorkFailed(
        "not_an_archive", "This file is neither a zip nor a tar archive.",
        "Pack one folder per class (cats/…, dogs/…) as .zip or .tar.gz and upload that.",
    )  # fmt: skip


_OTHER_FORMATS = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"Rar!": "a RAR archive", b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"PK\x07\x08": "one part of a split zip archive",
    b"\xff\xd8\xff": "a single JPEG image", b"\x89PNG": "a single PNG image", b"GIF8": "a single GIF image",
    b"<!DOCTYPE": "a web page", b"<html": "a web page", b"%PDF": "a PDF document",
}  # fmt: skip


DAMAGED = (
    EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, OSError,
    ValueError, OverflowError, RecursionError,  # numbers, names and chains of headers that make no sense
)  # fmt: skip


class _sentences:
    """Turns what the archive libraries raise into sentences. Reads as a statement: ``with _sentences()``."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return
        if isinstance(error, NotImplementedError):
            raise WorkFailed("unsupported_archive", "The zip archive uses a compression that cannot be opened here.",
                             "Pack it again with the usual one (deflate), or as .tar.gz.") from error  # fmt: skip
        if isinstance(error, DAMAGED):
            raise WorkFailed("broken_archive", f"The archive is damaged or was not sent whole ({error}).",
                             f"{PACK_AGAIN} Check first that it opens on your own machine.") from error  # fmt: skip
