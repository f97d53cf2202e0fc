"""A draft and what the context says of it: what follows, what is missing, what is wrong, and how it reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from visionai.chat.hyperparameters import concept_of, properties, spell
from visionai.chat.messages import label, say, status_label, task_label
from visionai.chat.reading import offered
from visionai.chat.types import Choice, Context, DatasetChoice, Draft, FrameworkChoice, Language
from visionai.errors import FieldError
from visionai.trainers.contract import validate_config

FIELDS = ("dataset_id", "task_type", "framework", "model_name")  # asked for in this order
MAX_CHOICES = 8
MAX_MODELS = 5

# Good ones to begin with where a trainer names none itself.
RECOMMENDED = (
    "resnet18", "mobilenetv3_small_100", "efficientnet_b0", "convnext_tiny", "resnet50", "vit_small_patch16_224",
    "vit_tiny_patch16_224", "vit_base_patch16_224", "yolo11n", "yolo11s", "yolov8n", "yolo11n-seg", "yolo11n-pose",
    "yolo11n-obb", "PekingU/rtdetr_v2_r18vd", "google/vit-base-patch16-224", "test_resnet",
)  # fmt: skip


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


def faults(draft: Draft, context: Context, language: Language) -> list[FieldError]:
    """What cannot be mended by waiting: the field has to be answered anew."""
    found: list[FieldError] = []
    dataset, framework = dataset_of(draft, context), framework_of(draft, context)
    if draft.dataset_id and dataset is None:
        name = draft.dataset_name or draft.dataset_id
        found.append(FieldError("dataset_id", say(language, "dataset_gone", name=name)))
    if dataset and dataset.status == "error":
        found.append(FieldError("dataset_id", say(language, "dataset_error", name=dataset.name)))
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
        wrong = validate_config(framework.schema, draft.config)
        found += [FieldError(f"config.{field.removeprefix('config.')}", message) for field, message in wrong]
    return found


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
    return [Choice(described(dataset, language), dataset.id) for dataset in datasets][:MAX_CHOICES]


def model_choices(models: Sequence[str], context: Context) -> list[Choice]:
    """The recommended ones first, then the shortest names, which are the plainest."""
    known = set(models)
    good = [model for trainer in offered(context) for model in trainer.recommended]
    first = [model for model in dict.fromkeys([*good, *RECOMMENDED]) if model in known]
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
    return f"{text} {say(language, 'draft_named', name=draft.name)}" if draft.name else text


def so_far(draft: Draft, context: Context, language: Language) -> str:
    """An incomplete draft; empty while nothing is known."""
    task = task_label(language, draft.task_type) if draft.task_type else None
    parts = [draft.dataset_name, task, draft.model_name, settings_text(draft, context, language), draft.name]
    said = ", ".join(part for part in parts if part)
    return say(language, "so_far", parts=said) if said else ""


def settings_text(draft: Draft, context: Context, language: Language) -> str:
    framework = framework_of(draft, context)
    known = properties(framework.schema) if framework else {}
    return ", ".join(
        f"{label(language, concept_of(key), known.get(key))} {spell(value)}" for key, value in draft.config.items()
    )


def _may_have(framework: FrameworkChoice, model: str) -> bool:
    return model in framework.models or (framework.status == "installing" and not framework.models)


def _all_models(trainers: Iterable[FrameworkChoice]) -> list[str]:
    return list(dict.fromkeys(model for trainer in trainers for model in trainer.models))


def _fitting(datasets: list[DatasetChoice], draft: Draft, context: Context) -> list[DatasetChoice]:
    """Data sets labelled for the task that was asked for, or for any that can be trained; all of them if none is."""
    tasks = {draft.task_type} if draft.task_type else {task for trainer in offered(context) for task in trainer.tasks}
    fitting = [dataset for dataset in datasets if not dataset.task_types or tasks & set(dataset.task_types)]
    return fitting or datasets
