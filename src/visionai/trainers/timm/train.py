"""Train a classifier: read from top to bottom.

An interrupted run that is resumed gives the same numbers as one that was not (on the same CPU; within an epoch only
without loader processes): the learning rate follows from the number of updates, the order of the images from the
epoch, and everything else is in the checkpoint.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import timm
import torch
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.utils import ModelEmaV3
from torch import nn

from visionai.trainers.contract import PrimaryMetric, TrainerError, Validation
from visionai.trainers.data import TrainingData, single_labels
from visionai.trainers.reporter import Metrics, Reporting
from visionai.trainers.runner import Job, Stopped
from visionai.trainers.timm.config import Config
from visionai.trainers.timm.data import Loaders, median_side, mixup
from visionai.trainers.timm.metrics import Evaluation
from visionai.trainers.timm.model import Built, build, load_checkpoint, save_checkpoint, save_model, seed_everything

PRIMARY = "val/accuracy"
LOOK_EVERY = 10
"""Steps between two looks at the loss: looking waits for the GPU."""
MAX_MATRIX_CLASSES = 300
"""Above this the confusion matrix is only in ``report.json``: it would not fit into a report's body."""


def train(job: Job, reporter: Reporting) -> Metrics:
    """Train to the end and return the metrics of the best epoch. Raises TrainerError, or Stopped when asked to stop."""
    config = Config.parse(job.config)
    data = single_labels(job.data())
    if reporter.stop_requested:
        raise Stopped
    run = Run(job, config, data, reporter)
    if data.checkpoint:
        run.resume(data.checkpoint)
    _tell_start(run)

    while run.epoch < config.epochs:
        loss = train_epoch(run)
        evaluation = evaluate(run)
        run.epoch, run.step, run.loss_sum = run.epoch + 1, 0, 0.0
        metrics = {"train/loss": loss, **evaluation.metrics(), "lr": run.optimizer.param_groups[0]["lr"]}
        run.keep_if_best(evaluation, metrics)
        _tell_epoch(run, evaluation, metrics)
        if reporter.stop_requested and run.epoch < config.epochs:
            run.save()
            raise Stopped
        patience = config.early_stopping_patience
        if patience and run.epoch - run.best["epoch"] >= patience and run.epoch < config.epochs:
            reporter.event("early_stopped", f"No improvement for {patience} epochs", epoch=run.epoch)
            break
        if time.monotonic() - run.saved_at >= config.checkpoint_seconds and run.epoch < config.epochs:
            run.checkpoint()

    return finish(run)


