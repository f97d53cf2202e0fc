"""What the usual settings do, for trainers whose schema does not say it, and in Korean."""

from __future__ import annotations

from typing import Any

from visionai.chat.types import Language


def about(concept: str, prop: dict[str, Any], language: Language) -> str:
    """The schema's own description first; in Korean ours, where there is one. Empty where nobody says anything."""
    ours = _ABOUT.get(concept, {}).get(language, "")
    description = str(prop.get("description") or "")
    return (ours or description) if language == "ko" else (description or ours)


_ABOUT: dict[str, dict[Language, str]] = {
    "epochs": {"en": "Passes over the training images.", "ko": "학습 이미지를 모두 훑는 횟수."},
    "batch_size": {"en": "Images per step.", "ko": "한 단계에서 함께 보는 이미지 수."},
    "learning_rate": {
        "en": "How far the weights move at each step.",
        "ko": "단계마다 가중치를 얼마나 움직일지.",
    },
    "image_size": {"en": "Pixels a side that the images are scaled to.", "ko": "이미지를 맞출 한 변의 픽셀 수."},
    "optimizer": {"en": "The rule that turns gradients into steps.", "ko": "기울기로 가중치를 고치는 방법."},
    "scheduler": {
        "en": "How the learning rate falls over the training.",
        "ko": "학습이 진행되면서 학습률을 줄이는 방식.",
    },
    "weight_decay": {
        "en": "Pulls weights towards zero, against overfitting.",
        "ko": "가중치를 0 쪽으로 당겨 과적합을 줄임.",
    },
    "momentum": {
        "en": "How much of the last step goes on into the next.",
        "ko": "이전 단계의 움직임을 이어 가는 정도.",
    },
    "warmup": {
        "en": "Epochs in which the learning rate rises from zero.",
        "ko": "학습률을 0에서 서서히 올리는 에포크.",
    },
    "augmentation": {
        "en": "Random changes of the training images, so that the model does not learn them by heart.",
        "ko": "학습 이미지를 무작위로 바꿔 외우지 않게 함.",
    },
    "mixup": {"en": "Blends pairs of images and their labels.", "ko": "두 이미지와 라벨을 섞음."},
    "cutmix": {"en": "Pastes a part of one image into another.", "ko": "한 이미지의 일부를 다른 이미지에 붙임."},
    "mosaic": {"en": "Joins four images into one.", "ko": "이미지 네 장을 하나로 붙임."},
    "flip": {"en": "Mirrors images at random, left to right.", "ko": "이미지를 무작위로 좌우 반전."},
    "class_weights": {"en": "Lets rare classes weigh more in the loss.", "ko": "드문 클래스에 손실의 비중을 더 둠."},
    "dropout": {
        "en": "Switches off units at random, against overfitting.",
        "ko": "일부 뉴런을 무작위로 꺼 과적합을 줄임.",
    },
    "drop_path": {
        "en": "Skips whole blocks at random, against overfitting.",
        "ko": "블록을 무작위로 건너뛰어 과적합을 줄임.",
    },
    "label_smoothing": {
        "en": "Trains towards slightly softened labels, so that the model is less sure of itself.",
        "ko": "라벨을 조금 부드럽게 해 모델이 지나치게 확신하지 않게 함.",
    },
    "patience": {
        "en": "Epochs without improvement after which the training stops.",
        "ko": "나아지지 않을 때 학습을 멈추기까지의 에포크.",
    },
    "seed": {"en": "Where chance starts: the same seed gives the same shuffling.", "ko": "무작위의 시작값."},
    "device": {"en": "What computes: the processor or a GPU.", "ko": "계산할 장치: CPU 또는 GPU."},
    "workers": {"en": "Processes that load images.", "ko": "이미지를 읽는 프로세스 수."},
    "amp": {
        "en": "Computes in half precision where that is safe: faster, with less memory.",
        "ko": "가능한 곳에서 반정밀도로 계산: 더 빠르고 메모리를 덜 씀.",
    },
    "pretrained": {
        "en": "Starts from weights that were learned on other images.",
        "ko": "다른 이미지로 미리 학습한 가중치에서 시작.",
    },
    "ema": {
        "en": "Keeps a moving average of the weights, which is often more accurate.",
        "ko": "가중치의 이동 평균을 사용.",
    },
    "freeze": {"en": "Leaves a part of the model as it is.", "ko": "모델의 일부를 고정."},
    "clip_grad": {
        "en": "Cuts gradients that are too long, so that the training stays stable.",
        "ko": "너무 큰 기울기를 잘라 학습을 안정시킴.",
    },
}
