"""What an operation is made of. The machinery is here; the work itself is registered from above.

A kind's ``work`` names a function by ``module:function``. It runs in a child process, sees nothing but its own ``work``
folder and the input that ``prepare`` gave it, and returns a result. Everything it makes lies in that folder until
``publish``, in the server, takes it over. So a child may be killed at any point and be started afresh.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import Database, utcnow
from visionai.executors.base import Executor
from visionai.operations.tables import Operation
from visionai.operations.work import Limits
from visionai.settings import Settings
from visionai.storage.base import Storage


class OperationKind(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    work: str
    """``module:function`` of ``(input: dict, work: Path, report: Report) -> dict``, called in the child."""
    limits: Limits
    prepare: Callable[[Context, Operation, Path], Awaitable[dict[str, Any]]]
    """Put what the child needs into its folder and give its input. Repeated before every launch."""
    publish: Callable[[Context, Operation, Path], Awaitable[None]]
    """Take over what the child made. May be long, may be interrupted and repeated at any point."""
    completed: Callable[[AsyncSession, Operation], Awaitable[None]]
    """Show the result, in the transaction that completes the operation; ``op.result`` is the child's."""
    failed: Callable[[AsyncSession, Operation], Awaitable[None]]
    """Say so, in the transaction that fails or cancels the operation; ``op.error`` is None if it was cancelled."""
    clean: Callable[[Context, Operation], Awaitable[None]]
    """After the end: remove what is not needed any more. May be repeated."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What the reconciler works with."""

    db: Database
    storage: Storage
    executor: Executor
    settings: Settings
    kinds: Mapping[str, OperationKind]
    environ: Mapping[str, str]
    """What a child inherits: an allowlist without secrets."""
    now: Callable[[], datetime] = utcnow
