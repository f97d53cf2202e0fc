"""A data set of 100,000 images: scrolled, jumped through, filtered, gone through with keys, and one image looked at."""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from serving import make_admin
from sqlalchemy import Engine, create_engine, insert, select, text
from sqlalchemy.orm import Session

from visionai.datasets.tables import Dataset, DatasetImage, DatasetVersion
from visionai.identity.tables import Project, User
from visionai.storage import keys

if TYPE_CHECKING:
    from conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process]

EMAIL, PASSWORD = "ada@example.org", "an analytical engine"
MANY, CLASSES, PICTURES = 100_000, 10, 100
PER_CLASS = MANY // CLASSES
MOST_TILES = 300
WIDTH, HEIGHT = 320, 240
HALF_TONES = [(n * 37 % 256, n * 91 % 256, n * 53 % 256) for n in range(PICTURES)]


@pytest.fixture(scope="module", autouse=True)
def admin(server: Server) -> None:
    make_admin(server, EMAIL, PASSWORD)


def database(server: Server) -> Engine:
    return create_engine(f"sqlite:///{next(server.data_dir.glob('*.sqlite3'))}", connect_args={"timeout": 30})


def encoded(colour: tuple[int, int, int], kind: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, kind)
    return data.getvalue()


def sha(number: int) -> str:
    return hashlib.sha256(b"%d" % (number % PICTURES)).hexdigest()


def row(version_id: UUID, n: int, **more: Any) -> dict[str, Any]:
    label = f"class_{n // PER_CLASS}"
    return {
        "version_id": version_id, "n": n, "file_name": f"{label}/{n:06}.png", "sha256": sha(n), "suffix": ".png",
        "width": WIDTH, "height": HEIGHT, "size": 4_000, "split": "val" if n % 5 == 0 else "train", "label": label,
        "labels": [label], "objects": [], **more,
    }  # fmt: skip


def add_dataset(session: Session, name: str, images: int, faults: list[dict[str, Any]]) -> tuple[Dataset, UUID]:
    user, project = session.scalar(select(User)), session.scalar(select(Project))
    assert user and project
    dataset = Dataset(project_id=project.id, created_by=user.id, name=name, status="ready")
    session.add(dataset)
    session.flush()
    version = DatasetVersion(
        dataset_id=dataset.id, project_id=project.id, number=1, content_hash="c" * 64, split_hash="s",
        task_types=["detection"], image_count=images, train_count=images * 4 // 5, val_count=images // 5,
        classes=[{"name": f"class_{i}", "total": 10, "train": 8, "val": 2} for i in range(CLASSES)],
        size_bytes=4_000 * images, statistics={}, report={"faults": faults}, files=[],
    )  # fmt: skip
    session.add(version)
    session.flush()
    dataset.current_version_id = version.id
    return dataset, version.id


@pytest.fixture(scope="module", autouse=True)
def ids(server: Server, admin: None) -> dict[str, str]:
    """Of a data set with 100,000 images, and of one with an image of every kind."""
    engine = database(server)
    storage = server.data_dir / "storage"
    fault = {
        "code": "wrong_suffix", "severity": "info", "message": "2 images are of another format than the name says.",
        "hint": "Nothing to do here.", "files": ["class_0/scan.tif", "class_0/gone.png"], "file_count": 2,
    }  # fmt: skip
    with Session(engine) as session, session.begin():
        many, many_version = add_dataset(session, "many", MANY, [])
        few, few_version = add_dataset(session, "few", 2, [fault])
        for dataset in (many, few):
            for number, colour in enumerate(HALF_TONES):
                for key, kind, size in (
                    (keys.thumbnail(dataset.id, sha(number)), "WEBP", (64, 48)),
                    (keys.blob(dataset.project_id, sha(number)), "PNG", (WIDTH, HEIGHT)),
                ):
                    path = storage / key
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(encoded(colour, kind, size))
        (storage / keys.blob(few.project_id, "f" * 64)).parent.mkdir(parents=True, exist_ok=True)
        (storage / keys.blob(few.project_id, "f" * 64)).write_bytes(encoded((9, 9, 9), "TIFF"))
        thumbnail = storage / keys.thumbnail(few.id, "f" * 64)
        thumbnail.parent.mkdir(parents=True, exist_ok=True)
        thumbnail.write_bytes(encoded((9, 9, 9), "WEBP"))
        everything = [
            {"class": "class_0", "box": {"x": 10, "y": 10, "w": 300, "h": 220}},
            {"class": "class_1", "box": {"x": 40, "y": 40, "w": 60, "h": 40}, "angle": 30},
            {"class": "class_1", "box": {"x": 150, "y": 50, "w": 90, "h": 90},
             "polygon": [[150, 50], [240, 60], [200, 140]]},
            {"class": "class_2", "box": {"x": 60, "y": 150, "w": 80, "h": 60},
             "keypoints": [[70, 160, 2], [130, 200, 2], [1, 1, 0]]},
        ]  # fmt: skip
        session.execute(
            insert(DatasetImage),
            [
                row(few_version, 0, objects=everything),
                row(few_version, 1, file_name="class_0/scan.tif", suffix=".tif", sha256="f" * 64),
            ],
        )
        found = {"many": str(many.id), "few": str(few.id)}
        session.execute(text("CREATE TEMP TABLE pictures (number, sha)"))
        session.execute(
            text("INSERT INTO pictures VALUES (:n, :sha)"), [{"n": n, "sha": sha(n)} for n in range(PICTURES)]
        )
        session.execute(text(ROWS), {"version": many_version.hex})
    engine.dispose()
    return found


