"""The vectors that a collection has of its passages, for training with a fixed passage tower."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import FloatArray, VectorStore
from densecli.artifacts.workspace import Workspace
from densecli.configs.training import TrainConfig
from densecli.errors import ArtifactError, UsageError
from densecli.models.folder import RetrieverConfig, is_model_folder, passage_fingerprint, read_model_config
from densecli.observer import Observer
from densecli.records import Passage


@dataclass(frozen=True)
class Stored:
    """Passages of a collection and their vectors: row i of one belongs to row i of the other."""

    passages: PassageStore
    vectors: VectorStore

    @classmethod
    def open(cls, passages: Path, vectors: Path, base: Path, config: TrainConfig) -> "Stored":
        """Open the vectors that the passage tower of the retriever in `base` made of a collection.

        Raises:
            ArtifactError: something is missing, the parts do not belong together, or the retriever that
                `config` asks for would give the passages other vectors.
        """
        if not is_model_folder(base):
            raise ArtifactError(
                f"{base}: not a retriever of densecli, so no stored vectors are known to be of its passage"
                f" encoder; run `densecli convert {base} --to retriever`, and embed with the result"
            )
        store, found = PassageStore.open(passages), VectorStore.open(vectors)
        if found.manifest.passages != store.fingerprint or len(found) != len(store):
            raise ArtifactError(
                f"{vectors}: has vectors of other passages than those in {passages}; run"
                " `densecli embed --force`"
            )
        if found.manifest.passage_tower != passage_fingerprint(base):
            raise ArtifactError(
                f"{vectors}: has vectors of another passage encoder than that of {base}; run"
                f" `densecli embed --retriever {base} --force`"
            )
        model_config = read_model_config(base, RetrieverConfig)
        usual = "cosine" if model_config.normalize else model_config.similarity
        similarity = usual if config.similarity == "auto" else config.similarity
        for name, made, asked in (
            ("similarity", usual, similarity),
            ("max_passage_tokens", model_config.max_passage_tokens, config.max_passage_tokens),
        ):
            if made != asked:
                raise ArtifactError(
                    f"{vectors}: made with `{name}={made}`, as {base} is, but {asked} is asked for; use"
                    f" `{name}={made}`"
                )
        return cls(store, found)

    def __len__(self) -> int:
        return len(self.passages)

    def row_of(self, passage: Passage) -> int | None:
        """Return the row of a passage, or None where the collection has none with its id, title and text."""
        row = self.passages.row_of(passage.id)
        if row is None:
            return None
        found = self.passages[row]
        return row if (found.title, found.text) == (passage.title, passage.text) else None

    def pool(self, rows: NDArray[np.int64], similarity: str) -> FloatArray:
        """Return vectors (n, d) of `rows` (n,) for `Objective.similarities` of that similarity.

        Cosines are the same for vectors of length 1 as for pooled ones. The component that `l2` adds for
        search is taken off again.
        """
        found = self.vectors.take(rows)
        return found[:, :-1] if similarity == "l2" else found


def find_stored(
    workspace: Workspace,
    config: TrainConfig,
    base: Path,
    passages: Path | None,
    vectors: Path | None,
    observer: Observer,
) -> Stored | None:
    """Return the named vectors, or the workspace's where the passage encoder of `base` made them.

    Raises:
        ArtifactError: vectors that are named, or needed for what is trained, are missing or do not fit.
        UsageError: vectors are named, but the passage encoder is trained too.
    """
    named = [name for name, path in (("vectors", vectors), ("passages", passages)) if path is not None]
    if not config.fixed_passage_encoder:
        if named:
            raise UsageError(f"`{named[0]}` has an effect only with `fixed_passage_encoder`")
        return None
    needed = bool(named) or config.compares_index or config.validate_by == "search"
    if not needed and not workspace.vectors.exists():
        return None
    try:
        return Stored.open(passages or workspace.passages, vectors or workspace.vectors, base, config)
    except ArtifactError as error:
        if needed:
            raise
        observer.message(f"no stored vectors are used: {error}")
        return None
