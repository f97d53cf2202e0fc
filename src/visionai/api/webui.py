"""Serves the built web UI: hashed assets from memory, and the one page behind every address of its own.

A page is answered with ``no-store`` and a Content-Security-Policy with a fresh nonce. Reserved prefixes and names
with a dot are never pages: a mistyped address of the API or of a file is a 404, not a page that says so with 200.
"""

import hashlib
import secrets
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

BUILT = Path(__file__).parent.parent / "webui"
NONCE = "__CSP_NONCE__"
RESERVED = frozenset({"api", "v1", "ws", "assets", "storage"})
PUBLIC = {"public": True}
NOT_BUILT = "The web UI is not built. Run `pip install .` in the source folder (it brings its Node), then restart.\n"
MEDIA_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".txt": "text/plain",
}


class Asset(msgspec.Struct, frozen=True):
    body: bytes
    media_type: str
    etag: str
    immutable: bool
    encoded: dict[str, bytes]
    """What the build compressed beforehand, by content encoding, best first."""


def webui_router(built: Path = BUILT) -> Router:
    """The routes of the UI in ``built``, read once, here. Without a built UI each page answers 503 in words."""
    assets = _read_assets(built)
    index = built / "index.html"
    template = index.read_text("utf-8") if index.is_file() else None

    @get("/assets/{name:path}", include_in_schema=False, sync_to_thread=False, opt=PUBLIC)
    def asset(name: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
        found = assets.get(f"assets/{name.lstrip('/')}")
        if found is None:
            raise NotFoundException("There is no such file.")
        return _asset_response(found, request)

    @get(["/", "/{path:path}"], include_in_schema=False, sync_to_thread=False, opt=PUBLIC)
    def page(request: Request[Any, Any, Any], path: FromPath[str] = "") -> Response[Any]:
        path = path.lstrip("/")
        if found := assets.get(path):
            return _asset_response(found, request)
        if path.split("/", 1)[0] in RESERVED or "." in path.rsplit("/", 1)[-1]:
            raise NotFoundException("There is nothing at this address.")
        return _page_response(template)

    return Router("/", route_handlers=[asset, page])


def content_security_policy(nonce: str) -> str:
    return (
        "default-src 'none'; script-src 'self'; connect-src 'self'; font-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; img-src 'self' blob: data:; manifest-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _read_assets(built: Path) -> dict[str, Asset]:
    """Every file the UI refers to, by its path; compressed neighbours (``.br``, ``.gz``) belong to their file."""
    files = {p.relative_to(built).as_posix(): p for p in built.rglob("*") if p.is_file() and p.name[0] != "."}
    return {
        name: Asset(
            body=(body := path.read_bytes()),
            media_type=MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
            etag=f'"{hashlib.sha256(body).hexdigest()[:20]}"',
            immutable=name.startswith("assets/"),
            encoded={
                encoding: files[name + suffix].read_bytes()
                for encoding, suffix in (("br", ".br"), ("gzip", ".gz"))
                if name + suffix in files
            },
        )
        for name, path in files.items()
        if path.suffix not in {".br", ".gz", ".html"}
    }


def _asset_response(asset: Asset, request: Request[Any, Any, Any]) -> Response[bytes]:
    headers = {
        "etag": asset.etag,
        "vary": "Accept-Encoding",
        "cache-control": "public, max-age=31536000, immutable" if asset.immutable else "no-cache",
    }
    if request.headers.get("if-none-match") == asset.etag:
        return Response(b"", status_code=304, headers=headers, media_type=asset.media_type)
    accepted = {part.split(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
    encoding = next((e for e in asset.encoded if e in accepted), None)
    if encoding is None:
        return Response(asset.body, headers=headers, media_type=asset.media_type)
    headers["content-encoding"] = encoding
    return Response(asset.encoded[encoding], headers=headers, media_type=asset.media_type)


def _page_response(template: str | None) -> Response[str]:
    if template is None:
        return Response(NOT_BUILT, status_code=503, media_type="text/plain", headers={"retry-after": "30"})
    nonce = secrets.token_urlsafe(16)
    headers = {"cache-control": "no-store", "content-security-policy": content_security_policy(nonce)}
    return Response(template.replace(NONCE, nonce), media_type="text/html", headers=headers)
