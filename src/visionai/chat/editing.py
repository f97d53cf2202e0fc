"""What a message says about the draft: data set, task, trainer, model, preset, settings, name.

Names are looked for first, since they decide whose schema the settings are read with. Whatever is left over in the
end is reported, never dropped without a word.
"""

from __future__ import annotations

import difflib
import re

import msgspec

from visionai.chat.bare import with_its_setting
from visionai.chat.drafting import (
    dataset_choices,
    dataset_of,
    default_note,
    framework_of,
    model_choices,
    value_question,
)
from visionai.chat.hyperparameters import apply_settings
from visionai.chat.limits import limited
from visionai.chat.messages import say
from visionai.chat.reading import Message, Term, offered, without_particle
from visionai.chat.schema import apply_preset
from visionai.chat.taking import Edit, Taker
from visionai.chat.types import Choice, Context, Draft, FrameworkChoice
from visionai.chat.words import squash
from visionai.errors import FieldError

MAX_UNKNOWN = 20  # unknown phrases that are looked at; the others are reported as they are
MAX_GUESSES = 4  # unknown phrases for which close names are looked up; each costs a pass over all names


def edit(message: Message, context: Context) -> Edit:
    """Apply everything a message says to the context's draft."""
    return _Editor(message, context).run()


class _Editor(Taker):
    def __init__(self, message: Message, context: Context) -> None:
        super().__init__(context)
        self.message = message
        self.terms = with_its_setting(message, context)
        self.used: set[int] = set()
        self.guesses = 0
        self.stems: set[str] = set()  # what models' names begin with
        self.model_keys: dict[str, str] = {}  # name -> squashed, of the models that fit the task

    def run(self) -> Edit:
        self._names()
        self._unknown_names()
        self._small_model()
        self._preset_and_defaults()
        self._settings()
        self._limits()
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
        beside = _kind(after) == "dataset" or _kind(before) == "dataset"
        settled = self.edit.draft.dataset_id is not None and not self.message.has("change")
        named = (beside and not settled) or _key(before) in ("on", "from", "over")
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

    def _small_model(self) -> None:
        """ "something small and fast": the small ones are offered. Beside a setting the word is its value."""
        values = {index + step for index, term in enumerate(self.terms) if term.kind == "setting" for step in (-1, 1)}
        small = {index for index, term in enumerate(self.terms) if term.kind == "small"} - values
        if not small:
            return
        quick = {index for index, term in enumerate(self.terms) if term.key in ("fast", "quick", "빠른")}
        self.used |= small | quick
        if self.edit.draft.model_name is None and not self._asked("model_name"):
            offer = model_choices(self._models(), self.context, small=True)
            self._ask("model_name", say(self.language, "ask_small_model"), offer)

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

    # ── settings ──

    def _preset_and_defaults(self) -> None:
        beside = {index + step for index, t in enumerate(self.terms) if t.kind == "setting" for step in (-1, 1)}
        beside |= self.used
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
            self.edit.changed += list(self.edit.draft.config)
            return self._replace(config={})
        outcome = apply_settings(terms, framework, self.edit.draft.config, self.language)
        self.used |= outcome.used
        self.edit.errors += outcome.errors
        self.edit.changed += outcome.changed
        self._replace(config=outcome.config)
        for key in dict.fromkeys(outcome.defaulted):
            self.edit.notes.append(default_note(key, framework, self.language))
        for key in dict.fromkeys(outcome.asked):
            self.edit.questions.append(value_question(key, framework, self.language))
        return None

    def _limits(self) -> None:
        for index, term in enumerate(self.terms):
            if term.kind == "limit":
                self.used.add(index)
                self.edit.draft, wrong = limited(self.edit.draft, term, self.language)
                if wrong:
                    self.edit.errors.append(FieldError(f"policy.{term.value}", wrong))

    def _framework_for_settings(self) -> FrameworkChoice | None:
        """Whose schema the settings are read with: the draft's trainer, else the first that does the task."""
        draft = self.edit.draft
        if draft.framework is None and not (draft.model_name and self._asked("framework")):
            tasks = _tasks_of(draft, self.context)
            able = [f for f in offered(self.context) if not tasks or tasks & set(f.tasks)]
            if able:
                self._replace(framework=able[0].framework)
        return framework_of(self.edit.draft, self.context)


_SPACED = re.compile(r"[\s_\-./,()]+")
_AND = {"and", "와", "과", "랑", "이랑", "하고"}
_SETTING_KINDS = {"setting", "option", "default", "scale"}
# Left over, these are worth a word: they looked like something. The rest is grammar.
_TELLING = {
    "unknown", "number", "setting", "option", "scale", "preset_name", "framework", "metric", "failed", "small",
    "left",
}  # fmt: skip


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
