"""The OpenAPI document is what the app does: requests are made up from it, and each answer is one that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from everybody import Everybody
from hypothesis import HealthCheck, Phase, given, settings
from litestar.testing import TestClient
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from visionai.api import openapi
from visionai.app import create_app
from visionai.settings import Settings

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
EXAMPLES = {"admin": 10, "viewer": 2, "nobody": 1}
"""Who asks, and how often each operation."""
LEFT_OUT = ("/auth/logout-everywhere", "/readyz")
"""The one ends the session that asks; the other is honest: no worker runs here."""


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everybody]:
    data_dir: Path = tmp_path_factory.mktemp("data")
    app = create_app(
        Settings(
            data_dir=data_dir,
            jwt_secret="s" * 40,
            **{f"rate_limit_{k}": 0 for k in ("auth", "read", "write", "upload")},
        ),
        {},
        background=False,
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Everybody(app, client)


@pytest.mark.parametrize("asker", EXAMPLES)
def test_every_answer_is_one_that_the_document_names(everybody: Everybody, asker: str) -> None:
    bearer = everybody.bearer(asker, everybody.rows(asker))
    headers = {"Authorization": f"Bearer {bearer}"} if bearer is not None else {}
    schema = schemathesis.openapi.from_dict(openapi.document(everybody.app))
    wrong: list[str] = []

    def ask(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url="http://testserver.local", headers=headers)
        request = everybody.client.build_request(**requested(sent))
        request.read()  # what is streamed could not be shown with a failure
        answer = everybody.client.send(request, follow_redirects=False)
        case.validate_response(answer, checks=CHECKS)

    seen = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path.endswith(LEFT_OUT):
            continue
        seen += 1
        try:
            bounded = settings(
                max_examples=EXAMPLES[asker], deadline=None, database=None, derandomize=True, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            bounded(given(case=operation.as_strategy())(ask))()
        except BaseExceptionGroup as failures:
            wrong += [f"{operation.method.upper()} {operation.path}: {e}" for e in failures.exceptions]
        except Exception as e:
            wrong.append(f"{operation.method.upper()} {operation.path}: {e}")
    assert seen > 70
    assert not wrong, "\n\n".join(wrong)


@schemathesis.serializer("application/offset+octet-stream")
def bytes_as_they_are(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def requested(sent: dict[str, Any]) -> dict[str, Any]:
    names = ("method", "url", "params", "headers", "json", "data", "files", "content")
    kept = {name: value for name, value in sent.items() if name in names and value is not None}
    if isinstance(kept.get("data"), bytes):
        kept["content"] = kept.pop("data")
    if "files" in kept:  # a part that is neither text nor bytes
        kept["files"] = [(name, text(part)) for name, part in kept["files"]]
    return kept


def text(part: Any) -> Any:
    if isinstance(part, tuple):
        return tuple(text(p) for p in part)
    return part if part is None or isinstance(part, str | bytes) else str(part)
