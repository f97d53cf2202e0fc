"""How the server itself is: for admins, who are told what is wrong before somebody else tells them."""

import asyncio
import shutil
from typing import Any

import msgspec
from litestar import Request, Router, get
from litestar.di import NamedDependency

from visionai import __version__
from visionai.api import health
from visionai.api import system_shapes as shapes
from visionai.api.events import Streams
from visionai.api.problems import responses
from visionai.db import utcnow
from visionai.executors import processes
from visionai.executors.base import Handle
from visionai.identity.access import CurrentUser, require_admin
from visionai.jobs import slots
from visionai.jobs.overview import Trainer, overview
from visionai.parts import Parts


@get("/system", responses=responses(403), summary="How the server is: its parts, disk, queue and processes")
async def get_system(
    request: Request[Any, Any, Any], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts]
) -> shapes.SystemHealth:
    """For admins. A part that does not answer is waited for 2 s."""
    require_admin(user, instead="ask one how the server is")
    streams: Streams = request.app.state.streams
    settings, now = parts.settings, utcnow()
    async with parts.db.read() as session:
        found = await overview(session, parts.executor.host_id, now)
    answers = await health.look(parts)
    disk, trainers, own = await asyncio.to_thread(_of_the_machine, parts, found.trainers)
    looked = parts.last_sweep
    return shapes.SystemHealth(
        version=__version__, started_at=parts.started_at, execution_mode=settings.execution_mode,
        storage_type=settings.storage_type, data_dir=str(settings.data_dir), memory_bytes=own, parts=answers,
        database=msgspec.convert(await parts.db.about(), shapes.AboutDatabase, from_attributes=True), disk=disk,
        slots=shapes.Slots(slots.count(settings), len(trainers), slots.gpus()), jobs=found.states,
        oldest_waiting=_since(found.oldest_waiting), longest_silent=_since(found.longest_silent),
        silence_seconds=settings.silence_seconds, trainers=trainers,
        imports=shapes.Imports(
            found.operations.get("running", 0), found.operations.get("pending", 0), settings.imports
        ),
        uploads=found.uploads, watchers=streams.count,
        last_sweep_seconds=asyncio.get_running_loop().time() - looked if looked is not None else None,
        sweep_seconds=settings.sweep_seconds,
        frameworks=[shapes.FrameworkState(f.name, f.status, f.message) for f in parts.frameworks.all()],
        failures=[msgspec.convert(f, shapes.FailedOperation, from_attributes=True) for f in found.failures],
    )  # fmt: skip


def _of_the_machine(
    parts: Parts, trainers: list[Trainer]
) -> tuple[shapes.Disk, list[shapes.TrainerProcess], int | None]:
    """In a thread: a disk may keep one waiting."""
    usage = shutil.disk_usage(parts.settings.data_dir)
    return (
        shapes.Disk(usage.free, usage.total, parts.settings.min_free_bytes),
        [
            shapes.TrainerProcess(t.job_id, t.job_name, t.attempt, t.slot, t.since, _memory(t.handle)) for t in trainers
        ],
        processes.memory(),
    )  # fmt: skip


def _memory(handle: dict[str, Any] | None) -> int | None:
    return processes.memory_of(msgspec.convert(handle, Handle)) if handle is not None else None


def _since(found: Any) -> shapes.JobSince | None:
    return shapes.JobSince(found.id, found.name, found.since) if found is not None else None


router = Router("/api/v1", tags=["system"], route_handlers=[get_system])
