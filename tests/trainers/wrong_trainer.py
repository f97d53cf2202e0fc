"""A trainer that learns nothing and breaks the one promise that its argument names (``nothing``: none)."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request

BREAKS = sys.argv[1]
BASE = os.environ["BACKEND_BASE_URL"]
HEADERS = {
    "Authorization": f"Bearer {os.environ['CALLBACK_TOKEN']}", "X-Trace-ID": os.environ["TRACE_ID"],
    "traceparent": os.environ["TRACEPARENT"], "Content-Type": "application/json",
}  # fmt: skip
asked: list[int] = []
sent: list[str] = []


def main() -> int:
    signal.signal(signal.SIGTERM, stop)
    report("heartbeat", epoch=0, progress=0.0, kind="step")
    start, files = 0, fetched()
    if "checkpoint" in files and BREAKS != "begins-anew":
        start = int(files["checkpoint"])
    epochs = json.loads(os.environ["TRAINING_CONFIG"])["epochs"]
    for epoch in range(start + 1, epochs + 1):
        answer = report("heartbeat", epoch=epoch, progress=100.0 * epoch / epochs)
        if answer.get("action") == "stop":
            stop()
        if asked and BREAKS != "never-stops":
            upload("checkpoint_last", f"last-{epoch}.txt", str(epoch).encode(), epoch)
            report("done", status="stopped")
            return 143
    if BREAKS == "done-too-early":
        announce("model", "model.txt", b"model", epochs)
        report("done", status="succeeded")
    upload("model", "model.txt", b"model", epochs)
    report("done", status="succeeded")
    return 0


def stop(*_: object) -> None:
    asked.append(1)


def report(path: str, **fields: object) -> dict[str, object]:
    sent.append(path)
    return call("POST", path, {"seq": len(sent), **fields})


def call(method: str, path: str, body: dict[str, object] | None = None) -> dict[str, object]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{BASE}/v1/jobs/{os.environ['JOB_ID']}/{path}", data, HEADERS, method=method)
    while True:
        try:
            with urllib.request.urlopen(request) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as e:
            if e.code < 500:
                if BREAKS == "never-leaves" and e.code == 409:
                    return {}
                sys.exit(1)
        except OSError:
            if BREAKS == "gives-up":
                sys.exit(1)
        time.sleep(0.1)


def fetched() -> dict[str, bytes]:
    for _ in range(5):
        found: dict[str, bytes] = {}
        inputs = call("GET", "inputs")
        for file in inputs["files"]:
            try:
                with urllib.request.urlopen(BASE + file["url"]) as answer:
                    content = answer.read()
            except urllib.error.HTTPError:
                continue
            if hashlib.sha256(content).hexdigest() == file["sha256"] or BREAKS == "believes-anything":
                found[file["kind"]] = content
        if len(found) == len(inputs["files"]):
            return found
    report("done", status="failed", error={"code": "storage_unavailable", "message": "damaged"})
    sys.exit(1)


def announce(kind: str, name: str, content: bytes, epoch: int) -> dict[str, object]:
    body = {"kind": kind, "name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return call("POST", "artifacts", {**body, "epoch": epoch})


def upload(kind: str, name: str, content: bytes, epoch: int) -> None:
    while True:
        ticket = announce(kind, name, content, epoch)
        try:
            for part in ticket["uploads"]:
                data = content[part["offset"] : part["offset"] + part["length"]]
                headers = {**part["headers"], "Content-Length": str(len(data))}
                urllib.request.urlopen(urllib.request.Request(BASE + part["url"], data, headers, method="PUT")).close()
        except urllib.error.HTTPError:
            continue
        call("POST", f"artifacts/{ticket['id']}/complete", {})
        return


if __name__ == "__main__":
    sys.exit(main())
