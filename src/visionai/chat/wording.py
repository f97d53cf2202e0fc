"""How a message is worded: Korean numbers that count, the ends of clauses, questions."""

from __future__ import annotations

from collections.abc import Mapping

from visionai.chat.lexicon import meaning_of
from visionai.chat.vocabulary import LEXICON, NUMBER_WORDS, QUESTIONS, Meaning
from visionai.chat.words import Word, has_hangul

RARELY_NUMBERS = {"one", "한", "두", "세", "네", "열", "백"}  # at the end of a sentence
_END_WORDS = {"please", "instead", "then", "now", "plz", "pls", "로", "으로"}


def ends(words: list[Word], end: int) -> bool:
    """Does the clause end here: "make it three", "sixteen, please"?"""
    return end >= len(words) or words[end].kind == "mark" or words[end].key in _END_WORDS


def asks(words: list[Word], *, is_edit: bool) -> bool:
    """Does it begin like a question? "How about ten epochs?" is none (``is_edit``). In Korean the word may stand
    anywhere."""
    polite = (word.kind == "mark" or word.key in _BEFORE_QUESTIONS for word in words)
    start = next((index for index, skipped in enumerate(polite) if not skipped), len(words))
    first, two = words[start].key if start < len(words) else "", "".join(word.key for word in words[start : start + 2])
    if is_edit or two in _REQUESTS:
        return False
    if first in QUESTIONS or two in QUESTIONS:
        return True
    return any(word.key in QUESTIONS for word in words if has_hangul(word.key))


_REQUESTS = {"wouldyou", "wouldlike", "wouldlove", "isthereaway", "whydontyou", "whydontwe", "doyouwant"}
_BEFORE_QUESTIONS = {"so", "and", "but", "ok", "okay", "hi", "hello", "hey", "please", "then", "now", "well", "oh"}


def apart(words: list[Word], lexicon: Mapping[str, Meaning]) -> list[Word]:
    """``다섯번`` and ``세에포크`` as two words; "번" and "회" before "학습" count epochs, as "five passes" do."""
    found: list[Word] = []
    for word in words:
        start = next((size for size in (3, 2, 1) if _counter(word, size, lexicon)), 0)
        if start:
            number, rest = word.key[:start], word.key[start:]
            found += [Word(number, number, "number", float(NUMBER_WORDS[number])), Word(rest, rest, "word")]
        else:
            found.append(word)
    for index in range(1, len(found) - 1):
        before, word, after = found[index - 1 : index + 2]
        counting = before.kind == "number" or (before.key in NUMBER_WORDS and before.key != "한")
        if word.key in ("번", "회") and counting and (meaning_of(LEXICON, after.key, 0) or ("",))[0] == "train":
            found[index] = Word(word.text, "에포크", "word")
            if before.kind != "number":
                found[index - 1] = Word(before.text, before.key, "number", float(NUMBER_WORDS[before.key]))
    return found


def _counter(word: Word, size: int, lexicon: Mapping[str, Meaning]) -> bool:
    """Is it a Korean number of this many syllables with what it counts, or with "to"? "한번" is "just",
    "세번째" an ordinal."""
    number, rest = word.key[:size], word.key[size:]
    if word.kind != "word" or number not in NUMBER_WORDS or not has_hangul(number) or word.key in lexicon:
        return False
    if rest in ("로", "으로"):  # "열로 바꿔줘"; but 세로 is "upright"
        return number not in ("한", "두", "세", "네")
    return rest in ("번", "회") or lexicon.get(rest, ("",))[0] == "setting"
