"""What each page does around the demo: letting in, empty states, failures, small screens, dark colours."""

from __future__ import annotations

import io
import json
import re
import urllib.request
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process]

EMAIL, PASSWORD = "ada@example.org", "an analytical engine"
NOWHERE = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module", autouse=True)
def admin(server: Server) -> None:
    token = server.setup_url.partition("#token=")[2]
    body = {"token": token, "email": EMAIL, "password": PASSWORD}
    request = urllib.request.Request(
        f"{server.url}/api/v1/auth/setup", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201


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
    page.goto("/datasets")
    page.get_by_label("Archive").set_input_files(path)
    page.get_by_role("button", name="Upload", exact=True).click()


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


def test_a_broken_archive_says_what_to_do(inside: Page, tmp_path: Path) -> None:
    whole = archive(tmp_path, "torn.zip", {f"a/{i}.png": png(i) for i in range(9)})
    whole.write_bytes(whole.read_bytes()[:200])
    upload(inside, whole)
    expect(inside.locator(".badge", has_text="error")).to_be_visible(timeout=60_000)
    said = inside.get_by_role("alert").inner_text()
    assert len(said.split()) >= 6, said


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


def test_the_chosen_colours_stay(inside: Page) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = inside.evaluate(background)
    inside.get_by_role("button", name="Use dark colours").click()
    dark = inside.evaluate(background)
    assert dark != light
    inside.reload()
    expect(inside.get_by_role("button", name="Use light colours")).to_be_visible()
    assert inside.evaluate(background) == dark


def test_the_keyboard_reaches_the_content_first(inside: Page) -> None:
    inside.goto("/datasets")
    expect(inside.get_by_role("heading", name="Data sets")).to_be_visible()
    inside.keyboard.press("Tab")
    expect(inside.get_by_role("link", name="Skip to the content")).to_be_focused()
    inside.keyboard.press("Enter")
    inside.keyboard.press("Tab")
    expect(inside.get_by_role("button", name="Choose a file")).to_be_focused()
