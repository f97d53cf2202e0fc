"""What may be wrong with a data set, each kind of fault in one place, and the book that collects them."""

from __future__ import annotations

from typing import Literal

import msgspec

FILES_NAMED = 50

Severity = Literal["error", "warning", "info"]
ORDER: dict[str, int] = {"error": 0, "warning": 1, "info": 2}


class Kind(msgspec.Struct, frozen=True):
    """``message`` may hold ``{images}`` (``3 images``), ``{files}``, ``{are}`` and ``{have}`` (or ``is``, ``has``), and
    ``{what}``, which a note adds."""

    code: str
    severity: Severity
    message: str
    hint: str


class Fault(msgspec.Struct):
    code: str
    severity: Severity
    message: str
    hint: str
    files: list[str]
    file_count: int
    """How many files have it; ``files`` names the first of them."""


class FaultBook:
    def __init__(self) -> None:
        self._files: dict[tuple[Kind, str], list[str]] = {}
        self._counts: dict[tuple[Kind, str], int] = {}

    def note(self, kind: Kind, *files: str, what: str = "") -> None:
        """``files`` have this fault. Notes with the same ``what`` (for ``{what}``) make one entry."""
        key = (kind, what)
        named = self._files.setdefault(key, [])
        named.extend(files[: max(0, FILES_NAMED - len(named))])
        self._counts[key] = self._counts.get(key, 0) + len(files)

    def faults(self) -> list[Fault]:
        """The gravest first."""
        found = [self._fault(kind, what) for kind, what in self._files]
        return sorted(found, key=lambda f: (ORDER[f.severity], f.code, f.message))

    def _fault(self, kind: Kind, what: str) -> Fault:
        n = self._counts[kind, what]
        words = {
            "images": f"{n:,} image" + "s" * (n != 1),
            "files": f"{n:,} file" + "s" * (n != 1),
            "are": "is" if n == 1 else "are",
            "have": "has" if n == 1 else "have",
            "what": what,
        }
        return Fault(kind.code, kind.severity, kind.message.format(**words), kind.hint, self._files[kind, what], n)


REPLACE = "Replace or delete the file and upload again, or go on without it."

EMPTY_FILE = Kind("unreadable_image", "error", "{files} {are} empty (0 bytes) and left out.", REPLACE)
NOT_AN_IMAGE = Kind("unreadable_image", "error", "{files} {are} named like an image and {are} none; left out.", REPLACE)
TRUNCATED = Kind("unreadable_image", "error", "{images} {are} cut off before the end and left out.", REPLACE)
DAMAGED = Kind("unreadable_image", "error", "{images} {are} damaged ({what}) and left out.", REPLACE)
CRASHES = Kind("unreadable_image", "error", "{images} made the decoder crash and {are} left out.", REPLACE)
TOO_MANY_PIXELS = Kind(
    "image_too_large", "error", "{images} {have} more than {what} megapixels and {are} left out.",
    "Scale them down or cut them into tiles.",
)  # fmt: skip
WITHOUT_CLASS = Kind(
    "image_without_class", "warning", "{images} {are} in no class folder and left out.",
    "Move them into the folder of their class.",
)  # fmt: skip
OUTSIDE_SPLIT = Kind(
    "outside_split", "warning", "{images} {are} in none of the folders train, val and test and left out.",
    "Move them into train/<class> or val/<class>.",
)  # fmt: skip
TEST_AS_VAL = Kind(
    "test_used_for_validation", "info", "There is no val folder, so the {images} of test are used for validation.",
    "Add a val folder if test is to stay untouched.",
)  # fmt: skip
TEST_LEFT_OUT = Kind(
    "test_left_out", "info", "{images} of the test folder {are} left out, so that nothing is trained or tuned on them.",
    "Keep them for a test of the finished model.",
)  # fmt: skip
NESTED_FOLDERS = Kind(
    "nested_folders", "info", "{images} lie in folders below a class folder and count to that class.",
    "If these folders are classes of their own, move them up beside the others.",
)  # fmt: skip
LINKS = Kind(
    "links_skipped", "warning", "{files} {are} only links or devices in the archive and left out.",
    "Pack the files themselves (tar --dereference, zip without -y).",
)  # fmt: skip
NESTED_ARCHIVES = Kind(
    "nested_archive", "warning", "{files} {are} an archive inside the archive and {are} not opened.",
    "Unpack the inner archive and pack its folders directly.",
)  # fmt: skip
OTHER_FILES = Kind("other_files", "info", "{files} {are} of a type that is not imported.", "Nothing to do.")
NAME_UNUSABLE = Kind(
    "unusable_name", "warning", "{files} {have} a name that is too long or holds control characters; left out.",
    "Rename them: at most 200 characters per folder and 1,000 in all.",
)  # fmt: skip
NAME_UNDECODABLE = Kind(
    "undecodable_name", "warning", "{files} {have} a name in an unknown encoding; unreadable letters show as \ufffd.",
    "Pack with UTF-8 names.",
)  # fmt: skip
DUPLICATE_NAME = Kind(
    "duplicate_name", "info", "{files} {are} in the archive more than once under one name; the first counts.",
    "Pack the folder again from scratch.",
)  # fmt: skip
DUPLICATES = Kind(
    "duplicate_image", "info", "{images} {are} an exact copy of another of the same class; copies stay in one split.",
    "Delete the copies unless they are meant to count more.",
)  # fmt: skip
CONFLICTS = Kind(
    "conflicting_labels", "warning", "{images} lie with exactly the same content in several classes.",
    "Keep each in the one class it belongs to: a model cannot learn both.",
)  # fmt: skip
LEAKS = Kind(
    "duplicate_across_splits", "warning", "{images} of val {are} also in train; they count to train only.",
    "Validation on images that were trained on shows too good a result: replace them.",
)  # fmt: skip
EMPTY_CLASS = Kind("empty_class", "warning", "The class {what} has no readable image and is left out.",
                   "Add images to it or delete the folder.")  # fmt: skip
