"""What the chat's tests share: a conversation, and a reply in short."""

from __future__ import annotations

import msgspec

from visionai.chat.parser import parse
from visionai.chat.types import Config, Context, DatasetChoice, Draft, Reply


class Conversation:
    """Keeps between turns what a caller keeps."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def say(self, text: str) -> Reply:
        reply = parse(text, self.context)
        draft = None if reply.action == "start" else reply.draft
        self.context = msgspec.structs.replace(
            self.context, draft=draft, pending=reply.pending, choices=reply.choices, language=reply.language
        )
        return reply


def values(reply: Reply) -> list[str]:
    return [choice.value for choice in reply.choices]


def with_datasets(context: Context, *datasets: DatasetChoice) -> Context:
    return msgspec.structs.replace(context, datasets=list(datasets))


def drafted(reply: Reply) -> tuple[str | None, str | None, Config]:
    draft = reply.draft or Draft()
    return draft.dataset_name, draft.model_name, draft.config
