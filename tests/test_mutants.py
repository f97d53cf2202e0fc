"""The mutants fit the code: what they take out is still there, and so is the test that is to notice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from mutants import MUTANTS, Mutant  # noqa: E402


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.takes_out)
def test_what_it_takes_out_is_there_once(mutant: Mutant) -> None:
    assert (ROOT / "src/visionai" / mutant.file).read_text().count(mutant.old) == 1
    file, _, test = mutant.test.partition("::")
    assert not test or f"def {test.partition('[')[0]}(" in (ROOT / file).read_text()
