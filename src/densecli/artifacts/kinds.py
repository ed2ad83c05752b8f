"""The kinds of artifacts, and what the manifest of each says."""

import platform
import sys
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import orjson

from densecli.artifacts.recipe import Recipe, digest_file
from densecli.artifacts.tuned_file import TUNED
from densecli.files.names import display_path
from densecli.version import __version__

NAME = "manifest.json"
FORMAT_VERSION = 2
LIBRARIES = (
    "numpy", "pyarrow", "torch", "transformers", "faiss-cpu", "PyStemmer", "onnxruntime", "openvino",
    "tokenizers",
)  # fmt: skip
HASHING = 4
"""Files that are digested at a time."""
M = TypeVar("M", bound="Manifest")


@dataclass(frozen=True)
class StoredFile:
    """A file of an artifact: its size, and its digest, which manifests of schema 1 did not have."""

    bytes: int
    sha256: str | None = None


@dataclass(frozen=True)
class Made:
    """When and with what an artifact was made: it does not change what the artifact is.

    Attributes:
        densecli: the version.
        versions: of Python and the libraries.
        finished: date and time in UTC.
        seconds: how long it took.
    """

    densecli: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    finished: str = ""
    seconds: float = 0.0

    @classmethod
    def now(cls, seconds: float = 0.0) -> "Made":
        """Return what is to say of an artifact that is made now."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(__version__, versions(), at, round(seconds, 3))


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The record of an artifact: what all kinds have.

    Attributes:
        fingerprint: names the content.
        recipe: what it was made from.
        counts: what was read, kept and dropped, by reason.
        made: when, and with what.
        files: its files by their paths in the folder; None if the version that wrote the manifest
            did not list them. Anything else in the folder is not densecli's.
    """

    kind: ClassVar[str]
    noun: ClassVar[str]
    rebuild: ClassVar[str]
    parents: ClassVar[tuple[str, ...]] = ()
    """Fields that hold fingerprints of the artifacts that this one belongs to."""

    fingerprint: str
    recipe: Recipe = field(default_factory=Recipe)
    counts: Mapping[str, int] = field(default_factory=dict)
    made: Made = field(default_factory=Made)
    files: Mapping[str, StoredFile] | None = None

    def write(self: M, folder: Path, without: Collection[str] = ()) -> M:
        """Write `manifest.json`, with the digests of all files in the folder, and return it. Call it last.

        Args:
            folder: the artifact.
            without: names in it that do not stay there.
        """
        found = sorted(
            path
            for path in folder.rglob("*")
            if path.is_file() and path.relative_to(folder).parts[0] not in {NAME, *TUNED, *without}
        )
        names = [display_path(path.relative_to(folder).as_posix()) for path in found]
        sizes = [path.stat().st_size for path in found]
        with ThreadPoolExecutor(HASHING) as pool:
            digests = pool.map(digest_file, found)
            files = dict(zip(names, map(StoredFile, sizes, digests), strict=True))
        made = self.made if self.made.densecli else Made.now()
        whole = replace(self, files=files, made=made)
        (folder / NAME).write_bytes(orjson.dumps(whole.to_json(), option=orjson.OPT_INDENT_2))
        return whole

    def to_json(self) -> dict[str, Any]:
        """Return the content of `manifest.json`."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in COMMON}
        parents = {name: own.pop(name) for name in self.parents}
        training = own.pop("training", None)
        names = {one: name for name, one in RENAMED.get(self.kind, {}).items()}
        facts = {names.get(name, name): value for name, value in own.items()}
        facts |= {} if training is None else training.to_json()
        return {
            "format_version": FORMAT_VERSION,
            "kind": self.kind,
            "densecli": self.made.densecli,
            "command": self.recipe.command,
            "config": dict(self.recipe.config),
            "fingerprint": self.fingerprint,
            "inputs": [one.to_json() for one in self.recipe.inputs],
            "parents": {name: value for name, value in parents.items() if value},
            "counts": dict(self.counts),
            "facts": {name: value for name, value in facts.items() if value is not None},
            "versions": dict(self.made.versions),
            "timing": {"finished": self.made.finished, "seconds": self.made.seconds},
            "files": None
            if self.files is None
            else {name: {"bytes": one.bytes, "sha256": one.sha256} for name, one in self.files.items()},
        }

    def check(self) -> None:
        """Check what the fields must have in common.

        Raises:
            ValueError: they contradict each other.
        """


COMMON = frozenset(one.name for one in fields(Manifest))


@dataclass(frozen=True, kw_only=True)
class PassagesManifest(Manifest):
    """A passage store; the fingerprint is the SHA-256 of all rows."""

    kind = "passages"
    noun = "the passage store"
    rebuild = "densecli preprocess"


@dataclass(frozen=True, kw_only=True)
class Bm25Manifest(Manifest):
    """A BM25 index over `passages`."""

    kind = "bm25"
    noun = "the BM25 index"
    rebuild = "densecli index --kind bm25"
    parents = ("passages",)

    passages: str


@dataclass(frozen=True, kw_only=True)
class VectorsManifest(Manifest):
    """Vectors of `passages` that `retriever` made.

    Attributes:
        retriever: its fingerprint.
        passage_tower: a digest of all that shapes the vector of a passage.
        passages: fingerprint of the store.
        rows: number of vectors.
        dimension: their length d.
        shards: number of files.
        arithmetic: engine and precision that computed them; vectors of others differ in the last digits.
    """

    kind = "vectors"
    noun = "the vector store"
    rebuild = "densecli embed"
    parents = ("retriever", "passage_tower", "passages")

    retriever: str
    passage_tower: str = ""
    passages: str
    rows: int
    dimension: int
    shards: int
    arithmetic: str = ""

    def check(self) -> None:
        """Check that there are not more shards than vectors."""
        if not 0 < self.dimension <= 1 << 20 or not min(self.rows, 1) <= self.shards <= self.rows:
            raise ValueError(f"{self.shards} shards of {self.rows} vectors of length {self.dimension}")


@dataclass(frozen=True, kw_only=True)
class IndexManifest(Manifest):
    """A dense index over `vectors`.

    Attributes:
        retriever: fingerprint of what made the vectors.
        passage_tower: a digest of all that shapes the vector of a passage.
        passages: fingerprint of the store.
        vectors: fingerprint of the vectors; empty where the index was taken over from another program.
        structure: `flat` or `hnsw`; called `kind` in the file.
        dimension: length d of the vectors.
    """

    kind = "index"
    noun = "the index"
    rebuild = "densecli index"
    parents = ("retriever", "passage_tower", "passages", "vectors")

    retriever: str
    passage_tower: str = ""
    passages: str
    vectors: str = ""
    structure: str
    dimension: int = 0


@dataclass(frozen=True, kw_only=True)
class ExamplesManifest(Manifest):
    """Training examples mined from `passages`."""

    kind = "examples"
    noun = "the set of examples"
    rebuild = "densecli mine-negatives"
    parents = ("passages",)

    passages: str = ""


@dataclass(frozen=True)
class TrainedSet:
    """A set of examples that was trained on: its name, its size, how often an epoch repeated it."""

    path: str
    examples: int
    rate: float
    batches: int


@dataclass(frozen=True)
class Training:
    """How a training went.

    Attributes:
        steps: updates done.
        steps_planned: updates that it would have had without an early stop.
        ended_early: whether it stopped early.
        loss: of the last update.
        cut: share of texts that were too long, by kind.
        pairs_left_out: questions with passages that equal one of their positives, and are no negatives.
        doubt: why the model may be of no use, in a sentence.
        validation: the last measures.
        best_validation: those of the model that was kept.
        best_step: the update after which it was.
        untrained: the measures before the first update.
        epochs: passes over the examples.
        sets: what was trained on.
    """

    steps: int = 0
    steps_planned: int = 0
    ended_early: bool = False
    loss: float = 0.0
    cut: Mapping[str, float] = field(default_factory=dict)
    pairs_left_out: int = 0
    doubt: str | None = None
    validation: Mapping[str, float | None] | None = None
    best_validation: Mapping[str, float | None] | None = None
    best_step: int | None = None
    untrained: Mapping[str, float | None] | None = None
    epochs: int | None = None
    sets: tuple[TrainedSet, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what is known."""
        row = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**row, "sets": [vars(one) for one in self.sets] or None}


