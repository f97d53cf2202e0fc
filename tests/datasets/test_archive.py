from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import archives
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from visionai.datasets.archive import Limits, Unpacked, clean_name, unpack
from visionai.datasets.faults import FaultBook
from visionai.operations.work import WorkFailed

LIMITS = Limits(members=1000, total_bytes=200 << 20, ratio=200)


def unpacked(archive: Path, limits: Limits = LIMITS, book: FaultBook | None = None) -> Unpacked:
    target = archive.parent / f"{archive.name}-unpacked"
    target.mkdir()
    return unpack(archive, target, limits, book if book is not None else FaultBook(), lambda *_: None)


def codes(book: FaultBook) -> set[str]:
    return {fault.code for fault in book.faults()}


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_kinds_are_told_apart_by_content(tmp_path: Path, mode: str) -> None:
    path, files = tmp_path / "photos.jpg", archives.classes()
    if mode == "zip":
        archives.write_zip(path, files)
    else:
        archives.write_tar(path, files, mode)
    found = unpacked(path)
    assert {f.name: f.path.read_bytes() for f in found.images} == files


def zipped(**files: bytes) -> Callable[[Path], Path]:
    return lambda path: archives.write_zip(path, files | archives.classes())


def named(name: str) -> Callable[[Path], Path]:
    return lambda path: archives.write_zip(path, {name: archives.image()})


def tar_named(name: str) -> Callable[[Path], Path]:
    return lambda path: archives.write_tar(path, {name: archives.image()})


def cut(make: Callable[[Path], Path], keep: float) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        whole = make(path).read_bytes()
        path.write_bytes(whole[: int(len(whole) * keep)])
        return path

    return write


def good_tar(mode: str = "w") -> Callable[[Path], Path]:
    return lambda path: archives.write_tar(path, archives.classes(20), mode)


