"""Whether a message says not to stop or drop something, or only asks about it: neither of them ever does.

Where it is not plain, it counts as refused: to say it again costs a sentence, a training stopped by mistake costs
hours.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from visionai.chat.guessing import distance
from visionai.chat.reading import Message, Term


def refuses(message: Message) -> bool:
    """ "do not stop it", "never cancel anything", "stop it … no, don't", "취소하지 마". In "no, stop it" and "it does
    not learn, stop it" the refusal is of something else."""
    clauses = _clauses(message.everything)
    acting = [index for index, clause in enumerate(clauses) if _acts(clause)]
    if not acting:
        return False
    if any(_negated(clauses[index]) or _negated_in_korean(clauses[index]) for index in acting):
        return True
    taken_back = any(_only_negation(clause) for clause in clauses[acting[0] + 1 :])
    return taken_back or _begins_with_dont(message.everything)


def denies(message: Message) -> bool:
    """Any negation at all: enough where a plain "yes" is expected."""
    return refuses(message) or any(_negates(term, waiting=True) for term in message.everything)


def lets_go_on(message: Message) -> bool:
    """ "let it run", "계속": as an answer to whether it should be stopped."""
    return any(phrase in message.key for phrase in _GOES_ON)


def asks_about(message: Message) -> bool:
    """ "how do I stop it", "should I cancel it?", "학습을 멈춰도 되나요": a question that is no request."""
    if _requests(message):
        return False
    return asked(message) or message.question or _QUESTION.search(_before_act(message)) is not None


def asked(message: Message) -> bool:
    """Does it hold a question mark, or a Korean ending that asks?"""
    mark = any(term.kind == "sep" and term.text == "?" for term in message.everything)
    return mark or _KOREAN_QUESTION.search(_text(message.everything)) is not None


def of_the_past(message: Message) -> bool:
    """ "why did you stop it?" """
    return _PAST.search(_text(message.everything)) is not None


_ACTS = {"cancel", "reset"}
_NAMES = {"dataset_name", "model_name", "framework", "name"}
_WAITING = {"wait", "holdon", "잠깐", "잠시만"}  # "wait, stop it" is a wish to stop
_NEGATIVE = {
    "never", "cannot", "cant", "wont", "shouldnt", "mustnt", "neednt", "wouldnt", "couldnt", "doesnt", "didnt", "isnt",
    "arent", "wasnt", "werent", "havent", "hasnt", "hadnt", "shant", "aint", "neither", "nor", "none", "nothing",
    "nobody", "without", "avoid", "avoiding", "refrain", "refuse", "prevent", "forbid", "forbidden", "dnt",
}  # fmt: skip
_MISSPELLED = ("dont", "donot", "never", "cannot", "not")
_DONT = {"dont", "donot", "never"}
_GOES_ON = (
    "goon", "continue", "keepgoing", "keeprunning", "keepitrunning", "keepon", "keepit", "letitrun", "letitgo",
    "letitfinish", "leaveit", "letitbe", "계속", "놔둬", "놔두", "그냥둬", "내버려",
)  # fmt: skip
_RATHER = re.compile(r"instead of|rather than")
_CLAUSES = {"but", "then", "so", "because", "since", "근데"}
_KOREAN_ACT = re.compile(r"취소|중지|중단|멈[추춰출춤췄춘]|정지|그만|처음부터|초기화")
_KOREAN_BEFORE = re.compile(r"(?:^|\s)(?:안|못|절대|절대로)\s*$")
_KOREAN_AFTER = re.compile(
    r"지\s*마|마(?=$|[\s세요시라])|말[고아라자기]|말$|않|못|(?:^|\s)안(?=$|[\s돼되해할하])|면\s*안|금지|아니|아냐|없|싫"
)
_KOREAN_QUESTION = re.compile(
    r"나요|까요|[을할될출일릴]까|는지|은지|가요|어떻게|방법|하는\s*법|(?:^|\s)왜|가능|수\s*있|되나|되니|도\s*돼|도\s*되|했어|췄어"
)
_QUESTION = re.compile(
    r"\b(?:how|why|whether|when|wonder\w*|what if|what happens|possible|able to|allowed|ways? to"
    r"|(?:should|shall|can|could|may|might|must|do|did|does|am|is|are|was|were|have|has|would|will) "
    r"(?:i|we|it|this|that|one|they|there|somebody|someone|the)\b|did you|do you|have you|are you|were you)\b"
)
_REQUEST = re.compile(
    r"\W*(?:(?:please|ok|okay|hey|hi|hello|and|so|then|now|well|yes)\W+)*(?:can|could|would|will) (?:you|u)\b"
)
_KOREAN_REQUEST = re.compile(r"줄래|주실|주시겠|줄\s*수|주겠|주시면")
_PAST = re.compile(r"\b(?:why|did|have you|has|was|were|who)\b|(?:^|\s)왜|했[어나니]|췄[어나니]|됐[어나니]")


def _requests(message: Message) -> bool:
    text = _text(message.everything)
    return _REQUEST.match(text) is not None or _KOREAN_REQUEST.search(text) is not None


def _clauses(terms: Sequence[Term]) -> list[list[Term]]:
    """Between marks, and before "but" and its like; "and" and "or" carry a "not" on."""

    def parts(term: Term) -> bool:
        return (term.kind == "sep" and not term.text[:1].isalnum()) or term.key in _CLAUSES

    return [list(clause) for ends, clause in itertools.groupby(terms, parts) if not ends]


def _acts(clause: Sequence[Term]) -> bool:
    return any(term.kind in _ACTS for term in clause)


def _negated(clause: Sequence[Term]) -> bool:
    return any(_negates(term) for term in clause) or _RATHER.search(_text(clause)) is not None


def _negates(term: Term, *, waiting: bool = False) -> bool:
    if term.quoted or term.kind in _NAMES:
        return False
    if term.kind == "no":
        return waiting or term.key not in _WAITING
    if term.kind == "unknown" and len(term.key) > 3 and any(distance(term.key[:12], word) < 2 for word in _MISSPELLED):
        return True
    return term.key in _NEGATIVE


def _only_negation(clause: Sequence[Term]) -> bool:
    told = [term for term in clause if term.kind not in ("filler", "link", *_ACTS)]
    return bool(told) and all(_negates(term, waiting=True) for term in told)


def _begins_with_dont(terms: Sequence[Term]) -> bool:
    """ "do not, under any circumstances, stop it"."""
    first = next((term for term in terms if term.kind not in ("filler", "sep", "yes")), None)
    return first is not None and (first.key in _DONT or (first.kind == "unknown" and _negates(first)))


def _negated_in_korean(clause: Sequence[Term]) -> bool:
    text = _text(clause)
    return any(
        _KOREAN_BEFORE.search(text[: act.start()]) or _KOREAN_AFTER.search(text[act.end() :])
        for act in _KOREAN_ACT.finditer(text)
    )


def _before_act(message: Message) -> str:
    terms = message.everything
    end = next((index for index, term in enumerate(terms) if term.kind in _ACTS), len(terms))
    return _text(terms[:end])


def _text(terms: Sequence[Term]) -> str:
    return " ".join(term.text for term in terms if not term.quoted and term.kind not in _NAMES).lower()
