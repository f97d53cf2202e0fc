"""A stand-in for a mail server: enough of SMTP to take one mail after another, or to misbehave in one way."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string, policy
from email.message import EmailMessage
from typing import Literal, cast

Manner = Literal["takes", "refuses", "hangs", "wants a password"]


class StandIn(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, manner: Manner) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.manner = manner
        self.taken: list[tuple[str, EmailMessage]] = []
        """To whom, by the envelope, and what."""
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"smtp://ada:p%40ss@127.0.0.1:{self.server_address[1]}"


class Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = cast(StandIn, self.server)
        if server.manner == "hangs":
            server.over.wait(30)
            return
        self.say("220 stand-in")
        to = ""
        for line in iter(self.rfile.readline, b""):
            verb = line.decode().strip()
            match verb.upper().split(" ")[0].partition(":")[0]:
                case "EHLO":
                    self.say("250-stand-in\r\n250 AUTH PLAIN")
                case "AUTH":
                    self.say("535 no" if server.manner == "wants a password" else "235 ok")
                case "RCPT":
                    to = verb.partition("<")[2].rstrip(">")
                    self.say("550 nobody of that name" if server.manner == "refuses" else "250 ok")
                case "DATA":
                    self.say("354 go on")
                    body = b"".join(iter(self.rfile.readline, b".\r\n")).decode()
                    server.taken.append((to, cast(EmailMessage, message_from_string(body, policy=policy.default))))
                    self.say("250 ok")
                case "QUIT":
                    self.say("221 bye")
                    return
                case _:
                    self.say("250 ok")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def running(manner: Manner) -> Iterator[StandIn]:
    with StandIn(manner) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
