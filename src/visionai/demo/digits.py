"""The demo's images: scikit-learn's handwritten digits, which need no download."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path


def write_digits(path: Path) -> Path:
    """scikit-learn's 1,797 digits, 8×8 pixels, as a zip of ``digits/<digit>/<n>.png``."""
    from PIL import Image  # noqa: PLC0415  (only where it is needed: the rest of the demo is a client)
    from sklearn.datasets import load_digits  # noqa: PLC0415

    digits = load_digits()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for n, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
            png = io.BytesIO()
            Image.fromarray((pixels * 255 / 16).astype("uint8")).save(png, "PNG")
            archive.writestr(f"digits/{label}/{n:04}.png", png.getvalue())
    return path
