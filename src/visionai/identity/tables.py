"""Users, their projects, and the tokens that stand for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from visionai.db import Base, utcnow
from visionai.ids import uuid7


class User(Base):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    email: Mapped[str] = mapped_column(String(254), unique=True)  # lower case
    name: Mapped[str] = mapped_column(String(200), default="")
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Project(Base):
    __tablename__ = "projects"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(String(200))
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ProjectMember(Base):
    __tablename__ = "project_members"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(16))


class Session(Base):
    """One sign-in: what its access tokens, its refresh tokens and its live connections hang on. Ended is deleted; the
    guard looks here for every request, so that it takes effect at once."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    ip: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    last_used_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RefreshToken(Base):
    """One link of a session's rotating chain."""

    __tablename__ = "refresh_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ApiToken(Base):
    """A personal token for programs. ``scope`` is ``read`` or ``write``; without ``expires_at`` it lasts until it is
    deleted."""

    __tablename__ = "api_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    scope: Mapped[str] = mapped_column(String(8))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class PasswordReset(Base):
    """A one-time link to a new password; each person has one at most, the newest."""

    __tablename__ = "password_resets"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Invitation(Base):
    """A link that makes one account, or brings one that there is into a project. Gone once it was used."""

    __tablename__ = "invitations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    email: Mapped[str | None] = mapped_column(String(254))  # lower case
    role: Mapped[str] = mapped_column(String(16))
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    project_role: Mapped[str | None] = mapped_column(String(16))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class IdempotencyKey(Base):
    """The first answer to a creation that carried a key, so that a repeat gets it again and creates nothing."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[dict[str, Any]]
    headers: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)


class Quota(Base):
    """Of a person or a project; none: no limits. None: not this one."""

    __tablename__ = "quotas"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    datasets: Mapped[int | None]
    storage_bytes: Mapped[int | None] = mapped_column(BigInteger)
    gpu_seconds: Mapped[int | None] = mapped_column(BigInteger)
    running: Mapped[int | None]


class AuditEntry(Base):
    """What somebody did. It refers to nothing, and stays when what it names is gone; triggers refuse to change it."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_user_id", "user_id", "id"),
        Index("ix_audit_entries_project_id", "project_id", "id"),
        Index("ix_audit_entries_target_id", "target_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    time: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    user_id: Mapped[UUID | None]
    actor: Mapped[str] = mapped_column(String(254))  # their address, as it was
    via: Mapped[str] = mapped_column(String(8))  # session, token, setup, link
    token_name: Mapped[str | None] = mapped_column(String(200))
    ip: Mapped[str] = mapped_column(String(45))
    action: Mapped[str] = mapped_column(String(40))
    project_id: Mapped[UUID | None]
    target_type: Mapped[str] = mapped_column(String(20))
    target_id: Mapped[UUID | None]
    target_name: Mapped[str] = mapped_column(String(254))
    detail: Mapped[dict[str, Any]]


class SetupToken(Base):
    """The one-time link printed at the first start; only the newest counts."""

    __tablename__ = "setup_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
