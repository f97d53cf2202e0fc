"""The meaning of a phrase: the vocabulary, with what the frameworks themselves bring to it."""

from __future__ import annotations

from visionai.chat.types import Context
from visionai.chat.vocabulary import PRESET_WORDS, Meaning
from visionai.chat.words import has_hangul, squash

_MAX_STEM = 12  # syllables of a Korean word that are looked at
_NEGATIONS = ("지마", "지말", "지않")  # 시작하지마: the stem says start, the ending says don't
_TOLD_APART = ("cancel", "reset")  # 취소하지마 is answered as what it is: see refusing.py
# Values that mean something only beside their setting.
_VAGUE = {
    "none", "auto", "true", "false", "on", "off", "no", "yes", "default", "light", "medium", "heavy", "strong", "low",
    "high", "small", "large", "step", "linear", "constant", "best", "last", "min", "max", "full", "all", "mean", "sum",
}  # fmt: skip


def meaning_of(lexicon: dict[str, Meaning], key: str, stem: int) -> Meaning | None:
    """The phrase itself, or for Korean the longest beginning of it that reaches into its last word."""
    found = lexicon.get(key)
    if found or not has_hangul(key[-1:]):
        return found
    shortest = max(2, stem + 1)
    for end in range(min(len(key) - 1, stem + _MAX_STEM), shortest - 1, -1):
        if key[:end] in lexicon:
            refused = any(ending in key[end:] for ending in _NEGATIONS) and lexicon[key[:end]][0] not in _TOLD_APART
            return ("no", "") if refused else lexicon[key[:end]]
    return None


def of_frameworks(context: Context) -> dict[str, Meaning]:
    """What the frameworks themselves bring: their names, presets, settings, and values that speak for themselves."""
    lexicon: dict[str, Meaning] = {}
    for framework in context.frameworks:
        for name, prop in framework.schema.get("properties", {}).items():
            for value in prop.get("enum", []):
                if isinstance(value, str) and len(value) > 2 and value not in _VAGUE:
                    lexicon[squash(value)] = ("option", f"{name}={value}")
            for spelled in (prop.get("title", ""), name):
                if len(squash(spelled)) > 1:
                    lexicon[squash(spelled)] = ("setting", name)
        for preset in framework.presets:
            for word in (preset, *PRESET_WORDS.get(preset, ())):
                lexicon[squash(word)] = ("preset_name", preset)
        lexicon[squash(framework.framework)] = ("framework", framework.framework)
    return lexicon
