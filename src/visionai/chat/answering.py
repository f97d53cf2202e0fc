"""Messages that are no wish for a training: thanks, questions, and what is done on another page than the chat."""

from __future__ import annotations

import msgspec

from visionai.chat.drafting import dataset_error, model_choices, still_missing
from visionai.chat.jobs import ENDED, show
from visionai.chat.messages import say, task_label
from visionai.chat.reading import GRAMMAR, Message, offered
from visionai.chat.types import Action, Context, Language, Reply

_WISH = ("train", "verb")
_REMOVALS = {"remove", "getridof"}
_NAMES = ("model_name", "dataset_name")


def thanks(message: Message, context: Context) -> Reply | None:
    besides = {term.kind for term in message.terms} - GRAMMAR
    if not message.has("thanks") or besides - {"yes"} or (besides and context.pending):
        return None
    return aside(context, message.language, say(message.language, "thanks"), "none")


def elsewhere(message: Message, context: Context) -> Reply | None:
    """ "delete the digits dataset", "download the model": where that is done. A wish for a training goes first."""
    key = place(message)
    wish = message.has(*_WISH) and message.has(*_NAMES) and not message.question
    if key is None or message.has("setting", "draft") or (wish and key != "elsewhere_again"):
        return None
    reply = aside(context, message.language, say(message.language, key), "help")
    ended = [job for job in context.jobs if job.state in (("completed",) if key == "elsewhere_download" else ENDED)]
    if not ended or key not in ("elsewhere_download", "elsewhere_again", "elsewhere_job"):
        return reply
    named = [job for job in ended if any(job.model_name in term.names for term in message.all("model_name"))]
    return msgspec.structs.replace(reply, action="show", job_id=(named or ended)[0].id)


def place(message: Message) -> str | None:
    """The sentence that says where the thing asked for is done."""
    wanted = message.all("elsewhere")
    about_data = message.has("dataset", "datasets", "dataset_name") and not message.has("job", "jobs", "model")
    if not wanted:
        removal = any(term.key in _REMOVALS for term in message.all("off")) and not message.has("setting", "option")
        return "elsewhere_dataset" if removal and about_data else None
    if wanted[0].value == "change" and message.has("setting", "option"):
        return None  # "delete the seed" is an edit
    if wanted[0].value != "change":
        return f"elsewhere_{wanted[0].value}"
    return "elsewhere_dataset" if about_data else "elsewhere_job"


def forecast(message: Message, context: Context) -> Reply | None:
    """ "how long would it take to train …?" Of a training that runs it is known."""
    if not message.has("duration") or message.has("change", "make"):
        return None
    runs = any(job.state not in ENDED for job in context.jobs)
    planned = message.has("train", "verb", *_NAMES) and not message.has("job", "jobs")
    if runs and not planned:
        return show(message, context)
    return aside(context, message.language, say(message.language, "no_forecast"), "help")


def recommend(message: Message, context: Context) -> Reply | None:
    """ "which model should I use": good ones, for what the labels allow."""
    about_model = message.has("model", "models", "small") or not message.has("dataset", "datasets", "setting")
    if not message.has("recommend") or not about_model or message.has("train", "model_name", "setting"):
        return None
    language = message.language
    task = next((term.value for term in message.terms if term.kind in ("task", "verb")), None)
    task = task or (context.draft.task_type if context.draft else None)
    named = [d for d in context.datasets for term in message.all("dataset_name") if d.id in term.names]
    tasks = {task} if task else {known for dataset in named for known in dataset.task_types}
    able = [f for f in offered(context) if not tasks or tasks & set(f.tasks)]
    models = [model for framework in able for model in framework.models]
    names = [choice.value for choice in model_choices(models, context, small=message.has("small"))]
    if not names:
        return None
    of_task = say(language, "for_task", task=task_label(language, task)) if task else ""
    sentence = say(language, "recommend", models=", ".join(names), first=names[0], task=of_task)
    return aside(context, language, sentence, "list")


def question(message: Message, context: Context) -> Reply | None:
    """Any other question: answered with what can be asked, and never with a draft."""
    if not message.question:
        return None
    language = message.language
    broken = [
        dataset
        for dataset in context.datasets
        for term in message.all("dataset_name")
        if dataset.id in term.names and dataset.status == "error"
    ]
    if broken:
        return aside(context, language, dataset_error(broken[0], language), "list")
    return aside(context, language, say(language, "question", example=example(context, language)), "help")


def aside(context: Context, language: Language, sentence: str, action: Action) -> Reply:
    """An answer that leaves the draft and the open question as they are."""
    return Reply(
        sentence, action, draft=context.draft, missing_fields=still_missing(context.draft, context.pending),
        choices=context.choices, pending=context.pending, language=language,
    )  # fmt: skip


def example(context: Context, language: Language) -> str:
    dataset = next((dataset.name for dataset in context.datasets if dataset.status == "ready"), "digits")
    models = [choice.value for framework in offered(context) for choice in model_choices(framework.models, context)]
    return say(language, "example", dataset=dataset, model=models[0] if models else "resnet18")
