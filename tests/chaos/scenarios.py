"""Every row of docs/outcomes.md, played with real processes. A test compares the two.

A scenario is a function of a folder and shows one row or several: ``shown`` holds what was seen against the row.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx
from campaign import Broken, Campaign, Process, images

Say = Callable[[str], None]


class Impossible(Exception):
    """This machine lacks what the scenario needs; the message says what."""


class Scenario(NamedTuple):
    play: Callable[[Path, Record], None]
    rows: dict[str, str]
    """Name of each row and what comes of it."""
    small: bool
    """Whether the reduced form has it, which `make test` runs."""


class Record:
    """What the campaigns of a run did and showed."""

    def __init__(self, seed: int, *, full: bool, say: Say = print) -> None:
        self.seed, self.full, self.say = seed, full, say
        self.shown: dict[str, str] = {}
        self.harms: list[str] = []
        self.jobs = 0

    @contextlib.contextmanager
    def campaign(self, folder: Path, **environ: str) -> Iterator[Campaign]:
        with Campaign(folder, seed=self.seed, say=self.say, **environ) as campaign:
            try:
                yield campaign
                campaign.finish()
            finally:
                self.harms += campaign.harms
                self.jobs += len(campaign.jobs)

    def row(self, name: str, seen: str) -> None:
        expected = next(s.rows[name] for s in SCENARIOS.values() if name in s.rows)
        if seen != expected:
            raise Broken(f"{name}: {seen!r}, where docs/outcomes.md says {expected!r}")
        self.shown[name] = seen
        self.say(f"          {name}: {seen}")


SCENARIOS: dict[str, Scenario] = {}


def scenario(small: bool, **rows: str) -> Callable[[Callable[[Path, Record], None]], Callable[[Path, Record], None]]:
    def register(play: Callable[[Path, Record], None]) -> Callable[[Path, Record], None]:
        named = {name.replace("_", "-"): seen for name, seen in rows.items()}
        SCENARIOS[play.__name__] = Scenario(play, named, small)
        return play

    return register


# --- trainers -------------------------------------------------------------------------------------------------------


@scenario(
    True,
    trainer_killed="completed, 2 attempts",
    wrapper_killed="completed, 2 attempts",
    trainer_silent="completed, 2 attempts",
    trainer_never_reports="completed, 2 attempts",
    trainer_out_of_memory="completed, 2 attempts",
    trainer_exits_early="completed, 2 attempts",
    trainer_exits_without_done="completed, 2 attempts",
    trainer_preempted="completed, 2 attempts",
    trainer_killed_every_time="failed, 3 attempts",
    trainer_wrong_settings="failed, 1 attempt",
    trainer_crashes_after_done="completed, 1 attempt",
    trainer_hangs_after_done="completed, 1 attempt",
    trainer_leaves_processes="completed, 1 attempt",
    stop_ignored="cancelled, 1 attempt",
)
def trainers(folder: Path, record: Record) -> None:
    """Each misbehaves in its own way, all at once."""
    names = {
        "trainer-killed": "killed", "trainer-silent": "silent", "trainer-never-reports": "never_reports",
        "trainer-out-of-memory": "out_of_memory", "trainer-exits-early": "exits_early",
        "trainer-exits-without-done": "exits_without_done", "trainer-preempted": "preempted",
        "trainer-killed-every-time": "killed_every_time", "trainer-wrong-settings": "wrong_settings",
        "trainer-crashes-after-done": "crashes_after_done", "trainer-hangs-after-done": "hangs_after_done",
        "trainer-leaves-processes": "leaves_processes_behind",
    }  # fmt: skip
    with record.campaign(folder, SLOTS="16", MAX_RETRIES="2") as c:
        c.begin()
        stubborn = c.submit("ignores_stop")
        orphaned = c.submit("behaves", epochs=8)
        jobs = {row: c.submit(model) for row, model in names.items()}
        c.at_epoch(stubborn, 2)
        c.cancel(stubborn)
        c.at_epoch(orphaned, 2)
        c.kill("wrapper", f"job-{orphaned}")
        for model in ("killed", "exits_early", "exits_without_done", "preempted", *["killed_every_time"] * 3):
            c.harm(f"trainer {model}")
        for row, job_id in {**jobs, "stop-ignored": stubborn, "wrapper-killed": orphaned}.items():
            record.row(row, c.ends(job_id))
        batches = [config["batch_size"] for config in c.configs(jobs["trainer-out-of-memory"])]
        if batches != [64, 32]:
            raise Broken(f"batch sizes {batches} after running out of memory")
        if (used := c.retries_used(jobs["trainer-preempted"])) != 0:
            raise Broken(f"being preempted used {used} retries")


# --- stops ----------------------------------------------------------------------------------------------------------


@scenario(
    True,
    stop_while_pending="cancelled, 0 attempts",
    stop_while_validating="cancelled, 0 attempts",
    stop_while_queued="cancelled, 0 attempts",
    stop_before_the_launch="cancelled, 1 attempt",
    stop_of_an_unrecorded_launch="cancelled, 1 attempt",
    stop_while_starting="cancelled, 1 attempt",
    stop_while_running="cancelled, 1 attempt",
    stop_while_finalizing="cancelled, 1 attempt",
)
def stops(folder: Path, record: Record) -> None:
    """Asked for in every state, and the server killed before it could be carried out."""
    with record.campaign(folder, SLOTS="1", START_SECONDS="60", EXIT_GRACE_SECONDS="10", STOP_GRACE_SECONDS="2") as c:
        c.begin()
        c.stop()
        c.again(VISIONAI_FAILPOINTS="job.recorded.Begin=raise,job.recorded.End=kill")
        pending = c.submit()
        c.cancel(pending)
        c.killed_at("job.recorded.End")

        c.again(
            VISIONAI_FAILPOINTS="job.recorded.Validate=raise,job.recorded.End=kill@2"
        )  # the first is the one before
        record.row("stop-while-pending", c.ends(pending))
        validating = c.submit()
        c.in_state(validating, "validating")
        c.cancel(validating)
        c.killed_at("job.recorded.End@2")

        c.again(VISIONAI_FAILPOINTS="job.launched=kill")
        record.row("stop-while-validating", c.ends(validating))
        unrecorded = c.submit("never_reports")  # nor would it hear that it is over, and leave by itself
        c.killed_at("job.launched")
        c.again(VISIONAI_FAILPOINTS="job.committed.Launch=raise,job.committed.Kill=kill")
        c.cancel(unrecorded)
        c.killed_at("job.committed.Kill")

        c.again(VISIONAI_FAILPOINTS="job.committed.Launch=raise,job.recorded.EndAttempt=kill")
        record.row("stop-of-an-unrecorded-launch", c.ends(unrecorded))
        unlaunched = c.submit()
        c.in_state(unlaunched, "starting")
        c.cancel(unlaunched)
        c.killed_at("job.recorded.EndAttempt")

        c.again(SLOTS="3")
        record.row("stop-before-the-launch", c.ends(unlaunched))
        jobs = {
            "stop-while-finalizing": c.submit("hangs_after_done", epochs=2),
            "stop-while-starting": c.submit("never_reports"),
            "stop-while-running": c.submit("behaves", epochs=400),
            "stop-while-queued": c.submit("behaves"),
        }
        for row, job_id in jobs.items():
            c.in_state(job_id, row.rpartition("-")[2])
        c.at_epoch(jobs["stop-while-running"], 1)
        for job_id in jobs.values():
            c.cancel(job_id)
        c.kill_server("just after four stops were asked for")
        c.again()
        for row, job_id in jobs.items():
            record.row(row, c.ends(job_id))


# --- the server -----------------------------------------------------------------------------------------------------

IN_A_LIFE = (
    "job.recorded.Claim", "job.committed.Claim", "job.launched", "group.in_transaction", "group.committed",
    "storage.receiving", "artifact.moved", "artifact.completed", "report.applied.done", "job.recorded.Finalize",
    "job.committed.Release", "job.recorded.End",
)  # fmt: skip
"""Instants in the life of a job, in their order."""
AROUND_A_LOSS = (
    "job.recorded.EndAttempt", "job.committed.EndAttempt", "job.recorded.Release", "job.committed.Requeue",
    "job.recorded.Claim",
)  # fmt: skip
ROW_OF = {
    "job.recorded.Claim": "killed-in-the-middle-of-a-transaction",
    "job.committed.Claim": "killed-between-commit-and-launch",
    "job.launched": "killed-between-launch-and-record",
    "group.in_transaction": "killed-while-taking-reports-in",
    "group.committed": "killed-before-reports-are-answered",
    "artifact.moved": "killed-while-a-file-is-completed",
    "job.recorded.Finalize": "killed-while-finalizing",
}


@scenario(
    True,
    killed_in_the_middle_of_a_transaction="completed, 1 attempt",
    killed_between_commit_and_launch="completed, 1 attempt",
    killed_between_launch_and_record="completed, 1 attempt",
    killed_while_taking_reports_in="completed, 1 attempt",
    killed_before_reports_are_answered="completed, 1 attempt",
    killed_while_a_file_is_completed="completed, 1 attempt",
    killed_while_finalizing="completed, 1 attempt",
    server_killed="completed, 1 attempt",
    server_stopped="completed, 1 attempt",
    killed_while_an_attempt_is_lost="completed, 2 attempts",
)
def server(folder: Path, record: Record) -> None:
    """Killed at every instant in the life of one job after the other; that is, of one job alone in the reduced form."""
    with record.campaign(folder, SLOTS="2", MAX_RETRIES="2") as c:
        c.begin()
        c.stop()
        seen = _one_life(c) if not record.full else _a_life_each(c)
        for row in dict.fromkeys(ROW_OF.values()):
            record.row(row, seen)
        record.row("server-killed", seen)
        c.again()
        stopped = c.submit(epochs=20)
        c.at_epoch(stopped, 2)
        c.stop()
        for failpoint in AROUND_A_LOSS if record.full else AROUND_A_LOSS[:1]:
            c.again(VISIONAI_FAILPOINTS=f"{failpoint}=kill")
            lost = c.submit("exits_early" if failpoint != "job.recorded.Claim" else "killed")
            c.harm("trainer exits early")
            c.killed_at(failpoint)
            c.again()
            record.row("killed-while-an-attempt-is-lost", c.ends(lost))
            c.stop()
        c.again()
        record.row("server-stopped", c.ends(stopped))


def _one_life(c: Campaign) -> str:
    job_id = None
    for failpoint in ROW_OF:
        c.again(VISIONAI_FAILPOINTS=f"{failpoint}=kill")
        job_id = job_id or c.submit(epochs=20)
        c.killed_at(failpoint)
    c.again()
    seen = c.ends(str(job_id))
    c.stop()
    return seen


def _a_life_each(c: Campaign) -> str:
    """One after the other, each with the next one's failpoint already set: one start for each kill."""
    seen = set()
    for n, failpoint in enumerate(IN_A_LIFE):
        c.again(VISIONAI_FAILPOINTS=f"{failpoint}=kill")
        job_id = c.submit("shell" if n % 3 == 2 else "behaves")
        c.killed_at(failpoint)
        c.again()
        seen.add(c.ends(job_id))
        if n % 4 == 0:
            job_id = c.submit(epochs=8)
            c.at_epoch(job_id, 1)
            c.kill_server("at an epoch")
            c.again()
            seen.add(c.ends(job_id))
        c.stop()
    return " or ".join(sorted(seen))


