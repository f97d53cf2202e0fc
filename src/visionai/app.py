"""The one deployable app: wiring only."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from litestar import Litestar

from visionai import tasks, wakeup
from visionai.api import (
    audit,
    auth,
    bodies,
    callbacks,
    chat,
    datasets,
    deps,
    events,
    files,
    hardening,
    health,
    invitations,
    jobs,
    models,
    notices,
    openapi,
    operations,
    people,
    problems,
    projects,
    quotas,
    system,
    tokens,
    uploads,
    webui,
)
from visionai.api.limits import Limits
from visionai.db import Database, database_url, migrate
from visionai.executors.subprocess import SubprocessExecutor, this_host
from visionai.frameworks import Frameworks
from visionai.identity.api_tokens import Uses
from visionai.parts import Parts, Steady
from visionai.pubsub import Subscriber
from visionai.redis import EmbeddedRedis, connect
from visionai.settings import Settings
from visionai.storage.local import LocalStorage
from visionai.worker import Background

log = structlog.get_logger()


def create_app(settings: Settings, environ: Mapping[str, str] | None = None, *, background: bool = True) -> Litestar:
    """``settings`` as ``settings.prepare`` returned them. ``environ`` is what trainers inherit from, allowlisted.

    Without ``background`` nothing is reconciled in this process.
    """
    environ = os.environ if environ is None else environ

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.parts = parts = await _start(stack, settings, environ)
            app.state.streams = streams = events.Streams(parts)
            app.state.uses = uses = Uses(parts.db)
            app.state.limits = Limits(settings)
            stack.push_async_callback(uses.write)
            for name, loop in (
                ("frameworks", parts.frameworks.watch()), ("sockets", streams.watch()), ("token uses", uses.run()),
            ):  # fmt: skip
                stack.push_async_callback(tasks.end, asyncio.create_task(loop, name=name))
            if background:
                worker = Background(parts)
                await worker.start()
                stack.push_async_callback(worker.stop)
            yield

    return Litestar(
        route_handlers=[
            health.healthz, health.readyz, auth.router, people.router, invitations.router,
            projects.router, tokens.router, audit.router, quotas.router, system.router, notices.router, datasets.router,
            uploads.router, operations.router, models.router, jobs.router, chat.router, callbacks.router,
            files.router, events.training, webui.webui_router(),
        ],
        lifespan=[lifespan],
        request_class=bodies.BodyRequest,
        guards=[deps.authenticate],
        dependencies=deps.DEPENDENCIES,
        exception_handlers=problems.HANDLERS,
        openapi_config=openapi.config(),
        before_send=[hardening.hardening(settings.url)],
        logging_config=None,
    )  # fmt: skip


async def _start(stack: AsyncExitStack, settings: Settings, environ: Mapping[str, str]) -> Parts:
    embedded = None
    if settings.redis_url is None:
        embedded = EmbeddedRedis(settings.data_dir)
        stack.push_async_callback(embedded.stop)
        await embedded.start()  # it takes 0.1 s, in which the database is opened
    url = database_url(settings.database_url, settings.data_dir)
    await asyncio.to_thread(migrate, url)
    db = Database(url)
    stack.push_async_callback(db.close)
    if embedded is not None:
        await embedded.ready()
    redis = connect(settings.redis_url, embedded)
    stack.push_async_callback(redis.aclose, close_connection_pool=True)
    subscriber = Subscriber(redis)
    hearing = asyncio.create_task(subscriber.run(), name="subscriber")
    stack.push_async_callback(tasks.end, hearing)
    courier = wakeup.Courier(redis)
    stack.push_async_callback(courier.close)
    db.deliver = courier.send
    return Parts(
        settings=settings, environ=environ, db=db, redis=redis,
        storage=LocalStorage(settings.data_dir / "storage", settings.secret, keep_free=settings.min_free_bytes),
        executor=SubprocessExecutor(settings.data_dir / "runs", this_host(settings.data_dir)),
        frameworks=Frameworks(settings, environ), subscriber=subscriber, steady=Steady(),
    )  # fmt: skip
