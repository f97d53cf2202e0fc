"""Which training a message means, to cancel it or to look at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from visionai.chat.drafting import MAX_CHOICES, missing
from visionai.chat.messages import say, status_label
from visionai.chat.reading import Message
from visionai.chat.types import Choice, Context, JobChoice, Language, Reply
from visionai.chat.words import squash
from visionai.errors import FieldError

JobAction = Literal["cancel", "show"]
ENDED = ("completed", "failed", "cancelled")


def cancel(message: Message, context: Context) -> Reply:
    """Cancel the one that is meant; ask which if several could be; say so if none is."""
    active = [job for job in context.jobs if job.state not in ENDED]
    if not active:
        return _reply(context, message.language, say(message.language, "nothing_runs"), "none")
    named, words = _named(message, active)
    if not named:
        sentence = say(message.language, "no_job_like", words=words)
        return _ask("cancel", sentence, active, message, context, error=True)
    if len(named) > 1:
        return _ask("cancel", say(message.language, "ask_cancel"), named, message, context)
    return answer_job("cancel", named[0].id, message, context)


def show(message: Message, context: Context) -> Reply:
    """Show the one that is named; else the newest that runs; else the newest."""
    if not context.jobs:
        return _reply(context, message.language, say(message.language, "no_jobs"), "none")
    active = [job for job in context.jobs if job.state not in ENDED]
    named, words = _named(message, context.jobs)
    if words and not named:
        return _ask("show", say(message.language, "ask_show"), context.jobs, message, context)
    pool = named if words else context.jobs
    running = [job for job in pool if job in active]
    return answer_job("show", (running or pool)[0].id, message, context)


def answer_job(action: JobAction, job_id: str, message: Message, context: Context) -> Reply:
    """The job that was chosen; gone in the meantime: said."""
    language = message.language
    job = next((job for job in context.jobs if job.id == job_id), None)
    if job is None:
        return _reply(context, language, say(language, "no_jobs"), "none")
    if action == "cancel":
        return _reply(context, language, say(language, "cancelling", job=job.name), "cancel", job.id)
    state = status_label(language, job.state)
    return _reply(context, language, say(language, "showing", job=job.name, state=state), "show", job.id)


def _named(message: Message, jobs: Sequence[JobChoice]) -> tuple[list[JobChoice], str]:
    """Jobs that fit every name in the message, and those words; all jobs if it names nothing."""
    whole = [job for job in jobs if len(squash(job.name)) > 2 and squash(job.name) in message.key]
    if whole:
        longest = max(len(job.name) for job in whole)
        return [job for job in whole if len(job.name) == longest], whole[0].name
    terms = [t for t in message.terms if t.kind in ("dataset_name", "model_name", "unknown", "number")]
    wanted = [term.key for term in terms]
    fitting = [job for job in jobs if all(any(key in squash(name) for name in _names(job)) for key in wanted)]
    return fitting, " ".join(term.text for term in terms)


def _names(job: JobChoice) -> tuple[str, ...]:
    return job.name, job.dataset_name, job.model_name, job.id


def _ask(
    action: JobAction, sentence: str, jobs: Sequence[JobChoice], message: Message, context: Context,
    *, error: bool = False,
) -> Reply:  # fmt: skip
    language = message.language
    offer = [Choice(f"{job.name} ({status_label(language, job.state)})", job.id) for job in jobs[:MAX_CHOICES]]
    errors = [FieldError("text", sentence)] if error else []
    text = f"{sentence}\n{say(language, f'ask_{action}')}" if error else sentence
    draft = context.draft
    return Reply(text, "ask", draft=draft, missing_fields=missing(draft) if draft else [], choices=offer,
                 errors=errors, pending=action)  # fmt: skip


def _reply(
    context: Context,
    language: Language,
    text: str,
    action: Literal["none", "cancel", "show"],
    job_id: str | None = None,
) -> Reply:
    """The draft stays; its question is asked again by the next message about it."""
    draft = context.draft
    pending = context.pending if context.pending not in ("cancel", "show") else None
    return Reply(
        text, action, draft=draft, missing_fields=missing(draft) if draft else [], job_id=job_id, pending=pending,
        choices=context.choices if pending else [], language=language,
    )  # fmt: skip
