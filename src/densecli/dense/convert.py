"""Vectors and dense indexes to and from the files of other programs."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import FloatArray, VectorStore
from densecli.dense.embeddings import read_embeddings, write_embeddings, write_encoded
from densecli.dense.index import DenseIndex
from densecli.dense.interchange import index_files, open_foreign_index, take_over, write_index
from densecli.dense.rows_by_id import PassageRows, place_vectors
from densecli.errors import ArtifactError
from densecli.models.bert import read_config
from densecli.models.folder import RetrieverConfig, fingerprint, passage_fingerprint, read_model_config
from densecli.records import Passage


@dataclass(frozen=True)
class RetrieverIdentity:
    """The retriever that made the vectors: its fingerprint, what ties them to it, and their length d."""

    fingerprint: str
    passage_tower: str
    dimension: int

    @classmethod
    def of(cls, retriever: Path) -> "RetrieverIdentity":
        """Read what identifies a retriever folder.

        Raises:
            ArtifactError: it is no densecli retriever.
        """
        model_config = read_model_config(retriever, RetrieverConfig)
        hidden = int(read_config(retriever / model_config.tower("passage"))["hidden_size"])
        return cls(fingerprint(retriever), passage_fingerprint(retriever), model_config.dimension(hidden))


def take_vectors(
    source: Path,
    rows: PassageRows,
    maker: RetrieverIdentity,
    folder: Path,
    shard_rows: int,
    counts: Counter[str],
    allow_missing: bool,
) -> None:
    """Write the shards of a vector store: of embedding files, or of an index that holds its vectors.

    Raises:
        ArtifactError: a file is missing, damaged, or holds anything but ids and vectors; or vectors and
            passages, or vectors and retriever, do not belong together.
    """
    pairs: Iterable[tuple[str, FloatArray]]
    if index_files(source):
        pairs = open_foreign_index(source, maker.dimension).pairs()
    else:
        pairs = _of_length(read_embeddings([source]), maker.dimension)
    place_vectors(pairs, rows, folder, shard_rows, counts, allow_missing)


def take_index(
    source: Path,
    rows: PassageRows,
    maker: RetrieverIdentity,
    folder: Path,
    counts: Counter[str],
    allow_missing: bool,
) -> str:
    """Write an index of ours of one of DPR or Pyserini; return its kind.

    Raises:
        ArtifactError: index and passages, or index and retriever, do not belong together.
    """
    found = open_foreign_index(source, maker.dimension)
    take_over(found, rows, folder, counts, allow_missing)
    return found.kind


def input_files(source: Path) -> list[Path]:
    """Return the files, or the folder, that are read of `source`."""
    return list(index_files(source) or [source])


def open_made(source: Path, what: str, store: PassageStore) -> VectorStore | DenseIndex:
    """Open `vectors` or an `index` of ours.

    Raises:
        ArtifactError: it is missing or damaged, or was made over other passages than `store`.
    """
    made = VectorStore.open(source) if what == "vectors" else DenseIndex.open(source)
    if made.manifest.passages != store.fingerprint:
        raise ArtifactError(
            f"{source} was made over other passages ({made.manifest.passages[:12]}) than {store.folder} has"
            f" ({store.fingerprint[:12]}); name the store it was made over with `passages`"
        )
    return made


def write_for(
    program: str, made: VectorStore | DenseIndex, store: PassageStore, folder: Path, prefix: str
) -> int:
    """Write vectors or an index with the ids of its passages for another program; return how many.

    Vectors become a pickled shard for each of ours (`dpr`), or JSONL (`pyserini`).

    Args:
        program: `dpr` or `pyserini`.
        made: from `open_made`.
        store: the passages.
        folder: an existing folder.
        prefix: put before the ids that do not begin with it.

    Raises:
        ArtifactError: the vectors or the index are damaged.
        InputError: the program cannot say an id.
    """
    if isinstance(made, DenseIndex):
        write_index(made.folder, _ids(store, prefix, 0, len(store)), folder, program)
        return len(store)
    if program == "pyserini":
        write_encoded(folder / "embeddings.jsonl", _with_passages(made, store, prefix))
        return made.shape[0]
    for number, (first, shard) in enumerate(made.shards()):
        ids = _ids(store, prefix, first, first + len(shard))
        write_embeddings(folder / f"passages_{number}", zip(ids, shard, strict=True))
    return made.shape[0]


def _of_length(pairs: Iterable[tuple[str, FloatArray]], dimension: int) -> Iterator[tuple[str, FloatArray]]:
    for passage_id, vector in pairs:
        if len(vector) != dimension:
            raise ArtifactError(
                f"the vectors have {len(vector)} components, the retriever's have {dimension}; name the"
                " retriever that made them with `retriever`"
            )
        yield passage_id, vector


def _ids(store: PassageStore, prefix: str, first: int, end: int) -> Iterator[str]:
    for _, passages in store.blocks(first, end):
        for passage in passages:
            yield prefix + passage.id.removeprefix(prefix)


def _with_passages(
    vectors: VectorStore, store: PassageStore, prefix: str
) -> Iterator[tuple[Passage, FloatArray]]:
    for first, shard in vectors.shards():
        passages = (one for _, block in store.blocks(first, first + len(shard)) for one in block)
        for one, vector in zip(passages, shard, strict=True):
            yield replace(one, id=prefix + one.id.removeprefix(prefix)), vector
