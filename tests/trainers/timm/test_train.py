"""Real trainings, small: they learn, they resume bit by bit, they stop, and they say what is wrong."""

from __future__ import annotations

import io
import json
import math
import os
import random
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("timm", reason="the timm extra is not installed")
pytest.importorskip("sklearn", reason="the digits come from scikit-learn")

import torch
from PIL import Image as Pillow

from visionai.trainers import data
from visionai.trainers.contract import EXIT_FAILED, EXIT_STOPPED, ArtifactKind, TrainerError, Validation
from visionai.trainers.data import TrainingData
from visionai.trainers.reporter import Metrics, OfflineReporter
from visionai.trainers.runner import Job, Stopped, run
from visionai.trainers.testing import Server, environment
from visionai.trainers.timm import train as training
from visionai.trainers.timm.data import decoded
from visionai.trainers.timm.model import load_model

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("default::DeprecationWarning")]

Serve = Callable[[type[Server]], Server]
Launch = Callable[[Server, Path, dict[str, Any]], "subprocess.Popen[bytes]"]
SMALL = {"epochs": 3, "max_batches": 4, "batch_size": 16, "image_size": 32}


class Recorder(OfflineReporter):
    """Keeps what is reported; asks to stop after a given epoch, or as soon as one has begun."""

    def __init__(self, *, stop_after_epoch: int | None = None, stop_in_epoch: int | None = None) -> None:
        super().__init__()
        self.epochs: list[Metrics] = []
        self.validations: list[Validation] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.artifacts: list[str] = []
        self._after, self._in = stop_after_epoch, stop_in_epoch

    @property
    def stop_requested(self) -> bool:
        return self._stop or (bool(self.events) and len(self.epochs) + 1 == self._in)

    @stop_requested.setter
    def stop_requested(self, value: bool) -> None:
        self._stop = value

    def epoch(self, epoch: int, total_epochs: int, *, metrics: Metrics, **more: Any) -> None:
        self.epochs.append(metrics)
        self._stop = self._stop or epoch == self._after

    def validation(self, validation: Validation) -> None:
        self.validations.append(validation)

    def event(self, type_: str, message: str, **more: Any) -> None:
        self.events.append((type_, more))

    def artifact(self, kind: ArtifactKind, path: Path, *, epoch: int | None = None) -> None:
        assert path.exists()
        self.artifacts.append(kind)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """scikit-learn's digits as class folders of 8×8 PNGs."""
    from sklearn.datasets import load_digits

    folder, found = tmp_path_factory.mktemp("digits"), load_digits()
    for i, (pixels, label) in enumerate(zip(found.images, found.target, strict=True)):
        path = folder / str(label) / f"{i:04d}.png"
        path.parent.mkdir(exist_ok=True)
        Pillow.fromarray((pixels * 255 / 16).round().astype("uint8")).save(path)
    return folder


@pytest.fixture
def few(digits: Path) -> TrainingData:
    found = data.from_folder(digits)
    return found._replace(train=found.train[::8], val=found.val[::8])


def job(found: TrainingData, folder: Path, model: str = "test_resnet", **config: Any) -> Job:
    folder.mkdir(exist_ok=True)
    return Job("classification", model, {**SMALL, **config}, folder, False, lambda: found)


