"""Does a trainer keep the contract? ``python -m visionai.trainers.conformance [OPTIONS] -- COMMAND…`` tries it.

The command is run against a server of ours, on real HTTP, that behaves, then goes away, loses answers, refuses expired
URLs, serves damaged files, asks for a stop; what the trainer does is held against ``docs/trainer-contract.md``. Needs
neither a framework nor the VisionAI server. It trains on a tiny data set for classification, made here.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from visionai.trainers import contract
from visionai.trainers.contract import ERROR_CODES, TrainerEnv
from visionai.trainers.testing import JOB, Answer, Call, HangUp, Server, problem

CLASSES = ("dark", "light")
TOKEN, TRACE = "token-of-this-attempt", "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
BODIES: dict[str, type[msgspec.Struct]] = {
    "heartbeat": contract.Heartbeat, "event": contract.Event, "validation": contract.Validation,
    "logs": contract.LogBatch, "artifacts": contract.ArtifactRequest, "done": contract.Done,
}  # fmt: skip
EPOCHS, MANY_EPOCHS = 3, 40
AWAY_SECONDS = 2.0
AFTER_REFUSAL = 4  # calls that may have been on their way when the attempt was ended


class Options(msgspec.Struct, frozen=True):
    command: list[str]
    framework: str = "custom"
    model: str = "test"
    config: dict[str, Any] = {}
    timeout: float = 180.0


class Result(msgspec.Struct):
    case: str
    promise: str
    broken: list[str]
    seconds: float = 0.0


def main(argv: list[str] | None = None) -> int:
    """0: it keeps the contract. 1: it does not, and what it broke is printed. 2: wrong arguments."""
    options, as_json = _arguments(argv)
    results = []
    for result in check(options):
        results.append(result)
        if not as_json:
            print(f"{'broken' if result.broken else 'kept':8}{result.case:16}{result.promise} ({result.seconds:.0f} s)")
            for line in result.broken:
                print(f"        - {line}")
            sys.stdout.flush()
    broken = sum(bool(r.broken) for r in results)
    if as_json:
        print(json.dumps({"kept": len(results) - broken, "broken": broken, "cases": msgspec.to_builtins(results)}))
    else:
        print(f"{len(results) - broken} kept, {broken} broken")
    return 1 if broken else 0


def check(options: Options) -> Iterator[Result]:
    """Every case in turn. Lazily: each is run when it is asked for."""
    checkpoint: tuple[int, bytes] | None = None
    for case, (promise, play) in CASES.items():
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="visionai-check-") as folder:
            run = Run(options, Path(folder), checkpoint)
            broken = play(run)
            checkpoint = checkpoint or run.kept
        yield Result(case, promise, broken, time.monotonic() - began)


class Judge(Server):
    """Answers as the real server does, and notes what the contract forbids. ``interfere`` is how a case misbehaves."""

    def __init__(self, checkpoint: tuple[int, bytes] | None = None) -> None:
        super().__init__()
        self.broken: list[str] = []
        self.epochs: list[int] = []
        self.done: contract.Done | None = None
        self.asked_to_stop = self.ended = False
        self.interfere: Callable[[Judge, Call], Answer | None] = lambda _judge, _call: None
        self.lose_answer: Callable[[Judge, Call], bool] = lambda _judge, _call: False
        self._answers: dict[int, tuple[str, bytes, Answer]] = {}
        self._inputs(checkpoint)

    def note(self, sentence: str) -> None:
        if sentence not in self.broken:
            self.broken.append(sentence)

    def answer(self, call: Call) -> Answer:
        if (interfered := self.interfere(self, call)) is not None:
            return interfered
        transfer = call.path.startswith(("/files/", "/store/"))
        answer = self._transfer(call) if transfer else self._call(call)
        if self.lose_answer(self, call):
            raise HangUp
        return answer

    def _transfer(self, call: Call) -> Answer:
        if "authorization" in call.headers:
            self.note("sends its token to a signed address, which takes none: a redirect or a log would leak it")
        if call.path.startswith("/store/") and call.headers.get("content-length") is None:
            self.note("uploads without Content-Length")
        return super().answer(call)

    def _call(self, call: Call) -> Answer:
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            self.note(f"{call.path} does not carry Authorization: Bearer CALLBACK_TOKEN")
            return problem(401, "unauthorised")
        if call.headers.get("x-trace-id") != TRACE or call.headers.get("traceparent") != TRACEPARENT:
            self.note("does not send X-Trace-ID and traceparent back on every call")
        kind = BODIES.get(call.path)
        if kind is None:
            return super().answer(call)
        if call.headers.get("content-type", "").partition(";")[0] != "application/json":
            self.note(f"{call.path} does not say Content-Type: application/json")
            return problem(415, "unsupported_media_type")
        try:
            report = msgspec.json.decode(call.body, type=kind)
        except msgspec.DecodeError as e:
            self.note(f"{call.path}: its body does not fit the contract: {e}")
            return problem(422, "invalid_input")
        return self._report(call, report)

    def _report(self, call: Call, report: Any) -> Answer:
        seq = report.seq if call.path != "artifacts" else None
        if seq is not None and seq in self._answers:
            path, body, first = self._answers[seq]
            if (path, body) != (call.path, call.body):
                self.note(f"seq {seq} was used for two different reports")
            return first
        if self.done is not None and not (call.path == "done" and report.status == self.done.status):
            self.note(f"reports ({call.path}) after done")
            return problem(409, "attempt_ended")
        answer = self._take(call, report)
        if seq is not None:
            self._answers[seq] = (call.path, call.body, answer)
        return answer

    def _take(self, call: Call, report: Any) -> Answer:
        match report:
            case contract.Heartbeat(kind="epoch", epoch=epoch) if epoch > 0:
                self.epochs.append(epoch)
                return Answer(200, json.dumps({"action": "stop" if self.asked_to_stop else "continue"}).encode())
            case contract.Heartbeat():
                return Answer(200, json.dumps({"action": "stop" if self.asked_to_stop else "continue"}).encode())
            case contract.Done(status="succeeded") if missing := set(self.requests) - set(self.complete):
                self.note(f"reports success before its files are complete: {', '.join(sorted(missing))}")
                return problem(409, "artifacts_incomplete")
            case contract.Validation(confusion_matrix=list(m)) if fault := contract.matrix_fault(m, len(CLASSES)):
                self.note(f"its confusion matrix {fault}")
                return problem(422, "invalid_input")
            case contract.Done():
                self.done = report
                return Answer(204)
            case _:
                return super().answer(call)

    def artifact(self, kind: str) -> tuple[int, bytes] | None:
        """Epoch and content of the last complete one of this kind."""
        for name in reversed(self.complete):
            request = self.requests[name]
            if request["kind"] == kind:
                return request.get("epoch") or 0, self.content(name)
        return None

    def _inputs(self, checkpoint: tuple[int, bytes] | None) -> None:
        given = _data_set()
        if checkpoint is not None:
            given.append(("last", "checkpoint", checkpoint[1]))
        self.files = {name: content for name, _, content in given}
        self.inputs = {
            "job_id": JOB, "attempt": 1, "resume_epoch": checkpoint[0] if checkpoint is not None else None,
            "dataset": {"id": "d", "version": "v", "content_hash": hashlib.sha256(given[0][2]).hexdigest(),
                        "classes": list(CLASSES), "image_count": 48},
            "files": [
                {"name": name, "kind": kind, "url": f"/files/{name}", "size": len(content),
                 "sha256": hashlib.sha256(content).hexdigest()}
                for name, kind, content in given
            ],
        }  # fmt: skip


class Run:
    """One case: a server, and the trainer as a process beside it."""

    def __init__(self, options: Options, folder: Path, checkpoint: tuple[int, bytes] | None) -> None:
        self.options, self.folder, self.checkpoint = options, folder, checkpoint
        self.kept: tuple[int, bytes] | None = None
        """A checkpoint that a later case goes on from."""

    @contextmanager
    def trainer(self, judge: Judge, epochs: int) -> Iterator[subprocess.Popen[bytes]]:
        """Ended with all its children when the case is over."""
        env = TrainerEnv(
            job_id=JOB, attempt=1, backend_base_url=judge.url, callback_token=TOKEN, framework=self.options.framework,
            task_type="classification", model_name=self.options.model, dataset_id="d", dataset_version="v",
            workspace=str(self.folder / "workspace"), cache_dir=str(self.folder / "cache"), trace_id=TRACE,
            traceparent=TRACEPARENT, training_config={**self.options.config, "epochs": epochs},
        )  # fmt: skip
        for name in (env.workspace, env.cache_dir):
            Path(name).mkdir()
        with closing(judge), (self.folder / "output").open("wb") as output:
            process = subprocess.Popen(
                self.options.command, env={**os.environ, **env.to_environ()}, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
            try:
                yield process
            finally:
                _end(process)

    def wait(self, process: subprocess.Popen[bytes], judge: Judge, seconds: float | None = None) -> int | None:
        """Its exit code as a shell gives it; None, and a note, if it does not end."""
        try:
            code = process.wait(seconds or self.options.timeout)
            return code if code >= 0 else 128 - code
        except subprocess.TimeoutExpired:
            judge.note(f"did not end within {seconds or self.options.timeout:.0f} s; its output ends: {self.tail()!r}")
            return None

    def tail(self) -> str:
        return (self.folder / "output").read_bytes()[-600:].decode(errors="replace")

    def finishes(self, judge: Judge, epochs: int = EPOCHS, *, after: int = 0) -> list[str]:
        """It trains to the end, with every epoch after ``after`` reported once."""
        with self.trainer(judge, epochs) as process:
            code = self.wait(process, judge)
        if code is not None:
            self._succeeded(judge, code, list(range(after + 1, epochs + 1)))
        return judge.broken

    def _succeeded(self, judge: Judge, code: int, expected: list[int]) -> None:
        if judge.done is None:
            judge.note(f"ended with exit code {code} without done; its output ends: {self.tail()!r}")
        elif judge.done.status != "succeeded":
            judge.note(f"reported {judge.done.status}: {judge.done.error}")
        elif code != 0:
            judge.note(f"exit code {code} after success: it has to be 0")
        elif judge.epochs != expected:
            judge.note(f"finished epochs {judge.epochs} were reported, expected {expected}")
        elif not judge.complete:
            judge.note("no artifact is complete: there is nothing to download")


def happy(run: Run) -> list[str]:
    return run.finishes(Judge())


def lost_answers(run: Run) -> list[str]:
    """Every third report is taken in, but its answer is lost with the connection."""
    judge, seen = Judge(), [0]

    def lose(_judge: Judge, call: Call) -> bool:
        seen[0] += 1
        return call.path in BODIES and seen[0] % 3 == 0

    judge.lose_answer = lose
    return run.finishes(judge)


def server_away(run: Run) -> list[str]:
    """After the first epoch the server is gone for a while, then busy, then back."""
    judge, since = Judge(), [0.0]

    def away(judge: Judge, _call: Call) -> Answer | None:
        if not judge.epochs:
            return None
        since[0] = since[0] or time.monotonic()
        gone = time.monotonic() - since[0]
        if gone < AWAY_SECONDS:
            raise HangUp
        return problem(503, "unavailable", {"Retry-After": "1"}) if gone < 1.5 * AWAY_SECONDS else None

    judge.interfere = away
    return run.finishes(judge)


def expired_urls(run: Run) -> list[str]:
    """The first transfer of each file is refused with 403."""
    judge, refused = Judge(), set[str]()

    def expired(_judge: Judge, call: Call) -> Answer | None:
        if not call.path.startswith(("/files/", "/store/")) or call.path in refused:
            return None
        refused.add(call.path)
        return problem(403, "signature_expired")

    judge.interfere = expired
    return run.finishes(judge)


def damaged_files(run: Run) -> list[str]:
    """The images arrive with other bytes than announced, however often they are fetched."""
    judge = Judge()
    name = next(f["name"] for f in judge.inputs["files"] if f["kind"] == "shard")
    judge.files[name] = judge.files[name][:-1] + bytes([judge.files[name][-1] ^ 1])
    with run.trainer(judge, EPOCHS) as process:
        code = run.wait(process, judge)
    if judge.done is None:
        judge.note("ended without done: nobody learns what was wrong")
    elif judge.done.status != "failed":
        judge.note(f"reported {judge.done.status} on data whose SHA-256 is wrong")
    elif judge.done.error is None or judge.done.error.code not in ERROR_CODES:
        judge.note(f"its error {judge.done.error} has no code of the contract's table")
    elif code == 0:
        judge.note("exit code 0 after a failure")
    return judge.broken


def stop_by_answer(run: Run) -> list[str]:
    """After the first epoch every heartbeat is answered with stop."""
    judge = Judge()

    def ask(judge: Judge, _call: Call) -> Answer | None:
        judge.asked_to_stop = bool(judge.epochs)
        return None

    judge.interfere = ask
    with run.trainer(judge, MANY_EPOCHS) as process:
        return run_stopped(run, judge, run.wait(process, judge))


def stop_by_signal(run: Run) -> list[str]:
    """After the first epoch it gets SIGTERM."""
    judge = Judge()
    with run.trainer(judge, MANY_EPOCHS) as process:
        deadline = time.monotonic() + run.options.timeout
        while not judge.epochs and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        return run_stopped(run, judge, run.wait(process, judge))


def run_stopped(run: Run, judge: Judge, code: int | None) -> list[str]:
    if code is None:
        return judge.broken
    checkpoint = judge.artifact("checkpoint_last")
    if judge.done is None or judge.done.status != "stopped":
        said = judge.done.status if judge.done is not None else "nothing"
        judge.note(f"was asked to stop after epoch 1 of {MANY_EPOCHS}, and reported {said} after {len(judge.epochs)}")
    elif code != contract.EXIT_STOPPED:
        judge.note(f"exit code {code} after a stop: it has to be {contract.EXIT_STOPPED}")
    elif checkpoint is None:
        judge.note("uploaded no checkpoint_last when it was stopped: what it has learned is lost")
    else:
        run.kept = checkpoint
    return judge.broken


def resume(run: Run) -> list[str]:
    """From the checkpoint of the case before it."""
    if run.checkpoint is None:
        return ["not tried: no earlier case left a checkpoint"]
    done = run.checkpoint[0]
    return run.finishes(Judge(run.checkpoint), done + 2, after=done)


def attempt_ended(run: Run) -> list[str]:
    """After the first epoch everything is refused with 409: another attempt has taken over."""
    judge, refused = Judge(), [0]

    def refuse(judge: Judge, call: Call) -> Answer | None:
        if not judge.epochs or call.path.startswith(("/files/", "/store/")):
            return None
        refused[0] += 1
        return problem(409, "attempt_ended")

    judge.interfere = refuse
    with run.trainer(judge, MANY_EPOCHS) as process:
        code = run.wait(process, judge)
    if refused[0] > AFTER_REFUSAL:
        judge.note(f"called {refused[0]} times after 409 attempt_ended: the first one is final")
    elif code == 0:
        judge.note("exit code 0 although the attempt was ended")
    return judge.broken


CASES: dict[str, tuple[str, Callable[[Run], list[str]]]] = {
    "happy": ("trains to the end, and success means complete files", happy),
    "lost-answers": ("sends a report whose answer was lost again, unchanged", lost_answers),
    "server-away": ("outlives a server that is away and then busy", server_away),
    "expired-urls": ("asks for fresh URLs after a 403", expired_urls),
    "damaged-files": ("notices damaged data and says so", damaged_files),
    "stop-by-answer": ("stops when a heartbeat's answer says so, with a checkpoint", stop_by_answer),
    "stop-by-signal": ("stops at SIGTERM, with a checkpoint", stop_by_signal),
    "resume": ("goes on from the checkpoint at the next epoch", resume),
    "attempt-ended": ("leaves when the attempt is over", attempt_ended),
}


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _data_set() -> list[tuple[str, str, bytes]]:
    """(name, kind, content): 48 pictures of 32×32 pixels, dark and light ones, a quarter to validate on."""
    annotations, split, shard = [], {"train": list[str](), "val": list[str]()}, io.BytesIO()
    with tarfile.open(fileobj=shard, mode="w") as tar:
        for n in range(48):
            label = CLASSES[n % 2]
            picture = _png(n, light=n % 2 == 1)
            sha256, name = hashlib.sha256(picture).hexdigest(), f"{label}/{n:02}.png"
            member = tarfile.TarInfo(f"{sha256}.png")
            member.size = len(picture)
            tar.addfile(member, io.BytesIO(picture))
            split["val" if n % 8 < 2 else "train"].append(name)
            line = {
                "file_name": name, "width": 32, "height": 32, "size": len(picture), "sha256": sha256,
                "labels": [label], "objects": [],
            }  # fmt: skip
            annotations.append(json.dumps(line))
    return [
        ("annotations.ndjson", "annotations", "\n".join(annotations).encode() + b"\n"),
        ("split.json", "split", json.dumps(split).encode()),
        ("shard-00000.tar", "shard", shard.getvalue()),
    ]


def _png(seed: int, *, light: bool) -> bytes:
    """Noise around a level, as an 8-bit grey PNG."""
    base, state, rows = (190 if light else 30), seed * 7919 + 1, bytearray()
    for _ in range(32):
        rows.append(0)
        for _ in range(32):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            rows.append(base + (state >> 16) % 32)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 32, 32, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")
    )


def _arguments(argv: list[str] | None) -> tuple[Options, bool]:
    parser = argparse.ArgumentParser(prog="visionai trainer check", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("--framework", default="custom", help="what FRAMEWORK says (default: custom)")
    parser.add_argument("--model", default="test", help="what MODEL_NAME says (default: test)")
    parser.add_argument(
        "--config", type=json.loads, default={}, help="hyperparameters, as JSON; epochs are ours to set"
    )
    parser.add_argument("--timeout", type=float, default=180.0, help="seconds for each case (default: 180)")
    parser.add_argument("--json", action="store_true", help="the findings as one line of JSON")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="starts the trainer; put -- before it")
    given = parser.parse_args(argv)
    if shutil.which(given.command[0]) is None:
        parser.error(f"{given.command[0]} is no program that can be started here: name one, or its path")
    return Options(given.command, given.framework, given.model, given.config, given.timeout), given.json


if __name__ == "__main__":
    sys.exit(main())
