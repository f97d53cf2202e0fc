"""Every page in each theme and width, with what may be there pair by pair: no error, no violation, nothing cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from looking import Looker, looking
from matrix import PAGES, Case, selection
from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.process]

CASES = selection()
ROUTES = Path(__file__).parents[2] / "ui/src/router.tsx"


@pytest.fixture(scope="module")
def looker(browser: Browser) -> Iterator[Looker]:
    with looking(browser) as looker:
        looker.prepare(CASES)
        yield looker


@pytest.fixture(autouse=True)
def nothing_goes_wrong() -> None:
    """The looker says it itself, of pages that several tests share."""


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nothing_is_wrong_with(case: Case, looker: Looker) -> None:
    findings = looker.findings(looker.go(case), case)
    assert not findings, "\n".join(findings)


def test_every_route_is_in_the_matrix() -> None:
    routes = set(re.findall(r'path: "(/[^"]*)"', ROUTES.read_text()))
    looked_at = {re.sub(r"\{\w+\}", "$", look.path.partition("?")[0].partition("#")[0]) for look in PAGES}
    assert {re.sub(r"\$\w+", "$", route) for route in routes} <= looked_at
