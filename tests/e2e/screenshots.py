"""`make screenshots`: a picture of every page in every world, theme, width and language, and a sheet to look through.

    python tests/e2e/screenshots.py [all | some] [PART OF A NAME …]

`some` takes the selection that `make test` looks at; parts of names (`job-`, `-dark-390-`) narrow either.
"""

from __future__ import annotations

import html
import shutil
import sys
import time
from itertools import groupby
from pathlib import Path

from looking import Looker, looking
from matrix import PAGES, WIDTHS, Case, everything, selection
from playwright.sync_api import Error, Page, sync_playwright
from serving import CHROMIUM_FLAGS

FOLDER = Path(__file__).resolve().parents[2] / "test-results/screenshots"
HIGHEST = 2_400
"""Pixels of a page that goes on below: what is further down looks the same."""


def main(arguments: list[str]) -> int:
    chosen = selection() if "some" in arguments else everything()
    parts = [part for part in arguments if part not in ("all", "some")]
    cases = [case for case in chosen if all(part in f"{case}-" for part in parts)]
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    began, failed = time.monotonic(), list[str]()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        with looking(browser) as looker:
            looker.prepare(cases)
            for n, case in enumerate(cases, start=1):
                if not shoot(looker, case):
                    failed.append(str(case))
                if n % 100 == 0:
                    print(f"{n} of {len(cases)}", flush=True)
    (FOLDER / "index.html").write_text(sheet(cases))
    print(f"{len(cases) - len(failed)} screenshots in {time.monotonic() - began:.0f} s: {FOLDER}/index.html")
    for name in failed:
        print(f"  not taken: {name}")
    return 1 if failed else 0


def shoot(looker: Looker, case: Case) -> bool:
    try:
        page = looker.go(case).page
        _fit(page, case)
        page.screenshot(path=FOLDER / f"{case}.png")
    except Error as e:
        print(f"{case}: {e.message.splitlines()[0]}", flush=True)
        return False
    return True


def _fit(page: Page, case: Case) -> None:
    """Have the window as high as its page is, within reason: a picture beyond it has the navigation in the middle."""
    height: int = page.evaluate("document.documentElement.scrollHeight")
    if height > WIDTHS[case.width]:
        page.set_viewport_size({"width": case.width, "height": min(height, HIGHEST)})
        page.evaluate("__look.twoFrames()")


def sheet(cases: list[Case]) -> str:
    """Grouped by page, in the order of the matrix."""
    by_page = sorted(cases, key=lambda c: (PAGES.index(c.look), c.width))
    parts = []
    for look, group in groupby(by_page, key=lambda c: c.look):
        figures = "".join(
            f'<figure style="width:{90 + case.width // 8}px"><a href="{case}.png">'
            f'<img loading="lazy" src="{case}.png"></a>'
            f"<figcaption>{case.world} · {case.theme} · {case.width} · {case.language}</figcaption></figure>"
            for case in group
        )
        parts.append(f'<h2 id="{look.name}">{look.name} <code>{html.escape(look.path)}</code></h2><div>{figures}</div>')
    contents = " ".join(f'<a href="#{look.name}">{look.name}</a>' for look, _ in groupby(by_page, key=lambda c: c.look))
    style = (
        "body{font:13px sans-serif;margin:24px;background:#888}div{display:flex;flex-wrap:wrap;gap:12px;"
        "align-items:start}figure{margin:0}img{width:100%;max-height:420px;object-fit:cover;object-position:top}"
    )
    return (
        f"<!doctype html><meta charset=utf-8><title>VisionAI</title><style>{style}</style><p>{contents}{''.join(parts)}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
