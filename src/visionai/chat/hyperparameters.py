"""Settings in a message: which hyperparameter is meant, which value, and whether the trainer's schema takes it.

Works on any schema: a setting is found by the names trainers commonly use for it, by its key and by its title; values
are checked by ``trainers.contract.validate_config``, and a value that is refused leaves the old one in place.
"""

from __future__ import annotations

from typing import Any

import msgspec

from visionai.chat.messages import label, say
from visionai.chat.reading import Term
from visionai.chat.schema import (
    NEVER_OFF,
    NOTHING,
    bounds,
    concept_of,
    find_key,
    kinds,
    listed_value,
    off_value,
    on_value,
    properties,
    typed,
)
from visionai.chat.types import Config, FrameworkChoice, Language
from visionai.errors import FieldError
from visionai.trainers.contract import validate_config


class Outcome(msgspec.Struct):
    """The new config, what was refused and why, and the indexes of the terms that were used up (refused ones too).

    ``changed`` are the keys that were set, or set back to their defaults (``defaulted``); ``asked`` those whose value
    was refused or left open, and still is.
    """

    config: Config
    errors: list[FieldError] = []
    used: set[int] = set()
    changed: list[str] = []
    defaulted: list[str] = []
    asked: list[str] = []


def apply_settings(terms: list[Term], framework: FrameworkChoice, config: Config, language: Language) -> Outcome:
    """Read ``terms`` from left to right into ``config``."""
    reader = _Settings(terms, framework, config, language)
    for index in range(len(terms)):
        if index not in reader.outcome.used:
            reader.read(index)
    return reader.outcome


_COUNTED_IN_EPOCHS = {"patience", "warmup"}  # "early stopping after 5 epochs"


