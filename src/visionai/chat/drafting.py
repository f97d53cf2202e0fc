"""A draft and what the context says of it: what follows, what is missing, what is wrong, and how it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from visionai.chat.limits import limits_text
from visionai.chat.messages import label, say, status_label, task_label
from visionai.chat.reading import offered
from visionai.chat.schema import bounds, concept_of, find_key, kinds, properties, spell
from visionai.chat.types import Choice, Config, Context, DatasetChoice, Draft, FrameworkChoice, Language
from visionai.errors import FieldError
from visionai.trainers.contract import validate_config

FIELDS = ("dataset_id", "task_type", "framework", "model_name")  # asked for in this order
MAX_CHOICES = 8
MAX_MODELS = 5
SMALL = 15_000_000  # parameters of a model that is called small
PENDING_CHARS = 40  # of what is kept of a question

# Good ones to begin with where a trainer names none itself.
RECOMMENDED = (
    "resnet18", "mobilenetv3_small_100", "efficientnet_b0", "convnext_tiny", "resnet50", "vit_small_patch16_224",
    "vit_tiny_patch16_224", "vit_base_patch16_224", "yolo11n", "yolo11s", "yolov8n", "yolo11n-seg", "yolo11n-pose",
    "yolo11n-obb", "PekingU/rtdetr_v2_r18vd", "google/vit-base-patch16-224", "test_resnet",
)  # fmt: skip


# Small ones, smallest first, for as long as the catalogue has not counted.
SMALL_MODELS = ("test_resnet", "mobilenetv3_small_100", "yolo11n", "yolov8n", "efficientnet_b0", "vit_tiny_patch16_224",
                "yolo11s", "resnet18")  # fmt: skip


class Question(msgspec.Struct, frozen=True):
    field: str
    message: str
    choices: list[Choice]


def dataset_of(draft: Draft, context: Context) -> DatasetChoice | None:
    return next((dataset for dataset in context.datasets if dataset.id == draft.dataset_id), None)


def framework_of(draft: Draft, context: Context) -> FrameworkChoice | None:
    return next((framework for framework in context.frameworks if framework.framework == draft.framework), None)


def possible_tasks(draft: Draft, context: Context) -> list[str]:
    """What both the data set's labels and the trainers allow; a chosen model narrows it to its own trainer."""
    framework = framework_of(draft, context) if draft.model_name else None
    trainers = [framework] if framework else offered(context)
    tasks = list(dict.fromkeys(task for trainer in trainers for task in trainer.tasks))
    dataset = dataset_of(draft, context)
    return [task for task in tasks if not dataset or not dataset.task_types or task in dataset.task_types]


def settle(draft: Draft, context: Context) -> Draft:
    """Fill in what leaves no choice: the only possible task, the only trainer that does it."""
    tasks = possible_tasks(draft, context)
    if draft.task_type is None and len(tasks) == 1 and (draft.dataset_id or draft.model_name):
        draft = msgspec.structs.replace(draft, task_type=tasks[0])
    able = [trainer for trainer in offered(context) if draft.task_type in trainer.tasks]
    if draft.framework is None and draft.model_name is None and len(able) == 1:
        draft = msgspec.structs.replace(draft, framework=able[0].framework)
    return draft


def missing(draft: Draft) -> list[str]:
    """Fields still needed, in the order they are asked for. The framework follows from the model, so it is missing
    only where the model leaves it open."""
    needed = [field for field in FIELDS if getattr(draft, field) is None]
    return [field for field in needed if field != "framework" or draft.model_name]


def open_keys(pending: str | None) -> list[str]:
    """The settings whose values were refused and have been asked for."""
    return pending.removeprefix("config.").split(",") if pending and pending.startswith("config.") else []


def still_missing(draft: Draft | None, pending: str | None) -> list[str]:
    """What keeps the draft from being started: its empty fields, and settings that are still asked for."""
    return [*missing(draft), *(f"config.{key}" for key in open_keys(pending))] if draft else []


def faults(draft: Draft, context: Context, language: Language) -> list[FieldError]:
    """What cannot be mended by waiting: the field has to be answered anew."""
    found: list[FieldError] = []
    dataset, framework = dataset_of(draft, context), framework_of(draft, context)
    if draft.dataset_id and dataset is None:
        name = draft.dataset_name or draft.dataset_id
        found.append(FieldError("dataset_id", say(language, "dataset_gone", name=name)))
    if dataset and dataset.status == "error":
        found.append(FieldError("dataset_id", dataset_error(dataset, language)))
    if draft.task_type:
        found += task_faults(draft.task_type, draft, context, language)
    elif dataset and dataset.task_types and not possible_tasks(draft, context):
        found += task_faults(dataset.task_types[0], draft, context, language)
    if draft.framework and (framework is None or framework.status in ("absent", "error")):
        key = "framework_error" if framework and framework.status == "error" else "framework_absent"
        found.append(FieldError("framework", say(language, key, framework=draft.framework)))
    elif framework and draft.model_name and not _may_have(framework, draft.model_name):
        message = say(language, "model_framework", framework=framework.framework, model=draft.model_name)
        found.append(FieldError("model_name", message))
    if framework:
        found += faults_of_config(draft, framework, language)
    return found


