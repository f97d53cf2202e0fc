"""What a newcomer says: questions, wrong values, two wishes at once, typos, and edits in passing."""

from __future__ import annotations

import msgspec
import pytest
from chat_talk import Conversation, drafted, values, with_datasets

from visionai.chat.guessing import closest, distance
from visionai.chat.parser import parse
from visionai.chat.types import Config, Context, DatasetChoice, Draft

START = "Start it?"


@pytest.fixture
def drafting(busy: Context) -> Context:
    draft = Draft("d1", "digits", "classification", "timm", "resnet18", {"epochs": 10})
    return msgspec.structs.replace(busy, draft=draft, pending="confirm")


# ── a wrong value is asked for again ──

# what was said, what of the bound is said, the answer, the config afterwards
REFUSED: list[tuple[str, str, str, Config]] = [
    ("train resnet18 on digits for 0 epochs", "at least 1", "twenty-five", {"epochs": 25}),
    ("train resnet18 on digits for 0 epochs", "at least 1", "25", {"epochs": 25}),
    ("train resnet18 on digits for 0 epochs", "at least 1", "maybe five, please", {"epochs": 5}),
    ("train resnet18 on digits for 0 epochs", "at least 1", "2 epochs", {"epochs": 2}),
    ("train resnet18 on digits for 0 epochs", "at least 1", "default", {}),
    ("train resnet18 on digits for 5000 epochs", "at most 1000", "one hundred", {"epochs": 100}),
    ("train resnet18 on digits, batch -5", "at least 1", "make it 16", {"batch_size": 16}),
    ("train resnet18 on digits, lr 99", "at most 10", "1e-3", {"learning_rate": 0.001}),
    ("train resnet18 on digits, dropout 2", "less than 1", "20%", {"drop_rate": 0.2}),
    ("train resnet18 on digits, optimizer lion", "adamw, sgd, lamb", "sgd", {"optimizer": "sgd"}),
    ("train resnet18 on digits, augmentation crazy", "none, light", "strong", {"augmentation": "strong"}),
    ("digits로 resnet18 에포크 0으로 학습", "1 이상", "열", {"epochs": 10}),
    ("digits로 resnet18 0 에포크 학습", "1 이상", "25", {"epochs": 25}),
    ("digits로 resnet18 0 에포크 학습", "1 이상", "기본값", {}),
]


@pytest.mark.parametrize(("text", "bound", "answer", "config"), REFUSED)
def test_a_refused_value_is_asked_for_again(
    project: Context, text: str, bound: str, answer: str, config: Config
) -> None:
    chat = Conversation(project)
    asked = chat.say(text)
    assert asked.action == "ask" and asked.pending and asked.pending in asked.missing_fields
    assert bound in asked.message
    answered = chat.say(answer)
    assert (answered.action, drafted(answered)) == ("confirm", ("digits", "resnet18", config))


@pytest.mark.parametrize("between", ["yes", "no", "a lot", "banana", "use resnet34", "list my datasets", "2.5"])
def test_a_refused_value_is_not_forgotten(project: Context, between: str) -> None:
    chat = Conversation(project)
    chat.say("train resnet18 on digits for 0 epochs")
    reply = chat.say(between)
    assert (reply.pending, reply.missing_fields) == ("config.epochs", ["config.epochs"])
    assert START not in reply.message
    assert chat.say("three").action == "confirm"


def test_two_refused_values_are_asked_for_one_after_the_other(project: Context) -> None:
    chat = Conversation(project)
    chat.say("train on digits for 0 epochs, batch size 0")
    assert chat.say("5").pending == "config.batch_size"
    assert chat.say("64").pending == "model_name"
    assert drafted(chat.say("resnet18")) == ("digits", "resnet18", {"epochs": 5, "batch_size": 64})


# ── one training at a time ──

