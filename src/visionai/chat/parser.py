"""The chat parser: what a message asks for, by rules, without a network.

``parse`` tries one rule after another; the first that answers decides. A question that was asked comes first, then yes
and no, then help, cancelling and looking, and whatever is left is about the draft.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from visionai.chat.drafting import (
    FIELDS,
    choices,
    delays,
    faults,
    framework_of,
    missing,
    model_choices,
    settle,
    so_far,
    summary,
)
from visionai.chat.editing import Edit, Question, choose, edit
from visionai.chat.hyperparameters import bounds, concept_of, find_key, properties, spell
from visionai.chat.jobs import ENDED, answer_job, cancel, show
from visionai.chat.messages import label, say, status_label, task_label
from visionai.chat.reading import GRAMMAR, Message, offered, read
from visionai.chat.types import MAX_CHARS, Action, Choice, Context, Draft, FrameworkChoice, Language, Reply
from visionai.chat.words import expanded, squash
from visionai.errors import FieldError


class Parser(Protocol):
    """The seam. Pure: the same text and context give the same reply; it raises for no text and touches nothing."""

    def __call__(self, text: str, context: Context) -> Reply: ...


def parse(text: str, context: Context) -> Reply:
    """The rule-based ``Parser``. A text over ``MAX_CHARS`` is refused with a sentence."""
    length = len(text) if len(text) > MAX_CHARS else expanded(text)
    if length > 2 * MAX_CHARS or len(text) > MAX_CHARS:
        sentence = say(context.language, "too_long", count=length, limit=MAX_CHARS)
        return _aside(context, context.language, sentence, "none")
    message = read(text, context)
    for rule in _RULES:
        reply = rule(message, context)
        if reply:
            return msgspec.structs.replace(reply, language=message.language)
    return msgspec.structs.replace(_draft(message, context), language=message.language)


# ── answers to what was asked ──


def _answer(message: Message, context: Context) -> Reply | None:
    """ "2", "the first one", the text of a choice, or "yes" where there is only one."""
    field = context.pending
    if field is None or field == "confirm":
        return None
    offer = context.choices or choices(field, context.draft or Draft(), context, message.language)
    picked = _picked(message, offer)
    if picked is None:
        return None
    if not 0 <= picked < len(offer):
        sentence = say(message.language, "ask_which_number", number=picked + 1, count=len(offer))
        error = FieldError(field, sentence)
        return msgspec.structs.replace(
            _aside(context, message.language, sentence, "ask"), choices=offer, errors=[error]
        )
    if field in ("cancel", "show"):
        return answer_job("cancel" if field == "cancel" else "show", offer[picked].value, message, context)
    in_language = msgspec.structs.replace(context, language=message.language)
    return _advance(choose(field, offer[picked].value, in_language), context, message.language)


def _picked(message: Message, offer: list[Choice]) -> int | None:
    """The index of the choice that the whole message names; one past the end for a number that is too large."""
    for index, choice in enumerate(offer):
        if message.key and message.key in (squash(choice.label), squash(choice.value)):
            return index
    if message.only("yes") and len(offer) == 1:
        return 0
    content = [term for term in message.terms if term.kind not in GRAMMAR]
    if not offer or len(content) != 1:
        return None
    term = content[0]
    if term.kind == "ordinal":
        return len(offer) - 1 if term.value == "-1" else int(term.value) - 1
    if term.kind == "number" and term.amount is not None and term.amount.is_integer() and term.style == "plain":
        return int(term.amount) - 1 if term.amount >= 1 else len(offer)
    return None


# ── yes and no ──


def _decide(message: Message, context: Context) -> Reply | None:
    language, draft = message.language, context.draft
    if message.has("reset") and not message.has("number", "setting", "option", "dataset_name", "model_name"):
        return _dropped(language, "dropped" if draft else "nothing_to_drop")
    if message.has("no") and message.only("no", "yes", "train"):
        if draft is None:
            return _aside(context, language, say(language, "nothing_to_drop"), "none")
        return Reply(say(language, "not_started"), "none", draft=draft, missing_fields=missing(draft))
    if not message.only("yes", "train", "draft"):
        return None
    if draft is None:
        if message.has("train"):
            return None
        sentence = say(language, "nothing_to_confirm", example=_example(context, language))
        return Reply(sentence, "none")
    if context.pending == "confirm" and not missing(draft):
        return _start(draft, context, language)
    return _advance(Edit(draft), context, language)


def _start(draft: Draft, context: Context, language: Language) -> Reply:
    """Start what was shown, unless the world has changed since, or something still has to arrive."""
    if faults(draft, context, language) or delays(draft, context, language):
        return _advance(Edit(draft), context, language)
    sentence = say(language, "starting", model=draft.model_name, dataset=draft.dataset_name)
    return Reply(sentence, "start", draft=draft)


def _dropped(language: Language, key: str) -> Reply:
    return Reply(say(language, key), "none")


# ── looking ──


def _help(message: Message, context: Context) -> Reply | None:
    if not message.only("help", "list", "train", "model") or not message.has("help"):
        return None
    example = _example(context, message.language)
    return _aside(context, message.language, say(message.language, "help", example=example), "help")


def _list(message: Message, context: Context) -> Reply | None:
    """ "list my data sets", "what models are there for detection?", or the bare noun."""
    language = message.language
    asked = message.has("list", "all") and not message.has("train", "change", "number")
    lookup = {"datasets": _list_datasets, "models": _list_models, "jobs": _list_jobs}
    for plural, singular in (("datasets", "dataset"), ("models", "model"), ("jobs", "job")):
        bare = message.only(plural, "task") and message.has(plural)
        single = (
            singular != "job" and message.has(singular) and not message.has("dataset_name", "model_name", "unknown")
        )
        if bare or (asked and (message.has(plural) or single)):
            return _aside(context, language, lookup[plural](message, context), "list")
    return None


def _list_datasets(message: Message, context: Context) -> str:
    language = message.language
    if not context.datasets:
        return say(language, "no_datasets")
    lines = [
        say(language, "list_dataset", name=dataset.name, images=f"{dataset.image_count:,}", classes=dataset.class_count,
            status=status_label(language, dataset.status))
        for dataset in context.datasets
    ]  # fmt: skip
    project = f" ({context.project_name})" if context.project_name else ""
    return _lines(language, say(language, "list_datasets", project=project), lines)


def _list_models(message: Message, context: Context) -> str:
    language = message.language
    tasks = [term.value for term in message.terms if term.kind in ("task", "verb")]
    named = [d for d in context.datasets for term in message.all("dataset_name") if d.id in term.names]
    tasks = tasks or [task for dataset in named for task in dataset.task_types]
    able = [f for f in offered(context) if not tasks or set(tasks) & set(f.tasks)]
    if not able and tasks:
        return say(language, "no_trainer", task=task_label(language, tasks[0]))
    return "\n".join(_about(framework, context, language) for framework in able) or say(language, "no_trainers")


def _about(framework: FrameworkChoice, context: Context, language: Language) -> str:
    return say(
        language,
        "list_models" if framework.models else "list_no_models",
        framework=framework.framework,
        status=framework.status,
        tasks=", ".join(task_label(language, task) for task in framework.tasks),
        count=f"{len(framework.models):,}",
        models=", ".join(choice.value for choice in model_choices(framework.models, context)),
    )


def _list_jobs(message: Message, context: Context) -> str:
    language = message.language
    if not context.jobs:
        return say(language, "no_jobs")
    lines = [f"{job.name}: {status_label(language, job.state)}" for job in context.jobs]
    return _lines(language, say(language, "list_jobs"), lines)


def _lines(language: Language, head: str, lines: list[str], limit: int = 20) -> str:
    rest = [say(language, "more", count=len(lines) - limit)] if len(lines) > limit else []
    return "\n".join([head, *(f"- {line}" for line in lines[:limit]), *rest])


def _explain(message: Message, context: Context) -> Reply | None:
    """ "what is the learning rate?": its bounds and its default, from the trainer's schema."""
    settings = [term.value for term in message.all("setting")]
    if not settings or not message.has("list") or not message.only("setting", "list", "default", "option"):
        return None
    drafted = framework_of(context.draft, context) if context.draft else None
    framework = drafted or next(iter(offered(context)), None)
    key = find_key(settings[0], framework.schema) if framework else None
    if framework is None or key is None:
        return None
    prop, language = properties(framework.schema)[key], message.language
    name, taken = label(language, concept_of(key), prop), bounds(prop, language) or say(language, "bounds_none")
    config = context.draft.config if context.draft else {}
    said = {"name": name, "bounds": taken, "default": spell(prop.get("default")), "value": spell(config.get(key))}
    sentence = say(language, "explain_now" if key in config else "explain", **said)
    return _aside(context, language, sentence, "help")


