"""A trainer as the platform starts it, which also writes down its process's CPU seconds at the begin of each epoch.

``python timed.py FILE visionai.trainers NAME train`` appends one line of JSON to FILE at the end of the epochs.
"""

from __future__ import annotations

import functools
import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from visionai.trainers import __main__ as entry


def main(file: Path, argv: list[str]) -> int:
    marks: list[float] = []

    def marking(function: Callable[..., Any], *, last: bool = False) -> Callable[..., Any]:
        @functools.wraps(function)
        def marked(*arguments: Any) -> Any:
            marks.append(time.process_time())
            if last:
                with file.open("a") as out:
                    out.write(json.dumps({"marks": marks}) + "\n")
            return function(*arguments)

        return marked

    train = entry._train

    def timed_train(package: str, *arguments: Any) -> Any:
        module: Any = importlib.import_module(f"{package}.train")
        module.train_epoch = marking(module.train_epoch)
        module.finish = marking(module.finish, last=True)
        return train(package, *arguments)

    entry._train = timed_train  # type: ignore[assignment]
    return entry.main(argv)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
