"""Stopping a training by saying so: confirmed first, and never by a "do not" or a question."""

from __future__ import annotations

import msgspec
import pytest
from chat_talk import Conversation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from visionai.chat.parser import parse
from visionai.chat.types import Choice, Context, Draft, JobChoice
from visionai.chat.vocabulary import LEXICON
from visionai.chat.words import has_hangul

SLOW = JobChoice("s", "slow on digits", "running", "digits", "test_resnet", epoch=3, total_epochs=20)
VERBS = sorted(word for word, (kind, _) in LEXICON.items() if kind == "cancel")
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def slow(project: Context) -> Context:
    return msgspec.structs.replace(project, jobs=[SLOW, project.jobs[1]])


@pytest.fixture
def asked(slow: Context) -> Context:
    """Whether to stop it has just been asked."""
    reply = parse("stop slow", slow)
    assert (reply.action, reply.pending, reply.job_id) == ("ask", "confirm_cancel", None)
    assert reply.message == "Stop slow on digits? It is at epoch 3 of 20. Say “yes” to stop it."
    return msgspec.structs.replace(slow, pending=reply.pending, choices=reply.choices)


NOT_TO_STOP = [
    "do not stop the training",
    "don't cancel it",
    "don’t cancel it",
    "dont cancel it",
    "dnot cancel it",
    "please don't stop slow",
    "never stop the training",
    "you must not kill slow",
    "I don't want you to stop it",
    "do not, under any circumstances, stop the training",
    "stop it. No, don't",
    "no need to stop it",
    "cancel nothing",
    "do not start over",
    "train longer instead of stopping",
    "취소하지 마",
    "취소하지마",
    "멈추지 마세요",
    "학습을 멈추지 말아 줘",
    "취소하면 안 돼",
    "취소 말고 계속해",
    "아직 안 멈춰도 돼",
    "절대 중단하지 마",
]


@pytest.mark.parametrize("text", NOT_TO_STOP)
@pytest.mark.parametrize("fixture", ["slow", "asked"])
def test_who_says_not_to_stop_it_is_told_that_nothing_is_stopped(
    request: pytest.FixtureRequest, fixture: str, text: str
) -> None:
    reply = parse(text, request.getfixturevalue(fixture))
    assert (reply.action, reply.pending) == ("none", None)
    assert reply.message in (
        "Nothing is stopped: slow on digits goes on.",
        "아무것도 중단하지 않았습니다. slow on digits 학습은 계속됩니다.",
    )


QUESTIONS = [
    ("should I stop the training?", "say “stop slow on digits”"),
    ("should i stop the training", "say “stop slow on digits”"),
    ("can I cancel a training?", "say “stop slow on digits”"),
    ("how do I cancel the training?", "say “stop slow on digits”"),
    ("tell me how to stop it", "say “stop slow on digits”"),
    ("what happens if I stop it", "say “stop slow on digits”"),
    ("stop slow?", "say “stop slow on digits”"),
    ("why did you stop the training?", "No training has been stopped. slow on digits: running, epoch 3 of 20"),
    ("학습을 멈춰도 되나요?", "“slow on digits 중단”"),
    ("학습을 멈춰도 되나요", "“slow on digits 중단”"),
    ("어떻게 취소해?", "“slow on digits 중단”"),
    ("왜 멈췄어?", "중단된 학습이 없습니다"),
]


@pytest.mark.parametrize(("text", "said"), QUESTIONS)
@pytest.mark.parametrize("fixture", ["slow", "asked"])
def test_a_question_about_stopping_is_answered(
    request: pytest.FixtureRequest, fixture: str, text: str, said: str
) -> None:
    reply = parse(text, request.getfixturevalue(fixture))
    assert (reply.action, reply.job_id, reply.pending) == ("show", "s", None)
    assert said in reply.message


def test_why_it_was_stopped_is_told_of_the_one_that_was(slow: Context) -> None:
    stopped = JobChoice("c", "fast on digits", "cancelled", "digits", "resnet18", reason="Cancelled by Ada.")
    reply = parse("why did you stop the training?", msgspec.structs.replace(slow, jobs=[SLOW, stopped]))
    assert (reply.job_id, "Cancelled by Ada." in reply.message) == ("c", True)


WISHES = [
    "stop it", "cancel the training", "kill slow", "halt", "abort the digits job", "can you stop the training?",
    "could you please stop it", "no, stop it", "it does not learn, stop it", "wait, stop it", "please terminate slow",
    "학습 취소해줘", "slow 중단해줘", "멈춰", "취소해 줄 수 있어?", "학습이 안 돼, 취소해줘",
]  # fmt: skip


@pytest.mark.parametrize("text", WISHES)
def test_a_wish_to_stop_is_confirmed_first(slow: Context, text: str) -> None:
    chat = Conversation(slow)
    reply = chat.say(text)
    assert (reply.action, reply.pending, reply.choices[0].value) == ("ask", "confirm_cancel", "s")
    done = chat.say("yes")
    assert (done.action, done.job_id, done.pending) == ("cancel", "s", None)