ROWS = f"""
    INSERT INTO dataset_images
      (version_id, n, file_name, sha256, suffix, width, height, size, split, label, labels, objects)
    WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < {MANY})
    SELECT :version, n, printf('class_%d/%06d.png', n / {PER_CLASS}, n), sha, '.png', {WIDTH}, {HEIGHT}, 4000,
      iif(n % 5 = 0, 'val', 'train'), printf('class_%d', n / {PER_CLASS}), printf('["class_%d"]', n / {PER_CLASS}),
      printf('[{{"class": "class_%d", "box": {{"x": %d, "y": 30, "w": 120.5, "h": 80}}}},
        {{"class": "class_0", "box": {{"x": 200, "y": 100, "w": 40, "h": 60}}}}]', n / {PER_CLASS}, 20 + n % 50)
    FROM counted JOIN pictures ON number = n % {PICTURES}
"""  # 100,000 rows that the database makes by itself, in a second


@pytest.fixture
def inside(page: Page) -> Page:
    page.goto("/login")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    return page


def tile(page: Page, place: int) -> Locator:
    return page.locator(f'[data-place="{place}"]')


def is_right(page: Page, place: int, n: int) -> None:
    """The tile at this place shows the picture of image n, and leads to it."""
    expect(tile(page, place)).to_have_attribute("title", re.compile(f"class_{n // PER_CLASS}/{n:06}.png, 320 × 240"))
    expect(tile(page, place)).to_have_attribute("href", re.compile(rf"/images/{n}(\?|$)"))
    picture = tile(page, place).locator("img")
    expect(picture).to_have_attribute("src", re.compile(sha(n)))
    expect(picture).to_have_js_property("naturalWidth", 64)


def few_tiles(page: Page) -> None:
    assert 0 < page.locator(".tile").count() <= MOST_TILES


# --- the grid ---------------------------------------------------------------------------------------------------------


def test_everything_is_scrolled_through_and_few_tiles_exist(inside: Page, ids: dict[str, str]) -> None:
    inside.goto(f"/datasets/{ids['many']}")
    is_right(inside, 0, 0)
    expect(inside.get_by_text("100,000 images", exact=True)).to_be_visible()
    for share in range(1, 21):
        inside.evaluate("share => scrollTo(0, share * document.documentElement.scrollHeight)", share / 20)
        few_tiles(inside)
    is_right(inside, MANY - 1, MANY - 1)
    inside.keyboard.press("Home")
    is_right(inside, 0, 0)
    inside.keyboard.press("End")
    is_right(inside, MANY - 1, MANY - 1)
    inside.mouse.move(900, 500)
    inside.mouse.wheel(0, -600_000)
    expect(tile(inside, MANY - 1)).to_be_hidden()
    few_tiles(inside)


