"""Several turns: what is missing is asked for, one question at a time, and answers are understood."""

from __future__ import annotations

import msgspec
import pytest
from chat_talk import Conversation, values, with_datasets

from visionai.chat.parser import parse
from visionai.chat.types import Context, DatasetChoice, Draft, FrameworkChoice, JobChoice


def with_framework(context: Context, framework: FrameworkChoice) -> Context:
    return msgspec.structs.replace(context, frameworks=[framework])


def test_the_demo(project: Context) -> None:
    chat = Conversation(project)
    shown = chat.say("train test_resnet on digits for 3 epochs")
    assert (shown.action, shown.missing_fields, shown.errors) == ("confirm", [], [])
    started = chat.say("yes")
    assert started.action == "start"
    assert started.draft == Draft("d1", "digits", "classification", "timm", "test_resnet", {"epochs": 3})


def test_missing_fields_are_asked_for_one_by_one(both: Context) -> None:
    chat = Conversation(both)
    first = chat.say("train a model")
    assert (first.action, first.pending, first.missing_fields) == (
        "ask", "dataset_id", ["dataset_id", "task_type", "model_name"],
    )  # fmt: skip
    second = chat.say("digits")
    assert (second.pending, second.missing_fields) == ("model_name", ["model_name"])
    assert values(second)[0] == "resnet18"
    assert chat.say("the second one").draft == Draft("d1", "digits", "classification", "timm", "mobilenetv3_small_100")


def test_the_task_is_asked_for_only_where_it_is_open(both: Context) -> None:
    cells = DatasetChoice("x", "cells", "ready", ["detection", "segmentation"], 3, 100)
    chat = Conversation(with_datasets(both, cells))
    asked = chat.say("train on cells")
    assert (asked.pending, values(asked)) == ("task_type", ["detection", "segmentation"])
    answered = chat.say("segmentation")
    assert answered.draft and answered.draft.task_type == "segmentation"
    assert answered.pending == "model_name"


@pytest.mark.parametrize(
    "answer", ["2", "number 2", "2.", "#2", "the second one", "flowers", "Flowers", "d2", "2번", "두 번째"]
)
def test_a_question_is_answered_by_name_by_number_or_by_position(project: Context, answer: str) -> None:
    chat = Conversation(project)
    chat.say("train")
    reply = chat.say(answer)
    assert reply.draft and reply.draft.dataset_name == "flowers"


def test_a_number_that_is_no_choice_is_refused_and_the_question_stays(project: Context) -> None:
    chat = Conversation(project)
    asked = chat.say("train")
    for answer in ("9", "0"):
        reply = chat.say(answer)
        assert (reply.action, reply.pending, values(reply)) == ("ask", "dataset_id", values(asked))
        assert "from 1 to 4" in reply.message


def test_a_question_is_kept_through_a_look_at_something_else(project: Context) -> None:
    chat = Conversation(project)
    chat.say("train")
    chat.say("list my datasets")
    chat.say("how is my training going?")
    reply = chat.say("1")
    assert reply.draft and reply.draft.dataset_name == "digits"


def test_numbers_count_in_what_was_shown_even_if_a_data_set_came_in_between(project: Context) -> None:
    chat = Conversation(project)
    chat.say("train")
    newer = DatasetChoice("d0", "newest", "ready", ["classification"], 2, 10)
    chat.context = with_datasets(chat.context, newer, *chat.context.datasets)
    reply = chat.say("1")
    assert reply.draft and reply.draft.dataset_name == "digits"


def test_two_data_sets_of_one_name_are_asked_about(project: Context) -> None:
    twins = [DatasetChoice(i, "pets", "ready", ["classification"], 2, n) for i, n in (("p1", 10), ("p2", 20))]
    chat = Conversation(with_datasets(project, *twins))
    asked = chat.say("train resnet18 on pets, 5 epochs")
    assert (asked.pending, values(asked)) == ("dataset_id", ["p1", "p2"])
    reply = chat.say("2")
    assert reply.draft == Draft("p2", "pets", "classification", "timm", "resnet18", {"epochs": 5})


def test_part_of_a_name_is_enough_where_it_fits_one(project: Context) -> None:
    reply = parse("train resnet18 on blood", project)
    assert reply.draft and reply.draft.dataset_name == "blood cells"


