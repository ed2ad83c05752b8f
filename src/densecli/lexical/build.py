"""Passages to a BM25 index (paper, section 4.2): segments made by all cores, then merged."""

import multiprocessing
import os
import shutil
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from threading import Thread

import orjson

from densecli.batches import batched
from densecli.errors import ArtifactError, ResourceError
from densecli.lexical.analysis import Analysis, Analyzer
from densecli.lexical.merge import merge
from densecli.lexical.segment import count_terms
from densecli.lexical.stored import Settings, write_best
from densecli.records import Passage

BLOCK = 32_768  # passages in a segment


def build(
    passages: Iterable[Passage],
    folder: Path,
    k1: float = 0.9,
    b: float = 0.4,
    analysis: Analysis | None = None,
    plan: str = "",
    workers: int | None = None,
) -> int:
    """Index title and text of `passages` together and return how many there were.

    Streams: a block of passages for each worker is in memory at a time, and about 50 bytes for each term
    that is new to its block.

    Args:
        passages: in row order.
        folder: an existing folder; the index's files go into it.
        k1: saturation of term frequency.
        b: weight of passage length.
        analysis: how text becomes terms; stored with the index.
        plan: a fingerprint of the passages. Segments that an interrupted run of the same plan left in
            `folder` are not made again; without a plan all are.
        workers: processes that analyse; one for each core by default.

    Raises:
        ArtifactError: there is no passage.
        ResourceError: a worker process died.
    """
    analysis = analysis or Analysis()
    segments = _prepare(folder / "segments", plan, analysis)
    texts = (f"{passage.title}\n{passage.text}" for passage in passages)
    folders, count = [], 0
    for path, size in _write_segments(texts, segments, analysis, workers or os.cpu_count() or 1):
        folders.append(path)
        count += size
    if not count:
        raise ArtifactError(f"{folder}: no passages to index; run `densecli preprocess` first")
    settings = Settings(count, merge(folders, folder), k1, b, analysis)
    write_best(folder, settings)
    settings.write(folder)
    shutil.rmtree(segments)
    return count


def _prepare(segments: Path, plan: str, analysis: Analysis) -> Path:
    """Return the folder of segments, without those of another plan."""
    marker = segments / "plan"
    content = orjson.dumps([plan, BLOCK, analysis.to_json()])
    if not plan or not marker.exists() or marker.read_bytes() != content:
        shutil.rmtree(segments, ignore_errors=True)
        segments.mkdir()
        marker.write_bytes(content)
    return segments


def _write_segments(
    texts: Iterable[str], segments: Path, analysis: Analysis, workers: int
) -> Iterator[tuple[Path, int]]:
    """Yield the folder and the number of passages of each segment, in row order, once it is written."""
    blocks = (
        (segments / f"{number:06d}", number * BLOCK, block, analysis)
        for number, block in enumerate(batched(texts, BLOCK))
    )
    head = list(islice(blocks, 2))
    if len(head) < 2 or workers == 1:  # processes take longer to start than one block to do
        yield from (_write_segment(*block) for block in chain(head, blocks))
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_worker)
    waiting: deque[Future[tuple[Path, int]]] = deque()
    try:
        for block in chain(head, blocks):
            waiting.append(pool.submit(_write_segment, *block))
            if len(waiting) > workers + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise ResourceError(
            "a process that indexes words was killed, mostly for want of memory; run the same command again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _write_segment(path: Path, first_row: int, texts: list[str], analysis: Analysis) -> tuple[Path, int]:
    if not path.exists():
        count_terms(texts, _analyzer(analysis), first_row).write(path)
    return path, len(texts)


@lru_cache(maxsize=1)
def _analyzer(analysis: Analysis) -> Analyzer:
    return Analyzer(analysis)


def _start_worker() -> None:
    """Leave an interruption to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    Thread(target=follow, daemon=True).start()
