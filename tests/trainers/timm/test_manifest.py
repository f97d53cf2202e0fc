"""What the timm trainer says of itself, without timm."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from visionai.trainers.contract import Manifest, TrainerError, defaults, validate_config
from visionai.trainers.timm import catalogue
from visionai.trainers.timm.catalogue import Catalogue, Entry, hub_cache, is_cached, manifest
from visionai.trainers.timm.config import PRESETS, SCHEMA, Config

ENTRY = Entry("test_resnet", 160, "timm/test_resnet.r160_in1k", True, "apache-2.0", 469_688)


def known(path: Path, *, complete: bool = True, version: str = "1.0.31") -> Path:
    path.write_bytes(msgspec.json.encode(Catalogue(version, complete, [ENTRY])))
    return path


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(catalogue, "_version", lambda package: "1.0.31")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def test_the_manifest_survives_the_wire(tmp_path: Path) -> None:
    said = manifest(known(tmp_path / "c.json"))
    assert msgspec.json.decode(msgspec.json.encode(said), type=Manifest) == said
    assert (said.catalogue, [m.name for m in said.models]) == ("complete", ["test_resnet"])
    assert said.primary_metrics["classification"].name == "val/accuracy"


@pytest.mark.parametrize("content", [None, b"{", b"{}"])
def test_without_a_readable_catalogue_it_lists_nothing(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "c.json"
    if content is not None:
        path.write_bytes(content)
    assert (manifest(path).models, manifest(path).catalogue) == ([], "absent")


def test_a_catalogue_of_another_version_does_not_count(tmp_path: Path) -> None:
    assert manifest(known(tmp_path / "c.json", version="0.9")).catalogue == "absent"


def test_a_catalogue_under_way_is_partial(tmp_path: Path) -> None:
    assert manifest(known(tmp_path / "c.json", complete=False)).catalogue == "partial"


def test_weights_are_found_when_they_arrive(tmp_path: Path) -> None:
    path = known(tmp_path / "c.json")
    assert not manifest(path).models[0].weights_offline
    snapshot = tmp_path / "hub" / "models--timm--test_resnet.r160_in1k" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    assert not is_cached("timm/test_resnet.r160_in1k", tmp_path / "hub")
    (snapshot / "model.safetensors").write_bytes(b"")
    assert manifest(path).models[0].weights_offline


def test_the_cache_is_where_hugging_face_keeps_it() -> None:
    assert hub_cache({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}) == Path("/a")
    assert hub_cache({"HF_HOME": "/b", "XDG_CACHE_HOME": "/c"}) == Path("/b/hub")
    assert hub_cache({"XDG_CACHE_HOME": "/c"}) == Path("/c/huggingface/hub")
    assert hub_cache({}) == Path("~/.cache/huggingface/hub").expanduser()


def test_every_field_can_be_shown_in_a_form() -> None:
    for name, field in SCHEMA["properties"].items():
        assert field["title"], name
        assert field["x-group"] in ("Training", "Model", "Optimization", "Augmentation", "Control"), name
        assert "default" in field, name


@pytest.mark.parametrize("preset", ["quick", "balanced", "accurate"])
def test_presets_are_valid(preset: str) -> None:
    assert validate_config(SCHEMA, PRESETS[preset]) == []
    Config.parse(PRESETS[preset])


def test_a_configuration_is_the_given_over_the_defaults() -> None:
    assert Config.parse({}) == msgspec.convert(defaults(SCHEMA), Config)
    assert Config.parse({"epochs": 3}).epochs == 3
    with pytest.raises(TrainerError, match=r"epochs must be at least 1; optimizr .* did you mean optimizer") as caught:
        Config.parse({"epochs": 0, "optimizr": "sgd"})
    assert caught.value.info.code == "config_invalid"


def test_the_warm_up_is_never_most_of_the_training() -> None:
    assert Config(epochs=3).warmup() == pytest.approx(0.3)
    assert Config(epochs=200).warmup() == 5
    assert Config(epochs=3, warmup_epochs=100).warmup() == 1.5
