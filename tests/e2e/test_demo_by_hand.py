"""The demo, done by hand: from the set-up link to the downloaded checkpoint, in a browser, with a real training."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from sklearn.datasets import load_digits

if TYPE_CHECKING:
    from conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.training]

EPOCHS = 3
IMPORT_MS = 120_000
FRAMEWORK_MS = 180_000
TRAINING_MS = 300_000


@pytest.fixture(scope="module")
def digits_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """scikit-learn's 1,797 handwritten digits as class folders of PNGs."""
    path = tmp_path_factory.mktemp("digits") / "digits.zip"
    digits = load_digits()
    with zipfile.ZipFile(path, "w") as archive:
        for i, (image, target) in enumerate(zip(digits.images, digits.target, strict=True)):
            png = io.BytesIO()
            Image.fromarray((image * 255 / 16).astype("uint8")).save(png, "PNG")
            archive.writestr(f"{target}/{i:04}.png", png.getvalue())
    return path


def test_from_the_set_up_link_to_the_checkpoint(
    page: Page, server: Server, digits_zip: Path, tmp_path: Path, expected_errors: list[str]
) -> None:
    expected_errors.append("422")  # going on without anything left to do is refused
    make_the_admin(page, server.setup_url)
    upload(page, digits_zip)
    look_at_the_images(page)
    ask_for_a_training(page, f"train test_resnet on digits for {EPOCHS} epochs")
    watch_it(page)
    save_a_picture(page)
    look_at_the_results(page)
    download_the_checkpoint(page, tmp_path)
    pin_the_checkpoint(page)
    train_longer(page)


def make_the_admin(page: Page, setup_url: str) -> None:
    page.goto(setup_url)
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("Password", exact=True).fill("an analytical engine")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    assert "token" not in page.url


def upload(page: Page, archive: Path) -> None:
    page.get_by_role("link", name="Data sets").click()
    page.get_by_label("Archive").set_input_files(archive)
    expect(page.get_by_label("Name of the data set")).to_have_value("digits")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("heading", name="digits")).to_be_visible()
    expect(page.locator(".badge", has_text="ready")).to_be_visible(timeout=IMPORT_MS)


def look_at_the_images(page: Page) -> None:
    classes = page.get_by_role("region", name="Classes").get_by_role("button")
    expect(classes).to_have_count(10)
    expect(page.get_by_text("1,797 images").first).to_be_visible()
    picture = page.get_by_role("grid").locator("img").first
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 8)
    page.get_by_role("button", name=re.compile(r"^7\b")).click()
    expect(page).to_have_url(re.compile(r"class="))
    expect(page.get_by_text("179 images")).to_be_visible()


def ask_for_a_training(page: Page, sentence: str) -> None:
    page.get_by_role("link", name="Home").click()
    frameworks = page.get_by_role("region", name="Frameworks")
    expect(frameworks.get_by_role("listitem").filter(has_text="timm")).to_contain_text("ready", timeout=FRAMEWORK_MS)
    message = page.get_by_role("textbox", name="Message")
    message.fill(sentence)
    message.press("Enter")
    draft = page.get_by_role("region", name="Draft")
    for fact in ("digits", "test_resnet", str(EPOCHS)):
        expect(draft).to_contain_text(fact)
    draft.get_by_role("button", name="Start training").click()
    page.get_by_role("link", name="Watch the training").click()


def watch_it(page: Page) -> None:
    """Every epoch arrives while one looks on: the page is never loaded anew."""
    expect(page).to_have_url(re.compile(r"/jobs/[0-9a-f-]{36}$"))
    page.evaluate("window.neverReloaded = true")
    table = page.get_by_role("region", name="Table of epochs")
    for epoch in range(1, EPOCHS + 1):
        expect(table.get_by_role("cell", name=re.compile(f"^{epoch}( · best)?$"))).to_be_visible(timeout=TRAINING_MS)
    expect(page.locator("h1 + .badge")).to_have_text("completed", timeout=TRAINING_MS)
    assert page.evaluate("window.neverReloaded") is True
    expect(page).to_have_title(re.compile("^completed "))
    for chart in page.get_by_test_id("chart").all():
        expect(chart).to_have_attribute("data-points", str(EPOCHS))
    best = page.get_by_text(re.compile(r"^\d+\.\d+ % at epoch \d$")).inner_text()
    assert float(best.split()[0]) >= 97
    steps = page.get_by_role("region", name="Steps").get_by_role("listitem")
    expect(steps).to_have_count(4)
    expect(steps.filter(has_text="completed")).to_have_count(4)


def look_at_the_results(page: Page) -> None:
    views = page.get_by_role("navigation", name="Views")
    views.get_by_role("link", name="Results").click()
    expect(page.get_by_role("region", name="Classes").get_by_role("row")).to_have_count(11)
    expect(page.get_by_role("region", name="Confusion matrix").get_by_role("row")).to_have_count(11)
    views.get_by_role("link", name="Log").click()
    expect(page.get_by_role("log", name="Log")).to_contain_text("epoch", ignore_case=True)
    views.get_by_role("link", name="Overview").click()


def download_the_checkpoint(page: Page, folder: Path) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="Download Best checkpoint").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    assert path.stat().st_size > 1_000_000
    assert zipfile.is_zipfile(path), "torch saves a zip"


def pin_the_checkpoint(page: Page) -> None:
    pin = page.get_by_role("button", name=re.compile(r"^Pin.*best"))
    expect(pin).to_have_attribute("aria-pressed", "false")
    pin.click()
    expect(pin).to_have_attribute("aria-pressed", "true")


def train_longer(page: Page) -> None:
    """A new training goes on from the checkpoint: its table begins with the epochs of the first one."""
    before = page.url
    page.get_by_role("button", name="Train longer").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"after epoch {EPOCHS}")
    dialog.get_by_label("Epochs in all").fill(str(EPOCHS))
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog.get_by_role("alert")).to_contain_text("ask for more")
    dialog.get_by_label("Epochs in all").fill(str(EPOCHS + 1))
    dialog.get_by_role("button", name="Go on").click()
    expect(page).not_to_have_url(before)
    expect(page.get_by_role("link", name=f"goes on from epoch {EPOCHS} of an earlier one")).to_be_visible()
    expect(page.locator("h1 + .badge")).to_have_text("completed", timeout=TRAINING_MS)
    table = page.get_by_role("region", name="Table of epochs")
    for epoch in range(1, EPOCHS + 2):
        expect(table.get_by_role("cell", name=re.compile(f"^{epoch}( · best)?$"))).to_be_visible()


def save_a_picture(page: Page) -> None:
    if folder := os.environ.get("VISIONAI_SCREENSHOTS"):
        page.screenshot(path=Path(folder, "job.png"))
