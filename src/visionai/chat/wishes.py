"""Two trainings in one message: the first is drafted, the rest is given back to be said next.

A message is cut where a second wish begins: after a comma or "then", or at its own "train"; in Korean behind the first
"학습하고". Both sides must be wishes of their own, so "train resnet18 on digits, then with sgd" stays one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from visionai.chat.reading import Message, Term
from visionai.chat.types import Language

_WISHES = {"train", "verb"}
_NAMES = {"model_name", "dataset_name"}
_SPACE_BEFORE_MARK = re.compile(r"\s+(?=[,;.!?])")
_JOINING = {"sep", "link", "make"}


def first_wish(message: Message) -> tuple[Message, str]:
    """The message up to its second wish, and that wish in the user's words; empty where there is one only."""
    terms = message.terms
    before: set[str] = set()
    behind = _behind(terms)
    for cut in range(1, len(terms)):
        before.add(terms[cut - 1].kind)
        if terms[cut - 1].kind == "change":
            break  # "instead of A, train B"
        if _may_cut(terms, cut, message.language) and _two_wishes(before, behind[cut]):
            return msgspec.structs.replace(message, terms=terms[:cut]), _said(message, terms[cut])
    return message, ""


def _behind(terms: Sequence[Term]) -> list[set[str]]:
    """The kinds of terms from each place on; "unknown name" for an unknown word where a name belongs."""
    found: list[set[str]] = [set()]
    for index in range(len(terms) - 1, -1, -1):
        term = terms[index]
        kinds = {term.kind, "wish"} if term.kind in _WISHES or term.key == "another" else {term.kind}
        if term.kind in ("train", "on") and index + 1 < len(terms) and terms[index + 1].kind == "unknown":
            kinds.add("unknown name")
        found.append(found[-1] if kinds <= found[-1] else found[-1] | kinds)
    return found[::-1]


def _may_cut(terms: Sequence[Term], cut: int, language: Language) -> bool:
    before, here = terms[cut - 1], terms[cut]
    own_verb = before.kind == "train" if language == "ko" else here.kind == "train"
    return here.kind not in _JOINING and (before.kind == "sep" or own_verb)


def _two_wishes(ours: set[str], theirs: set[str]) -> bool:
    if ours >= _NAMES and theirs >= _NAMES:
        return True
    if not ours & _WISHES or not ours & _NAMES or "wish" not in theirs:
        return False
    return bool(ours & theirs & _NAMES) or "unknown name" in theirs


def _said(message: Message, start: Term) -> str:
    words = [f'"{term.text}"' if term.quoted else term.text for term in message.everything[start.at :]]
    return _SPACE_BEFORE_MARK.sub("", " ".join(words)).strip()
