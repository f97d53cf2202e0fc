"""A thousand jobs: found, sorted, chosen, handled many at once and compared; and what is told on every page."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, Route, expect
from serving import make_admin
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.db import utcnow
from visionai.identity.tables import Project, User
from visionai.jobs.tables import Job, MetricRow, Validation

if TYPE_CHECKING:
    from conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process]

EMAIL, PASSWORD = "ada@example.org", "an analytical engine"
MANY = 1_000
OLD = 230
"""More data sets than one answer has."""
ENDS = ("completed", "completed", "completed", "failed", "cancelled")
CLASSES = ("bolt", "nut", "washer")
LOST = {"code": "oom", "message": "The trainer ran out of memory.", "hint": "Halve the batch size and train again."}


@pytest.fixture(scope="module", autouse=True)
def admin(server: Server) -> None:
    make_admin(server, EMAIL, PASSWORD)


@pytest.fixture(scope="module", autouse=True)
def ids(server: Server, admin: None) -> list[str]:
    """Of a thousand jobs that have ended, the oldest first; the last ten have curves and results."""
    engine = create_engine(f"sqlite:///{next(server.data_dir.glob('*.sqlite3'))}", connect_args={"timeout": 30})
    with Session(engine) as session, session.begin():
        user, project = session.scalar(select(User)), session.scalar(select(Project))
        assert user and project
        for n in range(OLD):
            whole(session, Dataset(project_id=project.id, created_by=user.id, name=f"photos {n:03}", status="ready"))
        dataset = Dataset(project_id=project.id, created_by=user.id, name="parts", status="ready")
        version = whole(session, dataset)
        session.add(
            Dataset(
                project_id=project.id, created_by=user.id, name="torn", status="error",
                error={"code": "no_images", "message": "The archive holds no images.", "hint": "Zip the images again."},
            )
        )  # fmt: skip
        made = [ended(n, user, project, version) for n in range(MANY)]
        session.add_all(made)
        session.flush()
        for n, job in enumerate(made[-10:]):
            session.add_all(reports(job, n))
        found = [str(job.id) for job in made]
    engine.dispose()
    return found


def whole(session: Session, dataset: Dataset) -> DatasetVersion:
    """It has a version."""
    session.add(dataset)
    session.flush()
    version = DatasetVersion(
        dataset_id=dataset.id, project_id=dataset.project_id, number=1, content_hash="c" * 64, split_hash="s",
        task_types=["classification"], classes=[{"name": c, "total": 40, "train": 30, "val": 10} for c in CLASSES],
        image_count=120, train_count=90, val_count=30, size_bytes=2_000, statistics={}, report={"faults": []},
        files=[],
    )  # fmt: skip
    session.add(version)
    session.flush()
    dataset.current_version_id = version.id
    return version


def ended(number: int, user: User, project: Project, version: DatasetVersion) -> Job:
    state = ENDS[number % 5]
    begun = utcnow() - timedelta(minutes=MANY - number)
    return Job(
        project_id=project.id, created_by=user.id, name=f"run {number:04}", dataset_id=version.dataset_id,
        dataset_version_id=version.id, task_type="classification", framework="timm" if number % 2 else "yolo",
        model_name=("resnet18", "resnet50", "vit_tiny")[number % 3], trace_id="0" * 32, state=state,
        config={"epochs": 8, "learning_rate": 0.001 * (1 + number % 4), "augment": number % 2 == 0},
        error=LOST if state == "failed" else None, state_reason="", progress=100.0, epoch=8, total_epochs=8,
        best={"name": "val/accuracy", "value": number / MANY, "mode": "max", "epoch": 7},
        run_seconds=60.0 + number % 7, created_at=begun, started_at=begun, ended_at=begun + timedelta(seconds=70),
    )  # fmt: skip


def reports(job: Job, number: int) -> list[Any]:
    rows: list[Any] = [
        MetricRow(
            job_id=job.id, kind="epoch", attempt=1, epoch=epoch, step=0, time=job.created_at,
            metrics={
                "train/loss": 2 / (epoch + number / 4),
                "val/loss": 2.4 / (epoch + number / 5),
                "val/accuracy": 1 - 1 / (1.3 + epoch * (1 + number / 6)),
            },
        )
        for epoch in range(1, 9)
    ]  # fmt: skip
    per_class = [
        {"class": c, "precision": 0.7 + 0.02 * i + 0.01 * number, "recall": 0.8 - 0.01 * number, "support": 10}
        for i, c in enumerate(CLASSES)
    ]
    rows.append(
        Validation(
            job_id=job.id, attempt=1, epoch=7, time=job.created_at, is_best=True, metrics={}, per_class=per_class,
            primary_metric={"name": "val/accuracy", "value": 0.9},
        )
    )  # fmt: skip
    return rows


@pytest.fixture
def inside(page: Page) -> Page:
    page.goto("/login")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    return page


def names(page: Page, count: int) -> list[str]:
    return [name.strip() for name in page.locator(".job-name").all_inner_texts()[:count]]


def bulk(page: Page) -> Any:
    return page.get_by_role("region", name="What to do with the chosen ones")


# --- the list ---------------------------------------------------------------------------------------------------------


def test_filters_and_the_order_stand_in_the_address_and_survive_a_reload(inside: Page) -> None:
    inside.goto("/jobs")
    inside.get_by_role("searchbox", name="Search in names").fill("run 09")
    inside.get_by_label("Any model").select_option("vit_tiny")
    inside.get_by_label("Newest first").select_option("best")
    inside.get_by_role("link", name="completed", exact=True).click()
    expect(inside).to_have_url(re.compile(r"state=completed"))
    for part in ("q=run", "model=vit_tiny", "sort=best"):
        assert part in inside.url
    expected = [f"run {n:04}" for n in range(999, 899, -1) if n % 3 == 2 and n % 5 < 3]
    expect(inside.locator(".job-name").first).to_have_text(expected[0])
    inside.reload()
    expect(inside.locator(".job-name").first).to_have_text(expected[0])
    assert names(inside, 5) == expected[:5]
    expect(inside.get_by_role("searchbox")).to_have_value("run 09")
    inside.get_by_role("searchbox").fill("no such run")
    expect(inside.get_by_text("No job like that")).to_be_visible()
    inside.get_by_role("button", name="Clear the filters").click()
    expect(inside.locator(".job-name").first).to_have_text("run 0999")


def test_rows_keep_apart_when_a_window_is_made_narrow(inside: Page) -> None:
    inside.goto("/jobs")
    expect(inside.locator(".job-name").first).to_be_visible()
    inside.set_viewport_size({"width": 390, "height": 844})
    apart = """() => [...document.querySelectorAll(".job-rows > li")].map(li => li.getBoundingClientRect())
        .toSorted((a, b) => a.top - b.top).every((box, i, all) => i === 0 || box.top >= all[i - 1].bottom - 1)"""
    inside.wait_for_function(apart)


def test_a_thousand_rows_are_reached_and_few_exist(inside: Page) -> None:
    inside.goto("/jobs")
    box = inside.get_by_role("checkbox", name="Choose run 0999")
    box.focus()
    inside.keyboard.press("ArrowDown")
    expect(inside.get_by_role("checkbox", name="Choose run 0998")).to_be_focused()
    for listed in range(200, MANY + 1, 100):
        inside.keyboard.press("End")
        expect(inside.locator(f"li[aria-setsize='{listed}']").first).to_be_visible()
    inside.keyboard.press("End")
    expect(inside.get_by_role("checkbox", name="Choose run 0000")).to_be_focused()
    assert inside.locator(".job-rows > li").count() < 80
    inside.keyboard.press("Home")
    expect(inside.get_by_role("checkbox", name="Choose run 0999")).to_be_focused()
    inside.keyboard.press("Enter")
    expect(inside.get_by_role("heading", name="run 0999")).to_be_visible()


def test_ranges_are_chosen_with_keys_and_with_the_mouse(inside: Page) -> None:
    inside.goto("/jobs")
    inside.get_by_role("checkbox", name="Choose run 0998").click()
    inside.get_by_role("checkbox", name="Choose run 0995").click(modifiers=["Shift"])
    expect(bulk(inside).get_by_text("4 chosen")).to_be_visible()
    inside.keyboard.press("Shift+ArrowDown")
    expect(bulk(inside).get_by_text("5 chosen")).to_be_visible()
    inside.keyboard.press("Space")
    expect(bulk(inside).get_by_text("4 chosen")).to_be_visible()
    inside.keyboard.press("Control+a")
    expect(bulk(inside).get_by_text("100 chosen")).to_be_visible()
    expect(bulk(inside).get_by_text("At most 8 can be compared at once")).to_be_visible()
    inside.keyboard.press("Escape")
    expect(bulk(inside)).to_be_hidden()


def test_many_are_deleted_and_what_was_refused_is_said_and_stays_chosen(
    inside: Page, ids: list[str], expected_errors: list[str]
) -> None:
    expected_errors.append("409")
    refusal = {"status": 409, "code": "conflict", "detail": "It has not ended: cancel it first."}
    inside.route(f"**/api/v1/training/jobs/{ids[1]}", lambda route: route.fulfill(status=409, json=refusal))
    inside.goto("/jobs?q=run%20000")
    for n in (0, 1, 2):
        inside.get_by_role("checkbox", name=f"Choose run 000{n}").click()
    bulk(inside).get_by_role("button", name="Delete").click()
    inside.get_by_role("dialog").get_by_role("button", name="Delete them").click()
    said = inside.get_by_role("alert")
    expect(said).to_contain_text("2 trainings deleted.")
    expect(said).to_contain_text("1 not:")
    expect(said.get_by_role("listitem")).to_have_text("run 0001: It has not ended: cancel it first.")
    expect(bulk(inside).get_by_text("1 chosen")).to_be_visible()
    expect(inside.get_by_role("checkbox", name="Choose run 0000")).to_be_hidden()
    bulk(inside).get_by_role("button", name="Stop").click()
    inside.get_by_role("dialog").get_by_role("button", name="Stop them").click()
    expect(said.get_by_role("listitem")).to_have_text("run 0001: It had ended already.")


def test_training_again_takes_two_clicks(inside: Page, ids: list[str]) -> None:
    inside.goto("/jobs")
    inside.get_by_role("link", name="Train again, with changes: run 0999").click()
    expect(inside).to_have_url(re.compile(f"/train\\?from={ids[999]}"))


# --- comparing --------------------------------------------------------------------------------------------------------


def test_a_job_is_compared_with_others_and_the_baseline_changes(inside: Page, ids: list[str]) -> None:
    inside.goto(f"/jobs/{ids[997]}")
    inside.get_by_role("link", name="Compare with…").click()
    expect(inside.get_by_text("Choose what to compare run 0997 with.")).to_be_visible()
    inside.get_by_role("checkbox", name="Choose run 0999").click()
    bulk(inside).get_by_role("button", name="Compare").click()
    expect(inside.get_by_role("heading", name="Compare 2 jobs")).to_be_visible()
    expect(inside.get_by_test_id("compare-chart")).to_have_attribute("data-points", "8")
    results = inside.get_by_role("region", name="Results")
    expect(results.get_by_role("row", name="Best metric")).to_contain_text("0.20 pts better than the baseline")
    settings = inside.get_by_role("region", name="Settings that differ")
    expect(settings.get_by_role("row", name="Learning rate")).to_contain_text("0.002")
    expect(settings.get_by_role("row", name="Epochs")).to_be_hidden()
    classes = inside.get_by_role("region", name="Classes")
    expect(classes.get_by_role("row", name="bolt")).to_contain_text("better than the baseline")
    inside.get_by_label("Metric").select_option("train/loss")
    inside.get_by_label("Measure").select_option("recall")
    inside.get_by_role("button", name="Compare with run 0999").click()
    expect(results.get_by_role("row", name="Best metric")).to_contain_text("0.20 pts worse than the baseline")
    inside.reload()
    expect(inside.get_by_label("Metric")).to_have_value("train/loss")
    expect(inside.get_by_label("Measure")).to_have_value("recall")
    expect(inside.get_by_role("list", name="Jobs").get_by_role("listitem").first).to_contain_text("run 0999")


def test_more_than_eight_and_what_is_gone_are_said(inside: Page, ids: list[str], expected_errors: list[str]) -> None:
    expected_errors.append("404")
    inside.goto(f"/compare?jobs={','.join(ids[990:1000])}")
    expect(inside.get_by_text("8 can be compared at once: these are the first 8.")).to_be_visible()
    expect(inside.get_by_role("list", name="Jobs").get_by_role("listitem")).to_have_count(8)
    inside.goto(f"/compare?jobs={ids[999]},00000000-0000-7000-8000-000000000000")
    expect(inside.get_by_text("1 job of this address cannot be shown")).to_be_visible()
    inside.goto("/compare")
    expect(inside.get_by_text("Nothing to compare yet")).to_be_visible()


# --- on every page ----------------------------------------------------------------------------------------------------


def test_home_says_what_needs_somebody_until_it_is_dismissed(inside: Page) -> None:
    needs = inside.get_by_role("region", name="Needs you")
    expect(needs.get_by_text(LOST["hint"]).first).to_be_visible()
    expect(needs.get_by_text("The archive holds no images.")).to_be_visible()
    needs.get_by_role("button", name="Dismiss torn").click()
    expect(needs.get_by_text("The archive holds no images.")).to_be_hidden()
    inside.reload()
    expect(needs.get_by_text(LOST["hint"]).first).to_be_visible()
    expect(needs.get_by_text("The archive holds no images.")).to_be_hidden()
    needs.get_by_role("button", name="Dismiss all").click()
    expect(needs).to_be_hidden()


def test_the_palette_goes_anywhere_with_the_keyboard_alone(inside: Page) -> None:
    inside.keyboard.press("Control+k")
    field = inside.get_by_role("combobox", name="Find or do something")
    expect(field).to_be_focused()
    field.fill("run 0777")
    expect(inside.get_by_role("option", selected=True)).to_contain_text("run 0777")
    inside.keyboard.press("Enter")
    expect(inside.get_by_role("heading", name="run 0777")).to_be_visible()
    inside.keyboard.press("/")
    field.fill("dark")
    expect(inside.get_by_role("option")).to_have_count(1)
    inside.keyboard.press("Enter")
    expect(inside.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    inside.keyboard.press("?")
    sheet = inside.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet.get_by_text("Choose a range", exact=True)).to_be_visible()
    sheet.get_by_role("checkbox").uncheck()
    inside.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    inside.keyboard.press("/")
    expect(field).to_be_hidden()
    inside.keyboard.press("Control+k")
    field.fill("sign out")
    inside.keyboard.press("Enter")
    expect(inside.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_end_of_a_job_of_mine_is_said_on_any_page(inside: Page, ids: list[str]) -> None:
    """The API's own job, as if it had been at work until now."""
    at_work = True

    def listed(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        if "running" in parse_qs(urlparse(route.request.url).query).get("state", []):
            body["items"] = [being | {"state": "running", "progress": 40, "ended_at": None}] if at_work else []
        route.fulfill(response=answer, json=body)

    with inside.expect_response(lambda r: r.url.endswith(f"/api/v1/training/jobs/{ids[998]}")) as seen:
        inside.goto(f"/jobs/{ids[998]}")
    being = seen.value.json()
    inside.route(re.compile(r"/api/v1/training/jobs\?"), listed)
    inside.goto("/jobs")
    expect(inside).to_have_title(re.compile(r"^1 running, 40 % · Jobs"))
    icon = inside.locator('link[rel="icon"]')
    expect(icon).to_have_attribute("href", re.compile("^data:image/svg"))
    inside.get_by_role("link", name="Models").click()
    at_work = False
    notice = inside.get_by_role("log", name="Notices")
    expect(notice.get_by_text("run 0998 has failed")).to_be_visible()
    expect(icon).to_have_attribute("href", re.compile("favicon"))
    notice.get_by_role("link", name="Look at it").click()
    expect(inside.get_by_role("heading", name="run 0998")).to_be_visible()
    expect(notice.get_by_text("run 0998")).to_be_hidden()


def test_a_connection_that_heals_is_said(inside: Page, expected_errors: list[str]) -> None:
    expected_errors.append("ERR_INTERNET_DISCONNECTED")
    inside.context.set_offline(True)
    expect(inside.get_by_text("Connection lost, reconnecting")).to_be_visible()
    inside.context.set_offline(False)
    expect(inside.get_by_text("Connected again.")).to_be_visible()
    expect(inside.get_by_text("Connected again.")).to_be_hidden()


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways(inside: Page, ids: list[str], width: int, scheme: Any) -> None:
    inside.emulate_media(color_scheme=scheme)
    inside.set_viewport_size({"width": width, "height": 844})
    for path in ("/", "/jobs", f"/jobs?with={ids[999]}", f"/compare?jobs={','.join(ids[992:1000])}"):
        inside.goto(path)
        inside.wait_for_load_state("networkidle")
        assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


# --- more data sets than one answer has -------------------------------------------------------------------------------


def test_all_data_sets_are_reached_and_found_by_a_part_of_their_name(inside: Page) -> None:
    inside.goto("/datasets")
    cards = inside.locator(".dataset-card")
    for shown in (100, 200):
        expect(cards).to_have_count(shown)
        inside.get_by_role("button", name="Show more").click()
    expect(cards).to_have_count(OLD + 2)
    expect(inside.get_by_role("button", name="Show more")).to_have_count(0)
    inside.get_by_role("searchbox", name="Search in names").fill("OS 003")
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("photos 003")
    inside.reload()
    expect(cards).to_have_count(1)
    inside.get_by_role("searchbox", name="Search in names").fill("nowhere")
    expect(inside.get_by_text("No data set is named like “nowhere”")).to_be_visible()


def test_a_training_takes_a_data_set_that_is_in_no_list(inside: Page) -> None:
    inside.goto("/train")
    field = inside.get_by_role("combobox", name="Data set")
    field.fill("photos 003")
    inside.get_by_role("option", name="photos 003").click()
    chosen = inside.get_by_role("region", name="What", exact=True).get_by_text("120 images, 3 classes")
    expect(chosen).to_be_visible()
    inside.reload()
    expect(field).to_have_value("photos 003")
    expect(chosen).to_be_visible()
