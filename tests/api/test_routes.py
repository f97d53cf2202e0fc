"""Every route is guarded or on the short public list; nothing else comes in."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler

from visionai.identity import tokens

PUBLIC = {
    ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/api/v1/auth/setup"), ("POST", "/api/v1/auth/setup"),
    ("POST", "/api/v1/auth/login"), ("POST", "/api/v1/auth/refresh"), ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/auth/reset"), ("POST", "/api/v1/auth/invitation"), ("POST", "/api/v1/auth/accept"),
    ("GET", "/api/v1/openapi.json"), ("GET", "/api/v1"), ("OPTIONS", "/api/v1/uploads"),
    ("GET", "/"), ("GET", "/{path:path}"), ("GET", "/assets/{name:path}"),
}  # fmt: skip
OWN_GUARD = {"callback": "/v1/jobs/", "signed": "/storage/", "ticket": "/ws/training/"}
SOME_ID = "01a20ad6-b1b8-710e-af7f-713d5e0cd98b"


def routes(app):
    for route in app.routes:
        for handler in getattr(route, "route_handlers", None) or [route.route_handler]:
            methods = handler.http_methods if isinstance(handler, HTTPRouteHandler) else {"WS"}
            for method in sorted(set(methods) - {"OPTIONS"} - ({"HEAD"} if "GET" in methods else set())):
                yield method, route.path, handler


def address(path: str) -> str:
    parts = [
        SOME_ID if ":uuid" in p else "0" if ":int" in p else "x" if p.startswith("{") else p for p in path.split("/")
    ]
    return "/".join(parts)


def test_every_route_is_guarded_or_on_the_list(app):
    unguarded = set()
    for method, path, handler in routes(app):
        own = handler.opt.get("auth")
        if own is not None:
            assert path.startswith(OWN_GUARD[own]), f"{method} {path} claims a guard that is not its own"
        elif handler.opt.get("public") or path.startswith("/api/v1/openapi"):
            unguarded.add((method, path))
    assert unguarded <= PUBLIC


def test_nobody_gets_in_without_a_token(app, client):
    seen = 0
    for method, path, handler in routes(app):
        if handler.opt.get("public") or isinstance(handler, WebsocketRouteHandler) or "openapi" in path:
            continue
        answer = client.request(method, address(path))
        assert answer.status_code in ({400, 403, 422} if handler.opt.get("auth") == "signed" else {401}), (method, path)
        assert method == "HEAD" or answer.headers["content-type"].startswith("application/problem+json")
        seen += 1
    assert seen > 30


def test_a_trainers_token_opens_nothing_of_the_api(app, client, admin):
    settings = app.state.parts.settings
    callback = tokens.callback_token(settings, UUID(SOME_ID), 1)
    answer = client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {callback}"})
    assert answer.status_code == 401


def test_a_persons_token_reports_nothing(client, admin):
    answer = admin.call("POST", f"/v1/jobs/{SOME_ID}/heartbeat", json={"epoch": 1, "progress": 1})
    assert answer.status_code == 401


def test_a_trainers_token_is_for_its_own_job(app, client):
    callback = tokens.callback_token(app.state.parts.settings, UUID(int=7), 1)
    answer = client.post(
        f"/v1/jobs/{SOME_ID}/heartbeat",
        json={"epoch": 1, "progress": 1},
        headers={"Authorization": f"Bearer {callback}"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/v1/nothing", "/storage/x/%2e%2e/%2e%2e/etc/passwd", "/assets/none.js"]
)
def test_what_is_not_there_is_404_or_refused(client, path):
    assert client.get(path).status_code in {401, 403, 404, 422}


def test_a_stranger_finds_nothing_of_others(admin):
    project = admin.call("GET", "/api/v1/projects").json()["items"][0]["id"]
    stranger = admin.as_user("eve@example.org", "engineer")
    assert stranger.call("GET", f"/api/v1/projects/{project}/members").status_code == 404
    assert stranger.call("GET", f"/api/v1/training/jobs/{SOME_ID}").status_code == 404
    assert stranger.call("GET", "/api/v1/users").status_code == 403


def test_a_viewer_changes_nothing(admin):
    viewer = admin.as_user("vera@example.org", "viewer")
    assert viewer.call("POST", "/api/v1/projects", json={"name": "mine"}).status_code == 403
    assert viewer.call("POST", "/api/v1/chat/message", json={"content": "hello"}).status_code == 403


def test_the_openapi_document_names_every_route_of_the_api(app, client):
    documented = set(client.get("/api/v1/openapi.json").json()["paths"])
    for _method, path, handler in routes(app):
        if path.startswith("/api/v1/") and "openapi" not in path and not isinstance(handler, WebsocketRouteHandler):
            assert re.sub(r":\w+}", "}", path) in documented


def test_the_openapi_document_says_what_each_route_asks_for(client):
    scheme_of = {"/v1/jobs/": "callback", "/storage/": "signed"}
    document = client.get("/api/v1/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            wanted = next((s for prefix, s in scheme_of.items() if path.startswith(prefix)), "bearer")
            public = (method.upper(), path) in PUBLIC
            assert operation["security"] == ([] if public else [{wanted: []}]), (method, path)
    assert set(document["components"]["securitySchemes"]) == {"bearer", "callback", "signed"}
    assert "security" not in document, "nothing asks for a token unless it says so itself"


def test_the_openapi_document_names_the_errors_that_there_are_and_no_others(client):
    for path, operations in client.get("/api/v1/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            errors = {s: a for s, a in operation["responses"].items() if s >= "400"}
            of_tus = {"400"} if (method, path) == ("patch", "/api/v1/uploads/{upload_id}") else set()
            assert {"400", "500"} & set(errors) == of_tus, (method, path)
            assert all([*answer["content"]] == ["application/problem+json"] for answer in errors.values())
            kinds = set(operation.get("requestBody", {}).get("content", {}))
            assert ("415" in errors) == bool(kinds - {"multipart/form-data"}), (method, path)


@pytest.mark.parametrize("path", ["/api", "/api/v1/nothing", "/api/v1/training/jobs/no/such", "/api/v2/x", "/v1"])
def test_where_there_is_nothing_of_the_api_a_program_is_told_so(admin, path):
    answer = admin.call("GET", path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("verb", ["retry", "resume"])
@pytest.mark.parametrize("body", [{}, {"json": {}}, {"json": {"config": {"epochs": 3}}}])
def test_the_body_of_retry_and_resume_may_be_left_out(admin, verb, body):
    answer = admin.call("POST", f"/api/v1/training/jobs/{SOME_ID}/{verb}", **body)
    assert answer.status_code == 404, answer.text


def numbers(app):
    for method, path, handler in routes(app):
        for name, parameter in handler.parsed_fn_signature.parameters.items():
            if name != "scope" and int in (parameter.annotation, *parameter.args):
                yield method, path, parameter.kwarg_definition.name or name


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, -(2**63) - 1, 10**400], ids=lambda n: f"{str(n)[:9]}…")
def test_a_number_that_no_database_holds_is_refused_by_its_name(app, admin, number):
    seen = set()
    for method, path, name in numbers(app):
        seen.add(name)
        if method == "WS":
            with pytest.raises(WebSocketDisconnect) as closed:
                admin.client.websocket_connect(f"{address(path)}?{name}={number}").__enter__()
            assert "Validation failed" in closed.value.detail, "refused before it was opened"
            continue
        in_path = f"{{{name}:int}}" in path
        where = address(path.replace(f"{{{name}:int}}", str(number)))
        query = {"expires": "1", "signature": "x"} | ({} if in_path else {name: str(number)})
        headers = {"Tus-Resumable": "1.0.0", name: str(number), "Authorization": f"Bearer {admin.token}"}
        answer = admin.client.request(method, where, params=query, headers=headers)
        assert answer.status_code == 422, (method, path, name, answer.text)
        assert name in {e["field"] for e in answer.json()["errors"]}, (method, path, name)
    in_headers = {"Upload-Length", "Upload-Offset"}
    assert seen == {"cursor", "offset", "limit", "n", "since", "from", "epoch", "expires", "size"} | in_headers


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/json", None],
)
def test_what_is_not_said_to_be_json_is_refused(app, client, admin, kind):
    """Such a request is sent by any web page, cookies included, without the browser asking the server first."""
    callback = tokens.callback_token(app.state.parts.settings, UUID(SOME_ID), 1)
    headers = {"Content-Type": kind} if kind is not None else {}
    seen = 0
    for method, path, handler in routes(app):
        if isinstance(handler, HTTPRouteHandler) and handler.parsed_data_field is not None:
            who = {"Authorization": f"Bearer {admin.token if path.startswith('/api/') else callback}"}
            answer = client.request(method, address(path), content=b"{}", headers=headers | who)
            assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type"), (method, path)
            seen += 1
    assert seen > 15