TWO = [
    ("train resnet18 on digits for 3 epochs then train resnet34 on flowers for 2", "train resnet34 on flowers for 2"),
    ("train resnet18 on digits for 3 epochs, and then resnet34 on flowers", "resnet34 on flowers"),
    ("train resnet18 on digits for 3 epochs. Train resnet34 on flowers.", "Train resnet34 on flowers"),
    ("train resnet18 on digits for 3 epochs and another one on flowers", "another one on flowers"),
    ("digits로 resnet18 3 에포크 학습하고 flowers로 resnet34 학습해줘", "flowers 로 resnet34 학습해줘"),
]


@pytest.mark.parametrize(("text", "rest"), TWO)
def test_of_two_wishes_the_first_is_drafted_and_the_second_quoted(project: Context, text: str, rest: str) -> None:
    reply = parse(text, project)
    assert (reply.action, drafted(reply)) == ("confirm", ("digits", "resnet18", {"epochs": 3}))
    assert f"“{rest}”" in reply.message
    said_next = parse(rest, project)
    assert said_next.draft and said_next.draft.dataset_name == "flowers"


@pytest.mark.parametrize(
    "text",
    [
        "train resnet18 on digits, then with sgd",
        "train resnet18 on digits and train it for 3 epochs",
        "train resnet18 on digits; 3 epochs, please",
        "instead of resnet34 on flowers, train resnet18 on digits",
    ],
)
def test_one_wish_in_two_parts_stays_one(project: Context, text: str) -> None:
    reply = parse(text, project)
    assert drafted(reply)[:2] == ("digits", "resnet18")
    assert "One training at a time" not in reply.message


# ── questions, and what is done elsewhere ──

NO_DRAFT = [
    ("how long would it take to train resnet18 on digits?", "beforehand"),
    ("how long does training resnet18 on digits for 10 epochs take", "beforehand"),
    ("digits로 resnet18 학습하면 얼마나 걸려?", "미리 알 수 없습니다"),
    ("delete the digits dataset", "page “Data sets”"),
    ("remove the digits data", "page “Data sets”"),
    ("rename the flowers dataset to roses", "page “Data sets”"),
    ("digits 데이터셋 삭제해줘", "“Data sets”"),
    ("upload a dataset", "page “Data sets”"),
    ("I want to add a dataset", "page “Data sets”"),
    ("how do i upload my images?", "page “Data sets”"),
    ("데이터셋 업로드하고 싶어", "“Data sets”"),
    ("delete my last job", "under “Jobs”"),
    ("resume the last training", "“Go on”"),
    ("retry the failed job", "“Train again”"),
    ("download the model", "under “Jobs”"),
    ("export resnet18", "under “Jobs”"),
    ("모델 다운로드", "“Jobs”"),
    ("deploy the model", "not run"),
    ("label my images", "not labelled"),
    ("should i train resnet18 or resnet50 on digits?", "question"),
    ("would resnet18 be good for digits?", "question"),
    ("what happens if i train resnet18 on digits with lr 1", "question"),
    ("왜 resnet18로 digits를 학습해야 해?", "질문"),
    ("is broken ready?", "The archive holds no images"),
    ("thanks!", "welcome"),
    ("고마워요", "천만에요"),
]


@pytest.mark.parametrize(("text", "said"), NO_DRAFT)
def test_a_question_or_what_the_chat_does_not_do_makes_no_draft(busy: Context, text: str, said: str) -> None:
    reply = parse(text, busy)
    assert (reply.draft, reply.pending, reply.missing_fields) == (None, None, [])
    assert reply.action in ("help", "list", "show", "none")
    assert said in reply.message and START not in reply.message


@pytest.mark.parametrize(("text", "said"), NO_DRAFT)
def test_nor_does_it_change_the_draft_there_is(drafting: Context, text: str, said: str) -> None:
    reply = parse(text, drafting)
    assert (reply.draft, reply.pending) == (drafting.draft, "confirm")
    assert said in reply.message


