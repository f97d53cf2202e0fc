"""What a message says about the draft: data set, task, trainer, model, preset, settings, name.

Names are looked for first, since they decide whose schema the settings are read with. Whatever is left over in the
end is reported, never dropped without a word.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import msgspec

from visionai.chat.drafting import (
    FIELDS,
    choices,
    dataset_choices,
    dataset_of,
    framework_of,
    model_choices,
    task_faults,
)
from visionai.chat.hyperparameters import apply_preset, apply_settings, carry_over
from visionai.chat.messages import label, say, task_label
from visionai.chat.reading import Message, Term, offered, without_particle
from visionai.chat.types import Choice, Context, DatasetChoice, Draft, FrameworkChoice
from visionai.chat.words import squash
from visionai.errors import FieldError

MAX_UNKNOWN = 20  # unknown phrases that are looked at; the others are reported as they are
MAX_GUESSES = 4  # unknown phrases for which close names are looked up; each costs a pass over all names


class Question(msgspec.Struct, frozen=True):
    field: str
    message: str
    choices: list[Choice]


class Edit(msgspec.Struct):
    """The draft after the message. ``understood``: did the message say anything about a draft at all?"""

    draft: Draft
    errors: list[FieldError] = []
    notes: list[str] = []
    questions: list[Question] = []
    understood: bool = False
    leftover: list[str] = []


def edit(message: Message, context: Context) -> Edit:
    """Apply everything a message says to the context's draft."""
    return _Editor(message, context).run()


def choose(field: str, value: str, context: Context) -> Edit:
    """Apply one answer to a question: ``value`` of the choice taken."""
    editor = _Editor(Message([], "", context.language), context)
    match field:
        case "dataset_id":
            editor.take_dataset((value,), value)
        case "task_type":
            editor.take_task(value)
        case "framework":
            editor.take_framework(value)
        case "model_name":
            editor.take_model(value)
    editor.edit.understood = True
    return editor.edit


