"""What others did that concerns the one who asks."""

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency

from visionai.api import identity_shapes as shapes
from visionai.api.problems import responses
from visionai.api.shapes import Page
from visionai.db import Database, utcnow
from visionai.identity.access import CurrentUser
from visionai.jobs.notices import notices


@get("/notices", responses=responses(), summary="What others did of late that concerns oneself")
async def list_notices(
    user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> Page[shapes.Notice]:  # fmt: skip
    """Of the last 30 days, the latest first, 20 at most: who has put one into a project or out of it, given one another
    role, or stopped one's training."""
    async with db.read() as session:
        found = await notices(session, user, utcnow())
    return Page([msgspec.convert(notice, shapes.Notice, from_attributes=True) for notice in found])


router = Router("/api/v1", tags=["people"], route_handlers=[list_notices])