@pytest.mark.parametrize(
    "text",
    [
        "can you train resnet18 on digits?",
        "would you train resnet18 on digits, please?",
        "could i get a resnet18 on digits?",
        "what about resnet18 on digits",
        "resnet18 on digits?",
        "train resnet18 on digits and then download the model",
    ],
)
def test_a_request_in_the_form_of_a_question_is_drafted(project: Context, text: str) -> None:
    reply = parse(text, project)
    assert (reply.action, drafted(reply)) == ("confirm", ("digits", "resnet18", {}))


# ── lists ──

# sentence, models of the list, models that are not in it
LISTS = [
    ("list models with less than 5M parameters", ["test_resnet", "mobilenetv3_small_100"], ["resnet18", "efficient"]),
    ("models under 6 million params", ["efficientnet_b0: 5.3M"], ["resnet18"]),
    ("which models have more than 50M parameters?", ["vit_base_patch16_224: 86M"], ["resnet50"]),
    ("which models are smaller than resnet18?", ["efficientnet_b0"], ["resnet18", "resnet34"]),
    ("파라미터 500만 이하 모델 보여줘", ["mobilenetv3_small_100"], ["resnet18", "efficientnet"]),
    ("models named mobilenet", ["mobilenetv3_small_100", "mobilenetv3_large_100"], ["resnet"]),
    ("show me the vit models under 10M", ["vit_tiny_patch16_224"], ["vit_base", "mobilenet"]),
    ("do you have efficientnet?", ["efficientnet_b0"], ["resnet"]),
    ("what is resnet18?", ["resnet18: 11.7M"], ["resnet18d"]),
    ("is resnet18 smaller than resnet50", ["resnet18"], ["vit_base"]),
]


@pytest.mark.parametrize(("text", "listed", "left_out"), LISTS)
def test_a_list_of_models_is_filtered(project: Context, text: str, listed: list[str], left_out: list[str]) -> None:
    reply = parse(text, project)
    lines = [line for line in reply.message.splitlines() if line.startswith("- ")]
    assert reply.action == "list"
    assert all(any(model in line for line in lines) for model in listed)
    assert not any(f"- {model}" in line for line in lines for model in left_out)


def test_models_that_are_not_counted_yet_are_said(project: Context) -> None:
    assert "not known yet: 1" in parse("models under 5M parameters", project).message


def test_a_filter_that_is_not_understood_is_said(project: Context) -> None:
    assert "“layers”" in parse("models with 3 layers", project).message


def test_what_is_left_out_of_a_long_list_stands_last_and_as_an_item(project: Context) -> None:
    many = [DatasetChoice(f"x{n}", f"set {n}", "ready", ["classification"], 2, n) for n in range(32)]
    reply = parse("which datasets do i have", with_datasets(project, *many))
    assert reply.message.splitlines()[-1] == "- … and 12 more"


def test_data_sets_of_one_name_are_told_apart(project: Context) -> None:
    twins = [
        DatasetChoice(f"id-000{n}", "pets", "ready", ["classification"], 2, 10, created=day)
        for n, day in ((1, "2026-01-02"), (2, "2026-03-04"), (3, "2026-03-04"))
    ]
    reply = parse("train resnet18 on pets", with_datasets(project, *twins))
    labels = [choice.label for choice in reply.choices]
    assert len(set(labels)) == 3 and "2026-01-02" in labels[0] and "0003" in labels[2]


@pytest.mark.parametrize("text", ["입력 데이터 뭐 있어?", "무슨 데이터 있어?", "내 데이터 보여줘"])
def test_korean_questions_for_data_sets_list_them(project: Context, text: str) -> None:
    reply = parse(text, project)
    assert (reply.action, reply.draft) == ("list", None) and "digits: 이미지" in reply.message


@pytest.mark.parametrize(
    "text", ["which model should I use", "recommend a model", "can you suggest a good model?", "모델 추천해줘"]
)
def test_models_are_recommended(project: Context, text: str) -> None:
    reply = parse(text, project)
    assert (reply.action, reply.draft) == ("list", None) and "resnet18, mobilenetv3_small_100" in reply.message


