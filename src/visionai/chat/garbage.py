"""What goes with its project."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.chat.tables import Conversation


async def forget_conversations(session: AsyncSession, project_id: UUID) -> None:
    await session.execute(delete(Conversation).where(Conversation.project_id == project_id))
