"""What holds for every text."""

from __future__ import annotations

import string

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from visionai.chat.parser import parse
from visionai.chat.sentences import MESSAGES
from visionai.chat.types import MAX_CHARS, Context, Draft, JobChoice, Reply
from visionai.chat.words import squash
from visionai.trainers.contract import validate_config

# Words the grammar knows, so that random sentences get deep into it.
VOCABULARY = """
    train resnet18 resnet test_vit on digits flowers zoo broken blood cells yolo11n with batch size epochs lr learning
    rate half double more fewer by to = : , . and no not without yes ok start stop cancel list what models datasets job
    status help default preset quick adamw sgd cosine augmentation strong none off 0 1 2 3 64 -5 1e-3 50% 2x 10k 224px
    99999999999999999999 first last another model dataset change call it classify detection find "zoo" timm ultralytics
    early stopping mixed precision then train make it that three how long would why delete upload download the model
    failed accuracy last time less than 5M parameters small fast drop seed pretrained tain resnt18 digts epocs thanks
    all everything second one explain running queue
    don't never stop after 10 minutes 2 hours time limit at most keep a checkpoint every retry times retries within
    학습 취소 네 아니요 시작하지마 에포크 배치 절반으로 데이터 꽃 사진 을 로 다섯번 왜 실패
"""
sentences = st.lists(st.sampled_from(VOCABULARY.split()), max_size=25).map(" ".join)
texts = st.one_of(sentences, st.text(max_size=200), st.text(string.printable, max_size=200))
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def following(context: Context, reply: Reply) -> Context:
    draft = None if reply.action == "start" else reply.draft
    return msgspec.structs.replace(context, draft=draft, pending=reply.pending, choices=reply.choices)


@settings(relaxed, max_examples=400)
@given(st.lists(texts, max_size=6))
def test_no_conversation_breaks_a_draft_or_starts_a_wrong_one(both: Context, turns: list[str]) -> None:
    context = both
    for text in turns:
        reply = parse(text, context)
        assert reply.message
        if reply.draft is not None:
            check_draft(reply.draft, both)
        if reply.action == "start":
            check_start(reply, context)
        context = following(context, reply)


def check_draft(draft: Draft, context: Context) -> None:
    framework = next((f for f in context.frameworks if f.framework == draft.framework), None)
    if framework is None:
        assert draft.config == {}
    else:
        assert set(draft.config) <= set(framework.schema["properties"])
        assert validate_config(framework.schema, draft.config) == []
    assert (draft.dataset_id is None) == (draft.dataset_name is None)


def check_start(reply: Reply, context: Context) -> None:
    draft = reply.draft
    assert draft is not None and draft == context.draft and context.pending == "confirm"
    dataset = next(d for d in context.datasets if d.id == draft.dataset_id)
    framework = next(f for f in context.frameworks if f.framework == draft.framework)
    assert dataset.status == "ready" and draft.task_type in dataset.task_types
    assert framework.status == "ready" and draft.task_type in framework.tasks and draft.model_name in framework.models


@relaxed
@given(
    st.builds(
        Draft, st.sampled_from([None, "d1", "d4", "d6", "d7", "gone"]), st.just("x"),
        st.sampled_from([None, "classification", "detection", "pose"]),
        st.sampled_from([None, "timm", "ultralytics", "other"]), st.sampled_from([None, "resnet18", "yolo11n", "nope"]),
        st.sampled_from([{}, {"epochs": 3}, {"epochs": 0}, {"nonsense": 1}]),
    ),
    st.sampled_from(["yes", "ok go", "start", "네", "시작해줘"]),
)  # fmt: skip
def test_yes_never_starts_a_draft_that_is_incomplete_or_wrong(both: Context, draft: Draft, yes: str) -> None:
    reply = parse(yes, msgspec.structs.replace(both, draft=draft, pending="confirm"))
    right = (draft.dataset_id, draft.task_type, draft.framework, draft.model_name) in (
        ("d1", "classification", "timm", "resnet18"),
        ("d4", "detection", "ultralytics", "yolo11n"),
    )
    assert (reply.action == "start") == (right and draft.config in ({}, {"epochs": 3}))


