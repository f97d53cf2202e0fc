"""What people may call their things: anything that can be read as it was written, in any script.

Left out are control characters, NUL and line breaks among them, and the marks that turn the direction of writing or
cannot be seen: with them one name passes for another, in lists, in logs and in file names.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from msgspec import Meta

MOST = 200
UNFIT = r"\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
PLAIN = rf"^[^{UNFIT}]*(?!\n)$"
SAYS = "must not hold line breaks, control characters, or marks that are invisible or turn the direction of writing"

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MOST, pattern=PLAIN)]
OptionalName: TypeAlias = Annotated[str, Meta(max_length=MOST, pattern=PLAIN)]


def fault(name: str) -> str | None:
    """What is wrong about a name, in words; None if it may be used."""
    if len(name) > MOST:
        return f"must have {MOST} characters at most"
    return None if re.fullmatch(PLAIN, name) else SAYS


def cleaned(name: str) -> str:
    """What is left of a name without what it must not hold; perhaps nothing."""
    return re.sub(f"[{UNFIT}]", "", name)[:MOST].strip()
