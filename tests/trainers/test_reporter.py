"""Reports arrive once each and in order, whatever the server does; they never hold up training."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from visionai.trainers import contract as c
from visionai.trainers.reporter import MAX_WAITING_EPOCHS, OfflineReporter, Reporter, Reporting
from visionai.trainers.testing import Answer, Call, FakeClock, HangUp, Server, environment, problem

Serve = Callable[[type[Server]], Server]


class LosesAnswers(Server):
    """Does what it is told, then hangs up: every first time."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[bytes] = set()

    def answer(self, call: Call) -> Answer:
        answer = super().answer(call)
        if (key := call.path.encode() + call.body) not in self.seen:
            self.seen.add(key)
            raise HangUp
        return answer


class GoesAwayAndComesBack(Server):
    """Fails ten times in three ways before it answers, asking for patience."""

    failures = 10

    def answer(self, call: Call) -> Answer:
        if call.path != "heartbeat" and self.failures:
            self.failures -= 1
            return [problem(503, "unavailable", {"Retry-After": "77"}), problem(500, "internal"), problem(429, "slow")][
                self.failures % 3
            ]
        return super().answer(call)


class Refuses403OnTransfer(Server):
    """The first URL of every range has expired."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()

    def answer(self, call: Call) -> Answer:
        if call.path.startswith("/store/") and call.path not in self.refused:
            self.refused.add(call.path)
            return Answer(403)
        return super().answer(call)


class HearsOfAnEpochLongAfterItsCheckpointCame(Server):
    """Takes the file, and no heartbeat before three more have failed."""

    failures = 3

    def answer(self, call: Call) -> Answer:
        if call.path == "heartbeat" and self.failures:
            self.failures -= bool(self.stored)
            return problem(503, "unavailable")
        return super().answer(call)


class NeverStores(Server):
    def answer(self, call: Call) -> Answer:
        return Answer(403) if call.path.startswith("/store/") else super().answer(call)


class Says409(Server):
    """The attempt has been replaced."""

    def answer(self, call: Call) -> Answer:
        return problem(409, "attempt_ended")


class RefusesEvents(Server):
    def answer(self, call: Call) -> Answer:
        return problem(422, "invalid_input") if call.path == "event" else super().answer(call)


class Redirects(Server):
    def answer(self, call: Call) -> Answer:
        return (
            Answer(302, headers={"Location": self.url + "/elsewhere"}) if call.path == "event" else super().answer(call)
        )


def reporter_for(server: Server, folder: Path, clock: FakeClock | None = None, **more: Any) -> Reporter:
    more.setdefault("beat_seconds", None)
    return Reporter(environment(server.url, folder), clock=clock or FakeClock(), uniform=lambda low, high: high, **more)


def finished(reporter: Reporting, epoch: int, **metrics: float | None) -> None:
    reporter.epoch(epoch, 3, step=epoch * 10, progress=epoch * 33.0, metrics=metrics, eta_seconds=None)


def validation(epoch: int, value: float = 0.5) -> c.Validation:
    return c.Validation(epoch, c.PrimaryMetric("val/accuracy", value), {"val/accuracy": value})


def test_a_whole_training_arrives_in_order(serve: Serve, tmp_path: Path) -> None:
    server, model = serve(Server), tmp_path / "model.pt"
    model.write_bytes(b"0123456789")
    with reporter_for(server, tmp_path) as reporter:
        reporter.event("training_started", "go", device="cpu")
        for epoch in (1, 2):
            finished(reporter, epoch, **{"val/accuracy": 0.5})
            reporter.validation(validation(epoch))
        reporter.log("one\ntwo")
        reporter.artifact("model", model, epoch=2)
        assert reporter.done("succeeded", {"val/accuracy": 0.5})
    reports = [call for call in server.calls if call.path in ("event", "heartbeat", "validation", "done")]
    assert [call.path for call in reports] == ["event", "heartbeat", "validation", "heartbeat", "validation", "done"]
    assert server.complete == ["model.pt"]
    assert server.calls[-1].path == "done", "artifacts and logs come before it"
    numbers = [call.json["seq"] for call in reports]
    assert numbers == sorted(set(numbers)), "each has a number of its own, in order"
    assert [line["text"] for call in server.to("logs") for line in call.json["lines"]] == ["one", "two"]
    msgspec.json.decode(reports[1].body, type=c.Heartbeat)
    assert {call.headers["authorization"] for call in reports} == {"Bearer token-of-the-attempt"}
    assert {call.headers["x-trace-id"] for call in reports} == {"4bf92f3577b34da6a3ce929d0e0e4736"}


def test_a_checkpoint_is_not_completed_before_its_epoch_is_reported(serve: Serve, tmp_path: Path) -> None:
    """Another attempt would go on after it, and the epoch would be missing for good."""
    server, last = serve(HearsOfAnEpochLongAfterItsCheckpointCame), tmp_path / "last.pt"
    last.write_bytes(b"0123456789")
    with reporter_for(server, tmp_path) as reporter:
        finished(reporter, 1)
        reporter.artifact("checkpoint_last", last, epoch=1)
        assert reporter.done("succeeded")
    paths = [call.path.rpartition("/")[2] for call in server.calls]
    assert len(paths) - 1 - paths[::-1].index("heartbeat") < paths.index("complete")


def test_transfers_carry_no_token(serve: Serve, tmp_path: Path) -> None:
    server, model = serve(Server), tmp_path / "model.pt"
    model.write_bytes(b"0123456789")
    with reporter_for(server, tmp_path) as reporter:
        reporter.artifact("model", model)
        reporter.done("succeeded")
    puts = [call for call in server.calls if call.method == "PUT"]
    assert [(call.body, call.headers["x-part"]) for call in puts] == [(b"01234", "0"), (b"56789", "5")]
    assert not any("authorization" in call.headers for call in puts)


def test_an_answer_that_got_lost_is_asked_for_with_the_same_number(serve: Serve, tmp_path: Path) -> None:
    server, file = serve(LosesAnswers), tmp_path / "report.json"
    file.write_bytes(b"{}")
    with reporter_for(server, tmp_path) as reporter:
        reporter.event("one", "")
        reporter.event("two", "")
        reporter.artifact("report", file)
        assert reporter.done("succeeded")
    events = [call.json for call in server.to("event")]
    assert [event["type"] for event in events] == ["one", "one", "two", "two"]
    assert events[0] == events[1]
    assert events[0]["seq"] < events[2]["seq"]
    assert server.complete[-1] == "report.json"


def test_a_server_that_is_away_is_waited_for(serve: Serve, tmp_path: Path) -> None:
    server, clock = serve(GoesAwayAndComesBack), FakeClock()
    with reporter_for(server, tmp_path, clock) as reporter:
        for epoch in (1, 2, 3):
            reporter.validation(validation(epoch))
        assert reporter.done("succeeded")
    assert [call.json["epoch"] for call in server.to("validation")][-3:] == [1, 2, 3]
    assert 77.0 in clock.waits, "Retry-After counts"
    backoffs = [seconds for seconds in clock.waits if seconds != 77.0]
    assert backoffs == sorted(backoffs), "each wait is longer than the one before"
    assert max(backoffs) <= 30.0


def test_done_gives_up_only_after_its_patience(serve: Serve, tmp_path: Path) -> None:
    class Away(Server):
        def answer(self, call: Call) -> Answer:
            return problem(503, "unavailable")

    clock = FakeClock()
    server = serve(Away)
    with reporter_for(server, tmp_path, clock, patience_seconds=3600.0) as reporter:
        assert not reporter.done("succeeded")
    assert clock.now() > 3600
    assert len(server.to("done")) > 100


def test_an_expired_upload_url_is_asked_for_again(serve: Serve, tmp_path: Path) -> None:
    server, file = serve(Refuses403OnTransfer), tmp_path / "model.pt"
    file.write_bytes(b"0123456789")
    with reporter_for(server, tmp_path) as reporter:
        reporter.artifact("model", file)
        assert reporter.done("succeeded")
    assert server.complete == ["model.pt"]
    assert len(server.to("/store/model.pt/0")) == 2, "a range that has arrived is not sent again"
    assert len(server.to("artifacts")) == 3


def test_a_model_that_storage_refuses_is_no_success(serve: Serve, tmp_path: Path) -> None:
    server, file = serve(NeverStores), tmp_path / "model.pt"
    file.write_bytes(b"0123456789")
    with reporter_for(server, tmp_path) as reporter:
        reporter.artifact("model", file)
        assert reporter.done("succeeded")
    done = server.to("done")[0].json
    assert (done["status"], done["error"]["code"]) == ("failed", "storage_unavailable")


def test_an_attempt_that_is_over_is_abandoned(serve: Serve, tmp_path: Path) -> None:
    server = serve(Says409)
    with reporter_for(server, tmp_path) as reporter:
        reporter.event("warning", "hello")
        assert not reporter.done("succeeded")
        assert reporter.stop_requested
        assert reporter.abandoned
    assert len(server.calls) == 1, "nothing is said twice to a server that says so"


def test_a_refused_report_is_dropped_and_the_rest_goes_on(serve: Serve, tmp_path: Path) -> None:
    server = serve(RefusesEvents)
    with reporter_for(server, tmp_path) as reporter:
        reporter.event("warning", "hello")
        finished(reporter, 1)
        assert reporter.done("succeeded")
    assert (len(server.to("event")), len(server.to("heartbeat"))) == (1, 1)


def test_a_redirect_does_not_get_the_token(serve: Serve, tmp_path: Path) -> None:
    server = serve(Redirects)
    with reporter_for(server, tmp_path) as reporter:
        reporter.event("warning", "hello")
        assert reporter.done("succeeded")
    assert not server.to("/elsewhere")


def test_it_beats_while_an_epoch_is_long(serve: Serve, tmp_path: Path) -> None:
    server, clock = serve(Server), FakeClock(budget=12.0)
    with reporter_for(server, tmp_path, clock, beat_seconds=5.0) as reporter:
        reporter.progress(1, 3, step=7, progress=2.5, metrics={"train/loss": math.nan}, eta_seconds=60.0)
        server.wait_for(lambda: len([x for x in server.calls if x.path == "heartbeat"]) == 3)  # at 0, 5 and 10 s
        clock.budget = 1e9
        reporter.request_stop()
    last = server.to("heartbeat")[2].json
    assert (last["kind"], last["epoch"], last["step"], last["metrics"]) == ("step", 1, 7, {"train/loss": None})
    assert last["system"]["rss"] > 0


def test_the_first_beat_needs_no_training(serve: Serve, tmp_path: Path) -> None:
    server = serve(Server)
    with reporter_for(server, tmp_path, FakeClock(budget=1.0), beat_seconds=5.0):
        server.wait_for(lambda: bool(server.calls))
    assert server.to("heartbeat")[0].json["epoch"] == 0


def test_the_server_can_ask_to_stop(serve: Serve, tmp_path: Path) -> None:
    server = serve(Server)
    server.action = "stop"
    with reporter_for(server, tmp_path) as reporter:
        assert not reporter.stop_requested
        finished(reporter, 1)
        assert reporter.done("stopped")
        assert reporter.stop_requested


def test_numbers_that_are_none_become_null_and_a_warning_once(serve: Serve, tmp_path: Path) -> None:
    server = serve(Server)
    with reporter_for(server, tmp_path) as reporter:
        for epoch in (1, 2):
            finished(reporter, epoch, **{"train/loss": math.nan, "val/loss": 1.0})
        reporter.validation(validation(2, math.inf))
        assert reporter.done("succeeded", {"val/loss": -math.inf})
    assert [x.json["metrics"] for x in server.to("heartbeat")] == [{"train/loss": None, "val/loss": 1.0}] * 2
    assert server.to("validation")[0].json["primary_metric"]["value"] is None
    assert server.to("done")[0].json["final_metrics"] == {"val/loss": None}
    assert [x.json["data"]["metric"] for x in server.to("event")] == ["train/loss", "val/accuracy", "val/loss"]


def test_logs_come_in_batches_that_fit(serve: Serve, tmp_path: Path) -> None:
    server = serve(Server)
    with reporter_for(server, tmp_path) as reporter:
        reporter.log("\n".join(f"{i} " + "é\x00" * 500 for i in range(2500)))
        reporter.log("x" * 100_000, "warning")
        assert reporter.done("succeeded")
    batches = [msgspec.json.decode(x.body, type=c.LogBatch) for x in server.to("logs")]
    assert sum(len(batch.lines) for batch in batches) == 2501
    assert all(len(x.body) <= c.MAX_BODY for x in server.to("logs"))
    assert [line.text.partition(" ")[0] for batch in batches for line in batch.lines][:2500] == [
        str(i) for i in range(2500)
    ]


def test_epochs_that_cannot_be_delivered_are_thinned_validations_are_not(tmp_path: Path) -> None:
    reporter = Reporter(environment("http://127.0.0.1:9", tmp_path), clock=FakeClock())  # never started
    for epoch in range(1, MAX_WAITING_EPOCHS + 51):
        finished(reporter, epoch)
        reporter.validation(validation(epoch))
    waiting = [(path, body.epoch) for path, body in reporter._queue]
    beats = [epoch for path, epoch in waiting if path == "heartbeat"]
    assert (beats[0], beats[-1], len(beats)) == (51, MAX_WAITING_EPOCHS + 50, MAX_WAITING_EPOCHS)
    assert len(waiting) == 2 * MAX_WAITING_EPOCHS + 50


def test_only_the_newest_checkpoint_waits_and_each_is_sent_as_it_was(serve: Serve, tmp_path: Path) -> None:
    gate = threading.Event()

    class SlowStorage(Server):
        def handle(self, call: Call) -> Answer:
            if call.path.startswith("/store/"):
                gate.wait(20)
            return super().handle(call)

    server, last = serve(SlowStorage), tmp_path / "last.pt"
    with reporter_for(server, tmp_path) as reporter:
        for epoch in (1, 2, 3):
            fresh = tmp_path / "fresh"
            fresh.write_bytes(b"epoch %d" % epoch)
            fresh.replace(last)
            reporter.artifact("checkpoint_last", last, epoch=epoch)
            if epoch == 1:
                server.wait_for(lambda: any(x.path == "artifacts" for x in server.calls))
        finished(reporter, 3)
        server.wait_for(lambda: any(x.path == "heartbeat" for x in server.calls))  # an upload holds nothing up
        gate.set()
        assert reporter.done("succeeded")
    assert [x.json["epoch"] for x in server.to("artifacts")] == [1, 3]
    assert server.complete == ["last.pt", "last.pt"]
    assert server.stored["/store/last.pt/3"] == b"ch 3"


def test_an_empty_file_can_be_an_artifact(serve: Serve, tmp_path: Path) -> None:
    server, file = serve(Server), tmp_path / "predictions.ndjson"
    file.write_bytes(b"")
    with reporter_for(server, tmp_path) as reporter:
        reporter.artifact("predictions", file)
        assert reporter.done("succeeded")
    assert server.complete == ["predictions.ndjson"]


def test_the_offline_twin_prints_the_same_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reporter: Reporting = OfflineReporter()
    file = tmp_path / "model.pt"
    file.write_bytes(b"123")
    reporter.event("training_started", "go")
    finished(reporter, 1, **{"val/accuracy": 0.97})
    reporter.validation(validation(1, 0.97))
    reporter.artifact("model", file)
    assert reporter.done("failed", error=c.ErrorInfo("oom", "no room", "smaller"))
    printed = capsys.readouterr().out
    for text in ("training_started", "epoch 1/3", "val/accuracy 0.97", "model.pt", "3 bytes", "failed oom: no room"):
        assert text in printed


def test_a_full_disk_below_its_output_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = Reporter(environment("http://127.0.0.1:9", tmp_path))
    full = open("/dev/full", "w", buffering=1)  # noqa: PTH123, SIM115
    monkeypatch.setattr("sys.stdout", full)
    reporter.log("Importing the framework")
    with pytest.raises(OSError, match="No space left"):
        full.close()
