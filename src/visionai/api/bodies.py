"""JSON bodies: strict in their types (``"3"`` is no number), and every field that is wrong is named at once."""

from __future__ import annotations

import re
import types
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException

from visionai import names
from visionai.errors import BadInput, ClientGone, FieldError, UnsupportedMediaType

_UNIONS = (Union, types.UnionType)
MOST = 50  # errors that are named: past them a body is wrong altogether


class BodyRequest(Request[Any, Any, Any]):
    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Raises ClientGone where the client leaves before the end."""
        try:
            async for chunk in super().stream():
                yield chunk
        except InternalServerException as e:
            raise ClientGone("The connection ended before the body did: send it again.") from e

    async def json(self) -> Any:
        """The body as what its handler takes: Litestar's own conversion is a query's, which makes numbers of texts.

        Raises BadInput with all that is wrong, UnsupportedMediaType for what is not said to be JSON: a strange web
        page may send that in its visitor's name without asking the server first.
        """
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMediaType("The body must be JSON: send it with Content-Type: application/json.")
        try:
            decoded = msgspec.json.decode(await self.body())
        except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as e:
            raise BadInput.field("body", _no_json(e)) from None
        wanted = self.route_handler.parsed_data_field
        assert wanted is not None, "only what takes a body asks for it"
        try:
            return msgspec.convert(decoded, wanted.annotation)
        except msgspec.ValidationError:
            raise BadInput(wrong_fields(wanted.annotation, decoded)[:MOST]) from None


def missing_fields(request: Request[Any, Any, Any]) -> list[FieldError]:
    """What is missing where there is no body at all."""
    wanted = getattr(request.route_handler, "parsed_data_field", None)
    return wrong_fields(wanted.annotation, {}) if wanted is not None else []


def _no_json(error: Exception) -> str:
    match error:
        case RecursionError():
            return "is nested too deeply"
        case UnicodeDecodeError():
            return "is not valid UTF-8"
        case _:
            return f"is not JSON: {str(error).partition(' - at ')[0]}"


def wrong_fields(kind: Any, value: Any, path: str = "") -> list[FieldError]:
    """Every field of ``value`` that does not fit ``kind``, dots between levels, in the order of declaration."""
    plain = _plain(kind)
    if _is_struct(plain) and isinstance(value, dict):
        return _wrong_in_struct(plain, value, path)
    if isinstance(value, list) and get_origin(plain) is list and _is_struct(item := _plain(get_args(plain)[0])):
        return [error for i, each in enumerate(value) for error in wrong_fields(item, each, _below(path, str(i)))]
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as e:
        message, _, where = str(e).partition(" - at `$")
        inside = ".".join(step for step in re.split(r"[.\[\]]", where.rstrip("`").replace("[...]", "")) if step)
        return [FieldError(_below(path, inside) or "body", _in_words(message, kind))]
    return []


def _in_words(message: str, kind: Any) -> str:
    """What msgspec says, for people."""
    if repr(names.PLAIN) in message:
        return names.SAYS
    if (values := _values(kind)) and not message.startswith("Object"):
        return f"must be one of: {', '.join(values)}"
    if found := _LIMIT.search(message):
        kind_, long, sign, number = found.groups()
        amount = f"{_SIGNS[sign]} {float(number):.12g}"
        return f"must have {amount} {'characters' if kind_ == 'str' else 'entries'}" if long else f"must be {amount}"
    return message[:1].lower() + message[1:]


_LIMIT = re.compile(r"^Expected `(int|float|str|array|object)`( of length)? (>=|<=|>|<) ([-+.e\d]+)$")
_SIGNS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def _values(kind: Any) -> list[str]:
    """Of a ``Literal``, alone or beside None."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    found = [arg for arg in get_args(bare) if get_origin(arg) is Literal] if get_origin(bare) in _UNIONS else [bare]
    return [str(value) for value in get_args(found[0])] if len(found) == 1 and get_origin(found[0]) is Literal else []


def _wrong_in_struct(kind: Any, value: dict[str, Any], path: str) -> list[FieldError]:
    wrong = []
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, field in fields.items():
        if name in value:
            wrong += wrong_fields(field.type, value[name], _below(path, name))
        elif field.required:
            wrong.append(FieldError(_below(path, name), "is missing"))
    if kind.__struct_config__.forbid_unknown_fields:
        known = ", ".join(fields)
        wrong += [
            FieldError(_below(path, str(name)[:100]), f"is not a field here; there are: {known}")
            for name in value
            if name not in fields
        ]
    return wrong


def _plain(kind: Any) -> Any:
    """``Annotated[Struct, …]`` and ``Struct | None`` stripped to the struct; everything else as it is."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if get_origin(bare) in _UNIONS:
        structs = [arg for arg in get_args(bare) if _is_struct(arg)]
        others = [arg for arg in get_args(bare) if arg not in structs and arg is not type(None)]
        return structs[0] if len(structs) == 1 and not others else kind
    return bare if _is_struct(bare) else kind


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}".strip(".")
