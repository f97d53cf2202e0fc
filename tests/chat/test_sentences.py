"""Sentences people write, and what becomes of them.

Each row is a sentence and what the reply must be; a draft is written as its words: data set, model, then the settings.
"""

from __future__ import annotations

import msgspec
import pytest
from chat_talk import drafted

from visionai.chat.parser import parse
from visionai.chat.types import Config, Context, Draft

N: Config = {}


# sentence, data set, model, config; the draft is complete where data set and model are, and then shown
NEW = [
    ("train test_resnet on digits for 3 epochs", "digits", "test_resnet", {"epochs": 3}),
    ("Train test_resnet on digits for three epochs.", "digits", "test_resnet", {"epochs": 3}),
    (
        "classify my digits data with resnet18, 20 epochs, batch size 64, lr 3e-4, no augmentation",
        "digits",
        "resnet18",
        {"epochs": 20, "batch_size": 64, "learning_rate": 3e-4, "augmentation": "none"},
    ),
    ("can you please fit a ResNet 18 on the digits dataset?", "digits", "resnet18", N),
    ("use efficientnet b0 for my flowers", "flowers", "efficientnet_b0", N),
    ("resnet-50 on Flowers v2", "Flowers v2", "resnet50", N),
    ('train resnet18 on "flowers v2"', "Flowers v2", "resnet18", N),
    ("train resnet18 on FLOWERS", "flowers", "resnet18", N),
    ("train resnet18 on d1", "digits", "resnet18", N),
    ("digits, resnet34", "digits", "resnet34", N),
    ("digits resnet34 batch32 lr1e-3 10epochs", "digits", "resnet34",
     {"batch_size": 32, "learning_rate": 1e-3, "epochs": 10}),
    ("train resnet18 on digits epochs=5 batch_size=16 learning_rate=1e-4", "digits", "resnet18",
     {"epochs": 5, "batch_size": 16, "learning_rate": 1e-4}),
    ("train resnet 50 5 epochs on digits", "digits", "resnet50", {"epochs": 5}),
    ("train resnet18 on digits at 96px", "digits", "resnet18", {"image_size": 96}),
    ("train resnet18 on digits from scratch using sgd", "digits", "resnet18",
     {"pretrained": False, "optimizer": "sgd"}),
    ("train a pretrained resnet18 on digits with a step schedule", "digits", "resnet18",
     {"pretrained": True, "scheduler": "step"}),
    ("train resnet18 on digits, accurate preset, but 50 epochs", "digits", "resnet18",
     {"epochs": 50, "augmentation": "strong"}),
    ("a quick run of test_vit on digits", "digits", "test_vit", {"epochs": 3}),
    ("train resnet18 on digits with early stopping after 5 epochs", "digits", "resnet18", {"patience": 5}),
    ("train resnet18 on digits, balanced class weights", "digits", "resnet18", {"class_weights": "balanced"}),
    ("recognise handwritten digits", "digits", None, N),
    ("train something on zoo", "zoo", None, N),
    ("fine-tune a vit on flowers quick preset", "flowers", None, {"epochs": 3}),
    ("train resnet 50 epochs on digits", "digits", None, {"epochs": 50}),
    ("train resnet18", None, "resnet18", N),
    ("digits 데이터로 test_resnet 3 에포크 학습해줘", "digits", "test_resnet", {"epochs": 3}),
    ("꽃 사진을 분류해줘, resnet18로 20 에포크", "꽃 사진", "resnet18", {"epochs": 20}),
    ("flowers 데이터셋으로 mobilenet v3 small 100 모델 학습시켜줘, 배치 32, 학습률 0.001", "flowers",
     "mobilenetv3_small_100", {"batch_size": 32, "learning_rate": 0.001}),
    ("꽃으로 resnet50 세 에포크 훈련", "꽃 사진", "resnet50", {"epochs": 3}),
    ("digits로 resnet18 학습, 증강 없이", "digits", "resnet18", {"augmentation": "none"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "dataset", "model", "config"), NEW)
def test_a_sentence_becomes_a_draft(
    project: Context, text: str, dataset: str | None, model: str | None, config: Config
) -> None:
    reply = parse(text, project)
    assert drafted(reply) == (dataset, model, config)
    assert (reply.action, reply.pending == "confirm") == (("confirm", True) if dataset and model else ("ask", False))
    if reply.action == "confirm":
        assert reply.draft == msgspec.structs.replace(
            reply.draft or Draft(), framework="timm", task_type="classification"
        )


BASE: Config = {"epochs": 10, "learning_rate": 0.001, "batch_size": 32}

# an edit of the draft "resnet18 on digits" with BASE, and what differs afterwards
EDITS: list[tuple[str, Config]] = [
    ("make it 10 epochs instead", {"epochs": 10}),
    ("make it 25 epochs instead", {"epochs": 25}),
    ("twenty-five epochs", {"epochs": 25}),
    ("batch 64", {"batch_size": 64}),
    ("bs=128", {"batch_size": 128}),
    ("batch size of 1,024", {"batch_size": 1024}),
    ("lr 0,01", {"learning_rate": 0.01}),
    ("set the learning rate to .005", {"learning_rate": 0.005}),
    ("learning rate: 1e-3", {"learning_rate": 0.001}),
    ("lr 10^-4", {"learning_rate": 1e-4}),
    ("use adamw and image size 224", {"optimizer": "adamw", "image_size": 224}),
    ("224x224 images", {"image_size": 224}),
    ("half the learning rate", {"learning_rate": 0.0005}),
    ("cut the learning rate in half", {"learning_rate": 0.0005}),
    ("10 times lower learning rate", {"learning_rate": 0.0001}),
    ("reduce the learning rate by 10x", {"learning_rate": 0.0001}),
    ("double the epochs", {"epochs": 20}),
    ("twice as many epochs", {"epochs": 20}),
    ("10 more epochs", {"epochs": 20}),
    ("add 5 epochs", {"epochs": 15}),
    ("3 fewer epochs", {"epochs": 7}),
    ("increase the batch size by 50%", {"batch_size": 48}),
    ("increase the batch size to 64", {"batch_size": 64}),
    ("2x the batch size", {"batch_size": 64}),
    ("train on cpu", {"device": "cpu"}),
    ("use the gpu", {"device": "cuda"}),
    ("optimizer sgd", {"optimizer": "sgd"}),
    ("lamb optimizer please", {"optimizer": "lamb"}),
    ("strong augmentation", {"augmentation": "strong"}),
    ("heavy augmentation", {"augmentation": "strong"}),
    ("don't use augmentation", {"augmentation": "none"}),
    ("remove the augmentation", {"augmentation": "none"}),
    ("turn off mixed precision", {"amp": False}),
    ("without label smoothing", {"label_smoothing": 0}),
    ("no early stopping", {"patience": None}),
    ("early stopping with patience 5", {"patience": 5}),
    ("warmup 3, dropout 20%", {"warmup_epochs": 3, "drop_rate": 0.2}),
    ("no, 12 epochs", {"epochs": 12}),
    ("yes but 12 epochs", {"epochs": 12}),
    ("batch 64 20 epochs lr 0.01", {"batch_size": 64, "epochs": 20, "learning_rate": 0.01}),
    ("20 epochs 64 batch 0.01 lr", {"batch_size": 64, "epochs": 20, "learning_rate": 0.01}),
    ("에포크 5", {"epochs": 5}),
    ("에포크를 두 배로", {"epochs": 20}),
    ("배치 크기 64로 바꿔줘", {"batch_size": 64}),
    ("학습률 절반으로", {"learning_rate": 0.0005}),
    ("이미지 크기는 128", {"image_size": 128}),
    ("강한 증강 사용", {"augmentation": "strong"}),
    ("cpu로 돌려줘", {"device": "cpu"}),
]


@pytest.fixture
def drafting(project: Context) -> Context:
    """A complete draft that has just been shown."""
    draft = Draft("d1", "digits", "classification", "timm", "resnet18", BASE)
    return msgspec.structs.replace(project, draft=draft, pending="confirm")


@pytest.mark.parametrize(("text", "changes"), EDITS)
def test_an_edit_changes_what_it_names_and_shows_the_draft_again(drafting: Context, text: str, changes: Config) -> None:
    reply = parse(text, drafting)
    assert drafted(reply) == ("digits", "resnet18", {**BASE, **changes})
    assert (reply.action, reply.pending, reply.errors) == ("confirm", "confirm", [])


# sentence, action, job or None, whether the draft is still there, a part of the message; said while a draft is shown
TURNS = [
    ("yes", "start", None, True, "Starting resnet18 on digits"),
    ("ok go", "start", None, True, "Starting"),
    ("Yes, please start it!", "start", None, True, "Starting"),
    ("looks good, go ahead", "start", None, True, "Starting"),
    ("네", "start", None, True, "학습을 시작합니다"),
    ("네 시작해주세요", "start", None, True, "학습을 시작합니다"),
    ("no", "none", None, True, "Not started"),
    ("don't start", "none", None, True, "Not started"),
    ("not yet", "none", None, True, "Not started"),
    ("아니요", "none", None, True, "시작하지 않았습니다"),
    ("시작하지마", "none", None, True, "시작하지 않았습니다"),
    ("yes if it takes under an hour", "confirm", None, True, "Not understood"),
    ("never mind", "none", None, False, "dropped"),
    ("start over", "none", None, False, "dropped"),
    ("cancel", "none", None, False, "Running trainings go on"),
    ("취소", "none", None, False, "진행 중인 학습은 계속됩니다"),
    ("stop the training", "ask", None, True, "Stop test_resnet on digits?"),
    ("cancel the digits job", "ask", None, True, "Stop test_resnet on digits?"),
    ("학습 중단해줘", "ask", None, True, "test_resnet on digits 학습을 중단할까요?"),
    ("cancel the flowers job", "ask", None, True, "No running training fits"),
    ("how is my training going?", "show", "j2", True, "running"),
    ("show me the flowers job", "show", "j1", True, "completed"),
    ("학습 어떻게 되고 있어?", "show", "j2", True, "학습 중"),
    ("list my datasets", "list", None, True, "digits: 1,797 images"),
    ("what datasets do you have", "list", None, True, "Flowers v2"),
    ("데이터셋 목록 보여줘", "list", None, True, "꽃 사진: 이미지 300장"),
    ("show jobs", "list", None, True, "resnet18 on flowers: completed"),
    ("which model should I use?", "list", None, True, "resnet18"),
    ("what models are there for detection?", "list", None, True, "No installed trainer does detection"),
    ("어떤 모델이 있어?", "list", None, True, "모델 13개"),
    ("what is the batch size?", "help", None, True, "at least 1, at most 4096"),
    ("help", "help", None, True, "train resnet18 on digits"),
    ("도움말", "help", None, True, "학습해줘"),
    ("use a different model", "ask", None, True, "Which model?"),
]


@pytest.mark.parametrize(("text", "action", "job", "kept", "said"), TURNS)
def test_a_turn_while_a_draft_is_shown(
    drafting: Context, text: str, action: str, job: str | None, kept: bool, said: str
) -> None:
    reply = parse(text, drafting)
    assert (reply.action, reply.job_id, reply.draft is not None) == (action, job, kept)
    assert said in reply.message


# sentence, what the message must say, what must not be in the draft's settings
REPORTED = [
    ("train resnet18 on digits with focal loss", "“focal loss”"),
    ("train resnet18 on digits, 50% validation", "“50% validation”"),
    ("train resnet18 on digits for 2 hours", "“2 hours”"),
    ("train resnet18 on digits, mosaic 0.5", "no setting for “mosaic 0.5”"),
    ("train resnet18 on digits, 0 epochs", "at least 1, at most 1000"),
    ("train resnet18 on digits for 10k epochs", "“10k” was not taken"),
    ("train resnet18 on digits for 2.5 epochs", "a whole number"),
    ("train resnet18 on digits, batch -5", "“-5” was not taken"),
    ("train resnet18 on digits, optimizer lion", "adamw, sgd, lamb"),
    ("train resnet18 on digits, optimizer=banana", "“banana” was not taken"),
    ("train resnet18 on digits, change the batch size", "batch size: to what?"),
    ("train resnet18 on digits, 320x240", "320x240"),
    ("train resnet18 on digits, lr 1e999", "1e999"),
    ("train resnet18 on digits, turn off the batch size", "cannot be turned off"),
    ("digits로 resnet18 학습, 모자이크 0.5", "“모자이크 0.5”"),
    ("digits로 resnet18 학습, 에포크 0", "1 이상"),
]


@pytest.mark.parametrize(("text", "said"), REPORTED)
def test_what_was_not_taken_is_said_and_not_in_the_draft(project: Context, text: str, said: str) -> None:
    reply = parse(text, project)
    assert drafted(reply) == ("digits", "resnet18", N)
    assert said in reply.message
    assert reply.errors and all(error.message in reply.message for error in reply.errors)
