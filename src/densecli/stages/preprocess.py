"""Corpora to passages (paper, section 4.1), on all cores and in the order of the input."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from densecli.configs.corpus import PreprocessConfig
from densecli.errors import FieldError, InputError
from densecli.io.corpora.source import Dropped, Parsed, Source
from densecli.io.parallel import ordered
from densecli.io.store.progress import EXAMPLES
from densecli.records import Article, Passage
from densecli.text.blocks import blocks

BLOCK_SIZE = 1 << 20
BLOCK_RECORDS = 1024
ALONE = 4
"""Blocks that this process does itself, before others are started for the rest."""
REASON = re.compile(r"('[^']*' is \w+|[^(]*[^( ])")


@dataclass(frozen=True, slots=True)
class RawBlock:
    """Raw records of one source that are parsed and cut together.

    Attributes:
        name: of the source.
        parse: what makes a record of a payload.
        first: the number of the first record, from 1 over all sources.
        records: each with its place.
        broken: why the source ends here, before its time.
    """

    name: str
    parse: Callable[[Any], Parsed]
    first: int
    records: list[tuple[int | None, Any]]
    broken: str = ""


@dataclass(slots=True)
class Cut:
    """What became of a block of raw records.

    Attributes:
        name: of the source.
        records: how many raw records it had.
        columns: the passages they were cut into, in order: ids, titles, texts, ids of articles, offsets.
        places: of the record of each passage.
        counts: what was read, and what was dropped or skipped, by reason.
        errors: the first records that were skipped, as `file:line: what; expected`.
        failure: what the run stops for, as InputError takes it.
    """

    name: str
    records: int
    columns: tuple[list[str], list[str], list[str], list[str], list[int]]
    places: list[int | None] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    failure: tuple[str, int | None, str, str] | None = None


def preprocess(
    sources: Iterable[Source], config: PreprocessConfig, workers: int = 1, done: int = 0
) -> Iterator[Cut]:
    """Yield what becomes of the raw records, a block of about a MiB at a time, in order.

    The blocks are the same whatever the number of workers, and so is what they hold.

    Args:
        sources: read in this process, one after the other.
        config: how articles are cut, and what bad records do.
        workers: processes that parse and cut.
        done: so many raw records are passed over, since an earlier run has done them.

    Raises:
        InputError: a record cannot be used, and `config.on_error` is `stop`.
    """
    for cut in ordered(partial(cut_block, config), raw_blocks(sources, config, done), workers, ALONE):
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
        held: list[tuple[int | None, Any]] = []
        size = 0
        broken = ""
        try:
            for number, (place, payload) in enumerate(source.raw, number + 1):  # noqa: B020 - counts on
                if number <= done:
                    continue
                if size >= BLOCK_SIZE or len(held) == BLOCK_RECORDS:
                    yield RawBlock(source.name, source.parse, number - len(held), held)
                    held, size = [], 0
                held.append((place, payload))
                size += source.size(payload)
        except InputError as error:
            if config.on_error == "stop":
                if held:
                    yield RawBlock(source.name, source.parse, number + 1 - len(held), held)
                raise
            broken = str(error) if number > done or not done else ""
        if held or broken:
            yield RawBlock(source.name, source.parse, number + 1 - len(held), held, broken)


def cut_block(config: PreprocessConfig, block: RawBlock) -> Cut:
    """Parse the records of a block and cut them into passages: what a worker process does."""
    cut = Cut(block.name, len(block.records), ([], [], [], [], []))
    ids, titles, texts, articles, offsets = cut.columns
    for number, (place, payload) in enumerate(block.records, block.first):
        cut.counts["records"] += 1
        try:
            record = block.parse(payload)
        except FieldError as error:
            problem = (block.name, place, error.what, error.expected)
            if config.on_error == "stop":
                cut.failure = problem
                return cut
            _skip(cut, reason_of(error), str(InputError(*problem)))
            continue
        if isinstance(record, Dropped):
            cut.counts[f"dropped_{record.reason}"] += 1
            continue
        if not record.id:
            record = replace(record, id=str(number))
        before = len(ids)
        for passage_id, text, offset in split(record, config, cut.counts):
            ids.append(passage_id)
            texts.append(text)
            offsets.append(offset)
        found = len(ids) - before
        titles += [record.title] * found
        articles += [record.id] * found
        cut.places += [place] * found
    if block.broken:
        _skip(cut, "rest of a broken file", block.broken)
    return cut


def split(
    record: Article | Passage, config: PreprocessConfig, counts: Counter[str]
) -> Iterator[tuple[str, str, int]]:
    """Yield the id and the text of each passage of a record, and how many of its words come before.

    An article becomes blocks of `config.words` words with ids `<article id>#<number from 0>`. A record that
    is a passage already stays as it is, and so does everything when `config.split` is off. What has no text
    or too few words is dropped and counted.
    """
    if not record.text or record.text.isspace():
        counts["dropped_without_text"] += 1
    elif isinstance(record, Passage) or not config.split:
        yield record.id, record.text, 0
    else:
        least = config.words if config.tail == "drop" else config.min_words
        found = blocks(record.text, config.words, config.stride, config.tail == "wrap")
        for number, (offset, words, text) in enumerate(found):
            if words < least:
                counts["dropped_too_short"] += 1
            else:
                yield f"{record.id}#{number}", text, offset


def reason_of(error: FieldError) -> str:
    """Return what was wrong without what differs from record to record, to count it by."""
    found = REASON.match(error.what)
    return found[1] if found else error.what


def _skip(cut: Cut, reason: str, told: str) -> None:
    cut.counts[f"skipped_{reason}"] += 1
    if len(cut.errors) < EXAMPLES:
        cut.errors.append(told)
