"""Passages to a BM25 index (paper, section 4.2): segments made by all cores, then merged."""

import shutil
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from itertools import chain, islice
from pathlib import Path

import orjson

from densecli.batches import batched
from densecli.configs.corpus import IndexConfig
from densecli.errors import ArtifactError
from densecli.files.atomic import remove
from densecli.files.parallel import cores, map_ordered
from densecli.files.pieces import Pieces
from densecli.lexical.analysis import Analysis, Analyzer
from densecli.lexical.merge import merge
from densecli.lexical.segment import count_terms
from densecli.lexical.stored import Settings, write_best
from densecli.records import Passage

BLOCK = 32_768  # passages in a segment
Block = tuple[Path, int, list[str]]
"""Where a segment goes, its first row, and its texts."""


def build(
    passages: Iterable[Passage],
    folder: Path,
    k1: float = IndexConfig.k1,
    b: float = IndexConfig.b,
    analysis: Analysis | None = None,
    plan: str = "",
    workers: int | None = None,
) -> int:
    """Index title and text of `passages` together and return how many there were.

    Streams: two blocks of passages for each worker are in memory at a time, and about 50 bytes for each term
    that is new to its block.

    Args:
        passages: the passages in row order.
        folder: an existing folder; the index's files go into it, and what else is there is removed.
        k1: saturation of term frequency.
        b: weight of passage length.
        analysis: how text becomes terms; stored with the index.
        plan: a fingerprint of the passages. Segments that an interrupted run of the same plan left in
            `folder` are not made again; without a plan all are.
        workers: processes that analyze; one for each core by default.

    Raises:
        ArtifactError: there is no passage.
        ResourceError: a worker process was ended from outside.
    """
    analysis = analysis or Analysis()
    segments = folder / "segments"
    for left in folder.iterdir():
        if left != segments:  # of another command that was interrupted here
            remove(left)
    segments.mkdir(exist_ok=True)
    # k1 and b are left out: segments hold counts, so they serve for other parameters
    whole_plan = orjson.dumps([plan, BLOCK, analysis.to_json()]).decode() if plan else ""
    pieces = Pieces(segments, "{:06d}".format, whole_plan)
    texts = (f"{passage.title}\n{passage.text}" for passage in passages)
    folders, count = [], 0
    for path, size in _write_segments(texts, pieces, analysis, workers or cores()):
        folders.append(path)
        count += size
    if not count:
        raise ArtifactError(f"{folder}: no passages to index; run `densecli preprocess` first")
    try:
        settings = Settings(count, merge(folders, folder), k1, b, analysis)
        write_best(folder, settings)
    except (FileNotFoundError, ValueError, IndexError, OverflowError) as error:
        shutil.rmtree(segments)
        raise ArtifactError(
            f"{folder}: damaged unfinished work ({error}) is removed; run the same command again"
        ) from None
    # last, so that an index without it is not whole
    settings.write(folder)
    shutil.rmtree(segments)
    return count


def _write_segments(
    texts: Iterable[str], pieces: Pieces, analysis: Analysis, workers: int
) -> Iterator[tuple[Path, int]]:
    """Yield the folder and the number of passages of each segment, in row order, once it is written."""
    blocks = (
        (pieces.path(number), number * BLOCK, block) for number, block in enumerate(batched(texts, BLOCK))
    )
    head = list(islice(blocks, 2))
    alone = len(head) < 2  # processes take longer to start than one block to do
    write = partial(_write_segment, analysis)
    yield from map_ordered(write, chain(head, blocks), 1 if alone else workers, ahead=2)


def _write_segment(analysis: Analysis, block: Block) -> tuple[Path, int]:
    path, first_row, texts = block
    if not path.exists():
        count_terms(texts, _analyzer(analysis), first_row).write(path)
    return path, len(texts)


@lru_cache(maxsize=1)
def _analyzer(analysis: Analysis) -> Analyzer:
    return Analyzer(analysis)
