"""Search results in our format and in those of other programs."""

from collections import Counter
from collections.abc import Iterable
from typing import BinaryIO

from densecli.files.jsonl import encode_line
from densecli.records import RankedList


def write_results(
    ranked: Iterable[RankedList], stream: BinaryIO, form: str = "jsonl", with_text: bool = True
) -> None:
    """Write ranked lists as they come.

    Args:
        ranked: the results.
        stream: where they go.
        form: `jsonl`, or a format of another program, such as `trec` or `dpr`.
        with_text: whether JSON lines have title and text of passages.

    Raises:
        InputError: an id is empty or has a space.
    """
    if form == "jsonl":
        for one in ranked:
            stream.write(encode_line(one.to_json(with_text)))
        return
    from densecli.formats.convert import TARGETS, convert, locate_errors  # JSON lines need none of these
    from densecli.formats.known import RESULTS
    from densecli.formats.lookup import Lookup

    counts: Counter[str] = Counter()
    target = TARGETS[RESULTS, form]
    assert target.write is not None
    with locate_errors("search results", counts):
        target.write(convert(ranked, RESULTS, RESULTS, target, Lookup(), counts), stream)