@pytest.mark.parametrize(
    "text",
    [
        "something small and fast",
        "a tiny model, please",
        "train a lightweight model on digits",
        "작고 빠른 모델로 학습",
    ],
)
def test_small_models_are_offered_first(project: Context, text: str) -> None:
    reply = parse(text, project)
    assert (reply.pending, values(reply)[:3]) == (
        "model_name", ["test_resnet", "mobilenetv3_small_100", "efficientnet_b0"],
    )  # fmt: skip
    assert reply.draft is None or reply.draft.config == {}


EXPLAINED = [
    ("what does label smoothing do?", ["softened labels", "less than 1", "default 0"]),
    ("explain the seed", ["same shuffling", "default 42"]),
    ("how many epochs should i use?", ["Passes", "at most 1000"]),
    ("tell me about the scheduler and dropout", ["Schedule: ", "Dropout: "]),
    ("what is mirror?", ["Mirrors images", "on or off"]),
    ("라벨 스무딩이 뭐야?", ["부드럽게", "1 미만"]),
]


@pytest.mark.parametrize(("text", "said"), EXPLAINED)
def test_a_setting_is_explained_before_its_range(project: Context, text: str, said: list[str]) -> None:
    reply = parse(text, project)
    assert reply.action == "help"
    assert [part for part in said if part not in reply.message] == []


def test_the_schemas_own_description_goes_first(project: Context) -> None:
    timm = project.frameworks[0]
    seed = {**timm.schema["properties"]["seed"], "description": "For the dice."}
    schema = {**timm.schema, "properties": {**timm.schema["properties"], "seed": seed}}
    context = msgspec.structs.replace(project, frameworks=[msgspec.structs.replace(timm, schema=schema)])
    assert parse("what is the seed?", context).message.startswith("Seed: For the dice. It can be")


# ── how trainings stand ──

RUNNING = ["running", "epoch 3 of 10", "34 %", "4 min left", "Best val/accuracy: 0.9321, at epoch 2"]
STANDS = [
    ("how is my training going?", "r", RUNNING),
    ("when will it be done?", "r", ["4 min left"]),
    ("is my training done?", "r", ["4 min left"]),
    ("what happened to my job?", "r", ["4 min left"]),
    ("what is the accuracy", "r", ["0.9321"]),
    ("학습 어떻게 되고 있어?", "r", ["10 에포크 중 3", "34%", "4분", "0.9321"]),
    ("show the convnext job", "q", ["queued", "number 2 in the queue", "Waiting for another training"]),
    ("what's my position in the queue?", "q", ["number 2"]),
    ("show me the resnet18 results", "c", ["completed", "0.88, at epoch 9"]),
    ("what accuracy did i get last time?", "c", ["0.88"]),
    ("why did my last job fail?", "f", ["failed", "ran out of memory", "smaller batch size"]),
    ("what went wrong?", "f", ["ran out of memory"]),
    ("아까 학습 왜 실패했어?", "f", ["실패", "ran out of memory"]),
    ("학습 왜 안 돼?", "f", ["ran out of memory"]),
]


@pytest.mark.parametrize(("text", "job", "said"), STANDS)
def test_how_a_training_stands_is_told(busy: Context, text: str, job: str, said: list[str]) -> None:
    reply = parse(text, busy)
    assert (reply.action, reply.job_id, reply.draft) == ("show", job, None)
    assert [part for part in said if part not in reply.message] == []


def test_jobs_are_listed_by_their_state(busy: Context) -> None:
    reply = parse("list failed jobs", busy)
    assert reply.message.count("\n- ") == 1 and "resnet50 on flowers: failed" in reply.message


# sentence, action, job, said
CANCELS = [
    ("stop the third one", "ask", None, "not clear which training “third one” is"),
    ("stop the first one", "ask", None, "Stop convnext_tiny on digits?"),
    ("stop the running one", "ask", None, "Stop test_resnet on digits? It is at epoch 3 of 10."),
    ("stop everything", "ask", None, "one at a time"),
    ("cancel all jobs", "ask", None, "- test_resnet on digits: running"),
    ("모두 중단해줘", "ask", None, "한 번에 하나씩"),
    ("cancel the flowers job", "ask", None, "No running training fits"),
]


