"""How good a classifier is, from its probabilities. numpy alone."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from visionai.trainers.contract import ClassMetrics

TOP = 5
MAX_SCORES = 20_000_000
"""Above this many probabilities average precision is left out: sorting them would take longer than the epoch."""

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]


class Evaluation(NamedTuple):
    """``scores`` are probabilities, images × classes; ``targets`` class numbers."""

    loss: float
    scores: Floats
    targets: Ints

    def metrics(self) -> dict[str, float | None]:
        matrix = self.confusion()
        found = {"val/loss": self.loss, "val/accuracy": float(np.trace(matrix) / max(matrix.sum(), 1))}
        if self.scores.shape[1] > TOP:
            hits = (self.top() == self.targets[:, None]).any(axis=1)
            found["val/top5_accuracy"] = float(hits.mean())
        found["val/f1"] = _macro_f1(matrix)
        return dict(found)

    def confusion(self) -> Ints:
        """Counts; rows are true classes, columns predicted ones."""
        classes = self.scores.shape[1]
        cells = self.targets * classes + self.scores.argmax(axis=1)
        return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)

    def top(self) -> Ints:
        """The most probable classes of each image, best first."""
        return np.argsort(-self.scores, axis=1, kind="stable")[:, :TOP]

    def per_class(self, classes: list[str]) -> list[ClassMetrics]:
        matrix = self.confusion()
        right, predicted, support = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
        with_ap = self.scores.size <= MAX_SCORES
        return [
            ClassMetrics(
                class_=name,
                precision=_ratio(right[i], predicted[i]),
                recall=_ratio(right[i], support[i]),
                ap=_average_precision(self.scores[:, i], self.targets == i) if with_ap and support[i] else None,
                support=int(support[i]),
            )
            for i, name in enumerate(classes)
        ]


def _ratio(part: Any, whole: Any) -> float | None:
    return float(part / whole) if whole else None


def _macro_f1(matrix: Ints) -> float:
    """The mean over the classes that occur."""
    right, total = np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1)
    occurs = matrix.sum(axis=1) > 0
    return float((2 * right[occurs] / total[occurs]).mean()) if occurs.any() else 0.0


def _average_precision(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """The mean precision at the rank of each positive, images ordered by falling score."""
    ranked = positive[np.argsort(-scores, kind="stable")]
    ranks: Ints = np.flatnonzero(ranked) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).mean())
