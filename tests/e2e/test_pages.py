"""What each page does around the demo: letting in, empty states, failures, small screens, dark colours."""

from __future__ import annotations

import io
import json
import random
import re
import urllib.request
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlparse

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect
from serving import make_admin

if TYPE_CHECKING:
    from conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process]

EMAIL, PASSWORD = "ada@example.org", "an analytical engine"
NOWHERE = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module", autouse=True)
def admin(server: Server) -> None:
    make_admin(server, EMAIL, PASSWORD)


@pytest.fixture
def inside(page: Page) -> Page:
    page.goto("/login")
    sign_in(page)
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    return page


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def archive(folder: Path, name: str, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(folder / name, "w") as file:
        for member, data in members.items():
            file.writestr(member, data)
    return folder / name


def png(shade: int) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (48, 32), (shade, 255 - shade, 90)).save(data, "PNG")
    return data.getvalue()


def upload(page: Page, path: Path) -> None:
    begin_upload(page, path)
    arrives(page)


def begin_upload(page: Page, path: Path) -> None:
    page.goto("/datasets")
    page.get_by_label("Archive").set_input_files(path)
    page.get_by_role("button", name="Upload", exact=True).click()


def arrives(page: Page) -> None:
    expect(page).to_have_url(re.compile("/datasets/[0-9a-f-]{36}$"))


# --- letting in -------------------------------------------------------------------------------------------------------


def test_a_stranger_is_asked_to_sign_in_and_then_gets_where_he_wanted(page: Page) -> None:
    page.goto("/jobs?state=failed")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page)
    expect(page).to_have_url(re.compile(r"/jobs\?state=failed$"))


def test_a_wrong_password_is_said_and_can_be_corrected(page: Page, expected_errors: list[str]) -> None:
    expected_errors.append("401")
    page.goto("/login")
    sign_in(page, "a difference engine")
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page)
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()


def test_being_signed_in_survives_a_reload_and_ends_on_request(inside: Page) -> None:
    inside.reload()
    expect(inside.get_by_role("textbox", name="Message")).to_be_visible()
    inside.get_by_role("button", name="Account").click()
    inside.get_by_role("button", name="Sign out").click()
    expect(inside.get_by_role("heading", name="Sign in")).to_be_visible()
    inside.goto("/jobs")
    expect(inside.get_by_role("heading", name="Sign in")).to_be_visible()


def test_no_token_is_kept_where_scripts_can_read_it(inside: Page) -> None:
    kept: Any = inside.evaluate("[document.cookie, ...Object.values(localStorage), ...Object.values(sessionStorage)]")
    assert not any(re.search(r"eyJ|[\w-]{30,}", value) for value in kept)


def test_set_up_is_over_once_there_is_an_account(page: Page, server: Server) -> None:
    page.goto(server.setup_url)
    expect(page.get_by_text("VisionAI is set up already")).to_be_visible()


# --- nothing there, or nothing found ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/datasets", "No data set yet"),
        ("/jobs", "Nothing was trained yet"),
        ("/jobs?state=failed", "No job in this state"),
        ("/train", "First a data set"),
        ("/", "Say what to train"),
        ("/no/such/page", "Nothing here"),
    ],
)
def test_an_empty_page_says_what_to_do(inside: Page, path: str, words: str) -> None:
    inside.goto(path)
    expect(inside.get_by_text(words).first).to_be_visible()


@pytest.mark.parametrize("path", [f"/jobs/{NOWHERE}", f"/datasets/{NOWHERE}", "/jobs/not-an-id"])
def test_what_does_not_exist_is_said_not_to(inside: Page, expected_errors: list[str], path: str) -> None:
    expected_errors.append("404")
    inside.goto(path)
    expect(inside.get_by_text("Nothing here")).to_be_visible()


def test_a_lost_connection_is_said_and_its_return_noticed(inside: Page, expected_errors: list[str]) -> None:
    expected_errors.append("ERR_INTERNET_DISCONNECTED")
    inside.context.set_offline(True)
    expect(inside.get_by_text("Connection lost, reconnecting")).to_be_visible()
    inside.context.set_offline(False)
    expect(inside.get_by_text("Connection lost, reconnecting")).to_be_hidden()


