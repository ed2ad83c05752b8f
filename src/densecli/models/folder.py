"""A model folder: `model.json` says how text becomes vectors, and every stage obeys it."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import orjson

from densecli.errors import ArtifactError
from densecli.files.names import require_utf8_name

CARD = "model.json"
TOKENIZER = "tokenizer.json"
CONFIG = "config.json"
WEIGHTS = "weights.safetensors"
GRAPH = "graph.onnx"
WORDS = "words.safetensors"
PROJECTION = "encode_proj"
SCHEMA = 1
POOLINGS = ("cls", "mean")
SIMILARITIES = ("dot", "cosine", "l2")
TOKEN_TYPES = ("zeros", "segments")
SIDES = ("question", "passage")
# The bounds of `fingerprint`.
WHOLE_BYTES = 1 << 22
SAMPLES = 256
SAMPLE_BYTES = 4096
INNER = ("*", "1_Pooling/*", "question_encoder/*", "ctx_encoder/*")
PLAIN_SUFFIXES = (".json", ".safetensors", ".bin", ".txt")


@dataclass(frozen=True)
class RetrieverConfig:
    """How two towers turn questions and passages into vectors (paper, section 3.1).

    Search ranks by inner products for every similarity: vectors have length 1 for `cosine`, and one more
    component for `l2` (see `pooling.finish`). `normalize` scales vectors to length 1.

    `token_types` are all zeros, as DPR's are, or 1 behind the first separator (`segments`). With
    `trailing_sep` a separator is at the last position that the length allows, as in models trained by
    DPR 1.0. `projection` is the length to which a linear layer projects pooled vectors, 0 without such a
    layer. With `shared_encoder` the tower in `question` is the passages' too. `words` maps each side to its
    word-embedding table, a path relative to the folder.
    """

    pooling: str = "cls"
    normalize: bool = False
    similarity: str = "dot"
    max_question_tokens: int = 64
    max_passage_tokens: int = 256
    question_prefix: str = ""
    passage_prefix: str = ""
    token_types: str = "zeros"
    trailing_sep: bool = False
    projection: int = 0
    shared_encoder: bool = False
    words: Mapping[str, str] = field(default_factory=lambda: {side: f"{side}/{WORDS}" for side in SIDES})

    def tower(self, side: str) -> str:
        """Return the folder of a side's tower, relative to the model's."""
        return "question" if self.shared_encoder else side

    def last_position(self, side: str) -> int | None:
        """Return where a side's last token stands, for any length before it; None: right behind it."""
        limit = self.max_question_tokens if side == "question" else self.max_passage_tokens
        return limit - 1 if self.trailing_sep else None

    def dimension(self, hidden: int) -> int:
        """Return the length of the vectors that search sees, for hidden states of length `hidden`."""
        return (self.projection or hidden) + (self.similarity == "l2")

    def heads(self, hidden: int) -> dict[str, tuple[int, ...]]:
        """Return the projection's weights, stored with an encoder's and named as DPR names them."""
        if not self.projection:
            return {}
        return {f"{PROJECTION}.weight": (self.projection, hidden), f"{PROJECTION}.bias": (self.projection,)}


@dataclass(frozen=True)
class ReaderConfig:
    """How a reader sees question, title and passage (paper, section 6.1)."""

    max_tokens: int = 350
    max_answer_tokens: int = 10
    token_types: str = "zeros"
    words: Mapping[str, str] = field(default_factory=lambda: {"encoder": f"encoder/{WORDS}"})


ModelConfig = RetrieverConfig | ReaderConfig
C = TypeVar("C", RetrieverConfig, ReaderConfig)
KINDS: dict[type[ModelConfig], str] = {RetrieverConfig: "retriever", ReaderConfig: "reader"}
SUPPORTED = {"pooling": POOLINGS, "similarity": SIMILARITIES, "token_types": TOKEN_TYPES}
LATER = frozenset({"projection", "shared_encoder"})
"""Properties that older folders don't have: these models do without."""
OF_QUESTIONS = frozenset({"max_question_tokens", "question_prefix", "shared_encoder", "words"})
"""Properties that change no passage's vector."""


def read_model_config(folder: Path, card_type: type[C]) -> C:
    """Read and check `model.json`.

    Raises:
        ArtifactError: folder or file missing, of another kind or schema, or a property that is
            unknown, absent, of another type or not supported.
        UsageError: the folder's name is not UTF-8.
    """
    require_utf8_name(folder)
    row = _read_properties(folder)
    place = folder / CARD
    if row.get("schema") != SCHEMA:
        raise ArtifactError(
            f"{place}: schema {row.get('schema')!r}; this version reads schema {SCHEMA}: use the densecli"
            " that wrote it, or train again"
        )
    wanted = KINDS[card_type]
    if row.get("kind") != wanted:
        raise ArtifactError(f"{place}: a model of kind {row.get('kind')!r}; a {wanted} is needed here")
    values = {name: value for name, value in row.items() if name not in ("schema", "kind")}
    defaults = asdict(card_type())
    # written before these properties existed
    values = {name: default for name, default in defaults.items() if name in LATER} | values
    if set(values) != set(defaults):
        odd = sorted(set(values) ^ set(defaults))[0]
        state = "unknown" if odd in values else "missing"
        raise ArtifactError(f"{place}: property {odd!r} is {state}; write the folder again with densecli")
    for known in fields(card_type):
        _check_property(place, known.name, values[known.name], defaults[known.name])
    if values.get("similarity") == "cosine" and not values["normalize"]:
        raise ArtifactError(f"{place}: similarity is 'cosine' without normalize; write the folder again")
    return card_type(**values)


