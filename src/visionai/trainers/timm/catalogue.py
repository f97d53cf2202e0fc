"""Every model of the installed timm, kept in a file, so that ``describe`` need not import torch.

The file is written twice and more: at once with all models but no parameter counts, then again while they are being
counted (a model is built without memory or values, still about 50 ms each), the last time as ``complete``.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from visionai.trainers.contract import Manifest, ModelEntry, Objective
from visionai.trainers.timm.config import PRESETS, SCHEMA

if TYPE_CHECKING:
    from torch.overrides import TorchFunctionMode

WRITE_SECONDS = 5.0
RECOMMENDED = frozenset(
    {
        "resnet18",
        "resnet50",
        "mobilenetv3_large_100",
        "efficientnet_b0",
        "efficientnetv2_rw_s",
        "convnext_tiny",
        "convnextv2_nano",
        "vit_small_patch16_224",
        "vit_base_patch16_224",
        "swin_tiny_patch4_window7_224",
        "test_resnet",
    }
)
CAPABILITIES = ["resume", "stop", "amp", "early_stopping", "ema", "predictions", "confusion_matrix"]


class Entry(msgspec.Struct):
    name: str
    input_size: int
    hub_id: str | None
    """Where timm would fetch initial weights."""
    pretrained: bool
    licence: str | None
    parameters: int | None = None


class Catalogue(msgspec.Struct):
    version: str
    complete: bool
    models: list[Entry]


def manifest(catalogue: Path | None) -> Manifest:
    """What the trainer says of itself. Without a catalogue, or with one of another version, it lists no models."""
    version = _version("timm")
    known = _read(catalogue, version)
    state: Literal["absent", "partial", "complete"] = "absent"
    if known:
        state = "complete" if known.complete else "partial"
    cache = hub_cache(os.environ)
    return Manifest(
        framework="timm",
        version=version,
        tasks=["classification"],
        models=[_model(entry, cache) for entry in known.models] if known else [],
        schema=SCHEMA,
        presets=PRESETS,
        primary_metrics={"classification": Objective("val/accuracy", "max")},
        capabilities=CAPABILITIES,
        catalogue=state,
    )


def write(out: Path, listed: Callable[[], None]) -> None:
    """List the installed timm's models in ``out``, replacing it whole each time. ``listed``: once all are named."""
    import timm  # noqa: PLC0415 - the only function here that needs it

    entries = [_entry(name) for name in timm.list_models()]
    entries.sort(key=lambda e: e.name not in RECOMMENDED)
    _write(out, entries, complete=False)
    listed()
    due = time.monotonic() + WRITE_SECONDS
    for entry in entries:
        entry.parameters = _parameters(entry.name)
        if time.monotonic() > due:
            _write(out, entries, complete=False)
            due = time.monotonic() + WRITE_SECONDS
    _write(out, entries, complete=True)


def hub_cache(environ: Mapping[str, str]) -> Path:
    """Where Hugging Face keeps downloads, by its own rules."""
    home = environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = environ.get("HF_HOME") or f"{home}/huggingface"
    return Path(environ.get("HF_HUB_CACHE") or f"{home}/hub").expanduser()


def is_cached(hub_id: str, cache: Path) -> bool:
    """Whether the weights are on this machine, by the layout of the cache alone."""
    snapshots = cache / f"models--{hub_id.partition('@')[0].replace('/', '--')}" / "snapshots"
    names = ("model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin")
    return any((snapshot / name).exists() for snapshot in snapshots.glob("*") for name in names)


def _model(entry: Entry, cache: Path) -> ModelEntry:
    return ModelEntry(
        name=entry.name,
        tasks=["classification"],
        parameters=entry.parameters,
        input_size=entry.input_size,
        pretrained=entry.pretrained,
        weights_offline=bool(entry.hub_id) and is_cached(entry.hub_id or "", cache),
        licence=entry.licence,
        recommended=entry.name in RECOMMENDED,
    )


def _entry(name: str) -> Entry:
    import timm  # noqa: PLC0415

    config = timm.models.get_pretrained_cfg(name)
    if config is None:
        return Entry(name, 224, None, False, None)
    return Entry(name, config.input_size[-1], config.hf_hub_id, bool(config.has_weights), config.license)


def _parameters(name: str) -> int | None:
    """None for a model that cannot be built, say for a library that is not installed."""
    import timm  # noqa: PLC0415

    try:
        with _shapes_only():
            model = timm.create_model(name, pretrained=False)
    except Exception as e:
        print(f"{name}: parameters not counted: {type(e).__name__}: {str(e)[:200]}", file=sys.stderr)
        return None
    return int(sum(p.numel() for p in model.parameters()))


def _shapes_only() -> TorchFunctionMode:
    """Tensors are made on the meta device and initialisers do nothing: five times faster than the device alone."""
    import torch  # noqa: PLC0415
    from torch.overrides import TorchFunctionMode  # noqa: PLC0415
    from torch.utils._device import _device_constructors  # noqa: PLC0415

    constructors = _device_constructors()
    fillers = {f for n, f in vars(torch.nn.init).items() if n.endswith("_") and not n.startswith("_") and callable(f)}
    for name in ("normal_", "uniform_", "erfinv_", "mul_", "add_", "clamp_", "fill_", "zero_", "copy_"):
        fillers.add(getattr(torch.Tensor, name))

    class ShapesOnly(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            if function in fillers:
                return args[0] if args else kwargs.get("tensor")
            if function in constructors and kwargs.get("device") is None:
                kwargs["device"] = "meta"
            return function(*args, **kwargs)

    return ShapesOnly()


def _read(path: Path | None, version: str | None) -> Catalogue | None:
    try:
        known = msgspec.json.decode(path.read_bytes(), type=Catalogue) if path else None
    except (OSError, msgspec.DecodeError):
        return None
    return known if known and known.version == version else None


def _write(out: Path, entries: list[Entry], *, complete: bool) -> None:
    known = Catalogue(_version("timm") or "", complete, sorted(entries, key=lambda e: e.name))
    temporary = out.with_name(f"{out.name}.{os.getpid()}.part")
    temporary.write_bytes(msgspec.json.encode(known))
    temporary.replace(out)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
