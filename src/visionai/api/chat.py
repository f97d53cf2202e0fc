"""The chat: a sentence in, a draft, a question or an action out."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from visionai.api import shapes
from visionai.api.problems import responses
from visionai.api.shapes import Page
from visionai.chat.tables import Conversation, Message
from visionai.db import Database
from visionai.identity.access import CurrentUser
from visionai.parts import Parts

DONE = {"start": "started", "cancel": "cancelled"}  # what was asked for, once it has been carried out


@post("/chat/message", opt={"audit": None}, status_code=200, responses=responses(403, 404), summary="Say something")
async def say(
    data: JSONBody[shapes.NewMessage], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts]
) -> shapes.ChatAnswer:
    from visionai.chat import conversation  # noqa: PLC0415  (and below: 0.14 s, mostly of its regular expressions)

    async with parts.db.write() as session:
        turn = await conversation.say(
            session, parts.frameworks, user, data.content, conversation_id=data.conversation_id,
            project_id=data.project_id, settings=parts.settings,
        )  # fmt: skip
    reply = turn.reply
    action: Any = DONE.get(reply.action, reply.action)
    return shapes.ChatAnswer(
        conversation_id=turn.conversation.id, message=_message(turn.answer), action=action,
        draft=_draft(turn.conversation.draft), missing_fields=reply.missing_fields,
        choices=[shapes.Choice(c.label, c.value) for c in reply.choices],
        errors=[{"field": e.field, "message": e.message} for e in reply.errors], job_id=turn.job_id,
    )  # fmt: skip


@get("/chat/conversations", responses=responses(), summary="One's conversations, newest first")
async def list_conversations(
    user: NamedDependency[CurrentUser], db: NamedDependency[Database], cursor: FromQuery[UUID | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
) -> Page[shapes.Conversation]:  # fmt: skip
    from visionai.chat import conversation  # noqa: PLC0415

    async with db.read() as session:
        ids = await conversation.latest(session, user, cursor, limit + 1)
        items = [_shape(*await conversation.read(session, user, i)) for i in ids[:limit]]
    return Page(items, str(items[-1].id) if len(ids) > limit else None)


@get("/chat/conversations/{conversation_id:uuid}", responses=responses(404), summary="One conversation")
async def get_conversation(
    conversation_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> shapes.Conversation:
    from visionai.chat import conversation  # noqa: PLC0415

    async with db.read() as session:
        return _shape(*await conversation.read(session, user, conversation_id))


def _shape(found: Conversation, messages: list[Message]) -> shapes.Conversation:
    return shapes.Conversation(
        id=found.id, project_id=found.project_id, draft=_draft(found.draft), messages=[_message(m) for m in messages],
        choices=msgspec.convert(found.choices, list[shapes.Choice]), missing_fields=found.missing_fields,
        created_at=found.created_at,
    )  # fmt: skip


def _draft(draft: dict[str, Any] | None) -> shapes.ChatDraft | None:
    return msgspec.convert(draft, shapes.ChatDraft) if draft is not None else None


def _message(message: Message) -> shapes.ChatMessage:
    role: Any = message.role
    return shapes.ChatMessage(message.id, role, message.content, message.created_at)


router = Router("/api/v1", tags=["chat"], route_handlers=[say, list_conversations, get_conversation])
