"""Words spelled wrong: the one known word that is a letter or two away.

Digits are never guessed (``resnet81`` is not ``resnet18``), nor is the first letter, nor a word that would cancel or
confirm something.
"""

from __future__ import annotations

from collections.abc import Mapping

SHORTEST = 4
GUESSABLE = {"train", "verb", "task", "setting", "option", "dataset", "datasets", "model", "models", "preset"}
MAX_LOOKUPS = 12  # a message; each is a pass over all names


def closest(word: str, known: Mapping[str, object]) -> str | None:
    """The known word that ``word`` must be meant for; None where none is near enough, or where two are equally near
    and mean different things."""
    if len(word) < SHORTEST or not word.isascii():
        return None
    allowed, digits = 1 if len(word) < 8 else 2, _digits(word)
    near: dict[str, int] = {}
    for name in known:
        if name[:1] == word[0] and abs(len(name) - len(word)) <= allowed and _digits(name) == digits:
            away = distance(word, name)
            if away <= allowed:
                near[name] = away
    best = min(near.values(), default=0)
    nearest = [name for name, away in near.items() if away == best]
    return nearest[0] if nearest and all(known[name] == known[nearest[0]] for name in nearest) else None


def distance(a: str, b: str) -> int:
    """Letters to insert, leave out, replace, or swap with their neighbour."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            steps = [rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (x != y)]
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                steps.append(rows[-2][j - 2] + 1)
            row.append(min(steps))
        rows.append(row)
    return rows[-1][-1]


def _digits(word: str) -> str:
    return "".join(character for character in word if character.isdigit())