@pytest.mark.parametrize(("text", "action", "job", "said"), CANCELS)
def test_cancelling_asks_where_it_is_not_plain(
    busy: Context, text: str, action: str, job: str | None, said: str
) -> None:
    reply = parse(text, busy)
    assert (reply.action, reply.job_id) == (action, job)
    assert said in reply.message


@pytest.mark.parametrize(
    "text", ["stop the second one", "stop the fifth one", "stop everything", "두 번째 거 중단해줘"]
)
def test_the_only_training_is_not_cancelled_for_another(project: Context, text: str) -> None:
    chat = Conversation(project)
    asked = chat.say(text)
    assert (asked.action, values(asked)) == ("ask", ["j2"])
    assert chat.say("yes").pending == "confirm_cancel"
    assert chat.say("yes").action == "cancel"


def test_cancelling_again_says_that_it_is_under_way(busy: Context) -> None:
    job = msgspec.structs.replace(busy.jobs[1], cancelling=True)
    reply = parse("stop it", msgspec.structs.replace(busy, jobs=[job]))
    assert (reply.action, reply.job_id) == ("none", None) and "is being cancelled already" in reply.message


# ── typos ──

# sentence, data set, model, config, one of the words as it was read
TYPOS: list[tuple[str, str | None, str | None, Config, str]] = [
    ("tain a resnt18 on digts for five epocs", "digits", "resnet18", {"epochs": 5}, "“resnt18” as “resnet18”"),
    ("trian resnet18 on digits, btach size 16", "digits", "resnet18", {"batch_size": 16}, "as “batch size”"),
    ("train efficentnet b0 on flowrs", "flowers", "efficientnet_b0", {}, "“flowrs” as “flowers”"),
    ("calssify flowers with resnt 34", "flowers", "resnet34", {}, "“calssify” as “classify”"),
    ("resnet18 on digits, learnig rate 0.01", "digits", "resnet18", {"learning_rate": 0.01}, "“learnig rate”"),
    ("resnet18 on digits with optimzer sgd", "digits", "resnet18", {"optimizer": "sgd"}, "“optimzer”"),
]


@pytest.mark.parametrize(("text", "dataset", "model", "config", "read"), TYPOS)
def test_typos_are_read_and_said(
    project: Context, text: str, dataset: str | None, model: str | None, config: Config, read: str
) -> None:
    reply = parse(text, project)
    assert (reply.action, drafted(reply)) == ("confirm", (dataset, model, config))
    assert reply.message.startswith("I read ") and read in reply.message


@pytest.mark.parametrize("text", ["yse", "trian", "strat", "satrt it"])
def test_a_typo_starts_nothing(drafting: Context, text: str) -> None:
    assert parse(text, drafting).action != "start"


def test_digits_and_first_letters_are_not_guessed() -> None:
    known = {"resnet18": "a", "train": "b", "digits": "c", "epoch": "d", "epochs": "d", "cats": "e", "cars": "f"}
    assert closest("resnet81", known) is None and closest("brain", known) is None
    assert closest("epocs", known) in ("epoch", "epochs")  # equally near, and the same
    assert closest("caps", known) is None  # equally near, and not the same
    assert [distance("digits", word) for word in ("digits", "digts", "diigts", "", "xdigits")] == [0, 1, 1, 6, 1]


# ── edits in passing ──

