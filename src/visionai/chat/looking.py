"""Looking at what there is: help, lists of data sets, models and trainings, and what a setting means."""

from __future__ import annotations

from visionai.chat.answering import aside, example
from visionai.chat.drafting import default_text, distinct, framework_of, model_choices
from visionai.chat.filters import Filter, filter_models, read_filter
from visionai.chat.glossary import about
from visionai.chat.jobs import describe, in_states
from visionai.chat.messages import label, say, status_label, task_label
from visionai.chat.reading import Message, offered
from visionai.chat.schema import bounds, concept_of, find_key, properties, spell
from visionai.chat.types import Context, DatasetChoice, FrameworkChoice, Language, Reply
from visionai.chat.words import squash

MAX_LINES = 20
MAX_EXPLAINED = 3


def helping(message: Message, context: Context) -> Reply | None:
    if not message.only("help", "list", "train", "model") or not message.has("help"):
        return None
    sentence = say(message.language, "help", example=example(context, message.language))
    return aside(context, message.language, sentence, "help")


def listing(message: Message, context: Context) -> Reply | None:
    """ "list my data sets", "what models are there for detection?", "models named mobilenet", or the bare noun."""
    asked = message.question or (message.has("list", "all") and not message.has("number"))
    filtered = message.has("below", "above")
    if message.has("train", "change", "setting") or (message.has("name") and not asked):
        return None
    lookup = {"datasets": _datasets, "models": _models, "jobs": _jobs}
    named = message.only("task", "dataset_name", "list") and asked and message.has("dataset_name")
    if named:
        return aside(context, message.language, _datasets(message, context), "list")
    if (
        asked
        and message.only("model_name", "unknown", "list", "recommend", "framework", "below", "above")
        and _knows(message, context)
    ):
        return aside(context, message.language, _models(message, context), "list")
    for plural, singular in (("datasets", "dataset"), ("models", "model"), ("jobs", "job")):
        bare = message.has(plural) and message.only(plural, "task", *_FILTERS[plural])
        single = singular != "job" and message.has(singular)
        if bare or ((asked or (filtered and plural == "models")) and (message.has(plural) or single)):
            return aside(context, message.language, lookup[plural](message, context), "list")
    return None


def _knows(message: Message, context: Context) -> bool:
    """Is there a model, or are there some, of the name that is asked about?"""
    return bool(read_filter(message, offered(context)).words)


_FILTERS = {
    "datasets": ("unknown", "dataset_name"),
    "models": ("unknown", "model_name", "number", "below", "above", "million", "small", "framework", "list"),
    "jobs": ("state", "failed"),
}


def _datasets(message: Message, context: Context) -> str:
    """All of them, or those whose names hold the words that were said; if none does, that and all."""
    language = message.language
    if not context.datasets:
        return say(language, "no_datasets")
    words = message.all("unknown")
    named = {name for term in message.all("dataset_name") for name in term.names}
    shown = [d for d in context.datasets if d.id in named] if named else context.datasets
    fitting = [d for d in shown if all(term.key in squash(d.name) for term in words)] if words else shown
    project = f" ({context.project_name})" if context.project_name else ""
    head = say(language, "list_datasets", project=project)
    if not fitting:
        unknown = " ".join(term.text for term in words)
        head = f"{say(language, 'no_dataset_like', words=unknown)} {head}"
    return _lines(language, head, _dataset_lines(fitting or shown, language))


def _dataset_lines(datasets: list[DatasetChoice], language: Language) -> list[str]:
    lines = [
        say(language, "list_dataset", name=dataset.name, images=f"{dataset.image_count:,}", classes=dataset.class_count,
            status=status_label(language, dataset.status))
        for dataset in datasets
    ]  # fmt: skip
    return distinct(datasets, lines)