def test_the_digits_are_learnt_with_the_defaults(digits: Path, tmp_path: Path) -> None:
    found, reporter = data.from_folder(digits), Recorder()
    best = training.train(Job("classification", "test_resnet", {"epochs": 3}, tmp_path, False, lambda: found), reporter)
    assert (best["val/accuracy"] or 0) >= 0.97
    assert [v.epoch for v in reporter.validations] == [1, 2, 3]
    last = reporter.validations[-1]
    matrix = last.confusion_matrix or []
    assert sum(map(sum, matrix)) == len(found.val)
    assert sum(matrix[i][i] for i in range(10)) / len(found.val) == last.primary_metric.value
    assert [row.support for row in last.per_class] == [sum(row) for row in matrix]

    model, classes, preprocessing = load_model(tmp_path / "model.pt")
    transform = preprocessing.transform()
    with torch.inference_mode():
        outputs = model(torch.stack([transform(decoded(image)) for image in found.val]))
    said = [json.loads(line) for line in (tmp_path / "predictions.ndjson").read_text().splitlines()]
    assert [row["predicted"] for row in said] == [classes[i] for i in outputs.argmax(1)]
    right = [row["predicted"] == row["label"] for row in said]
    assert sum(right) / len(right) == best["val/accuracy"]


@pytest.mark.parametrize("when", [{"stop_after_epoch": 1}, {"stop_in_epoch": 2}, {"stop_in_epoch": 1}])
@pytest.mark.parametrize("config", [{}, {"augmentation": "strong", "ema": True, "drop_rate": 0.2, "optimizer": "sgd"}])
def test_interrupted_and_resumed_is_as_if_it_never_was(
    few: TrainingData, tmp_path: Path, when: dict[str, int], config: dict[str, Any]
) -> None:
    whole, first, second = Recorder(), Recorder(**when), Recorder()
    through = training.train(job(few, tmp_path / "whole", **config), whole)
    with pytest.raises(Stopped):
        training.train(job(few, tmp_path / "parts", **config), first)
    assert first.artifacts[0] == "checkpoint_last"
    random.random(), torch.rand(3)  # another process would start elsewhere
    resumed = few._replace(checkpoint=tmp_path / "parts" / "last.pt")
    assert training.train(job(resumed, tmp_path / "parts", **config), second) == through
    assert first.epochs + second.epochs == whole.epochs
    assert first.validations + second.validations == whole.validations
    assert load_weights(tmp_path / "parts") == load_weights(tmp_path / "whole")


def load_weights(folder: Path) -> dict[str, list[Any]]:
    model, _, _ = load_model(folder / "model.pt")
    return {name: tensor.tolist() for name, tensor in model.state_dict().items()}


def test_a_finished_training_can_be_given_more_epochs(few: TrainingData, tmp_path: Path) -> None:
    training.train(job(few, tmp_path, epochs=1), Recorder())
    reporter = Recorder()
    training.train(job(few._replace(checkpoint=tmp_path / "last.pt"), tmp_path, epochs=2), reporter)
    assert [v.epoch for v in reporter.validations] == [2]


def test_resuming_a_finished_training_only_finishes_it(few: TrainingData, tmp_path: Path) -> None:
    best = training.train(job(few, tmp_path, epochs=1), Recorder())
    reporter = Recorder()
    assert training.train(job(few._replace(checkpoint=tmp_path / "last.pt"), tmp_path, epochs=1), reporter) == best
    assert reporter.epochs == []
    assert {"model", "predictions", "report"} <= set(reporter.artifacts)


def test_a_checkpoint_of_another_model_is_refused(few: TrainingData, tmp_path: Path) -> None:
    training.train(job(few, tmp_path, epochs=1), Recorder())
    with pytest.raises(TrainerError, match="another model") as caught:
        training.train(job(few._replace(checkpoint=tmp_path / "last.pt"), tmp_path, "resnet10t"), Recorder())
    assert caught.value.info.code == "config_invalid"


def test_it_stops_early(few: TrainingData, tmp_path: Path) -> None:
    reporter = Recorder()
    training.train(job(few, tmp_path, epochs=50, learning_rate=1e-9, early_stopping_patience=2), reporter)
    assert "early_stopped" in [type_ for type_, _ in reporter.events]
    assert len(reporter.epochs) < 10


def test_a_checkpoint_after_every_epoch_if_wanted(few: TrainingData, tmp_path: Path) -> None:
    reporter = Recorder()
    training.train(job(few, tmp_path, checkpoint_seconds=0), reporter)
    assert [more["epoch"] for type_, more in reporter.events if type_ == "checkpoint_saved"] == [1, 2, 3]


