"""The chat parser: what a message asks for, by rules, without a network.

``parse`` tries one rule after another; the first that answers decides. A question that was asked comes first, then yes
and no, then help, cancelling and looking, and whatever is left is about the draft.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from visionai.chat.answering import aside, elsewhere, example, forecast, place, question, recommend, thanks
from visionai.chat.drafting import (
    FIELDS,
    PENDING_CHARS,
    Question,
    choices,
    delays,
    faults,
    faults_of_config,
    framework_of,
    missing,
    open_keys,
    settle,
    so_far,
    still_missing,
    summary,
    value_question,
)
from visionai.chat.editing import edit
from visionai.chat.jobs import (
    CONFIRM_CANCEL,
    ENDED,
    answer_confirmation,
    answer_job,
    cancel,
    how_to_stop,
    limit_of_running,
    not_stopped,
    show,
)
from visionai.chat.limits import with_limits
from visionai.chat.looking import explaining, helping, listing
from visionai.chat.messages import quoted, say, status_label
from visionai.chat.reading import GRAMMAR, Message, offered, read
from visionai.chat.refusing import asks_about, refuses
from visionai.chat.schema import concept_of, properties
from visionai.chat.taking import Edit, choose
from visionai.chat.types import MAX_CHARS, Choice, Context, Draft, Language, Reply
from visionai.chat.wishes import first_wish
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
        return aside(_unconfirmed(context), context.language, sentence, "none")
    message = with_limits(read(text, context))
    reply = answer_confirmation(message, context)
    context = _unconfirmed(context)
    reply = reply or next((reply for rule in _RULES if (reply := rule(message, context))), None)
    reply = reply or _draft(message, context)
    note = _guessed(message)
    said = f"{note}\n{reply.message}" if note else reply.message
    return msgspec.structs.replace(reply, message=said, language=message.language)


def _unconfirmed(context: Context) -> Context:
    """Whether to cancel a training is asked for one message: any other than the answer drops it."""
    if context.pending != CONFIRM_CANCEL:
        return context
    return msgspec.structs.replace(context, pending=None, choices=[])


def _guessed(message: Message) -> str:
    """What was spelled wrong, and what it was taken for."""
    pairs = dict.fromkeys((term.text, term.read_as) for term in message.guessed())
    guesses = [say(message.language, "read_one_as", words=text, meant=meant) for text, meant in pairs]
    return say(message.language, "read_as", guesses=", ".join(guesses)) if guesses else ""


# ── answers to what was asked ──


def _answer(message: Message, context: Context) -> Reply | None:
    """ "2", "the first one", the text of a choice, or "yes" where there is only one."""
    field = context.pending
    if field is None or field == "confirm":
        return None
    if field.startswith("config."):
        return _answer_value(message, context)
    offer = context.choices or choices(field, context.draft or Draft(), context, message.language)
    picked = _picked(message, offer)
    if picked is None:
        return None
    if not 0 <= picked < len(offer):
        sentence = say(message.language, "ask_which_number", number=picked + 1, count=len(offer))
        error = FieldError(field, sentence)
        return msgspec.structs.replace(aside(context, message.language, sentence, "ask"), choices=offer, errors=[error])
    if field in ("cancel", "show"):
        return answer_job("cancel" if field == "cancel" else "show", offer[picked].value, message, context)
    in_language = msgspec.structs.replace(context, language=message.language)
    return _advance(choose(field, offer[picked].value, in_language), context, message.language)


def _answer_value(message: Message, context: Context) -> Reply | None:
    """A plain "yes" or "no" is no value: it is asked for again. Values themselves are read as edits."""
    if not message.only("yes", "no") or context.draft is None:
        return None
    return _advance(Edit(context.draft), context, message.language)


def _picked(message: Message, offer: list[Choice]) -> int | None:
    """The index of the choice that the whole message names; one past the end for a number that is too large."""
    for index, choice in enumerate(offer):
        if message.key and message.key in (squash(choice.label), squash(choice.value)):
            return index
    if message.only("yes") and len(offer) == 1:
        return 0
    content = [term for term in message.terms if term.kind not in GRAMMAR]
    if not offer or len(content) != 1 or (message.has("make") and not message.has("ordinal")):
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
    dropped = (message.has("reset") and not asks_about(message)) or (
        message.has("draft") and (message.has("unset") or place(message) is not None)
    )
    if dropped and not message.has("number", "setting", "option", "dataset_name", "model_name"):
        return _dropped(language, "dropped" if draft else "nothing_to_drop")
    if message.has("no") and message.only("no", "yes", "train"):
        if draft is None:
            return aside(context, language, say(language, "nothing_to_drop"), "none")
        return Reply(say(language, "not_started"), "none", draft=draft, missing_fields=missing(draft))
    if not message.only("yes", "train", "draft") or message.guessed() or message.question:
        return None
    if draft is None:
        if message.has("train"):
            return None
        sentence = say(language, "nothing_to_confirm", example=example(context, language))
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


# ── jobs ──


def _refused(message: Message, context: Context) -> Reply | None:
    """ "do not stop it": said first, so that nothing below takes the verb for a wish."""
    if not message.has("cancel", "reset") or message.question or not refuses(message):
        return None
    return not_stopped(message, context)


def _cancel(message: Message, context: Context) -> Reply | None:
    """A training if one is meant; a bare "cancel" while a draft is being filled drops the draft."""
    if message.has("limit") and not context.draft and message.only("limit", "job", "jobs", "all", "unknown"):
        return limit_of_running(message, context)
    if not message.has("cancel") or (context.draft and message.has("setting")):
        return None
    if asks_about(message):
        return how_to_stop(message, context)
    about_job = message.has("job", "jobs", "train", "dataset_name", "model_name", "all", "unknown", "ordinal")
    if context.draft and (message.has("draft") or not about_job):
        active = any(job.state not in ENDED for job in context.jobs)
        return _dropped(message.language, "dropped_jobs_run" if active else "dropped")
    return cancel(message, context)


def _show(message: Message, context: Context) -> Reply | None:
    """How a training stands or ended; the draft, if that is all that "show me" can mean."""
    if message.has("setting", "number", "option", "change") and not message.has("job", "jobs"):
        return None
    if context.draft and message.has("list", "status") and message.only("list", "status", "draft"):
        if message.has("list") and not message.has("status"):
            return _advance(Edit(context.draft), context, message.language)
        return show(message, context)
    if message.has("jobs", "datasets", "models") and message.has("list"):
        return None
    ended = message.has("failed", "metric", "past") and not message.has("dataset")
    asks = message.question or message.has("list", "status", "job", "duration")
    bare = message.only("failed", "metric", "past", "job", "train")
    queue = message.has("queue") and not message.has("train", "verb")
    job = message.has("job") and (message.has("list") or message.question)
    if message.has("status") or job or queue or (ended and (asks or bare)):
        return show(message, context)
    return None


# ── the draft ──


def _draft(message: Message, context: Context) -> Reply:
    in_language = msgspec.structs.replace(context, language=message.language)
    message, rest = first_wish(message)
    result = edit(message, in_language)
    if rest:
        result.notes.append(say(message.language, "one_at_a_time", rest=quoted(rest, limit=200)))
    if (key := place(message)) and result.understood:
        result.notes.append(say(message.language, key))
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
    words = [f"“{quoted(phrase)}”" for phrase in phrases[:limit]]
    if len(phrases) > limit:
        words.append(say(language, "more", count=len(phrases) - limit))
    return FieldError("text", say(language, "not_understood", phrases=", ".join(words)))


def _unclear(message: Message, leftover: list[str], context: Context) -> Reply:
    """Nothing in it was about a draft: say so, and ask again what was asked, or how to begin."""
    language = message.language
    unclear = FieldError("text", say(language, "unclear"))
    errors = [_not_understood(leftover, language)] if leftover else [unclear] if message.terms else []
    if context.draft or context.pending in FIELDS:
        return _advance(Edit(context.draft or Draft(), errors=errors), context, language)
    lines = [*(error.message for error in errors), say(language, "help", example=example(context, language))]
    return Reply("\n".join(lines), "help", errors=errors)


def _advance(result: Edit, context: Context, language: Language) -> Reply:
    """Say what happened, then ask for what is missing, or show the draft and ask for a yes."""
    result.questions += _still_open(result, context, language)
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
    pending = _pending(question, result.questions)
    return Reply(
        "\n".join(line for line in lines if line), "ask", draft=kept, missing_fields=still_missing(draft, pending),
        choices=question.choices, errors=errors, pending=pending,
    )  # fmt: skip


def _still_open(result: Edit, context: Context, language: Language) -> list[Question]:
    """Settings that had been asked for, and that this message neither set nor asked for again."""
    framework = framework_of(result.draft, context)
    known = properties(framework.schema) if framework else {}
    done = {*result.changed, *(key for question in result.questions for key in open_keys(question.field))}
    if framework and not faults_of_config(result.draft, framework, language):  # the weights are there after all
        done |= {key for key in result.draft.config if concept_of(key) == "pretrained"}
    keys = [key for key in open_keys(context.pending) if key in known and key not in done]
    return [value_question(key, framework, language, again=True) for key in keys]


def _pending(question: Question, questions: list[Question]) -> str:
    """The field, and of settings all that are still to be asked for, as far as there is room to keep them."""
    pending = question.field
    for key in (key for other in questions for key in open_keys(other.field)):
        if open_keys(pending) and key not in open_keys(pending) and len(f"{pending},{key}") <= PENDING_CHARS:
            pending = f"{pending},{key}"
    return pending


def _question(
    questions: list[Question], draft: Draft, wrong: list[FieldError], context: Context, language: Language
) -> Question | None:
    """One question at a time: what the message left open, then what is wrong, then what is missing."""
    untrainable = any(error.field == "task_type" for error in wrong)
    open_questions = [q for q in questions if not (untrainable and q.field == "model_name")]
    if open_questions:  # a refused value first: it would be forgotten
        return next((q for q in open_questions if open_keys(q.field)), open_questions[0])
    field = next(iter([*(error.field for error in wrong), *missing(draft)]), None)
    if field is None:
        return None
    if open_keys(field):
        return value_question(open_keys(field)[0], framework_of(draft, context), language, refused=draft.config)
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


_RULES: tuple[Callable[[Message, Context], Reply | None], ...] = (
    thanks,
    _refused,
    _answer,
    _decide,
    helping,
    explaining,
    elsewhere,
    forecast,
    _cancel,
    _show,
    recommend,
    listing,
    question,
)
