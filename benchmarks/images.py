"""A data set of 100,000 images: a page of the list at its start and at its end, and scrolling through all of it.

The app by its public command. The list is asked for by HTTP, start and end in turn. Scrolling is done by the mouse
wheel in Chromium: first at a pace at which one looks at the images, then through everything. Meanwhile the page itself
notes what occupied its main thread for 50 ms or more, and how many tiles there are at each frame.
"""

from __future__ import annotations

import io
import shutil
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import insert, select

from benchmarks import world
from benchmarks.server import ACCOUNT, Server, running
from benchmarks.stats import Figure
from visionai.datasets.tables import Dataset, DatasetImage, DatasetVersion
from visionai.db import Database
from visionai.identity.tables import Project, User
from visionai.settings import Settings
from visionai.storage import keys

MANY, CLASSES, PICTURES = 100_000, 20, 100
PAGE = 100
ROWS = 2_000  # of a transaction: the app waits for it meanwhile
READING, LEAPING = 240, 6_000  # pixels for each turn of the wheel
READ_TURNS = 60
MOST_TURNS = 1_000
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
WATCH = """() => {
    window.seen = { longest: 0, tiles: 0 };
    new PerformanceObserver(list => {
        for (const task of list.getEntries()) seen.longest = Math.max(seen.longest, task.duration);
    }).observe({ entryTypes: ["longtask"] });
    const look = () => {
        seen.tiles = Math.max(seen.tiles, document.querySelectorAll('[role="gridcell"]').length);
        requestAnimationFrame(look);
    };
    look();
}"""
AT_THE_END = "scrollY + innerHeight >= document.documentElement.scrollHeight - 1"
IS_SHOWN = """place => document.querySelector(`[data-place="${place}"] img`)?.naturalWidth > 0"""


def measure(folder: Path, *, rounds: int) -> list[Figure]:
    data_dir = folder / "images"
    data_dir.mkdir(mode=0o700)
    with running(data_dir) as server:
        dataset_id = _fill(world.settings_of(data_dir))
        start, end = _pages(server, dataset_id, 30 * rounds)
        ratio = [b / a for a, b in zip(start, end, strict=True)]
        figures = [
            Figure(f"{MANY:,} images: a page of {PAGE} at the end ÷ at the start", ratio, "×", digits=1),
            Figure("  at the start", start, "ms", digits=1),
            Figure("  at the end", end, "ms", digits=1),
        ]
        if (chromium := shutil.which("chromium")) is None:
            sys.stderr.write("There is no chromium here: scrolling through the images is left out.\n")
            return figures
        seen = [_scroll(server, dataset_id, chromium) for _ in range(rounds)]
    return [
        *figures,
        Figure("  scrolled through: the longest task (below 50 ms: 0)", [s["longest"] for s in seen], "ms", digits=0),
        Figure("    most tiles at once", [s["tiles"] for s in seen], aim=300, digits=0),
        Figure("    from the last turn to the last image", [s["settled"] for s in seen], "ms", digits=0),
        Figure("    all of it", [s["seconds"] for s in seen], "s", digits=1),
    ]


def _pages(server: Server, dataset_id: UUID, count: int) -> tuple[list[float], list[float]]:
    def timed(offset: int) -> float:
        began = time.perf_counter()
        page = server.get(f"/api/v1/datasets/{dataset_id}/images?limit={PAGE}&offset={offset}")
        assert [image["n"] for image in page["items"]] == list(range(offset, offset + PAGE))
        return (time.perf_counter() - began) * 1e3

    timed(0)
    both = [(timed(0), timed(MANY - PAGE)) for _ in range(count)]
    return [a for a, _ in both], [b for _, b in both]


def _scroll(server: Server, dataset_id: UUID, chromium: str) -> dict[str, float]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(base_url=str(server.api.base_url), viewport={"width": 1440, "height": 900})
        _sign_in(page)
        page.goto(f"/datasets/{dataset_id}")
        page.wait_for_function(IS_SHOWN, arg=0)
        page.evaluate(WATCH)
        page.mouse.move(900, 500)
        began = time.perf_counter()
        for _ in range(READ_TURNS):
            page.mouse.wheel(0, READING)
            page.wait_for_timeout(50)
        for _ in range(MOST_TURNS):
            page.mouse.wheel(0, LEAPING)
            if page.evaluate(AT_THE_END):
                break
        ended = time.perf_counter()
        page.wait_for_function(IS_SHOWN, arg=MANY - 1)
        settled = time.perf_counter() - ended
        seen: dict[str, float] = page.evaluate("seen")
        browser.close()
    return seen | {"settled": settled * 1e3, "seconds": ended - began}


def _sign_in(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill(ACCOUNT["email"])
    page.get_by_label("Password", exact=True).fill(ACCOUNT["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("textbox", name="Message").wait_for()


def _fill(settings: Settings) -> UUID:
    """The data set, of somebody who is there already; its images share a hundred pictures."""
    names = [f"class_{number:02}" for number in range(CLASSES)]

    async def fill(db: Database) -> UUID:
        async with db.write() as session:
            user, project = (await session.scalars(select(User))).one(), (await session.scalars(select(Project))).one()
            dataset = Dataset(project_id=project.id, created_by=user.id, name="large", status="ready")
            session.add(dataset)
            await session.flush()
            share = MANY // CLASSES
            version = DatasetVersion(
                dataset_id=dataset.id, project_id=project.id, number=1, content_hash="c", split_hash="s",
                task_types=["classification"], image_count=MANY, train_count=MANY * 4 // 5, val_count=MANY // 5,
                classes=[{"name": n, "total": share, "train": share * 4 // 5, "val": share // 5} for n in names],
                size_bytes=MANY * 4_000, statistics={}, report={"faults": []}, files=[],
            )  # fmt: skip
            session.add(version)
            await session.flush()
            dataset.current_version_id = version.id
        for number in range(PICTURES):
            path = settings.data_dir / "storage" / keys.thumbnail(dataset.id, _sha(number))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_thumbnail(number))
        for begin in range(0, MANY, ROWS):
            async with db.write() as session:
                await session.execute(insert(DatasetImage), [_row(version.id, n) for n in range(begin, begin + ROWS)])
        return dataset.id

    return world.run_on(settings, fill)


def _row(version_id: UUID, n: int) -> dict[str, Any]:
    label = f"class_{n * CLASSES // MANY:02}"
    return {
        "version_id": version_id, "n": n, "file_name": f"{label}/{n:06}.jpg", "sha256": _sha(n), "suffix": ".jpg",
        "width": 640, "height": 480, "size": 4_000, "split": "val" if n % 5 == 0 else "train", "label": label,
        "labels": [label], "objects": [],
    }  # fmt: skip


def _sha(number: int) -> str:
    return f"{number % PICTURES:064x}"


def _thumbnail(number: int) -> bytes:
    data = io.BytesIO()
    Image.effect_noise((256, 192), 20 + number).convert("RGB").save(data, "WEBP", quality=80)
    return data.getvalue()
