"""Corpora to passages (paper, section 4.1), on all cores and in the order of the input."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import compress, groupby, islice
from typing import Any, NamedTuple

import numpy as np

from densecli.artifacts.passages.batch import PassageBatch, make_batch
from densecli.configs.corpus import PreprocessConfig
from densecli.corpus.source import Batch, Dropped, Parsed, Pruned, Source, batches_of
from densecli.corpus.word_blocks import blocks
from densecli.errors import FieldError, InputError
from densecli.files.bad_records import EXAMPLES, REST
from densecli.files.parallel import map_ordered
from densecli.records import Article, Passage

ALONE = 4
"""Blocks that this process does itself, before others are started for the rest."""
_Kept = tuple[Article | Passage, str, int | None]
"""A record, its id or its number, and its place."""


@dataclass(slots=True)
class RawBlock:
    """Raw records of one source that are parsed and cut together.

    Attributes:
        name: the name of the source.
        parse: what makes a record of a payload.
        first: the number of the first record, from 1 over all sources.
        records: each with its place.
        broken: why the source ends here, before its time.
    """

    name: str
    parse: Callable[[Any], Parsed]
    first: int
    records: Batch
    broken: str = ""


@dataclass(slots=True)
class CutBlock:
    """What became of a block of raw records.

    Attributes:
        name: the name of the source.
        records: how many raw records it had.
        passages: what they were cut into, in order.
        counts: what was read, and what was dropped or skipped, by reason.
        errors: the first records that were skipped, as `file:line: what; expected`.
        failure: what the run stops for, as InputError takes it.
    """

    name: str
    records: int
    passages: PassageBatch
    counts: Counter[str]
    errors: list[str] = field(default_factory=list)
    failure: tuple[str, int | None, str, str] | None = None


def preprocess(
    sources: Iterable[Source], config: PreprocessConfig, workers: int = 1, done: int = 0
) -> Iterator[CutBlock]:
    """Yield what becomes of the raw records, a block of about a MiB at a time, in order.

    The blocks are the same for any number of workers, and so is what they hold.

    Args:
        sources: read in this process, one after the other.
        config: how articles are cut, and what bad records do.
        workers: processes that parse and cut.
        done: raw records to skip, because an earlier run has done them.

    Raises:
        InputError: a record cannot be used, and `config.on_error` is `stop`.
    """
    for cut in map_ordered(partial(cut_block, config), raw_blocks(sources, config, done), workers, ALONE):
        if cut.failure is not None:
            raise InputError(*cut.failure)
        yield cut


def raw_blocks(sources: Iterable[Source], config: PreprocessConfig, done: int = 0) -> Iterator[RawBlock]:
    """Yield the raw records after the first `done`, in blocks of one source each.

    Raises:
        InputError: a source is broken, and `config.on_error` is `stop`.
    """
    number = 0
    for source in sources:
        last: RawBlock | None = None
        try:
            for batch in batches_of(source):
                first, number = number + 1, number + len(batch)
                # counted and not parsed: a resumed run only pays for reading
                if number <= done:
                    continue
                if last:
                    yield last
                rest = _after(batch, done + 1 - first)
                last = RawBlock(source.name, source.parse, max(first, done + 1), rest)
        except InputError as error:
            if config.on_error == "stop":
                if last:
                    yield last
                raise
            if number > done or not done:
                last = last or RawBlock(source.name, source.parse, number + 1, [])
                last.broken = str(error)
        if last:
            yield last


def _after(batch: Batch, passed: int) -> Batch:
    return list(islice(batch, passed, None)) if passed > 0 else batch


def cut_block(config: PreprocessConfig, block: RawBlock) -> CutBlock:
    """Parse the records of a block and cut them into passages: what a worker process does."""
    counts = Counter(records=len(block.records))
    errors: list[str] = []
    failure = None
    kept: list[_Kept] = []
    for number, (place, payload) in enumerate(block.records, block.first):
        try:
            record = block.parse(payload)
        except FieldError as error:
            problem = (*(error.place or (block.name, place)), error.what, error.expected)
            if config.on_error == "stop":
                failure = problem
                break
            counts[f"skipped_{error.code}"] += 1
            errors.append(str(InputError(*problem)))
            continue
        if isinstance(record, Pruned):
            counts.update({f"left_out_{kind}": times for kind, times in record.left_out.items()})
            record = record.article
        if isinstance(record, Dropped):
            counts[f"dropped_{record.reason}"] += 1
        else:
            # the number over all sources, so that made ids are the same for any number of workers
            kept.append((record, record.id or str(number), place))
    if block.broken:
        counts[f"skipped_{REST}"] += 1
        errors.append(block.broken)
    passages = _passages(kept, config, counts)
    return CutBlock(block.name, len(block.records), passages, counts, errors[:EXAMPLES], failure)


def _passages(kept: list[_Kept], config: PreprocessConfig, counts: Counter[str]) -> PassageBatch:
    """Return the passages of records, in order."""
    ids: list[str] = []
    titles: list[str] = []
    texts: list[str] = []
    articles: list[str] = []
    offsets: list[int] = []
    places: list[int | None] = []
    # in runs: articles are cut many at a time, and the order of the input stays
    for whole, run in groupby(kept, lambda one: not config.split or isinstance(one[0], Passage)):
        records = list(run)
        found = _whole(records, counts) if whole else _cut(records, config, counts)
        ids += found.ids
        texts += found.texts
        offsets += found.offsets
        titles += [records[owner][0].title for owner in found.owners]
        articles += [records[owner][1] for owner in found.owners]
        places += [records[owner][2] for owner in found.owners]
    counts["passages_without_title"] += titles.count("")
    columns: list[list[Any]] = [ids, titles, texts]
    if config.keep_offsets:
        columns += [articles, offsets]
    return make_batch(columns, places)


class _Found(NamedTuple):
    """Passages of some records: `owners` are the records' numbers among them."""

    ids: list[str]
    texts: Sequence[str]
    owners: list[int]
    offsets: list[int]


def _whole(records: list[_Kept], counts: Counter[str]) -> _Found:
    """Return records that are passages already, unchanged; those without text are dropped and counted."""
    owners = [number for number, (one, _, _) in enumerate(records) if one.text and not one.text.isspace()]
    counts["dropped_without_text"] += len(records) - len(owners)
    texts = [records[owner][0].text for owner in owners]
    return _Found([records[owner][1] for owner in owners], texts, owners, [0] * len(owners))


def _cut(records: list[_Kept], config: PreprocessConfig, counts: Counter[str]) -> _Found:
    """Return articles as blocks of `config.words` words with ids `<article id>#<number from 0>`.

    What has no text or too few words is dropped and counted.
    """
    articles = [record.text for record, _, _ in records]
    found = blocks(articles, config.words, config.stride, config.tail == "wrap")
    kept = found.words >= (config.words if config.tail == "drop" else config.min_words)
    counts["dropped_without_text"] += len(records) - int(np.count_nonzero(found.numbers == 0))
    counts["dropped_too_short"] += len(kept) - int(np.count_nonzero(kept))
    owners, numbers, offsets = (part[kept].tolist() for part in (found.owners, found.numbers, found.offsets))
    ids = [f"{records[owner][1]}#{number}" for owner, number in zip(owners, numbers, strict=True)]
    return _Found(ids, list(compress(found.texts, kept.tolist())), owners, offsets)
