"""Headers that every answer has, whatever answers it: what a route says itself stays.

What is not a page may load nothing, is shown in no frame and is kept by no cache. A browser that came by https stays
with it (for a year), as ``PUBLIC_URL`` says.
"""

from __future__ import annotations

from litestar.types import BeforeMessageSendHookHandler, Message, Scope

EVERYWHERE = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    b"cache-control": b"no-store",
}


def hardening(public_url: str) -> BeforeMessageSendHookHandler:
    """For ``before_send`` of an app that people reach as ``public_url``."""
    secure = public_url.startswith("https://")
    wanted = EVERYWHERE | ({b"strict-transport-security": b"max-age=31536000"} if secure else {})

    async def harden(message: Message, _: Scope) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            said = {name.lower() for name, _ in headers}
            message["headers"] = [*headers, *((name, value) for name, value in wanted.items() if name not in said)]

    return harden