def test_a_checkpoint_for_which_the_disk_has_no_room_is_told_and_ends_nothing(
    few: TrainingData, tmp_path: Path
) -> None:
    """The first one; what was written of it is removed, so that the next ones have room."""
    reporter = Recorder()
    (tmp_path / "last.pt.part").symlink_to("/dev/full")
    training.train(job(few, tmp_path, checkpoint_seconds=0), reporter)
    assert ("warning", {"epoch": 1}) in reporter.events
    assert [more["epoch"] for type_, more in reporter.events if type_ == "checkpoint_saved"] == [2, 3]


@pytest.mark.parametrize("level", ["none", "light", "medium", "strong"])
def test_every_augmentation_level_trains(few: TrainingData, tmp_path: Path, level: str) -> None:
    reporter = Recorder()
    training.train(job(few, tmp_path, epochs=1, augmentation=level, horizontal_flip=True), reporter)
    assert math.isfinite(reporter.epochs[0]["train/loss"] or math.nan)


@pytest.mark.parametrize("scheduler", ["linear", "step", "constant"])
def test_the_learning_rate_falls_as_the_schedule_says(few: TrainingData, tmp_path: Path, scheduler: str) -> None:
    reporter = Recorder()
    training.train(job(few, tmp_path, scheduler=scheduler, learning_rate=0.01, warmup_epochs=0), reporter)
    rates = [epoch["lr"] or 0.0 for epoch in reporter.epochs]
    expected = {"linear": [0.00667, 0.00334, 1e-5], "step": [0.001, 0.0001, 0.00001], "constant": [0.01] * 3}
    assert rates == pytest.approx(expected[scheduler], rel=0.01)


def test_loader_processes_give_the_same_validation(few: TrainingData, tmp_path: Path) -> None:
    with_, without = Recorder(), Recorder()
    training.train(job(few, tmp_path, epochs=1, workers=2, augmentation="none"), with_)
    training.train(job(few, tmp_path, epochs=1, workers=0, augmentation="none"), without)
    assert with_.epochs == without.epochs


@pytest.mark.parametrize(
    ("model", "config", "code", "says"),
    [
        ("no_such_model", {}, "config_invalid", "no_such_model"),
        ("test_resnet", {"epochs": 0}, "config_invalid", "epochs must be at least 1"),
        ("test_resnet", {"pretrained": True}, "weights_unavailable", "not on this machine"),
        ("test_vit", {"image_size": 33}, "config_invalid", "image_size 33"),
    ],
)
def test_what_is_wrong_is_named(
    few: TrainingData, tmp_path: Path, model: str, config: dict[str, Any], code: str, says: str
) -> None:
    with pytest.raises(TrainerError, match=says) as caught:
        training.train(job(few, tmp_path, model, **config), Recorder())
    assert caught.value.info.code == code
    assert caught.value.info.hint


