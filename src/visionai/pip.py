"""pip, run for ``visionai[extra]`` in the locked versions, and what it does said while it does it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

LOOK_SECONDS = 1.0
FETCHING = re.compile(
    r"^\s*(?:Downloading|Using cached|Processing) .*?([A-Za-z0-9_.]+)-(\d[^-\s]*)-\S*\.whl", re.MULTILINE
)

LOCAL = re.compile(r"^\s*Processing (/\S+\.whl)", re.MULTILINE)


def install(python: str, extra: str, folder: Path, say: Callable[[str], None]) -> tuple[int, str]:
    """Its exit code and its standard error. It downloads to ``folder``, from where its size is read, and which is left
    empty; however this function is left, pip has ended."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{extra}-pip-*"):  # of an installation that was killed: gigabytes
        shutil.rmtree(left, ignore_errors=True)
    with (
        resources.as_file(resources.files("visionai") / "constraints.txt") as constraints,
        tempfile.TemporaryDirectory(prefix=f"{extra}-pip-", dir=folder, ignore_cleanup_errors=True) as scratch,
    ):
        said, errors = Path(scratch) / "stdout", Path(scratch) / "stderr"
        with said.open("wb") as out, errors.open("wb") as err:
            process = subprocess.Popen(  # env: TMPDIR is for pip alone, the rest it inherits
                ["/usr/bin/env", f"TMPDIR={scratch}", python, "-m", "pip", "install", "--progress-bar", "off",
                 "--disable-pip-version-check", "--constraint", str(constraints), f"visionai[{extra}]"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )  # fmt: skip
        try:
            used_before, to_unpack = 0, 0
            while True:
                try:
                    code = process.wait(LOOK_SECONDS)
                    return code, errors.read_text(errors="replace")
                except subprocess.TimeoutExpired:
                    pass
                text = said.read_text(errors="replace")
                if "Installing collected packages" not in text:
                    say(fetching(text, _size(Path(scratch))))
                    continue
                used = shutil.disk_usage(Path(python).parent).used
                if not used_before:
                    used_before, to_unpack = used, _unpacked_size(text, Path(scratch))
                say(unpacking(used - used_before, to_unpack))
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


def quietly(python: str, extra: str) -> int:
    """The exit code alone."""
    with tempfile.TemporaryDirectory() as folder:
        return install(python, extra, Path(folder), lambda _message: None)[0]


def fetching(said: str, size: int) -> str:
    """``1.2 GB fetched, now torch 2.9.1``"""
    found = FETCHING.findall(said)
    now = f", now {found[-1][0]} {found[-1][1]}" if found else ""
    return f"{_gigabytes(size)} fetched{now}"


def unpacking(written: int, size: int) -> str:
    """``unpacking 1.4 GB of 5.2 GB``; other programs write to the same disk, so it is no more exact than that."""
    if size <= 0:
        return "unpacking"
    return f"unpacking {_gigabytes(min(max(written, 0), size))} of {_gigabytes(size)}"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _size(folder: Path) -> int:
    return sum(_stat_size(path) for path in folder.rglob("*"))


def _stat_size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # pip has just moved it
        return 0


def _unpacked_size(said: str, folder: Path) -> int:
    """What the wheels hold that were fetched, or lie on this machine, by their own lists."""
    size = 0
    for wheel in {*folder.rglob("*.whl"), *map(Path, LOCAL.findall(said))}:
        try:
            with zipfile.ZipFile(wheel) as archive:
                size += sum(member.file_size for member in archive.infolist())
        except (OSError, zipfile.BadZipFile):
            continue
    return size
