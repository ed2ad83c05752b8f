"""Articles to passages (paper, section 4.1)."""

from collections import Counter
from collections.abc import Iterable, Iterator

from densecli.configs.corpus import PreprocessConfig
from densecli.records import Article, Passage
from densecli.text.blocks import blocks


def preprocess(
    records: Iterable[Article | Passage], config: PreprocessConfig, counts: Counter[str]
) -> Iterator[Passage]:
    """Yield the passages of a corpus, in order.

    An article becomes disjoint blocks of `config.words` words with ids `<article id>#<number
    from 0>`; the last block may be shorter. A record that is a passage already stays as it is, and
    so does everything when `config.split` is off. Records without text are dropped and counted.
    """
    for record in records:
        counts["records"] += 1
        if not record.text.strip():
            counts["dropped_without_text"] += 1
        elif isinstance(record, Passage):
            yield record
        elif not config.split:
            yield Passage(record.id, record.title, record.text)
        else:
            for number, block in enumerate(blocks(record.text, config.words)):
                yield Passage(f"{record.id}#{number}", record.title, block)