# --- imports --------------------------------------------------------------------------------------------------------

IN_AN_IMPORT = (
    "operation.launched", "import.moved", "import.version", "operation.applied.Publish", "operation.published",
    "operation.applied.Attempt", "operation.applied.Start", "operation.recorded",
)  # fmt: skip


@scenario(
    True,
    server_killed_in_a_resumable_upload="ready, 60 images",
    server_killed_in_an_import="ready, 60 images",
    import_killed="ready, 60 images",
    import_wrapper_killed="ready, 60 images",
    import_killed_every_time="error",
    import_deleted_and_server_killed="gone",
)
def imports(folder: Path, record: Record) -> None:
    with record.campaign(folder, SLOTS="1") as c:
        c.begin()
        c.stop()
        dataset = ""
        for n, failpoint in enumerate(IN_AN_IMPORT if record.full else IN_AN_IMPORT[:4]):
            c.again(VISIONAI_FAILPOINTS=f"{failpoint}=kill@{7 if failpoint == 'import.moved' else 1}")
            if record.full or not dataset:  # in the reduced form one import bears it all
                dataset = c.upload(images(60, shade=n + 1))
            c.killed_at(failpoint)
            if record.full:
                c.again()
                record.row("server-killed-in-an-import", c.imported(dataset))
                c.stop()
        c.again()
        record.row("server-killed-in-an-import", c.imported(dataset))
        c.stop()
        c.again(VISIONAI_FAILPOINTS="upload.appended=kill@2")
        archive = images(60, shade=19)
        path = c.server.begin_upload(len(archive))
        c.server.go_on(path, archive[:1000])
        with contextlib.suppress(httpx.HTTPError):
            c.server.go_on(path, archive)
        c.killed_at("upload.appended")
        c.again()
        record.row("server-killed-in-a-resumable-upload", c.imported(c.server.go_on(path, archive)))
        for kind, row in (("trainer", "import-killed"), ("wrapper", "import-wrapper-killed")):
            dataset = c.upload(images(60, shade=20))
            c.until(lambda kind=kind: c.kill(kind, "op-") or None)
            record.row(row, c.imported(dataset))
        dataset = c.upload(images(60, shade=21))
        killed: set[str] = set()
        while c.server.get(f"/api/v1/datasets/{dataset}")["status"] not in {"ready", "error"}:
            for process in c.server.processes():
                if process.kind == "trainer" and process.launch not in killed:
                    killed.add(process.launch)
                    c.kill("trainer", process.launch)
        record.row("import-killed-every-time", c.imported(dataset))
        dataset = c.upload(images(200, shade=0))
        c.until(lambda: [p for p in c.server.processes() if p.launch.startswith("op-")] or None)
        assert c.server.ask("DELETE", f"/api/v1/datasets/{dataset}").is_success
        c.kill_server("just after a data set was deleted")
        c.again()
        found = c.server.ask("GET", f"/api/v1/datasets/{dataset}").status_code
        record.row("import-deleted-and-server-killed", "gone" if found == 404 else f"still there: {found}")


