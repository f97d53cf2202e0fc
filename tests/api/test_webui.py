from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from visionai.api.webui import webui_router

SCRIPT = b"console.log('VisionAI')\n" * 100


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient[Litestar]]:
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_text('<meta property="csp-nonce" nonce="__CSP_NONCE__"><div id="root"></div>')
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / ".stamp").write_text("digest")
    (assets / "main-1a2b.js").write_bytes(SCRIPT)
    (assets / "main-1a2b.js.br").write_bytes(brotli.compress(SCRIPT))
    (assets / "main-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (assets / "font-3c4d.woff2").write_bytes(b"wOF2")
    with TestClient(Litestar([webui_router(tmp_path)])) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/0197-a/", "/datasets/5?view=faults", "/no/such/page"])
def test_every_address_of_the_ui_is_the_page(client: TestClient[Litestar], path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    assert '<div id="root">' in answer.text


def test_each_page_has_its_own_nonce_and_the_policy_names_it(client: TestClient[Litestar]) -> None:
    nonces = set()
    for _ in range(3):
        answer = client.get("/")
        policy = answer.headers["content-security-policy"]
        match = re.search(r"style-src 'self' 'nonce-([\w-]{20,})'", policy)
        assert match and f'nonce="{match[1]}"' in answer.text
        assert "unsafe" not in policy
        nonces.add(match[1])
    assert len(nonces) == 3


@pytest.mark.parametrize(
    "path",
    [
        *("/api/v2/nothing", "/v1/jobs", "/ws/x", "/storage/x", "/assets/none.js", "/assets/main-1a2b.js.br"),
        *("/assets/../../app.py", "/robots.txt", "/.stamp", "/index.html", "/jobs/a.b"),
    ],
)
def test_what_is_no_page_is_not_found(client: TestClient[Litestar], path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(("accepted", "sent"), [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("identity", None)])
def test_assets_are_sent_as_the_browser_accepts_them(
    client: TestClient[Litestar], accepted: str, sent: str | None
) -> None:
    answer = client.get("/assets/main-1a2b.js", headers={"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == sent
    assert answer.content == SCRIPT
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]


def test_an_asset_the_browser_has_is_not_sent_again(client: TestClient[Litestar]) -> None:
    etag = client.get("/assets/font-3c4d.woff2").headers["etag"]
    answer = client.get("/assets/font-3c4d.woff2", headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_files_beside_the_page_are_checked_again_each_time(client: TestClient[Litestar]) -> None:
    answer = client.get("/favicon.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["cache-control"] == "no-cache"


def test_without_a_built_ui_the_page_says_what_to_do(tmp_path: Path) -> None:
    with TestClient(Litestar([webui_router(tmp_path / "none")])) as client:
        answer = client.get("/jobs")
        assert answer.status_code == 503
        assert "pip install" in answer.text
        assert client.get("/api/nothing").status_code == 404
