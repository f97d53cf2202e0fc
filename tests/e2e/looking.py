"""A browser that goes through the matrix: one context for each world and language, and in it from page to page."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from matrix import FAULTS, WIDTHS, Case, Look
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route
from worlds import ADA, PASSWORD, VERA, WORLDS, World, world

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LOCALES = {"en": "en-GB", "ko": "ko-KR"}
QUIET_MS, POLL_MS = 15_000, 30

SCRIPT = Path(__file__).with_suffix(".js")
HURRY = """{
  const later = window.setTimeout;
  window.setTimeout = (act, ms, ...given) => later(act, ms >= 400 ? 20 : ms, ...given);
}"""
"""What failed is asked for again after seconds, which nobody need wait for here."""
REMEMBERED = "try { localStorage.setItem('visionai-signed-in', '1') } catch {}"


class Seen(msgspec.Struct):
    """An open context with its one page: what that shows, and what its console has said since the last look."""

    page: Page
    said: list[str]
    look: Look | None = None


class Looker:
    """Goes to cases. Worlds are started when `prepare` names them."""

    def __init__(self, browser: Browser, stack: ExitStack) -> None:
        self._browser = browser
        self._stack = stack
        self._worlds: dict[str, World] = {}
        self._open: dict[tuple[str, str, bool], Seen] = {}

    def prepare(self, cases: list[Case]) -> None:
        """Start the servers that these need, all at once."""
        needed = sorted({_server_of(case.world) for case in cases} - self._worlds.keys())
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="visionai-worlds-")))

        def start(name: str) -> tuple[World, ExitStack]:
            own = ExitStack()
            (folder / name).mkdir()
            return own.enter_context(world(name, folder / name)), own

        with ThreadPoolExecutor(max_workers=3) as threads:
            for name, (made, own) in zip(needed, threads.map(start, needed), strict=True):
                self._stack.enter_context(own)
                self._worlds[name] = made

    def go(self, case: Case) -> Seen:
        """To the case's page, with everything there that will be there."""
        seen = self._context(case)
        page, look = seen.page, case.look
        page.set_viewport_size({"width": case.width, "height": WIDTHS[case.width]})
        page.emulate_media(
            color_scheme=case.theme, reduced_motion="reduce" if case.motion == "still" else "no-preference"
        )
        if look is not seen.look:  # else it is only another width or theme of what is open
            seen.look = None
            there = self._worlds[_server_of(case.world)].ids
            ids = {name: there["nowhere"] if case.world == "gone" else value for name, value in there.items()}
            self._to(page, look.path.format(**ids), fresh=look.outside or case.world in ("ended", "offline"))
            self.settle(page, case)
            if look.act is not None:
                look.act(page)
            seen.look = look
        self.settle(page, case)
        return seen

    def settle(self, page: Page, case: Case) -> None:
        """Until nothing is fetched, and what came of that has not asked for more when it is drawn."""
        cut = case.world == "offline"
        while True:
            page.wait_for_function("cut => __look.isQuiet(cut)", arg=cut, timeout=QUIET_MS, polling=POLL_MS)
            page.evaluate("__look.twoFrames()")
            if page.evaluate("cut => __look.isQuiet(cut)", cut):
                return

    def findings(self, seen: Seen, case: Case) -> list[str]:
        """All that is wrong with what is on the screen now."""
        if not seen.page.evaluate("typeof axe === 'object'"):
            seen.page.evaluate(AXE)
        found: list[str] = seen.page.evaluate("rules => __look.findings(rules)", RULES)
        expected = case.errors
        found += [line for line in seen.said if expected is None or not expected.search(line)]
        seen.said.clear()
        return found

    def _to(self, page: Page, path: str, *, fresh: bool) -> None:
        """Within the app where that is another kind of page: left for its like, it would keep what was done in it."""
        before, after = (urlsplit(url).path.split("/")[1:2] for url in (page.url, path))
        if fresh or before in (after, []):
            page.goto("about:blank")
            page.goto(path)
        else:
            page.evaluate("path => __look.go(path)", path)

    def _context(self, case: Case) -> Seen:
        key = (case.world, case.language, case.look.outside)
        if key not in self._open:
            for other in list(
                self._open
            ):  # cases that share one stand together, and a page that is open goes on drawing
                self._open.pop(other).page.context.close()
            self._open[key] = self._new(case)
        return self._open[key]

    def _new(self, case: Case) -> Seen:
        there = self._worlds[_server_of(case.world)]
        context = self._browser.new_context(base_url=there.url, locale=LOCALES[case.language])
        context.add_init_script(path=SCRIPT)
        if not case.look.outside:
            context.add_init_script(REMEMBERED)
            self._sign_in(context, VERA if case.world == "viewer" else ADA)
        if case.world in FAULTS:
            context.route("**/api/v1/**", _answer(case.world))
        if case.world == "failing":
            context.add_init_script(HURRY)
        page, said = context.new_page(), list[str]()

        def note(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                said.append(f"{message.type}: {message.text}")

        page.on("console", note)
        page.on("pageerror", lambda error: said.append(f"uncaught: {error}"))
        return Seen(page, said)

    def _sign_in(self, context: BrowserContext, email: str) -> None:
        answer = context.request.post("/api/v1/auth/login", data={"email": email, "password": PASSWORD, "cookie": True})
        assert answer.ok, answer.text()


@contextmanager
def looking(browser: Browser) -> Iterator[Looker]:
    with ExitStack() as stack:
        yield Looker(browser, stack)


def _server_of(name: str) -> str:
    return name if name in WORLDS or name == "new" else "normal"


def _answer(how: str) -> Any:
    """What the API says in this world; who one is, it always knows, but where the session has ended."""

    def answer(route: Route) -> None:
        own = "/auth/refresh" in route.request.url or "/auth/me" in route.request.url
        if how == "ended":
            problem(route, 401, "The session has ended: sign in again.")
        elif how == "failing" and not own:
            problem(route, 500, "Something went wrong in the server. Its log says what.")
        elif how == "offline" and not own:
            route.abort("internetdisconnected")
        else:
            route.fallback()

    def problem(route: Route, status: int, detail: str) -> None:
        body = {"status": status, "code": "internal", "title": "Problem", "detail": detail}
        route.fulfill(status=status, json=body, content_type="application/problem+json")

    return answer