# --- the machine ----------------------------------------------------------------------------------------------------


@scenario(True, machine_restarted="completed, 2 attempts")
def machine(folder: Path, record: Record) -> None:
    """The power goes: every process at once. Then another boot id."""
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode != 0:
        raise Impossible("another boot id needs a mount namespace of its own (root)")
    with record.campaign(folder, SLOTS="2", MAX_RETRIES="0") as c:
        c.begin()
        jobs = [c.submit("behaves", epochs=40), c.submit("shell", epochs=6)]
        for job_id in jobs:
            c.at_epoch(job_id, 2)
        c.harm("every process killed, as by a power cut")
        c.server.kill_everything()
        (folder / "boot_id").write_text("5e1f0a9c-0000-4000-8000-000000000001\n")
        mount = f"mount --bind {folder}/boot_id /proc/sys/kernel/random/boot_id"
        c.again(under=["unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh"])
        for job_id in jobs:
            record.row("machine-restarted", c.ends(job_id))
            if (used := c.retries_used(job_id)) != 0:
                raise Broken(f"the machine's restart used {used} retries")


@scenario(False, clock_moved="completed, 1 attempt", upload_broken_off="gone")
def clock(folder: Path, record: Record) -> None:
    """Hours forward and back, while trainings run, and at a start of the server."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        raise Impossible("moving the clock needs libfaketime (Debian: apt-get install faketime)")
    offset = folder / "offset"
    offset.write_text("+0\n")
    faked = {
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # with it, threads that wait for each other never rest
    }  # fmt: skip

    def move(hours: int) -> None:
        offset.write_text(f"{hours * 3600:+d}\n")
        c.harm(f"clock moved to {hours:+d} h")

    with record.campaign(folder, SLOTS="2", MAX_RETRIES="0", **faked) as c:
        c.begin()
        running, other = c.submit(epochs=60), c.submit("shell", epochs=60)
        for epoch, hours in ((5, +5), (20, -5), (35, 0)):
            c.at_epoch(running, epoch)
            c.at_epoch(other, 2)
            move(hours)
            if hours == -5:
                queued = c.submit(epochs=2)
                c.kill_server("with the clock moved")
                c.again()
        for job_id in (running, other, queued):
            record.row("clock-moved", c.ends(job_id))
        c.stop()
        c.again(VISIONAI_FAILPOINTS="storage.receiving=kill")
        with contextlib.suppress(httpx.HTTPError):
            c.server.upload("broken off", images(60))
        c.killed_at("storage.receiving")
        move(+1)
        c.again()
        named = {"name": "broken off"}
        c.until(lambda: None if [d for d in c.datasets() if named.items() <= d.items()] else True)
        record.row("upload-broken-off", "gone")


@scenario(True, valkey_killed="completed, 1 attempt", valkey_data_gone="completed, 1 attempt")
def valkey(folder: Path, record: Record) -> None:
    with record.campaign(folder, SLOTS="1", MAX_RETRIES="0") as c:
        c.begin()
        job_id = c.submit(epochs=8)
        for epoch in (1, 3):
            c.at_epoch(job_id, epoch)
            c.until(lambda: c.kill_valkey() or None)
        after = c.submit(epochs=2)
        record.row("valkey-killed", c.ends(job_id))
        record.row("valkey-killed", c.ends(after))
        job_id = c.submit(epochs=4)
        runtime = Path((c.server.data_dir / "valkey.pid").read_text().split(" ", 1)[1]).parent
        c.harm(f"valkey's folder {runtime} removed")
        shutil.rmtree(runtime)
        c.kill_valkey()
        record.row("valkey-data-gone", c.ends(job_id))
        c.until(c.server.valkey, 30)
        c.until(lambda: True if c.server.api.get("/readyz").is_success else None, 30)


@scenario(
    True,
    disk_nearly_full="completed, 1 attempt",
    disk_full="completed, 1 attempt",
    upload_to_a_full_disk="507",
    launch_on_a_full_disk="queued: Waiting for room.",
    report_to_a_full_disk="503, Retry-After",
)
def disk(folder: Path, record: Record) -> None:
    data, silence = folder / "data", 4
    data.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", data], check=False).returncode != 0:
        raise Impossible("a small disk needs the right to mount one (root)")
    try:
        with record.campaign(folder, SLOTS="2", MAX_RETRIES="0", SILENCE_SECONDS=str(silence)) as c:
            c.begin()
            running = c.submit(epochs=40)
            c.at_epoch(running, 2)
            (trainer,) = (p for p in c.server.processes() if p.kind == "trainer")
            fill(data / "ballast", leave=8 << 20)
            c.harm("disk nearly full")
            c.at_epoch(running, len(c.epochs(running)) + 2)
            record.row("upload-to-a-full-disk", str(c.server.upload("no room", images()).status_code))
            waiting = c.submit(epochs=2)
            reason = c.until(lambda: c.job(waiting)["state_reason"] or None)
            record.row("launch-on-a-full-disk", f"{c.job(waiting)['state']}: {reason.partition('.')[0]}.")
            fill(data / "ballast", leave=0)
            c.harm("disk full")
            record.row("report-to-a-full-disk", until_refused(trainer, running))
            c.until(lambda: c.silent_for(running) > silence or None)  # and nobody could have been heard
            (data / "ballast").unlink()
            c.harm("disk has room again")
            record.row("disk-full", c.ends(running))
            record.row("disk-nearly-full", c.ends(waiting))
    finally:
        subprocess.run(["umount", "--lazy", data], check=False)


def fill(ballast: Path, *, leave: int) -> None:
    with ballast.open("ab", buffering=0) as f, contextlib.suppress(OSError):
        while (free := shutil.disk_usage(ballast.parent).free) > leave:
            f.write(bytes(min(1 << 20, free - leave)))


def until_refused(trainer: Process, job_id: str) -> str:
    """Report in the trainer's name until the database has no room any more, not even in its log."""
    environ = dict(
        item.split("=", 1) for item in Path(f"/proc/{trainer.pid}/environ").read_text().split("\0") if "=" in item
    )
    line, seen = {"time": "2026-01-01T00:00:00Z", "level": "info", "text": "x" * 1000}, set[str]()
    for lines in (*[900] * 50, *[100] * 50, *[10] * 50, *[1] * 500):  # large ones first, then what would still fit
        answer = httpx.post(
            f"{environ['BACKEND_BASE_URL']}/v1/jobs/{job_id}/logs", json={"lines": [line] * lines}, timeout=90,
            headers={"Authorization": f"Bearer {environ['CALLBACK_TOKEN']}"}, trust_env=False,
        )  # fmt: skip
        if answer.status_code != 204:
            seen.add(f"{answer.status_code}, {'Retry-After' if 'retry-after' in answer.headers else answer.text}")
            if lines == 1:
                break
    return " or ".join(seen)


