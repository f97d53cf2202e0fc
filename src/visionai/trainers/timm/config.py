"""The hyperparameters: one struct, from which the JSON Schema in the manifest is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta

from visionai.trainers.contract import TrainerError, config_schema, defaults, validate_config


def _about(title: str, group: str, description: str = "", *, empty: str | None = None) -> Meta:
    """How a form shows a field; ``empty``: what it means to leave it empty, where that is not "automatic"."""
    shown = {"x-group": group} if empty is None else {"x-group": group, "x-empty": empty}
    return Meta(title=title, description=description or None, extra_json_schema=shown)


_Int = Annotated[int, Meta(ge=1, le=1_000_000)]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    epochs: Annotated[int, Meta(ge=1, le=10_000), _about("Epochs", "Training", "Passes over the training images.")] = 30
    batch_size: Annotated[int, Meta(ge=1, le=4096), _about("Batch size", "Training", "Images per step.")] = 32
    image_size: Annotated[
        Annotated[int, Meta(ge=16, le=2048)] | None,
        _about(
            "Image size",
            "Training",
            "Pixels a side. Empty: the model's own size, or less where the images are small: twice their median "
            "longer side, rounded up to a multiple of 32.",
        ),
    ] = None
    pretrained: Annotated[
        bool | None,
        _about(
            "Start from pretrained weights",
            "Model",
            "Empty: if they are on this machine or may be downloaded, otherwise from scratch.",
        ),
    ] = None
    drop_rate: Annotated[
        Annotated[float, Meta(ge=0, lt=1)], _about("Dropout", "Model", "In front of the classifier.")
    ] = 0.0
    ema: Annotated[
        bool, _about("Average the weights", "Model", "Validate and keep an exponential moving average of the weights.")
    ] = False
    ema_decay: Annotated[float, Meta(ge=0.5, lt=1), _about("Decay of the average", "Model", "With a warm-up.")] = 0.999

    optimizer: Annotated[
        Literal["adamw", "sgd", "lamb", "rmsprop"], _about("Optimizer", "Optimization", "sgd with Nesterov momentum.")
    ] = "adamw"
    learning_rate: Annotated[
        Annotated[float, Meta(gt=0, le=10)] | None,
        _about(
            "Learning rate",
            "Optimization",
            "At its highest. Empty: adamw 0.003 from scratch (0.0005 for a model of fixed input size, as transformers "
            "are) and 0.0003 from pretrained weights; sgd 0.05 and 0.01; lamb 0.005 and 0.002; rmsprop 0.001 and "
            "0.0003.",
        ),
    ] = None
    weight_decay: Annotated[
        float, Meta(ge=0, le=1), _about("Weight decay", "Optimization", "Not for biases and norms.")
    ] = 0.05
    momentum: Annotated[float, Meta(ge=0, lt=1), _about("Momentum", "Optimization", "For sgd and rmsprop.")] = 0.9
    scheduler: Annotated[
        Literal["cosine", "linear", "step", "constant"],
        _about("Schedule", "Optimization", "How the learning rate falls; step divides it by ten, twice."),
    ] = "cosine"
    warmup_epochs: Annotated[
        Annotated[float, Meta(ge=0, le=1000)] | None,
        _about("Warm-up epochs", "Optimization", "Empty: a tenth of the epochs, 5 at most."),
    ] = None
    clip_grad: Annotated[
        Annotated[float, Meta(gt=0, le=1000)] | None,
        _about("Clip gradients at norm", "Optimization", empty="never"),
    ] = 1.0
    label_smoothing: Annotated[float, Meta(ge=0, lt=1), _about("Label smoothing", "Optimization")] = 0.0
    class_weights: Annotated[
        Literal["none", "balanced"],
        _about("Class weights", "Optimization", "balanced: rare classes weigh more in the loss."),
    ] = "none"

    augmentation: Annotated[
        Literal["none", "light", "medium", "strong"],
        _about(
            "Augmentation",
            "Augmentation",
            "light: crops; medium: also colours and RandAugment; strong: more of it, erasing, mixup and cutmix.",
        ),
    ] = "light"
    horizontal_flip: Annotated[
        bool, _about("Mirror", "Augmentation", "Only where a mirrored image still belongs to its class: no letters.")
    ] = False

    early_stopping_patience: Annotated[
        _Int | None, _about("Early stopping patience", "Control", "Epochs without improvement.", empty="never")
    ] = 10
    amp: Annotated[bool, _about("Mixed precision", "Control", "On a GPU.")] = True
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1), _about("Seed", "Control")] = 42
    workers: Annotated[
        Annotated[int, Meta(ge=0, le=64)] | None,
        _about("Loader processes", "Control", "Empty: none for small images, else one per CPU, 8 at most."),
    ] = None
    max_batches: Annotated[
        _Int | None, _about("Batches per epoch at most", "Control", "For a quick try.", empty="all")
    ] = None
    checkpoint_seconds: Annotated[
        float,
        Meta(ge=0, le=86_400),
        _about("Seconds between checkpoints", "Control", "Taken at the end of an epoch, this long after the last."),
    ] = 10.0

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Raises TrainerError ``config_invalid`` naming every wrong field."""
        if wrong := validate_config(SCHEMA, given):
            raise TrainerError("config_invalid", "; ".join(f"{field} {message}" for field, message in wrong))
        return msgspec.convert({**defaults(SCHEMA), **given}, cls)

    def lr(self, *, pretrained: bool, fixed_size: bool) -> float:
        if self.learning_rate:
            return self.learning_rate
        scratch, pretrained_rate = _LEARNING_RATES[self.optimizer]
        if pretrained:
            return pretrained_rate
        return min(scratch, 5e-4) if fixed_size and self.optimizer == "adamw" else scratch

    def warmup(self) -> float:
        """In epochs; half of the training at most."""
        automatic = min(5.0, self.epochs / 10)
        return min(automatic if self.warmup_epochs is None else self.warmup_epochs, self.epochs / 2)


_LEARNING_RATES = {
    # from scratch, from pretrained weights
    "adamw": (3e-3, 3e-4),
    "sgd": (5e-2, 1e-2),
    "lamb": (5e-3, 2e-3),
    "rmsprop": (1e-3, 3e-4),
}

SCHEMA = config_schema(Config)

PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"epochs": 5, "augmentation": "light"},
    "balanced": {"epochs": 30, "augmentation": "medium", "label_smoothing": 0.1},
    "accurate": {
        "epochs": 100,
        "augmentation": "strong",
        "label_smoothing": 0.1,
        "ema": True,
        "early_stopping_patience": 25,
    },
}
