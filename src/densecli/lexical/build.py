"""Passages to a BM25 index (paper, section 4.2), scored and stored by bm25s."""

from collections.abc import Iterable
from pathlib import Path

import bm25s
import numpy as np
import orjson

from densecli.errors import ArtifactError
from densecli.lexical.analysis import Analysis, Analyzer
from densecli.lexical.bm25 import ANALYSIS
from densecli.records import Passage


def build(
    passages: Iterable[Passage],
    folder: Path,
    k1: float = 0.9,
    b: float = 0.4,
    analysis: Analysis | None = None,
) -> int:
    """Index title and text of `passages` together and return how many there were.

    Holds the whole collection's term numbers in memory: about 3 KB for a passage of 100 words.

    Args:
        passages: in row order.
        folder: an existing folder; the index's files go into it.
        k1: saturation of term frequency.
        b: weight of passage length.
        analysis: how text becomes terms; stored with the index.

    Raises:
        ArtifactError: there is no passage.
    """
    analyzer = Analyzer(analysis or Analysis())
    vocabulary: dict[str, int] = {}
    texts = (f"{passage.title}\n{passage.text}" for passage in passages)
    documents = [
        [vocabulary.setdefault(term, len(vocabulary)) for term in analyzer.terms(text)] for text in texts
    ]
    if not documents:
        raise ArtifactError(f"{folder}: no passages to index; run `densecli preprocess` first")
    index = bm25s.BM25(k1=k1, b=b, method="lucene", backend="numpy", csc_backend="numpy")
    with np.errstate(invalid="ignore"):  # a collection without a single term has a mean length of 0
        index.index((documents, vocabulary), create_empty_token=False, show_progress=False)
    index.save(folder, show_progress=False)
    (folder / ANALYSIS).write_bytes(orjson.dumps(analyzer.analysis.to_json(), option=orjson.OPT_INDENT_2))
    return len(documents)