def test_the_longest_name_wins(project: Context) -> None:
    names = ["cats", "cats and dogs", "cats and dogs v2"]
    datasets = [DatasetChoice(name, name, "ready", ["classification"], 2, 10) for name in names]
    reply = parse("train resnet18 on cats and dogs", with_datasets(project, *datasets))
    assert reply.draft and reply.draft.dataset_name == "cats and dogs"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train", "train resnet18 on train"),
        ("batch", "train resnet18 on batch with batch 64"),
        ("2024", "train resnet18 on 2024"),
        ("3 epochs", 'train resnet18 on "3 epochs"'),
        ("Blood cells: v2 (2024)", "train resnet18 on blood cells: v2 (2024), 3 epochs"),
        ("données d'été", "train resnet18 on données d'été"),
        ("写真", "train resnet18 on 写真"),
        ("🌸🌸", "train resnet18 on 🌸🌸"),
        ("강아지 고양이", "강아지 고양이로 resnet18 학습"),
    ],
)
def test_names_that_are_words_numbers_or_any_script(project: Context, name: str, text: str) -> None:
    reply = parse(text, with_datasets(project, DatasetChoice("x", name, "ready", ["classification"], 2, 10)))
    assert reply.draft and reply.draft.dataset_name == name


def test_an_unknown_model_gets_the_closest_names(project: Context) -> None:
    chat = Conversation(project)
    reply = chat.say("train resnet99 on digits")
    assert "no model called “resnet99”" in reply.message
    assert reply.pending == "model_name" and "resnet50" in values(reply)
    assert reply.draft and reply.draft.model_name is None


def test_a_family_of_models_is_asked_about(project: Context) -> None:
    reply = parse("fine-tune a vit on flowers", project)
    assert reply.pending == "model_name"
    assert values(reply) == ["vit_small_patch16_224", "vit_tiny_patch16_224", "vit_base_patch16_224"]


def test_an_unknown_data_set_gets_the_closest_names(project: Context) -> None:
    reply = parse("train resnet18 on didgitses", project)
    assert "no data set called “didgitses”" in reply.message
    assert (reply.pending, values(reply)) == ("dataset_id", ["d1"])


def test_a_data_set_that_is_still_read_is_kept_and_cannot_start(project: Context) -> None:
    chat = Conversation(project)
    shown = chat.say("train resnet18 on zoo")
    assert "still being checked" in shown.message
    assert chat.say("yes").action == "confirm"


def test_a_broken_data_set_is_refused_and_another_asked_for(project: Context) -> None:
    reply = parse("train resnet18 on broken", project)
    assert "The archive holds no images. Zip the folder with them." in reply.message
    assert (reply.pending, "d7" in values(reply)) == ("dataset_id", False)
    assert reply.draft and reply.draft.dataset_id is None


def test_without_any_data_set_the_way_to_one_is_said(project: Context) -> None:
    reply = parse("train resnet18", with_datasets(project))
    assert "Upload one first" in reply.message


def test_a_task_nothing_installed_does_is_said_not_guessed(project: Context) -> None:
    reply = parse("find defects in these photographs", project)
    assert (reply.action, reply.draft) == ("none", None)
    assert "No installed trainer does detection yet" in reply.message


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("find blood cells in these photographs", "detection"),
        ("detect blood cells", "detection"),
        ("count the blood cells", "detection"),
        ("locate blood cells", "detection"),
        ("classify digits", "classification"),
        ("tell apart flowers", "classification"),
        ("sort the flowers", "classification"),
        ("blood cells 세포를 찾아줘", "detection"),
        ("꽃 사진 구분해줘", "classification"),
    ],
)
def test_the_task_follows_from_the_verb(both: Context, text: str, task: str) -> None:
    reply = parse(text, both)
    assert reply.draft and reply.draft.task_type == task


def test_labels_that_do_not_allow_the_task_are_said(both: Context) -> None:
    chat = Conversation(both)
    reply = chat.say("detect things in digits")
    assert "labelled for classification, not for detection" in reply.message
    assert (reply.pending, values(reply)) == ("task_type", ["classification"])
    assert chat.say("yes").pending == "model_name"


def test_another_trainer_takes_the_settings_along_under_its_own_names(both: Context) -> None:
    chat = Conversation(both)
    chat.say("train resnet18 on digits, batch 8, lr 0.02, sgd")
    reply = chat.say("use blood cells and yolo11n instead")
    assert reply.draft == Draft("d4", "blood cells", "detection", "ultralytics", "yolo11n", {"batch": 8, "lr0": 0.02})
    assert "optimizer" in reply.message


