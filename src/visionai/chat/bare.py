"""A value without its setting: "twenty-five" after a question, "make it three" after "change epochs to ten"."""

from __future__ import annotations

from visionai.chat.drafting import framework_of, open_keys
from visionai.chat.reading import GRAMMAR, Message, Term
from visionai.chat.schema import concept_of, find_key
from visionai.chat.types import Context

_AROUND = GRAMMAR | {"yes", "no", "change", "up", "down", "by", "times", "number", "scale", "draft"}
_SHOWN = {"make", "no", "change", "up", "down", "scale", "times"}  # that an edit is meant, and not a choice's number
_BEHIND = {"times", "up", "down", "by"}


def with_its_setting(message: Message, context: Context) -> list[Term]:
    """The terms of the message, the setting that is meant put in where none is named."""
    terms = message.terms
    asked = open_keys(context.pending)
    key = asked[0] if asked else _said_last(context)
    if key is None or message.has("setting"):
        return terms
    values = [index for index, term in enumerate(terms) if term.kind in ("number", "scale")]
    if len(values) == 1 and message.only(*_AROUND) and (asked or message.has(*_SHOWN)):
        behind = values[0] + 1
        while behind < len(terms) and terms[behind].kind in _BEHIND:
            behind += 1
        return [*terms[:behind], _setting(key), *terms[behind:]]
    if not asked:
        return terms
    if message.only("off", "enable", "default", "no") and not message.only("no"):
        return [*terms, _setting(key)]
    if message.only("unknown", "small", "number") and not any(term.quoted for term in terms):
        return [_setting(key), Term("link", "=", "="), *terms]
    return terms


def _said_last(context: Context) -> str | None:
    draft = context.draft
    if draft is None:
        return None
    framework = framework_of(draft, context)
    return next(reversed(draft.config), None) or (find_key("epochs", framework.schema) if framework else "epochs")


def _setting(key: str) -> Term:
    return Term("setting", "", key, value=concept_of(key))
