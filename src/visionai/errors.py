"""Everything that can be refused, as one tree.

VisionAIError               500  internal
├── BadInput                422  invalid_input          errors: [{field, message}], every wrong field at once
├── BadRequest              400  bad_request            where a protocol of others asks for this status
├── ClientGone              400  client_gone            it went away in the middle; nobody reads the answer
├── Unauthorised            401  unauthorised
├── Forbidden               403  forbidden
├── NotFound                404  not_found              also for what belongs to somebody else
├── TimedOut                408  timed_out              it sends nothing more; what came is kept
├── Conflict                409  conflict
│   └── AttemptEnded        409  attempt_ended          a new report of an attempt that is over
├── PreconditionFailed      412  precondition_failed    another version of a protocol
├── TooLarge                413  too_large
├── UnsupportedMediaType    415  unsupported_media_type
├── Locked                  423  locked                 somebody else is at it; Retry-After
├── TooManyRequests         429  too_many_requests      Retry-After
├── ChecksumMismatch        460  checksum_mismatch      the status that tus gives it
├── Unavailable             503  unavailable            Retry-After
├── StorageFull             507  storage_full
└── SettingsError            –   settings_invalid       at start only; the message names the variable

Each class carries its HTTP status and a stable ``code``; each message says what to do next.
"""

from __future__ import annotations

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One wrong field. ``field`` is its path in the body, dots between levels (``config.epochs``)."""

    field: str
    message: str


class VisionAIError(Exception):
    status: int = 500
    code: str = "internal"
    title: str = "Internal error"

    def __init__(self, detail: str, *, code: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.retry_after = retry_after


class BadInput(VisionAIError):
    status, code, title = 422, "invalid_input", "Invalid input"

    def __init__(self, errors: list[FieldError], detail: str | None = None, *, code: str | None = None) -> None:
        super().__init__(detail or "; ".join(f"{e.field}: {e.message}" for e in errors), code=code)
        self.errors = errors

    @classmethod
    def field(cls, field: str, message: str) -> BadInput:
        return cls([FieldError(field, message)])


class BadRequest(VisionAIError):
    status, code, title = 400, "bad_request", "Bad request"


class ClientGone(VisionAIError):
    status, code, title = 400, "client_gone", "The client went away"


class Unauthorised(VisionAIError):
    status, code, title = 401, "unauthorised", "Not signed in"


class Forbidden(VisionAIError):
    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(VisionAIError):
    status, code, title = 404, "not_found", "Not found"


class TimedOut(VisionAIError):
    status, code, title = 408, "timed_out", "Timed out"


class Conflict(VisionAIError):
    status, code, title = 409, "conflict", "Conflict"


class AttemptEnded(Conflict):
    code = "attempt_ended"


class PreconditionFailed(VisionAIError):
    status, code, title = 412, "precondition_failed", "Another version is spoken here"


class TooLarge(VisionAIError):
    status, code, title = 413, "too_large", "Too large"


class UnsupportedMediaType(VisionAIError):
    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class Locked(VisionAIError):
    status, code, title = 423, "locked", "Somebody else is at it"


class TooManyRequests(VisionAIError):
    status, code, title = 429, "too_many_requests", "Too many requests"


class ChecksumMismatch(VisionAIError):
    status, code, title = 460, "checksum_mismatch", "Damaged on the way"


class Unavailable(VisionAIError):
    status, code, title = 503, "unavailable", "Not available now"


class StorageFull(VisionAIError):
    status, code, title = 507, "storage_full", "Storage is full"


class SettingsError(VisionAIError):
    code, title = "settings_invalid", "Invalid settings"


def said(error: BaseException) -> str:
    """What an exception says, or its kind where it says nothing, as a timeout does."""
    return str(error) or type(error).__name__
