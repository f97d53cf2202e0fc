"""What goes over the wire to people's programs: one struct per noun, the same names everywhere.

Units: UTC times, bytes, seconds, ratios 0–1, ``progress`` 0–100.
"""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from visionai.jobs.estimate import Basis, Span
from visionai.jobs.policy import Policy, PolicyChange
from visionai.names import Name, OptionalName

T = TypeVar("T")

TaskType = Literal["classification", "detection", "segmentation", "semantic_segmentation", "pose", "obb"]
Priority = Literal["low", "normal", "high"]
DatasetStatus = Literal["uploading", "processing", "ready", "error"]
JobStateName = Literal[
    "pending", "validating", "queued", "starting", "running", "finalizing", "completed", "failed", "cancelled"
]


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """What people send. An unknown field is refused: ignored in silence, a slip of the pen would be believed."""


class Page(msgspec.Struct, Generic[T]):
    items: list[T]
    next_cursor: str | None = None


class Problem(msgspec.Struct):
    """An error as RFC 9457 describes it."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[str, str]] = []


class Fault(msgspec.Struct):
    """Why something failed, in words, and what to do."""

    code: str
    message: str
    hint: str = ""


# --- data sets ------------------------------------------------------------------------------------------------------


class Operation(msgspec.Struct):
    id: UUID
    kind: str
    status: Literal["pending", "running", "completed", "failed", "cancelled"]
    progress: float
    message: str
    error: Fault | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class ClassCount(msgspec.Struct):
    name: str
    total: int
    train: int
    val: int


class DatasetVersion(msgspec.Struct):
    id: UUID
    number: int
    content_hash: str
    task_types: list[TaskType]
    classes: list[ClassCount]
    image_count: int
    train_count: int
    val_count: int
    size_bytes: int
    fault_count: int
    created_at: datetime


class DatasetUpload(msgspec.Struct):
    """How much of an archive is here: ``received`` bytes of ``size``."""

    received: int
    size: int
    expires_at: datetime
    """If nothing more comes until then it is removed."""


class Dataset(msgspec.Struct):
    id: UUID
    project_id: UUID
    name: str
    format: str
    status: DatasetStatus
    error: Fault | None
    version: DatasetVersion | None
    """The current version, once there is one."""
    operation: Operation | None
    """The latest operation on it."""
    upload: DatasetUpload | None
    """While its archive comes in over several requests."""
    created_by: UUID
    created_at: datetime


class UploadAccepted(msgspec.Struct):
    id: UUID
    status: DatasetStatus
    operation_id: UUID


class UploadBegun(msgspec.Struct):
    id: UUID
    dataset_id: UUID
    size: int
    expires_at: datetime


class DatasetFault(msgspec.Struct):
    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    hint: str
    files: list[str]
    file_count: int
    """How many files have it; ``files`` names the first of them."""
    images: list[int | None] = []
    """For each of ``files`` its ``n`` among the version's images; None where it was left out."""


class DatasetReport(msgspec.Struct):
    version_id: UUID | None
    faults: list[DatasetFault]
    statistics: dict[str, Any]


class Box(msgspec.Struct):
    """Pixels of the original image after EXIF rotation; x, y is the top-left corner."""

    x: float
    y: float
    w: float
    h: float


class ImageObject(msgspec.Struct, omit_defaults=True):
    class_: str = msgspec.field(name="class")
    box: Box
    polygon: list[list[float]] | None = None
    keypoints: list[list[float]] | None = None
    angle: float | None = None


class DatasetImage(msgspec.Struct):
    n: int
    """Its place in the version, from 0: the ``n`` of the thumbnail's path."""
    file_name: str
    width: int
    height: int
    size: int
    split: Literal["train", "val"]
    labels: list[str]
    objects: list[ImageObject]
    thumbnail_url: str
    """A signed path, good for an hour: an ``<img>`` sends no header."""
    image_url: str


class DatasetImageAlone(DatasetImage):
    """With its place among the images of the same filter."""

    place: int
    """How many of them come before it."""
    total: int
    previous: int | None
    next: int | None
    """The ``n`` of those beside it."""


class DatasetImagePage(msgspec.Struct):
    items: list[DatasetImage]
    next_cursor: str | None
    total: int


# --- models ---------------------------------------------------------------------------------------------------------


class CatalogueModel(msgspec.Struct):
    name: str
    tasks: list[TaskType]
    parameters: int | None
    input_size: int | None
    pretrained: bool
    """Whether the model comes with initial weights at all."""
    weights_offline: bool
    """Whether these are on this machine already."""
    licence: str | None
    recommended: bool = False


