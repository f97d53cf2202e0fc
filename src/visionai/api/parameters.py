"""Numbers in paths and queries, bounded: Python counts without end, a database's columns do not."""

from typing import Annotated, TypeAlias

from litestar.params import PathParameter, QueryParameter

MOST = 2**53  # what JSON's readers take for a whole number too

Natural: TypeAlias = Annotated[int, QueryParameter(ge=0, le=MOST)]
OptionalNatural: TypeAlias = Annotated[int | None, QueryParameter(ge=0, le=MOST)]
PathNatural: TypeAlias = Annotated[int, PathParameter(ge=0, le=MOST)]
Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=1000)]