def write_model_config(folder: Path, model_config: ModelConfig) -> None:
    """Write `model.json`."""
    row = {"schema": SCHEMA, "kind": KINDS[type(model_config)], **asdict(model_config)}
    (folder / CARD).write_bytes(orjson.dumps(row, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def is_model_folder(folder: Path) -> bool:
    """Whether `folder` was written by densecli."""
    return (folder / CARD).is_file()


def is_compiled(folder: Path, tower: str = "question") -> bool:
    """Whether a tower of the model runs without torch."""
    return is_model_folder(folder) and (folder / tower / GRAPH).is_file()


def fingerprint(folder: Path) -> str:
    """Return what identifies the model in `folder`: a digest of everything that shapes its results.

    Files up to 4 MiB count whole, larger ones by size, head and 256 pages spread over them: models
    of gigabytes are distinguished in milliseconds, and a trained weight file differs everywhere.
    """
    return _digest(b"", _shaping_files(folder))


def passage_fingerprint(folder: Path) -> str:
    """Return what ties passage vectors to the retriever in `folder`: a digest of all that shapes them.

    Retrievers whose question towers alone differ, as those trained beside a fixed passage tower do (paper,
    appendix D), search the same vectors. So do models with normalized vectors, whether their similarity is
    called `cosine` or `dot`.
    """
    if not is_model_folder(folder):
        return fingerprint(folder)
    model_config = read_model_config(folder, RetrieverConfig)
    described = {name: value for name, value in asdict(model_config).items() if name not in OF_QUESTIONS}
    if model_config.similarity == "cosine":
        described["similarity"] = "dot"  # search compares normalized vectors by inner products in both cases
    tower = _tower_files(
        "passage", folder / model_config.tower("passage"), folder / model_config.words["passage"]
    )
    files = [(TOKENIZER, present(folder / TOKENIZER, "tokenizer")), *tower]
    return _digest(orjson.dumps(described, option=orjson.OPT_SORT_KEYS), files)


def _digest(described: bytes, files: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256(described)
    for name, path in files:
        # with name and size, so that the contents of two files cannot change places
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        for block in _sample(path):
            digest.update(block)
    return digest.hexdigest()[:32]


def _shaping_files(folder: Path) -> Iterator[tuple[str, Path]]:
    if not is_model_folder(folder):
        named = [path for inner in INNER for path in folder.glob(inner)]
        kept = [path for path in named if path.suffix in PLAIN_SUFFIXES]
        yield from sorted((path.relative_to(folder).as_posix(), path) for path in kept)
        return
    row = _read_properties(folder)
    words = row.get("words")
    if (
        not isinstance(words, dict)
        or not all(isinstance(one, str) for one in words.values())
        or (row.get("shared_encoder") and "question" not in words)
    ):
        raise ArtifactError(f"{folder / CARD}: has no paths of word tables; copy the model's folder again")
    yield CARD, folder / CARD
    yield TOKENIZER, present(folder / TOKENIZER, "tokenizer")
    alone = {"question"} if row.get("shared_encoder") else words.keys()
    for tower, table in sorted((name, words[name]) for name in alone):
        yield from _tower_files(tower, folder / tower, folder / table)


def _tower_files(name: str, tower: Path, words: Path) -> Iterator[tuple[str, Path]]:
    yield f"{name}/{CONFIG}", present(tower / CONFIG, "tower's config")
    yield f"{name}/{WEIGHTS}", present(tower / WEIGHTS, "tower's weights")
    yield f"{name}/{WORDS}", present(words, "word embeddings")


def _sample(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with open(path, "rb") as stream:
        if size <= WHOLE_BYTES:
            yield stream.read()
            return
        for number in range(SAMPLES):
            # spread from the first byte to the last, both included
            stream.seek(number * (size - SAMPLE_BYTES) // (SAMPLES - 1))
            yield stream.read(SAMPLE_BYTES)


def present(path: Path, what: str) -> Path:
    """Return `path` when it is a file.

    Raises:
        ArtifactError: names the missing part of the model.
    """
    if not path.is_file():
        raise ArtifactError(f"{path}: the {what} is missing; copy the whole model folder, or train again")
    return path


def _read_properties(folder: Path) -> dict[str, Any]:
    path = folder / CARD
    if not folder.is_dir():
        raise ArtifactError(
            f"{folder}: no such model folder; name one that `densecli train` or `densecli"
            " train-reader` made, or `starter`"
        )
    if not path.is_file():
        raise ArtifactError(f"{folder}: no {CARD} in it, so it is not a densecli model folder")
    try:
        row = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ArtifactError(f"{path}: broken JSON ({error}); copy the model folder again") from None
    if not isinstance(row, dict):
        raise ArtifactError(f"{path}: not a JSON object; copy the model folder again")
    return row


def _check_property(place: Path, name: str, value: object, default: object) -> None:
    if type(value) is not type(default):
        raise ArtifactError(f"{place}: {name} is {value!r}; expected a {type(default).__name__}")
    if name in SUPPORTED and value not in SUPPORTED[name]:
        allowed = " or ".join(str(choice) for choice in SUPPORTED[name])
        raise ArtifactError(f"{place}: {name} is {value!r}; this version supports {allowed}")
    if isinstance(value, dict) and isinstance(default, dict):
        whole = set(value) == set(default) and all(isinstance(path, str) for path in value.values())
        if not whole:
            raise ArtifactError(f"{place}: {name} is {value!r}; expected a path for {', '.join(default)}")
    none = name == "projection" and value == 0
    if isinstance(value, int) and not isinstance(value, bool) and value < 2 and not none:
        raise ArtifactError(f"{place}: {name} is {value}; expected 2 or more")