class Framework(msgspec.Struct):
    framework: str
    status: Literal["ready", "installing", "absent", "error"]
    message: str
    """In words: what is going on, or what went wrong and what to do."""
    install_command: str
    version: str | None
    tasks: list[TaskType]
    schema: dict[str, Any]
    """JSON Schema of the hyperparameters (``config`` of a training job)."""
    presets: dict[str, dict[str, Any]]
    primary_metrics: dict[str, dict[str, str]]
    """For each task the metric that decides which epoch is best: {name, mode}."""
    capabilities: list[str]
    models: list[CatalogueModel]


# --- training jobs --------------------------------------------------------------------------------------------------


class NewJob(Body):
    dataset_id: UUID
    task_type: TaskType
    framework: Name
    model_name: Name
    config: dict[str, Any] = {}
    name: OptionalName | None = None
    project_id: UUID | None = None
    """If given it must be the data set's own project."""
    dataset_version: UUID | None = None
    priority: Priority = "normal"
    policy: Policy | None = None
    parent_job_id: UUID | None = None
    """The job that this one is trained again after, with changes: one of the same project."""


class Estimate(msgspec.Struct):
    """About what a training would take, were it started now."""

    seconds: Span | None
    """Of training, once it has started; None where no earlier training says anything."""
    based_on: Basis | None
    """The earlier trainings that say so."""
    starts_in_seconds: float | None
    """How long it would wait for its slot; None where that cannot be said."""
    will_be_stopped: bool
    """Whether its time limit is shorter than it would likely need."""


class Again(Body):
    config: dict[str, Any] = {}
    """Hyperparameters that are to differ from the parent's."""
    policy: PolicyChange | None = None
    """What is to differ from the parent's."""


class BestMetric(msgspec.Struct):
    name: str
    value: float
    mode: Literal["max", "min"]
    epoch: int


class PersonRef(msgspec.Struct):
    id: UUID
    name: str


class DatasetRef(msgspec.Struct):
    id: UUID
    name: str


class JobChoices(msgspec.Struct):
    frameworks: list[str]
    models: list[str]
    datasets: list[DatasetRef]
    people: list[PersonRef]


class Job(msgspec.Struct):
    id: UUID
    project_id: UUID
    name: str
    state: JobStateName
    state_reason: str
    """Why it is where it is, in words: what it waits for, why it failed."""
    cancel_requested: bool
    task_type: TaskType
    framework: str
    model_name: str
    config: dict[str, Any]
    dataset_id: UUID
    dataset_name: str
    dataset_deleted: bool
    dataset_version_id: UUID
    priority: Priority
    progress: float
    epoch: int
    total_epochs: int | None
    eta_seconds: float | None
    metrics: dict[str, float | None]
    """The latest of each name."""
    best: BestMetric | None
    error: Fault | None
    attempt: int
    policy: Policy
    run_seconds: float
    """How long it has trained, over all attempts."""
    parent_job_id: UUID | None
    """The job that this one repeats, with changes or without, or goes on from."""
    resume_epoch: int | None
    """Epochs that were done when it went on from its parent; None if it began anew."""
    queue_position: int | None
    """1: the next one. None where a limit holds it back; ``state_reason`` says so."""
    expected_start_at: datetime | None
    """If trainings take as long as the present ones; None where that cannot be said."""
    event_seq: int
    trace_id: str
    created_by: PersonRef
    created_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    last_heartbeat_at: datetime | None


class MetricRow(msgspec.Struct):
    kind: Literal["epoch", "step"]
    epoch: int
    step: int | None
    time: datetime
    attempt: int
    metrics: dict[str, float | None]
    superseded: bool
    """Whether a later attempt trained this epoch again: it is then no part of the history."""


class JobEvent(msgspec.Struct):
    """One entry of a job's event stream, over HTTP and over the WebSocket.

    Types and their data:
      ``state``       {state, reason}
      ``activity``    {name, attempt, status, message}                            a line of the timeline changed
      ``attempt``     {attempt, status, message}
      ``progress``    {epoch, total_epochs, step, progress, eta_seconds, metrics, system}
      ``epoch``       {epoch, step, attempt, metrics}                             a row of ``…/metrics``
      ``validation``  {epoch, primary_metric, metrics, is_best}
      ``trainer``     {type, message, data}                                       what the trainer itself reported
      ``log``         {first_line, count}                                         new lines in ``…/logs``
      ``artifact``    {id, kind, name, size}
    Over the WebSocket also, outside the sequence: ``sync`` {seq} every 5 s and ``end`` {state} last.
    """

    seq: int
    type: str
    time: datetime
    data: dict[str, Any]


class Activity(msgspec.Struct):
    """A line of the timeline."""

    name: Literal["validate_dataset", "create_training_job", "monitor_training", "cleanup_training_job"]
    attempt: int
    status: Literal["running", "completed", "failed", "cancelled"]
    message: str
    tries: int
    started_at: datetime
    ended_at: datetime | None


class Timeline(msgspec.Struct):
    activities: list[Activity]
    states: list[JobEvent]
    """The ``state`` events, oldest first."""


class LogLine(msgspec.Struct):
    n: int
    """Its place in the job's log, from 0."""
    time: datetime
    attempt: int
    level: str
    text: str


