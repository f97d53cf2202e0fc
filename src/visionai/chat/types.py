"""What the chat parser is given and what it answers.

A turn is a pure function of the text and a ``Context``. Between turns the caller keeps ``draft``, ``pending`` and
``choices`` of the ``Reply`` as they are and gives them back in the next ``Context``.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from visionai.errors import FieldError
from visionai.jobs.policy import Policy

Action = Literal["none", "ask", "confirm", "start", "cancel", "show", "list", "help"]
Language = Literal["en", "ko"]
ConfigValue = int | float | str | bool | None
Config = dict[str, ConfigValue]
Schema = dict[str, Any]  # JSON Schema of one framework's hyperparameters

MAX_CHARS = 8_000  # longer messages are refused with a sentence, not cut


class DatasetChoice(msgspec.Struct, frozen=True):
    """A data set of the project. ``task_types`` is what its labels allow; empty while it is not known yet."""

    id: str
    name: str
    status: str
    task_types: list[str]
    class_count: int = 0
    image_count: int = 0
    error: str = ""
    """Why it cannot be trained on, with what to do about it; for ``status`` error."""
    created: str = ""
    """The day, as YYYY-MM-DD: it tells data sets of one name apart."""


class FrameworkChoice(msgspec.Struct, frozen=True):
    """What a trainer says of itself. ``models`` may be empty while ``status`` is ``installing``; ``recommended`` are
    those to begin with, best first. ``parameters`` of the models that have been counted. ``without_weights`` are the
    models whose pretrained weights are neither here nor may be fetched."""

    framework: str
    status: Literal["ready", "installing", "absent", "error"]
    tasks: list[str]
    models: list[str]
    schema: Schema
    presets: dict[str, Config] = {}
    recommended: list[str] = []
    parameters: dict[str, int] = {}
    without_weights: frozenset[str] = frozenset()


class Best(msgspec.Struct, frozen=True):
    name: str
    value: float
    epoch: int


class JobChoice(msgspec.Struct, frozen=True):
    """A training, and how it stands. ``progress`` is in percent; ``queue_position`` 1 is the next one."""

    id: str
    name: str
    state: str
    dataset_name: str
    model_name: str
    cancelling: bool = False
    reason: str = ""
    error: str = ""
    """Why it failed, with what to do about it."""
    epoch: int = 0
    total_epochs: int | None = None
    progress: float = 0.0
    eta_seconds: float | None = None
    best: Best | None = None
    queue_position: int | None = None


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    """A training job as far as it has been said.

    ``config`` holds only keys of the schema of ``framework``, and only values which that schema accepts; the one said
    last stands last, so that "make that 3" is understood. ``policy`` is None where nothing was said of limits.
    """

    dataset_id: str | None = None
    dataset_name: str | None = None
    task_type: str | None = None
    framework: str | None = None
    model_name: str | None = None
    config: Config = {}
    name: str | None = None
    policy: Policy | None = None


class Choice(msgspec.Struct, frozen=True):
    """One answer to a question. ``value``, sent as the next message, chooses it."""

    label: str
    value: str


class Context(msgspec.Struct, frozen=True):
    """Everything a turn may know. ``jobs`` are newest first.

    ``pending`` and ``choices`` are the reply's of the turn before: "2" and "the first one" count in ``choices``.
    ``language`` is for messages that show none, such as "2".
    """

    datasets: list[DatasetChoice] = []
    frameworks: list[FrameworkChoice] = []
    jobs: list[JobChoice] = []
    draft: Draft | None = None
    pending: str | None = None
    choices: list[Choice] = []
    project_name: str = ""
    language: Language = "en"


class Reply(msgspec.Struct, frozen=True):
    """The answer to one message.

    ``start``: the user said yes to a complete draft that had been shown; the caller creates the job from ``draft``
    and forgets the draft once it exists. ``cancel``: the user said yes to whether it should be stopped. It and
    ``show`` name ``job_id``; the caller performs them. ``draft`` is the draft after this turn (None: none, or
    dropped). ``pending`` names what was asked: a field of the draft (``config.epochs`` where a value was refused),
    ``confirm``, ``cancel`` or ``show`` (which job), or ``confirm_cancel`` (the job of the first choice). ``errors``
    are already said in ``message``; their ``field`` is a path in the draft, or ``text`` for words that were not
    understood.
    """

    message: str
    action: Action
    draft: Draft | None = None
    missing_fields: list[str] = []
    choices: list[Choice] = []
    errors: list[FieldError] = []
    job_id: str | None = None
    pending: str | None = None
    language: Language = "en"
