"""Limits in a message: how long it may take, which checkpoints are kept, how often it is tried again.

A limit is one term, ``stop`` and ``retry`` included, so that no rule takes them for wishes about a running training.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec
from msgspec import inspect

from visionai.chat.messages import say
from visionai.chat.reading import Message, Term
from visionai.chat.types import Draft, Language
from visionai.chat.vocabulary import NUMBER_WORDS
from visionai.chat.words import has_hangul
from visionai.jobs.policy import Policy

MAX_LIMITS = 20  # a message; what is beyond is left out and said
TIME, KEEP, RETRIES = "time_limit_seconds", "keep_every", "max_retries"


def with_limits(message: Message) -> Message:
    """The message with each limit as a term of kind ``limit``: ``value`` its field, ``amount`` None where it is lifted.
    Of a wish for a training, "stop it if …" that is no limit becomes a term of kind ``left``: to be left out and said.
    """
    if message.question or message.has("models", "params", "million"):
        return message
    terms = message.everything
    for field, pattern, read in _PATTERNS:
        terms = _replaced(terms, field, pattern, read)
    terms = _without_conditions(terms)
    if terms is message.everything:
        return message
    terms = [msgspec.structs.replace(term, at=index) for index, term in enumerate(terms)]
    return msgspec.structs.replace(message, everything=terms, terms=[term for term in terms if term.kind != "filler"])


def limited(draft: Draft, term: Term, language: Language) -> tuple[Draft, str]:
    """The draft under the limit, or what is wrong with it: the same bounds hold as for the API."""
    amount = int(term.amount) if term.amount is not None and term.amount.is_integer() else term.amount
    given = {**msgspec.to_builtins(draft.policy or Policy()), term.value: amount}
    try:
        policy = msgspec.convert(given, Policy)
    except msgspec.ValidationError:
        name, taken = say(language, f"limit_{term.value}"), _bounds(term.value, language)
        return draft, say(language, "value_refused", name=name, value=term.text, bounds=taken)
    return msgspec.structs.replace(draft, policy=policy if policy != Policy() else None), ""


def limits_text(policy: Policy | None, language: Language) -> str:
    """ "at most 2 h, a checkpoint kept every 5 epochs, at most 3 retries"; empty where there is none."""
    if policy is None:
        return ""
    said = []
    if policy.time_limit_seconds is not None:
        said.append(say(language, "said_time_limit", time=spelled(policy.time_limit_seconds, language)))
    if policy.keep_every is not None:
        key = "said_keep_every" if policy.keep_every > 1 else "said_keep_each"
        said.append(say(language, key, count=policy.keep_every))
    if policy.max_retries is not None:
        said.append(
            say(language, "said_retries" if policy.max_retries else "said_no_retries", count=policy.max_retries)
        )
    return ", ".join(said)


def spelled(seconds: float, language: Language) -> str:
    """ "1 h 30 min"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [("hours", hours), ("minutes", minutes), ("seconds", rest)]
    return " ".join(say(language, unit, count=f"{count:,}") for unit, count in parts if count)


def _bounds(field: str, language: Language) -> str:
    info = inspect.type_info(Policy)
    assert isinstance(info, inspect.StructType)
    kind = next(known.type for known in info.fields if known.name == field)
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    number = next(known for known in kinds if isinstance(known, inspect.IntType | inspect.FloatType))
    shown: Callable[[float], str] = (lambda n: spelled(n, language)) if field == TIME else (lambda n: f"{n:,}")
    low, high = shown(number.ge or 0), shown(number.le or 0)
    return f"{say(language, 'bounds_low', value=low)}, {say(language, 'bounds_high', value=high)}"


# ── what limits look like ──

