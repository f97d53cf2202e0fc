"""Building a classifier, and the two files it is kept in: the checkpoint to resume from and the model to use.

Both load with ``torch.load(..., weights_only=True)``: they hold tensors, numbers, texts, lists and dicts.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import timm
import torch
from torch import nn

from visionai.trainers.contract import TrainerError
from visionai.trainers.timm.catalogue import hub_cache, is_cached
from visionai.trainers.timm.config import Config
from visionai.trainers.timm.data import Preprocessing

MODEL_FORMAT = "visionai-timm-model-1"
CHECKPOINT_FORMAT = "visionai-timm-checkpoint-1"


class Built(NamedTuple):
    model: nn.Module
    arguments: dict[str, Any]
    """With which ``timm.create_model`` builds it again."""
    preprocessing: Preprocessing
    pretrained: bool
    fixed_size: bool
    """Made for one input size, as most transformers are."""


def build(
    name: str,
    classes: int,
    config: Config,
    *,
    median_side: int,
    weights: Path | None,
    environ: dict[str, str],
    allow_downloads: bool,
) -> Built:
    """The model with its first weights. Raises TrainerError ``config_invalid`` or ``weights_unavailable``."""
    if not timm.is_model(name):
        raise TrainerError("config_invalid", f"model_name {name} is not a model of timm {timm.__version__}")
    source = timm.models.get_pretrained_cfg(name)
    own = source.input_size[-1] if source else 224
    fixed = bool(source and source.fixed_input_size)
    size = config.image_size or (own if fixed else _fitting(own, median_side, source))
    arguments: dict[str, Any] = {"model_name": name, "num_classes": classes, "drop_rate": config.drop_rate}
    if fixed and size != own:
        arguments["img_size"] = size
    pretrained = weights is None and _wants_pretrained(name, source, config, environ, allow_downloads)
    try:
        model = timm.create_model(**arguments, pretrained=pretrained)
    except (TypeError, AssertionError, ValueError) as e:
        raise TrainerError("config_invalid", f"{name} cannot be built for image_size {size}: {e}") from e
    except OSError as e:
        raise TrainerError("weights_unavailable", f"The weights of {name} could not be loaded: {e}") from e
    if not _accepts(model, size, classes):
        if config.image_size or size == own or not _accepts(model, own, classes):
            raise TrainerError("config_invalid", f"image_size {size} does not suit {name}, which is made for {own}")
        size = own
    if weights:
        _load_weights(model, weights)
    mean, std = (source.mean, source.std) if source else ((0.5,) * 3, (0.5,) * 3)
    preprocessing = Preprocessing(size, tuple(mean), tuple(std), source.interpolation if source else "bicubic")
    return Built(model, arguments, preprocessing, pretrained or weights is not None, fixed)


def save_model(path: Path, content: dict[str, Any]) -> None:
    """The model file. ``content``: ``model`` (arguments of ``timm.create_model``), ``state_dict``, ``classes`` in the
    order of the outputs, ``preprocessing`` {image_size, mean, std, interpolation}, ``epoch`` and ``metrics``.
    """
    versions = {"timm": timm.__version__, "torch": str(torch.__version__)}
    _replace(path, {"format": MODEL_FORMAT, "task_type": "classification", "versions": versions, **content})


def load_model(path: Path) -> tuple[nn.Module, list[str], Preprocessing]:
    """A model file as a model in evaluation mode, its class names and its preprocessing. Runs no code from the file."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    if content.get("format") != MODEL_FORMAT:
        raise ValueError(f"{path} is not a model of this trainer")
    model = timm.create_model(**content["model"])
    model.load_state_dict(content["state_dict"])
    preprocessing = content["preprocessing"]
    kept = Preprocessing(**{**preprocessing, "mean": tuple(preprocessing["mean"]), "std": tuple(preprocessing["std"])})
    return model.eval(), list(content["classes"]), kept


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    _replace(path, {"format": CHECKPOINT_FORMAT, "random": _random_state(), **content})


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Its content, the random state restored. Raises TrainerError ``storage_unavailable`` if it cannot be read."""
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as e:
        raise TrainerError("storage_unavailable", f"The checkpoint cannot be read: {e}") from e
    if content.get("format") != CHECKPOINT_FORMAT:
        raise TrainerError("config_invalid", f"{path.name} is not a checkpoint of this trainer")
    _restore_random_state(content["random"])
    return content


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # timm's mixup draws from it
    torch.manual_seed(seed)


def _fitting(own: int, median_side: int, source: Any) -> int:
    """The model's own size, unless the images are so small that less will do."""
    least = max(source.min_input_size[-1] if source and source.min_input_size else 32, 32)
    return min(own, max(least, -(-2 * median_side // 32) * 32))


def _wants_pretrained(name: str, source: Any, config: Config, environ: dict[str, str], allow_downloads: bool) -> bool:
    if config.pretrained is False:
        return False
    exist = bool(source and source.has_weights)
    here = bool(exist and source.hf_hub_id and is_cached(source.hf_hub_id, hub_cache(environ)))
    if here or (exist and allow_downloads):
        return True
    if config.pretrained:
        reason = "are not on this machine" if exist else "do not exist"
        raise TrainerError("weights_unavailable", f"Pretrained weights of {name} {reason}.")
    return False


def _accepts(model: nn.Module, size: int, classes: int) -> bool:
    """Whether images of this size give one output per class."""
    model.eval()
    try:
        with torch.inference_mode():
            output = model(torch.zeros(1, 3, size, size))
    except (RuntimeError, AssertionError, ValueError):
        return False
    return isinstance(output, torch.Tensor) and output.shape == (1, classes)


def _load_weights(model: nn.Module, path: Path) -> None:
    """Initial weights from one of our model files or a plain state dict. A head of another shape is left out."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as e:
        raise TrainerError("weights_unavailable", f"The initial weights cannot be read: {e}") from e
    given, own = content.get("state_dict", content), model.state_dict()
    fitting = {k: v for k, v in given.items() if k in own and own[k].shape == v.shape}
    if len(fitting) < len(own) / 2:
        raise TrainerError("weights_unavailable", "The initial weights are those of another model.")
    model.load_state_dict(fitting, strict=False)


def _random_state() -> dict[str, Any]:
    state: Any = np.random.get_state(legacy=True)
    kind, keys, position, has_gauss, gauss = state
    return {
        "python": random.getstate(),
        "numpy": [str(kind), torch.tensor(keys.tolist()), int(position), int(has_gauss), float(gauss)],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _restore_random_state(state: dict[str, Any]) -> None:
    random.setstate(state["python"])
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])


def _replace(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all, and never into the old file: it may be on its way to storage. Raises OSError."""
    temporary = path.with_name(f"{path.name}.part")
    try:
        with temporary.open("wb") as file:  # given its path, torch does not say what is wrong with the disk
            torch.save(content, file)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