class _Settings:
    def __init__(self, terms: list[Term], framework: FrameworkChoice, config: Config, language: Language) -> None:
        self.terms = terms
        self.framework = framework
        self.schema = framework.schema
        self.language = language
        self.outcome = Outcome(dict(config))
        self.last: str | None = None  # the key that was last set or refused

    def read(self, index: int) -> None:
        term = self.terms[index]
        match term.kind:
            case "number":
                self._number(index)
            case "scale":
                self._scale(index)
            case "off" | "no" | "enable" | "default" | "unset" | "reset":
                self._switch(index)
            case "elsewhere" if term.value == "change":  # "delete the seed"
                self._switch(index)
            case "option":
                setting, _, value = term.value.partition("=")
                self._put(setting, value, term.text, [index])
            case "setting":
                self._setting(index)

    # ── what stands before the setting ──

    def _number(self, index: int) -> None:
        """``20 epochs``, ``5 more epochs``, ``add 5 epochs``, ``10 times lower learning rate``, ``224px``."""
        term, path = self.terms[index], [index]
        before = self._kind(index - 1) if self._kind(index - 1) in ("up", "down") else None
        if term.style == "pixels" and self._kind(index + 1) != "setting":
            return self._put("image_size", term.amount, term.text, path)
        times = self._kind(index + 1) == "times"
        after = self._kind(index + 1 + times)
        target = index + 1 + times + (after in ("up", "down"))
        if self._kind(target) != "setting" or target in self.outcome.used:
            return None
        if self._kind(index - 1) == "all":
            return None  # "every 5 epochs" says how often, of something else
        direction = after if after in ("up", "down") else before
        setting, path = self.terms[target].value, [*range(index - (before is not None), target + 1)]
        if setting != "epochs" and direction is None and self._number_follows(target):
            return None  # "resnet 20 lr 0.1": the number behind belongs to the setting
        return self._amount(setting, term, direction, path, times=times, relative=direction is not None)

    def _scale(self, index: int) -> None:
        target = self._skip(index + 1, "link", "on", "up", "down")
        if self._kind(target) == "setting":
            factor = float(self.terms[index].value)
            self._scale_by(self.terms[target].value, factor, [*range(index, target + 1)])

    def _switch(self, index: int) -> None:
        """``no augmentation``, ``don't use mixup``, ``turn on mixed precision``, ``default learning rate``, ``drop the
        seed``."""
        target = self._skip(index + 1, "on", "link")
        if self._kind(target) != "setting" or (self.terms[index].kind == "no" and self._number_follows(target)):
            return
        path = [*range(index, target + 1)]
        self._toggle(self.terms[target].value, self.terms[index].kind, path)

    # ── a setting, and what stands after it ──

    def _setting(self, index: int) -> None:
        setting = self.terms[index].value
        if self._kind(index - 1) == "number" and self._kind(index - 2) == "all":
            return  # as in _number: left over, to be named
        direction = self._kind(index - 1) if self._kind(index - 1) in ("up", "down") else None
        path = [index - 1, index] if direction else [index]
        after = self._skip(self._skip_comma(index + 1), "link", "by", "up", "down", "on")
        between = [self.terms[position].kind for position in range(index + 1, min(after, len(self.terms)))]
        direction = direction or next((kind for kind in between if kind in ("up", "down")), None)
        path += range(index + 1, min(after + 1, len(self.terms)))
        match self._kind(after):
            case "number" if setting in _COUNTED_IN_EPOCHS and self._is_epochs(after + 1):
                self._amount(setting, self.terms[after], None, [*path, after + 1], times=False, relative=False)
            case "number" if "link" in between or not self._counts(after):
                number, times = self.terms[after], self._kind(after + 1) == "times"
                direction = direction or (self._kind(after + 1) if self._kind(after + 1) in ("up", "down") else None)
                relative = "by" in between or self._kind(after + 1) == "by"
                self._amount(setting, number, direction, path, times=times, relative=relative)
                trailing = [p for p in (after + 1, after + 2) if self._kind(p) in ("times", "by", "up", "down")]
                self.outcome.used |= set(trailing)
            case "scale":
                factor = float(self.terms[after].value)
                self._scale_by(setting, 1 + factor if direction == "up" and factor < 1 else factor, path)
            case "off" | "enable" | "default" | "unset" as kind:
                self._toggle(setting, kind, path)
            case _:
                self._worded(index, after, direction)

    def _worded(self, index: int, after: int, direction: str | None) -> None:
        """A value in words behind the setting, or before it; a switch that is named; or nothing to go by."""
        setting = self.terms[index].value
        prop, key = self._property(setting), find_key(setting, self.schema)
        linked = any(self.terms[position].kind == "link" for position in range(index + 1, min(after, len(self.terms))))
        for position in (after, index - 1):
            if prop and self._kind(position) and position not in self.outcome.used:
                value = listed_value(self.terms[position], prop)
                if value is not None:
                    return self._put(setting, value, self._text([position]), [index, position])
        if prop and linked and self._kind(after) in ("unknown", "yes", "no", "list", "small"):
            return self._put(setting, self.terms[after].text, self.terms[after].text, [*range(index, after + 1)])
        speaks = self.terms[after].value.partition("=")[0] if self._kind(after) == "option" else None
        again = self._kind(after) == "setting" and key == find_key(self.terms[after].value, self.schema)
        if self._just_set(setting, index) or (speaks and speaks in (setting, key)) or (again and key):
            return self.outcome.used.add(index)
        if prop is None:
            return self._unknown_setting([index])
        if "boolean" in kinds(prop) and direction is None:
            return self._put(setting, True, self.terms[index].text, [index])
        self.outcome.used |= {index}
        name = label(self.language, concept_of(setting), prop)
        return self._refuse(setting, say(self.language, "value_missing", name=name, bounds=self._bounds(setting)))

    # ── effects ──

    def _amount(
        self, setting: str, number: Term, direction: str | None, path: list[int], *, times: bool, relative: bool
    ) -> None:
        amount, style = number.amount or 0.0, number.style
        prop = self._property(setting)
        if times or style == "times":
            if amount > 0:
                return self._scale_by(setting, 1 / amount if direction == "down" else amount, path)
            return self._put(setting, amount, number.text, path)
        if style == "percent":
            if direction and relative:
                return self._scale_by(setting, 1 + (-amount if direction == "down" else amount) / 100, path)
            if prop is None or "number" not in kinds(prop):
                return self._unreadable(setting, path) if prop else self._unknown_setting(path)
            amount /= 100
        if direction and relative:
            amount = (self._current(setting) or 0.0) + (-amount if direction == "down" else amount)
        return self._put(setting, amount, number.text, path)

    def _scale_by(self, setting: str, factor: float, path: list[int]) -> None:
        base = self._current(setting)
        prop = self._property(setting)
        if prop is None:
            return self._unknown_setting(path)
        if base is None:
            self.outcome.used |= set(path)
            name = label(self.language, concept_of(setting), prop)
            sentence = say(self.language, "nothing_to_scale", name=name, bounds=self._bounds(setting))
            return self._refuse(setting, sentence)
        value = float(f"{base * factor:.12g}")
        whole = "number" not in kinds(prop)
        return self._put(setting, float(round(value)) if whole else value, self._text(path), path)

    def _toggle(self, setting: str, kind: str, path: list[int]) -> None:
        prop, key = self._property(setting), find_key(setting, self.schema)
        if prop is None or key is None:
            return self._unknown_setting(path)
        self.outcome.used |= set(path)
        value = on_value(prop) if kind == "enable" else off_value(prop, concept_of(key))
        dropped = kind not in ("off", "no", "enable", "default") and (key in self.outcome.config or value is NOTHING)
        if kind == "default" or dropped or (value is NOTHING and concept_of(key) in NEVER_OFF):
            return self._default(key)
        if value is NOTHING:
            name = label(self.language, concept_of(setting), prop)
            return self._refuse(setting, say(self.language, f"cannot_{'on' if kind == 'enable' else 'off'}", name=name,
                                             bounds=self._bounds(setting)))  # fmt: skip
        return self._put(setting, value, self._text(path), path)

    def _default(self, key: str) -> None:
        self.outcome.config.pop(key, None)
        self.outcome.defaulted.append(key)
        self._set(key)

    def _set(self, key: str) -> None:
        self.outcome.changed.append(key)
        self.outcome.asked = [asked for asked in self.outcome.asked if asked != key]

    def _put(self, setting: str, value: object, text: str, path: list[int]) -> None:
        """Set and check; a refused value leaves the config as it was."""
        self.outcome.used |= set(path)
        key, prop = find_key(setting, self.schema), self._property(setting)
        self.last = key
        if key is None or prop is None:
            return self._unknown_setting(path)
        config = self.outcome.config
        candidate = {**{k: v for k, v in config.items() if k != key}, key: typed(value, prop)}  # the last one last
        standing = validate_config(self.schema, config)
        wrong = [error for error in validate_config(self.schema, candidate) if error not in standing]
        if not wrong:
            self.outcome.config = candidate
            return self._set(key)
        name = label(self.language, concept_of(setting), prop)
        reason = bounds(prop, self.language) if wrong[0][0].removeprefix("config.") == key else None
        return self._refuse(
            setting, say(self.language, "value_refused", name=name, value=text, bounds=reason or wrong[0][1])
        )

    def _refuse(self, setting: str, message: str) -> None:
        key = find_key(setting, self.schema) or setting
        self.outcome.errors.append(FieldError(f"config.{key}", message))
        self.outcome.asked.append(key)

    def _unknown_setting(self, path: list[int]) -> None:
        self.outcome.used |= set(path)
        words = self._text(path)
        self.outcome.errors.append(
            FieldError("text", say(self.language, "no_such_setting", framework=self.framework.framework, words=words))
        )

    def _unreadable(self, setting: str, path: list[int]) -> None:
        self.outcome.used |= set(path)
        name = label(self.language, concept_of(setting), self._property(setting))
        self._refuse(
            setting,
            say(self.language, "value_refused", name=name, value=self._text(path), bounds=self._bounds(setting)),
        )

    # ── looking around ──

    def _kind(self, index: int) -> str | None:
        return self.terms[index].kind if 0 <= index < len(self.terms) else None

    def _skip(self, index: int, *skipped: str) -> int:
        while self._kind(index) in skipped:
            index += 1
        return index

    def _skip_comma(self, index: int) -> int:
        """``batch size, like sixteen``; but in ``batch size, 20 epochs`` the number is another setting's."""
        comma = self._kind(index) == "sep" and self.terms[index].text == "," and self._kind(index + 1) == "number"
        return index + 1 if comma and not self._counts(index + 1) else index

    def _number_follows(self, index: int) -> bool:
        return self._kind(self._skip(index + 1, "link")) == "number" and not self._counts(self._skip(index + 1, "link"))

    def _counts(self, index: int) -> bool:
        """Does the number here belong to a setting behind it, which has no number of its own?"""
        return self._kind(index + 1) == "setting" and self._kind(self._skip(index + 2, "link")) != "number"

    def _is_epochs(self, index: int) -> bool:
        return self._kind(index) == "setting" and concept_of(self.terms[index].value) == "epochs"

    def _just_set(self, setting: str, index: int) -> bool:
        """``adamw optimizer``: the word before has set it already."""
        return index - 1 in self.outcome.used and self.last == find_key(setting, self.schema)

    def _property(self, setting: str) -> dict[str, Any] | None:
        key = find_key(setting, self.schema)
        return properties(self.schema)[key] if key else None

    def _current(self, setting: str) -> float | None:
        key = find_key(setting, self.schema)
        prop = self._property(setting) or {}
        value = self.outcome.config.get(key, prop.get("default")) if key else None
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def _bounds(self, setting: str) -> str:
        return bounds(self._property(setting) or {}, self.language) or say(self.language, "bounds_none")

    def _text(self, path: list[int]) -> str:
        return " ".join(self.terms[index].text for index in sorted(set(path)))
