"""How the chat says things: its sentences filled in, its labels, and other people's words quoted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from visionai.chat.sentences import MESSAGES
from visionai.chat.types import Language

MAX_QUOTED = 60  # characters of the user's own words that are said back


def say(language: Language, key: str, **values: object) -> str:
    """A sentence of ``MESSAGES``. Whatever fills its gaps is shown as it is written: no Markdown in it counts."""
    filled = {name: quoted(value) if name in _QUOTED else value for name, value in values.items()}
    plain = {name: value.translate(_PLAIN) if isinstance(value, str) else value for name, value in filled.items()}
    return MESSAGES[key][language].format(**plain)


def quoted(text: object, limit: int = MAX_QUOTED) -> str:
    """The user's words on one line, not more than ``limit`` characters of them."""
    line = " ".join(str(text)[: 2 * limit].split())
    return line if len(line) <= limit and len(str(text)) <= 2 * limit else line[: limit - 1].rstrip() + "…"


_QUOTED = {"words", "value", "preset"}
# Answers are shown as Markdown, which knows no escape that every reader understands: look-alikes, which mean nothing.
_PLAIN = str.maketrans({"*": "∗", "`": "ˋ"})


def label(language: Language, setting: str, prop: Mapping[str, Any] | None = None) -> str:
    """What people call a hyperparameter: Korean where there is a usual word, otherwise its title or its key."""
    if language == "ko" and setting in _KOREAN:
        return _KOREAN[setting]
    title = (prop or {}).get("title")
    return title.lower() if isinstance(title, str) and title else setting.replace("_", " ")


def task_label(language: Language, task: str) -> str:
    return _KOREAN_TASKS.get(task, task) if language == "ko" else task.replace("_", " ")


def status_label(language: Language, status: str) -> str:
    return _KOREAN_STATUSES.get(status, status) if language == "ko" else status


_KOREAN = {
    "epochs": "에포크", "batch_size": "배치 크기", "learning_rate": "학습률", "image_size": "이미지 크기",
    "optimizer": "옵티마이저", "scheduler": "스케줄러", "weight_decay": "가중치 감쇠", "warmup": "워밍업",
    "augmentation": "증강", "dropout": "드롭아웃", "label_smoothing": "라벨 스무딩", "patience": "조기 종료",
    "seed": "시드", "device": "장치", "amp": "혼합 정밀도", "pretrained": "사전 학습 가중치", "momentum": "모멘텀",
}  # fmt: skip
_KOREAN_TASKS = {
    "classification": "분류",
    "detection": "탐지",
    "segmentation": "분할",
    "semantic_segmentation": "의미 분할",
    "pose": "포즈",
    "obb": "회전 상자 탐지",
}
_KOREAN_STATUSES = {
    "uploading": "업로드 중", "processing": "처리 중", "ready": "준비됨", "error": "오류", "pending": "대기",
    "validating": "검증 중", "queued": "순서 대기", "starting": "시작 중", "running": "학습 중",
    "finalizing": "마무리 중", "completed": "완료", "failed": "실패", "cancelled": "취소됨",
}  # fmt: skip
