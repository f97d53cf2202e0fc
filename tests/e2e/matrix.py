"""The matrix: every page, with whatever can be open in it, by what is there, colours, width, language and motion.

To have a new page looked at, by `make test` and `make screenshots` alike, add its line to PAGES.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from pairs import combine
from playwright.sync_api import Page as Tab
from worlds import WORLDS

Theme = Literal["light", "dark"]
Language = Literal["en", "ko"]

THEMES = ("light", "dark")
WIDTHS = {390: 844, 768: 1024, 1440: 900, 2560: 1440}
LANGUAGES = ("en", "ko")
MOTIONS = ("moving", "still")

FAULTS = {
    "viewer": r"403|404",
    "failing": r"500",
    "offline": r"ERR_INTERNET_DISCONNECTED",
    "gone": r"404",
    "ended": r"401",
}
"""Worlds that are the usual one seen by somebody who may only read, or through an API that fails; and what Chromium
says of that in the console."""
PLACES = (*WORLDS, *FAULTS, "new")
EMPTY = {"project", "nowhere"}
"""The ids that there are where nothing is yet."""


class Look(msgspec.Struct, frozen=True):
    """One page. ``path`` names ids of worlds.World; ``act`` opens in it what is to be seen."""

    name: str
    path: str
    act: Callable[[Tab], None] | None = None
    only: tuple[str, ...] | None = None
    """The worlds it is looked at in; else all in which its ids are, and, with ``act``, in which it loads."""
    outside: bool = False
    """Seen by somebody who is not signed in."""
    errors: str = ""
    """A pattern of errors in the console that belong to it."""

    @property
    def needs(self) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(self.path) if name}

    def is_in(self, world: str) -> bool:
        if self.only is not None:
            return world in self.only
        if self.outside:
            return world == "normal"
        if world == "new" or (world == "empty" and not self.needs <= EMPTY):
            return False
        if world in ("gone", "ended"):
            return self.act is None and bool(self.needs - {"jobs"})
        return self.act is None or world not in FAULTS


def click(selector: str) -> Callable[[Tab], None]:
    return lambda tab: tab.locator(selector).first.click()


def dialog(of: str, number: int = 0) -> Callable[[Tab], None]:
    """Opened as its button does it, whatever that is called in this language."""
    return lambda tab: tab.locator(f"{of} dialog").nth(number).evaluate("it => it.showModal()")


def press(keys: str) -> Callable[[Tab], None]:
    """What opens a dialog."""

    def act(tab: Tab) -> None:
        tab.keyboard.press(keys)
        tab.locator("dialog[open]").wait_for()

    return act


def choose_three(tab: Tab) -> None:
    for n in range(3):
        tab.locator(".job-pick input").nth(n).click()


def choose_a_file(tab: Tab) -> None:
    tab.locator("input[type=file]").set_input_files({"name": "parts.zip", "mimeType": "", "buffer": b"0" * 5_000_000})


def make_a_token(tab: Tab) -> None:
    tab.locator("form:has(select) input").first.fill("notebook")
    tab.locator("form:has(select) button[type=submit]").first.click()
    tab.locator("input[readonly]").wait_for()


def sign_in_wrongly(tab: Tab) -> None:
    tab.locator("input[type=email]").fill("nobody@example.org")
    tab.locator("input[type=password]").fill("not the password")
    tab.locator("button[type=submit]").click()
    tab.locator("[role=alert]").wait_for()


def too_short_a_password(tab: Tab) -> None:
    for field in tab.locator("input[type=email]").all():
        field.fill("linus@example.org")
    tab.locator("input[type=password]").fill("short")
    tab.locator("button[type=submit]").click()
    tab.locator("[class*=-error]").first.wait_for()


PAGES = (
    Look("home", "/"),
    Look("chat", "/?chat={conversation}"),
    Look("datasets", "/datasets"),
    Look("upload", "/datasets", choose_a_file, only=("empty", "normal")),
    Look("dataset", "/datasets/{dataset}"),
    Look("dataset-class", "/datasets/{dataset}?class={class}&split=val"),
    Look("image", "/datasets/{dataset}/images/{image}"),
    Look("dataset-faults", "/datasets/{dataset}?view=faults"),
    Look("dataset-versions", "/datasets/{dataset}?view=versions"),
    Look("dataset-broken", "/datasets/{broken}", only=("errors",)),
    Look("dataset-delete", "/datasets/{dataset}", dialog(".page-head"), only=("normal", "long")),
    Look("jobs", "/jobs"),
    Look("jobs-none", "/jobs?q=zzz&state=running"),
    Look("jobs-chosen", "/jobs", choose_three, only=("normal", "many", "long", "errors")),
    Look("jobs-with", "/jobs?with={job}"),
    Look("job", "/jobs/{job}"),
    Look("job-results", "/jobs/{job}?view=results"),
    Look("job-images", "/jobs/{job}?view=results&true={class}"),
    Look("job-log", "/jobs/{job}?view=log&line=7"),
    Look("job-settings", "/jobs/{job}?view=settings"),
    Look("job-delete", "/jobs/{job}", dialog(".page-head", -1), only=("normal", "long")),
    Look("job-running", "/jobs/{running}"),
    Look("job-queued", "/jobs/{queued}"),
    Look("job-failed", "/jobs/{failed}"),
    Look("compare", "/compare?jobs={jobs}"),
    Look("compare-none", "/compare"),
    Look("train", "/train"),
    Look("train-again", "/train?from={job}"),
    Look("models", "/models"),
    Look("models-none", "/models?q=zzz"),
    Look("account", "/account"),
    Look("account-token", "/account", make_a_token, only=("normal", "empty")),
    Look("people", "/people"),
    Look("people-dialog", "/people", dialog(".people"), only=("normal", "long")),
    Look("projects", "/projects"),
    Look("project", "/projects/{project}"),
    Look("audit", "/audit"),
    Look("system", "/system"),
    Look("nowhere", "/no/such/page", only=("normal", "empty", "viewer")),
    Look("palette", "/datasets", press("Control+k"), only=("normal", "many", "long")),
    Look("keys", "/datasets", press("?"), only=("normal",)),
    Look("account-menu", "/models", click("[popovertarget=account]"), only=("normal", "long", "viewer")),
    Look("login", "/login", outside=True),
    Look("login-wrong", "/login", sign_in_wrongly, outside=True, errors="401"),
    Look("setup", "/setup#token={setup}", only=("new",), outside=True),
    Look("setup-weak", "/setup#token={setup}", too_short_a_password, only=("new",), outside=True),
    Look("setup-done", "/setup", outside=True),
    Look("invitation", "/invitation#token={invitation}", outside=True, only=("normal", "long")),
    Look("invitation-over", "/invitation#token=none", outside=True, errors="401|404|410"),
    Look("reset", "/reset#token={reset}", outside=True),
    Look("reset-weak", "/reset#token={reset}", too_short_a_password, outside=True),
)


class Case(msgspec.Struct, frozen=True):
    look: Look
    world: str
    theme: Theme
    width: int
    language: Language
    motion: str = "moving"

    def __str__(self) -> str:
        still = "-still" if self.motion == "still" else ""
        return f"{self.look.name}-{self.world}-{self.theme}-{self.width}-{self.language}{still}"

    @property
    def errors(self) -> re.Pattern[str] | None:
        patterns = [p for p in (FAULTS.get(self.world, ""), self.look.errors) if p]
        return re.compile("|".join(patterns)) if patterns else None


def is_in(look: Look, world: str) -> bool:
    return look.is_in(world)


def selection() -> list[Case]:
    """Every page in each theme and width, and all else pair by pair; what shares a browser context stands together."""
    pages, opened = [p for p in PAGES if p.act is None], [p for p in PAGES if p.act is not None]
    rest: dict[str, Any] = {"theme": THEMES, "width": tuple(WIDTHS), "language": LANGUAGES, "motion": MOTIONS}
    rows = combine({"look": pages, "world": PLACES} | rest, is_in, ("look", "theme", "width"))
    of_opened = [world for world in PLACES if any(look.is_in(world) for look in opened)]
    rows += combine({"look": opened, "world": of_opened} | rest, is_in)
    cases = [Case(**row) for row in rows]
    return sorted(cases, key=lambda c: (PLACES.index(c.world), c.language, c.look.outside, PAGES.index(c.look)))


def everything() -> list[Case]:
    return [
        Case(look, world, theme, width, language)
        for world in PLACES
        for language in LANGUAGES
        for look in sorted(PAGES, key=lambda p: p.outside)
        if look.is_in(world)
        for theme in THEMES
        for width in WIDTHS
    ]  # type: ignore[arg-type]
