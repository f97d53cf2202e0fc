"""HTTP from a trainer: calls to the server with the attempt's token, and transfers through signed URLs without it.

Standard library alone, since a trainer image holds little beside its framework. Proxies from the environment are
used, except for loopback addresses.
"""

from __future__ import annotations

import email.utils
import hashlib
import ipaddress
import random
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

import msgspec

from visionai.trainers.contract import TrainerEnv

TIMEOUT = 60.0
CHUNK = 2**20


class Refused(Exception):
    """The answer will not change by asking again: 4xx but 408, 425 and 429; also a redirect."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code = status, code

    @property
    def ends_the_attempt(self) -> bool:
        """The token is worth nothing any more, or the attempt is over: nothing this process says counts."""
        return self.status in (401, 403) or (self.status == 409 and self.code in ("attempt_ended", ""))


class Unreachable(Exception):
    """No answer, or one that says: later. ``retry_after`` in seconds if the server named a time."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class UrlExpired(Exception):
    """A signed URL was refused: ask for a fresh one."""


class Damaged(Exception):
    """What arrived is not what was announced."""


class Client:
    """Safe to use from several threads."""

    def __init__(self, env: TrainerEnv, *, timeout: float = TIMEOUT) -> None:
        self._base = f"{env.backend_base_url.rstrip('/')}/v1/jobs/{env.job_id}/"
        self._root = env.backend_base_url.rstrip("/") + "/"
        self._headers = {"Authorization": f"Bearer {env.callback_token}", "Content-Type": "application/json"}
        if env.trace_id:
            self._headers["X-Trace-ID"] = env.trace_id
        if env.traceparent:
            self._headers["traceparent"] = env.traceparent
        self._timeout = timeout

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Ask once. Raises Refused or Unreachable."""
        request = urllib.request.Request(self._base + path, data=body, method=method, headers=self._headers)  # noqa: S310
        with self._open(request, redirects=False) as answer:
            return _read(answer)

    def download(self, url: str, target: Path, *, size: int, sha256: str, on_chunk: Callable[[int], None]) -> None:
        """Fetch once into ``target``, checking size and hash. Raises UrlExpired, Refused, Unreachable or Damaged."""
        request = urllib.request.Request(self._absolute(url))  # noqa: S310
        digest, got = hashlib.sha256(), 0
        with self._transfer(request) as answer, target.open("wb") as file:
            while chunk := _read(answer, CHUNK):
                file.write(chunk)
                digest.update(chunk)
                got += len(chunk)
                on_chunk(len(chunk))
                if got > size:
                    break
        if got != size or digest.hexdigest() != sha256:
            raise Damaged(f"{got} bytes arrived, {size} were announced" if got != size else "its hash differs")

    def upload(self, url: str, headers: Mapping[str, str], source: Path, *, offset: int, length: int) -> None:
        """PUT a range of a file once. Raises UrlExpired, Refused or Unreachable."""
        sent = {"Content-Type": "application/octet-stream", **headers, "Content-Length": str(length)}
        with source.open("rb") as file:
            file.seek(offset)
            body = _chunks(file, length) if length else b""
            request = urllib.request.Request(self._absolute(url), data=body, method="PUT", headers=sent)  # noqa: S310
            with self._transfer(request) as answer:
                _read(answer)

    def _absolute(self, url: str) -> str:
        absolute = urllib.parse.urljoin(self._root, url)
        if not absolute.startswith(("http://", "https://")):
            raise Refused(0, "bad_url", f"cannot transfer through {url[:100]}")
        return absolute

    def _transfer(self, request: urllib.request.Request) -> Any:
        try:
            return self._open(request, redirects=True)
        except Refused as e:
            if e.status == 403:
                raise UrlExpired(str(e)) from e
            raise

    def _open(self, request: urllib.request.Request, *, redirects: bool) -> Any:
        handlers: list[urllib.request.BaseHandler] = [] if redirects else [_NoRedirect()]
        if _is_loopback(request.host or ""):
            handlers.append(urllib.request.ProxyHandler({}))
        try:
            return urllib.request.build_opener(*handlers).open(request, timeout=self._timeout)
        except urllib.error.HTTPError as e:
            with e:
                raise _judged(e) from None
        except ssl.SSLCertVerificationError as e:
            raise Unreachable(str(e)) from e
        except (OSError, HTTPException) as e:  # URLError is an OSError
            raise Unreachable(f"{type(e).__name__}: {e}") from e


class Backoff:
    """Exponential, with full jitter. ``next`` gives the seconds to wait, never less than what the server asked for."""

    def __init__(
        self, *, first: float = 0.5, most: float = 30.0, uniform: Callable[[float, float], float] | None = None
    ) -> None:
        self._first, self._most = first, most
        self._uniform = uniform or random.uniform
        self.failures = 0

    def next(self, retry_after: float | None = None) -> float:
        ceiling = min(self._most, self._first * 2 ** min(self.failures, 20))
        self.failures += 1
        return min(max(self._uniform(0, ceiling), retry_after or 0.0), 300.0)

    def reset(self) -> None:
        self.failures = 0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another place."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _judged(error: urllib.error.HTTPError) -> Refused | Unreachable:
    try:
        body = error.read(65_536)
    except (OSError, HTTPException):
        body = b""
    try:
        problem = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        problem = {}
    code, detail = str(problem.get("code", "")), str(problem.get("detail", error.reason))
    if error.code >= 500 or error.code in (408, 425, 429):
        return Unreachable(f"{error.code} {detail}", _retry_after(error.headers.get("Retry-After")))
    return Refused(error.code, code, detail)


def _retry_after(value: str | None) -> float | None:
    """Seconds, from a number or a date."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _read(answer: Any, amount: int | None = None) -> bytes:
    try:
        return bytes(answer.read(amount) if amount else answer.read())
    except (OSError, HTTPException) as e:
        raise Unreachable(f"{type(e).__name__}: {e}") from e


def _chunks(file: IO[bytes], length: int) -> Iterator[bytes]:
    while length > 0 and (chunk := file.read(min(CHUNK, length))):
        length -= len(chunk)
        yield chunk


def _is_loopback(host: str) -> bool:
    name = urllib.parse.urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
