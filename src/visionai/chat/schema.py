"""A trainer's JSON Schema of hyperparameters: the key that a setting has in it, what it takes, values in its types."""

from __future__ import annotations

from typing import Any

from visionai.chat.messages import say
from visionai.chat.reading import Term
from visionai.chat.types import Config, ConfigValue, FrameworkChoice, Language, Schema
from visionai.chat.vocabulary import SETTINGS, SYNONYMS
from visionai.chat.words import squash
from visionai.trainers.contract import validate_config


def apply_preset(name: str, framework: FrameworkChoice, config: Config) -> Config:
    """Its epochs last, as the setting that is most likely to be changed next."""
    known = properties(framework.schema)
    values = {key: value for key, value in framework.presets[name].items() if key in known}
    kept = {key: value for key, value in config.items() if key not in values}
    return {**kept, **dict(sorted(values.items(), key=lambda item: concept_of(item[0]) == "epochs"))}


def carry_over(config: Config, old: Schema, new: Schema) -> tuple[Config, list[str]]:
    """What of ``config`` another framework also understands, under its own names; and the keys it does not."""
    carried: Config = {}
    lost: list[str] = []
    for key, value in config.items():
        target = find_key(concept_of(key), new) or find_key(key, new)
        if target and not validate_config(new, {**carried, target: value}):
            carried[target] = value
        else:
            lost.append(key)
    return carried, lost


def properties(schema: Schema) -> dict[str, dict[str, Any]]:
    found = schema.get("properties", {})
    return found if isinstance(found, dict) else {}


def find_key(setting: str, schema: Schema) -> str | None:
    """The key of this schema that means ``setting``, one of ``SETTINGS`` or another schema's key."""
    known = properties(schema)
    return next((key for key in (*SETTINGS.get(setting, ()), setting) if key in known), None)


def concept_of(key: str) -> str:
    return next((setting for setting, keys in SETTINGS.items() if key in keys), key)


def bounds(prop: dict[str, Any], language: Language) -> str | None:
    """What a hyperparameter takes, in words: "at least 1", "one of adamw, sgd"."""
    values, low, high = prop.get("enum"), prop.get("minimum"), prop.get("maximum")
    above, below = prop.get("exclusiveMinimum"), prop.get("exclusiveMaximum")
    if values:
        return say(language, "bounds_enum", values=", ".join(spell(value) for value in values))
    if kinds(prop) - {"null"} == {"boolean"}:
        return say(language, "bounds_boolean")
    parts = [
        say(language, name, value=spell(bound))
        for name, bound in (
            ("bounds_low", low),
            ("bounds_above", above),
            ("bounds_high", high),
            ("bounds_below", below),
        )
        if bound is not None
    ]
    if "integer" in kinds(prop) and "number" not in kinds(prop):
        parts.insert(0, say(language, "bounds_integer"))
    return ", ".join(parts) or None


def kinds(prop: dict[str, Any]) -> set[str]:
    """The JSON types a property takes, through ``type`` lists and ``anyOf``."""
    declared = prop.get("type", [])
    found = {declared} if isinstance(declared, str) else set(declared)
    for option in (*prop.get("anyOf", ()), *prop.get("oneOf", ())):
        found |= kinds(option)
    return found


def spell(value: object) -> str:
    """A value as people write it: 0.0003, not 0.00029999999."""
    if value is None or isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


_NUMERIC = {"integer", "number"}
NEVER_OFF = {"seed"}  # their 0 is a value as any other


class Nothing:
    """No value at all, where None is a value."""


NOTHING = Nothing()


def listed_value(term: Term, prop: dict[str, Any]) -> ConfigValue | Nothing:
    """The value of an ``enum`` that the word names, itself or by a synonym; None where there is none."""
    if term.amount is not None:
        return None
    values = {squash(str(value)): value for value in prop.get("enum", ())}
    for word in (term.key, *SYNONYMS.get(term.key, ())):
        if squash(word) in values:
            listed: ConfigValue = values[squash(word)]
            return listed
    return None


def typed(value: object, prop: dict[str, Any]) -> ConfigValue:
    """The value in the schema's own type where that loses nothing; otherwise as it is, for the check to refuse."""
    types = kinds(prop)
    if isinstance(value, float) and value.is_integer() and ("number" not in types or "integer" in types):
        return int(value)
    if isinstance(value, str):
        if "boolean" in types and value.lower() in ("true", "yes", "on", "false", "no", "off", "none"):
            return value.lower() in ("true", "yes", "on")
        listed = listed_value(Term("unknown", value, squash(value)), prop)
        return value if listed is None or isinstance(listed, Nothing) else listed
    return value if isinstance(value, int | float | bool) or value is None else str(value)


def off_value(prop: dict[str, Any], setting: str = "") -> ConfigValue | Nothing:
    values = prop.get("enum", ())
    if "boolean" in kinds(prop):
        return False
    for word in ("none", "off", "no", "disabled"):
        if word in values:
            return word
    if "null" in kinds(prop):
        return None
    lowest = prop.get("minimum")
    rate = kinds(prop) & _NUMERIC and lowest == 0 and not values and setting not in NEVER_OFF
    return 0 if rate else NOTHING


def on_value(prop: dict[str, Any]) -> ConfigValue | Nothing:
    if "boolean" in kinds(prop):
        return True
    values = prop.get("enum", ())
    return next((word for word in ("on", "auto") if word in values), NOTHING)
