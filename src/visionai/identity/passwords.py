"""Passwords: hashed with argon2, and judged by how many guesses they take, not by the kinds of their characters."""

from __future__ import annotations

import asyncio
import functools
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2

from visionai.errors import BadInput

T = TypeVar("T")

LEAST = 10
MOST_BYTES = 1024
GUESSES = 1e8
"""Out of reach for who tries at the log-in, and costly for who has stolen the hashes."""
JUDGED = 32
"""Of so many characters: more make it no worse, and some take the judge seconds."""
OUR_WORDS = ("visionai", "vision")

_threads = ThreadPoolExecutor(2, thread_name_prefix="argon2")
_judge = ThreadPoolExecutor(1, thread_name_prefix="zxcvbn")  # apart, so that no log-in waits behind a long verdict
_hasher = argon2.PasswordHasher()


async def hashed(password: str, *about: str, field: str = "password") -> str:
    """``about``: the person's address and name, which others guess first. Raises BadInput for a weak one, and says
    what would make it stronger."""
    if (fault := await _in_thread_of(_judge, _fault, password, about)) is not None:
        raise BadInput.field(field, fault)
    return await _in_thread_of(_threads, _hasher.hash, password)


async def fits(password_hash: str | None, password: str) -> bool:
    """Without a hash it takes as long as with one, so that nobody learns which addresses have an account."""
    return await _in_thread_of(_threads, _fits, password_hash, password)


def _fault(password: str, about: tuple[str, ...]) -> str | None:
    from zxcvbn import zxcvbn  # noqa: PLC0415  (its lists of words take 40 ms and some MB)

    if len(password) < LEAST:
        return f"must have at least {LEAST} characters: some words that do not belong together are easy to keep"
    if len(password.encode()) > MOST_BYTES:
        return f"must have at most {MOST_BYTES} bytes"
    judged = zxcvbn(password[:JUDGED], user_inputs=[*OUR_WORDS, *(word for text in about for word in _words(text))])
    if judged["guesses"] >= GUESSES:
        return None
    why = str(judged["feedback"]["warning"]).rstrip(".")
    because = f" ({why[:1].lower()}{why[1:]})" if why else ""
    return f"is too easy to guess{because}: add a word or two that nobody would expect, or take a longer sentence"


def _words(text: str) -> list[str]:
    """What people make of an address or a name: all of it, each word, the words run together."""
    own = text.partition("@")[0]
    return [word for word in (text, own, re.sub(r"\W", "", own), *re.split(r"\W+", text)) if word]


def _fits(password_hash: str | None, password: str) -> bool:
    nobodys = _nobodys_hash()
    try:
        return _hasher.verify(password_hash or nobodys, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


@functools.cache
def _nobodys_hash() -> str:
    """Made at the first log-in, whoever's: 0.15 s that a start need not wait for."""
    return _hasher.hash(secrets.token_urlsafe(32))


async def _in_thread_of(pool: ThreadPoolExecutor, function: Callable[..., T], *arguments: object) -> T:
    """Hashing is dear on purpose: in the threads that serve files, log-ins of strangers would stall uploads."""
    return await asyncio.get_running_loop().run_in_executor(pool, function, *arguments)
