"""Limits said in a sentence: how long, which checkpoints, how often again."""

from __future__ import annotations

import msgspec
import pytest
from chat_talk import Conversation, drafted

from visionai.chat.parser import parse
from visionai.chat.types import Context
from visionai.jobs.policy import Policy

HOUR = 3600.0

# what follows "train resnet18 on digits", and the limits of the draft
SAID: list[tuple[str, Policy]] = [
    ("for at most 2 hours", Policy(time_limit_seconds=2 * HOUR)),
    ("for up to two hours", Policy(time_limit_seconds=2 * HOUR)),
    (", time limit 90 minutes", Policy(time_limit_seconds=1.5 * HOUR)),
    (", time limit: 2h", Policy(time_limit_seconds=2 * HOUR)),
    ("with a 2-hour time limit", Policy(time_limit_seconds=2 * HOUR)),
    (", stop after 10 minutes", Policy(time_limit_seconds=600)),
    ("but stop it after 10 minutes", Policy(time_limit_seconds=600)),
    ("and stop the training after an hour", Policy(time_limit_seconds=HOUR)),
    ("within 1 hour", Policy(time_limit_seconds=HOUR)),
    ("no longer than 30 min", Policy(time_limit_seconds=1800)),
    (", at most 1 hour 30 minutes", Policy(time_limit_seconds=1.5 * HOUR)),
    (", time limit 90m", Policy(time_limit_seconds=1.5 * HOUR)),
    (", max 1h30m", Policy(time_limit_seconds=1.5 * HOUR)),
    ("for half an hour at most", Policy(time_limit_seconds=1800)),
    (", limit it to 90 min", Policy(time_limit_seconds=1.5 * HOUR)),
    (", keep a checkpoint every 5 epochs", Policy(keep_every=5)),
    (", save checkpoints every other epoch", Policy(keep_every=2)),
    ("and keep every 10th epoch", Policy(keep_every=10)),
    ("and keep every epoch", Policy(keep_every=1)),
    (", retry up to 5 times", Policy(max_retries=5)),
    (", retry twice", Policy(max_retries=2)),
    (", at most 3 retries", Policy(max_retries=3)),
    (", no retries", Policy(max_retries=0)),
    (", do not retry", Policy(max_retries=0)),
    (", keep a checkpoint every 2 epochs, stop after 1 minute", Policy(time_limit_seconds=60, keep_every=2)),
]
SAID_IN_KOREAN: list[tuple[str, Policy]] = [
    ("최대 2시간", Policy(time_limit_seconds=2 * HOUR)),
    ("최대 두 시간", Policy(time_limit_seconds=2 * HOUR)),
    ("1시간 30분 이내", Policy(time_limit_seconds=1.5 * HOUR)),
    ("시간 제한 90분", Policy(time_limit_seconds=1.5 * HOUR)),
    ("10분 뒤에 멈춰", Policy(time_limit_seconds=600)),
    ("10분 후에 중단해줘", Policy(time_limit_seconds=600)),
    ("5 에포크마다 체크포인트 저장", Policy(keep_every=5)),
    ("체크포인트는 5 에포크마다 보관", Policy(keep_every=5)),
    ("재시도 3번", Policy(max_retries=3)),
    ("최대 5회 재시도", Policy(max_retries=5)),
    ("재시도 없이", Policy(max_retries=0)),
]


@pytest.mark.parametrize(("text", "policy"), SAID)
def test_limits_are_part_of_the_draft(busy: Context, text: str, policy: Policy) -> None:
    for start in ("train resnet18 on digits", "train resnet18 on digits for 3 epochs"):
        reply = parse(f"{start} {text}", busy)
        assert reply.draft and reply.draft.policy == policy
        assert (reply.action, reply.errors) == ("confirm", [])
        assert reply.draft.config == ({"epochs": 3} if "epochs" in start else {})
        assert "Limits: " in reply.message


@pytest.mark.parametrize(("text", "policy"), SAID_IN_KOREAN)
def test_limits_in_korean(busy: Context, text: str, policy: Policy) -> None:
    reply = parse(f"digits로 resnet18 3 에포크 학습해줘, {text}", busy)
    assert reply.draft and (reply.draft.policy, reply.draft.config) == (policy, {"epochs": 3})
    assert (reply.action, reply.errors, "제한: " in reply.message) == ("confirm", [], True)


