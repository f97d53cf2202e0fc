"""A project as the chat sees it: seven data sets, two trainers, two trainings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from visionai.chat.types import Best, Context, DatasetChoice, FrameworkChoice, JobChoice

sys.path.insert(0, str(Path(__file__).parent))  # tests are no packages: what they share is imported by name

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "epochs": {"type": "integer", "title": "Epochs", "default": 10, "minimum": 1, "maximum": 1000},
        "batch_size": {"type": "integer", "title": "Batch size", "default": 32, "minimum": 1, "maximum": 4096},
        "learning_rate": {
            "type": "number",
            "title": "Learning rate",
            "default": 0.001,
            "exclusiveMinimum": 0,
            "maximum": 10,
        },
        "image_size": {
            "type": ["integer", "null"],
            "title": "Image size",
            "default": None,
            "minimum": 16,
            "maximum": 1024,
        },
        "optimizer": {"type": "string", "title": "Optimizer", "enum": ["adamw", "sgd", "lamb"], "default": "adamw"},
        "scheduler": {
            "type": "string",
            "title": "Schedule",
            "enum": ["cosine", "step", "constant"],
            "default": "cosine",
        },
        "augmentation": {
            "type": "string",
            "title": "Augmentation",
            "enum": ["none", "light", "medium", "strong"],
            "default": "light",
        },
        "class_weights": {"type": "string", "title": "Class weights", "enum": ["none", "balanced"], "default": "none"},
        "drop_rate": {"type": "number", "title": "Dropout", "default": 0.0, "minimum": 0, "exclusiveMaximum": 1},
        "label_smoothing": {
            "type": "number",
            "title": "Label smoothing",
            "default": 0.0,
            "minimum": 0,
            "exclusiveMaximum": 1,
        },
        "horizontal_flip": {"type": "boolean", "title": "Mirror", "default": False},
        "amp": {"type": "boolean", "title": "Mixed precision", "default": True},
        "pretrained": {"type": ["boolean", "null"], "title": "Pretrained weights", "default": None},
        "patience": {"type": ["integer", "null"], "title": "Early stopping", "default": 10, "minimum": 1},
        "warmup_epochs": {"type": ["number", "null"], "title": "Warm-up epochs", "default": None, "minimum": 0},
        "device": {"type": "string", "title": "Device", "enum": ["auto", "cpu", "cuda"], "default": "auto"},
        "seed": {"type": "integer", "title": "Seed", "default": 42, "minimum": 0},
    },
}
TIMM = FrameworkChoice(
    "timm",
    "ready",
    ["classification"],
    [
        "resnet18", "resnet18d", "resnet34", "resnet50", "test_resnet", "test_vit", "efficientnet_b0",
        "mobilenetv3_small_100", "mobilenetv3_large_100", "vit_small_patch16_224", "vit_tiny_patch16_224",
        "vit_base_patch16_224", "convnext_tiny",
    ],
    SCHEMA,
    {"quick": {"epochs": 3}, "balanced": {"epochs": 30}, "accurate": {"epochs": 100, "augmentation": "strong"}},
    parameters={
        "resnet18": 11_700_000, "resnet18d": 11_700_000, "resnet34": 21_800_000, "resnet50": 25_600_000,
        "test_resnet": 500_000, "test_vit": 400_000, "efficientnet_b0": 5_300_000, "mobilenetv3_small_100": 2_500_000,
        "mobilenetv3_large_100": 5_480_000, "vit_tiny_patch16_224": 5_700_000, "vit_small_patch16_224": 22_000_000,
        "vit_base_patch16_224": 86_000_000,
    },
    without_weights=frozenset({"resnet50"}),
)  # fmt: skip
ULTRALYTICS = FrameworkChoice(
    "ultralytics",
    "ready",
    ["detection", "segmentation"],
    ["yolo11n", "yolo11s", "yolo11n-seg"],
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "epochs": {"type": "integer", "title": "Epochs", "default": 100, "minimum": 1},
            "batch": {"type": "integer", "title": "Batch", "default": 16, "minimum": 1},
            "lr0": {"type": "number", "title": "Initial learning rate", "default": 0.01, "exclusiveMinimum": 0},
            "imgsz": {"type": "integer", "title": "Image size", "default": 640, "minimum": 32},
            "mosaic": {"type": "number", "title": "Mosaic", "default": 1.0, "minimum": 0, "maximum": 1},
        },
    },
)
CLASSES = ["classification"]
DATASETS = [
    DatasetChoice("d1", "digits", "ready", CLASSES, 10, 1797),
    DatasetChoice("d2", "flowers", "ready", CLASSES, 5, 500),
    DatasetChoice("d3", "Flowers v2", "ready", CLASSES, 5, 600),
    DatasetChoice("d4", "blood cells", "ready", ["detection"], 3, 364),
    DatasetChoice("d5", "꽃 사진", "ready", CLASSES, 4, 300),
    DatasetChoice("d6", "zoo", "processing", [], 0, 0),
    DatasetChoice("d7", "broken", "error", [], 0, 0, "The archive holds no images. Zip the folder with them."),
]
JOBS = [
    JobChoice("j2", "test_resnet on digits", "running", "digits", "test_resnet"),
    JobChoice("j1", "resnet18 on flowers", "completed", "flowers", "resnet18"),
]


@pytest.fixture
def project() -> Context:
    """One trainer, for classification."""
    return Context(datasets=DATASETS, frameworks=[TIMM], jobs=JOBS, project_name="Lab")


@pytest.fixture
def busy(project: Context) -> Context:
    """A training in every state that has something to tell."""
    reason = "Waiting for another training of yours to end."
    jobs = [
        JobChoice("q", "convnext_tiny on digits", "queued", "digits", "convnext_tiny", reason=reason, queue_position=2),
        JobChoice("r", "test_resnet on digits", "running", "digits", "test_resnet", epoch=3, total_epochs=10,
                  progress=34.2, eta_seconds=250, best=Best("val/accuracy", 0.93214, 2)),
        JobChoice("f", "resnet50 on flowers", "failed", "flowers", "resnet50", epoch=1, total_epochs=10,
                  error="The device ran out of memory. Use a smaller batch size."),
        JobChoice("c", "resnet18 on flowers", "completed", "flowers", "resnet18", epoch=10, total_epochs=10,
                  best=Best("val/accuracy", 0.88, 9)),
    ]  # fmt: skip
    return msgspec.structs.replace(project, jobs=jobs)


@pytest.fixture
def both(project: Context) -> Context:
    """Two trainers, of which the second does detection."""
    return Context(datasets=DATASETS, frameworks=[TIMM, ULTRALYTICS], jobs=JOBS, project_name="Lab")