def faults_of_config(draft: Draft, framework: FrameworkChoice, language: Language) -> list[FieldError]:
    """What the schema refuses, and pretrained weights that cannot be had."""
    wrong = validate_config(framework.schema, draft.config)
    found = [FieldError(f"config.{field.removeprefix('config.')}", message) for field, message in wrong]
    key = find_key("pretrained", framework.schema)
    if key and draft.config.get(key) is True and draft.model_name in framework.without_weights:
        found.append(FieldError(f"config.{key}", say(language, "weights_missing", model=draft.model_name)))
    return found


def dataset_error(dataset: DatasetChoice, language: Language) -> str:
    reason = dataset.error or say(language, "import_failed")
    return say(language, "dataset_error", name=dataset.name, reason=reason)


def task_faults(task: str, draft: Draft, context: Context, language: Language) -> list[FieldError]:
    """Why this task cannot be trained: no trainer for it, or the data set has no such labels."""
    name, dataset, framework = task_label(language, task), dataset_of(draft, context), framework_of(draft, context)
    if not any(task in trainer.tasks for trainer in offered(context)):
        other = next((trainer.framework for trainer in context.frameworks if task in trainer.tasks), None)
        key = "no_trainer_but" if other else "no_trainer"
        return [FieldError("task_type", say(language, key, task=name, framework=other))]
    if dataset and dataset.task_types and task not in dataset.task_types:
        tasks = ", ".join(task_label(language, known) for known in dataset.task_types)
        return [FieldError("task_type", say(language, "dataset_task", name=dataset.name, tasks=tasks, task=name))]
    if framework and draft.model_name and task not in framework.tasks:
        return [FieldError("task_type", say(language, "framework_task", framework=framework.framework, task=name))]
    return []


def delays(draft: Draft, context: Context, language: Language) -> list[FieldError]:
    """What time will mend: a data set still being read, a framework still being installed."""
    found: list[FieldError] = []
    dataset, framework = dataset_of(draft, context), framework_of(draft, context)
    if dataset and dataset.status not in ("ready", "error"):
        key = f"dataset_{dataset.status}" if dataset.status in ("uploading", "processing") else "dataset_other"
        status = status_label(language, dataset.status)
        found.append(FieldError("dataset_id", say(language, key, name=dataset.name, status=status)))
    if framework and framework.status == "installing":
        message = say(language, "still_installing", framework=framework.framework)
        if draft.model_name and not framework.models:
            unknown = say(language, "models_not_known", framework=framework.framework, model=draft.model_name)
            message = f"{message} {unknown}"
        found.append(FieldError("framework", message))
    return found


def choices(field: str, draft: Draft, context: Context, language: Language) -> list[Choice]:
    """What can be answered when ``field`` is asked for."""
    match field:
        case "dataset_id":
            ready = [dataset for dataset in context.datasets if dataset.status == "ready"]
            return dataset_choices(_fitting(ready, draft, context), language)
        case "task_type":
            return [Choice(task_label(language, task), task) for task in possible_tasks(draft, context)]
        case "framework":
            able = [trainer for trainer in offered(context) if draft.model_name in trainer.models]
            return [Choice(trainer.framework, trainer.framework) for trainer in able]
        case "model_name":
            trainers = [trainer for trainer in offered(context) if draft.task_type in (None, *trainer.tasks)]
            trainers.sort(key=lambda trainer: trainer.framework != draft.framework)
            return model_choices(_all_models(trainers), context)
    return []


def dataset_choices(datasets: Iterable[DatasetChoice], language: Language) -> list[Choice]:
    shown = list(datasets)[:MAX_CHOICES]
    labels = distinct(shown, [described(dataset, language) for dataset in shown])
    return [Choice(text, dataset.id) for text, dataset in zip(labels, shown, strict=True)]


def distinct(datasets: Sequence[DatasetChoice], labels: Sequence[str]) -> list[str]:
    """Those of one name with the day they were made, and with the end of their id where that does not do."""
    names, dated = Counter(dataset.name for dataset in datasets), []
    for dataset, text in zip(datasets, labels, strict=True):
        dated.append(f"{text}, {dataset.created}" if names[dataset.name] > 1 and dataset.created else text)
    same = Counter(dated)
    return [
        f"{text}, …{dataset.id[-6:]}" if same[text] > 1 else text for dataset, text in zip(datasets, dated, strict=True)
    ]


def parameters_of(context: Context) -> dict[str, int]:
    return {model: count for trainer in offered(context) for model, count in trainer.parameters.items()}