TINY_CLASS = Kind("tiny_class", "warning", "These classes have very few images: {what}.",
                  "From about 20 images per class on a model has a chance; 100 are a good start.")  # fmt: skip
NO_VALIDATION = Kind(
    "no_validation", "error", "No image is left to validate on, so nothing can be trained on this data set.",
    "Give a class at least two different images; about 20 for each is where a model has a chance.",
)  # fmt: skip
NO_TRAINING = Kind(
    "no_training", "error", "No image is left to train on.",
    "Add images to the train folder, or pack without folders for splits.",
)  # fmt: skip
NO_VAL = Kind("class_without_val", "warning", "These classes have no image in val: {what}.",
              "Without one their accuracy cannot be measured: add some.")  # fmt: skip
NO_TRAIN = Kind("class_without_train", "warning", "These classes have images in val and none in train: {what}.",
                "A model cannot learn them: add images to train.")  # fmt: skip
IMBALANCE = Kind("class_imbalance", "warning", "The classes are very unequal: {what}.",
                 "Add images to the small classes; accuracy over all classes hides how badly they do.")  # fmt: skip
SIMILAR_NAMES = Kind("similar_class_names", "warning", "These class names differ in case or spaces only: {what}.",
                     "If they mean the same, put them into one folder.")  # fmt: skip
MIXED_SIZES = Kind("mixed_sizes", "info", "Image sizes differ widely: {what}.",
                   "All are scaled to one size for training; details of the large ones may vanish.")  # fmt: skip
MIXED_COLOURS = Kind("mixed_colours", "info", "Grey and colour images are mixed: {what}.",
                     "If one class is mostly grey, a model learns the colour and not the object.")  # fmt: skip
EXTREME_SHAPE = Kind("extreme_aspect_ratio", "info", "One side is more than five times the other in {images}.",
                     "Much of them is cut off or squeezed in training: crop them first.")  # fmt: skip
ROTATED = Kind("exif_rotation", "info", "{images} {are} turned by their EXIF orientation, which was applied.",
               "Nothing to do.")  # fmt: skip
ANIMATED = Kind("animated_image", "warning", "{images} {have} several frames; the first is used.",
                "Export the frames as single images if all of them matter.")  # fmt: skip
WRONG_SUFFIX = Kind("wrong_suffix", "info", "{images} {are} of another format than the name says; read by content.",
                    "Nothing to do here, but other tools may stumble.")  # fmt: skip
