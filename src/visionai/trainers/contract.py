"""The trainer contract, version 1, as types: what the server and a trainer say to each other.

The server decodes request bodies with these structs, a trainer encodes its reports from them. Types are strict
(``"3"`` is no number), NaN and infinity are no JSON, unknown fields are ignored so that either side may be newer,
and everything is bounded. Imports neither a framework nor the server. In words: ``docs/trainer-contract.md``.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta

VERSION = 1
MAX_BODY = 2**20
MAX_LOG_LINES = 1000
MAX_LOG_TEXT = 8192
MAX_CLASSES = 10_000
MAX_METRICS = 200
MAX_JOB_METRICS = 1000
MAX_EVENT_DATA = 2**16
MAX_SETTINGS = 200

TaskType: TypeAlias = Literal["classification", "detection", "segmentation", "semantic_segmentation", "pose", "obb"]
Mode: TypeAlias = Literal["max", "min"]
Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Status: TypeAlias = Literal["succeeded", "failed", "stopped"]
Action: TypeAlias = Literal["continue", "stop"]
ArtifactKind: TypeAlias = Literal[
    "checkpoint_last", "checkpoint_best", "model", "onnx", "samples", "predictions", "report"
]
FileKind: TypeAlias = Literal["annotations", "split", "shard", "checkpoint", "weights"]

Seq: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
Epoch: TypeAlias = Annotated[int, Meta(ge=0, le=10**9)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
Percent: TypeAlias = Annotated[float, Meta(ge=0, le=100)]
Ratio: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0)]
Text: TypeAlias = Annotated[str, Meta(max_length=MAX_LOG_TEXT)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Sha256: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]
Time: TypeAlias = Annotated[datetime, Meta(tz=True)]
Metrics: TypeAlias = Annotated[dict[Name, float | None], Meta(max_length=MAX_METRICS)]
"""Names as ``train/loss``, ``val/accuracy``, ``lr``; ``None`` where the number was not finite. A job may have
MAX_JOB_METRICS different ones."""


# --- what a trainer is given ----------------------------------------------------------------------------------------


class InputFile(msgspec.Struct, frozen=True):
    """A file to fetch. ``url`` is signed and takes no token; it may be relative to ``BACKEND_BASE_URL``."""

    name: str
    kind: str
    """A FileKind; a kind that a trainer does not know is left alone."""
    url: str
    size: Count
    sha256: Sha256


class InputDataset(msgspec.Struct, frozen=True):
    id: str
    version: str
    content_hash: str
    classes: list[str]
    image_count: Count


class Inputs(msgspec.Struct, frozen=True):
    """The answer to ``GET inputs``; may be asked for again and then has fresh URLs."""

    job_id: str
    attempt: int
    dataset: InputDataset
    files: list[InputFile]
    resume_epoch: Epoch | None = None
    """Epochs that the file of kind ``checkpoint`` has finished; None where there is none."""


class HeartbeatAnswer(msgspec.Struct, frozen=True):
    action: Action


class ValidationAnswer(msgspec.Struct, frozen=True):
    is_best: bool


class Upload(msgspec.Struct, frozen=True):
    """PUT the bytes from ``offset``, ``length`` of them, with these headers."""

    url: str
    offset: Count
    length: Count
    method: Literal["PUT"] = "PUT"
    headers: dict[str, str] = {}


class ArtifactTicket(msgspec.Struct, frozen=True):
    """The answer to ``POST artifacts``; asking again gives fresh URLs for the same artifact."""

    id: str
    uploads: list[Upload]


class ArtifactState(msgspec.Struct, frozen=True):
    id: str
    status: Literal["complete"]


# --- what a trainer reports -----------------------------------------------------------------------------------------


class System(msgspec.Struct, frozen=True, omit_defaults=True):
    """Load of the machine: GPU use in percent, GPU memory and process memory in bytes, CPU in percent of one core."""

    gpu_util: Percent | None = None
    gpu_mem: Count | None = None
    cpu: Annotated[float, Meta(ge=0)] | None = None
    rss: Count | None = None


class Heartbeat(msgspec.Struct, omit_defaults=True):
    """``kind="epoch"``: epoch number ``epoch`` is finished and ``metrics`` are its row.

    ``kind="step"``: within epoch ``epoch`` (0 before the first). Only ``epoch`` and ``progress`` are required.
    """

    epoch: Epoch
    progress: Percent
    metrics: Metrics = {}
    seq: Seq | None = None
    total_epochs: Epoch | None = None
    step: Count | None = None
    timestamp: Time | None = None
    eta_seconds: Seconds | None = None
    system: System | None = None
    kind: Literal["epoch", "step"] = "epoch"


class Event(msgspec.Struct, omit_defaults=True):
    """Something worth telling once: ``training_started``, ``checkpoint_saved``, ``warning``, or a type of your own.

    ``data`` has MAX_EVENT_DATA bytes at most, as JSON."""

    type: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}(?!\n)$")]
    message: Text = ""
    data: dict[str, Any] = {}
    seq: Seq | None = None


class PrimaryMetric(msgspec.Struct, frozen=True):
    """The number that decides which epoch is best."""

    name: Name
    value: float | None
    mode: Mode = "max"


class ClassMetrics(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of one class against all others; None where it is not defined (a class that never occurs has no recall)."""

    class_: Name = msgspec.field(name="class")
    precision: Ratio | None = None
    recall: Ratio | None = None
    ap: Ratio | None = None
    support: Count | None = None


