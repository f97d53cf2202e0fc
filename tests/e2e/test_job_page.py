"""The page of a job: charts, results, log, and what its address keeps. The API's answers are made up."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, Route, expect
from serving import make_admin

if TYPE_CHECKING:
    from conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process]

EMAIL, PASSWORD = "ada@example.org", "an analytical engine"
NOWHERE = "00000000-0000-7000-8000-000000000000"
JOB = "00000000-0000-7000-8000-000000000007"
PATH = f"/jobs/{JOB}"
LINES = 1_000_000
MATRIX = [[40, 3], [9, 38]]

Query = dict[str, list[str]]
Answers = dict[str, Callable[[Query], Any]]


@pytest.fixture(scope="module", autouse=True)
def admin(server: Server) -> None:
    make_admin(server, EMAIL, PASSWORD)


@pytest.fixture
def inside(page: Page) -> Page:
    page.goto("/login")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    return page


def job(state: str = "completed", **given: Any) -> dict[str, Any]:
    return {
        "id": JOB, "name": "parts", "state": state, "state_reason": "", "cancel_requested": False,
        "task_type": "classification", "framework": "timm", "model_name": "resnet18",
        "config": {"epochs": 8, "batch_size": 16}, "dataset_id": NOWHERE, "dataset_name": "parts",
        "dataset_deleted": False, "dataset_version_id": NOWHERE, "progress": 100, "priority": "normal", "epoch": 8,
        "total_epochs": 8, "eta_seconds": None, "metrics": {},
        "best": {"name": "val/accuracy", "value": 0.9, "mode": "max", "epoch": 7}, "error": None, "attempt": 2,
        "run_seconds": 60, "policy": {"max_retries": None}, "parent_job_id": None, "resume_epoch": None,
        "queue_position": None, "expected_start_at": None, "event_seq": 1, "trace_id": "0", "project_id": NOWHERE,
        "created_by": {"id": NOWHERE, "name": "Ada"}, "created_at": "2026-01-01T00:00:00Z", "queued_at": None,
        "started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:02:00Z", "last_heartbeat_at": None, **given,
    }  # fmt: skip


def row(epoch: int, *, kind: str = "epoch", step: int | None = None, lost: bool = False) -> dict[str, Any]:
    metrics = {"train/loss": 2 / epoch, "val/loss": 2.2 / epoch, "val/accuracy": 1 - 0.8 / epoch, "lr": 0.01 / epoch}
    return {
        "kind": kind, "epoch": epoch, "step": step or epoch * 10, "time": f"2026-01-01T00:01:{epoch % 60:02}Z",
        "attempt": 1, "metrics": metrics, "superseded": lost,
    }  # fmt: skip


def metrics(query: Query) -> dict[str, Any]:
    if query.get("kind") == ["step"]:
        return page_of([row(1 + n // 10, kind="step", step=n) for n in range(1, 80)])
    lost = [row(n, lost=True) for n in (4, 5)] if "superseded" in query else []
    return page_of([row(n) for n in range(1, 9)] + lost)


def line(n: int) -> dict[str, Any]:
    level = "error" if n % 250_000 == 7 else "info"
    text = "it failed" if level == "error" else f"step {n}"
    return {"n": n, "time": "2026-01-01T00:00:00Z", "attempt": 1, "level": level, "text": text}


def logs(query: Query) -> dict[str, Any]:
    start, limit = int(query["from"][0]), int(query["limit"][0])
    start = start if start >= 0 else LINES + start
    if "q" in query or "level" in query:
        found = [n for n in range(7, LINES, 250_000) if n >= start]
        return {"items": [line(n) for n in found], "total": LINES, "next_from": None}
    return {"items": [line(n) for n in range(start, min(LINES, start + limit))], "total": LINES, "next_from": None}


def predictions(query: Query) -> dict[str, Any]:
    true, predicted = query["true"][0], query.get("predicted", ["nut"])[0]
    item = {
        "file_name": "bolt/1.png", "true": true, "predicted": predicted, "confidence": 0.8, "n": None, "width": None,
        "height": None, "thumbnail_url": None, "image_url": None,
        "top": [{"class": predicted, "confidence": 0.8}, {"class": true, "confidence": 0.2}],
    }  # fmt: skip
    return page_of([item]) | {"epoch": 7}


def page_of(items: list[Any]) -> dict[str, Any]:
    return {"items": items, "next_cursor": None}


def attempt(number: int, outcome: str, **given: Any) -> dict[str, Any]:
    return {
        "number": number, "outcome": outcome, "error": None, "counted": True, "exit_code": 0, "config": {},
        "resume_epoch": None, "created_at": "2026-01-01T00:00:00Z", "launched_at": "2026-01-01T00:00:00Z",
        "first_report_at": None, "ended_at": "2026-01-01T00:01:00Z", "released_at": None, **given,
    }  # fmt: skip


def answer(page: Page, of: dict[str, Any], **more: Callable[[Query], Any]) -> None:
    """Says of the job what the API would."""
    of_class = [{"class": name, "precision": p, "recall": r, "ap": None, "support": sum(MATRIX[i])}
                for i, (name, p, r) in enumerate((("bolt", 0.82, 0.93), ("nut", 0.93, 0.81)))]  # fmt: skip
    lost = attempt(1, "lost", exit_code=137, error={"code": "lost", "message": "It was killed.", "hint": ""})
    answers: Answers = {
        "": lambda _: of, "metrics": metrics, "logs": logs, "predictions": predictions,
        "artifacts": lambda _: page_of([]), "timeline": lambda _: {"activities": [], "states": []},
        "attempts": lambda _: page_of([lost, attempt(2, "succeeded", resume_epoch=3)]),
        "events": lambda _: page_of([]),
        "validation": lambda _: {
            "epoch": 7, "attempt": 1, "is_best": True, "primary_metric": {}, "metrics": {}, "per_class": of_class,
            "confusion_matrix": MATRIX, "classes": ["bolt", "nut"],
        },
        **more,
    }  # fmt: skip

    def tell(route: Route) -> None:
        url = urlparse(route.request.url)
        part = url.path.partition(JOB)[2].strip("/")
        route.fulfill(json=answers[part](parse_qs(url.query)))

    page.route(re.compile(f"/api/v1/training/jobs/{JOB}"), tell)
    page.route("**/api/v1/auth/ticket", lambda route: route.fulfill(json={"token": "t", "expires_in": 60}))
    page.route_web_socket(re.compile("/ws/training/"), lambda _: None)


# --- charts -----------------------------------------------------------------------------------------------------------


def test_every_metric_has_a_curve_over_epochs_steps_or_time(inside: Page) -> None:
    answer(inside, job())
    inside.goto(PATH)
    loss = inside.get_by_role("figure", name="Loss")
    expect(loss.get_by_role("button")).to_have_text([re.compile("^training loss"), re.compile("^validation loss")])
    expect(loss.get_by_test_id("chart")).to_have_attribute("data-points", "8")
    inside.get_by_role("button", name="Steps", exact=True).click()
    expect(loss.get_by_test_id("chart")).to_have_attribute("data-points", "79")
    inside.get_by_role("button", name="Time", exact=True).click()
    expect(inside).to_have_url(re.compile(r"x=time"))


def test_what_is_chosen_stands_in_the_address_and_survives_a_reload(inside: Page) -> None:
    answer(inside, job())
    inside.goto(PATH)
    loss = inside.get_by_role("figure", name="Loss")
    loss.get_by_role("button", name=re.compile("^validation loss")).click()
    inside.get_by_role("button", name="Logarithmic").click()
    inside.get_by_role("button", name="Lost attempts").click()
    inside.get_by_role("slider", name="Smoothing").fill("0.6")
    expect(inside).to_have_url(re.compile(r"smooth=0\.6"))
    inside.reload()
    expect(loss.get_by_role("button", name=re.compile("^validation loss"))).to_have_attribute("aria-pressed", "false")
    expect(inside.get_by_role("button", name="Logarithmic")).to_have_attribute("aria-pressed", "true")
    expect(inside.get_by_role("slider", name="Smoothing")).to_have_value("0.6")
    inside.get_by_role("link", name="Settings").click()
    inside.get_by_role("link", name="Overview").click()
    expect(inside.get_by_role("slider", name="Smoothing")).to_have_value("0.6")


def test_charts_zoom_together_by_dragging_and_by_keys(inside: Page) -> None:
    answer(inside, job())
    inside.goto(PATH)
    chart = inside.get_by_role("figure", name="Loss").get_by_test_id("chart")
    expect(chart).to_have_attribute("data-points", "8")
    box = chart.locator(".u-over").bounding_box()
    assert box
    inside.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 50)
    inside.mouse.down()
    inside.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 50, steps=4)
    inside.mouse.up()
    expect(inside).to_have_url(re.compile(r"from=3\.\d+&to=5\.\d+|to=5\.\d+&from=3\.\d+"))
    other = inside.get_by_role("figure", name="Learning rate").get_by_test_id("chart")
    expect(other).to_have_attribute("data-points", "4")
    chart.locator(".u-over").dblclick()
    expect(inside).not_to_have_url(re.compile("from="))
    chart.focus()
    inside.keyboard.press("+")
    expect(inside).to_have_url(re.compile("from="))
    inside.keyboard.press("Escape")
    expect(inside).not_to_have_url(re.compile("from="))
    expect(other).to_have_attribute("data-points", "8")


def test_a_spreadsheet_gets_every_row(inside: Page) -> None:
    answer(inside, job())
    inside.goto(PATH)
    with inside.expect_download() as download:
        inside.get_by_role("button", name="CSV").click()
    assert download.value.suggested_filename == "parts-metrics.csv"
    lines = download.value.path().read_text().splitlines()
    assert (len(lines), lines[0]) == (11, "kind,epoch,step,time,attempt,superseded,train/loss,val/loss,val/accuracy,lr")


# --- results ----------------------------------------------------------------------------------------------------------


def test_a_cell_of_the_matrix_opens_its_images(inside: Page) -> None:
    answer(inside, job())
    inside.goto(f"{PATH}?view=results")
    matrix = inside.get_by_role("region", name="Confusion matrix")
    matrix.get_by_role("button", name="nut predicted as bolt: 9 of 47").click()
    images = inside.get_by_role("region", name="Images of nut, predicted as bolt")
    expect(images.get_by_text("bolt, 80.0 %")).to_be_visible()
    inside.reload()
    expect(images.get_by_text("bolt/1.png")).to_be_visible()
    images.get_by_role("button", name="Close").click()
    expect(images).to_be_hidden()
    inside.get_by_role("button", name="Per row").click()
    expect(matrix.get_by_role("button", name="nut predicted as bolt: 9 of 47")).to_have_text("19 %")


def test_the_matrix_is_walked_by_arrow_keys(inside: Page) -> None:
    answer(inside, job())
    inside.goto(f"{PATH}?view=results")
    matrix = inside.get_by_role("region", name="Confusion matrix")
    matrix.get_by_role("button", name="bolt predicted as bolt").focus()
    inside.keyboard.press("ArrowDown")
    inside.keyboard.press("ArrowRight")
    expect(matrix.get_by_role("button", name="nut predicted as nut")).to_be_focused()
    inside.keyboard.press("Enter")
    expect(inside.get_by_role("region", name="Images of nut, predicted as nut")).to_be_visible()


def test_classes_are_sorted_by_a_column(inside: Page) -> None:
    answer(inside, job())
    inside.goto(f"{PATH}?view=results")
    table = inside.get_by_role("region", name="Table of classes")
    names = table.locator("tbody td:first-child")
    table.get_by_role("button", name="Recall").click()
    expect(names).to_have_text(["nut", "bolt"])
    table.get_by_role("button", name="Recall").click()
    expect(names).to_have_text(["bolt", "nut"])
    inside.reload()
    expect(table.get_by_role("columnheader", name="Recall")).to_have_attribute("aria-sort", "descending")


def test_without_predictions_it_is_said(inside: Page, expected_errors: list[str]) -> None:
    expected_errors.append("404")
    answer(inside, job())
    problem = {"status": 404, "code": "not_found", "detail": "This job has no predictions."}
    inside.route("**/predictions?*", lambda route: route.fulfill(status=404, json=problem))
    inside.goto(f"{PATH}?view=results&true=nut")
    expect(inside.get_by_text("This job has no predictions.")).to_be_visible()
    expect(inside.get_by_role("region", name="Confusion matrix")).to_be_visible()


# --- the log ----------------------------------------------------------------------------------------------------------


def test_a_million_lines_are_scrolled_and_few_of_them_held(inside: Page) -> None:
    asked: list[int] = []

    def counted(query: Query) -> Any:
        asked.append(int(query["from"][0]))
        return logs(query)

    answer(inside, job(), logs=counted)
    inside.goto(f"{PATH}?view=log")
    log = inside.get_by_role("log", name="Log")
    expect(log.get_by_text("step 999999", exact=True)).to_be_visible()
    log.evaluate("box => { box.scrollTop = 0 }")
    expect(log.get_by_text("step 1", exact=True)).to_be_visible()
    log.evaluate("box => { box.scrollTop = box.scrollHeight / 2 }")
    expect(log.get_by_text(re.compile(r"^step (499|500)\d{3}$")).first).to_be_visible()
    assert log.locator(".log-line").count() < 100
    assert len(asked) < 10
    inside.get_by_role("button", name="To the end").click()
    expect(log.get_by_text("step 999999", exact=True)).to_be_visible()
    expect(inside.get_by_role("button", name="To the end")).to_be_hidden()


def test_a_log_is_searched_forth_and_back(inside: Page) -> None:
    answer(inside, job())
    inside.goto(f"{PATH}?view=log")
    search = inside.get_by_role("searchbox", name="Search the log")
    search.fill("failed")
    expect(inside.get_by_text("4", exact=True)).to_be_visible()
    log = inside.get_by_role("log", name="Log")
    log.evaluate("box => { box.scrollTop = 0 }")
    search.press("Enter")
    expect(inside.get_by_text("1 of 4")).to_be_visible()
    search.press("Enter")
    expect(inside.get_by_text("2 of 4")).to_be_visible()
    expect(log.get_by_role("link", name="Mark line 250,008")).to_be_visible()
    search.press("Shift+Enter")
    expect(inside.get_by_text("1 of 4")).to_be_visible()
    expect(log.locator("mark").first).to_have_text("failed")


def test_only_some_levels_are_shown(inside: Page) -> None:
    answer(inside, job())
    inside.goto(f"{PATH}?view=log")
    inside.get_by_role("button", name="error", exact=True).click()
    expect(inside.get_by_role("log", name="Log").get_by_text("it failed")).to_have_count(4)
    expect(inside.get_by_text("4 lines")).to_be_visible()


def test_a_line_has_a_link(inside: Page) -> None:
    answer(inside, job())
    inside.goto(f"{PATH}?view=log&line=400000")
    marked = inside.get_by_role("region", name="Line 400,000")
    expect(marked.get_by_text("step 399999")).to_be_visible()
    expect(inside.locator(".log-line[data-marked=true]")).to_have_text(re.compile("step 399999"))
    inside.get_by_role("link", name="Mark line 400,003").click(modifiers=["Shift"])
    expect(inside.get_by_role("region", name="Lines 400,000 to 400,003")).to_be_visible()
    expect(inside.locator(".log-line[data-marked=true]")).to_have_count(4)


def test_a_running_log_is_followed_until_one_scrolls_up(inside: Page) -> None:
    answer(inside, job("running", ended_at=None))
    inside.goto(f"{PATH}?view=log")
    follow = inside.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    expect(inside.get_by_text("step 999999", exact=True)).to_be_visible()
    inside.get_by_role("log", name="Log").evaluate("box => { box.scrollTop -= 500 }")
    expect(follow).to_have_attribute("aria-pressed", "false")
    inside.get_by_role("button", name="To the end").click()
    expect(follow).to_have_attribute("aria-pressed", "true")


# --- settings, states, and around them --------------------------------------------------------------------------------


def test_each_attempt_says_why_it_ended_and_the_job_how_to_repeat_it(inside: Page) -> None:
    answer(inside, job())
    schema = {
        "properties": {"epochs": {"type": "integer", "default": 30}, "batch_size": {"type": "integer", "default": 16}}
    }
    framework = {"framework": "timm", "schema": schema, "models": [], "presets": {}}
    inside.route("**/api/v1/models", lambda route: route.fulfill(json={"items": [framework]}))
    inside.goto(f"{PATH}?view=settings")
    first = inside.get_by_role("row", name=re.compile("^1"))
    expect(first.get_by_role("cell")).to_have_text(["1", "lost", "1 min", "It was killed.", "137"])
    settings = inside.get_by_role("region", name="Hyperparameters")
    expect(settings.get_by_role("definition")).to_have_text(["8 default: 30", "16"])
    inside.context.grant_permissions(["clipboard-read", "clipboard-write"])
    again = inside.get_by_role("region", name="The same once more, from a script")
    again.get_by_role("button", name="Python").click()
    again.get_by_role("button", name="Copy").click()
    expect(again.get_by_role("button", name="Copied")).to_be_visible()
    copied = inside.evaluate("navigator.clipboard.readText()")
    assert "VISIONAI_TOKEN" in copied
    assert NOWHERE in copied
    compile(copied, "copied", "exec")


def test_the_views_are_reached_by_arrow_keys(inside: Page) -> None:
    answer(inside, job())
    inside.goto(PATH)
    inside.get_by_role("link", name="Overview").focus()
    inside.keyboard.press("ArrowRight")
    expect(inside).to_have_url(re.compile("view=results"))
    expect(inside.get_by_role("link", name="Results")).to_be_focused()
    inside.keyboard.press("End")
    expect(inside).to_have_url(re.compile("view=settings"))


def test_title_and_icon_say_how_far_it_is(inside: Page) -> None:
    answer(inside, job("running", progress=40, ended_at=None))
    inside.goto(PATH)
    expect(inside).to_have_title(re.compile(r"^40 % parts"))
    icon = inside.locator("link[rel=icon]")
    expect(icon).to_have_attribute("href", re.compile("^data:image/svg"))
    inside.get_by_role("navigation", name="Main").get_by_role("link", name="Models").click()
    expect(icon).to_have_attribute("href", re.compile("favicon.svg$"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"state": "queued", "started_at": None, "queue_position": 3}, "Place in the queue"),
        ({"state": "starting"}, "The trainer is starting"),
        ({"state": "cancelled"}, "What it had saved until then stays."),
        ({"state": "failed", "error": {"code": "oom", "message": "No memory.", "hint": "Use less."}}, "Use less."),
        ({"state": "completed", "dataset_deleted": True}, "Its data set was deleted"),
    ],
)
def test_each_state_says_what_is_and_what_to_do(inside: Page, given: dict[str, Any], said: str) -> None:
    answer(inside, job(**given))
    inside.goto(PATH)
    expect(inside.get_by_text(said).first).to_be_visible()


BEFORE_FIRST_EPOCH = {"best": None, "epoch": 0, "progress": 0, "ended_at": None, "attempt": 1}
NOT_BEGUN = BEFORE_FIRST_EPOCH | {"started_at": None, "attempt": 0}
ENDED = {"ended_at": "2026-01-01T00:00:03Z"}
NO_NUMBERS = [row(n) | {"metrics": {"train/loss": None, "lr": None}} for n in (1, 2)]


@pytest.mark.parametrize(
    ("given", "rows", "overview", "results"),
    [
        ({"state": "queued"} | NOT_BEGUN, [], "It has not begun.", "No validation yet"),
        ({"state": "starting"} | NOT_BEGUN, [], "The first epoch is not finished yet", "No validation yet"),
        ({"state": "running"} | BEFORE_FIRST_EPOCH, [], "The first epoch is not finished yet", "No validation yet"),
        ({"state": "running"} | BEFORE_FIRST_EPOCH, NO_NUMBERS, "The first epoch is not", "No validation yet"),
        ({"state": "failed"} | NOT_BEGUN | ENDED, [], "It ended before it was started", "No validation"),
        ({"state": "cancelled"} | BEFORE_FIRST_EPOCH | ENDED, [], "ended before its first epoch", "No validation"),
        ({"state": "completed"} | ENDED, NO_NUMBERS, "It reported no value", "No results by class"),
    ],
)
def test_no_state_leaves_an_empty_box(
    inside: Page, given: dict[str, Any], rows: list[dict[str, Any]], overview: str, results: str
) -> None:
    figures = {"epoch": 2, "attempt": 1, "is_best": True, "primary_metric": {}, "metrics": {}, "per_class": [],
               "confusion_matrix": None, "classes": []}  # fmt: skip
    answer(
        inside, job(**given), metrics=lambda _: page_of(rows), validation=lambda _: figures,
        attempts=lambda _: page_of([]), logs=lambda _: {"items": [], "total": 0, "next_from": None},
    )  # fmt: skip
    for view, said in (
        ("", overview),
        ("?view=results", results),
        ("?view=log", "Nothing was"),
        ("?view=settings", ""),
    ):
        inside.goto(PATH + view)
        expect(inside.get_by_text(said).first).to_be_visible()
        boxes = inside.locator("main :is(.panel, figure, .empty)")
        for box in boxes.all():
            heading = box.get_by_role("heading").first
            title = heading.inner_text() if heading.count() else ""
            assert box.inner_text().strip() != title.strip(), (given["state"], view, title)


def test_a_chart_that_shows_nothing_says_why(inside: Page) -> None:
    answer(
        inside, job(), metrics=lambda _: page_of([row(n) | {"metrics": {"lr": 0, "val/loss": None}} for n in (1, 2)])
    )
    inside.goto(PATH)
    rate = inside.get_by_role("figure", name="Learning rate")
    expect(rate.get_by_test_id("chart")).to_be_visible()
    expect(inside.get_by_role("figure", name="Loss")).to_have_count(0)
    inside.get_by_role("button", name="Logarithmic").click()
    expect(rate).to_contain_text("No value above 0")
    rate.get_by_role("button", name="learning rate").click()
    expect(rate).to_contain_text("Every curve of it is hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 2560])
def test_no_view_scrolls_sideways(inside: Page, width: int, scheme: Any) -> None:
    inside.emulate_media(color_scheme=scheme)
    inside.set_viewport_size({"width": width, "height": 844})
    answer(inside, job())
    for view in ("", "?view=results&true=nut", "?view=log&line=7", "?view=settings"):
        inside.goto(PATH + view)
        expect(inside.get_by_role("heading", name="parts", exact=True)).to_be_visible()
        inside.wait_for_load_state("networkidle")
        assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
