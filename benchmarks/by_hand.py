"""The same training by hand: model, data and optimizer of the timm trainer, a plain loop, and no platform.

``python by_hand.py FOLDER MODEL CONFIG`` prints the process's CPU seconds at the begin of each epoch and at the end.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from visionai.trainers.data import from_folder
from visionai.trainers.reporter import OfflineReporter
from visionai.trainers.runner import Job, stay_offline
from visionai.trainers.timm.config import Config
from visionai.trainers.timm.train import Run


def main(folder: Path, model_name: str, config: dict[str, object]) -> None:
    stay_offline(allow_downloads=False)
    data = from_folder(folder)
    with tempfile.TemporaryDirectory() as workspace:
        job = Job("classification", model_name, config, Path(workspace), False, lambda: data)
        run = Run(job, Config.parse(config), data, OfflineReporter())
    marks = []
    for epoch in range(run.config.epochs):
        marks.append(time.process_time())
        run.model.train()
        for step, (images, targets) in enumerate(run.loaders.train(epoch, 0), epoch * run.loaders.steps + 1):
            loss = run.loss(run.model(images), targets)
            run.optimizer.zero_grad()
            loss.backward()
            if run.config.clip_grad:
                clip_grad_norm_(run.model.parameters(), run.config.clip_grad)
            run.optimizer.step()
            run.scheduler.step_update(step)
        run.model.eval()
        correct, val_loss = 0, 0.0
        for images, targets in run.loaders.val():
            with torch.inference_mode():
                logits = run.model(images)
            val_loss += cross_entropy(logits, targets, reduction="sum").item()
            correct += int((logits.argmax(dim=1) == targets).sum())
    marks.append(time.process_time())
    print(json.dumps({"marks": marks, "accuracy": correct / len(data.val)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
