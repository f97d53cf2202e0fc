"""All settings: one frozen struct, read from the environment once, at the entry point, and passed down.

``docs/settings.md`` holds the table; a test compares the two.
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin

import msgspec
import structlog
from msgspec import Meta

from visionai.errors import SettingsError

log = structlog.get_logger()

PRIVATE = ("jwt-secret*", "visionai.sqlite3*", "demo-account.json")

WEB_ADDRESS = (
    r"https?://([^/?#\s:@]+|\[[0-9a-f:]+\])(:\d+)?(/[^?#\s]*)?",
    "must be an address such as https://vision.example.org",
)
ADDRESSES = {
    "public_url": WEB_ADDRESS,
    "callback_base_url": WEB_ADDRESS,
    "redis_url": (
        r"rediss?://(\S*@)?([^/?#\s:@]+|\[[0-9a-f:]+\])(:\d+)?(/\d*)?(\?\S*)?|unix://(\S*@)?/\S+",
        "must be an address such as redis://localhost:6379/0 (or rediss://, or unix:///path)",
    ),
    "smtp_url": (
        r"smtps?://([^\s/?#@]+@)?([^/?#\s:@]+|\[[0-9a-f:]+\])(:\d+)?/?",
        "must be an address such as smtp://user:password@mail.example.org:587 (or smtps://)",
    ),
    "smtp_from": (r"[^@\s,;<>]+@[^@\s,;<>]+", "must be one mail address, such as visionai@example.org"),
    "database_url": (
        r"sqlite\+aiosqlite:///.+",
        "is not supported yet: unset it, and SQLite in the data directory is used",
    ),
}
"""Of each address a pattern, and what to say of one that does not fit."""

_ACCOUNT = r"//[^\s/]*@"  # its password is not for a log

Seconds = Annotated[float, Meta(gt=0)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is read from the environment variable of the same name in capitals."""

    execution_mode: Literal["subprocess"] = "subprocess"
    storage_type: Literal["local"] = "local"
    database_url: str | None = None
    redis_url: str | None = None
    data_dir: Path = Path("~/.local/share/visionai")
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    public_url: str | None = None
    callback_base_url: str | None = None
    jwt_secret: str | None = None
    jwt_algorithm: Literal["HS256"] = "HS256"
    access_token_seconds: Seconds = 900
    refresh_token_seconds: Seconds = 30 * 86400
    slots: Annotated[int, Meta(ge=0, le=1024)] | None = None
    running_per_user: Annotated[int, Meta(ge=1)] | None = None
    running_per_project: Annotated[int, Meta(ge=1)] | None = None
    websockets_per_user: Annotated[int, Meta(ge=1)] = 200
    rate_limit_auth: Annotated[int, Meta(ge=0)] = 120
    rate_limit_read: Annotated[int, Meta(ge=0)] = 6000
    rate_limit_write: Annotated[int, Meta(ge=0)] = 1200
    rate_limit_upload: Annotated[int, Meta(ge=0)] = 300
    trusted_proxies: str | None = None
    sweep_seconds: Seconds = 2.0
    silence_seconds: Seconds = 300.0
    start_seconds: Seconds = 600.0
    stop_grace_seconds: Seconds = 30.0
    exit_grace_seconds: Seconds = 30.0
    lease_seconds: Seconds = 30.0
    max_retries: Annotated[int, Meta(ge=0, le=100)] = 3
    imports: Annotated[int, Meta(ge=1, le=64)] = 2
    import_seconds: Annotated[float, Meta(gt=0, le=365 * 86400)] = 86400
    upload_max_bytes: Annotated[int, Meta(gt=0)] = 100 * 2**30
    upload_kept_seconds: Seconds = 86400
    archive_max_members: Annotated[int, Meta(gt=0)] = 2_000_000
    archive_max_bytes: Annotated[int, Meta(gt=0)] = 500 * 2**30
    archive_max_ratio: Annotated[int, Meta(gt=0)] = 200
    image_max_pixels: Annotated[int, Meta(gt=0)] = 250_000_000
    min_free_bytes: Annotated[int, Meta(ge=0)] = 256 * 2**20
    smtp_url: str | None = None
    smtp_from: str | None = None
    trainer_python_timm: str | None = None
    allow_downloads: bool = False
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def url(self) -> str:
        """What browsers call."""
        return (self.public_url or f"http://{_reachable(self.host)}:{self.port}").rstrip("/")

    @property
    def callback_url(self) -> str:
        """What trainers call: their ``BACKEND_BASE_URL``."""
        return (self.callback_base_url or f"http://{_reachable(self.host)}:{self.port}").rstrip("/")

    @property
    def secret(self) -> str:
        assert self.jwt_secret, "prepare() fills it"
        return self.jwt_secret