# ── jobs ──


def _cancel(message: Message, context: Context) -> Reply | None:
    """A training if one is meant; a bare "cancel" while a draft is being filled drops the draft."""
    if not message.has("cancel") or (context.draft and message.has("setting")):
        return None
    about_job = message.has("job", "jobs", "train", "dataset_name", "model_name", "all", "unknown")
    if context.draft and (message.has("draft") or not about_job):
        active = any(job.state not in ENDED for job in context.jobs)
        return _dropped(message.language, "dropped_jobs_run" if active else "dropped")
    return cancel(message, context)


def _show(message: Message, context: Context) -> Reply | None:
    if message.has("setting", "number", "option", "change") and not message.has("job", "jobs"):
        return None
    if context.draft and message.has("list", "status") and message.only("list", "status", "draft"):
        return (
            _advance(Edit(context.draft), context, message.language) if message.has("list") else show(message, context)
        )
    if message.has("status") or (message.has("list") and message.has("job")):
        return show(message, context)
    return None


# ── the draft ──


def _draft(message: Message, context: Context) -> Reply:
    in_language = msgspec.structs.replace(context, language=message.language)
    result = edit(message, in_language)
    renew = _renewed(message, result, in_language)
    if renew:
        result.questions.append(renew)
    understood = result.understood or renew is not None or message.has("train", "yes")
    if not understood and not result.errors:
        return _unclear(message, result.leftover, context)
    if result.leftover:
        result.errors.append(_not_understood(result.leftover, message.language))
    if message.has("yes") and result.leftover and not result.understood and context.pending == "confirm":
        result.errors.append(FieldError("text", say(message.language, "confirm_plain")))
    return _advance(result, context, message.language)