def test_an_installing_trainer_keeps_the_draft_and_starts_later(project: Context) -> None:
    ready = project.frameworks[0]
    chat = Conversation(with_framework(project, msgspec.structs.replace(ready, status="installing", models=[])))
    shown = chat.say("train test_resnet on digits for 3 epochs")
    assert "still being installed" in shown.message
    assert shown.draft == Draft("d1", "digits", "classification", "timm", "test_resnet", {"epochs": 3})
    assert chat.say("yes").action == "confirm"
    chat.context = with_framework(chat.context, ready)
    assert chat.say("yes").action == "start"


def test_a_model_that_proves_unknown_after_installing_is_asked_for(project: Context) -> None:
    ready = project.frameworks[0]
    chat = Conversation(with_framework(project, msgspec.structs.replace(ready, status="installing", models=[])))
    chat.say("train my_net_9 on digits")
    chat.context = with_framework(chat.context, ready)
    reply = chat.say("yes")
    assert (reply.action, reply.pending) == ("ask", "model_name")


def test_models_are_not_asked_for_where_no_trainer_does_the_task(project: Context) -> None:
    reply = parse("train yolov8 on blood cells", project)
    assert "No installed trainer does detection yet" in reply.message
    assert (reply.pending, values(reply)) == ("dataset_id", ["d1", "d2", "d3", "d5"])


def test_an_absent_trainer_is_named(both: Context) -> None:
    frameworks = [both.frameworks[0], msgspec.structs.replace(both.frameworks[1], status="absent")]
    reply = parse("detect blood cells", msgspec.structs.replace(both, frameworks=frameworks))
    assert "ultralytics would, but it is not installed" in reply.message


def test_no_takes_back_the_question_so_that_yes_shows_the_draft_first(project: Context) -> None:
    chat = Conversation(project)
    chat.say("train resnet18 on digits")
    assert chat.say("no").action == "none"
    assert chat.say("yes").action == "confirm"
    assert chat.say("yes").action == "start"


def test_a_data_set_that_vanished_is_noticed_at_yes(project: Context) -> None:
    chat = Conversation(project)
    chat.say("train resnet18 on digits")
    chat.context = with_datasets(chat.context, *project.datasets[1:])
    reply = chat.say("yes")
    assert (reply.action, reply.pending) == ("ask", "dataset_id")
    assert "does not exist any more" in reply.message


def test_which_training_to_cancel_is_asked_where_several_run(project: Context) -> None:
    jobs = [JobChoice(f"j{n}", f"run {n}", "running", "digits", "resnet18") for n in (1, 2)]
    chat = Conversation(msgspec.structs.replace(project, jobs=jobs))
    asked = chat.say("stop the training")
    assert (asked.action, asked.pending, values(asked)) == ("ask", "cancel", ["j1", "j2"])
    assert "Stop run 2?" in chat.say("2").message
    reply = chat.say("yes")
    assert (reply.action, reply.job_id) == ("cancel", "j2")


@pytest.mark.parametrize(("text", "said"), [("stop it", "No training is running"), ("취소", "진행 중이거나 대기")])
def test_nothing_to_cancel_is_said(project: Context, text: str, said: str) -> None:
    reply = parse(text, msgspec.structs.replace(project, jobs=[project.jobs[1]]))
    assert (reply.action, said in reply.message) == ("none", True)


def test_a_job_can_be_named(project: Context) -> None:
    reply = parse('train resnet18 on digits, call it "first try"', project)
    assert reply.draft and reply.draft.name == "first try"
    assert "first try" in reply.message


def test_the_answer_is_in_the_language_of_the_message(project: Context) -> None:
    chat = Conversation(project)
    assert chat.say("꽃 사진으로 학습").language == "ko"
    assert chat.say("2").language == "ko"
    assert chat.say("20 epochs").language == "en"


def test_korean_names_in_an_english_sentence_leave_it_english(project: Context) -> None:
    assert parse("train resnet18 on 꽃 사진", project).language == "en"


def test_gibberish_is_answered_with_help(project: Context) -> None:
    reply = parse("qwfp zxcd", project)
    assert (reply.action, reply.draft) == ("help", None)
    assert "“qwfp zxcd”" in reply.message


def test_a_message_too_long_is_refused_and_changes_nothing(project: Context) -> None:
    reply = parse("a" * 8001, project)
    assert (reply.action, "8000" in reply.message) == ("none", True)
