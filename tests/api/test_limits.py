"""Limits: what one may ask for in a minute, and attempts to sign in that get slower and lock nobody else out."""

from __future__ import annotations

from contextlib import ExitStack
from uuid import uuid4

import msgspec
import pytest

from visionai.api import limits
from visionai.api.limits import Attempts, Buckets, Limits, network
from visionai.errors import TooManyRequests
from visionai.identity import tokens
from visionai.server import configuration
from visionai.settings import Settings

PASSWORD = "correct horse battery"
API = "/api/v1"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limited(app, client, clock):
    """Has the app count anew, with these settings and this clock."""

    def use(**settings):
        app.state.limits = Limits(msgspec.structs.replace(app.state.parts.settings, **settings), clock)

    return use


def test_a_bucket_gives_all_at_once_and_then_one_by_one(clock):
    bucket = Buckets(60, clock)
    assert [bucket.take("ada") for _ in range(60)] == [0.0] * 60
    assert bucket.take("ada") == pytest.approx(1.0)
    assert bucket.take("bob") == 0.0, "others are others"
    clock.now += 1.0
    assert (bucket.take("ada"), bucket.take("ada") > 0) == (0.0, True)
    clock.now += 60
    assert [bucket.take("ada") for _ in range(60)] == [0.0] * 60


def test_none_is_no_limit(clock):
    bucket = Buckets(0, clock)
    assert not any(bucket.take("ada") for _ in range(10_000))


def test_what_is_remembered_is_bounded(clock, monkeypatch):
    monkeypatch.setattr(limits, "MOST", 10)
    bucket, attempts = Buckets(1, clock), Attempts(clock)
    for n in range(1000):
        bucket.take(str(n))
        attempts.begin(str(n))
    assert len(bucket._full_at) == len(attempts._made) == 10
    assert bucket.take("999") > 0, "the latest are"


def test_attempts_wait_twice_as_long_each_time(clock):
    attempts, waits = Attempts(clock), []
    for _ in range(20):
        wait = attempts.begin("ada")
        waits.append(wait)
        clock.now += wait
        if wait:
            assert attempts.begin("ada") == 0.0
    assert waits[:9] == pytest.approx([0, 0, 0, 0, 0, 1, 2, 4, 8])
    assert waits[-1] == pytest.approx(900.0)
    clock.now += 3601
    assert attempts.begin("ada") == 0.0


@pytest.mark.parametrize(
    ("ip", "counted_as"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8::1:2", "2001:db8::/64"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_one_address(ip, counted_as):
    assert network(ip) == counted_as


def login(client, email="admin@example.org", password="wrong"):
    return client.post(f"{API}/auth/login", json={"email": email, "password": password})


def test_wrong_passwords_are_slowed_down_even_before_a_right_one(client, admin, limited, clock):
    limited()
    assert [login(client).status_code for _ in range(5)] == [401] * 5
    held = login(client, password=PASSWORD)
    assert (held.status_code, held.json()["code"], held.headers["retry-after"]) == (429, "too_many_requests", "1")
    assert held.json()["detail"] == "Too many attempts to sign in: wait 1 s and try again."
    clock.now += 1
    assert login(client, "ADMIN@example.org", PASSWORD).status_code == 200
    assert [login(client).status_code for _ in range(5)] == [401] * 5, "counted anew after the right one"


def test_an_account_that_is_none_is_slowed_down_alike(client, limited):
    limited()
    assert [login(client, "nobody@example.org").status_code for _ in range(6)] == [401] * 5 + [429]


def test_many_at_once_are_no_way_around_and_others_are_not_held_back(clock):
    counted = Limits(Settings(), clock)
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(counted.attempt("10.0.0.7", "ada@example.org"))
        with pytest.raises(TooManyRequests), counted.attempt("10.0.0.7", "ada@example.org"):
            pass
        with counted.attempt("10.0.0.8", "ada@example.org"):
            pass  # their owner, from elsewhere
        with counted.attempt("10.0.0.7", "bob@example.org"):
            pass


def test_the_present_password_cannot_be_tried_out_either(admin, limited):
    limited()
    change = {"current": "wrong", "new": "a walrus in galoshes"}
    codes = [admin.call("POST", f"{API}/auth/password", json=change).status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]


def test_each_kind_is_counted_for_itself_and_for_each_person(admin, client, limited, add_job):
    eve = admin.as_user("eve@example.org", "engineer")
    limited(rate_limit_read=2, rate_limit_write=1, rate_limit_upload=1, rate_limit_auth=1)
    for kind, asks, most in (
        ("read", lambda who: who.call("GET", f"{API}/projects"), 2),
        ("write", lambda who: who.call("POST", f"{API}/projects", json={"name": "x"}), 1),
        ("upload", lambda who: who.call("POST", f"{API}/datasets/upload"), 1),
    ):  # fmt: skip
        for who in (admin, eve):
            codes = [asks(who).status_code for _ in range(most + 1)]
            assert 429 not in codes[:-1] and codes[-1] == 429, kind
    assert [login(client).status_code for _ in range(2)] == [401, 429]


def test_a_post_that_only_reads_counts_as_reading(admin, limited):
    limited(rate_limit_write=1, rate_limit_read=0)
    codes = {admin.call("POST", f"{API}/auth/ticket", json={"job_id": str(uuid4())}).status_code for _ in range(5)}
    assert codes == {404}


def test_trainers_are_not_counted(app, client, limited):
    limited(rate_limit_read=1, rate_limit_write=1, rate_limit_auth=1)
    job_id = uuid4()
    headers = {"Authorization": f"Bearer {tokens.callback_token(app.state.parts.settings, job_id, 1)}"}
    path = f"/v1/jobs/{job_id}/heartbeat"
    codes = {client.post(path, json={"epoch": 1, "progress": 1}, headers=headers).status_code for _ in range(5)}
    assert 429 not in codes


@pytest.mark.parametrize(
    ("trusted", "peer", "header", "seen"),
    [
        (None, "127.0.0.1", "6.6.6.6", "127.0.0.1"),
        ("10.0.0.0/8", "127.0.0.1", "6.6.6.6", "127.0.0.1"),
        ("10.0.0.0/8", "10.1.2.3", "6.6.6.6", "6.6.6.6"),
        ("10.0.0.0/8", "10.1.2.3", "1.1.1.1, 6.6.6.6", "6.6.6.6"),
        ("10.0.0.0/8,6.6.6.6", "10.1.2.3", "1.1.1.1, 6.6.6.6", "1.1.1.1"),
        ("10.0.0.0/8", "10.1.2.3", None, "10.1.2.3"),
    ],
)
async def test_an_address_is_the_peers_or_what_a_trusted_proxy_says(trusted, peer, header, seen):
    """Through what the server puts around the app."""
    scopes = []

    async def receives(scope, receive, send):
        scopes.append(scope)

    config = configuration(receives, Settings(trusted_proxies=trusted))
    config.load()
    headers = [(b"x-forwarded-for", header.encode())] if header is not None else []
    scope = {"type": "http", "client": (peer, 1234), "headers": headers, "scheme": "http"}
    await config.loaded_app(scope, None, None)
    assert scopes[0]["client"][0] == seen