def test_a_phone_and_a_wide_screen_reach_the_end_too(inside: Page, ids: dict[str, str]) -> None:
    for width, height in ((390, 844), (3840, 2160)):
        inside.set_viewport_size({"width": width, "height": height})
        inside.goto(f"/datasets/{ids['many']}")
        is_right(inside, 0, 0)
        inside.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        is_right(inside, MANY - 1, MANY - 1)
        few_tiles(inside)
        assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_class_and_split_narrow_it_from_wherever_one_is(inside: Page, ids: dict[str, str]) -> None:
    inside.goto(f"/datasets/{ids['many']}")
    is_right(inside, 0, 0)
    inside.evaluate("scrollTo(0, 400_000)")
    expect(inside).to_have_url(re.compile(r"at=\d+"))
    inside.get_by_role("button", name=re.compile("^class_7")).click()
    expect(inside.get_by_text("10,000 images", exact=True)).to_be_visible()
    is_right(inside, 0, 7 * PER_CLASS)
    expect(tile(inside, 0)).to_be_in_viewport()
    inside.get_by_role("button", name=re.compile("^Validation")).click()
    expect(inside.get_by_text("2,000 images", exact=True)).to_be_visible()
    inside.keyboard.press("End")
    is_right(inside, 1_999, 8 * PER_CLASS - 5)
    inside.get_by_role("button", name=re.compile("^Show all classes")).click()
    expect(inside.get_by_text("20,000 images", exact=True)).to_be_visible()
    inside.keyboard.press("End")
    is_right(inside, 19_999, MANY - 5)


def test_reload_and_back_keep_the_place(inside: Page, ids: dict[str, str]) -> None:
    inside.goto(f"/datasets/{ids['many']}")
    is_right(inside, 0, 0)
    inside.evaluate("scrollTo(0, 1_000_000)")
    expect(inside).to_have_url(re.compile(r"at=\d{4,}"))
    at = int(inside.url.rpartition("at=")[2])
    is_right(inside, at, at)
    inside.reload()
    is_right(inside, at, at)
    expect(tile(inside, at)).to_be_in_viewport()
    inside.get_by_role("link", name="Models").click()
    expect(inside.get_by_role("heading", name="Models")).to_be_visible()
    inside.go_back()
    is_right(inside, at, at)
    expect(tile(inside, at)).to_be_in_viewport()
    inside.set_viewport_size({"width": 700, "height": 900})
    expect(tile(inside, at)).to_be_in_viewport()


def test_keys_go_from_tile_to_tile(inside: Page, ids: dict[str, str]) -> None:
    inside.goto(f"/datasets/{ids['many']}")
    is_right(inside, 0, 0)
    columns = int(inside.get_by_role("grid").get_attribute("aria-colcount") or 0)
    tile(inside, 0).focus()
    assert inside.locator('.tile-link[tabindex="0"]').count() == 1
    for key, place in (
        ("ArrowRight", 1), ("ArrowDown", 1 + columns), ("ArrowLeft", columns), ("ArrowUp", 0), ("ArrowUp", 0),
        ("End", MANY - 1), ("ArrowRight", MANY - 1), ("ArrowUp", MANY - 1 - columns), ("ArrowDown", MANY - 1),
        ("Home", 0),
    ):  # fmt: skip
        inside.keyboard.press(key)
        expect(tile(inside, place)).to_be_focused()
        expect(tile(inside, place)).to_be_in_viewport()
    inside.keyboard.press("PageDown")
    inside.keyboard.press("PageDown")
    focused = inside.locator("[data-place]:focus")
    expect(focused).not_to_have_attribute("data-place", re.compile("^.?$"))
    expect(focused).to_be_in_viewport()
    inside.keyboard.press("PageUp")
    inside.keyboard.press("PageUp")
    expect(tile(inside, 0)).to_be_focused()
    few_tiles(inside)


def test_an_image_is_opened_and_left_with_keys_and_the_focus_comes_back(inside: Page, ids: dict[str, str]) -> None:
    inside.goto(f"/datasets/{ids['many']}?class=class_3")
    is_right(inside, 0, 3 * PER_CLASS)
    tile(inside, 0).focus()
    inside.keyboard.press("End")
    last = PER_CLASS - 1
    is_right(inside, last, 4 * PER_CLASS - 1)
    expect(tile(inside, last)).to_be_focused()
    inside.keyboard.press("Enter")
    expect(inside.get_by_role("heading", name=f"class_3/{4 * PER_CLASS - 1:06}.png")).to_be_visible()
    expect(inside.get_by_text("10,000 of 10,000", exact=True)).to_be_visible()
    expect(inside.get_by_role("link", name="Next image")).to_be_disabled()
    inside.keyboard.press("ArrowLeft")
    inside.keyboard.press("ArrowLeft")
    expect(inside.get_by_role("heading", name=f"class_3/{4 * PER_CLASS - 3:06}.png")).to_be_visible()
    expect(inside).to_have_url(re.compile(rf"/images/{4 * PER_CLASS - 3}\?class=class_3"))
    expect(inside.get_by_test_id("picture")).to_have_js_property("naturalWidth", WIDTH)
    inside.keyboard.press("Escape")
    expect(tile(inside, last)).to_be_focused()
    expect(tile(inside, last)).to_be_in_viewport()
    inside.go_forward()
    expect(inside.get_by_role("heading", name=f"class_3/{4 * PER_CLASS - 3:06}.png")).to_be_visible()
    inside.reload()
    inside.get_by_role("link", name="All images of class_3 in many").click()
    is_right(inside, last - 2, 4 * PER_CLASS - 3)
    expect(tile(inside, last - 2)).to_be_in_viewport()


