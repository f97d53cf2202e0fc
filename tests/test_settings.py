"""A setting that is wrong is named, with what it must be."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import structlog

from visionai.errors import SettingsError
from visionai.settings import Settings, from_environ, override, prepare


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "abc", "must be a whole number"),
        ("PORT", "99999", "must be at most 65535"),
        ("SWEEP_SECONDS", "soon", "must be a number"),
        ("ALLOW_DOWNLOADS", "maybe", "must be true or false"),
        ("LOG_LEVEL", "loud", "must be one of debug, info, warning, error"),
        ("STORAGE_TYPE", "s3", "must be local"),
        ("ACCESS_TOKEN_SECONDS", "0", "must be more than 0"),
        ("SLOTS", "-1", "must be at least 0"),
        ("DATABASE_URL", "mysql://x", "is not supported yet"),
        ("DATABASE_URL", "postgresql://x/y", "is not supported yet"),
        ("REDIS_URL", "foo", "must be an address such as redis://localhost:6379/0"),
        ("REDIS_URL", "redis://host:abc", "must be an address"),
        ("REDIS_URL", "redis://", "must be an address"),
        ("PUBLIC_URL", "foo", "must be an address such as https://"),
        ("PUBLIC_URL", "http://", "must be an address"),
        ("PUBLIC_URL", "http://:80", "must be an address"),
        ("PUBLIC_URL", "http://a host", "must be an address"),
        ("CALLBACK_BASE_URL", "ftp://x", "must be an address"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy", "must be a list such as 10.0.0.0/8"),
        ("TRUSTED_PROXIES", "*", "must be a list"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "must be a list"),
        ("RATE_LIMIT_READ", "-1", "must be at least 0"),
        ("SMTP_URL", "mail.example.org", "must be an address such as smtp://"),
        ("SMTP_FROM", "a@x.org, b@x.org", "must be one mail address"),
    ],
)
def test_a_wrong_variable(name, value, words):
    with pytest.raises(SettingsError) as refused:
        from_environ({name: value})
    assert f"{name}='{value}' {words}" in refused.value.detail


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "sqlite+aiosqlite:////tmp/x.sqlite3"),
        ("REDIS_URL", "redis://localhost"),
        ("REDIS_URL", "redis://:pass-word@redis.example.org:6379/0?protocol=3"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1"),
        ("PUBLIC_URL", "https://vision.example.org"),
        ("PUBLIC_URL", "http://192.168.0.7:8000/"),
        ("PUBLIC_URL", "http://[::1]:8000"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1,192.168.1.4"),
        ("ALLOW_DOWNLOADS", "true"),
        ("ALLOW_DOWNLOADS", "1"),
    ],
)
def test_a_right_variable(name, value):
    assert getattr(from_environ({name: value}), name.lower()) in {value, True}


def test_all_wrong_ones_are_named_at_once():
    with pytest.raises(SettingsError) as refused:
        from_environ({"PORT": "x", "PUBLIC_URL": "y", "SLOTS": "-1"})
    assert all(name in refused.value.detail for name in ("PORT", "PUBLIC_URL", "SLOTS"))


def test_a_password_in_a_wrong_address_is_not_shown():
    with pytest.raises(SettingsError) as refused:
        from_environ({"SMTP_URL": "smtp://ada:hush@mail.example.org:x", "REDIS_URL": "redis://:hush@host:abc"})
    assert "hush" not in refused.value.detail and "mail.example.org" in refused.value.detail


def test_mail_needs_an_address_to_come_from():
    with pytest.raises(SettingsError, match="SMTP_FROM is not set"):
        from_environ({"SMTP_URL": "smtp://mail.example.org"})
    given = {"SMTP_URL": "smtps://ada:p%40ss@mail.example.org:465", "SMTP_FROM": "visionai@example.org"}
    assert from_environ(given).smtp_url == given["SMTP_URL"]


@pytest.mark.parametrize("port", [-1, 99999])
def test_options_are_checked_like_variables(port):
    with pytest.raises(SettingsError, match="--port"):
        override(Settings(), {"port": port})
    assert override(Settings(), {"port": 0}).port == 0


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_an_older_version_left_open_is_closed_to_others_with_a_line_in_the_log(tmp_path):
    opened = [tmp_path / name for name in ("jwt-secret", "visionai.sqlite3", "visionai.sqlite3-wal")]
    for path in opened:
        path.write_text("s" * 40)
        path.chmod(0o644)
    tmp_path.chmod(0o755)
    with structlog.testing.capture_logs() as logged:
        prepare(Settings(data_dir=tmp_path))
        prepare(Settings(data_dir=tmp_path))
    assert mode(tmp_path) == 0o700
    assert {mode(path) for path in opened} == {0o600}
    assert [line["event"] for line in logged] == ["closed_to_others"]


def test_a_folder_that_others_share_is_left_as_it_is(tmp_path):
    for name, shared in (("sticky", 0o1777), ("full", 0o755)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "somebody's").touch()
        folder.chmod(shared)
        prepare(Settings(data_dir=folder))
        assert mode(folder) == shared
        assert mode(folder / "jwt-secret") == 0o600


def test_nothing_is_said_where_all_is_closed(tmp_path):
    with structlog.testing.capture_logs() as logged:
        prepare(Settings(data_dir=tmp_path / "new"))
        prepare(Settings(data_dir=tmp_path / "new"))
    assert logged == []
