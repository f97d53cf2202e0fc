"""What admins and owners look after, in a browser: projects, quotas, the audit and the system's health."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

if TYPE_CHECKING:
    from conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process]

IMPORT_MS = 120_000
EMAIL, PASSWORD = "ada@example.org", "an analytical engine"


class Api:
    """The server, asked directly for what the browser is not to show."""

    def __init__(self, url: str, email: str = EMAIL, password: str = PASSWORD) -> None:
        self.http = httpx.Client(base_url=f"{url}/api/v1", timeout=60)
        session = self.call("POST", "/auth/login", json={"email": email, "password": password})
        self.http.headers["Authorization"] = f"Bearer {session['access_token']}"

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, **more: Any) -> Any:
        answer = self.http.request(method, path, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def expected_errors() -> list[str]:
    """A project that is not empty, an upload over the quota, and what a viewer may not look at."""
    return ["409", "403"]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "flowers.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for i in range(8):
            png = io.BytesIO()
            Image.new("RGB", (48, 32), (30 * i, 255 - 30 * i, 90)).save(png, "PNG")
            packed.writestr(f"{'roses' if i % 2 else 'tulips'}/{i}.png", png.getvalue())
    return path


def test_what_admins_and_owners_look_after(page: Page, browser: Browser, server: Server, archive: Path) -> None:
    make_the_admin(page, server.setup_url)
    make_a_project_and_rename_it(page)
    fill_it(page, archive)
    it_is_not_deleted_while_something_is_in_it(page)
    set_a_quota(page)
    an_upload_over_it_is_refused_in_words(page, archive)
    narrow_and_export_the_audit(page)
    the_system_says_which_part_has_stopped(page, server)
    with Api(server.url) as api:
        add_a_viewer(api)
        with browser.new_context(base_url=server.url, locale="en-GB") as context:
            look_as_a_viewer(context.new_page(), api)
        delete_it_once_it_is_empty(page, api)


def make_the_admin(page: Page, setup_url: str) -> None:
    page.goto(setup_url)
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()


def make_a_project_and_rename_it(page: Page) -> None:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("link", name="Projects").click()
    page.get_by_role("button", name="New project").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name of the project").fill("Tulips")
    dialog.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Tulips", level=1)).to_be_visible()
    page.get_by_role("button", name="Rename").click()
    dialog.get_by_label("Name of the project").fill("Flowers")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Flowers", level=1)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("list", name="Projects").get_by_role("listitem")).to_have_count(2)
    save_a_picture(page, "projects")
    page.get_by_role("link", name="Flowers").click()


def fill_it(page: Page, archive: Path) -> None:
    page.get_by_role("navigation", name="What is in it").get_by_role("link", name="0 data sets").click()
    expect(page.get_by_label("Any project")).to_have_value(re.compile(".{36}"))
    page.get_by_label("Archive").set_input_files(archive)
    expect(page.get_by_label("Into the project").locator("option:checked")).to_have_text("Flowers")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator(".badge", has_text="ready")).to_be_visible(timeout=IMPORT_MS)
    page.get_by_role("link", name="Data sets", exact=True).click()
    expect(page.get_by_role("link", name="flowers")).to_contain_text("· Flowers")
    save_a_picture(page, "datasets-of-projects")
    page.get_by_label("Any project").select_option("Ada Lovelace's project")
    expect(page.get_by_text("No data set yet")).to_be_visible()


def open_the_project(page: Page) -> None:
    page.goto("/projects")
    page.get_by_role("link", name="Flowers").click()


def it_is_not_deleted_while_something_is_in_it(page: Page) -> None:
    open_the_project(page)
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("It holds 1 data set: delete them first.")).to_be_visible()
    dialog.get_by_role("button", name="Delete it").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The project holds 1 data set")
    dialog.get_by_role("button", name="Keep it").click()


def set_a_quota(page: Page) -> None:
    quota = page.get_by_role("region", name="Quota", exact=True)
    expect(quota.get_by_text("1, no limit")).to_be_visible()
    quota.get_by_role("button", name="Change the limits").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Data sets").fill("one")
    dialog.get_by_role("button", name="Save the limits").click()
    expect(dialog.get_by_text("Enter a whole number of 0 or more, or nothing.")).to_be_visible()
    dialog.get_by_label("Data sets").fill("1")
    dialog.get_by_label("Storage, in GB").fill("2.5")
    dialog.get_by_role("button", name="Save the limits").click()
    expect(quota.get_by_text("1 of 1")).to_be_visible()
    expect(quota.get_by_text("of 2.5 GB")).to_be_visible()
    expect(quota.get_by_text("Used up: no data set can be added.")).to_be_visible()
    save_a_picture(page, "project-with-quota")


def an_upload_over_it_is_refused_in_words(page: Page, archive: Path) -> None:
    page.get_by_role("link", name="1 data set").click()
    page.get_by_label("Archive").set_input_files(archive)
    page.get_by_label("Name of the data set").fill("more flowers")
    page.get_by_role("button", name="Upload", exact=True).click()
    refused = page.get_by_role("alert").filter(has_text="more flowers was not uploaded")
    expect(refused).to_contain_text("The project's quota of data sets is used up, 1 of 1")
    expect(refused).to_contain_text("ask an admin for more")
    refused.get_by_role("button", name="Dismiss").click()


def narrow_and_export_the_audit(page: Page) -> None:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("link", name="Audit").click()
    rows = page.get_by_role("row")
    expect(rows.filter(has_text="Signed in").or_(rows.filter(has_text="Account made"))).not_to_have_count(0)
    page.get_by_label("Project").select_option("Flowers")
    expect(rows.filter(has_text="Account made")).to_have_count(0)
    expect(rows.filter(has_text="Project renamed")).to_contain_text("Tulips → Flowers")
    save_a_picture(page, "audit")
    page.get_by_label("What", exact=True).select_option("quota.changed")
    expect(page).to_have_url(re.compile(r"/audit\?.*action=quota"))
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("no limit → 2.5 GB")
    with page.expect_download() as saved:
        page.get_by_role("button", name="as CSV").click()
    exported = list(csv.DictReader(saved.value.path().read_text().splitlines()))
    assert [entry["action"] for entry in exported] == ["quota.changed"]
    page.reload()
    expect(rows).to_have_count(2)
    rows.nth(1).get_by_role("link", name="Flowers").click()
    expect(page.get_by_role("heading", name="Flowers", level=1)).to_be_visible()


def the_system_says_which_part_has_stopped(page: Page, server: Server) -> None:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("link", name="System").click()
    parts = page.get_by_role("region", name="Parts")
    redis = parts.get_by_role("listitem").filter(has_text="Redis")
    expect(redis.get_by_text("works", exact=True)).to_be_visible()
    save_a_picture(page, "system")
    with stopped(int((server.data_dir / "valkey.pid").read_text().split()[0])):
        expect(page.get_by_role("alert").filter(has_text="Redis does not work")).to_be_visible()
        expect(redis.get_by_text("does not work")).to_be_visible()
        save_a_picture(page, "system-with-a-part-that-hangs")
    expect(redis.get_by_text("works", exact=True)).to_be_visible()


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def add_a_viewer(api: Api) -> None:
    """Whom the project calls an owner: they read all the same."""
    body = {"email": "grace@example.org", "password": "nanoseconds of wire", "role": "viewer", "name": "Grace Hopper"}
    viewer = api.call("POST", "/users", json=body)
    body = {"user_id": viewer["id"], "role": "owner"}
    api.call("POST", f"/projects/{flowers(api)}/members", json=body)


def flowers(api: Api) -> str:
    projects = api.call("GET", "/projects")["items"]
    return next(str(project["id"]) for project in projects if project["name"] == "Flowers")


def look_as_a_viewer(page: Page, api: Api) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill("grace@example.org")
    page.get_by_label("Password", exact=True).fill("nanoseconds of wire")
    page.get_by_role("button", name="Sign in").click()
    news = page.get_by_role("region", name="While you were away")
    expect(news).to_contain_text("ada@example.org added you to Flowers, as owner.")
    save_a_picture(page, "news")
    news.get_by_role("button", name="Dismiss").click()
    expect(news).to_have_count(0)
    page.get_by_role("button", name="Account").click()
    for name in ("People", "Audit", "System"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    page.get_by_role("link", name="Projects").click()
    expect(page.get_by_role("link", name="Flowers")).to_be_visible()
    for name in ("New project", "New training"):
        expect(page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name))).to_have_count(0)
    page.get_by_role("link", name="Flowers").click()
    expect(page.get_by_text("Your role here: reader.")).to_be_visible()
    expect(page.get_by_text("1 of 1")).to_be_visible()
    for name in ("Rename", "Delete", "Change the limits", "Invite"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    save_a_picture(page, "project-of-a-viewer")
    page.get_by_role("link", name="1 data set").click()
    expect(page.get_by_role("link", name="flowers")).to_be_visible()
    expect(page.get_by_text("You can look at the data sets here.")).to_be_visible()
    expect(page.get_by_label("Archive")).to_have_count(0)
    for path in ("/system", "/audit", f"/audit?project={flowers(api)}"):
        page.goto(path)
        expect(page.get_by_role("alert")).to_contain_text("You may not do this")


def delete_it_once_it_is_empty(page: Page, api: Api) -> None:
    dataset = api.call("GET", "/datasets", params={"project_id": flowers(api)})["items"][0]
    api.call("DELETE", f"/datasets/{dataset['id']}")
    open_the_project(page)
    expect(page.get_by_role("link", name="0 data sets")).to_be_visible()
    dialog = page.get_by_role("dialog")
    gone = page.get_by_role("heading", name="Projects", level=1)
    page.get_by_role("button", name="Delete").click()
    being_freed = dialog.get_by_role("alert")
    while not gone.is_visible():  # what was deleted is freed within seconds
        dialog.get_by_role("button", name="Delete it").click()
        expect(gone.or_(being_freed)).to_be_visible()
    expect(page.get_by_role("link", name="Flowers")).to_have_count(0)


def save_a_picture(page: Page, name: str) -> None:
    if folder := os.environ.get("VISIONAI_SCREENSHOTS"):
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(folder, f"{name}-{width}.png"), full_page=True)
        page.set_viewport_size({"width": 1440, "height": 900})