def model_choices(models: Sequence[str], context: Context, *, small: bool = False) -> list[Choice]:
    """The recommended ones first, then the shortest names, which are the plainest. ``small``: of the recommended those
    with few parameters, the smallest first."""
    known = set(models)
    good = [model for trainer in offered(context) for model in trainer.recommended]
    first = [model for model in dict.fromkeys([*good, *RECOMMENDED]) if model in known]
    counts = parameters_of(context)
    if small and (light := [model for model in first if counts.get(model, SMALL + 1) <= SMALL]):
        first = sorted(light, key=counts.__getitem__)
    elif small:
        first = [model for model in SMALL_MODELS if model in known] or first
    rest = sorted((model for model in models if model not in first), key=len) if len(first) < MAX_MODELS else []
    return [Choice(model, model) for model in [*first, *rest][:MAX_MODELS]]


def described(dataset: DatasetChoice, language: Language) -> str:
    if not dataset.image_count:
        return dataset.name
    images = f"{dataset.image_count:,}"
    return say(language, "draft_images", name=dataset.name, images=images, classes=dataset.class_count)


def summary(draft: Draft, context: Context, language: Language) -> str:
    """A complete draft in a sentence or two."""
    dataset = dataset_of(draft, context)
    settings = settings_text(draft, context, language)
    text = say(
        language,
        "draft",
        model=draft.model_name,
        framework=draft.framework,
        task=task_label(language, draft.task_type or ""),
        dataset=described(dataset, language) if dataset else draft.dataset_name,
        settings=say(language, "draft_others", settings=settings) if settings else say(language, "draft_defaults"),
    )
    limits = limits_text(draft.policy, language)
    parts = [text, say(language, "draft_named", name=draft.name) if draft.name else "",
             say(language, "draft_limits", limits=limits) if limits else ""]  # fmt: skip
    return " ".join(part for part in parts if part)


def so_far(draft: Draft, context: Context, language: Language) -> str:
    """An incomplete draft; empty while nothing is known."""
    task = task_label(language, draft.task_type) if draft.task_type else None
    settings, limits = settings_text(draft, context, language), limits_text(draft.policy, language)
    parts = [draft.dataset_name, task, draft.model_name, settings, limits, draft.name]
    said = ", ".join(part for part in parts if part)
    return say(language, "so_far", parts=said) if said else ""


def settings_text(draft: Draft, context: Context, language: Language) -> str:
    framework = framework_of(draft, context)
    known = properties(framework.schema) if framework else {}
    ordered = sorted(draft.config.items(), key=lambda item: list(known).index(item[0]) if item[0] in known else -1)
    return ", ".join(f"{label(language, concept_of(key), known.get(key))} {spell(value)}" for key, value in ordered)


def value_question(
    key: str,
    framework: FrameworkChoice | None,
    language: Language,
    *,
    again: bool = False,
    refused: Config | None = None,
) -> Question:
    """A setting's value, asked for; ``again``: with its bounds, since they were not just said. ``refused`` holds the
    value that is not offered."""
    prop = properties(framework.schema).get(key, {}) if framework else {}
    name, default = label(language, concept_of(key), prop), default_text(prop, language)
    taken = bounds(prop, language) or say(language, "bounds_none")
    message = say(language, "ask_value_again" if again else "ask_value", name=name, bounds=taken, default=default)
    listed = [value for value in prop.get("enum", ()) if value is not None][:MAX_CHOICES]
    values = listed or ([True, False] if "boolean" in kinds(prop) else [])
    offer = [Choice(spell(v), spell(v)) for v in values if refused is None or v != refused.get(key)]
    offer.append(Choice(say(language, "default_label", default=default), say(language, "default")))
    return Question(f"config.{key}", message, offer)


def default_note(key: str, framework: FrameworkChoice, language: Language) -> str:
    prop = properties(framework.schema).get(key, {})
    return say(language, "defaulted", name=label(language, concept_of(key), prop), default=default_text(prop, language))


def default_text(prop: dict[str, Any], language: Language) -> str:
    """A null default is what the trainer makes of it: its description says what."""
    return say(language, "default_empty") if prop.get("default") is None else spell(prop["default"])


def _may_have(framework: FrameworkChoice, model: str) -> bool:
    return model in framework.models or (framework.status == "installing" and not framework.models)


def _all_models(trainers: Iterable[FrameworkChoice]) -> list[str]:
    return list(dict.fromkeys(model for trainer in trainers for model in trainer.models))


def _fitting(datasets: list[DatasetChoice], draft: Draft, context: Context) -> list[DatasetChoice]:
    """Data sets labelled for the task that was asked for, or for any that can be trained; all of them if none is."""
    tasks = {draft.task_type} if draft.task_type else {task for trainer in offered(context) for task in trainer.tasks}
    fitting = [dataset for dataset in datasets if not dataset.task_types or tasks & set(dataset.task_types)]
    return fitting or datasets
