"""A real `visionai serve` on a free port, and the browser that looks at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

CHROMIUM_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
REPORT_CSP = "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"


class Server(msgspec.Struct):
    url: str
    setup_url: str
    data_dir: Path


@contextmanager
def serving(data_dir: Path, environ: Mapping[str, str]) -> Iterator[Server]:
    """New and not yet set up. ``environ``: its settings, beside what is there."""
    command = [sys.executable, "-m", "visionai.cli", "serve", "--json", "--port", "0", "--data-dir", str(data_dir)]
    with (
        (data_dir / "stderr").open("w") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | environ
        ) as process,
    ):
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert line, (data_dir / "stderr").read_text()
            where = json.loads(line)
            yield Server(where["url"], where["setup_url"], data_dir)
        finally:
            process.terminate()
            process.wait(30)


def make_admin(server: Server, email: str, password: str) -> None:
    """By the set-up link, without a browser."""
    body = {"token": server.setup_url.partition("#token=")[2], "email": email, "password": password}
    request = urllib.request.Request(
        f"{server.url}/api/v1/auth/setup", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201