class PrCurve(msgspec.Struct, frozen=True):
    class_: Name = msgspec.field(name="class")
    precision: Annotated[list[Ratio], Meta(max_length=1001)]
    recall: Annotated[list[Ratio], Meta(max_length=1001)]


class Validation(msgspec.Struct, omit_defaults=True):
    """How good the model was after ``epoch``. What is too large for a body goes as an artifact of kind ``report``."""

    epoch: Epoch
    primary_metric: PrimaryMetric
    metrics: Metrics = {}
    per_class: Annotated[list[ClassMetrics], Meta(max_length=MAX_CLASSES)] = []
    confusion_matrix: Annotated[list[Annotated[list[Count], Meta(max_length=1000)]], Meta(max_length=1000)] | None = (
        None
    )
    """Counts; rows are the true classes, columns the predicted ones, both in the data set's order: ``matrix_fault``."""
    pr_curves: Annotated[list[PrCurve], Meta(max_length=MAX_CLASSES)] | None = None
    seq: Seq | None = None


class LogLine(msgspec.Struct, frozen=True):
    time: Time
    level: Level
    text: Text


class LogBatch(msgspec.Struct, omit_defaults=True):
    lines: Annotated[list[LogLine], Meta(max_length=MAX_LOG_LINES)]
    seq: Seq | None = None


class ArtifactRequest(msgspec.Struct, omit_defaults=True):
    """``name`` is a plain file name. ``epoch`` is the number of epochs that a checkpoint has finished."""

    kind: ArtifactKind
    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}(?!\n)$")]
    size: Count
    sha256: Sha256
    epoch: Epoch | None = None
    seq: Seq | None = None


class ErrorInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """``code`` is one of ERROR_CODES; one that the reader does not know counts as ``internal``."""

    code: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}(?!\n)$")]
    message: Text
    hint: Text = ""


class Done(msgspec.Struct, omit_defaults=True):
    """The last report of an attempt."""

    status: Status
    final_metrics: Metrics = {}
    error: ErrorInfo | None = None
    seq: Seq | None = None


def matrix_fault(matrix: Sequence[Sequence[int]], classes: int) -> str | None:
    """What is wrong about the shape of a confusion matrix; None if it has a row and a column for each class."""
    if len(matrix) != classes:
        return f"has {len(matrix):,} rows, and the data set has {classes:,} classes"
    for n, row in enumerate(matrix):
        if len(row) != classes:
            return f"has {len(row):,} columns in row {n}, and the data set has {classes:,} classes"
    return None


# --- what a trainer says of itself ----------------------------------------------------------------------------------


class ModelEntry(msgspec.Struct, frozen=True):
    name: str
    tasks: list[TaskType]
    parameters: Count | None = None
    """None until the catalogue has counted them."""
    input_size: int | None = None
    """Pixels a side, as the model was designed."""
    pretrained: bool = False
    """Whether initial weights exist at all, and whether they are on this machine already."""
    weights_offline: bool = False
    licence: str | None = None
    """Of the initial weights."""
    recommended: bool = False


