"""``make mutants``: take out what keeps jobs whole, one thing at a time, and see that a test notices.

Each mutant is an exact replacement in a copy of the source; a text that is no longer there is an error, so that none
of them goes stale in silence. The named test has to pass on the copy as it is and to fail on the mutant.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("src", "tests", "migrations", "docs", "examples", "pyproject.toml")
PATIENCE_SECONDS = 180.0


class Mutant(NamedTuple):
    takes_out: str
    file: str
    old: str
    new: str
    test: str


MUTANTS = (
    Mutant(
        "the wrapper's flock", "executors/wrapper.py",
        "    else:\n        return LOST_THE_LOCK\n",
        "    else:\n        pass\n",
        "tests/executors/test_contract.py::test_a_second_wrapper_of_the_same_launch_leaves_and_starts_nothing",
    ),
    Mutant(
        "the commit before the launch", "jobs/reconcile.py",
        '        failpoints.reach("job.recorded", type(action).__name__)\n',
        '        if type(action).__name__ == "Claim":\n'
        "            early = await _latest_attempt(session, job_id)\n"
        "            folder = parts.executor.run_dir(early.launch_id)\n"
        "            await parts.executor.start(launch.build(parts.settings, parts.environ, job, early, folder))\n",
        "tests/jobs/test_launch.py::test_the_attempt_is_committed_before_anything_is_started",
    ),
    Mutant(
        "the supersession of what a lost attempt reported after its checkpoint", "jobs/lifecycle.py",
        "    await history.supersede(session, job, after_epoch=resume_epoch)\n", "",
        "tests/jobs/test_launch.py::test_what_was_reported_after_the_checkpoint_does_not_count_twice",
    ),
    Mutant(
        "the event's number out of the job's row", "jobs/events.py",
        "    job.event_seq += 1\n",
        "    job.event_seq = max(job.event_seq + 1, int(utcnow().timestamp() * 1000))\n",
        "tests/jobs/test_launch.py::test_events_are_numbered_without_gaps",
    ),
    Mutant(
        "the group commit's answer after the commit", "groupcommit.py",
        "                    write.answer, write.error = await write.work(session), None\n",
        "                    write.answer, write.error = await write.work(session), None\n"
        "                    write.answered.set_result(None)\n"
        "                    await asyncio.sleep(0)\n",
        "tests/test_groupcommit.py::test_an_answer_means_that_it_is_committed",
    ),
    Mutant(
        "the end of what a killed wrapper's trainer had started", "executors/subprocess.py",
        "        if not await asyncio.to_thread(_end_left_behind, handle.run_dir):\n            return Running()\n", "",
        "tests/executors/test_contract.py::test_nor_is_anything_left_where_the_wrapper_was_killed",
    ),
    Mutant(
        "whose lock pid.json tells of", "executors/subprocess.py",
        '            if written.lock != wrapper.identity(str(run_dir / "lock")):\n                return None\n', "",
        "tests/executors/test_contract.py::"
        "test_in_a_copy_of_the_data_directory_the_originals_process_is_a_strangers",
    ),
    Mutant(
        "the look for a clock that jumped, just before a silence is judged", "jobs/reconcile.py",
        "        parts.notice_a_break()\n", "",
        "tests/jobs/test_silence.py",
    ),
    Mutant(
        "the report before its checkpoint", "trainers/uploads.py",
        "                self._changed.wait_for(lambda: item.told() or self._closed or self._delivery.abandoned)\n",
        "                pass\n",
        "tests/trainers/test_reporter.py::test_a_checkpoint_is_not_completed_before_its_epoch_is_reported",
    ),
    Mutant(
        "whose Valkey it is", "redis.py",
        '            if not pidfile.parent.samefile(process / "cwd"):\n                return\n', "",
        "tests/test_redis.py::test_a_copy_of_the_data_directory_leaves_the_originals_alone",
    ),
    Mutant(
        "the lease on an upload", "datasets/resumable.py",
        "            if upload is not None and upload.lease_token == self._token:\n",
        "            if upload is not None:\n",
        "tests/datasets/test_resumable.py::test_who_lost_the_lease_writes_nothing_down",
    ),
    Mutant(
        "the cut before what nobody was told of", "storage/local.py",
        "        f.truncate(offset)\n        f.seek(offset)\n", "        f.seek(offset)\n",
        "tests/storage/test_contract.py::test_what_was_answered_to_nobody_is_overwritten",
    ),
    Mutant(
        "the lock on what is being received", "storage/local.py",
        "        if not locks.take(f):\n", "        if False:\n",
        "tests/storage/test_contract.py::test_of_two_pieces_at_once_the_second_is_refused",
    ),
)  # fmt: skip


def main() -> int:
    survived = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "webui"))
            else:
                shutil.copy2(source, copy / name)
        tests = sorted({mutant.test for mutant in MUTANTS})
        if (failed := run(copy, tests)) is None or failed:
            print(f"The tests fail without any mutant: {failed}")
            return 1
        for mutant in MUTANTS:
            began = time.monotonic()
            caught = try_out(copy, mutant)
            names = ", ".join(caught) or "NO TEST NOTICES"
            print(f"without {mutant.takes_out} ({time.monotonic() - began:.0f} s): {names}", flush=True)
            if not caught:
                survived.append(mutant.takes_out)
    print(f"{len(MUTANTS) - len(survived)} of {len(MUTANTS)} were caught")
    return 1 if survived else 0


def try_out(copy: Path, mutant: Mutant) -> list[str]:
    """The tests that fail. Raises SystemExit if the text to be replaced is not there, exactly once."""
    file = copy / "src/visionai" / mutant.file
    whole = file.read_text()
    if whole.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.file} does not hold this once any more; adapt the mutant:\n{mutant.old}")
    file.write_text(whole.replace(mutant.old, mutant.new))
    try:
        failed = run(copy, [mutant.test])
        return [f"{mutant.test}, which does not end"] if failed is None else failed
    finally:
        file.write_text(whole)


def run(copy: Path, tests: list[str]) -> list[str] | None:
    """The tests that fail; None if they do not end."""
    environ = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command, cwd=copy, env=environ, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode not in (0, 1):
        raise SystemExit(f"pytest could not run:\n{done.stdout}{done.stderr}")
    return re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)


if __name__ == "__main__":
    sys.exit(main())