@pytest.mark.parametrize("pending", [None, "dataset_id", "model_name", "task_type", "cancel", "show"])
def test_yes_starts_nothing_that_was_not_shown(project: Context, pending: str | None) -> None:
    draft = Draft("d1", "digits", "classification", "timm", "resnet18")
    assert parse("yes", msgspec.structs.replace(project, draft=draft, pending=pending)).action != "start"


absolute_edits = st.lists(
    st.one_of(
        st.integers(-5, 5000).map(lambda n: f"{n} epochs"),
        st.integers(0, 9000).map(lambda n: f"batch size {n}"),
        st.floats(0, 20, allow_nan=False).map(lambda x: f"lr {x:g}"),
        st.sampled_from(["adamw", "optimizer sgd", "no augmentation", "strong augmentation", "mixed precision off"]),
        st.sampled_from(
            ["on digits", "on flowers", "use resnet18", "use test_vit", "quick preset", "blood cells data"]
        ),
    ),
    min_size=1,
    max_size=5,
).map(", ".join)


@relaxed
@given(absolute_edits)
def test_saying_it_again_changes_nothing(project: Context, text: str) -> None:
    once = parse(text, project)
    twice = parse(text, following(project, once))
    assert twice.draft == once.draft


@relaxed
@given(st.integers(1, 1000), st.integers(1, 4096), st.floats(1e-6, 9.9))
def test_numbers_arrive_as_they_were_written(project: Context, epochs: int, batch: int, rate: float) -> None:
    reply = parse(f"train resnet18 on digits, {epochs} epochs, batch size {batch}, lr {rate!r}", project)
    assert reply.draft and reply.draft.config == {"epochs": epochs, "batch_size": batch, "learning_rate": rate}


PATTERNS = [
    '"', "'a ", "a", "9", "9e", "1 ", "0,", "1x", "x ", "lr ", "lr to ", "to ", "half ", "no ", "-", ".", "a_",
    "batch_",
    "학습", "학 ", "on zork, ", "with zork, ", "resnet18 ", "resnet1 ", "digits and ", "ﷺ", "🌸", "\x00", " ", "\n",
    "call it ",
    "1h ", "1 h and ", "stop after 1 minute ", "stop ", "keep every ", "max ", "retry once ", "no ", "don't stop ",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_longest_message_of_one_pattern_is_answered(both: Context, pattern: str) -> None:
    """Would hang, not fail, on a pattern with catastrophic backtracking or a quadratic loop over names."""
    text = (pattern * MAX_CHARS)[:MAX_CHARS]
    for pending in (None, "dataset_id", "model_name"):
        assert parse(text, msgspec.structs.replace(both, pending=pending)).message


def test_every_sentence_exists_in_both_languages_with_the_same_gaps() -> None:
    gaps = string.Formatter().parse
    for key, texts_of in MESSAGES.items():
        fields = {language: {name for _, name, _, _ in gaps(text) if name} for language, text in texts_of.items()}
        assert set(texts_of) == {"en", "ko"}, key
        assert fields["en"] == fields["ko"], key


@given(st.text(string.ascii_letters + string.digits, min_size=1), st.sampled_from([" ", "-", "_", ".", "/"]))
def test_names_match_whatever_their_case_and_separators(text: str, separator: str) -> None:
    assert squash(separator.join(text).upper()) == squash(text)


def test_user_text_is_never_a_format_string(project: Context) -> None:
    jobs = [JobChoice("j", "{0} {evil}", "running", "digits", "resnet18")]
    reply = parse('train "{model.__class__}" on {0}', msgspec.structs.replace(project, jobs=jobs))
    assert reply.message