# --- data sets --------------------------------------------------------------------------------------------------------


def test_a_data_set_is_seen_through_its_import_and_by_class(inside: Page, tmp_path: Path) -> None:
    members = {f"{name}/{i}.png": png(40 * i + shade) for name, shade in (("bolt", 3), ("nut", 9)) for i in range(5)}
    upload(inside, archive(tmp_path, "parts.zip", members | {"nut/torn.png": png(7)[:60]}))
    expect(inside.get_by_role("heading", name="parts")).to_be_visible()
    expect(inside.locator(".badge", has_text="ready")).to_be_visible(timeout=60_000)
    inside.get_by_role("button", name=re.compile(r"^bolt\b")).click()
    expect(inside.get_by_text("5 images", exact=True)).to_be_visible()
    inside.reload()
    expect(inside.get_by_text("5 images", exact=True)).to_be_visible()
    inside.get_by_role("button", name=re.compile("^Validation")).click()
    expect(inside.get_by_text("1 image", exact=True)).to_be_visible()
    inside.get_by_role("link", name=re.compile("^Faults")).click()
    expect(inside.get_by_text("nut/torn.png").first).to_be_visible()
    inside.go_back()
    expect(inside.get_by_role("grid")).to_be_visible()


def large(folder: Path, name: str) -> Path:
    """Of more than two slices: 20 MB that cannot be compressed."""
    return archive(folder, name, {f"{c}/{i}.png": noise(f"{c}{i}") for c in ("bolt", "nut") for i in range(5)})


def noise(seed: str) -> bytes:
    data = io.BytesIO()
    Image.frombytes("RGB", (900, 760), random.Random(seed).randbytes(900 * 760 * 3)).save(data, "PNG")
    return data.getvalue()


class Network:
    """Uploads reach the server until the first slice is there; then nothing does, as long as it is cut."""

    def __init__(self, page: Page) -> None:
        self.cut = False
        self.patched: list[int] = []
        page.route("**/api/v1/uploads/*", self.pass_on)

    def pass_on(self, route: Route) -> None:
        offset = int(route.request.headers.get("upload-offset", 0))
        if not self.patched or not self.cut:
            if route.request.method == "PATCH":
                self.patched.append(offset)
            route.continue_()
        else:
            route.abort("internetdisconnected")


def drop(page: Page, path: Path) -> None:
    page.goto("/datasets")
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), {type: 'file', id: 'folder'}))")
    page.set_input_files("#folder", path)
    dropped = page.evaluate_handle(
        "() => { const t = new DataTransfer(); t.items.add(document.getElementById('folder').files[0]); return t }"
    )
    page.get_by_role("region", name="Upload a data set").dispatch_event("drop", {"dataTransfer": dropped})
    page.get_by_role("button", name="Upload", exact=True).click()


def test_an_upload_goes_on_by_itself_when_the_connection_is_back(
    inside: Page, server: Server, tmp_path: Path, expected_errors: list[str]
) -> None:
    expected_errors.append("ERR_INTERNET_DISCONNECTED")
    network = Network(inside)
    network.cut = True
    path = large(tmp_path, "dropped.zip")
    drop(inside, path)
    expect(inside.get_by_text("Waiting for the connection")).to_be_visible()
    network.cut = False
    arrives(inside)
    expect(inside.locator(".badge", has_text="ready")).to_be_visible(timeout=60_000)
    assert network.patched == [0, 8 << 20, 16 << 20], "each slice is sent once"
    inside.unroute_all()
    dropped = content_hash(server, inside)
    upload(inside, path)
    expect(inside.locator(".badge", has_text="ready")).to_be_visible(timeout=60_000)
    assert content_hash(server, inside) == dropped, "what broke off in the middle is what went through at once"


