"""Tokens: JWTs that say who calls, and random ones that are stored hashed.

Each JWT has one audience, so none passes for another: ``api`` (a person), ``callback`` (one attempt of one job; it has
no clock, since a trainer may report hours later), ``ws`` (one WebSocket of one job, for a minute). Those of a person
name the session, or the API token, that they came from: they are good only while it is.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
import time
from typing import Any
from uuid import UUID

import jwt
import msgspec

from visionai.errors import Unauthorised
from visionai.settings import Settings

TICKET_SECONDS = 60
API_PREFIX = "vai_"


class Credential(msgspec.Struct, frozen=True):
    """Who is asking, and by what: a session or an API token, one of the two."""

    user_id: UUID
    session_id: UUID | None = None
    token_id: UUID | None = None


class Callback(msgspec.Struct, frozen=True):
    """Whom a trainer's token stands for."""

    job_id: UUID
    attempt: int


def access_token(settings: Settings, user_id: UUID, session_id: UUID) -> str:
    return _sign(settings, "api", {"sub": str(user_id), "sid": str(session_id)}, settings.access_token_seconds)


def read_access_token(settings: Settings, token: str) -> Credential:
    return _credential(_verify(settings.secret, settings.jwt_algorithm, "api", token))


def callback_token(settings: Settings, job_id: UUID, attempt: int) -> str:
    """The same each time: a repeated launch hands out the same token."""
    return _sign(settings, "callback", {"sub": str(job_id), "attempt": attempt}, None)


def read_callback_token(settings: Settings, token: str) -> Callback:
    return _callback(settings.secret, settings.jwt_algorithm, token)


@functools.lru_cache(maxsize=4096)
def _callback(secret: str, algorithm: str, token: str) -> Callback:
    """Remembered: it stands for the same attempt as long as there is this secret, and comes with each report."""
    claims = _verify(secret, algorithm, "callback", token)
    return Callback(UUID(claims["sub"]), int(claims["attempt"]))


def ticket(settings: Settings, credential: Credential, job_id: UUID) -> str:
    by = {"sid": credential.session_id, "tid": credential.token_id}
    claims = {name: str(value) for name, value in by.items() if value is not None}
    return _sign(settings, "ws", {"sub": str(credential.user_id), "job": str(job_id), **claims}, TICKET_SECONDS)


def read_ticket(settings: Settings, token: str, job_id: UUID) -> Credential:
    """Whose ticket it is. Raises Unauthorised also if it was for another job."""
    claims = _verify(settings.secret, settings.jwt_algorithm, "ws", token)
    if claims["job"] != str(job_id):
        raise Unauthorised("This ticket is for another job: ask for a new one.")
    return _credential(claims)


def _credential(claims: dict[str, Any]) -> Credential:
    """Raises Unauthorised for one that an older version signed, which knew no sessions."""
    by = {name: UUID(claims[claim]) for claim, name in (("sid", "session_id"), ("tid", "token_id")) if claim in claims}
    if not by:
        raise Unauthorised("The token is of an older version: sign in again.", code="token_expired")
    return Credential(UUID(claims["sub"]), **by)


def api_token() -> str:
    """Known by its beginning, to people and to what looks for secrets that got into a repository."""
    return API_PREFIX + opaque()


def opaque() -> str:
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of an opaque token. It has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def _sign(settings: Settings, audience: str, claims: dict[str, Any], seconds: float | None) -> str:
    if seconds is not None:
        now = int(time.time())
        claims = {**claims, "iat": now, "exp": now + int(seconds)}
    return jwt.encode({**claims, "aud": audience}, settings.secret, algorithm=settings.jwt_algorithm)


def _verify(secret: str, algorithm: str, audience: str, token: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token, secret, algorithms=[algorithm], audience=audience,
            options={"require": ["sub", "aud"] if audience == "callback" else ["sub", "aud", "exp"]},
        )  # fmt: skip
    except jwt.ExpiredSignatureError:
        raise Unauthorised("The token has expired: sign in again.", code="token_expired") from None
    except jwt.InvalidTokenError:
        raise Unauthorised("The token is not valid here: sign in again.") from None
    return claims
