"""What an attempt says to the server, without a process behind it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from uuid import UUID

from jobs_world import World

from visionai.identity.tokens import Callback
from visionai.jobs import artifacts, reports
from visionai.storage import keys
from visionai.trainers import contract


class Trainer:
    def __init__(self, world: World, job_id: UUID, attempt: int) -> None:
        self.world, self.who = world, Callback(job_id, attempt)

    async def heartbeat(self, epoch: int, *, seq: int | None = None, accuracy: float = 0.5) -> reports.Answer:
        return await self.say(
            contract.Heartbeat(epoch=epoch, progress=epoch, metrics={"val/accuracy": accuracy}, seq=seq)
        )

    async def say(self, body: contract.Heartbeat) -> reports.Answer:
        return await reports.accept(self.world.parts.db, self.who, reports.heartbeat(body))

    async def validate(self, epoch: int, accuracy: float, *, matrix: list[list[int]] | None = None) -> reports.Answer:
        primary = contract.PrimaryMetric("val/accuracy", accuracy)
        body = contract.Validation(epoch=epoch, primary_metric=primary, confusion_matrix=matrix)
        return await reports.accept(self.world.parts.db, self.who, reports.validation(body))

    async def done(self, status: contract.Status = "succeeded", *, code: str = "internal") -> reports.Answer:
        error = contract.ErrorInfo(code, "it failed") if status == "failed" else None
        body = contract.Done(status=status, error=error)
        return await reports.accept(self.world.parts.db, self.who, reports.done(body))

    async def announce(self, kind: contract.ArtifactKind, content: bytes, *, epoch: int | None = None) -> UUID:
        body = contract.ArtifactRequest(
            kind=kind, name=f"{kind}.pt", size=len(content), sha256=hashlib.sha256(content).hexdigest(), epoch=epoch
        )
        take = artifacts.announce(body, self.world.parts.storage, "")
        answer = await reports.accept(self.world.parts.db, self.who, take)
        assert answer.body is not None
        return UUID(answer.body["id"])

    async def put(self, artifact_id: UUID, content: bytes) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        await self.world.parts.storage.put(keys.incoming(artifact_id), chunks())

    async def complete(self, artifact_id: UUID) -> None:
        await artifacts.complete(self.world.parts.db, self.world.parts.storage, self.who, artifact_id)

    async def upload(self, kind: contract.ArtifactKind, content: bytes, *, epoch: int | None = None) -> UUID:
        artifact_id = await self.announce(kind, content, epoch=epoch)
        await self.put(artifact_id, content)
        await self.complete(artifact_id)
        return artifact_id


async def stored(world: World) -> set[bytes]:
    return {world.parts.storage.path(s.key).read_bytes() async for s in world.parts.storage.list("checkpoints/")}
