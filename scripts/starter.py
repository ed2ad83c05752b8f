"""Put a trained retriever and reader into the package, small: 8-bit rows and one word table for all towers.

The selection that `densecli read --tune` stored with the reader comes along.

    python scripts/starter.py --retriever WORKSPACE/retriever --reader WORKSPACE/reader

Both must be trained with --freeze-embeddings from the same base. One that is not named stays as it is.
Then rebuild the sample: `just sample`.
"""

import argparse
import json
import shutil
from pathlib import Path

from densecli.artifacts.tuned_file import SELECTION, write_tuned
from densecli.models.compact import compact
from densecli.models.folder import WORDS, ReaderConfig, RetrieverConfig, fingerprint

STARTER = Path(__file__).resolve().parent.parent / "src" / "densecli" / "starter"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--retriever", type=Path)
    parser.add_argument("--reader", type=Path)
    options = parser.parse_args()
    if not (options.retriever or options.reader):
        parser.error("name a retriever, a reader, or both")

    if options.retriever and options.reader:  # of another base, perhaps
        (STARTER / WORDS).unlink(missing_ok=True)
    if options.retriever:
        shutil.rmtree(STARTER / "retriever", ignore_errors=True)
        compact(options.retriever, STARTER / "retriever", RetrieverConfig, STARTER / WORDS)
    if options.reader:
        shutil.rmtree(STARTER / "reader", ignore_errors=True)
        compact(options.reader, STARTER / "reader", ReaderConfig, STARTER / WORDS)
    if options.reader and (options.reader / SELECTION).exists():
        row = json.loads((options.reader / SELECTION).read_bytes())
        # the same weights, rounded: the selection stays right, though they have another fingerprint
        row["reader"] = fingerprint(STARTER / "reader")
        write_tuned(STARTER / "reader" / SELECTION, row)
    size = sum(path.stat().st_size for path in STARTER.rglob("*") if path.is_file())
    print(f"{STARTER}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
