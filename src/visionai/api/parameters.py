"""What stands in paths and queries, bounded: Python counts without end, a database's columns do not."""

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from litestar import Request
from litestar.params import PathParameter, QueryParameter

from visionai import names
from visionai.errors import BadInput, FieldError

MOST = 2**53  # what JSON's readers take for a whole number too

Natural: TypeAlias = Annotated[int, QueryParameter(ge=0, le=MOST)]
OptionalNatural: TypeAlias = Annotated[int | None, QueryParameter(ge=0, le=MOST)]
PathNatural: TypeAlias = Annotated[int, PathParameter(ge=0, le=MOST)]
Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=1000)]
OptionalName: TypeAlias = Annotated[
    str | None, QueryParameter(min_length=1, max_length=names.MOST, pattern=names.PLAIN)
]
Holds: TypeAlias = Annotated[
    str | None,
    QueryParameter(min_length=1, max_length=names.MOST, pattern=names.PLAIN, description="What its name holds."),
]
OptionalTime: TypeAlias = Annotated[datetime | None, QueryParameter(description="RFC 3339, with its zone.")]

YEARS = range(1970, 9000)


def only_known(request: Request[Any, Any, Any]) -> None:
    """For routes where a filter that is misspelt must not pass for no filter. Names each that is unknown."""
    parameters = request.route_handler.parsed_fn_signature.parameters.items()
    known = {
        p.kwarg_definition.name or name for name, p in parameters if isinstance(p.kwarg_definition, QueryParameter)
    }
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        says = f"is no parameter of this route: it knows {', '.join(sorted(known))}"
        raise BadInput([FieldError(names.cleaned(name), says) for name in unknown[:20]])


def zoned(field: str, time: datetime | None) -> datetime | None:
    """A time in a query that can be compared with those that are kept."""
    if time is None:
        return None
    if time.tzinfo is None:
        raise BadInput.field(field, "has no zone: end it with Z, such as 2026-01-31T00:00:00Z")
    if time.year not in YEARS:
        raise BadInput.field(field, f"must lie between the years {YEARS.start} and {YEARS.stop}")
    return time
