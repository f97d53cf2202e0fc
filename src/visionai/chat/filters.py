"""Which models a list is to hold: by words of their names, and by how many parameters they have."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec

from visionai.chat.messages import say
from visionai.chat.reading import Message, Term
from visionai.chat.types import FrameworkChoice, Language
from visionai.chat.words import squash

MILLION = 1_000_000


class Filter(msgspec.Struct, frozen=True):
    """``unclear``: words that might be meant to choose, and fit no model. ``exact``: the whole name of a model is that
    model alone, not its relatives too."""

    words: list[Term] = []
    at_most: float | None = None
    at_least: float | None = None
    unclear: str = ""
    exact: bool = False

    def any(self) -> bool:
        return bool(self.words) or self.at_most is not None or self.at_least is not None

    def said(self, language: Language) -> str:
        parts = [say(language, "filter_name", words=term.text) for term in self.words]
        for key, bound in (("filter_below", self.at_most), ("filter_above", self.at_least)):
            if bound is not None:
                parts.append(say(language, key, amount=f"{bound / MILLION:.4g}M"))
        return ", ".join(parts)


def read_filter(message: Message, frameworks: Sequence[FrameworkChoice]) -> Filter:
    """ "less than 5M parameters", "under 5 million", "파라미터 500만 이하", "named mobilenet"."""
    terms = message.terms
    bounds: dict[str, float] = {}
    used: set[int] = set()
    for index, term in enumerate(terms):
        if term.kind != "number" or term.amount is None:
            continue
        near = terms[max(0, index - 3) : index + 5]
        side = next((t.kind for t in near if t.kind in _SIDES), None)
        side = side or ("above" if index and terms[index - 1].key == "over" else None)
        if side:
            bounds[side] = term.amount * _magnitude(term, terms[index + 1 : index + 2], message)
            used.add(index)
    for before, term in itertools.pairwise(terms):
        count = _counted(term, frameworks)
        if before.kind in _SIDES and count is not None:  # "smaller than resnet18"
            bounds[before.kind] = count - 1 if before.kind == "below" else count + 1
            used.add(terms.index(term))
    keys = {squash(model) for framework in frameworks for model in framework.models}
    said = [t for i, t in enumerate(terms) if t.kind in ("unknown", "model_name") and i not in used]
    words = [term for term in said if any(term.key in key for key in keys)]
    unclear = [t for t in said if t not in words and not t.key.startswith(_KOREAN_UNITS)]
    numbers = [t for i, t in enumerate(terms) if t.kind == "number" and i not in used]
    phrases = ", ".join(say(message.language, "filter_name", words=term.text) for term in [*unclear, *numbers][:5])
    return Filter(words, bounds.get("below"), bounds.get("above"), phrases, not message.has("models"))


def filter_models(wanted: Filter, frameworks: Sequence[FrameworkChoice]) -> tuple[list[str], int]:
    """The models that fit, those with few parameters first, and how many fit but for not having been counted."""
    parameters = {model: count for framework in frameworks for model, count in framework.parameters.items()}
    models = dict.fromkeys(model for framework in frameworks for model in framework.models)
    whole = {name for term in wanted.words if wanted.exact for name in term.names}
    parts = [term.key for term in wanted.words if not (wanted.exact and term.names)]
    named = [m for m in models if (not whole or m in whole) and all(part in squash(m) for part in parts)]
    if wanted.at_most is None and wanted.at_least is None:
        return sorted(named, key=lambda model: parameters.get(model, 0)), 0
    low, high = wanted.at_least or 0, wanted.at_most if wanted.at_most is not None else float("inf")
    counted = [model for model in named if model in parameters]
    fitting = [model for model in counted if low <= parameters[model] <= high]
    return sorted(fitting, key=parameters.__getitem__), len(named) - len(counted)


_SIDES = ("below", "above")
_KOREAN_UNITS = ("만", "백만", "억")


def _counted(term: Term, frameworks: Sequence[FrameworkChoice]) -> int | None:
    names = term.names if term.kind == "model_name" else ()
    return next((f.parameters[name] for f in frameworks for name in names if name in f.parameters), None)


def _magnitude(number: Term, after: Sequence[Term], message: Message) -> float:
    """A plain number that small can only be millions: "under 5 parameters" is not asked."""
    unit = after[0].key if after else ""
    if unit.startswith("백만") or (after and after[0].kind == "million"):
        return MILLION
    if unit.startswith("만"):
        return 10_000
    return MILLION if (number.amount or 0) < 1000 and number.key[-1:].isdigit() else 1