def content_hash(server: Server, page: Page) -> str:
    """Of the data set whose page it is, as the API tells it."""
    api = f"{server.url}/api/v1"
    body = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    request = urllib.request.Request(f"{api}/auth/login", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        token = json.load(answer)["access_token"]
    dataset = page.url.rpartition("/")[2].partition("?")[0]
    request = urllib.request.Request(f"{api}/datasets/{dataset}", headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as answer:
        found: str = json.load(answer)["version"]["content_hash"]
    return found


def test_an_upload_goes_on_after_the_page_was_closed(inside: Page, tmp_path: Path, expected_errors: list[str]) -> None:
    expected_errors.append("ERR_INTERNET_DISCONNECTED")
    network = Network(inside)
    network.cut = True
    path = large(tmp_path, "closed.zip")
    begin_upload(inside, path)
    expect(inside.get_by_text("Waiting for the connection")).to_be_visible()
    inside.on("dialog", lambda dialog: dialog.accept())
    inside.reload()
    network.cut = False
    inside.get_by_label("Archive").set_input_files(path)
    expect(inside.get_by_text("Its upload broke off: 8.4 MB of 21 MB are here already.")).to_be_visible()
    inside.get_by_role("button", name="Go on").click()
    arrives(inside)
    expect(inside.locator(".badge", has_text="ready")).to_be_visible(timeout=60_000)
    assert network.patched == [0, 8 << 20, 16 << 20]


def test_an_upload_that_is_cancelled_leaves_nothing(inside: Page, tmp_path: Path, expected_errors: list[str]) -> None:
    expected_errors.append("ERR_INTERNET_DISCONNECTED")
    network = Network(inside)
    network.cut = True
    begin_upload(inside, large(tmp_path, "given-up.zip"))
    expect(inside.get_by_text("Waiting for the connection")).to_be_visible()
    expect(inside.get_by_role("heading", name="given-up")).to_be_visible()
    network.cut = False
    inside.get_by_role("button", name="Cancel").click()
    expect(inside.get_by_role("heading", name="given-up")).to_be_hidden()
    expect(inside.get_by_text("Uploading given-up")).to_be_hidden()


def test_a_broken_archive_says_what_to_do(inside: Page, tmp_path: Path) -> None:
    whole = archive(tmp_path, "torn.zip", {f"a/{i}.png": png(i) for i in range(9)})
    whole.write_bytes(whole.read_bytes()[:200])
    upload(inside, whole)
    expect(inside.locator(".badge", has_text="error")).to_be_visible(timeout=60_000)
    said = inside.get_by_role("alert").inner_text()
    assert len(said.split()) >= 6, said


def test_a_data_set_is_deleted_once_no_job_needs_it(inside: Page, tmp_path: Path, expected_errors: list[str]) -> None:
    expected_errors.append("409")
    refusal = {"status": 409, "code": "dataset_in_use", "detail": "A job that has not ended uses it."}
    upload(inside, archive(tmp_path, "passing.zip", {f"a/{i}.png": png(9 * i) for i in range(6)}))
    expect(inside.get_by_role("heading", name="passing", level=1)).to_be_visible()
    expect(inside.locator(".badge", has_text=re.compile("ready|error"))).to_be_visible(timeout=60_000)
    inside.get_by_role("button", name="Delete").click()
    dialog = inside.get_by_role("dialog")
    inside.route("**/api/v1/datasets/*", lambda route: route.fulfill(status=409, json=refusal), times=1)
    dialog.get_by_role("button", name="Delete it").click()
    expect(dialog.get_by_role("alert")).to_have_text("A job that has not ended uses it.")
    inside.unroute_all()
    dialog.get_by_role("button", name="Delete it").click()
    expect(inside).to_have_url(re.compile("/datasets$"))
    expect(inside.get_by_role("heading", name="passing")).to_be_hidden()


# --- jobs, as the API would describe them -----------------------------------------------------------------------------


def job(number: int, state: str, **given: Any) -> dict[str, Any]:
    """The API's own answer would need trainers at work: this one has what the pages read."""
    return {
        "id": f"00000000-0000-7000-8000-{number:012}", "name": f"job {number}", "state": state, "state_reason": "",
        "cancel_requested": False, "task_type": "classification", "framework": "timm", "model_name": "resnet18",
        "config": {}, "dataset_id": NOWHERE, "dataset_name": "parts", "dataset_deleted": False,
        "dataset_version_id": NOWHERE, "progress": 0, "priority": "normal",
        "epoch": 0, "total_epochs": None, "eta_seconds": None, "metrics": {}, "best": None,
        "error": None, "attempt": 1, "run_seconds": 0, "policy": {"max_retries": None}, "parent_job_id": None,
        "resume_epoch": None, "queue_position": None, "expected_start_at": None, "event_seq": 1, "trace_id": "0",
        "project_id": NOWHERE,
        "created_by": {"id": NOWHERE, "name": "Ada"}, "created_at": "2026-01-01T00:00:00Z", "queued_at": None,
        "started_at": None, "ended_at": None, "last_heartbeat_at": None, **given,
    }  # fmt: skip


def answer(page: Page, url: str | re.Pattern[str], body: dict[str, Any]) -> None:
    page.route(url, lambda route: route.fulfill(json=body))


def answer_jobs(page: Page, jobs: list[dict[str, Any]]) -> None:
    """Lists these as the API does: the newest first, of the states asked for, as many as asked for."""

    def listed(route: Route) -> None:
        query = parse_qs(urlparse(route.request.url).query)
        found = [j for j in reversed(jobs) if j["state"] in query.get("state", [j["state"]])]
        route.fulfill(json={"items": found[: int(query["limit"][0])], "next_cursor": None})

    page.route(re.compile(r"/api/v1/training/jobs\?"), listed)
    for each in jobs:
        answer(page, f"**/api/v1/training/jobs/{each['id']}", each)


def answer_parts(page: Page, of: dict[str, Any]) -> None:
    for part in ("metrics*", "artifacts"):
        answer(page, f"**/jobs/{of['id']}/{part}", {"items": [], "next_cursor": None})
    answer(page, f"**/jobs/{of['id']}/timeline", {"activities": []})


def answer_form(page: Page) -> None:
    """One data set, and one framework with two models and three settings."""
    numbers = {"type": "integer", "minimum": 1, "x-group": "Training"}
    schema = {
        "properties": {
            "epochs": {**numbers, "title": "Epochs", "default": 30},
            "batch_size": {**numbers, "title": "Batch size", "default": 32},
            "pretrained": {"type": ["boolean", "null"], "title": "Pretrained", "default": None, "x-group": "Model"},
        }
    }
    models = [
        {"name": name, "tasks": ["classification"], "parameters": None, "input_size": None, "licence": None,
         "pretrained": False, "weights_offline": False, "recommended": True}
        for name in ("resnet50", "resnet18")
    ]  # fmt: skip
    framework = {
        "framework": "timm", "status": "ready", "message": "", "version": "1", "install_command": "", "presets": {},
        "tasks": ["classification"], "models": models, "primary_metrics": {}, "schema": schema,
    }  # fmt: skip
    dataset = {
        "id": NOWHERE,
        "project_id": NOWHERE,
        "name": "parts",
        "status": "ready",
        "version": None,
        "operation": None,
        "error": None,
    }
    answer(page, "**/api/v1/models", {"items": [framework]})
    answer(page, re.compile(r"/api/v1/datasets\?"), {"items": [dataset]})

    def of_mine(route: Route) -> None:
        answered = route.fetch()
        body = answered.json()
        body["projects"] = [{"id": NOWHERE, "name": "elsewhere", "role": "owner"}]
        route.fulfill(response=answered, json=body)

    page.route("**/api/v1/auth/me", of_mine)
    seconds, basis = {"low": 470, "likely": 730, "high": 1210}, {"what": "model", "job_ids": [NOWHERE] * 3}
    answer(page, "**/api/v1/training/jobs/estimate", {
        "seconds": seconds, "based_on": basis, "starts_in_seconds": 300, "will_be_stopped": True,
    })  # fmt: skip


def test_home_shows_what_runs_before_what_waits(inside: Page) -> None:
    waiting = [job(n, "queued", queue_position=n - 1) for n in range(2, 10)]
    answer_jobs(inside, [job(1, "running", started_at="2026-01-01T00:00:00Z"), *waiting])
    inside.goto("/")
    jobs = inside.get_by_role("region", name="Jobs")
    expect(jobs.get_by_role("heading", name="Running now")).to_be_visible()
    expect(jobs.locator(".job-name")).to_have_text([f"job {n}" for n in range(1, 6)])


def test_training_again_begins_with_everything_the_job_had(inside: Page) -> None:
    done = job(
        1, "failed", config={"epochs": 3, "batch_size": 32, "pretrained": False}, ended_at="2026-01-01T00:01:00Z",
        policy={"max_retries": 7, "time_limit_seconds": 5400, "silence_seconds": None, "keep_every": None},
    )  # fmt: skip
    answer_jobs(inside, [done])
    answer_form(inside)
    answer_parts(inside, done)

    inside.goto(f"/jobs/{done['id']}")
    expect(inside.get_by_text("there are no curves")).to_be_visible()
    inside.get_by_role("link", name="Train again").click()
    expect(inside.get_by_role("textbox", name="Epochs", exact=True)).to_have_value("3")
    model = inside.get_by_role("combobox", name="Model")
    expect(model).to_have_value("resnet18")
    model.press("End")
    model.press_sequentially("zzz")
    model.press("Enter")
    expect(inside.get_by_role("heading", name="New training")).to_be_visible()
    model.press("Escape")
    model.blur()
    expect(model).to_have_value("resnet18")
    inside.get_by_role("textbox", name="Keep a checkpoint every").fill("5")
    summary = inside.get_by_role("complementary", name="Summary")
    changed = summary.get_by_role("region", name="Different from the default").get_by_role("definition")
    expect(changed).to_have_text(
        ["3 was 30", "no was automatic", "1.5 was none", "7 was 3, the server's", "5 was none"]
    )
    since = summary.get_by_role("region", name="Different from the earlier one").get_by_role("definition")
    expect(since).to_have_text(["5 was none"])
    inside.get_by_role("button", name="Reset").click()
    expect(since).to_have_text(["30 was 3", "automatic was no", "none was 1.5", "3, the server's was 7"])
    inside.go_back()
    inside.get_by_role("link", name="Train again").click()
    inside.get_by_role("textbox", name="Keep a checkpoint every").fill("5")
    long = summary.get_by_role("region", name="How long it takes")
    expect(long).to_contain_text("about 12 min (8–20), from 3 earlier trainings of resnet18")
    expect(long).to_contain_text("Its time limit would likely stop it")
    expect(long).to_contain_text("wait about 5 min for its turn")
    with inside.expect_request(lambda r: r.method == "POST" and r.url.endswith("/training/jobs")) as sent:
        inside.route("**/api/v1/training/jobs", lambda route: route.fulfill(status=201, json=done))
        inside.get_by_role("button", name="Start training").click()
    body: Any = sent.value.post_data_json
    assert body["config"] == {"epochs": 3, "pretrained": False}
    assert body["policy"] == done["policy"] | {"keep_every": 5}
    assert (body["model_name"], body["dataset_id"]) == ("resnet18", NOWHERE)
    assert (body["parent_job_id"], body["priority"]) == (done["id"], "normal")


# --- languages --------------------------------------------------------------------------------------------------------


def speak(page: Page, account: str, language: str) -> None:
    page.get_by_role("button", name=account).click()
    page.get_by_role("button", name=language).click()
    expect(page.get_by_role("button", name=language)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")


def test_the_pages_speak_korean_and_english_again(inside: Page) -> None:
    inside.set_viewport_size({"width": 390, "height": 844})
    begun = {"started_at": "2026-01-01T00:00:00Z", "epoch": 2, "total_epochs": 5, "eta_seconds": 125, "progress": 40}
    done = job(1, "completed", ended_at="2026-01-01T00:01:05Z", **begun)
    answer_jobs(inside, [done, job(2, "running", **begun)])
    answer_parts(inside, done)
    answer_form(inside)
    inside.reload()
    inside.get_by_label("Message").fill("half a sentence")
    speak(inside, "Account", "한국어")
    expect(inside.locator("html")).to_have_attribute("lang", "ko")
    expect(inside.get_by_role("textbox", name="메시지")).to_have_value("half a sentence")
    for path, heading, said in (
        ("/", "진행 중", "에포크 2/5 · 2분 5초 남음"),
        ("/jobs", "작업", "학습 중"),
        (f"/jobs/{done['id']}", "job 1", "모델을 내려받을 수 있어요."),
        ("/train", "새 학습", "모두 기본값이에요."),
    ):
        inside.goto(path)
        expect(inside.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        expect(inside.get_by_text(said).first).to_be_visible()
        inside.wait_for_load_state("networkidle")
        assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    speak(inside, "계정", "English")
    expect(inside.get_by_role("heading", name="New training")).to_be_visible()
    expect(inside.get_by_text("Everything at its default.")).to_be_visible()


def test_a_korean_browser_is_spoken_to_in_korean_and_no_other_loads_it(browser: Browser, server: Server) -> None:
    for locale, heading, loaded in (("ko-KR", "로그인", 1), ("fr-FR", "Sign in", 0)):
        page = browser.new_page(base_url=server.url, locale=locale)
        scripts: list[str] = []
        page.on("request", lambda request, seen=scripts: seen.append(request.url))
        page.goto("/login")
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        assert len([url for url in scripts if re.search(r"/ko-[\w-]+\.js", url)]) == loaded
        page.close()


# --- every screen, both colour schemes --------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 2560])
def test_no_page_scrolls_sideways(inside: Page, width: int, scheme: Any) -> None:
    inside.emulate_media(color_scheme=scheme)
    inside.set_viewport_size({"width": width, "height": 844})
    for path in ("/", "/datasets", "/jobs", "/train", "/models"):
        inside.goto(path)
        expect(inside.get_by_role("navigation", name="Main")).to_be_visible()
        inside.wait_for_load_state("networkidle")
        assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_long_class_name_does_not_make_the_page_wide(inside: Page, tmp_path: Path) -> None:
    inside.set_viewport_size({"width": 390, "height": 844})
    name = "a_class_name_" + "as_long_as_they_come_" * 3
    upload(inside, archive(tmp_path, "long.zip", {f"{n}/{i}.png": png(20 * i) for n in (name, "b") for i in range(6)}))
    expect(inside.get_by_role("button", name=re.compile(f"^{name}"))).to_be_visible(timeout=60_000)
    assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_home_fits_the_screen(inside: Page) -> None:
    inside.wait_for_load_state("networkidle")
    assert inside.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_the_chosen_colours_stay(inside: Page) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = inside.evaluate(background)
    inside.get_by_role("button", name="Use dark colours").click()
    dark = inside.evaluate(background)
    assert dark != light
    inside.reload()
    expect(inside.get_by_role("button", name="Use light colours")).to_be_visible()
    assert inside.evaluate(background) == dark
    inside.get_by_role("button", name="Use light colours").click()
    inside.get_by_role("button", name="Use the system's colours").click()
    inside.emulate_media(color_scheme="dark")
    expect(inside.locator("body")).to_have_css("background-color", dark)


def test_the_keyboard_reaches_the_content_first(inside: Page) -> None:
    inside.goto("/datasets")
    expect(inside.get_by_role("heading", name="Data sets")).to_be_visible()
    inside.keyboard.press("Tab")
    expect(inside.get_by_role("link", name="Skip to the content")).to_be_focused()
    inside.keyboard.press("Enter")
    inside.keyboard.press("Tab")
    expect(inside.get_by_role("button", name="Choose a file")).to_be_focused()
