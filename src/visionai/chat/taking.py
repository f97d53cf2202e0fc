"""Taking one value into the draft: whether it exists, whether it fits the rest, and what else it moves."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from visionai.chat.drafting import (
    FIELDS,
    Question,
    choices,
    dataset_choices,
    dataset_error,
    dataset_of,
    framework_of,
    model_choices,
    task_faults,
)
from visionai.chat.messages import label, say, task_label
from visionai.chat.reading import offered
from visionai.chat.schema import carry_over
from visionai.chat.types import Choice, Context, DatasetChoice, Draft, FrameworkChoice
from visionai.errors import FieldError


class Edit(msgspec.Struct):
    """The draft after the message. ``understood``: did the message say anything about a draft at all?"""

    draft: Draft
    errors: list[FieldError] = []
    notes: list[str] = []
    questions: list[Question] = []
    understood: bool = False
    leftover: list[str] = []
    changed: list[str] = []  # keys of the config that were set, or set back to their defaults


def choose(field: str, value: str, context: Context) -> Edit:
    """Apply one answer to a question: ``value`` of the choice taken."""
    taker = Taker(context)
    match field:
        case "dataset_id":
            taker.take_dataset((value,), value)
        case "task_type":
            taker.take_task(value)
        case "framework":
            taker.take_framework(value)
        case "model_name":
            taker.take_model(value)
    taker.edit.understood = True
    return taker.edit


class Taker:
    """The draft in the making."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.language = context.language
        self.edit = Edit(context.draft or Draft())

    def take_dataset(self, ids: Iterable[str], words: str) -> None:
        fitting = [dataset for dataset in self.context.datasets if dataset.id in set(ids)]
        if len(fitting) > 1:
            message = say(self.language, "ask_dataset_like", words=words)
            self._ask("dataset_id", message, dataset_choices(fitting, self.language))
        elif fitting and fitting[0].status == "error":
            self.edit.errors.append(FieldError("dataset_id", dataset_error(fitting[0], self.language)))
            self._ask("dataset_id", say(self.language, "ask_dataset_id"), self._choices("dataset_id"))
        elif fitting:
            self._set_dataset(fitting[0])

    def _set_dataset(self, dataset: DatasetChoice) -> None:
        task = self.edit.draft.task_type
        self._replace(dataset_id=dataset.id, dataset_name=dataset.name)
        if task and dataset.task_types and task not in dataset.task_types:
            self._replace(task_type=None)

    def take_task(self, task: str) -> None:
        draft = self.edit.draft
        framework = framework_of(draft, self.context)
        if draft.model_name and framework and task not in framework.tasks:
            draft = msgspec.structs.replace(draft, model_name=None)
        faults = task_faults(task, draft, self.context, self.language)
        if faults:
            self.edit.errors += faults
            if dataset_of(draft, self.context) and (offer := self._choices("task_type")):
                self._replace(task_type=None)
                self._ask("task_type", say(self.language, "ask_task_type"), offer)
            return
        if draft.model_name is None and self.edit.draft.model_name:
            name = task_label(self.language, task)
            self.edit.notes.append(say(self.language, "model_dropped", model=self.edit.draft.model_name, task=name))
        self.edit.draft = msgspec.structs.replace(draft, task_type=task)
        if framework and task not in framework.tasks:
            self._move_to(next(trainer for trainer in offered(self.context) if task in trainer.tasks))

    def take_framework(self, name: str) -> None:
        framework = next((f for f in self.context.frameworks if f.framework == name), None)
        if framework is None or framework.status in ("absent", "error"):
            key = "framework_error" if framework and framework.status == "error" else "framework_absent"
            return self._error("framework", key, framework=name)
        task, model = self.edit.draft.task_type, self.edit.draft.model_name
        if task and task not in framework.tasks:
            return self._error("framework", "framework_task", framework=name, task=task_label(self.language, task))
        if model and model not in framework.models:
            self.edit.notes.append(say(self.language, "model_framework", framework=name, model=model))
            self._replace(model_name=None)
        return self._move_to(framework)

    def take_model(self, model: str) -> bool:
        """Always True: the word is dealt with, whether the model can be had or not."""
        having = [f for f in self.context.frameworks if model in f.models]
        usable = [f for f in offered(self.context) if f in having]
        task = self.edit.draft.task_type
        able = [f for f in usable if task in (None, *f.tasks)]
        if not usable:
            key = "framework_error" if having and having[0].status == "error" else "framework_absent"
            names = ", ".join(f.framework for f in having)
            self._error("model_name", key if having else "no_model_like", framework=names, words=model)
            return True
        if not able:
            name = task_label(self.language, task or "")
            self._error("model_name", "framework_task", framework=usable[0].framework, task=name)
            return True
        self._replace(model_name=model)
        kept = [f for f in able if f.framework == self.edit.draft.framework]
        ready = [f for f in able if f.status == able[0].status]
        if kept or len(ready) == 1:
            self._move_to((kept or ready)[0])
        else:
            self._replace(framework=None, config={})
            message = say(self.language, "ask_framework", model=model)
            self._ask("framework", message, self._choices("framework"))
        return True

    def _move_to(self, framework: FrameworkChoice) -> None:
        """Another trainer: settings go along under its own names, and what it does not have is said."""
        old, draft = framework_of(self.edit.draft, self.context), self.edit.draft
        if old is None or old.framework == framework.framework:
            return self._replace(framework=framework.framework)
        config, lost = carry_over(draft.config, old.schema, framework.schema)
        self._replace(framework=framework.framework, config=config)
        if lost:
            keys = ", ".join(label(self.language, key) for key in lost)
            self.edit.notes.append(say(self.language, "config_lost", framework=framework.framework, keys=keys))
        return None

    def _asked(self, field: str) -> bool:
        return any(question.field == field for question in self.edit.questions)

    def _ask_model(self, words: str, models: list[str]) -> bool:
        self._ask("model_name", say(self.language, "ask_model_like", words=words), model_choices(models, self.context))
        return True

    def _ask(self, field: str, message: str, offer: list[Choice]) -> None:
        if offer:
            self.edit.questions.append(Question(field, message, offer))
            self.edit.questions.sort(key=lambda question: FIELDS.index(question.field))

    def _choices(self, field: str) -> list[Choice]:
        return choices(field, self.edit.draft, self.context, self.language)

    def _replace(self, **changes: object) -> None:
        self.edit.draft = msgspec.structs.replace(self.edit.draft, **changes)

    def _error(self, field: str, key: str, **values: object) -> None:
        self.edit.errors.append(FieldError(field, say(self.language, key, **values)))