class Run:
    """All that changes while training. ``epoch`` counts finished epochs, ``step`` the batches done of the next one."""

    def __init__(self, job: Job, config: Config, data: TrainingData, reporter: Reporting) -> None:
        seed_everything(config.seed)
        self.job, self.config, self.data, self.reporter = job, config, data, reporter
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = True
            reporter.gpu_memory = torch.cuda.memory_allocated
        self.built = _build(job, config, data)
        self.model = self.built.model.to(self.device)
        self.ema = ModelEmaV3(self.model, decay=config.ema_decay, use_warmup=True) if config.ema else None
        self.loaders = Loaders(data, config, self.built.preprocessing, self.device)
        self.mixup = mixup(config, len(data.classes))
        self.loss = nn.CrossEntropyLoss(_class_weights(config, data), label_smoothing=config.label_smoothing).to(
            self.device
        )
        self.lr = config.lr(pretrained=self.built.pretrained, fixed_size=self.built.fixed_size)
        self.optimizer = create_optimizer_v2(
            self.model, config.optimizer, lr=self.lr, weight_decay=config.weight_decay, momentum=config.momentum
        )
        updates = config.epochs * self.loaders.steps
        self.scheduler, _ = create_scheduler_v2(
            self.optimizer,
            {"linear": "poly"}.get(config.scheduler, config.scheduler),
            num_epochs=updates,
            warmup_epochs=round(config.warmup() * self.loaders.steps),
            warmup_lr=self.lr / 100,
            min_lr=self.lr / 1000,
            decay_epochs=max(1, -(-updates // 3)),
            decay_rate=1.0 if config.scheduler == "linear" else 0.1,  # a polynomial's power, or a step's factor
            step_on_epochs=False,
            updates_per_epoch=1,
        )
        bfloat16 = self.device.type == "cuda" and torch.cuda.is_bf16_supported()
        self.amp_dtype = torch.bfloat16 if bfloat16 else torch.float16
        self.amp = config.amp and self.device.type == "cuda"
        self.scaler = torch.amp.GradScaler("cuda", enabled=self.amp and not bfloat16)
        self.epoch, self.step, self.loss_sum = 0, 0, 0.0
        self.best: dict[str, Any] = {"epoch": 0, "value": -1.0, "metrics": {}, "weights": {}}
        self.best_evaluation: Evaluation | None = None
        self.started = self.saved_at = time.monotonic()
        self.updates_at_start = 0

    @property
    def updates(self) -> int:
        return self.epoch * self.loaders.steps + self.step

    @property
    def evaluated(self) -> nn.Module:
        """The model whose quality counts."""
        return self.ema.module if self.ema else self.model

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        return torch.autocast("cuda", self.amp_dtype) if self.amp else contextlib.nullcontext()

    def keep_if_best(self, evaluation: Evaluation, metrics: Metrics) -> None:
        value = metrics[PRIMARY] or 0.0
        if value > self.best["value"]:
            weights = {k: v.detach().cpu().clone() for k, v in self.evaluated.state_dict().items()}
            self.best = {"epoch": self.epoch, "value": value, "metrics": dict(metrics), "weights": weights}
            self.best_evaluation = evaluation

    def checkpoint(self) -> None:
        """Save on the way. A disk that has no room just now is no reason to end a training: next time it may."""
        try:
            self.save()
        except OSError as e:
            self.saved_at = time.monotonic()
            why = f"No checkpoint after epoch {self.epoch}: {e.strerror or e}"
            self.reporter.event("warning", why, epoch=self.epoch)

    def save(self) -> None:
        """Write and upload both checkpoints. ``last.pt`` holds the best weights too: they may never be beaten."""
        last, best = self.job.workspace / "last.pt", self.job.workspace / "best.pt"
        save_checkpoint(
            last,
            {
                "model_name": self.job.model_name,
                "classes": self.data.classes,
                "model": self.model.state_dict(),
                "ema": self.ema.module.state_dict() if self.ema else None,
                "optimizer": self.optimizer.state_dict(),
                "scaler": self.scaler.state_dict(),
                "steps": self.loaders.steps,
                "epoch": self.epoch,
                "step": self.step,
                "loss_sum": float(self.loss_sum),
                "best": self.best,
            },
        )
        self.reporter.artifact("checkpoint_last", last, epoch=self.epoch)
        if self.best["epoch"]:
            self.save_best(best)
            self.reporter.artifact("checkpoint_best", best, epoch=self.best["epoch"])
        self.saved_at = time.monotonic()
        self.reporter.event("checkpoint_saved", f"Checkpoint after epoch {self.epoch}", epoch=self.epoch)

    def save_best(self, path: Path) -> None:
        content = {
            "model": self.built.arguments,
            "state_dict": self.best["weights"],
            "classes": self.data.classes,
            "preprocessing": self.built.preprocessing._asdict(),
            "epoch": self.best["epoch"],
            "metrics": self.best["metrics"],
        }
        save_model(path, content)

    def resume(self, path: Path) -> None:
        """Go on where the checkpoint was saved; more epochs than then stretch the schedule."""
        kept = load_checkpoint(path)
        if (kept["model_name"], kept["classes"]) != (self.job.model_name, self.data.classes):
            raise TrainerError("config_invalid", "The checkpoint is of another model or of other classes.")
        self.model.load_state_dict(kept["model"])
        if self.ema:
            self.ema.module.load_state_dict(kept["ema"] or kept["model"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.scaler.load_state_dict(kept["scaler"])
        self.epoch, self.best = kept["epoch"], kept["best"]
        if kept["steps"] == self.loaders.steps:  # with another batch size the epoch begins again
            self.step, self.loss_sum = kept["step"], kept["loss_sum"]
        self.updates_at_start = self.updates
        self.scheduler.step_update(self.updates)


def train_epoch(run: Run) -> float:
    """The rest of one epoch; the mean loss of all of it. Raises Stopped after saving when asked to stop."""
    run.model.train()
    total = torch.tensor(run.loss_sum, dtype=torch.float64, device=run.device)
    for batch in run.loaders.train(run.epoch, run.step):
        images, targets = (tensor.to(run.device, non_blocking=True) for tensor in batch)
        if run.mixup and len(images) % 2 == 0:
            images, targets = run.mixup(images, targets)
        with run.autocast():
            loss = run.loss(run.model(images), targets)
        run.optimizer.zero_grad()
        run.scaler.scale(loss).backward()
        if run.config.clip_grad:
            run.scaler.unscale_(run.optimizer)
            nn.utils.clip_grad_norm_(run.model.parameters(), run.config.clip_grad)
        run.scaler.step(run.optimizer)
        run.scaler.update()
        run.step += 1
        run.scheduler.step_update(run.updates)
        if run.ema:
            run.ema.update(run.model, step=run.updates)
        total += loss.detach()
        if run.step % LOOK_EVERY == 0 or run.reporter.stop_requested:
            _look(run, total.item())
        if run.reporter.stop_requested:
            run.loss_sum = total.item()
            run.save()
            raise Stopped
    mean = float(total) / run.loaders.steps
    _check_finite(mean)
    return mean


def evaluate(run: Run) -> Evaluation:
    """Loss and probabilities for every validation image, in the order of the data."""
    run.evaluated.eval()
    losses, scores, targets = 0.0, [], []
    for images, labels in run.loaders.val():
        with torch.inference_mode(), run.autocast():
            logits = run.evaluated(images.to(run.device, non_blocking=True)).float()
        losses += nn.functional.cross_entropy(logits, labels.to(run.device), reduction="sum").item()
        scores.append(logits.softmax(dim=1).cpu().numpy())
        targets.append(labels.numpy())
    loss = losses / len(run.data.val)
    _check_finite(loss)
    return Evaluation(loss, np.concatenate(scores), np.concatenate(targets))


def finish(run: Run) -> Metrics:
    """Save and upload the last state, the best model, its predictions and its report."""
    folder = run.job.workspace
    run.save()
    run.save_best(folder / "model.pt")
    run.reporter.artifact("model", folder / "model.pt", epoch=run.best["epoch"])
    if run.best_evaluation is None:  # the best epoch was before the resume
        run.evaluated.load_state_dict(run.best["weights"])
        run.best_evaluation = evaluate(run)
    (folder / "predictions.ndjson").write_bytes(b"".join(_predictions(run, run.best_evaluation)))
    run.reporter.artifact("predictions", folder / "predictions.ndjson", epoch=run.best["epoch"])
    report = {
        "epoch": run.best["epoch"],
        "metrics": run.best["metrics"],
        "classes": run.data.classes,
        "per_class": run.best_evaluation.per_class(run.data.classes),
        "confusion_matrix": run.best_evaluation.confusion().tolist(),
    }
    (folder / "report.json").write_bytes(msgspec.json.encode(report))
    run.reporter.artifact("report", folder / "report.json", epoch=run.best["epoch"])
    return dict(run.best["metrics"])


def _build(job: Job, config: Config, data: TrainingData) -> Built:
    return build(
        job.model_name,
        len(data.classes),
        config,
        median_side=median_side(data.train),
        weights=data.weights,
        environ=dict(os.environ),
        allow_downloads=job.allow_downloads,
    )


def _class_weights(config: Config, data: TrainingData) -> torch.Tensor | None:
    """Inverse to how often a class occurs, one on average over the images."""
    if config.class_weights == "none":
        return None
    index = {name: i for i, name in enumerate(data.classes)}
    counts = np.bincount([index[image.labels[0]] for image in data.train], minlength=len(data.classes))
    present = max(1, int((counts > 0).sum()))
    return torch.tensor(len(data.train) / (present * np.maximum(counts, 1)), dtype=torch.float32)


def _look(run: Run, loss_sum: float) -> None:
    """Report how far the epoch is, and give up if the loss is lost."""
    _check_finite(loss_sum)
    run.reporter.progress(
        run.epoch + 1,
        run.config.epochs,
        step=run.updates,
        progress=_progress(run),
        metrics={"train/loss": loss_sum / run.step, "lr": run.optimizer.param_groups[0]["lr"]},
        eta_seconds=_eta(run),
    )


def _check_finite(loss: float) -> None:
    if not np.isfinite(loss):
        raise TrainerError("diverged", f"The loss is {loss}.")


def _progress(run: Run) -> float:
    return min(100.0, 100 * run.updates / (run.config.epochs * run.loaders.steps))


def _eta(run: Run) -> float | None:
    done = run.updates - run.updates_at_start
    if not done:
        return None
    left = run.config.epochs * run.loaders.steps - run.updates
    return max(0.0, (time.monotonic() - run.started) / done * left)


def _tell_start(run: Run) -> None:
    parameters = sum(p.numel() for p in run.model.parameters())
    weights = "pretrained weights" if run.built.pretrained else "from scratch"
    size = run.built.preprocessing.image_size
    text = (
        f"{run.job.model_name}: {parameters:,} parameters, {weights}, {size}×{size} pixels, {run.device}, "
        f"{len(run.data.train)} training and {len(run.data.val)} validation images, learning rate {run.lr:g}"
    )
    run.reporter.event(
        "training_started",
        text,
        device=str(run.device),
        parameters=parameters,
        pretrained=run.built.pretrained,
        image_size=size,
        learning_rate=run.lr,
        train_images=len(run.data.train),
        val_images=len(run.data.val),
        epoch=run.epoch,
        timm=timm.__version__,
        torch=str(torch.__version__),
    )
    run.reporter.log(text)


def _tell_epoch(run: Run, evaluation: Evaluation, metrics: Metrics) -> None:
    epochs = run.config.epochs
    run.reporter.epoch(
        run.epoch, epochs, step=run.updates, progress=_progress(run), metrics=metrics, eta_seconds=_eta(run)
    )
    classes = run.data.classes
    run.reporter.validation(
        Validation(
            epoch=run.epoch,
            primary_metric=PrimaryMetric(PRIMARY, metrics[PRIMARY], "max"),
            metrics={name: value for name, value in metrics.items() if name.startswith("val/")},
            per_class=evaluation.per_class(classes),
            confusion_matrix=evaluation.confusion().tolist() if len(classes) <= MAX_MATRIX_CLASSES else None,
        )
    )
    run.reporter.log(f"epoch {run.epoch}/{epochs}  " + "  ".join(f"{n} {v:.4g}" for n, v in metrics.items() if v))


def _predictions(run: Run, evaluation: Evaluation) -> Iterator[bytes]:
    """A line per validation image: its label, what was predicted, how surely, and the five likeliest classes."""
    classes, encoder = run.data.classes, msgspec.json.Encoder()
    for image, scores, top in zip(run.data.val, evaluation.scores, evaluation.top(), strict=True):
        likely = [{"class": classes[i], "confidence": round(float(scores[i]), 6)} for i in top]
        line = {
            "file_name": image.file_name,
            "label": image.labels[0],
            "predicted": likely[0]["class"],
            "confidence": likely[0]["confidence"],
            "top": likely,
        }
        yield encoder.encode(line) + b"\n"