def from_environ(environ: Mapping[str, str]) -> Settings:
    """The settings of this environment. Raises SettingsError naming each variable that is wrong.

    An empty variable counts as unset, as container platforms set them so.
    """
    given = {f: environ[f.upper()] for f in Settings.__struct_fields__ if environ.get(f.upper())}
    wrong = []
    for name in sorted(given):
        try:
            msgspec.convert({name: given[name]}, Settings, strict=False, dec_hook=_decode)
        except msgspec.ValidationError as e:
            wrong.append(f"{name.upper()}={given[name]!r} {_expected(name, str(e))}")
    if not all(_is_network(part) for part in given.get("trusted_proxies", "127.0.0.1").split(",")):
        wrong.append(f"TRUSTED_PROXIES={given['trusted_proxies']!r} must be a list such as 10.0.0.0/8, 192.168.1.4")
    wrong += [
        f"{name.upper()}={re.sub(_ACCOUNT, '//…@', given[name])!r} {why}"
        for name, (fits, why) in ADDRESSES.items()
        if name in given and not re.fullmatch(fits, given[name])
    ]
    if "smtp_url" in given and "smtp_from" not in given:
        wrong.append("SMTP_FROM is not set: it must be the address that mail comes from")
    if wrong:
        raise SettingsError("Correct these environment variables: " + "; ".join(wrong))
    settings = msgspec.convert(given, Settings, strict=False, dec_hook=_decode)
    return msgspec.structs.replace(settings, data_dir=settings.data_dir.expanduser().absolute())


def override(settings: Settings, given: Mapping[str, object]) -> Settings:
    """Options of the command line, which go before the environment. Raises SettingsError."""
    for name, value in given.items():
        try:
            msgspec.convert({name: value}, Settings, strict=False, dec_hook=_decode)
        except msgspec.ValidationError as e:
            raise SettingsError(f"--{name.replace('_', '-')} {value} {_expected(name, str(e))}") from None
    return msgspec.structs.replace(settings, **given)


def prepare(settings: Settings) -> Settings:
    """Make the data directory, keep others out, and fill in what is generated and kept there (the signing secret).

    Raises SettingsError if the directory cannot be written.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        _keep_others_out(settings.data_dir)
        if settings.jwt_secret is None:
            settings = msgspec.structs.replace(settings, jwt_secret=_kept_secret(settings.data_dir / "jwt-secret"))
    except OSError as e:
        raise SettingsError(
            f"DATA_DIR={settings.data_dir} cannot be used ({e.strerror}): name a folder that can be written."
        ) from e
    if len(settings.secret) < 32:
        raise SettingsError(
            "JWT_SECRET is shorter than 32 characters: set a longer random one, or unset it on a laptop."
        )
    return settings


def _keep_others_out(data_dir: Path) -> None:
    """Take away what an older version or another umask gave to others; of this user's own files alone, and of a folder
    only if it is a data directory."""
    kept = [path for pattern in PRIVATE for path in data_dir.glob(pattern) if not path.is_symlink()]
    ours = (bool(kept) or not any(data_dir.iterdir())) and not data_dir.stat().st_mode & stat.S_ISVTX
    closed = []
    for path, mode in [*([(data_dir, 0o700)] if ours else []), *((path, 0o600) for path in kept)]:
        found = path.stat()
        if found.st_uid == os.getuid() and found.st_mode & 0o077:
            path.chmod(found.st_mode & mode)
            closed.append(path.name)
    if closed:
        log.warning("closed_to_others", data_dir=str(data_dir), names=closed, why="others could read them")


def _kept_secret(path: Path) -> str:
    """Read or create; of two processes that create at once, both end with the same secret."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
            f.write(secrets.token_urlsafe(48))
            f.flush()
            os.fsync(f.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # the other process was first: its secret counts
        finally:
            fresh.unlink()
    return path.read_text().strip()


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text.strip())
    except ValueError:
        return False
    return True


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104  (not bound here)


def _expected(name: str, problem: str) -> str:
    """What a variable must be, in words."""
    kind = next(f.type for f in msgspec.structs.fields(Settings) if f.name == name)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    if choices:
        return ("must be one of " if len(choices) > 1 else "must be ") + ", ".join(map(str, choices))
    problem = problem.split(" - at", maxsplit=1)[0]
    bound = re.search(r"(<=|>=|<|>) (\S+)", problem)
    if bound is not None:
        words = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}
        return f"must be {words[bound[1]]} {bound[2].removesuffix('.0')}"
    for word, meaning in (("int", "a whole number"), ("float", "a number"), ("bool", "true or false")):
        if f"`{word}" in problem:
            return f"must be {meaning}"
    return problem


def _decode(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(kind)
