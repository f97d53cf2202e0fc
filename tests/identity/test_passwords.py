"""Passwords are judged by how many guesses they take."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time

import pytest

from visionai.errors import BadInput
from visionai.identity import passwords

ABOUT = ("ada.lovelace@example.org", "Ada Lovelace")


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "an analytical engine", "measure twice, cut once", "좋은 하루 되세요 친구", "x9#kQ2!vLp"],
)
async def test_one_that_takes_many_guesses_is_taken(password: str) -> None:
    assert await passwords.fits(await passwords.hashed(password, *ABOUT), password)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "at least 10 characters"),
        ("password123", "easy to guess"),
        ("1234567890", "easy to guess"),
        ("aaaaaaaaaaaaaaaa", "easy to guess"),
        ("abcdefghijkl", "easy to guess"),
        ("qwertyuiop", "easy to guess"),
        ("Password1!", "easy to guess"),
        ("adalovelace1", "easy to guess"),
        ("ada.lovelace@example.org", "easy to guess"),
        ("visionai2026", "easy to guess"),
        ("é" * 600, "at most 1024 bytes"),
    ],
)
async def test_one_that_does_not_is_refused_with_what_to_do(password: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        await passwords.hashed(password, *ABOUT, field="new")
    (error,) = refused.value.errors
    assert error.field == "new" and words in error.message


@pytest.mark.parametrize("text", ["aB1!" * 256, "1l!|i" * 200, "password" * 128, "@4(30" * 200, "qwertyasdf" * 100])
async def test_the_judge_is_quick_whatever_it_is_given(text: str) -> None:
    began = time.perf_counter()
    with contextlib.suppress(BadInput):
        await passwords.hashed(text, "a" * 254, "b" * 200)
    assert time.perf_counter() - began < 5


def test_the_judge_is_not_loaded_at_the_start() -> None:
    loaded = "import sys, visionai.app; print([m for m in sys.modules if m.partition('.')[0] in {'zxcvbn', 'smtplib'}])"
    answer = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