def _renewed(message: Message, result: Edit, context: Context) -> Question | None:
    """ "another model": the question again, although it had been answered."""
    for noun, name, field in (("model", "model_name", "model_name"), ("dataset", "dataset_name", "dataset_id")):
        said = message.has(name) or any(question.field == field for question in result.questions)
        if message.has("change") and message.has(noun) and not said and not message.has("setting", "option"):
            offer = choices(field, result.draft, context, message.language)
            return Question(field, say(message.language, f"ask_{field}"), offer)
    return None


def _not_understood(phrases: list[str], language: Language, limit: int = 5) -> FieldError:
    words = [f"“{phrase}”" for phrase in phrases[:limit]]
    if len(phrases) > limit:
        words.append(say(language, "more", count=len(phrases) - limit))
    return FieldError("text", say(language, "not_understood", words=", ".join(words)))


def _unclear(message: Message, leftover: list[str], context: Context) -> Reply:
    """Nothing in it was about a draft: say so, and ask again what was asked, or how to begin."""
    language = message.language
    unclear = FieldError("text", say(language, "unclear"))
    errors = [_not_understood(leftover, language)] if leftover else [unclear] if message.terms else []
    if context.draft or context.pending in FIELDS:
        return _advance(Edit(context.draft or Draft(), errors=errors), context, language)
    lines = [*(error.message for error in errors), say(language, "help", example=_example(context, language))]
    return Reply("\n".join(lines), "help", errors=errors)