def test_a_loss_that_is_no_number_ends_it(few: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_class_weights", lambda *_: torch.full((10,), math.inf))
    with pytest.raises(TrainerError, match="The loss is nan") as caught:
        training.train(job(few, tmp_path), Recorder())
    assert caught.value.info.code == "diverged"


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_cannot_be_read_is_named(few: TrainingData, tmp_path: Path, workers: int) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG but no more")
    broken = few.train[0]._replace(file_name="3/broken.png", blob=data.Blob(str(tmp_path / "broken.png"), 0, 16))
    found = few._replace(train=[broken] * 40 + few.train)
    with pytest.raises(TrainerError, match=r"^3/broken\.png cannot be read") as caught:
        training.train(job(found, tmp_path, workers=workers, image_size=None), Recorder())
    assert caught.value.info.code == "dataset_invalid"


def test_running_out_of_memory_has_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    def too_large() -> Metrics:
        raise RuntimeError("CUDA out of memory. Tried to allocate 20 GiB")

    assert run(too_large, OfflineReporter()) == EXIT_FAILED
    assert "failed oom" in capsys.readouterr().out


def test_a_training_for_the_server_stops_on_sigterm_and_resumes(
    serve: Serve, launch: Launch, digits: Path, tmp_path: Path
) -> None:
    server = serve(Server)
    offer(server, digits)
    settings = {"epochs": 3, "checkpoint_seconds": 0}

    process = launch(server, tmp_path, settings)
    server.wait_for(lambda: any(c.path == "validation" for c in server.calls))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == EXIT_STOPPED
    assert server.to("done")[0].json["status"] == "stopped"
    stored = server.requests["last.pt"]
    content = b"".join(server.stored[f"/store/last.pt/{offset}"] for offset in (0, stored["size"] // 2))
    server.files["last.pt"] = content
    server.inputs["files"].append(described("checkpoint", "last.pt", content))
    server.inputs["resume_epoch"] = stored["epoch"]
    before = len(server.to("validation"))

    process = launch(server, tmp_path, settings)
    assert process.wait(120) == 0
    assert server.to("done")[1].json["status"] == "succeeded"
    assert server.to("done")[1].json["final_metrics"]["val/accuracy"] > 0.9
    epochs = [c.json["epoch"] for c in server.to("validation")]
    assert epochs == [1, 2, 3], (before, epochs)
    assert {"model.pt", "best.pt", "predictions.ndjson", "report.json"} <= set(server.complete)
    paths = [c.path for c in server.calls]
    assert paths.index("heartbeat") < paths.index("event"), "it reports before the framework is imported"
    downloads = [c.path for c in server.calls if c.path == "/files/shard.tar"]
    assert len(downloads) == 1, "the second attempt finds the data in the cache"


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Starts the trainer as a process, as an executor would; none outlives the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(server: Server, folder: Path, settings: dict[str, Any]) -> subprocess.Popen[bytes]:
        env = environment(server.url, folder).to_environ() | {"TRAINING_CONFIG": json.dumps(settings)}
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "OMP_NUM_THREADS") if name in os.environ}
        source = str(Path(data.__file__).parents[2])
        command = [sys.executable, "-m", "visionai.trainers", "timm", "train"]
        started.append(subprocess.Popen(command, env={**inherited, **env, "PYTHONPATH": source}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def offer(server: Server, digits: Path) -> None:
    found = data.from_folder(digits)
    found = found._replace(val=found.val[::4])
    packed, lines = io.BytesIO(), []
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for image in (*found.train, *found.val):
            content = image.blob.read()
            member = tarfile.TarInfo(sha256(content).hexdigest() + ".png")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
            size = {"width": 8, "height": 8, "size": len(content), "sha256": sha256(content).hexdigest()}
            lines.append(json.dumps({"file_name": image.file_name, "labels": image.labels, "objects": [], **size}))
    split = {"train": [i.file_name for i in found.train], "val": [i.file_name for i in found.val]}
    server.files = {
        "annotations.ndjson": "\n".join(lines).encode(),
        "split.json": json.dumps(split).encode(),
        "shard.tar": packed.getvalue(),
    }
    kinds = {"annotations.ndjson": "annotations", "split.json": "split", "shard.tar": "shard"}
    server.inputs = {
        "job_id": "job-1",
        "attempt": 1,
        "dataset": {"id": "d", "version": "v", "content_hash": "h", "classes": found.classes, "image_count": 1797},
        "files": [described(kinds[name], name, content) for name, content in server.files.items()],
    }


def described(kind: str, name: str, content: bytes) -> dict[str, Any]:
    digest = sha256(content).hexdigest()
    return {"name": name, "kind": kind, "url": f"/files/{name}", "size": len(content), "sha256": digest}