def _models(message: Message, context: Context) -> str:
    language = message.language
    tasks = [term.value for term in message.terms if term.kind in ("task", "verb")]
    named = [d for d in context.datasets for term in message.all("dataset_name") if d.id in term.names]
    tasks = tasks or [task for dataset in named for task in dataset.task_types]
    able = [f for f in offered(context) if not tasks or set(tasks) & set(f.tasks)]
    if not able:
        return (
            say(language, "no_trainer", task=task_label(language, tasks[0])) if tasks else say(language, "no_trainers")
        )
    wanted = read_filter(message, able)
    note = ""
    if wanted.unclear:
        note = "\n" + say(language, "filter_unclear", phrases=wanted.unclear)
    if wanted.any():
        return _filtered(wanted, able, language) + note
    return "\n".join(_about(framework, message.has("small"), context, language) for framework in able) + note


def _filtered(wanted: Filter, able: list[FrameworkChoice], language: Language) -> str:
    fitting, uncounted = filter_models(wanted, able)
    parameters = {model: count for framework in able for model, count in framework.parameters.items()}
    filters = wanted.said(language)
    lines = [
        say(language, "model_size", name=model, amount=short(parameters[model])) if model in parameters else model
        for model in fitting
    ]
    rest = [say(language, "list_uncounted", count=uncounted)] if uncounted else []
    if not lines:
        return " ".join([say(language, "list_none_fits", filters=filters), *rest])
    head = say(language, "list_filtered", count=len(lines), filters=filters)
    return "\n\n".join([_lines(language, head, lines), *rest])


def short(count: int) -> str:
    """A number of parameters: 11.7M."""
    return f"{count / 1e6:.3g}M" if count >= 100_000 else f"{count:,}"


def _about(framework: FrameworkChoice, small: bool, context: Context, language: Language) -> str:
    return say(
        language,
        "list_models" if framework.models else "list_no_models",
        framework=framework.framework,
        status=framework.status,
        tasks=", ".join(task_label(language, task) for task in framework.tasks),
        count=f"{len(framework.models):,}",
        models=", ".join(choice.value for choice in model_choices(framework.models, context, small=small)),
    )


def _jobs(message: Message, context: Context) -> str:
    language = message.language
    if not context.jobs:
        return say(language, "no_jobs")
    return _lines(
        language, say(language, "list_jobs"), [describe(job, language) for job in in_states(message, context.jobs)]
    )


def _lines(language: Language, head: str, lines: list[str]) -> str:
    """A list below its head. What is left out stands in its last line, since a reader of Markdown puts all text that
    is not an item above."""
    rest = [say(language, "more", count=len(lines) - MAX_LINES)] if len(lines) > MAX_LINES else []
    return "\n".join([head, *(f"- {line}" for line in (*lines[:MAX_LINES], *rest))])


def explaining(message: Message, context: Context) -> Reply | None:
    """ "what is the learning rate?": what it does, its bounds and its default, from the trainer's schema."""
    settings = list(dict.fromkeys(term.value for term in message.all("setting")))
    kinds = ("setting", "list", "default", "option", "explain", "model", "train", "recommend", "status")
    asked = message.has("explain") or (message.has("list") and not message.has("train"))
    if not settings or not asked or not message.only(*kinds):
        return None
    drafted = framework_of(context.draft, context) if context.draft else None
    framework = drafted or next(iter(offered(context)), None)
    keys = [find_key(setting, framework.schema) for setting in settings[:MAX_EXPLAINED]] if framework else []
    told = [_explained(key, framework, context, message.language) for key in keys if key and framework]
    return aside(context, message.language, "\n".join(told), "help") if told else None


def _explained(key: str, framework: FrameworkChoice, context: Context, language: Language) -> str:
    prop = properties(framework.schema)[key]
    name, taken = label(language, concept_of(key), prop), bounds(prop, language) or say(language, "bounds_none")
    config = context.draft.config if context.draft else {}
    said = {"name": name, "bounds": taken, "default": default_text(prop, language)}
    if description := about(concept_of(key), prop, language):
        told = f"{name[:1].upper()}{name[1:]}: {description}"
        key_of_rest = "explain_rest_now" if key in config else "explain_rest"
        return f"{told} {say(language, key_of_rest, **said, number=spell(config.get(key)))}"
    return say(language, "explain_now" if key in config else "explain", **said, number=spell(config.get(key)))
