"""How much memory `preprocess` takes on Wikipedia dumps of growing size, and how fast it is.

A dump is made of the pages of a sample, again and again, with other titles, ids and words in their text, as
plain XML or as multistream bzip2 (100 pages a stream, as dumps.wikimedia.org has them). Memory is the
largest sum over the process and all it started. It grows by what is kept for each passage: 12 bytes, and up
to 21 more while the table of ids is made; what that comes to for the passages of the paper is told too.
"""

import argparse
import bz2
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from preprocess import about
from reference.measured import measured

HERE = Path(__file__).parent
RESULT = HERE / "results" / "dump-memory.json"
SAMPLE = HERE.parents[1] / "shared" / "data" / "wiki" / "enwiki-dump-sample.xml.bz2"
STREAM = 100
PAPER = 21_015_324
KEPT = 33
"""Bytes for a passage at the most: hash, place, order, sorting."""
PAGE = re.compile(r"  <page>.*?</page>\n", re.DOTALL)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("sample", nargs="?", type=Path, default=SAMPLE, help="a dump, .xml.bz2")
    options.add_argument("--megabytes", type=int, nargs="+", default=[25, 50, 100], help="of XML, each a run")
    options.add_argument("--plain", action="store_true", help="XML as it is in place of bzip2")
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--output", type=Path, default=RESULT)
    chosen = options.parse_args()
    rows = []
    for megabytes in chosen.megabytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / ("dump.xml" if chosen.plain else "dump.xml.bz2")
            pages = write(path, pieces(chosen.sample, megabytes * 1_000_000), chosen.plain)
            line: list[str | Path] = [
                sys.executable,
                "-m",
                "densecli",
                "preprocess",
                path,
                "-o",
                f"{folder}/made",
                "--quiet",
            ]
            taken, _ = measured([*line, "--workers", str(chosen.workers)])
            counts = json.loads(Path(f"{folder}/made/manifest.json").read_text())["counts"]
        rows.append(
            {
                "megabytes": megabytes,
                "pages": pages,
                "passages": counts["passages"],
                **taken.row(),
                "pages_per_second": round(pages / taken.seconds),
                "megabytes_per_second": round(megabytes / taken.seconds, 2),
            }
        )
        print(rows[-1], flush=True)
    grown = (rows[-1]["peak_mb"] - rows[0]["peak_mb"]) * 2**20 / (rows[-1]["passages"] - rows[0]["passages"])
    result = {
        **about(),
        "sample": chosen.sample.name,
        "form": "plain" if chosen.plain else "multistream bzip2",
        "workers": chosen.workers,
        "rows": rows,
        "bytes_more_per_passage": round(grown, 1),
        "mb_at_the_papers_passages": round(rows[-1]["peak_mb"] + KEPT * PAPER / 2**20),
    }
    chosen.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def pieces(sample: Path, size: int) -> Iterator[str]:
    """Yield a dump of about so many bytes: its head, groups of pages, its end."""
    whole = bz2.decompress(sample.read_bytes()).decode()
    pages = PAGE.findall(whole)
    yield whole[: whole.index("  <page>")]
    for turn in count():
        for start in range(0, len(pages), STREAM):
            group = "".join(another(page, turn) for page in pages[start : start + STREAM])
            yield group
            size -= len(group.encode())
            if size <= 0:
                yield "</mediawiki>\n"
                return


def another(page: str, turn: int) -> str:
    """Return a page under another title and id, with other numbers in its text."""
    page = re.sub(r"<title>(.*?)</title>", rf"<title>\1 {turn}</title>", page, count=1)
    page = re.sub(r"<id>(\d+)</id>", rf"<id>{turn}0\1</id>", page, count=1)
    return re.sub(r"\b(the|of)\b", rf"\1 n{turn}", page) if turn else page


def write(path: Path, parts: Iterator[str], plain: bool) -> int:
    """Write a dump, a stream for each part; return how many pages it has."""
    pages = 0
    with open(path, "wb") as stream:
        for part in parts:
            pages += part.count("<page>")
            stream.write(part.encode() if plain else bz2.compress(part.encode()))
    return pages


if __name__ == "__main__":
    main()