class _Editor:
    def __init__(self, message: Message, context: Context) -> None:
        self.message = message
        self.context = context
        self.language = message.language
        self.edit = Edit(context.draft or Draft())
        self.terms = message.terms
        self.used: set[int] = set()
        self.guesses = 0
        self.stems: set[str] = set()  # what models' names begin with
        self.model_keys: dict[str, str] = {}  # name -> squashed, of the models that fit the task

    def run(self) -> Edit:
        self._names()
        self._unknown_names()
        self._preset_and_defaults()
        self._settings()
        self.edit.leftover = _phrases(self.terms, self.used)
        self.edit.understood = bool(self.used)
        return self.edit

    # ── names that are known ──

    def _names(self) -> None:
        for index, term in enumerate(self.terms):
            if term.kind == "name":
                self._replace(name=term.value)
                self.used.add(index)
        self._dataset_terms()
        self._task_terms()
        for index, term in enumerate(self.terms):
            if term.kind == "framework":
                self.used.add(index)
                self.take_framework(term.value)
        self._model_terms()

    def _dataset_terms(self) -> None:
        found = self._take("dataset_name")
        names = tuple(dict.fromkeys(name for term in found for name in term.names))
        if found:
            last = found[-1] if self.message.has("change") else None
            self.take_dataset(last.names if last else names, " / ".join(dict.fromkeys(term.text for term in found)))

    def _task_terms(self) -> None:
        said = self._take("task")
        verbs = self._take("verb")
        if said:
            self.take_task(said[-1].value)
        elif verbs and self.edit.draft.task_type is None:
            self.take_task(verbs[0].value)

    def _model_terms(self) -> None:
        found = self._take("model_name")
        names = list(dict.fromkeys(name for term in found for name in term.names))
        if found and self.message.has("change"):
            names = list(found[-1].names)
        if len(names) == 1:
            self.take_model(names[0])
        elif names:
            self._ask_model(" / ".join(dict.fromkeys(term.text for term in found)), names)

    def _take(self, kind: str) -> list[Term]:
        self.used |= {index for index, term in enumerate(self.terms) if term.kind == kind}
        return self.message.all(kind)

    # ── names that are not ──

    def _unknown_names(self) -> None:
        """Part of a data set's name, a model's family, or a name spelled wrong."""
        self.model_keys = {model: squash(model) for model in self._models()}
        self.stems = {_letters(key) for key in self.model_keys.values()}
        for start, end in _runs(self.terms, self.used)[:MAX_UNKNOWN]:
            phrase = " ".join(term.text for term in self.terms[start:end])
            before = self.terms[start - 1] if start else None
            after = self.terms[end] if end < len(self.terms) else None
            if self._unknown_dataset(phrase, before, after) or self._unknown_model(start, end, before, after):
                self.used |= set(range(start, end))
            elif before is not None and before.kind == "verb":
                self.used |= set(range(start, end))  # what is to be found or told apart: the labels know

    def _unknown_dataset(self, phrase: str, before: Term | None, after: Term | None) -> bool:
        fitting = [dataset for dataset in self.context.datasets if _within(phrase, dataset.name)]
        chosen_now = any(term.kind == "dataset_name" for term in self.terms)
        pending = self.context.pending == "dataset_id" and self.message.only("unknown")
        named = _kind(after) == "dataset" or _kind(before) == "dataset" or _key(before) in ("on", "from", "over")
        if not named and (chosen_now or not (fitting or pending)):
            return False
        if fitting:
            self.take_dataset(tuple(dataset.id for dataset in fitting), phrase)
            return True
        if _kind(before) == "verb" and not pending:
            return False
        if self._looks_like_model(squash(phrase)) and not named:
            return False
        return self._no_dataset_like(phrase)

    def _no_dataset_like(self, phrase: str) -> bool:
        close = self._close(phrase, [dataset.name for dataset in self.context.datasets])
        fitting = [dataset for dataset in self.context.datasets if dataset.name in close]
        self._error("dataset_id", "no_dataset_like", words=phrase)
        offer = dataset_choices(fitting, self.language) or self._choices("dataset_id")
        self._ask("dataset_id", say(self.language, "ask_close" if fitting else "ask_dataset_id"), offer)
        return True

    def _unknown_model(self, start: int, end: int, before: Term | None, after: Term | None) -> bool:
        place = (
            _kind(before) in ("train", "model") or _kind(after) == "model" or _key(before) in ("with", "using", "use")
        )
        place = place or (_kind(before) == "link" and self.message.has("change"))
        phrase = " ".join(term.text for term in self.terms[start:end])
        key = squash(phrase)
        pending = self.context.pending == "model_name" and self.message.only("unknown")
        models = list(self.model_keys)
        family = [model for model in models if self.model_keys[model].startswith(key)] if len(key) > 2 else []
        if family and (place or pending or self._looks_like_model(key)):
            return self.take_model(family[0]) if len(family) == 1 else self._ask_model(phrase, family)
        arriving = [f for f in offered(self.context) if f.status == "installing" and not f.models]
        if not (pending or self._looks_like_model(key) or (place and (arriving or self._close(phrase, models)))):
            return False
        if arriving and not models:
            self._replace(model_name=phrase.replace(" ", "_"))
            self._move_to(arriving[0])
            return True
        return self._no_model_like(phrase, models)

    def _no_model_like(self, phrase: str, models: list[str]) -> bool:
        close = self._close(phrase, models)
        self._error("model_name", "no_model_like", words=phrase)
        offer = [Choice(model, model) for model in close] or self._choices("model_name")
        self._ask("model_name", say(self.language, "ask_close" if close else "ask_model_name"), offer)
        return True

    def _looks_like_model(self, key: str) -> bool:
        """Does it begin like a model: ``resnet99``, ``yolo``? Or is it spelled as only models are: ``my_net_50``?"""
        stem = _letters(key)
        if len(stem) > 2 and stem in self.stems:
            return True
        spelled = any(character.isdigit() for character in key) and stem != "" and len(key) > 4 and key.isascii()
        return spelled and not key[0].isdigit()

    def _close(self, phrase: str, names: list[str]) -> list[str]:
        if self.guesses >= MAX_GUESSES or len(phrase) > 80:
            return []
        self.guesses += 1
        spelled = {squash(name): name for name in names}
        return [spelled[key] for key in difflib.get_close_matches(squash(phrase), spelled, n=5, cutoff=0.6)]

    def _models(self) -> list[str]:
        task = self.edit.draft.task_type
        trainers = [trainer for trainer in offered(self.context) if task in (None, *trainer.tasks)]
        return list(dict.fromkeys(model for trainer in trainers for model in trainer.models))

    # ── taking a value ──

    def take_dataset(self, ids: Iterable[str], words: str) -> None:
        fitting = [dataset for dataset in self.context.datasets if dataset.id in set(ids)]
        if len(fitting) > 1:
            message = say(self.language, "ask_dataset_like", words=words)
            self._ask("dataset_id", message, dataset_choices(fitting, self.language))
        elif fitting and fitting[0].status == "error":
            self._error("dataset_id", "dataset_error", name=fitting[0].name)
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

    # ── settings ──

    def _preset_and_defaults(self) -> None:
        beside = {index + step for index, t in enumerate(self.terms) if t.kind == "setting" for step in (-1, 1)}
        found = [i for i, t in enumerate(self.terms) if t.kind == "preset_name" and i not in beside]
        presets = [self.terms[index] for index in found]
        self.used |= set(found)
        nouns = self._take("preset")
        framework = self._framework_for_settings() if presets or nouns else None
        if framework is None:
            return
        for term in presets:
            if term.value in framework.presets:
                self._replace(config=apply_preset(term.value, framework, self.edit.draft.config))
            else:
                self._error("text", "no_preset", framework=framework.framework, preset=term.text)
        if nouns and not presets and framework.presets:
            names = ", ".join(framework.presets)
            self._error("text", "which_preset", presets=names)

    def _settings(self) -> None:
        wanted = [
            index for index, term in enumerate(self.terms) if term.kind in _SETTING_KINDS or term.style == "pixels"
        ]
        if not wanted:
            return None
        framework = self._framework_for_settings()
        if framework is None:
            return None
        terms = [
            msgspec.structs.replace(term, kind="used") if index in self.used else term
            for index, term in enumerate(self.terms)
        ]
        if not any(term.kind in ("setting", "option") for term in terms) and self.message.has("default"):
            self._take("default")
            return self._replace(config={})
        outcome = apply_settings(terms, framework, self.edit.draft.config, self.language)
        self.used |= outcome.used
        self.edit.errors += outcome.errors
        return self._replace(config=outcome.config)

    def _framework_for_settings(self) -> FrameworkChoice | None:
        """Whose schema the settings are read with: the draft's trainer, else the first that does the task."""
        draft = self.edit.draft
        if draft.framework is None and not (draft.model_name and self._asked("framework")):
            tasks = _tasks_of(draft, self.context)
            able = [f for f in offered(self.context) if not tasks or tasks & set(f.tasks)]
            if able:
                self._replace(framework=able[0].framework)
        return framework_of(self.edit.draft, self.context)

    # ── small ──

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