_WORDS = "|".join(sorted((word for word in NUMBER_WORDS), key=len, reverse=True))
_COUNT = rf"(?:[+-]?\d{{1,9}}(?:\.\d{{1,6}})?|{_WORDS})"
_UNITS = {
    "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600, "시간": 3600, "m": 60, "min": 60, "mins": 60,
    "minute": 60, "minutes": 60, "분": 60, "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "초": 1,
    "d": 86400, "day": 86400, "days": 86400, "week": 604_800, "weeks": 604_800,
}  # fmt: skip
_UNIT = "|".join(sorted(_UNITS.keys() - {"m"}, key=len, reverse=True))
_PART = rf"(?:(?:{_COUNT}|half an?|an?)[\s-]*(?:{_UNIT})(?![a-z]))"
_SHORT = r"(?:\d{1,4}\s?h\s?)?\d{1,6}\s?m(?![a-z])"  # 5M alone is a number of parameters
_TIME = rf"(?P<time>\d{{1,4}}\s?h\s?\d{{1,2}}\s?m(?![a-z])|{_PART}(?:\s*(?:and\s+)?{_PART}){{0,3}})"
_TIME_OR_SHORT = rf"(?P<time>{_SHORT}|{_TIME.removeprefix('(?P<time>')}"
_IT = r"(?:\s+(?:it|this|that|training|the (?:training|run|job)))?"
_NOUN = r"(?:a |an |the |its )?(?:(?:time|run|training)[\s-]?(?:time )?limit|limit of time|maximum time|max time)"
_MOST = r"(?:at most|up to|(?:no|not) (?:longer|more) than|(?:a )?max(?:imum)?(?: of)?|less than|under|within)"
_STOP = r"(?:(?:and|but|then) )?(?:stop|stops|stopping|halt|abort|end|cancel|kill|quit|terminate)"
_SET = r"(?:\s*(?:to|of|is|be|at|as|:|=|은|는|을|를)){0,3}"
_LIFT = r"(?:no|without|remove|drop|delete|clear|lift|cancel|unset|forget|get rid of)(?: an?y?| the)?"
_LIFT_KO = r"\s*(?:없이|없음|없애|없는|해제|빼|풀어|삭제)[가-힣]*"
_EPOCHS = r"(?:epochs?|epocs?|에포크|에폭)"
_KEEP = r"(?:keep|save|store|retain|write)(?:ing|s)?"
_POINT = r"(?:an? |one |the )?(?:checkpoints?|snapshots?)"
_STOP_KO = (
    r"(?:학습\S*\s*)?(?!\S+\s*(?:마|말|않))(?!\S*지[마말않])"  # "10분 뒤에 멈추지 마"
    r"(?:멈[추춰]|중지|중단|정지|그만|종료|끝)[가-힣]*(?: ?(?:해줘|해주세요|해|줘))?"
)
_TIME_KO = r"(?:시간\s*제한|제한\s*시간|최대\s*시간)"


def _seconds(match: re.Match[str]) -> float | None:
    said = match.groupdict().get("time")
    if said is None:
        return None
    return sum(_number(count) * _UNITS[unit] for count, unit in _PARTS.findall(said))


def _count(match: re.Match[str]) -> float | None:
    said = match.groupdict().get("count")
    return _number(said) if said else None


def _every(match: re.Match[str]) -> float | None:
    return _count(match) if match["count"] else 1.0


def _retries(match: re.Match[str]) -> float | None:
    count = _count(match)
    return count if count is not None else _number(match.groupdict().get("times") or "0")


def _number(said: str) -> float:
    known = {
        "once": 1,
        "twice": 2,
        "thrice": 3,
        "a": 1,
        "an": 1,
        "half a": 0.5,
        "half an": 0.5,
        "other": 2,
        "single": 1,
    }
    return float(known[said] if said in known else NUMBER_WORDS.get(said, said))


def _any(*patterns: str) -> list[re.Pattern[str]]:
    return [re.compile(rf"(?<![\w.]){pattern}(?![\w])") for pattern in patterns]


