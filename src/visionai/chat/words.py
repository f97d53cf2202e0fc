"""From characters to words: numbers, quoted names and words, with one spelling for matching.

Everything here is linear in the length of the text: the patterns have bounded repetition and no nesting.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import msgspec

Style = Literal["plain", "percent", "times", "pixels"]


class Word(msgspec.Struct, frozen=True):
    """``text`` as written, ``key`` for matching. ``amount`` is set, and finite, for numbers alone."""

    text: str
    key: str
    kind: Literal["word", "number", "quoted", "mark"]
    amount: float | None = None
    style: Style = "plain"


def squash(text: str) -> str:
    """One spelling of a name or phrase: ``ResNet 18``, ``resnet-18`` and ``resnet18`` are the same."""
    return _squash_cached(text) if len(text) <= 64 else _squash(text)


def expanded(text: str) -> int:
    """Characters to read once compatibility forms are spelled out; one of them can stand for eighteen."""
    return len(unicodedata.normalize("NFKC", text))


def split(text: str, is_setting: Callable[[str], bool]) -> list[Word]:
    """The words of a message. ``is_setting`` says whether a squashed word names a setting, so that ``batch32`` and
    ``10epochs`` come apart while ``resnet18`` stays whole."""
    found: list[Word] = []
    for match in _TOKEN.finditer(_tidy(text)):
        quoted = match["double"] or match["single"]
        if quoted:
            found.append(Word(quoted, squash(quoted), "quoted"))
        elif match["chunk"]:
            found += _chunk(match["chunk"], is_setting)
        else:
            found.append(Word(match[0], "", "mark"))
    return found


def has_hangul(text: str) -> bool:
    return _HANGUL.search(text) is not None


def _squash(text: str) -> str:
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text).casefold())


_squash_cached = lru_cache(maxsize=16_384)(_squash)  # a catalogue has 1,400 names, read for every message
_SEPARATORS = re.compile(r"[\s_\-./,:;()\[\]\"'’“”#]+")
_HANGUL = re.compile(r"[\uac00-\ud7a3\u3131-\u318e]")
_RUNS = re.compile(r"[\uac00-\ud7a3\u3131-\u318e]+|[^\uac00-\ud7a3\u3131-\u318e]+")
_TOKEN = re.compile(
    r"""
      "(?P<double>[^"]{1,200})"
    | (?<!\w)'(?P<single>[^']{1,200})'(?!\w)
    | (?P<chunk>[^\s,;:=!?()\[\]{}<>|"]+)
    | \S
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d{0,30})?|\.\d{1,30})(?:e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_POWER = re.compile(r"10(?:\^|\*\*)(-?\d{1,2})", re.ASCII)
_SQUARE = re.compile(r"(\d{1,6})[x*](\d{1,6})(?:px)?", re.ASCII | re.IGNORECASE)
_GLUED_AFTER = re.compile(r"([a-z_\-]{1,30}?)-?(\d.{0,30})", re.ASCII | re.IGNORECASE)
_STYLES: dict[str, Style] = {"%": "percent", "x": "times", "배": "times", "px": "pixels", "pixels": "pixels"}
_MAGNITUDES = {"": 1, "k": 1000, "m": 1_000_000}
_TRIM = "*'`.…~"


def _tidy(text: str) -> str:
    """Compatibility forms made plain, curly and corner quotes straight, ``1,000`` and ``0,001`` numbers."""
    text = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    text = re.sub(r"(?<![\w.,])0,(?=\d)", "0.", text)
    return re.sub(r"(?<![\w.,])(\d{1,3}),(\d{3})(?![\w,])", r"\1\2", text)


_PLAIN = str.maketrans(
    {"“": '"', "”": '"', "「": '"', "」": '"', "『": '"', "』": '"', "‘": "'", "’": "'", "−": "-", "×": "x"}
)


def _chunk(chunk: str, is_setting: Callable[[str], bool]) -> list[Word]:
    """A run without spaces or punctuation, such as ``digits로``, ``64,`` or ``lr0.01``."""
    number = _number(chunk) or _number(chunk.lstrip("#").rstrip(_TRIM))
    if number:
        return [number]
    words: list[Word] = []
    for run in _RUNS.findall(chunk.strip(_TRIM)):
        words += _run(run, is_setting)
    return [_restyle(words, index) for index in range(len(words)) if not _is_style_of(words, index)]


def _run(run: str, is_setting: Callable[[str], bool]) -> list[Word]:
    number = _number(run)
    if number:
        return [number]
    start = _NUMBER.match(run)
    if start:
        rest = squash(run[start.end() :])
        head = _number(start[0])
        if head and (is_setting(rest) or rest in _STYLES):
            return [head, Word(run[start.end() :], rest, "word")]
    glued = _GLUED_AFTER.fullmatch(run)
    if glued and is_setting(squash(glued[1])):
        tail = _number(glued[2])
        if tail:
            return [Word(glued[1], squash(glued[1]), "word"), tail]
    key = squash(run)
    return [Word(run, key, "word" if key else "mark")]


def _number(text: str) -> Word | None:
    """``1e-3``, ``.5``, ``10k`` (ten thousand), ``5M``, ``20%``, ``2x``, ``224px``, ``224x224``, ``10^-3``."""
    square, power = _SQUARE.fullmatch(text), _POWER.fullmatch(text)
    if square:
        same = int(square[1]) == int(square[2])
        return Word(text, squash(text), "number", float(square[1]), "pixels") if same else None
    if power:
        return Word(text, squash(text), "number", 10.0 ** int(power[1]))
    if text[:1] in ("x", "X") and (times := _NUMBER.fullmatch(text[1:])):
        return Word(text, squash(text), "number", float(times[0]), "times") if math.isfinite(float(times[0])) else None
    match = _NUMBER.match(text)
    if not match:
        return None
    rest = text[match.end() :].lower()
    amount = float(match[0]) * _MAGNITUDES.get(rest, 1)
    if not math.isfinite(amount) or (rest not in _MAGNITUDES and rest not in _STYLES):
        return None
    return Word(text, squash(text), "number", amount, _STYLES.get(rest, "plain"))


def _is_style_of(words: list[Word], index: int) -> bool:
    """``2`` and ``배`` were split as Latin and Hangul; the second only says how the first is meant."""
    return index > 0 and words[index - 1].kind == "number" and words[index].key in _STYLES


def _restyle(words: list[Word], index: int) -> Word:
    word = words[index]
    if word.kind == "number" and index + 1 < len(words) and words[index + 1].key in _STYLES:
        return msgspec.structs.replace(word, style=_STYLES[words[index + 1].key])
    return word