@scenario(False, database_locked="completed, 1 attempt")
def database(folder: Path, record: Record) -> None:
    """By somebody who looks into it with a tool of their own. Longer than SQLite waits for a lock, in the full form."""
    seconds, silence = (65.0, "30") if record.full else (4.0, "300")
    with record.campaign(folder, SLOTS="2", MAX_RETRIES="0", SILENCE_SECONDS=silence, START_SECONDS="300") as c:
        c.begin()
        running = c.submit(epochs=20)
        c.at_epoch(running, 2)
        with contextlib.closing(sqlite3.connect(c.server.data_dir / "visionai.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            c.harm(f"database locked for {seconds:.0f} s")
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                c.job(running)  # reading goes on
                time.sleep(0.5)
            other.execute("ROLLBACK")
        after = c.submit(epochs=2)
        record.row("database-locked", c.ends(running))
        record.row("database-locked", c.ends(after))


@scenario(False, data_copied="the original's: completed, 1 attempt; the copy's: completed, 2 attempts")
def copied(folder: Path, record: Record) -> None:
    """Once after a kill that left a launch unrecorded, and once beside a server that runs."""
    with record.campaign(folder / "a", SLOTS="2", MAX_RETRIES="0") as c:
        c.begin()
        c.stop()
        c.again(VISIONAI_FAILPOINTS="job.launched=kill@2")
        jobs = [c.submit(epochs=150)]
        c.at_epoch(jobs[0], 1)
        jobs.append(c.submit(epochs=120))
        c.killed_at("job.launched@2")
        first = copy_of(c, folder / "b", record)
        c.again()
        c.at_epoch(jobs[1], 2)
        assert c.server.process is not None
        c.server.process.send_signal(signal.SIGSTOP)
        second = copy_of(c, folder / "c", record)
        c.server.process.send_signal(signal.SIGCONT)
        valkey, mine = c.server.valkey(), {p.pid for p in c.server.processes()}
        try:
            first.again()
            second.again()
            for job_id in jobs:
                first.cancel(job_id)
            stopped = {first.ends(job_id).partition(",")[0] for job_id in jobs}
            if stopped != {"cancelled"}:
                raise Broken(f"the copy's jobs were stopped and ended as {stopped}")
            for copy in (first, second):
                if mine & {p.pid for p in copy.server.processes()}:
                    raise Broken("a copy has taken the original's processes over")
            if c.server.valkey() != valkey:
                raise Broken("starting a copy ended the original's Valkey")
            copies = {second.ends(job_id) for job_id in jobs}
            originals = {c.ends(job_id) for job_id in jobs}
            record.row("data-copied", f"the original's: {', '.join(originals)}; the copy's: {', '.join(copies)}")
            for copy in (first, second):
                copy.finish()
        finally:
            first.__exit__()
            second.__exit__()


def copy_of(c: Campaign, folder: Path, record: Record) -> Campaign:
    copy = Campaign(folder, say=record.say, SLOTS="2", MAX_RETRIES="0")
    shutil.copytree(c.server.data_dir, copy.server.data_dir, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
    copy.dataset = c.dataset
    c.harm(f"data directory copied to {folder.name}")
    return copy


# --- by chance ------------------------------------------------------------------------------------------------------

AT_RANDOM = (
    "database.in_transaction", "database.committed", "group.in_transaction", "group.committed", "storage.receiving",
    "artifact.moved", "artifact.completed", "report.applied.heartbeat", "report.applied.validation", "job.recorded",
    "job.committed", "job.launched",
)  # fmt: skip


@scenario(True, anything_at_any_time="completed")
def chance(folder: Path, record: Record) -> None:
    """Trainers, wrappers, the server and Valkey are killed in the order of the seed, while short jobs run."""
    jobs, kills = (24, 50) if record.full else (4, 6)
    models: Sequence[str] = ("behaves", "behaves", "shell")
    with record.campaign(folder, SLOTS="3", MAX_RETRIES="50", SILENCE_SECONDS="20", START_SECONDS="20") as c:
        c.begin()
        if record.full:
            models = (*models, "test_resnet")
        submitted = [c.submit(models[n % len(models)], epochs=6) for n in range(3)]
        done = 0
        while done < kills or len(submitted) < jobs:
            if len(submitted) < jobs and done * jobs >= len(submitted) * kills - 2 * jobs:
                submitted.append(c.submit(models[len(submitted) % len(models)], epochs=6))
            time.sleep(c.random.uniform(0.05, 0.6))
            done += _harm_at_random(c)
        for job_id in submitted:
            seen = c.ends(job_id)
            record.row("anything-at-any-time", seen.partition(",")[0])


def _harm_at_random(c: Campaign) -> int:
    """1 if something was harmed."""
    what = c.random.choice(("trainer", "wrapper", "server", "failpoint", "failpoint", "valkey"))
    point, at = c.random.choice(AT_RANDOM), c.random.randint(1, 12)
    if what in ("trainer", "wrapper"):
        return int(c.kill(what, "job-"))
    if what == "valkey":
        return int(c.kill_valkey())
    if what == "server":
        c.kill_server()
        c.again()
        return 1
    c.stop()
    c.again(VISIONAI_FAILPOINTS=f"{point}=kill@{at}")
    if c.server.process is None:
        c.harm(f"server killed at {point}@{at}, while it started")
        c.again()
        return 1
    try:
        c.server.process.wait(8)
    except subprocess.TimeoutExpired:
        return 0  # nothing came by there
    c.killed_at(f"{point}@{at}")
    c.again()
    return 1
