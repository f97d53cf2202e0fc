"""What people do from the first start on, alone and together, with real trainings: each test goes on from the last."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from sklearn.datasets import load_digits

if TYPE_CHECKING:
    from conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.training]

ADA, GRACE = "ada@example.org", "grace@example.org"
PASSWORD = "an analytical engine"
IMAGES = 300
LONG = 5000  # epochs: more than a test waits for
IMPORT_MS = 120_000
FRAMEWORK_MS = 180_000
TRAINING_MS = 180_000


@pytest.fixture(scope="module")
def digits_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("digits") / "digits.zip"
    digits = load_digits()
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(IMAGES):
            png = io.BytesIO()
            Image.fromarray((digits.images[i] * 255 / 16).astype("uint8")).save(png, "PNG")
            archive.writestr(f"{digits.target[i]}/{i:04}.png", png.getvalue())
    return path


@pytest.fixture
def other(browser: Browser, server: Server) -> Iterator[Page]:
    """Another browser, in which nothing goes wrong but that a session ends."""
    context = browser.new_context(base_url=server.url, locale="en-GB", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert [error for error in errors if "401" not in error] == []


def test_two_people_look_at_one_training_and_either_may_end_it(
    page: Page, other: Page, server: Server, digits_zip: Path
) -> None:
    make_the_admin(page, server.setup_url)
    upload(page, digits_zip)
    accept(other, invite_into_the_project(page))
    wait_for_timm(page)
    other.get_by_role("link", name="Jobs", exact=True).click()
    expect(other.get_by_text("Nothing was trained yet")).to_be_visible()
    for each in (page, other):
        each.evaluate("window.neverReloaded = true")

    start_by_form(page, epochs=LONG)
    expect(summary_of(page)).to_have_count(0)
    other.get_by_role("link", name="test_resnet on digits", exact=True).click()
    for each in (page, other):
        expect(badge(each)).to_have_text("running", timeout=TRAINING_MS)
        expect(table_of_epochs(each).get_by_role("cell", name=re.compile("^2( · best)?$"))).to_be_visible(
            timeout=60_000
        )
    cancel(other)
    for each in (page, other):
        expect(badge(each)).to_have_text("cancelled", timeout=120_000)
        assert each.evaluate("window.neverReloaded") is True
    expect(page.get_by_role("log", name="Notices")).to_contain_text("test_resnet on digits was cancelled")
    page.get_by_role("button", name=re.compile("^Dismiss")).click()

    train_again(page)
    watch_anothers(other, page.url)
    cancel(page)
    expect(badge(page)).to_have_text("cancelled", timeout=120_000)
    expect(other.get_by_role("log", name="Notices")).to_contain_text("was cancelled", timeout=30_000)


def train_again(page: Page) -> None:
    """In two clicks, and then it is compared with the one it came from."""
    before = page.url
    page.get_by_role("link", name="Train again with changes").click()
    summary = summary_of(page)
    expect(summary).to_contain_text("Nothing is: the same once more.")
    long = summary.get_by_role("region", name="How long it takes")
    expect(long).to_contain_text("from 1 earlier training of test_resnet")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("link", name="repeats an earlier one")).to_be_visible()
    expect(page).not_to_have_url(before)
    mine = page.url
    page.get_by_role("link", name="compare with the one it came from").click()
    expect(page.get_by_role("heading", name="Compare 2 jobs")).to_be_visible()
    expect(page.get_by_role("list", name="Jobs").get_by_role("listitem").first).to_contain_text("baseline")
    page.go_back()
    expect(page).to_have_url(mine)


def watch_anothers(page: Page, address: str) -> None:
    page.get_by_role("link", name="Jobs", exact=True).click()
    page.locator(f'.job-name[href$="{address.rpartition("/")[2]}"]').click()
    tell = page.get_by_role("button", name="Tell me when it ends")
    tell.click()
    expect(tell).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()


def test_a_training_by_form_and_one_by_chat_are_compared(page: Page, server: Server) -> None:
    page.goto("/login")
    sign_in(page, ADA)
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    start_by_form(page, epochs=2, batch_size=64)
    ends_well(page)
    start_by_chat(page, "train test_resnet on digits for 1 epoch")
    ends_well(page)
    page.get_by_role("link", name="Compare with…").click()
    expect(page.get_by_text("1 chosen")).to_be_visible()
    page.get_by_role("checkbox", name="Choose test_resnet on digits").nth(1).check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", name="Compare 2 jobs")).to_be_visible()
    differing = page.get_by_role("region", name="Settings that differ").get_by_role("row")
    expect(differing.filter(has_text="Epochs")).to_have_text(re.compile("Epochs.*1.*2"))
    expect(differing.filter(has_text="Batch size")).to_have_text(re.compile("Batch size.*32.*64"))


def test_signing_out_everywhere_reaches_the_other_browser(page: Page, other: Page, expected_errors: list[str]) -> None:
    expected_errors.append("401")  # what this page asks for while its own session ends too
    for each in (page, other):
        each.goto("/login")
        sign_in(each, ADA)
        expect(each.get_by_role("textbox", name="Message")).to_be_visible()
    other.goto("/jobs?state=cancelled")
    expect(other.get_by_role("link", name="test_resnet on digits", exact=True).first).to_be_visible()
    page.goto("/account")
    page.get_by_role("button", name="Sign out everywhere").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Your session has ended")).to_have_count(0)

    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(other.get_by_text("Your session has ended")).to_be_visible()
    sign_in(other, ADA)
    expect(other).to_have_url(re.compile(r"/jobs\?state=cancelled$"))
    expect(other.get_by_role("link", name="test_resnet on digits", exact=True).first).to_be_visible()


# --- steps ------------------------------------------------------------------------------------------------------------


def make_the_admin(page: Page, setup_url: str) -> None:
    page.goto(setup_url)
    page.get_by_label("E-mail").fill(ADA)
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def upload(page: Page, archive: Path) -> None:
    page.get_by_role("link", name="Data sets").click()
    page.get_by_label("Archive").set_input_files(archive)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator(".badge", has_text="ready")).to_be_visible(timeout=IMPORT_MS)


def invite_into_the_project(page: Page) -> str:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("link", name="People").click()
    invitation = page.get_by_role("region", name="Invite somebody")
    invitation.get_by_label("Role", exact=True).select_option("engineer")
    invitation.get_by_label("Project", exact=True).select_option(index=1)
    invitation.get_by_label("Role in the project").select_option("editor")
    invitation.get_by_role("button", name="Invite").click()
    return invitation.get_by_label("Link of the invitation").input_value()


def accept(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("E-mail").fill(GRACE)
    page.get_by_label("Name").fill("Grace Hopper")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()


def wait_for_timm(page: Page) -> None:
    page.get_by_role("link", name="Home").click()
    frameworks = page.get_by_role("region", name="Frameworks")
    expect(frameworks.get_by_role("listitem").filter(has_text="timm")).to_contain_text("ready", timeout=FRAMEWORK_MS)


def start_by_form(page: Page, **settings: int) -> None:
    page.get_by_role("link", name="New training").click()
    model = page.get_by_role("combobox", name="Model")
    model.fill("test_resnet")
    page.get_by_role("option", name=re.compile("^test_resnet")).first.click()
    for name, value in settings.items():
        page.get_by_role("textbox", name=name.replace("_", " ").capitalize(), exact=True).fill(str(value))
    changed = summary_of(page).get_by_role("region", name="Different from the default").get_by_role("definition")
    expect(changed).to_have_count(len(settings))
    page.get_by_role("button", name="Start training").click()
    expect(page).to_have_url(re.compile(r"/jobs/[0-9a-f-]{36}$"))


def start_by_chat(page: Page, sentence: str) -> None:
    page.get_by_role("link", name="Home").click()
    message = page.get_by_role("textbox", name="Message")
    message.fill(sentence)
    message.press("Enter")
    draft = page.get_by_role("region", name="Draft")
    expect(draft.get_by_role("region", name="How long it takes")).to_contain_text("earlier trainings of test_resnet")
    draft.get_by_role("button", name="Start training").click()
    page.get_by_role("link", name="Watch the training").last.click()


def ends_well(page: Page) -> None:
    expect(badge(page)).to_have_text("completed", timeout=TRAINING_MS)


def cancel(page: Page) -> None:
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the training").click()


def badge(page: Page) -> Locator:
    return page.locator("h1 + .badge")


def summary_of(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Summary")


def table_of_epochs(page: Page) -> Locator:
    return page.get_by_role("region", name="Table of epochs")