def test_marks_on_tiles_can_be_switched_off_for_good(inside: Page, ids: dict[str, str]) -> None:
    inside.goto(f"/datasets/{ids['many']}?at=50000")
    place = 50_000
    is_right(inside, place, place)
    expect(tile(inside, place).locator("svg path")).to_have_count(3)
    inside.get_by_role("button", name="Marks").click()
    expect(tile(inside, place).locator("svg")).to_have_count(0)
    inside.reload()
    is_right(inside, place, place)
    expect(inside).to_have_url(re.compile("boxes=false"))
    expect(inside.get_by_role("button", name="Marks")).to_have_attribute("aria-pressed", "false")
    expect(tile(inside, place).locator("svg")).to_have_count(0)


# --- one image --------------------------------------------------------------------------------------------------------


def test_an_image_shows_what_is_marked_in_it(inside: Page, ids: dict[str, str]) -> None:
    inside.goto(f"/datasets/{ids['few']}/images/0")
    expect(inside.get_by_test_id("picture")).to_have_js_property("naturalWidth", WIDTH)
    marks = inside.get_by_test_id("mark")
    expect(marks).to_have_count(4)
    expect(marks.locator("circle")).to_have_count(2)
    facts = inside.get_by_role("region", name="About the image")
    for fact in ("320 × 240 px", "val", "class_0"):
        expect(facts).to_contain_text(fact)
    legend = inside.get_by_role("region", name="Marked in it")
    expect(legend.get_by_role("button")).to_have_text(
        [re.compile(r"^class_0\s*1"), re.compile(r"^class_1\s*2"), re.compile(r"^class_2\s*1")]
    )
    legend.get_by_role("button", name="class_1").hover()
    expect(inside.locator('[data-testid="mark"][data-lit="true"]')).to_have_count(2)
    legend.get_by_role("button", name="class_1").click()
    expect(marks).to_have_count(2)
    inside.reload()
    expect(legend.get_by_role("button", name="class_1")).to_have_attribute("aria-pressed", "false")
    expect(marks).to_have_count(2)
    legend.get_by_role("button", name="class_1").click()
    box = inside.locator('[data-testid="mark"][data-class="class_2"]').bounding_box()
    assert box
    inside.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(inside.locator('[data-testid="mark"][data-lit="true"]')).to_have_attribute("data-class", "class_2")


def test_an_image_is_zoomed_and_moved(inside: Page, ids: dict[str, str]) -> None:
    inside.goto(f"/datasets/{ids['few']}/images/0")
    picture, stage = inside.get_by_test_id("picture"), inside.get_by_role("group", name="Picture")
    zoom = inside.get_by_role("status", name="Zoom")
    expect(picture).to_have_js_property("naturalWidth", WIDTH)
    fit = zoom.inner_text()
    inside.keyboard.press("+")
    expect(zoom).not_to_have_text(fit)
    inside.keyboard.press("0")
    expect(zoom).to_have_text(fit)
    box = stage.bounding_box()
    assert box
    inside.mouse.move(box["x"] + 100, box["y"] + 100)
    inside.mouse.wheel(0, -600)
    expect(zoom).not_to_have_text(fit)
    assert inside.evaluate("scrollY") == 0, "the wheel is the picture's alone"
    before = picture.bounding_box()
    inside.mouse.down()
    inside.mouse.move(box["x"] + 60, box["y"] + 80, steps=3)
    inside.mouse.up()
    after = picture.bounding_box()
    assert before and after
    assert (round(after["x"] - before["x"]), round(after["y"] - before["y"])) == (-40, -20)
    inside.get_by_role("button", name="Show all of it").click()
    expect(zoom).to_have_text(fit)


