"""From words to terms: what each phrase of a message means in this context.

A phrase is the longest run of words that is a name (data set, model, framework) or stands in the vocabulary, the words
of the trainers' own schemas included. A name that is also an ordinary word ("train", "10") counts only in quotes or
where a data set is expected ("on train", "the train data").
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from visionai.chat.guessing import GUESSABLE, MAX_LOOKUPS, closest
from visionai.chat.lexicon import meaning_of, of_frameworks
from visionai.chat.types import Context, FrameworkChoice, Language
from visionai.chat.vocabulary import LEXICON, NUMBER_WORDS, Meaning
from visionai.chat.wording import RARELY_NUMBERS, apart, asks, ends
from visionai.chat.words import Word, has_hangul, split, squash

MAX_PHRASE = 12  # words in a name
_MAX_VOCABULARY = 5  # words in any other phrase


class Term(msgspec.Struct, frozen=True):
    """A phrase with its meaning. ``names`` are data set ids or model names; ``amount`` is a number's value; ``read_as``
    is the word that a misspelled one was taken for; ``at`` is its place among all terms of the text."""

    kind: str
    text: str
    key: str
    value: str = ""
    names: tuple[str, ...] = ()
    amount: float | None = None
    style: str = "plain"
    quoted: bool = False
    read_as: str = ""
    at: int = 0


class Message(msgspec.Struct, frozen=True):
    """``terms`` without the words that say nothing, ``everything`` with them; ``key`` is the whole text squashed.

    ``question``: does it ask something, rather than wish for something?
    """

    terms: list[Term]
    key: str
    language: Language
    everything: list[Term] = []
    question: bool = False

    def has(self, *kinds: str) -> bool:
        return any(term.kind in kinds for term in self.terms)

    def all(self, kind: str) -> list[Term]:
        return [term for term in self.terms if term.kind == kind]

    def only(self, *kinds: str) -> bool:
        """Is there something, and nothing but these? Separators and links do not count."""
        content = [term.kind for term in self.terms if term.kind not in GRAMMAR]
        return bool(content) and set(content) <= set(kinds)

    def guessed(self) -> list[Term]:
        return [term for term in self.terms if term.read_as]


GRAMMAR = {"sep", "link", "on", "params", "make", "thanks"}


def read(text: str, context: Context) -> Message:
    reader = _Reader(context)
    words = apart(split(text, reader.is_setting), reader.lexicon)
    terms: list[Term] = []
    position, before = 0, None
    while position < len(words):
        term, position = reader.next(words, position, before)
        term = msgspec.structs.replace(term, at=len(terms))
        terms.append(term)
        before = before if term.kind in ("filler", "link") else term
    own_words = " ".join(term.text for term in terms if term.kind not in ("dataset_name", "model_name", "framework"))
    letters = any(character.isalpha() for character in own_words)
    language: Language = "ko" if has_hangul(own_words) else "en" if letters else context.language
    telling = [term for term in terms if term.kind != "filler"]
    return Message(
        telling, squash(text), language, terms, asks(words, is_edit=any(term.kind == "make" for term in telling))
    )


def offered(context: Context) -> list[FrameworkChoice]:
    """The frameworks that can be trained with now or soon, ready ones first."""
    known = [framework for framework in context.frameworks if framework.status in ("ready", "installing")]
    return sorted(known, key=lambda framework: framework.status != "ready")


def without_particle(word: str) -> list[str]:
    """The word itself, and what is left of it without a Korean particle: 꽃으로 is also 꽃 and 꽃으."""
    return [
        word,
        *(word.removesuffix(particle) for particle in _PARTICLES if word.endswith(particle) and word != particle),
    ]


class _Reader:
    def __init__(self, context: Context) -> None:
        self.datasets = _by_key((d.name, d.id) for d in context.datasets)
        self.names_of = {d.id: d.name for d in context.datasets}
        self.dataset_ids = {squash(d.id): (d.id,) for d in context.datasets}
        self.models = _by_key((model, model) for f in context.frameworks for model in f.models)
        self.lexicon = of_frameworks(context) | LEXICON
        words = {word: meaning for word, meaning in self.lexicon.items() if meaning[0] in GUESSABLE}
        self.guessable: dict[str, object] = {**self.models, **self.datasets, **words}
        self.value_asked = (context.pending or "").startswith("config.")
        self.guesses: dict[str, str | None] = {}
        self.longest = min(MAX_PHRASE, max([_MAX_VOCABULARY, *(_length(key) for key in self._spelled(context))]))

    def is_setting(self, key: str) -> bool:
        return self.lexicon.get(key, ("",))[0] == "setting"

    def next(self, words: list[Word], start: int, before: Term | None) -> tuple[Term, int]:
        """The term at ``start`` and where the one after it begins."""
        word = words[start]
        if word.kind == "mark":
            kind = "link" if word.text in "=:" else "sep" if word.text in ",;.!?" else "filler"
            return Term(kind, word.text, word.text), start + 1
        if word.kind == "quoted":
            return self._quoted(word), start + 1
        keys = _joined(words, start, self.longest)
        for length in range(len(keys), 0, -1):
            if words[start + length - 1].kind == "mark":
                continue
            term = self._name(words, start, keys, length) or self._phrase(words, start, keys, length, before)
            if term and term.kind == "name":
                return _naming(words, start + length)
            if term:
                return term, start + length
        if word.kind == "number":
            return Term("number", word.text, word.key, amount=word.amount, style=word.style), start + 1
        return self._misspelled(words, start, keys) or (Term("unknown", word.text, word.key), start + 1)

    def _misspelled(self, words: list[Word], start: int, keys: list[str]) -> tuple[Term, int] | None:
        """``resnt18`` and ``resnt 18``; a name where it is one, otherwise a word of the vocabulary."""
        for length in (2, 1):
            end = start + length
            if len(keys) < length:
                continue
            meant = self._guess(keys[length - 1])
            counts = length > 1 and words[end - 1].kind == "number" and self._counts_something(words, end)
            if meant is None or counts or any(word.kind == "mark" for word in words[start:end]):
                continue
            text = " ".join(word.text for word in words[start:end])
            kind, value = self.lexicon.get(meant, ("", ""))
            datasets, models = self.datasets.get(meant, ()), self.models.get(meant, ())
            if kind in GUESSABLE:
                said = value.replace("_", " ") if kind == "setting" else meant
                return Term(kind, text, meant, value=value, read_as=said), end
            if datasets and (not models or self._data_is_expected(words, start, end)):
                return Term("dataset_name", text, meant, names=datasets, read_as=self.names_of[datasets[0]]), end
            return Term("model_name", text, meant, names=models, read_as=models[0]), end
        return None

    def _guess(self, key: str) -> str | None:
        if key not in self.guesses and len(self.guesses) < MAX_LOOKUPS and key not in self.lexicon:
            exact = key in self.datasets or key in self.models  # refused as it stands: it is meant otherwise
            self.guesses[key] = None if exact else closest(key, self.guessable)
        return self.guesses.get(key)

    def _quoted(self, word: Word) -> Term:
        names = self.datasets.get(word.key, ()) or self.dataset_ids.get(word.key, ())
        if names:
            return Term("dataset_name", word.text, word.key, names=names, quoted=True)
        if word.key in self.models:
            return Term("model_name", word.text, word.key, names=_exact(word.text, self.models[word.key]), quoted=True)
        return Term("unknown", word.text, word.key, quoted=True)

    def _name(self, words: list[Word], start: int, keys: list[str], length: int) -> Term | None:
        key, end = keys[length - 1], start + length
        text = " ".join(word.text for word in words[start:end])
        if length > 1 and words[end - 1].kind == "number" and self._counts_something(words, end):
            return None
        expected = self._data_is_expected(words, start, end)
        datasets = self._lookup(self.datasets, key, words[end - 1]) or self.dataset_ids.get(key, ())
        number = words[start].kind == "number" and length == 1
        word = self.lexicon.get(key, ("small", ""))[0] != "small"  # a model may well be called "tiny"
        shy = number or len(key) == 1 or word or key in NUMBER_WORDS
        if datasets and (expected or (not shy and key not in self.models)):
            return Term("dataset_name", text, key, names=datasets)
        models = self._lookup(self.models, key, words[end - 1])
        if models and not shy:
            return Term("model_name", text, key, names=_exact(text, models))
        return None

    def _phrase(self, words: list[Word], start: int, keys: list[str], length: int, before: Term | None) -> Term | None:
        key = keys[length - 1]
        text = " ".join(word.text for word in words[start : start + length])
        counts = key in NUMBER_WORDS and (self._counts_something(words, start + length) or self._counted(before))
        if counts or (key in NUMBER_WORDS and self._may_end_with(key) and ends(words, start + length)):
            return Term("number", text, key, amount=float(NUMBER_WORDS[key]), style="plain")
        if length > _MAX_VOCABULARY or any(word.kind == "mark" for word in words[start : start + length]):
            return None
        if words[start].kind == "number" and length == 1:
            return None
        stem = len(keys[length - 2]) if length > 1 else 0
        meaning = meaning_of(self.lexicon, key, stem)
        if meaning is None and length == 1 and key in NUMBER_WORDS:
            meaning = ("filler", "")
        return Term(meaning[0], text, key, value=meaning[1]) if meaning else None

    def _may_end_with(self, number: str) -> bool:
        return self.value_asked or number not in RARELY_NUMBERS

    def _counts_something(self, words: list[Word], end: int) -> bool:
        """Is the number that ends here followed by what it counts: "3 epochs", "두 배", but not "18 epochs 5"?"""
        kinds = [kind for kind, _ in self._ahead(words, end)]
        return bool(kinds) and kinds[0] in ("setting", "times") and "number" not in kinds[1:3]

    def _ahead(self, words: list[Word], start: int) -> Iterable[Meaning]:
        for position in range(start, min(start + 3, len(words))):
            word = words[position]
            meaning = meaning_of(self.lexicon, word.key, 0) if word.kind != "number" else ("number", "")
            yield meaning or self.lexicon.get(self._guess(word.key) or "", ("unknown", ""))

    @staticmethod
    def _counted(before: Term | None) -> bool:
        return before is not None and before.kind == "setting"

    def _data_is_expected(self, words: list[Word], start: int, end: int) -> bool:
        before = words[start - 1].key if start else ""
        after = words[end].key if end < len(words) else ""
        return before in ("on", "from", "dataset", "data", "called", "데이터", "데이터셋") or (
            after in ("dataset", "datasets", "data", "images", "photos", "pictures") or after.startswith("데이터")
        )

    @staticmethod
    def _lookup(names: dict[str, tuple[str, ...]], key: str, last: Word) -> tuple[str, ...]:
        """With or without the Korean particle that the last word may carry (꽃을, 꽃으로)."""
        stems = without_particle(key) if has_hangul(last.key[-1:]) else [key]
        return next((names[stem] for stem in stems if stem in names), ())

    @staticmethod
    def _spelled(context: Context) -> Iterable[str]:
        yield from (dataset.name for dataset in context.datasets)


_PARTICLES = (
    "으로",
    "에서",
    "에게",
    "까지",
    "로",
    "을",
    "를",
    "은",
    "는",
    "이",
    "가",
    "의",
    "에",
    "와",
    "과",
    "도",
    "만",
)


def _naming(words: list[Word], start: int) -> tuple[Term, int]:
    """``call it first try``: the name is what is quoted, else all up to the next mark; in Korean one word."""
    end = start
    while end < len(words) and words[end].kind not in ("mark", "quoted") and end - start < MAX_PHRASE:
        end += 1
    if end == start and end < len(words) and words[end].kind == "quoted":
        end += 1
    elif end > start and has_hangul(words[start - 1].key):
        end = start + 1
    name = " ".join(word.text for word in words[start:end])
    return Term("name" if name else "filler", name, squash(name), value=name[:100]), end


def _by_key(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Squashed name -> everything spelled so, in the order given, once."""
    names: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        key = squash(name)
        if key and value not in names.get(key, ()):
            names[key] = (*names.get(key, ()), value)
    return names


def _exact(text: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if text in names else names


@lru_cache(maxsize=4096)
def _length(name: str) -> int:
    return len(split(name, lambda _: False))


def _joined(words: list[Word], start: int, longest: int) -> list[str]:
    """Squashed phrases from ``start``: of one word, of two, … A phrase ends before a quoted name; marks join names
    such as ``Cells: v2 (2024)`` and never end one."""
    keys, key = [], ""
    for word in words[start : start + longest]:
        if word.kind == "quoted":
            break
        key += word.key
        keys.append(key)
    return keys
