"""Fetching what the server says to train on, into a cache that outlives the job.

A file lies in the cache under its SHA-256, complete or not at all, so any number of trainers may share it and a data
set that is there is not fetched again. Checkpoints go to the scratch directory: nobody else needs them.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import msgspec

from visionai.trainers.client import Backoff, Client, Damaged, Refused, Unreachable, UrlExpired
from visionai.trainers.contract import InputFile, Inputs, TrainerEnv, TrainerError
from visionai.trainers.data import TrainingData, from_files
from visionai.trainers.delivery import Clock, SystemClock
from visionai.trainers.runner import Stopped

PATIENCE_SECONDS = 1800.0
MOST_REFUSALS = 5
THREADS = 4


class Fetched(msgspec.Struct):
    inputs: Inputs
    files: dict[str, Path]
    """By name."""
    downloaded: int = 0
    """Bytes that were not in the cache."""

    def paths(self, kind: str) -> list[Path]:
        return [self.files[f.name] for f in self.inputs.files if f.kind == kind]

    def one(self, kind: str) -> Path | None:
        return next(iter(self.paths(kind)), None)


def fetch(
    env: TrainerEnv,
    *,
    client: Client | None = None,
    clock: Clock | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Fetched:
    """Everything that ``GET inputs`` names. Waits for a server that is away, asks again when a URL has expired.

    Raises TrainerError ``storage_unavailable`` when it takes too long or files keep being refused or damaged.
    """
    client, clock = client or Client(env), clock or SystemClock()
    started, backoff, refusals, downloaded = clock.now(), Backoff(), 0, [0]
    pause = Event()
    while True:
        try:
            inputs = msgspec.json.decode(client.call("GET", "inputs"), type=Inputs)
            targets = {file.name: _place(env, file) for file in inputs.files}
            missing = [file for file in inputs.files if not targets[file.name].exists()]
            with ThreadPoolExecutor(THREADS) as pool:
                waiting = [pool.submit(_download, client, f, targets[f.name], downloaded, stop) for f in missing]
            for done in waiting:
                done.result()
            for path in targets.values():
                os.utime(path)  # whoever tidies the cache sees what is in use
            return Fetched(inputs, targets, downloaded[0])
        except msgspec.DecodeError as e:
            raise TrainerError("internal", f"The server's answer to inputs cannot be read: {e}") from e
        except (UrlExpired, Damaged, Refused) as e:
            refusals += 1
            if refusals > MOST_REFUSALS or (isinstance(e, Refused) and e.ends_the_attempt):
                raise TrainerError("storage_unavailable", f"The data could not be fetched: {e}") from e
            clock.wait(pause, backoff.next())
        except Unreachable as e:
            if clock.now() - started > PATIENCE_SECONDS:
                raise TrainerError("storage_unavailable", f"The data could not be fetched: {e}") from e
            clock.wait(pause, backoff.next(e.retry_after))
        except OSError as e:
            raise TrainerError("storage_unavailable", f"The data could not be kept: {e}", "Is the disk full?") from e
        if stop():
            raise Stopped


def training_data(fetched: Fetched) -> TrainingData:
    annotations, split = fetched.one("annotations"), fetched.one("split")
    if annotations is None or split is None:
        raise TrainerError("dataset_invalid", "The inputs lack the annotations or the split.")
    return from_files(
        fetched.inputs.dataset.classes,
        annotations,
        split,
        fetched.paths("shard"),
        checkpoint=fetched.one("checkpoint"),
        weights=fetched.one("weights"),
    )


def _place(env: TrainerEnv, file: InputFile) -> Path:
    if file.kind == "checkpoint":
        return Path(env.workspace) / "inputs" / file.sha256
    return Path(env.cache_dir) / "files" / file.sha256[:2] / file.sha256


def _download(client: Client, file: InputFile, target: Path, downloaded: list[int], stop: Callable[[], bool]) -> None:
    def count(size: int) -> None:
        downloaded[0] += size
        if stop():
            raise Stopped

    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
    try:
        client.download(file.url, temporary, size=file.size, sha256=file.sha256, on_chunk=count)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