def test_what_a_browser_cannot_show_is_previewed_and_said(inside: Page, ids: dict[str, str]) -> None:
    inside.goto(f"/datasets/{ids['few']}/images/1")
    expect(inside.get_by_text("Your browser cannot show this format")).to_be_visible()
    expect(inside.get_by_test_id("picture")).to_have_js_property("naturalWidth", WIDTH)
    expect(inside.get_by_test_id("picture")).to_have_attribute("src", re.compile("thumbnails"))
    expect(inside.get_by_role("region", name="Faults")).to_contain_text("Nothing to do here.")


def test_a_fault_leads_to_its_image_where_there_is_one(inside: Page, ids: dict[str, str]) -> None:
    inside.goto(f"/datasets/{ids['few']}?view=faults")
    expect(inside.get_by_text("class_0/gone.png")).to_be_visible()
    expect(inside.get_by_role("link", name="class_0/gone.png")).to_have_count(0)
    inside.get_by_role("link", name="class_0/scan.tif").click()
    expect(inside.get_by_role("heading", name="class_0/scan.tif")).to_be_visible()
    inside.go_back()
    expect(inside.get_by_text("class_0/gone.png")).to_be_visible()


def test_an_image_that_is_not_there_is_said_not_to_be(
    inside: Page, ids: dict[str, str], expected_errors: list[str]
) -> None:
    expected_errors.append("404")
    for n in ("100000", "x"):
        inside.goto(f"/datasets/{ids['many']}/images/{n}")
        expect(inside.get_by_text("Nothing here")).to_be_visible()


def test_versions_say_what_differs_and_lead_to_the_trainings(inside: Page, server: Server, ids: dict[str, str]) -> None:
    with Session(engine := database(server)) as session, session.begin():
        dataset, _ = add_dataset(session, "twice", 10, [])
        second = DatasetVersion(
            dataset_id=dataset.id, project_id=dataset.project_id, number=2, content_hash="d" * 64, split_hash="s",
            task_types=["detection"], image_count=14, train_count=11, val_count=3, size_bytes=9, statistics={},
            classes=[{"name": f"class_{i}", "total": 10, "train": 8, "val": 2} for i in range(1, CLASSES + 1)],
            report={"faults": []}, files=[],
        )  # fmt: skip
        session.add(second)
        session.flush()
        dataset.current_version_id = second.id
        dataset_id = dataset.id
    engine.dispose()
    inside.goto(f"/datasets/{dataset_id}?view=versions")
    row = inside.get_by_role("row", name="dddddddddddd")
    for said in ("Images +4, train +3, val +1", "New classes: class_10", "Classes gone: class_0"):
        expect(row).to_contain_text(said)
    inside.get_by_role("link", name="Trainings on this data set").click()
    expect(inside).to_have_url(re.compile(rf"/jobs\?dataset={dataset_id}"))


# --- live -------------------------------------------------------------------------------------------------------------


def test_the_list_sees_what_others_add_and_rests_in_a_hidden_tab(
    inside: Page, server: Server, ids: dict[str, str]
) -> None:
    inside.clock.install()
    asked: list[str] = []
    inside.on("request", lambda request: asked.append(request.url) if "/api/v1/datasets?" in request.url else None)
    inside.goto("/datasets")
    expect(inside.get_by_role("heading", name="many")).to_be_visible()
    engine = database(server)
    with Session(engine) as session, session.begin():
        add_dataset(session, "another's", 10, [])
    inside.clock.run_for(5_000)
    expect(inside.get_by_role("heading", name="another's")).to_be_visible()
    inside.evaluate("""() => {
        Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
        dispatchEvent(new Event("visibilitychange"));
    }""")
    inside.wait_for_load_state("networkidle")
    before = len(asked)
    inside.clock.run_for(60_000)
    inside.wait_for_load_state("networkidle")
    assert len(asked) == before
    with Session(engine) as session, session.begin():
        add_dataset(session, "one more", 10, [])
    engine.dispose()
    inside.evaluate("""() => {
        Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
        dispatchEvent(new Event("visibilitychange"));
    }""")
    expect(inside.get_by_role("heading", name="one more")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways(inside: Page, ids: dict[str, str], width: int, scheme: Any) -> None:
    inside.emulate_media(color_scheme=scheme)
    inside.set_viewport_size({"width": width, "height": 844})
    for path in ("?at=70000", "/images/99999", "?view=versions"):
        inside.goto(f"/datasets/{ids['many']}{path}")
        inside.wait_for_load_state("networkidle")
        assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