def raw(body: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(body)
        return path

    return write


def encrypted(path: Path) -> Path:
    archives.write_zip(path, archives.classes())
    body = bytearray(path.read_bytes())
    at = -1
    while (at := body.find(b"PK\x01\x02", at + 1)) >= 0:
        body[at + 8] |= 1
    path.write_bytes(bytes(body))
    return path


def bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        z.writestr("cats/1.png", bytes(100 << 20))
    return path


def damaged_member(path: Path) -> Path:
    body = bytearray(archives.write_zip(path, archives.classes()).read_bytes())
    body[60] ^= 0xFF
    path.write_bytes(bytes(body))
    return path


def damaged_tar_header(path: Path) -> Path:
    body = bytearray(good_tar()(path).read_bytes())
    body[1024 + 148 : 1024 + 156] = b"xxxxxxxx"  # the second member's checksum
    path.write_bytes(bytes(body))
    return path


def unknown_compression(path: Path) -> Path:
    body = archives.write_zip(path, archives.classes()).read_bytes()
    path.write_bytes(
        body.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x09\x00")
    )
    return path


HOSTILE = {
    "absolute zip": (named("/etc/cats/1.png"), "unsafe_archive"),
    "parent zip": (named("cats/../../1.png"), "unsafe_archive"),
    "backslash parent": (named("..\\..\\1.png"), "unsafe_archive"),
    "drive": (named("C:\\cats\\1.png"), "unsafe_archive"),
    "unc": (named("\\\\server\\cats\\1.png"), "unsafe_archive"),
    "absolute tar": (tar_named("/etc/cats/1.png"), "unsafe_archive"),
    "parent tar": (tar_named("../1.png"), "unsafe_archive"),
    "bomb": (bomb, "archive_bomb"),
    "encrypted": (encrypted, "encrypted_archive"),
    "unknown compression": (unknown_compression, "unsupported_archive"),
    "damaged member": (damaged_member, "broken_archive"),
    "damaged tar header": (damaged_tar_header, "broken_archive"),
    "zip cut off": (cut(zipped(), 0.5), "broken_archive"),
    "tar cut off": (cut(good_tar(), 0.5), "broken_archive"),
    "tar.gz cut off": (cut(good_tar("w:gz"), 0.5), "broken_archive"),
    "tar.bz2 cut off": (cut(good_tar("w:bz2"), 0.5), "broken_archive"),
    "tar.xz cut off": (cut(good_tar("w:xz"), 0.5), "broken_archive"),
    "garbage": (raw(b"\x00\x01nothing" * 100), "not_an_archive"),
    "empty": (raw(b""), "not_an_archive"),
    "gzip of no tar": (raw(gzip.compress(b"hello" * 500)), "broken_archive"),
    "rar": (raw(b"Rar!\x1a\x07\x00" + bytes(100)), "unsupported_archive"),
    "7z": (raw(b"7z\xbc\xaf\x27\x1c" + bytes(100)), "unsupported_archive"),
    "one image": (raw(archives.image()), "unsupported_archive"),
    "only a zip's head": (raw(b"PK\x03\x04" + bytes(50)), "broken_archive"),
}


@pytest.mark.parametrize(("make", "code"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_and_broken_archives_end_in_a_sentence(tmp_path: Path, make: Callable[[Path], Path], code: str) -> None:
    with pytest.raises(WorkFailed) as failed:
        unpacked(make(tmp_path / "archive"))
    assert failed.value.reason.code == code
    assert failed.value.reason.message.endswith(".")
    assert failed.value.reason.hint.endswith(".")
    assert {p.name for p in tmp_path.iterdir()} == {"archive", "archive-unpacked"}


def test_a_size_that_only_the_tar_header_claims_is_refused_before_it_is_read(tmp_path: Path) -> None:
    lie = tarfile.TarInfo("cats/1.png")
    lie.size = 1 << 50
    with (tmp_path / "a.tar").open("wb") as f:
        f.write(lie.tobuf() + bytes(1024))
    with pytest.raises(WorkFailed) as failed:
        unpacked(tmp_path / "a.tar")
    assert failed.value.reason.code == "archive_too_large"


@pytest.mark.parametrize("limits", [Limits(5, 1 << 30, 200), Limits(1000, 500, 200)], ids=["members", "bytes"])
@pytest.mark.parametrize("write", [archives.write_zip, archives.write_tar])
def test_limits(tmp_path: Path, limits: Limits, write: Callable[[Path, dict[str, bytes]], Path]) -> None:
    with pytest.raises(WorkFailed) as failed:
        unpacked(write(tmp_path / "a", archives.classes()), limits)
    assert failed.value.reason.code == "archive_too_large"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_left_out_and_listed(tmp_path: Path, kind: bytes) -> None:
    book = FaultBook()
    path = archives.write_tar_members(tmp_path / "a.tar", archives.member("cats/x.png", kind, "/etc/passwd"))
    found = unpacked(path, book=book)
    assert len(found.images) == 10
    assert all(f.path.is_file() and not f.path.is_symlink() for f in found.images)
    (fault,) = book.faults()
    assert (fault.code, fault.files) == ("links_skipped", ["cats/x.png"])


def test_a_zip_link_is_left_out(tmp_path: Path) -> None:
    path, book = tmp_path / "a.zip", FaultBook()
    with zipfile.ZipFile(path, "w") as z:
        info = zipfile.ZipInfo("cats/x.png")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        z.writestr(info, "/etc/passwd")
    assert unpacked(path, book=book).images == []
    assert codes(book) == {"links_skipped"}


def test_what_systems_leave_behind_is_ignored(tmp_path: Path) -> None:
    rubbish = [
        "__MACOSX/cats/._1.png",
        "cats/.DS_Store",
        "cats/Thumbs.db",
        ".git/x.png",
        "cats/._1.png",
        "cats/.hidden.png",
    ]
    book = FaultBook()
    found = unpacked(archives.write_zip(tmp_path / "a.zip", dict.fromkeys(rubbish, b"x")), book=book)
    assert (found.images, found.others, book.faults()) == ([], [], [])


def test_names_that_cannot_be_kept(tmp_path: Path) -> None:
    files = {"cats/" + "x" * 1200 + ".png": b"x", "y" * 250 + "/1.png": b"x", "cats/a\nb.png": b"x"}
    book = FaultBook()
    assert unpacked(archives.write_zip(tmp_path / "a.zip", files), book=book).images == []
    (fault,) = book.faults()
    assert (fault.code, fault.file_count) == ("unusable_name", 3)


def test_names_in_other_encodings(tmp_path: Path) -> None:
    """Korean Windows writes EUC-KR without saying so; macOS decomposes; a tar may hold anything."""
    for encoding, name in (("euc_kr", "고양이/1.png"), ("utf-8", "猫/1.png"), ("cp437", "caf\u00e9/1.png")):
        raw_name = name.encode(encoding)
        stand_in = "x" * len(raw_name)
        path = archives.write_zip(tmp_path / encoding, {stand_in: archives.image()})
        path.write_bytes(path.read_bytes().replace(stand_in.encode(), raw_name))  # zipfile itself would set the flag
        assert [f.name for f in unpacked(path).images] == [name]
    assert clean_name("cafe\u0301/1.png") == "caf\u00e9/1.png"
    book = FaultBook()
    found = unpacked(
        archives.write_tar(tmp_path / "a.tar", {b"cats/\xff.png".decode(errors="surrogateescape"): b"x"}), book=book
    )
    assert [f.name for f in found.images] == ["cats/\ufffd.png"]
    assert codes(book) == {"undecodable_name"}


def test_the_first_of_two_files_with_one_name_counts(tmp_path: Path) -> None:
    book = FaultBook()
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for body in (b"first", b"second"):
            info = tarfile.TarInfo("cats/1.png")
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    (found,) = unpacked(path, book=book).images
    assert found.path.read_bytes() == b"first"
    assert codes(book) == {"duplicate_name"}


def test_archives_inside_are_not_opened(tmp_path: Path) -> None:
    inner = archives.write_zip(tmp_path / "inner.zip", archives.classes()).read_bytes()
    book = FaultBook()
    found = unpacked(archives.write_zip(tmp_path / "a.zip", {"inner.zip": inner}), book=book)
    assert (found.images, found.others) == ([], ["inner.zip"])
    assert codes(book) == {"nested_archive"}


names = st.lists(
    st.sampled_from(["..", ".", "", "cats", "1.png", "/", "\\", "C:", "~", "con", "a.png", "\u202e", "..\\", "/etc"])
    | st.text(max_size=8),
    min_size=1, max_size=6,
).map("/".join)  # fmt: skip


@given(st.lists(names, min_size=1, max_size=5), st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_ever_leads_outside(tmp_path_factory: pytest.TempPathFactory, members: list[str], as_zip: bool) -> None:
    root = tmp_path_factory.mktemp("hostile")
    target = root / "deep" / "inside" / "target"
    target.mkdir(parents=True)
    files = dict.fromkeys(members, b"payload")
    try:
        (archives.write_zip if as_zip else archives.write_tar)(root / "archive", files)
    except (UnicodeEncodeError, ValueError, IndexError):
        return  # no such archive can be written
    with contextlib.suppress(WorkFailed):
        unpack(root / "archive", target, LIMITS, FaultBook(), lambda *_: None)
    outside = [p for p in root.rglob("*") if p.is_file() and target not in p.parents]
    assert outside == [root / "archive"]
    assert all(p.is_file() and not p.is_symlink() and p.name.isdigit() for p in target.rglob("*"))


@given(st.binary(max_size=2000))
@settings(max_examples=100, deadline=None)
def test_any_bytes_end_in_images_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    root = tmp_path_factory.mktemp("bytes")
    (root / "a").write_bytes(body)
    try:
        unpacked(root / "a")
    except WorkFailed as e:
        assert e.reason.message


def tar_of(path: Path, info: tarfile.TarInfo, body: bytes, pax: dict[str, str] | None = None) -> Path:
    """A tar.gz with a header as a packer would never write it."""
    if pax:
        info.pax_headers = pax
    with gzip.open(path, "wb") as f:
        f.write(info.tobuf(tarfile.PAX_FORMAT))
        f.write(body)
        f.write(bytes(-len(body) % 512 + 1024))
    return path


@pytest.mark.parametrize("kind", [b"Z", b"0"])
def test_what_is_only_skipped_counts_too(tmp_path: Path, kind: bytes) -> None:
    """A member of an unknown type, or without an image's name, is decompressed all the same."""
    info = tarfile.TarInfo("zeros.bin")
    info.type, info.size = kind, 64 << 20
    path = tar_of(tmp_path / "a.tar.gz", info, bytes(64 << 20))
    with pytest.raises(WorkFailed) as failed:
        unpacked(path, Limits(members=10, total_bytes=16 << 20, ratio=10**9))
    assert failed.value.reason.code == "archive_too_large"


def test_a_negative_size_does_not_switch_the_limits_off(tmp_path: Path) -> None:
    info = tarfile.TarInfo("c0/q.png")
    info.size = 32 << 20
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "-999999999999",
              "GNU.sparse.name": "c0/q.png"}  # fmt: skip
    body = b"1\n0\n33554432\n".ljust(512, b"\0") + bytes((32 << 20) - 512)
    path = tar_of(tmp_path / "a.tar.gz", info, body, sparse)
    with pytest.raises(WorkFailed) as failed:
        unpacked(path, Limits(members=10, total_bytes=16 << 20, ratio=10**9))
    assert failed.value.reason.code in {"broken_archive", "archive_too_large"}


def test_a_name_that_is_no_utf8_is_a_damaged_archive_and_no_riddle(tmp_path: Path) -> None:
    path = archives.write_zip(tmp_path / "a.zip", {"cats/ä.png": archives.image()})
    path.write_bytes(path.read_bytes().replace("ä".encode(), b"\xff\xfe"))
    with pytest.raises(WorkFailed) as failed:
        unpacked(path)
    assert failed.value.reason.code == "broken_archive"
