"""Long work that is not a training: how far it is and how it ended."""

from uuid import UUID

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from visionai.api import shapes
from visionai.api.problems import responses
from visionai.db import Database
from visionai.errors import NotFound
from visionai.identity.access import CurrentUser, require_project
from visionai.operations.tables import Operation


@get("/{operation_id:uuid}", responses=responses(404), summary="One operation")
async def get_operation(
    operation_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> shapes.Operation:
    async with db.read() as session:
        op = await session.get(Operation, operation_id)
        if op is None:
            raise NotFound("There is no such operation, or it is not yours to see.")
        await require_project(session, user, op.project_id, at_least="reader")
    return shape(op)


def shape(op: Operation) -> shapes.Operation:
    return msgspec.convert({name: getattr(op, name) for name in shapes.Operation.__struct_fields__}, shapes.Operation)


router = Router("/api/v1/operations", tags=["operations"], route_handlers=[get_operation])