class LogPage(msgspec.Struct):
    items: list[LogLine]
    total: int
    """Lines in the whole log, whatever was searched for."""
    next_from: int | None = None
    """The line where a search goes on, as ``from``; None at the log's end, and where nothing was searched for."""


class Attempt(msgspec.Struct):
    """One trainer process."""

    number: int
    outcome: Literal["succeeded", "failed", "stopped", "lost"] | None
    """None while it goes on."""
    error: Fault | None
    """Why it ended, where that was not as it should be."""
    counted: bool
    """Whether losing it used up a retry."""
    exit_code: int | None
    config: dict[str, Any]
    """As this attempt got it: after ``oom`` with half the batch size."""
    resume_epoch: int | None
    """Epochs that the checkpoint it started from had finished."""
    created_at: datetime
    launched_at: datetime | None
    first_report_at: datetime | None
    ended_at: datetime | None
    released_at: datetime | None
    """When its process was known to be gone."""


class ClassShare(msgspec.Struct):
    class_: str = msgspec.field(name="class")
    confidence: float


class Prediction(msgspec.Struct):
    """What the best model said of one validation image."""

    file_name: str
    true: str
    predicted: str
    confidence: float
    top: list[ClassShare]
    """The likeliest classes, the likeliest first."""
    n: int | None
    """The image's place in the data set's version; None where it is not there any more, like all that follows."""
    width: int | None
    height: int | None
    thumbnail_url: str | None
    """A signed path, good for an hour, like that of a data set's image."""
    image_url: str | None


class PredictionPage(msgspec.Struct):
    items: list[Prediction]
    next_cursor: str | None
    epoch: int | None
    """Of which epoch's model they are."""


class Artifact(msgspec.Struct):
    id: UUID
    kind: str
    name: str
    size: int
    sha256: str
    attempt: int
    epoch: int | None
    created_at: datetime
    pinned: bool
    download_url: str
    """A signed path, good for an hour."""


class ArtifactChange(Body):
    pinned: bool


class ClassMetric(msgspec.Struct):
    class_: str = msgspec.field(name="class")
    precision: float | None = None
    recall: float | None = None
    ap: float | None = None
    support: int | None = None


class JobValidation(msgspec.Struct):
    epoch: int
    attempt: int
    is_best: bool
    primary_metric: dict[str, Any]
    metrics: dict[str, float | None]
    per_class: list[ClassMetric]
    confusion_matrix: list[list[int]] | None
    """Rows are true classes, columns predicted ones, both in the order of ``classes``."""
    classes: list[str]


# --- chat -----------------------------------------------------------------------------------------------------------


class NewMessage(Body):
    content: Annotated[str, Meta(min_length=1, max_length=8000)]
    conversation_id: UUID | None = None
    project_id: UUID | None = None


class Choice(msgspec.Struct):
    label: str
    value: str


class ChatDraft(msgspec.Struct):
    dataset_id: str | None = None
    dataset_name: str | None = None
    task_type: TaskType | None = None
    framework: str | None = None
    model_name: str | None = None
    config: dict[str, Any] = {}
    name: str | None = None
    policy: Policy | None = None


class ChatMessage(msgspec.Struct):
    id: UUID
    role: Literal["user", "assistant"]
    content: str
    created_at: datetime


class ChatAnswer(msgspec.Struct):
    conversation_id: UUID
    message: ChatMessage
    action: Literal["none", "ask", "confirm", "started", "cancelled", "show", "list", "help"]
    draft: ChatDraft | None
    missing_fields: list[str]
    choices: list[Choice]
    errors: list[dict[str, str]]
    job_id: UUID | None = None


class Conversation(msgspec.Struct):
    id: UUID
    project_id: UUID
    draft: ChatDraft | None
    messages: list[ChatMessage]
    choices: list[Choice]
    missing_fields: list[str]
    created_at: datetime


# --- system ---------------------------------------------------------------------------------------------------------


class PartHealth(msgspec.Struct):
    ok: bool
    message: str = ""


class Readiness(msgspec.Struct):
    ok: bool
    parts: dict[str, PartHealth]


# --- quotas ---------------------------------------------------------------------------------------------------------

_Most = Annotated[int, Meta(ge=0, le=2**53)]


class NewQuota(Body):
    """Null: no limit; for ``running``, the server's own."""

    datasets: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    storage_bytes: _Most | None = None
    gpu_seconds: _Most | None = None
    running: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None


class QuotaUse(msgspec.Struct):
    datasets: int
    storage_bytes: int
    """Images of data sets, archives on their way in, and files of trainings."""
    gpu_seconds: float | None
    """Of training; null on a machine without a GPU."""
    running: int


class Quota(msgspec.Struct):
    datasets: int | None
    storage_bytes: int | None
    gpu_seconds: int | None
    running: int | None
    used: QuotaUse
