"""Every error leaves as ``application/problem+json`` (RFC 9457), whatever raised it."""

from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from visionai.api.bodies import missing_fields
from visionai.api.shapes import Problem
from visionai.errors import BadInput, ClientGone, StorageFull, Unavailable, VisionAIError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
CODES = {
    400: "bad_request",
    401: "unauthorised",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
}


def responses(*statuses: int) -> dict[int, ResponseSpec]:
    """For a route's OpenAPI: the errors it can answer with, beside 401 and 422."""
    spec = ResponseSpec(Problem, generate_examples=False, media_type=MEDIA_TYPE, description="An error, in words.")
    return dict.fromkeys((401, 422, *statuses), spec)


def on_our_error(request: Request[Any, Any, Any], error: VisionAIError) -> Response[Problem]:
    if isinstance(error, ClientGone):
        log.info("client_left", path=request.url.path, method=request.method)
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    errors = [msgspec.to_builtins(e) for e in error.errors] if isinstance(error, BadInput) else []
    return _answer(error.status, error.code, error.title, error.detail, errors, headers)


def on_framework_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    if isinstance(error, ValidationException):
        found = [e for e in error.extra or [] if isinstance(e, dict)]
        errors = [_field_error(request, e) for e in found if e.get("key") != "data"]
        if len(errors) < len(found):
            errors += [msgspec.to_builtins(e) for e in missing_fields(request)]
        detail = "; ".join(f"{e['field']}: {e['message']}" for e in errors) or error.detail
        return _answer(422, "invalid_input", "Invalid input", detail, errors, {})
    if error.status_code == 400:
        errors = [{"field": "body", "message": error.detail}]
        return _answer(422, "invalid_input", "Invalid input", error.detail, errors, {})
    if error.status_code >= 500:
        return on_any_error(request, error)
    code = CODES.get(error.status_code, "error")
    return _answer(
        error.status_code, code, code.replace("_", " ").capitalize(), error.detail, [], dict(error.headers or {})
    )


def on_database_error(request: Request[Any, Any, Any], error: DBAPIError) -> Response[Problem]:
    """The database takes no writes, or is away: nothing of this request was kept."""
    log.error("database_failed", error=str(error.orig), path=request.url.path, method=request.method)
    if "full" in str(error.orig):
        return on_our_error(request, StorageFull("The server's disk is full: free some space and try again."))
    return on_our_error(request, Unavailable("The database does not answer just now: try again.", retry_after=5))


def on_any_error(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    log.error("request_failed", exc_info=error, path=request.url.path, method=request.method)
    detail = "Something went wrong in the server; its log says what. Trying again may help."
    return _answer(500, "internal", "Internal error", detail, [], {})


HANDLERS: dict[int | type[Exception], Any] = {
    VisionAIError: on_our_error,
    HTTPException: on_framework_error,
    OperationalError: on_database_error,
    InterfaceError: on_database_error,
    Exception: on_any_error,
}


def _field_error(request: Request[Any, Any, Any], extra: dict[str, Any]) -> dict[str, str]:
    """By the name that the sender used, which may be none that Python allows (``from``)."""
    name = str(extra.get("key", ""))
    parameter = request.route_handler.parsed_fn_signature.parameters.get(name)
    alias = getattr(parameter.kwarg_definition, "name", None) if parameter is not None else None
    return {"field": alias or name, "message": str(extra.get("message", ""))}


def _answer(
    status: int, code: str, title: str, detail: str, errors: list[dict[str, str]], headers: dict[str, str]
) -> Response[Problem]:
    problem = Problem(f"urn:visionai:problem:{code}", title, status, code, detail, errors)
    return Response(problem, status_code=status, media_type=MEDIA_TYPE, headers=headers)
