"""Which training a message means, to cancel it or to look at it, and how it stands.

None is cancelled before a yes to the question whether it should be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from visionai.chat.drafting import MAX_CHOICES, still_missing
from visionai.chat.messages import say, status_label
from visionai.chat.reading import Message
from visionai.chat.refusing import asked, denies, lets_go_on, of_the_past, refuses
from visionai.chat.types import Choice, Context, JobChoice, Language, Reply
from visionai.chat.words import squash
from visionai.errors import FieldError

JobAction = Literal["cancel", "show"]
ENDED = ("completed", "failed", "cancelled")
CONFIRM_CANCEL = "confirm_cancel"
_STOPS = re.compile(r"stop|halt|abort|end|cancel|kill|quit|terminate|멈|중지|중단|정지|그만|종료|끝")


def cancel(message: Message, context: Context) -> Reply:
    """Ask whether to cancel the one that is meant; which one, where several could be, where all are, or none is."""
    language = message.language
    active = [job for job in context.jobs if job.state not in ENDED]
    if not active:
        return _reply(context, language, say(language, "nothing_runs"), "none")
    named, words = _named(message, in_states(message, active))
    if not named:
        sentence = say(language, "no_job_like", words=words)
        return _ask("cancel", sentence, active, message, context, error=True)
    named = [job for job in named if not job.cancelling] or named
    if message.has("all"):
        lines = "\n".join(f"- {describe(job, language)}" for job in named)
        return _ask("cancel", say(language, "ask_cancel_all", count=len(named), jobs=lines), named, message, context)
    ordinals = message.all("ordinal")
    if ordinals:
        meant = _ordinal(ordinals[0].value, named, context.jobs)
        if meant is None:
            sentence = say(language, "no_such_ordinal", words=ordinals[0].text, count=len(named))
            return _ask("cancel", sentence, named, message, context, error=True)
        named = [meant]
    if len(named) > 1:
        return _ask("cancel", say(language, "ask_cancel"), named, message, context)
    return answer_job("cancel", named[0].id, message, context)


def show(message: Message, context: Context) -> Reply:
    """The one that is named; else by what is asked: the last that failed or ended, or the newest that runs."""
    language = message.language
    if not context.jobs:
        return _reply(context, language, say(language, "no_jobs"), "none")
    named, words = _named(message, in_states(message, context.jobs))
    loose = message.question or message.has("failed", "metric", "past", "duration")
    if words and not named and not loose:
        return _ask("show", say(language, "ask_show"), context.jobs, message, context)
    pool = named if words and named else context.jobs
    if message.has("failed"):
        failed = [job for job in pool if job.state == "failed"]
        note = "" if failed else say(language, "none_failed")
        return _shown((failed or pool)[0], note, message, context)
    if message.has("past") or message.all("ordinal"):
        ended = [job for job in pool if job.state in ENDED]
        best = [job for job in ended if job.best] if message.has("metric") else []
        return _shown((best or ended or pool)[0], "" if ended else say(language, "none_ended"), message, context)
    active = [job for job in pool if job.state not in ENDED]
    queued = [job for job in active if job.state == "queued"]
    running = queued if queued and message.has("queue") else [job for job in active if job not in queued] or queued
    measured = [job for job in running or pool if job.best] if message.has("metric") else []
    return _shown((measured or running or pool)[0], "", message, context)


def answer_job(action: JobAction, job_id: str, message: Message, context: Context) -> Reply:
    """The job that was chosen; gone in the meantime: said."""
    language = message.language
    job = next((job for job in context.jobs if job.id == job_id), None)
    if job is None:
        return _reply(context, language, say(language, "job_gone"), "none")
    if action == "show":
        return _shown(job, "", message, context)
    return _not_cancellable(job, message, context) or _confirm(job, context, language)


def answer_confirmation(message: Message, context: Context) -> Reply | None:
    """The only way to a cancelled training: a plain yes, or the wish said again. Anything else is another message."""
    if context.pending not in ("cancel", CONFIRM_CANCEL) or not context.choices:
        return None
    language, plain = message.language, message.only("yes", "no", "cancel", "job", "train", "status")
    if denies(message) or lets_go_on(message):
        kept = plain or lets_go_on(message) or refuses(message)
        return not_stopped(message, context) if kept else None
    if context.pending == "cancel" or asked(message) or message.question or message.guessed():
        return None
    chosen = context.choices[0]
    job = next((job for job in context.jobs if job.id == chosen.value), None)
    if not _agrees(message, chosen, job, plain=plain):
        return None
    if job is None:
        return _reply(context, language, say(language, "job_gone"), "none")
    sentence = say(language, "cancelling", job=job.name)
    return _not_cancellable(job, message, context) or _reply(context, language, sentence, "cancel", job.id)


def not_stopped(message: Message, context: Context) -> Reply:
    active = [job for job in context.jobs if job.state not in ENDED and not job.cancelling]
    key = "not_stopped_job" if len(active) == 1 else "not_stopped"
    name = active[0].name if active else ""
    return _reply(context, message.language, say(message.language, key, job=name), "none")


def how_to_stop(message: Message, context: Context) -> Reply:
    """A question about stopping: how it is done; of the past, the training that was stopped."""
    language = message.language
    active = [job for job in context.jobs if job.state not in ENDED]
    if of_the_past(message) and context.jobs:
        stopped = [job for job in context.jobs if job.state == "cancelled" or job.cancelling]
        note = "" if stopped else say(language, "none_cancelled")
        return _shown((stopped or active or context.jobs)[0], note, message, context)
    sentence = say(language, "how_to_stop", job=active[0].name if active else say(language, "any_job"))
    if len(active) == 1:
        return _shown(active[0], sentence, message, context)
    return _reply(context, language, sentence, "none")


def limit_of_running(message: Message, context: Context) -> Reply | None:
    """ "stop it after 10 minutes" of a training that runs: limits are set before it starts."""
    active = [job for job in context.jobs if job.state not in ENDED]
    if not active or not any(term.value == "time_limit_seconds" and _STOPS.search(term.key) for term in message.terms):
        return None
    return _reply(context, message.language, say(message.language, "limit_of_running", job=active[0].name), "none")


def describe(job: JobChoice, language: Language) -> str:
    """Its state with what there is to tell of it, in one line."""
    facts = [status_label(language, job.state)]
    ended = job.state in ENDED
    if job.cancelling and not ended:
        facts.append(say(language, "job_cancelling"))
    if job.queue_position is not None:
        facts.append(say(language, "job_position", position=job.queue_position))
    if job.epoch or (job.state == "running" and job.total_epochs):
        facts.append(say(language, "job_epochs", epoch=job.epoch, total=job.total_epochs or "?"))
    if not ended and job.progress:
        facts.append(say(language, "job_progress", percent=f"{job.progress:.0f}"))
    if not ended and job.eta_seconds is not None:
        facts.append(say(language, "job_eta", time=_duration(job.eta_seconds, language)))
    lines = [say(language, "showing", job=job.name, facts=", ".join(facts)), _reason(job, language)]
    if job.best:
        number = f"{job.best.value:.4g}"
        lines.append(say(language, "job_best", metric=job.best.name, number=number, epoch=job.best.epoch))
    elif job.state in ("running", "completed"):
        lines.append(say(language, "job_no_best"))
    return " ".join(line for line in lines if line)


def _agrees(message: Message, chosen: Choice, job: JobChoice | None, *, plain: bool) -> bool:
    if message.key in (squash(chosen.value), squash(chosen.label)):
        return True
    said_yes = message.has("yes") and all(term.key in _AGREEING for term in message.all("yes"))
    if plain and not message.has("status"):
        return said_yes or (message.has("cancel") and not message.has("yes"))
    return job is not None and message.has("cancel") and not message.has("all") and _names_it(message, job)


def _names_it(message: Message, job: JobChoice) -> bool:
    known = ("cancel", "yes", "job", "train", "dataset_name", "model_name", "unknown", "number")
    return message.only(*known) and bool(_named(message, [job])[0])


# Of the words that say yes to a draft those that do not also say "go on".
_AGREEING = {
    "yes", "y", "yesplease", "yep", "yeah", "yup", "sure", "ok", "okay", "okey", "goahead", "doit", "confirm",
    "confirmed", "correct", "pleasedo", "네", "넵", "넹", "네네", "예", "응", "웅", "어", "그래", "그래요", "좋아",
    "확인", "맞아", "맞습니다", "오케이", "ㅇㅇ", "ㅇㅋ",
}  # fmt: skip


def _not_cancellable(job: JobChoice, message: Message, context: Context) -> Reply | None:
    if job.state in ENDED:
        return _shown(job, say(message.language, "ended_meanwhile"), message, context)
    if job.cancelling:
        sentence = say(message.language, "cancelling_already", job=job.name)
        return _reply(context, message.language, sentence, "none")
    return None


def _confirm(job: JobChoice, context: Context, language: Language) -> Reply:
    at = say(language, "stands_at", epoch=job.epoch, total=job.total_epochs or "?") if job.epoch else ""
    stands = at or say(language, "stands_in", state=status_label(language, job.state))
    offer = [Choice(say(language, "stop_label", job=job.name), job.id),
             Choice(say(language, "go_on_label"), say(language, "no"))]  # fmt: skip
    return Reply(
        say(language, "confirm_cancel", job=job.name, stands=stands), "ask", draft=context.draft,
        missing_fields=still_missing(context.draft, None), choices=offer, pending=CONFIRM_CANCEL, language=language,
    )  # fmt: skip


def _reason(job: JobChoice, language: Language) -> str:
    if job.state == "failed":
        return job.error or job.reason or say(language, "job_no_reason")
    return "" if job.state == "completed" or job.cancelling else job.reason


def _duration(seconds: float, language: Language) -> str:
    if seconds < 90:
        return say(language, "seconds", count=f"{seconds:.0f}")
    if seconds < 5400:
        return say(language, "minutes", count=f"{seconds / 60:.0f}")
    return say(language, "hours", count=f"{seconds / 3600:.1f}")


def _ordinal(value: str, named: Sequence[JobChoice], jobs: Sequence[JobChoice]) -> JobChoice | None:
    """The n-th of those that run, unless the n-th of the whole list is another one: then it is asked."""
    if len(named) == 1 and value in ("1", "-1"):
        return named[0]
    index = int(value) - 1 if value != "-1" else len(named) - 1
    same = 0 <= index < len(named) and index < len(jobs) and named[index] == jobs[index]
    return named[index] if same else None


def in_states(message: Message, jobs: Sequence[JobChoice]) -> list[JobChoice]:
    """ "the running one", "failed jobs"; all of them where no state is said, or none is in it."""
    states = {term.value for term in message.all("state")} | ({"failed"} if message.has("failed") else set())
    return [job for job in jobs if job.state in states] or list(jobs)


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


def _shown(job: JobChoice, note: str, message: Message, context: Context) -> Reply:
    text = describe(job, message.language)
    return _reply(context, message.language, f"{note} {text}" if note else text, "show", job.id)


def _ask(
    action: JobAction, sentence: str, jobs: Sequence[JobChoice], message: Message, context: Context,
    *, error: bool = False,
) -> Reply:  # fmt: skip
    language = message.language
    offer = [Choice(f"{job.name} ({status_label(language, job.state)})", job.id) for job in jobs[:MAX_CHOICES]]
    errors = [FieldError("text", sentence)] if error else []
    text = f"{sentence}\n{say(language, f'ask_{action}')}" if error else sentence
    return Reply(text, "ask", draft=context.draft, missing_fields=still_missing(context.draft, context.pending),
                 choices=offer, errors=errors, pending=action)  # fmt: skip


def _reply(
    context: Context,
    language: Language,
    text: str,
    action: Literal["none", "cancel", "show"],
    job_id: str | None = None,
) -> Reply:
    """The draft stays; its question is asked again by the next message about it."""
    draft = context.draft
    pending = context.pending if context.pending not in ("cancel", "show", CONFIRM_CANCEL) else None
    return Reply(
        text, action, draft=draft, missing_fields=still_missing(draft, pending), job_id=job_id, pending=pending,
        choices=context.choices if pending else [], language=language,
    )  # fmt: skip
