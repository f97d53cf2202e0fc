"""Mail, where an SMTP server is set. It is never sent within a transaction, and nothing depends on it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

import structlog

from visionai.errors import said
from visionai.settings import Settings

log = structlog.get_logger()

STEP_SECONDS = 10.0
"""For each step of the conversation with the server."""
WHOLE_SECONDS = 30.0
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


async def send(settings: Settings, to: str, subject: str, text: str) -> str | None:
    """None once the server has taken it; otherwise why it has not, in words. The caller sees that there is a server."""
    sent: concurrent.futures.Future[None] = concurrent.futures.Future()
    sent.set_running_or_notify_cancel()

    def run() -> None:
        try:
            _send(settings, to, subject, text)
            sent.set_result(None)
        except Exception as e:
            sent.set_exception(e)

    # A thread of its own that the app's end does not wait for: a server may answer byte by byte.
    threading.Thread(target=run, name="mail", daemon=True).start()
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            await asyncio.wrap_future(sent)
    except Exception as e:
        log.warning("mail_not_sent", error=said(e))
        return f"The mail was not sent ({said(e)[:200]}): hand the link over yourself, or look at SMTP_URL."
    return None


def _send(settings: Settings, to: str, subject: str, text: str) -> None:
    import smtplib  # noqa: PLC0415  (needed where mail is sent, with ssl: 20 ms)
    import ssl  # noqa: PLC0415

    assert settings.smtp_url is not None and settings.smtp_from is not None, "the caller has looked"
    server = urlsplit(settings.smtp_url)
    us = urlsplit(settings.url).hostname or "localhost"
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.smtp_from, to, subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=us)
    message.set_content(text)
    host, trusted = server.hostname or "localhost", ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(host, server.port or 465, us, timeout=STEP_SECONDS, context=trusted)
        if server.scheme == "smtps"
        else smtplib.SMTP(host, server.port or 587, us, timeout=STEP_SECONDS)
    ) as connection:
        encrypted = server.scheme == "smtps"
        connection.ehlo()
        if not encrypted and connection.has_extn("starttls"):
            connection.starttls(context=trusted)
            encrypted = True
        if server.username:
            if not encrypted and host not in LOOPBACK:
                raise ConnectionError("the server offers no encryption, and a password goes to none that does not")
            connection.login(unquote(server.username), unquote(server.password or ""))
        connection.send_message(message, to_addrs=[to])