@dataclass(frozen=True, kw_only=True)
class RetrieverManifest(Manifest):
    """A retriever.

    Attributes:
        training: how it was trained; None for a converted one.
        temperature: what its cosines were divided by in training.
    """

    kind = "retriever"
    noun = "the retriever"
    rebuild = "densecli train"

    training: Training | None = None
    temperature: float | None = None


@dataclass(frozen=True, kw_only=True)
class ReaderManifest(Manifest):
    """A reader.

    Attributes:
        retriever: fingerprint of the retriever that it was trained with, before that training.
        joint_retriever: fingerprint of that retriever after it, in the folder `retriever`.
        training: how it was trained; None for a converted one.
    """

    kind = "reader"
    noun = "the reader"
    rebuild = "densecli train-reader"
    parents = ("retriever",)

    retriever: str = ""
    joint_retriever: str | None = None
    training: Training | None = None


@dataclass(frozen=True, kw_only=True)
class ExportManifest(Manifest):
    """What `convert` wrote for another program."""

    kind = "export"
    noun = "the converted folder"
    rebuild = "densecli convert"


KINDS: dict[str, type[Manifest]] = {
    one.kind: one
    for one in (
        PassagesManifest, Bm25Manifest, VectorsManifest, IndexManifest, ExamplesManifest, RetrieverManifest,
        ReaderManifest, ExportManifest,
    )
}  # fmt: skip
RENAMED = {"index": {"kind": "structure"}, "reader": {"retriever": "joint_retriever"}}
"""Facts whose name in the file is another than that of the field: it is also that of the artifact, or of a
parent."""


@cache
def versions() -> Mapping[str, str]:
    """Return the versions of Python and of the libraries that shape results."""
    found = {"python": platform.python_version(), "platform": sys.platform}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
