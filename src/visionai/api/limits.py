"""How much one person, or one address, may ask: so many requests a minute, and log-ins with growing delays.

Everything is kept in this process's memory, and bounded: several replicas count for themselves, and what was counted
is forgotten at a restart. Nobody is held back by what others do from elsewhere: people are counted by their account
only after they have shown who they are, and attempts to sign in by address and account together. By the account alone
a stranger could lock its owner out.

Trainers' callbacks and signed addresses are not counted: whoever has them was given them for that.
"""

from __future__ import annotations

import contextlib
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Literal, TypeVar, get_args

from visionai.errors import TooManyRequests
from visionai.settings import Settings

T = TypeVar("T")
Kind = Literal["auth", "read", "write", "upload"]
Clock = Callable[[], float]

MOST = 10_000
"""Whom we remember of each kind; who was here least lately goes first."""
MINUTE = 60.0
FREE_ATTEMPTS = 5
LONGEST_WAIT = 900.0
FORGOTTEN_SECONDS = 3600.0


class Limits:
    def __init__(self, settings: Settings, clock: Clock = time.monotonic) -> None:
        self._buckets = {kind: Buckets(getattr(settings, f"rate_limit_{kind}"), clock) for kind in get_args(Kind)}
        self._attempts = Attempts(clock)

    def take(self, kind: Kind, who: str) -> None:
        """Raises TooManyRequests."""
        if (wait := self._buckets[kind].take(who)) > 0:
            raise _too_many("Too many requests", wait)

    @contextlib.contextmanager
    def attempt(self, ip: str, email: str) -> Iterator[None]:
        """Around the look at a password. Counted before it, so that many at once are no way around; forgotten if it
        was right. Raises TooManyRequests."""
        key = f"{network(ip)} {email.lower()}"
        if (wait := self._attempts.begin(key)) > 0:
            raise _too_many("Too many attempts to sign in", wait)
        yield
        self._attempts.forget(key)


class Buckets:
    """``per_minute`` for each key, all of them at once if need be; they come back one by one. 0: no limit.

    Of each key is kept when it will have all of them again.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._each = MINUTE / per_minute if per_minute else 0.0
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> float:
        """0 if there was one, otherwise the seconds until there is."""
        if not self._each:
            return 0.0
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now) + self._each
        if full_at - now > MINUTE + 1e-6:
            return full_at - now - MINUTE
        _remember(self._full_at, key, full_at)
        return 0.0


class Attempts:
    """The first ``FREE_ATTEMPTS`` cost nothing; after each further one the next has to wait twice as long."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """How many, and when the latest."""

    def begin(self, key: str) -> float:
        """0 if it may be made, otherwise the seconds to wait. It counts as wrong until ``forget``."""
        now = self._clock()
        count, latest = self._made.get(key, (0, now))
        if now - latest > FORGOTTEN_SECONDS:
            count = 0
        delay = min(2.0 ** (count - FREE_ATTEMPTS), LONGEST_WAIT) if count >= FREE_ATTEMPTS else 0.0
        if now < latest + delay:
            return latest + delay - now
        _remember(self._made, key, (min(count + 1, 100), now))
        return 0.0

    def forget(self, key: str) -> None:
        self._made.pop(key, None)


def network(ip: str) -> str:
    """What counts as one address: of IPv6 the /64, which one household has whole."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip[:45]
    if isinstance(address, ipaddress.IPv4Address):
        return ip
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _remember(kept: OrderedDict[str, T], key: str, value: T) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MOST:
        kept.popitem(last=False)


def _too_many(what: str, wait: float) -> TooManyRequests:
    seconds = max(1, math.ceil(wait))
    return TooManyRequests(f"{what}: wait {seconds} s and try again.", retry_after=seconds)