def _advance(result: Edit, context: Context, language: Language) -> Reply:
    """Say what happened, then ask for what is missing, or show the draft and ask for a yes."""
    asked = {question.field for question in result.questions}
    draft = settle(result.draft, context) if "task_type" not in asked else result.draft
    wrong = [fault for fault in faults(draft, context, language) if fault not in result.errors]
    waiting = delays(draft, context, language)
    errors = [*result.errors, *wrong, *waiting]
    said = [*result.notes, *(error.message for error in errors)]
    if draft.dataset_id is None and any(error.field == "task_type" for error in result.errors):
        return Reply("\n".join(said), "none", draft=result.draft if result.draft != Draft() else None, errors=errors)
    question = _question(result.questions, draft, wrong, context, language)
    kept = draft if draft != Draft() else None
    if question is None:
        offer = [Choice(say(language, "start_label"), say(language, "yes")),
                 Choice(say(language, "reset_label"), say(language, "reset"))]  # fmt: skip
        lines = [*said, summary(draft, context, language), say(language, "confirm")]
        return Reply("\n".join(lines), "confirm", draft=kept, choices=offer, errors=errors, pending="confirm")
    lines = [*said, so_far(draft, context, language), question.message]
    return Reply(
        "\n".join(line for line in lines if line), "ask", draft=kept, missing_fields=missing(draft),
        choices=question.choices, errors=errors, pending=question.field,
    )  # fmt: skip


def _question(
    questions: list[Question], draft: Draft, wrong: list[FieldError], context: Context, language: Language
) -> Question | None:
    """One question at a time: what the message left open, then what is wrong, then what is missing."""
    untrainable = any(error.field == "task_type" for error in wrong)
    open_questions = [q for q in questions if not (untrainable and q.field == "model_name")]
    if open_questions:
        return open_questions[0]
    field = next(
        iter([*(error.field for error in wrong if not error.field.startswith("config.")), *missing(draft)]), None
    )
    if field is None:
        return None
    offer = choices(field, draft, context, language)
    if field == "task_type" and not offer:  # no trainer for this data set
        field, offer = "dataset_id", choices("dataset_id", draft, context, language)
    sentence = say(language, f"ask_{field}", model=draft.model_name)
    if field == "dataset_id" and not offer:
        states = ", ".join(f"{d.name} ({status_label(language, d.status)})" for d in context.datasets)
        sentence = say(language, "no_dataset_ready", states=states) if states else say(language, "no_datasets")
    if field == "model_name" and not offer and not offered(context):
        sentence = say(language, "no_trainers")
    return Question(field, sentence, offer)


def _aside(context: Context, language: Language, sentence: str, action: Action) -> Reply:
    """An answer that leaves the draft and the open question as they are."""
    draft = context.draft
    return Reply(
        sentence, action, draft=draft, missing_fields=missing(draft) if draft else [], choices=context.choices,
        pending=context.pending, language=language,
    )  # fmt: skip


def _example(context: Context, language: Language) -> str:
    dataset = next((dataset.name for dataset in context.datasets if dataset.status == "ready"), "digits")
    models = [choice.value for framework in offered(context) for choice in model_choices(framework.models, context)]
    return say(language, "example", dataset=dataset, model=models[0] if models else "resnet18")


_RULES: tuple[Callable[[Message, Context], Reply | None], ...] = (
    _answer,
    _decide,
    _help,
    _explain,
    _cancel,
    _show,
    _list,
)