_SPACED = re.compile(r"[\s_\-./,()]+")
_AND = {"and", "와", "과", "랑", "이랑", "하고"}
_SETTING_KINDS = {"setting", "option", "default", "scale"}
# Left over, these are worth a word: they looked like something. The rest is grammar.
_TELLING = {"unknown", "number", "setting", "option", "scale", "preset_name", "framework"}


def _runs(terms: list[Term], used: set[int]) -> list[tuple[int, int]]:
    """Stretches of unknown words, "and" between them included ("cats and dogs"); quoted ones each alone."""
    runs: list[tuple[int, int]] = []
    for index, term in enumerate(terms):
        if term.kind != "unknown" or index in used:
            continue
        start, end = runs[-1] if runs else (0, -2)
        joins = end == index or (end == index - 1 and terms[end].key in _AND)
        if joins and not term.quoted and not terms[end - 1].quoted:
            runs[-1] = (start, index + 1)
        else:
            runs.append((index, index + 1))
    return runs


def _phrases(terms: list[Term], used: set[int]) -> list[str]:
    """What was not used, neighbours together, so that "5 folds" is reported as one thing."""
    phrases: list[list[str]] = []
    last = -2
    for index, term in enumerate(terms):
        if index in used or term.kind not in _TELLING:
            continue
        if index == last + 1:
            phrases[-1].append(term.text)
        else:
            phrases.append([term.text])
        last = index
    return [" ".join(words) for words in phrases]


def _within(phrase: str, name: str) -> bool:
    """Are the words of the phrase whole words of the name? The last may carry a Korean particle."""
    known = set(_SPACED.sub(" ", name.casefold()).split())
    *first, last = _SPACED.sub(" ", phrase.casefold()).split() or [""]
    return set(first) <= known and any(word in known for word in without_particle(last))


def _tasks_of(draft: Draft, context: Context) -> set[str]:
    dataset = dataset_of(draft, context)
    return {draft.task_type} if draft.task_type else set(dataset.task_types) if dataset else set()


def _kind(term: Term | None) -> str | None:
    return term.kind if term else None


def _key(term: Term | None) -> str | None:
    return term.key if term else None


def _letters(key: str) -> str:
    """The letters a name begins with: ``resnet`` of ``resnet18``."""
    end = next((index for index, character in enumerate(key) if not character.isalpha()), len(key))
    return key[:end]
