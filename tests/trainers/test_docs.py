"""The published contract is true to the code: every name is in it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from visionai.trainers import contract as c

TEXT = (Path(__file__).parents[2] / "docs" / "trainer-contract.md").read_text()
STRUCTS = [c.Inputs, c.InputFile, c.InputDataset, c.Heartbeat, c.System, c.Event, c.Validation, c.PrimaryMetric]
STRUCTS += [c.ClassMetrics, c.LogBatch, c.LogLine, c.ArtifactRequest, c.Upload, c.Done, c.ErrorInfo, c.Manifest]
NAMES = [
    *[name.upper() for name in c.TrainerEnv.__struct_fields__],
    *c.ERROR_CODES,
    *c.TASKS,
    *get_args(c.ArtifactKind),
    *get_args(c.FileKind),
    *[field.encode_name for struct in [*STRUCTS, c.ModelEntry] for field in msgspec.structs.fields(struct)],
]


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"contract"}))
def test_every_name_is_documented(name: str) -> None:
    assert name in TEXT


def test_the_table_of_errors_says_what_the_code_says() -> None:
    for row in c.ERROR_CODES.values():
        line = next(line for line in TEXT.splitlines() if line.startswith(f"| `{row.code}` |"))
        _, _, retried, whose, *_ = (cell.strip() for cell in line.split("|"))
        assert retried.startswith("yes") == row.retried
        assert (whose == "the user's") == row.users_mistake
