"""The contract: what is accepted, what is refused, and that both sides agree."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from visionai.trainers import contract as c

ENVIRON = {
    "JOB_ID": "0190f3a0-0000-7000-8000-000000000001",
    "ATTEMPT": "2",
    "BACKEND_BASE_URL": "http://127.0.0.1:8000",
    "CALLBACK_TOKEN": "secret-token",
    "FRAMEWORK": "timm",
    "TASK_TYPE": "classification",
    "MODEL_NAME": "test_resnet",
    "DATASET_ID": "d",
    "DATASET_VERSION": "v",
    "WORKSPACE": "/scratch",
    "CACHE_DIR": "/cache",
    "TRAINING_CONFIG": '{"epochs": 3}',
    "ALLOW_DOWNLOADS": "1",
}

names = st.text(min_size=1, max_size=20)
numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
metrics = st.dictionaries(names, numbers, max_size=5)
percent = st.floats(0, 100)
counts = st.integers(0, 2**53)
json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), names
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)
bodies = st.one_of(
    st.builds(
        c.Heartbeat,
        epoch=st.integers(0, 10**9),
        progress=percent,
        metrics=metrics,
        seq=st.one_of(st.none(), counts),
        timestamp=st.one_of(st.none(), st.datetimes(timezones=st.just(UTC))),
        system=st.one_of(st.none(), st.builds(c.System, gpu_util=percent, rss=counts)),
        kind=st.sampled_from(["epoch", "step"]),
    ),
    st.builds(
        c.Event,
        type=st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True),
        message=names,
        data=st.dictionaries(names, json_values, max_size=3),
    ),
    st.builds(
        c.Validation,
        epoch=st.integers(0, 10**9),
        primary_metric=st.builds(c.PrimaryMetric, name=names, value=numbers, mode=st.sampled_from(["max", "min"])),
        metrics=metrics,
        per_class=st.lists(
            st.builds(c.ClassMetrics, class_=names, ap=st.one_of(st.none(), st.floats(0, 1))), max_size=3
        ),
        confusion_matrix=st.one_of(st.none(), st.lists(st.lists(counts, max_size=3), max_size=3)),
    ),
    st.builds(
        c.LogBatch,
        lines=st.lists(
            st.builds(
                c.LogLine,
                time=st.datetimes(timezones=st.just(UTC)),
                level=st.sampled_from(["info", "error"]),
                text=st.text(max_size=50),
            ),
            max_size=3,
        ),
    ),
    st.builds(
        c.ArtifactRequest,
        kind=st.sampled_from(["model", "report"]),
        name=st.just("a.pt"),
        size=counts,
        sha256=st.just("a" * 64),
    ),
    st.builds(c.Done, status=st.sampled_from(["succeeded", "failed", "stopped"]), final_metrics=metrics),
)


@given(bodies)
def test_what_a_trainer_encodes_the_server_decodes(body: Any) -> None:
    assert msgspec.json.decode(msgspec.json.encode(body), type=type(body)) == body


def test_the_original_heartbeat_is_enough() -> None:
    beat = msgspec.json.decode(b'{"epoch": 1, "progress": 33.3, "metrics": {"train/loss": 0.5}}', type=c.Heartbeat)
    assert (beat.epoch, beat.kind, beat.seq) == (1, "epoch", None)


def test_fields_of_a_newer_version_are_ignored() -> None:
    assert msgspec.json.decode(b'{"status": "stopped", "mood": {"x": 1}}', type=c.Done).status == "stopped"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (c.Heartbeat, '{"epoch": "1", "progress": 1}'),
        (c.Heartbeat, '{"epoch": 1.5, "progress": 1}'),
        (c.Heartbeat, '{"epoch": true, "progress": 1}'),
        (c.Heartbeat, '{"epoch": -1, "progress": 1}'),
        (c.Heartbeat, '{"epoch": 1, "progress": 100.1}'),
        (c.Heartbeat, '{"epoch": 1, "progress": NaN}'),
        (c.Heartbeat, '{"epoch": 1, "progress": 1, "metrics": {"a": Infinity}}'),
        (c.Heartbeat, '{"epoch": 1, "progress": 1, "metrics": {"a": 1e999}}'),
        (c.Heartbeat, '{"epoch": 1, "progress": 1, "metrics": {"a": "0.5"}}'),
        (c.Heartbeat, '{"epoch": 1, "progress": 1, "metrics": {"": 1}}'),
        (c.Heartbeat, '{"epoch": 1, "progress": 1, "timestamp": "2026-01-01T00:00:00"}'),
        (c.Heartbeat, '{"progress": 1}'),
        (c.Event, '{"type": "Not a type"}'),
        (c.Event, '{"type": "warning", "data": {"a": 1e999}}'),
        (c.ArtifactRequest, '{"kind": "model", "name": "../model.pt", "size": 1, "sha256": "' + "a" * 64 + '"}'),
        (c.ArtifactRequest, '{"kind": "model", "name": ".hidden", "size": 1, "sha256": "' + "a" * 64 + '"}'),
        (c.ArtifactRequest, '{"kind": "model", "name": "m.pt", "size": 1, "sha256": "' + "A" * 64 + '"}'),
        (c.ArtifactRequest, '{"kind": "virus", "name": "m.pt", "size": 1, "sha256": "' + "a" * 64 + '"}'),
        (c.Done, '{"status": "fine"}'),
        (c.Validation, '{"epoch": 1, "primary_metric": {"name": "x", "value": 1, "mode": "best"}}'),
    ],
)
def test_wrong_bodies_are_refused(kind: type, body: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(body, type=kind)


def test_a_batch_of_logs_is_bounded() -> None:
    line = c.LogLine(datetime.now(UTC), "info", "x")
    decode = msgspec.json.Decoder(c.LogBatch).decode
    assert len(decode(msgspec.json.encode(c.LogBatch([line] * c.MAX_LOG_LINES))).lines) == c.MAX_LOG_LINES
    with pytest.raises(msgspec.ValidationError):
        decode(msgspec.json.encode(c.LogBatch([line] * (c.MAX_LOG_LINES + 1))))


def test_every_error_code_can_be_reported_and_says_what_to_do() -> None:
    for code, row in c.ERROR_CODES.items():
        info = c.TrainerError(code, "why").info
        assert msgspec.json.decode(msgspec.json.encode(info), type=c.ErrorInfo) == info
        assert info.hint == row.hint != ""
        assert not (row.retried and row.users_mistake), "a user's own mistake is not retried"
    assert c.error_code("from_the_future").code == "internal"


def test_the_environment_is_read_and_written() -> None:
    env = c.TrainerEnv.from_environ(ENVIRON | {"PATH": "/bin"})
    assert (env.attempt, env.training_config, env.allow_downloads) == (2, {"epochs": 3}, True)
    assert c.TrainerEnv.from_environ(env.to_environ()) == env
    assert "secret-token" not in repr(env)


def test_every_wrong_variable_is_named() -> None:
    broken = ENVIRON | {
        "ATTEMPT": "0",
        "TRAINING_CONFIG": "[1]",
        "TASK_TYPE": "poetry",
        "JOB_ID": "../1",
        "WORKSPACE": "",
    }
    with pytest.raises(c.TrainerError) as caught:
        c.TrainerEnv.from_environ(broken)
    assert caught.value.info.code == "config_invalid"
    for name in ("ATTEMPT", "TRAINING_CONFIG", "TASK_TYPE", "JOB_ID", "WORKSPACE is not set"):
        assert name in str(caught.value)


class Small(msgspec.Struct):
    epochs: Annotated[int, Meta(ge=1, le=10, title="Epochs", extra_json_schema={"x-group": "Training"})] = 3
    rate: Annotated[Annotated[float, Meta(gt=0)] | None, Meta(title="Rate")] = None
    level: Literal["low", "high"] = "low"
    fast: bool = True


SCHEMA = c.config_schema(Small)


def test_a_schema_is_flat_and_complete() -> None:
    assert SCHEMA["properties"]["rate"] == {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "title": "Rate",
        "default": None,
    }
    assert SCHEMA["properties"]["epochs"]["x-group"] == "Training"
    assert c.defaults(SCHEMA) == {"epochs": 3, "rate": None, "level": "low", "fast": True}
    assert c.validate_config(SCHEMA, c.defaults(SCHEMA)) == []


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"epochs": 0}, "epochs"),
        ({"epochs": 11}, "epochs"),
        ({"epochs": "3"}, "epochs"),
        ({"epochs": 3.5}, "epochs"),
        ({"epochs": True}, "epochs"),
        ({"epochs": None}, "epochs"),
        ({"rate": 0}, "rate"),
        ({"rate": math.nan}, "rate"),
        ({"rate": math.inf}, "rate"),
        ({"rate": 10**400}, "rate"),
        ({"level": "medium"}, "level"),
        ({"level": ["low"]}, "level"),
        ({"fast": 1}, "fast"),
        ({"epoch": 3}, "epoch"),
    ],
)
def test_wrong_fields_are_named(config: dict[str, Any], field: str) -> None:
    assert [name for name, _ in c.validate_config(SCHEMA, config)] == [field]


def test_all_wrong_fields_at_once_and_the_nearest_name() -> None:
    wrong = dict(c.validate_config(SCHEMA, {"epochs": 0, "fats": True, "level": "low", "rate": 0.1}))
    assert wrong.keys() == {"epochs", "fats"}
    assert "did you mean fast?" in wrong["fats"]


@given(st.dictionaries(st.one_of(st.sampled_from(["epochs", "rate", "level", "fast"]), names), json_values, max_size=4))
def test_what_is_valid_can_be_converted(config: dict[str, Any]) -> None:
    if not c.validate_config(SCHEMA, config):
        msgspec.convert(config, Small)


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=4), st.integers(0, 4))
def test_a_confusion_matrix_has_a_row_and_a_column_for_each_class(matrix: list[list[int]], classes: int) -> None:
    fits = [len(row) for row in matrix] == [classes] * classes
    assert (c.matrix_fault(matrix, classes) is None) == fits


@pytest.mark.parametrize("count", [-1, 1.5, "1", True, None])
def test_a_confusion_matrix_holds_counts(count: object) -> None:
    body = {"epoch": 1, "primary_metric": {"name": "val/accuracy", "value": 0.5}, "confusion_matrix": [[count]]}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body, c.Validation)