# turns, one after the other, and the config after the last; "resnet18 on digits" for 10 epochs is shown
EDITED: list[tuple[list[str], Config]] = [
    (["change epochs to ten", "make that 3"], {"epochs": 3}),
    (["make it three"], {"epochs": 3}),
    (["batch size, like sixteen"], {"epochs": 10, "batch_size": 16}),
    (["batch size, like sixteen", "make it 32"], {"epochs": 10, "batch_size": 32}),
    (["batch 64", "double it"], {"epochs": 10, "batch_size": 128}),
    (["no, 12"], {"epochs": 12}),
    (["5 more"], {"epochs": 15}),
    (["how about 7 epochs"], {"epochs": 7}),
    (["seed 7", "drop the seed"], {"epochs": 10}),
    (["drop the seed"], {"epochs": 10}),
    (["reset the epochs"], {}),
    (["delete the epochs"], {}),
    (["flip images horizontally"], {"epochs": 10, "horizontal_flip": True}),
    (["use horizontal flips"], {"epochs": 10, "horizontal_flip": True}),
    (["mirror the images", "drop the mirroring"], {"epochs": 10}),
    (["turn the images upside down"], {"epochs": 10}),
    (["images sideways"], {"epochs": 10}),
    (["배치 크기 16", "32로 바꿔줘"], {"epochs": 10, "batch_size": 32}),
    (["다섯번 학습해줘"], {"epochs": 5}),
    (["세에포크"], {"epochs": 3}),
    (["열 번 돌려줘"], {"epochs": 10}),
    (["에포크 스무로 해줘"], {"epochs": 20}),
    (["배치 16", "그걸 스무로 바꿔줘"], {"epochs": 10, "batch_size": 20}),
]


@pytest.mark.parametrize(("turns", "config"), EDITED)
def test_an_edit_in_passing_is_taken_and_nothing_is_lost(drafting: Context, turns: list[str], config: Config) -> None:
    chat = Conversation(drafting)
    replies = [chat.say(text) for text in turns]
    assert drafted(replies[-1]) == ("digits", "resnet18", config)
    assert replies[-1].action == "confirm"


def test_a_setting_back_at_its_default_is_said(drafting: Context) -> None:
    assert "seed is at its default: 42" in parse("drop the seed", drafting).message


# ── weights that cannot be had ──


@pytest.mark.parametrize(
    ("answer", "model"), [("off", "resnet50"), ("from scratch", "resnet50"), ("resnet18", "resnet18")]
)
def test_pretrained_weights_that_cannot_be_had_are_said(project: Context, answer: str, model: str) -> None:
    chat = Conversation(project)
    asked = chat.say("train a pretrained resnet50 on digits")
    assert (asked.pending, "on" in values(asked)) == ("config.pretrained", False)
    assert "no pretrained weights of resnet50" in asked.message
    answered = chat.say(answer)
    assert (answered.action, drafted(answered)[1]) == ("confirm", model)


# ── the user's words ──


@pytest.mark.parametrize(
    "text", ["x" * 5000, "train resnet18 on " + "x" * 5000, "train " + "x" * 300, "on " + "가" * 400]
)
def test_only_some_of_a_long_word_is_said_back(project: Context, text: str) -> None:
    message = parse(text, project).message
    assert "x" * 61 not in message and "가" * 61 not in message and "…”" in message


@pytest.mark.parametrize("text", ["train a**b**c on digits", "train `rm` on digits", "train resnet18 on a**b**c"])
def test_markdown_in_the_users_words_does_not_count(project: Context, text: str) -> None:
    message = parse(text, project).message
    assert "**" not in message and "`" not in message


def test_markdown_in_names_does_not_count(project: Context) -> None:
    reply = parse("list datasets", with_datasets(project, DatasetChoice("x", "**big**", "ready", [], 1, 1)))
    assert "**" not in reply.message


@pytest.mark.parametrize(
    "text",
    [
        "train resnet18 on digits for 2 epochs, validate every 5 epochs",
        "train resnet18 on digits for 2 epochs and email me every 5 epochs",
        "every 5 epochs ping me, and train resnet18 on digits for 2 epochs",
    ],
)
def test_how_often_something_else_happens_is_no_number_of_epochs(busy: Context, text: str) -> None:
    reply = parse(text, busy)
    assert drafted(reply) == ("digits", "resnet18", {"epochs": 2})
    assert (reply.pending, "left out" in reply.message, "5 epochs" in reply.message) == ("confirm", True, True)
