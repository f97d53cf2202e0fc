"""A setting that is wrong is named, with what it must be."""

from __future__ import annotations

import pytest

from visionai.errors import SettingsError
from visionai.settings import Settings, from_environ, override


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "abc", "must be a whole number"),
        ("PORT", "99999", "must be <= 65535"),
        ("SWEEP_SECONDS", "soon", "must be a number"),
        ("ALLOW_DOWNLOADS", "maybe", "must be true or false"),
        ("LOG_LEVEL", "loud", "must be one of debug, info, warning, error"),
        ("STORAGE_TYPE", "s3", "must be "),
        ("DATABASE_URL", "mysql://x", "is not supported yet"),
        ("DATABASE_URL", "postgresql://x/y", "is not supported yet"),
        ("REDIS_URL", "foo", "must begin with redis://"),
        ("PUBLIC_URL", "foo", "must begin with http://"),
        ("CALLBACK_BASE_URL", "ftp://x", "must begin with http://"),
    ],
)
def test_a_wrong_variable(name, value, words):
    with pytest.raises(SettingsError) as refused:
        from_environ({name: value})
    assert f"{name}='{value}' {words}" in refused.value.detail


def test_all_wrong_ones_are_named_at_once():
    with pytest.raises(SettingsError) as refused:
        from_environ({"PORT": "x", "PUBLIC_URL": "y", "SLOTS": "-1"})
    assert all(name in refused.value.detail for name in ("PORT", "PUBLIC_URL", "SLOTS"))


@pytest.mark.parametrize("port", [-1, 99999])
def test_options_are_checked_like_variables(port):
    with pytest.raises(SettingsError, match="--port"):
        override(Settings(), {"port": port})
    assert override(Settings(), {"port": 0}).port == 0