_PARTS = re.compile(rf"({_COUNT}|half an?|an?)[\s-]*({_UNIT}|m)(?![a-z])")
_COUNTED = rf"(?P<count>{_COUNT})"
_EVERY = rf"(?:every|each)\s*(?P<count>{_COUNT}|other|single)?(?:th|nd|rd)?\s*{_EPOCHS}"
_READERS: list[tuple[str, list[re.Pattern[str]], Callable[[re.Match[str]], float | None]]] = [
    (TIME, _any(
        rf"{_LIFT} (?:time |run )?limits?(?: of time)?", rf"{_NOUN}\s*(?:to|:|=)?\s*(?:off|none)", r"unlimited time",
        rf"{_TIME_KO}[은는을를]?{_LIFT_KO}",
    ), _seconds),
    (TIME, _any(
        rf"{_STOP}{_IT} (?:after|in|at|within)(?: {_MOST})? {_TIME_OR_SHORT}",
        rf"(?:(?:and )?(?:set|change|raise|lower|make|with|and|use) )?{_NOUN}{_SET}\s*{_TIME_OR_SHORT}(?: instead)?",
        rf"limit(?:ed)?{_IT}(?: time)? to {_TIME}",
        rf"(?:(?:for|in|run|finish(?:ed)?|done) )?{_MOST} {_TIME}(?: {_NOUN})?",
        rf"(?:with |and )?(?:an? )?{_TIME} (?:{_NOUN}|limit|max(?:imum)?|at most|tops)",
        rf"(?:최대|최장)\s*{_TIME}(?:까지만?|만|으로|동안만?)?",
        rf"{_TIME}\s*(?:이내[에로]?|안에|이하로?|미만으로?|까지만?|동안만|만)",
        rf"{_TIME}\s*(?:후|뒤|지나면|넘으면|되면|이 지나면|이 넘으면)에?\s*{_STOP_KO}",
        rf"{_TIME}\s*(?:을|를)?\s*(?:넘지 않게|넘기지 않게|제한)(?:으로)?",
        rf"{_TIME_KO}{_SET}\s*{_TIME}(?:으로|로)?",
    ), _seconds),
    (KEEP, _any(
        rf"{_LIFT} (?:extra|kept|additional) checkpoints?",
        rf"{_KEEP} only the (?:last and(?: the)? best|best and(?: the)? last)(?: checkpoints?)?",
    ), _count),
    (KEEP, _any(
        rf"(?:(?:and|but) )?(?:{_KEEP} )?{_POINT}(?: (?:of|for|at|from))? {_EVERY}(?: instead)?",
        rf"(?:(?:and|but) )?{_KEEP} {_EVERY}(?:'s)?(?: checkpoints?)?(?: instead)?",
        rf"{_EVERY}\s*,?\s*{_KEEP} {_POINT}",
        rf"{_COUNTED}\s*{_EPOCHS}\s*마다\s*체크\s*포인트\S*(?:\s*(?:저장|보관|남[겨기]|유지)[가-힣]*)?",
        rf"체크\s*포인트[는를을]?\s*{_COUNTED}\s*{_EPOCHS}\s*마다(?:\s*(?:저장|보관|남[겨기]|유지)[가-힣]*)?",
    ), _every),
    (RETRIES, _any(
        r"(?:no|without(?: any)?|zero|0) (?:automatic )?(?:retries|retry|retrying)",
        r"(?:don'?t|do not|never|not) (?:retry|retrying|try (?:it )?again)(?: it)?",
        r"재시도[는를]?\s*(?:없이|없음|없는|하지\s*마[가-힣]*|안\s*[가-힣]+|금지)",
        rf"(?:(?:and|but) )?(?:retry|retries|retrying|try again){_IT}{_SET}(?:\s*(?:up to|at most|max|maximum))?\s*"
        rf"(?:{_COUNTED}(?: times?)?|(?P<times>once|twice|thrice))(?: instead)?",
        rf"(?:(?:max|maximum|number of)\s+)retries{_SET}\s*{_COUNTED}(?: instead)?",
        rf"(?:(?:with|and) )?(?:{_MOST} )?{_COUNTED} (?:automatic )?(?:retries|retry)",
        rf"재시도[는를]?\s*(?:최대\s*)?{_COUNTED}\s*(?:번|회)(?:까지)?(?:만)?",
        rf"(?:최대\s*)?{_COUNTED}\s*(?:번|회)(?:까지)?\s*(?:만\s*)?재시도",
    ), _retries),
]  # fmt: skip
_PATTERNS = [(field, pattern, read) for field, patterns, read in _READERS for pattern in patterns]
_NO_WISH = re.compile(r"(?:not|n'?t|never|no|without|dont)\s*$|\bif\b[^,;.]{0,40}$")
_NAMES = {"dataset_name", "model_name", "framework", "name"}


def _replaced(
    terms: list[Term], field: str, pattern: re.Pattern[str], read: Callable[[re.Match[str]], float | None]
) -> list[Term]:
    text, starts = _joined(terms)
    match = pattern.search(text)
    while match and sum(term.kind == "limit" for term in terms) < MAX_LIMITS:
        begin = match.end() - len(match[0].lstrip())
        first = max(index for index, start in enumerate(starts) if start <= begin)
        end = next((index for index, start in enumerate(starts) if start >= match.end()), len(terms))
        if _NO_WISH.search(text[: match.start()]):  # "don't stop after 10 minutes", "yes, if it takes under an hour"
            match = pattern.search(text, match.end())
            continue
        said = " ".join(term.text for term in terms[first:end])
        terms = [*terms[:first], Term("limit", said, match[0], value=field, amount=read(match)), *terms[end:]]
        text, starts = _joined(terms)
        match = pattern.search(text)
    return terms


def _joined(terms: Sequence[Term]) -> tuple[str, list[int]]:
    """The text of the terms, names and limits that are read already blanked, and where each begins."""
    parts, starts, length = [], [], 0
    for term in terms:
        hidden = term.quoted or term.kind in _NAMES or term.kind == "limit"
        parts.append("\x00" if hidden else term.text.lower())
        starts.append(length)
        length += len(parts[-1]) + 1
    return " ".join(parts), starts


_WISHES = {"train", "finetune", "retrain", "trainagain"}


def _without_conditions(terms: list[Term]) -> list[Term]:
    """ "train … on … and stop it if it overfits": everything from the verb to the end of its clause."""
    wish = next((index for index, term in enumerate(terms) if _wishes(term)), len(terms))
    stop = next((index for index in range(wish, len(terms)) if terms[index].kind == "cancel"), len(terms))
    if not any(term.kind in _NAMES for term in terms[wish:stop]) or stop == len(terms):
        return terms
    start = stop - 1 if terms[stop - 1].kind == "no" else stop
    ends = (index for index in range(stop, len(terms)) if terms[index].kind == "sep" and terms[index].text in ",;.!?")
    end = next(ends, len(terms))
    said = " ".join(term.text for term in terms[start:end])
    return [*terms[:start], Term("left", said, "left"), *terms[end:]]


def _wishes(term: Term) -> bool:
    if term.kind == "train" and has_hangul(term.text):
        return term.text.endswith(("해줘", "하고", "해", "시켜줘", "시키고", "해주고"))
    return term.kind == "verb" or (term.kind == "train" and term.key in _WISHES)
