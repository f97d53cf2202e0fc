"""Letting others in and out, in two browsers: an invitation by link, a project in common, an account disabled."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

if TYPE_CHECKING:
    from conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process]

IMPORT_MS = 120_000


@pytest.fixture
def roses(tmp_path: Path) -> Path:
    path = tmp_path / "flowers.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(8):
            png = io.BytesIO()
            Image.new("RGB", (48, 32), (30 * i, 255 - 30 * i, 90)).save(png, "PNG")
            archive.writestr(f"{'roses' if i % 2 else 'tulips'}/{i}.png", png.getvalue())
    return path


def test_who_is_invited_sees_the_project_until_disabled(
    page: Page, browser: Browser, server: Server, roses: Path
) -> None:
    make_the_admin(page, server.setup_url)
    upload(page, roses)
    link = invite_into_the_project(page)
    context = browser.new_context(base_url=server.url, locale="en-GB")
    guest = context.new_page()
    errors: list[str] = []
    guest.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    guest.on("pageerror", lambda error: errors.append(str(error)))
    accept(guest, link)
    guest.get_by_role("link", name="Data sets").click()
    expect(guest.get_by_role("heading", name="flowers")).to_be_visible()
    look_at_oneself(guest)
    assert errors == []
    look_at_the_members(page)
    disable(page, "Grace Hopper")
    guest.get_by_role("link", name="Jobs", exact=True).click()
    expect(guest.get_by_role("heading", name="Sign in")).to_be_visible()
    assert all("401" in error for error in errors), errors
    open_the_link_again(guest, link)
    context.close()


def make_the_admin(page: Page, setup_url: str) -> None:
    page.goto(setup_url)
    expect(page.get_by_role("heading", name="Set up VisionAI")).to_be_visible()
    expect(page).to_have_url(re.compile("/setup$"))
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("Password", exact=True).fill("an analytical engine")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()


def upload(page: Page, archive: Path) -> None:
    page.get_by_role("link", name="Data sets").click()
    page.get_by_label("Archive").set_input_files(archive)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator(".badge", has_text="ready")).to_be_visible(timeout=IMPORT_MS)


def invite_into_the_project(page: Page) -> str:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("link", name="People").click()
    invitation = page.get_by_role("region", name="Invite somebody")
    invitation.get_by_label("Role", exact=True).select_option("viewer")
    invitation.get_by_label("Project", exact=True).select_option(index=1)
    invitation.get_by_label("Role in the project").select_option("reader")
    invitation.get_by_role("button", name="Invite").click()
    link = invitation.get_by_label("Link of the invitation").input_value()
    expect(invitation.get_by_role("region", name="Open invitations").get_by_role("listitem")).to_have_count(1)
    save_a_picture(page, "people")
    return link


def accept(guest: Page, link: str) -> None:
    guest.goto(link)
    expect(guest.get_by_text("Ada Lovelace invites you into the project")).to_be_visible()
    expect(guest).to_have_url(re.compile("/invitation$"))
    save_a_picture(guest, "invitation")
    guest.get_by_label("E-mail").fill("grace@example.org")
    guest.get_by_label("Name").fill("Grace Hopper")
    guest.get_by_label("Password", exact=True).fill("short")
    guest.get_by_role("button", name="Make the account").click()
    expect(guest.get_by_text("That has 5 characters")).to_be_visible()
    guest.get_by_label("Password", exact=True).fill("nanoseconds of wire")
    guest.get_by_role("button", name="Make the account").click()
    expect(guest.get_by_role("textbox", name="Message")).to_be_visible()


def look_at_oneself(guest: Page) -> None:
    guest.get_by_role("button", name="Account").click()
    expect(guest.get_by_role("link", name="People")).to_have_count(0)
    guest.get_by_role("link", name="Your account").click()
    expect(
        guest.get_by_role("region", name="Where you are signed in").get_by_text("this one", exact=True)
    ).to_be_visible()
    tokens = guest.get_by_role("region", name="API tokens")
    tokens.get_by_label("Name of the token").fill("notebook")
    tokens.get_by_role("button", name="Make a token").click()
    expect(tokens.get_by_label("Token “notebook”", exact=True)).to_have_value(re.compile(".{20,}"))
    save_a_picture(guest, "account")


def look_at_the_members(page: Page) -> None:
    page.get_by_role("region", name="Projects").get_by_role("link").first.click()
    members = page.get_by_role("region", name="Members").get_by_role("listitem")
    expect(members).to_have_count(2)
    expect(page.get_by_label("Role of Grace Hopper")).to_have_value("reader")
    save_a_picture(page, "project")
    page.go_back()


def disable(page: Page, name: str) -> None:
    page.reload()
    person = page.get_by_role("listitem", name=name)
    person.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(person.get_by_text("disabled")).to_be_visible()


def open_the_link_again(guest: Page, link: str) -> None:
    guest.goto(link)
    expect(guest.get_by_role("alert")).to_contain_text("This link no longer works")
    expect(guest.get_by_role("alert")).to_contain_text("Ask whoever sent it for another one")


def save_a_picture(page: Page, name: str) -> None:
    if folder := os.environ.get("VISIONAI_SCREENSHOTS"):
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(folder, f"{name}-{width}.png"), full_page=True)
        page.set_viewport_size({"width": 1440, "height": 900})