class Objective(msgspec.Struct, frozen=True):
    name: str
    mode: Mode


class Manifest(msgspec.Struct, frozen=True):
    """The answer of ``describe``."""

    framework: str
    version: str | None
    """Of the framework; None where it is not installed."""
    tasks: list[TaskType]
    models: list[ModelEntry]
    schema: dict[str, Any]
    """JSON Schema of the hyperparameters: the subset that ``validate_config`` reads."""
    presets: dict[str, dict[str, Any]]
    primary_metrics: dict[TaskType, Objective]
    capabilities: list[str]
    image: str | None = None
    catalogue: Literal["absent", "partial", "complete"] = "absent"
    """``partial``: every model is listed, parameters are still being counted."""
    contract: int = VERSION


# --- errors and exit codes ------------------------------------------------------------------------------------------

EXIT_SUCCEEDED = 0
EXIT_FAILED = 1
"""After ``done(failed)`` was reported, or when reporting was refused. Any other code but 0 and 143 is a crash."""
EXIT_STOPPED = 143


class ErrorCode(msgspec.Struct, frozen=True):
    code: str
    retried: bool
    """Whether another attempt is worth while; after ``oom`` with half the batch size."""
    users_mistake: bool
    sentence: str
    hint: str


ERROR_CODES: dict[str, ErrorCode] = {
    row.code: row
    for row in (
        ErrorCode(
            "oom", True, False, "The device ran out of memory.", "Use a smaller batch size, image size or model."
        ),
        ErrorCode(
            "dataset_invalid",
            False,
            True,
            "The data set cannot be trained on.",
            "Correct the data set as the message says and start again.",
        ),
        ErrorCode(
            "config_invalid", False, True, "A hyperparameter is wrong.", "Correct the field that the message names."
        ),
        ErrorCode(
            "diverged",
            False,
            True,
            "The loss is no longer a number.",
            "Lower the learning rate, or turn mixed precision off.",
        ),
        ErrorCode(
            "weights_unavailable",
            False,
            True,
            "The initial weights are not on this machine.",
            "Set ALLOW_DOWNLOADS=true for the server to fetch them, or set pretrained to false to train from scratch.",
        ),
        ErrorCode(
            "storage_unavailable",
            True,
            False,
            "Files could not be fetched or stored.",
            "Check that the server and its storage can be reached and have room.",
        ),
        ErrorCode("internal", False, False, "The trainer failed.", "The log holds the details."),
    )
}


def error_code(code: str) -> ErrorCode:
    """The row of the table; ``internal`` for a code that is not in it."""
    return ERROR_CODES.get(code, ERROR_CODES["internal"])


