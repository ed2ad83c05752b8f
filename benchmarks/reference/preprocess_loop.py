"""The plain loop that `densecli preprocess` is measured against: the same work, as one would write it first.

WikiExtractor's JSON lines are read with json (and gzip, where they are packed), the title that repeats at
the beginning is left out, texts are cut into 100 words, ids are checked to be unique, and the passages are
written as Arrow.
"""

import gzip
import html
import json
import sys
from collections.abc import Iterator

import pyarrow as pa

WORDS = 100
BLOCK = 8192
SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "title", "text")])


def passages(path: str) -> Iterator[tuple[str, str, str]]:
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            title, text = row["title"], html.unescape(row["text"]).strip()
            head, _, rest = text.partition("\n")
            if rest and head == title:
                text = rest
            words = text.split()
            for number, start in enumerate(range(0, len(words), WORDS)):
                yield f"{row['id']}#{number}", title, " ".join(words[start : start + WORDS])


def main(source: str, target: str) -> None:
    seen = set()
    block: list[tuple[str, str, str]] = []
    with pa.OSFile(target, "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:

        def write() -> None:
            columns = [pa.array(column, pa.string()) for column in zip(*block, strict=True)]
            writer.write_batch(pa.record_batch(columns, schema=SCHEMA))
            block.clear()

        for passage in passages(source):
            if passage[0] in seen:
                raise SystemExit(f"id {passage[0]} occurs twice")
            seen.add(passage[0])
            block.append(passage)
            if len(block) == BLOCK:
                write()
        if block:
            write()
    print(len(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