def test_all_limits_are_said_and_changed_one_by_one(busy: Context) -> None:
    chat = Conversation(busy)
    first = chat.say(
        "train resnet18 on digits for at most 90 minutes, keep a checkpoint every 5 epochs, retry up to 2 times"
    )
    assert "Limits: at most 1 h 30 min, a checkpoint kept every 5 epochs, retries: at most 2." in first.message
    policies = [
        reply.draft.policy
        for text in (
            "time limit 3 hours instead",
            "no time limit",
            "no retries",
            "keep only the last and best checkpoint",
        )
        if (reply := chat.say(text)).draft
    ]
    assert policies == [
        Policy(time_limit_seconds=3 * HOUR, keep_every=5, max_retries=2), Policy(keep_every=5, max_retries=2),
        Policy(keep_every=5, max_retries=0), Policy(max_retries=0),
    ]  # fmt: skip
    started = chat.say("yes")
    assert started.action == "start" and started.draft and started.draft.policy == Policy(max_retries=0)


def test_no_limit_is_said_where_none_is_left(busy: Context) -> None:
    chat = Conversation(busy)
    chat.say("train resnet18 on digits for at most 2 hours")
    reply = chat.say("remove the time limit")
    assert (reply.draft and reply.draft.policy, "Limits" in reply.message) == (None, False)


# the bounds are those of the API
REFUSED = [
    ("stop after 30 seconds", "policy.time_limit_seconds", "at least 1 min"),
    ("keep a checkpoint every 0 epochs", "policy.keep_every", "at least 1"),
    ("keep a checkpoint every 2.5 epochs", "policy.keep_every", "at least 1"),
    ("retry 500 times", "policy.max_retries", "at most 100"),
]


@pytest.mark.parametrize(("text", "field", "said"), REFUSED)
def test_a_limit_out_of_bounds_is_refused_with_them(busy: Context, text: str, field: str, said: str) -> None:
    reply = parse(f"train resnet18 on digits, {text}", busy)
    assert drafted(reply) == ("digits", "resnet18", {}) and reply.draft and reply.draft.policy is None
    assert [error.field for error in reply.errors] == [field]
    assert f"“{text}” was not taken" in reply.message and said in reply.message


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("and stop it if it overfits", "stop it if it overfits"),
        ("but stop after 5 epochs without improvement", "stop after 5 epochs without improvement"),
        ("for 2 hours", "2 hours"),
        (", time limit", "time limit"),
    ],
)
def test_what_is_no_limit_is_named_and_cancels_nothing(busy: Context, text: str, left: str) -> None:
    reply = parse(f"train resnet18 on digits for 20 epochs {text}", busy)
    assert (reply.action, drafted(reply)) == ("confirm", ("digits", "resnet18", {"epochs": 20}))
    assert f"left out: “{left}”" in reply.message


@pytest.mark.parametrize("text", ["stop the training after 10 minutes", "stop it in 10 minutes", "10분 뒤에 멈춰"])
def test_a_running_training_gets_no_limit_by_the_chat_and_that_is_said(busy: Context, text: str) -> None:
    reply = parse(text, busy)
    assert (reply.action, reply.draft, reply.pending) == ("none", None, None)
    assert "Nothing is changed" in reply.message or "바뀐 것은 없습니다" in reply.message


@pytest.mark.parametrize("text", ["don't stop after 10 minutes", "10분 뒤에 멈추지 마"])
def test_not_to_stop_after_a_time_is_no_limit(busy: Context, text: str) -> None:
    assert (parse(text, busy).action, parse(text, busy).draft) == ("none", None)


def test_limits_of_the_second_training_go_with_it(busy: Context) -> None:
    reply = parse("train resnet18 on digits within 1 hour, then train resnet34 on flowers within 2 hours", busy)
    assert reply.draft and reply.draft.policy == Policy(time_limit_seconds=HOUR)
    assert "“train resnet34 on flowers within 2 hours”" in reply.message


def test_a_name_that_looks_like_a_limit_is_none(busy: Context) -> None:
    digits = msgspec.structs.replace(busy.datasets[0], name="at most 2 hours")
    reply = parse('train resnet18 on "at most 2 hours"', msgspec.structs.replace(busy, datasets=[digits]))
    assert reply.draft and (reply.draft.dataset_name, reply.draft.policy) == ("at most 2 hours", None)