class TrainerError(Exception):
    """A reason to end an attempt. ``code`` is one of ERROR_CODES; the table's hint is used where none is given."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.info = ErrorInfo(code, message[:MAX_LOG_TEXT], hint or error_code(code).hint)


# --- the launch environment -----------------------------------------------------------------------------------------


class TrainerEnv(msgspec.Struct, frozen=True, kw_only=True):
    """Each field travels as the environment variable of the same name in capitals."""

    job_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,100}(?!\n)$")]
    attempt: Annotated[int, Meta(ge=1)]
    backend_base_url: Annotated[str, Meta(pattern=r"^https?://[^/]")]
    callback_token: Annotated[str, Meta(min_length=1)]
    framework: str
    task_type: TaskType
    model_name: str
    dataset_id: str
    dataset_version: str
    workspace: str
    cache_dir: str
    training_config: dict[str, Any] = {}
    trace_id: str = ""
    traceparent: str = ""
    storage_type: str = "local"
    allow_downloads: bool = False

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> TrainerEnv:
        """Raises TrainerError ``config_invalid`` naming every variable that is missing or wrong."""
        given: dict[str, Any] = {f: environ[f.upper()] for f in cls.__struct_fields__ if environ.get(f.upper())}
        wrong = []
        for field in msgspec.structs.fields(cls):
            if field.name not in given:
                wrong += [f"{field.name.upper()} is not set"] if field.required else []
                continue
            try:
                if field.name == "training_config":
                    given[field.name] = msgspec.json.decode(given[field.name], type=dict[str, Any])
                else:
                    given[field.name] = msgspec.convert(given[field.name], field.type, strict=False)
            except msgspec.DecodeError as e:
                wrong.append(f"{field.name.upper()}: {e}")
        if wrong:
            raise TrainerError("config_invalid", "; ".join(wrong), "The server sets them; by hand use --data.")
        return cls(**given)

    def to_environ(self) -> dict[str, str]:
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        values["training_config"] = msgspec.json.encode(self.training_config).decode()
        values["allow_downloads"] = "1" if self.allow_downloads else "0"
        return {name.upper(): str(value) for name, value in values.items()}

    def __repr__(self) -> str:
        """Without the token."""
        return f"TrainerEnv(job_id={self.job_id!r}, attempt={self.attempt}, model_name={self.model_name!r})"


# --- hyperparameters ------------------------------------------------------------------------------------------------


def config_schema(config: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of a struct of scalars: flat properties, ``null`` as one of the types, every default named."""
    plain = msgspec.json.schema(config)["$defs"][config.__name__]
    properties = {name: _flattened(prop) for name, prop in plain["properties"].items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def defaults(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: prop["default"] for name, prop in schema["properties"].items() if "default" in prop}


def validate_config(schema: Mapping[str, Any], config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every wrong field with what is wrong about it; empty if the configuration is right.

    Reads the part of JSON Schema that our manifests use: flat objects with ``type`` (one or several), ``enum``,
    ``minimum``, ``maximum``, ``exclusiveMinimum``, ``exclusiveMaximum``, ``required`` and ``additionalProperties``.
    """
    properties: Mapping[str, Any] = schema.get("properties", {})
    if len(config) > MAX_SETTINGS:
        return [("", f"has {len(config):,} settings, and {MAX_SETTINGS} are the most there can be")]
    wrong = [(name, "is required") for name in schema.get("required", ()) if name not in config]
    for name, value in config.items():
        if name in properties:
            fault = _fault(properties[name], value)
        elif schema.get("additionalProperties", True) is False:
            near = difflib.get_close_matches(str(name), list(properties), n=1)
            fault = "is not a setting of this trainer" + (f"; did you mean {near[0]}?" if near else "")
        else:
            fault = None
        if fault:
            wrong.append((str(name), fault))
    return wrong


_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "boolean": ("true or false", lambda v: isinstance(v, bool)),
    "integer": ("a whole number", lambda v: isinstance(v, int) and not isinstance(v, bool)),
    "number": (
        "a number",
        lambda v: isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= sys.float_info.max,
    ),
    "string": ("a text", lambda v: isinstance(v, str)),
    "null": ("empty", lambda v: v is None),
}


def _fault(prop: Mapping[str, Any], value: object) -> str | None:
    if "enum" in prop:
        # 1 == True in Python, not in JSON
        if any(value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in prop["enum"]):
            return None
        return "must be one of " + ", ".join("empty" if c is None else str(c) for c in prop["enum"])
    types = prop.get("type", list(_TYPES))
    types = [types] if isinstance(types, str) else types
    if not any(_TYPES[t][1](value) for t in types):
        return "must be " + " or ".join(_TYPES[t][0] for t in types)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if "minimum" in prop and value < prop["minimum"]:
        return f"must be at least {prop['minimum']}"
    if "maximum" in prop and value > prop["maximum"]:
        return f"must be at most {prop['maximum']}"
    if "exclusiveMinimum" in prop and value <= prop["exclusiveMinimum"]:
        return f"must be more than {prop['exclusiveMinimum']}"
    if "exclusiveMaximum" in prop and value >= prop["exclusiveMaximum"]:
        return f"must be less than {prop['exclusiveMaximum']}"
    return None


def _flattened(prop: dict[str, Any]) -> dict[str, Any]:
    """``anyOf: [X, null]`` as one property whose types include null."""
    branches = prop.pop("anyOf", None)
    if branches is None:
        return prop
    inner = next(dict(b) for b in branches if b != {"type": "null"})
    if "enum" in inner:
        inner["enum"] = [*inner["enum"], None]
    else:
        inner["type"] = [inner["type"], "null"]
    return {**inner, **prop}


TASKS: tuple[TaskType, ...] = get_args(TaskType)
