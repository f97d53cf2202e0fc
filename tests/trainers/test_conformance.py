"""The conformance suite itself: it passes a trainer in shell and curl, and fails six that are each wrong in one way.

The trainers are real processes on real HTTP. Those that are wrong are one small program that learns nothing and breaks
the one promise that its first argument names.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from visionai.trainers import conformance
from visionai.trainers.conformance import CASES, Options, Result

SHELL = Path(__file__).parents[2] / "examples" / "trainers" / "shell.sh"
WRONG = Path(__file__).with_name("wrong_trainer.py")

pytestmark = pytest.mark.process


def check(*command: str, cases: set[str] | None = None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Result]:
    if cases is not None:
        monkeypatch.setattr(conformance, "CASES", {name: CASES[name] for name in CASES if name in cases})
    return {result.case: result for result in conformance.check(Options(list(command), timeout=60))}


def test_a_trainer_in_shell_and_curl_keeps_the_contract(monkeypatch):
    assert shutil.which("curl"), "install curl: it is half of this trainer"
    found = check("sh", str(SHELL), monkeypatch=monkeypatch)
    assert {case: result.broken for case, result in found.items()} == {case: [] for case in CASES}


def test_the_small_program_is_right_when_it_is_told_to_break_nothing(monkeypatch):
    found = check(sys.executable, str(WRONG), "nothing", monkeypatch=monkeypatch)
    assert {case: result.broken for case, result in found.items()} == {case: [] for case in CASES}


def test_a_program_that_does_not_exist_is_said_and_not_tried(capsys):
    with pytest.raises(SystemExit) as left:
        conformance.main(["--", "no-such-program"])
    assert left.value.code == 2
    assert "no-such-program is no program that can be started here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("breaks", "cases", "caught_in", "words"),
    [
        ("begins-anew", {"stop-by-answer", "resume"}, "resume", "finished epochs"),
        ("never-stops", {"stop-by-answer"}, "stop-by-answer", "was asked to stop after epoch 1"),
        ("gives-up", {"server-away"}, "server-away", "without done"),
        ("done-too-early", {"happy"}, "happy", "before its files are complete"),
        ("never-leaves", {"attempt-ended"}, "attempt-ended", "after 409"),
        ("believes-anything", {"damaged-files"}, "damaged-files", "SHA-256 is wrong"),
    ],
)
def test_a_trainer_that_is_wrong_in_one_way_is_caught(monkeypatch, breaks, cases, caught_in, words):
    found = check(sys.executable, str(WRONG), breaks, cases=cases, monkeypatch=monkeypatch)
    assert [case for case, result in found.items() if result.broken] == [caught_in]
    assert any(words in line for line in found[caught_in].broken), found[caught_in].broken


def test_what_it_says_is_for_people_and_for_scripts(monkeypatch, capsys):
    monkeypatch.setattr(conformance, "CASES", {"happy": CASES["happy"]})
    wrong = ["--", sys.executable, str(WRONG), "done-too-early"]
    assert conformance.main(wrong) == 1
    assert "0 kept, 1 broken" in capsys.readouterr().out
    assert conformance.main(["--json", *wrong]) == 1
    assert json.loads(capsys.readouterr().out)["broken"] == 1
    assert conformance.main(["--", sys.executable, str(WRONG), "nothing"]) == 0