@pytest.mark.parametrize(
    "text",
    ["yes", "Yes, please", "ok", "stop it now", "yes, stop it", "stop slow", "do it", "s", "Stop slow on digits", "네",
     "응 중단해", "그래"],
)  # fmt: skip
def test_a_plain_yes_or_the_wish_said_again_stops_it(asked: Context, text: str) -> None:
    reply = parse(text, asked)
    assert (reply.action, reply.job_id) == ("cancel", "s")


@pytest.mark.parametrize(
    "text",
    ["no", "no, don't", "not yet", "let it run", "keep it running", "go on", "아니요", "아니, 하지 마", "계속해"],
)
def test_a_no_lets_it_run(asked: Context, text: str) -> None:
    reply = parse(text, asked)
    assert (reply.action, reply.pending) == ("none", None)
    assert reply.message.startswith(("Nothing is stopped", "아무것도 중단하지 않았습니다"))


@pytest.mark.parametrize(
    "text", ["thanks", "list my datasets", "how is it going?", "yes?", "start it", "continue", "train", "x" * 9000]
)
def test_any_other_message_drops_the_question(asked: Context, text: str) -> None:
    chat = Conversation(asked)
    first = chat.say(text)
    assert (first.action != "cancel", first.pending != "confirm_cancel") == (True, True)
    assert chat.say("yes").action != "cancel"


def test_another_training_is_asked_about_anew(asked: Context) -> None:
    fast = JobChoice("f", "fast on flowers", "running", "flowers", "resnet18")
    chat = Conversation(msgspec.structs.replace(asked, jobs=[SLOW, fast]))
    assert chat.say("no, stop the flowers one").choices[0].value == "f"


def test_a_training_that_ended_or_vanished_meanwhile_is_not_stopped(asked: Context) -> None:
    ended = msgspec.structs.replace(SLOW, state="completed")
    reply = parse("yes", msgspec.structs.replace(asked, jobs=[ended]))
    assert (reply.action, "ended in the meantime" in reply.message) == ("show", True)
    gone = parse("yes", msgspec.structs.replace(asked, jobs=[]))
    assert (gone.action, "does not exist any more" in gone.message) == ("none", True)


def test_the_draft_lives_through_it(slow: Context) -> None:
    chat = Conversation(slow)
    draft = chat.say("train resnet18 on digits").draft
    assert chat.say("stop slow").draft == chat.say("yes").draft == draft
    assert chat.say("yes").action == "confirm"
    assert chat.say("don't cancel").draft == draft


NEGATIONS = [
    "do not", "don't", "don’t", "dont", "never", "cannot", "must not", "mustn't", "shouldn’t", "please do not",
    "you shouldn't", "I don't want to", "don't ever", "no need to", "dotn", "donot",
]  # fmt: skip
KOREAN = [word for word in VERBS if has_hangul(word)]
negated = st.one_of(
    st.tuples(
        st.sampled_from(["", "please", "ok,", "hey", "yes,", "so"]), st.sampled_from(NEGATIONS),
        st.sampled_from([word for word in VERBS if not has_hangul(word)]),
        st.sampled_from(["", "it", "slow", "the training", "slow on digits", "everything", "the first one", "now"]),
    ).map(" ".join),
    st.tuples(
        st.sampled_from(["", "학습 ", "slow ", "절대 "]), st.sampled_from(KOREAN),
        st.sampled_from(["하지 마", "하지마세요", "지 마", "지 말아줘", "하면 안 돼", "하지 않을래", " 말고"]),
    ).map("".join),
)  # fmt: skip
drafts = st.sampled_from([None, Draft("d1", "digits", "classification", "timm", "resnet18")])
pendings = st.sampled_from([None, "confirm", "cancel", "show", "confirm_cancel", "dataset_id", "config.epochs"])


def being(slow: Context, pending: str | None, draft: Draft | None) -> Context:
    return msgspec.structs.replace(slow, pending=pending, draft=draft, choices=[Choice("slow on digits", "s")])


@settings(relaxed, max_examples=500)
@given(negated, pendings, drafts)
def test_no_negation_stops_anything(slow: Context, text: str, pending: str | None, draft: Draft | None) -> None:
    reply = parse(text, being(slow, pending, draft))
    assert reply.action in ("none", "show")
    assert (reply.pending != "confirm_cancel", reply.draft) == (True, draft)


wording = st.one_of(
    st.lists(
        st.sampled_from([*VERBS, *NEGATIONS, "yes", "it", "slow", "s", "네", "now", "why", "you"]), max_size=6
    ).map(" ".join),
    st.text(max_size=40),
)


@settings(relaxed, max_examples=500)
@given(wording, st.sampled_from(["?", " ?", "？", "?!", "??"]), pendings, drafts)
def test_no_question_stops_anything(
    slow: Context, text: str, mark: str, pending: str | None, draft: Draft | None
) -> None:
    assert parse(text + mark, being(slow, pending, draft)).action != "cancel"


@settings(relaxed, max_examples=500)
@given(wording, pendings.filter(lambda pending: pending != "confirm_cancel"), drafts)
def test_nothing_is_stopped_that_was_not_asked_about(
    slow: Context, text: str, pending: str | None, draft: Draft | None
) -> None:
    assert parse(text, being(slow, pending, draft)).action != "cancel"
